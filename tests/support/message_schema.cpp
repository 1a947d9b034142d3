// SPDX-License-Identifier: Apache-2.0
#include "support/message_schema.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace durable_mcp::testing_support {
namespace {

using nlohmann::json;

/// What a result must be: the schemas' own ServerResult is content with any object.
struct ResultRow {
    const char* method;
    const char* definition;
};
constexpr ResultRow results[] = {
    {"initialize", "InitializeResult"},
    {"server/discover", "DiscoverResult"},
    {"ping", "EmptyResult"},
    {"logging/setLevel", "EmptyResult"},
    {"tools/list", "ListToolsResult"},
    {"tools/call", "CallToolResult"},
    {"prompts/list", "ListPromptsResult"},
    {"prompts/get", "GetPromptResult"},
    {"resources/list", "ListResourcesResult"},
    {"resources/templates/list", "ListResourceTemplatesResult"},
    {"resources/read", "ReadResourceResult"},
    {"resources/subscribe", "EmptyResult"},
    {"resources/unsubscribe", "EmptyResult"},
    {"completion/complete", "CompleteResult"},
    {"tasks/get", "GetTaskResult"},
    {"tasks/list", "ListTasksResult"},
    {"tasks/cancel", "CancelTaskResult"},
    {"tasks/update", "UpdateTaskResult"},
    {"tasks/result", "CallToolResult"},
};

/// Errors whose `data` the stateless revision prescribes.
struct ErrorRow {
    int code;
    const char* definition;
};
constexpr ErrorRow errors[] = {
    {-32020, "HeaderMismatchError"}, {-32021, "MissingRequiredClientCapabilityError"}, {-32022, "UnsupportedProtocolVersionError"}};

}  // namespace

std::string MessageSchema::folder() {
    const char* const shared = std::getenv("DURABLE_MCP_SHARED");
    return (std::filesystem::path(shared != nullptr ? shared : DURABLE_MCP_SHARED_DIR) / "data/mcp-schema").string();
}

std::optional<MessageSchema::Document> MessageSchema::read(const std::string& name) {
    std::ifstream in(std::filesystem::path(folder()) / (name + ".json"));
    if (!in) {
        return std::nullopt;
    }
    Document document;
    document.json = json::parse(in);
    document.key = document.json.contains("$defs") ? "$defs" : "definitions";
    return document;
}

std::optional<MessageSchema> MessageSchema::of_revision(const std::string& revision) {
    auto document = read(revision);
    if (!document) {
        return std::nullopt;
    }
    MessageSchema schema;
    schema.document_ = std::move(*document);
    if (revision == "2026-07-28") {
        schema.tasks_ = read("ext-tasks");
    }
    return schema;
}

std::optional<std::string> MessageSchema::check(Document& document, const std::string& definition, const json& value) {
    auto found = document.compiled.find(definition);
    if (found == document.compiled.end()) {
        if (!document.json[document.key].contains(definition)) {
            return "the schema has no " + definition;
        }
        json schema = document.json;
        schema["allOf"] = json::array({{{"$ref", "#/" + document.key + "/" + definition}}});
        const auto compiled = schema::JsonSchemaValidator::compile(schema);
        if (!compiled) {
            throw std::runtime_error(definition + ": " + compiled.error().sentence);
        }
        found = document.compiled.emplace(definition, *compiled).first;
    }
    const auto misfit = found->second.validate(value);
    return misfit ? std::optional(definition + ": " + misfit->instance_path + " " + misfit->sentence) : std::nullopt;
}

std::optional<std::string> MessageSchema::complaint(const json& message, const std::string& answered) {
    if (auto complaint = check(document_, "JSONRPCMessage", message)) {
        return complaint;
    }
    if (message.contains("method")) {
        return check_said(message, message.contains("id") ? "ServerRequest" : "ServerNotification");
    }
    return message.contains("error") ? check_error(message) : check_result(message, answered);
}

std::optional<std::string> MessageSchema::check_result(const json& message, const std::string& answered) {
    const json& result = message["result"];
    const std::string type = result.value("resultType", "complete");
    if (type == "input_required") {
        return check(document_, "InputRequiredResult", result);
    }
    if (tasks_ && (type == "task" || answered.starts_with("tasks/"))) {
        for (const ResultRow& row : results) {
            if (type != "task" && row.method == answered) {
                return check(*tasks_, row.definition, result);
            }
        }
        return check(*tasks_, "CreateTaskResult", result);
    }
    if (answered == "tools/call" && result.contains("task")) {
        return check(document_, "CreateTaskResult", result);
    }
    for (const ResultRow& row : results) {
        if (row.method == answered) {
            return check(document_, row.definition, result);
        }
    }
    return "nobody knows what a result of \"" + answered + "\" must be";
}

std::optional<std::string> MessageSchema::check_error(const json& message) {
    const int code = message["error"]["code"];
    for (const ErrorRow& row : errors) {
        if (row.code == code) {
            return check(document_, row.definition, message);
        }
    }
    return std::nullopt;  // JSONRPCMessage says all that there is to say
}

std::optional<std::string> MessageSchema::check_said(const json& message, const std::string& alternatives) {
    const json& definitions = document_.json[document_.key];
    if (tasks_ && message["method"] == "notifications/tasks") {
        return check(*tasks_, "TaskStatusNotification", message);
    }
    if (definitions.contains(alternatives)) {
        for (const json& alternative : definitions[alternatives]["anyOf"]) {
            const std::string reference = alternative["$ref"];
            const std::string name = reference.substr(reference.rfind('/') + 1);
            if (definitions[name]["properties"]["method"].value("const", "") == message["method"]) {
                return check(document_, name, message);
            }
        }
    }
    return "no " + alternatives + " has the method " + message["method"].dump();
}

}  // namespace durable_mcp::testing_support
