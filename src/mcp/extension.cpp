// SPDX-License-Identifier: Apache-2.0
#include "mcp/extension.hpp"

#include <algorithm>
#include <string>

namespace durable_mcp::mcp {
namespace {

using base::Json;

// SEP-2663.
constexpr ExtensionMethod tasks_methods[] = {
    {"tasks/get", Method::tasks_get, "taskId"},
    {"tasks/update", Method::tasks_update, "taskId"},
    {"tasks/cancel", Method::tasks_cancel, "taskId"},
};
constexpr std::string_view tasks_notifications[] = {"notifications/tasks"};

constexpr Extension all_extensions[] = {
    {"io.modelcontextprotocol/tasks", "{}", tasks_methods, tasks_notifications, "taskIds"},
};

}  // namespace

std::span<const Extension> extensions() {
    return all_extensions;
}

const Extension& tasks_extension() {
    return all_extensions[0];
}

const Extension* extension_of(std::string_view method) {
    for (const Extension& extension : all_extensions) {
        if (std::any_of(extension.methods.begin(), extension.methods.end(), [method](const auto& row) { return row.name == method; })) {
            return &extension;
        }
    }
    return nullptr;
}

bool declares(const Json& client_capabilities, const Extension& extension) {
    if (!client_capabilities.is_object()) {
        return false;
    }
    const auto declared = client_capabilities.find("extensions");
    if (declared == client_capabilities.end() || !declared->is_object()) {
        return false;
    }
    const auto found = declared->find(extension.id);
    return found != declared->end() && found->is_object();
}

Json required_capabilities(const Extension& extension) {
    return {{"extensions", {{std::string(extension.id), Json::object()}}}};
}

Json advertised_extensions() {
    Json all = Json::object();
    for (const Extension& extension : all_extensions) {
        all[std::string(extension.id)] = Json::parse(extension.settings);
    }
    return all;
}

}  // namespace durable_mcp::mcp
