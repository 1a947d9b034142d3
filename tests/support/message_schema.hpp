// SPDX-License-Identifier: Apache-2.0
#pragma once

// The specification's own schemas of what a server says, one document a revision. They lie beside the project, as data/mcp-schema of the
// folder that DURABLE_MCP_SHARED names ("../shared" without it); where they are not, whoever needs them skips.

#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "schema/json_schema.hpp"

namespace durable_mcp::testing_support {

class MessageSchema {
public:
    /// Nothing where the documents are not there. Throws std::runtime_error where one is, and is no schema.
    [[nodiscard]] static std::optional<MessageSchema> of_revision(const std::string& revision);
    /// Where it looks for them.
    [[nodiscard]] static std::string folder();

    /// Nothing if `message` is one that a server of the revision may say; else why not. A result does not say what it answers: `answered`
    /// is the method of the request.
    [[nodiscard]] std::optional<std::string> complaint(const nlohmann::json& message, const std::string& answered = {});

private:
    struct Document {
        nlohmann::json json;
        std::string key;  ///< "$defs", "definitions"
        std::map<std::string, schema::JsonSchemaValidator> compiled;
    };
    static std::optional<Document> read(const std::string& name);
    std::optional<std::string> check(Document& document, const std::string& definition, const nlohmann::json& value);
    std::optional<std::string> check_result(const nlohmann::json& message, const std::string& answered);
    std::optional<std::string> check_error(const nlohmann::json& message);
    std::optional<std::string> check_said(const nlohmann::json& message, const std::string& alternatives);

    Document document_;
    std::optional<Document> tasks_;  ///< of the extension, for the stateless revision
};

}  // namespace durable_mcp::testing_support
