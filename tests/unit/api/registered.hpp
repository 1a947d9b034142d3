// SPDX-License-Identifier: Apache-2.0
#pragma once

// A server that is never started, and a way to run what was registered with it.

#include <gtest/gtest.h>

#include <string>

#include "api/server_door.hpp"
#include "base/json.hpp"
#include "durable_mcp/durable_mcp.hpp"
#include "runtime/handler.hpp"
#include "unit/api/fake_port.hpp"

namespace durable_mcp::api {

struct Registered : testing::Test {
    DurableMCP mcp{{.name = "test", .store = memory()}};
    FakePort port;

    [[nodiscard]] std::shared_ptr<const mcp::Item> item(mcp::ItemKind kind, const std::string& name) const {
        return detail::ServerDoor::catalog(mcp)->find(kind, name);
    }
    [[nodiscard]] base::Json descriptor(mcp::ItemKind kind, const std::string& name) const {
        const auto found = item(kind, name);
        return found ? found->descriptor : base::Json("nothing of that name");
    }
    base::Json run(mcp::ItemKind kind, const std::string& name, const base::Json& arguments, const std::string& asked = {}) {
        const auto found = item(kind, name);
        const auto& target = dynamic_cast<const runtime::HandlerTarget&>(*found->target);
        return target.run(port, *found, asked.empty() ? name : asked, arguments);
    }
    base::Json call(const std::string& tool, const base::Json& arguments = base::Json::object()) {
        return run(mcp::ItemKind::tool, tool, arguments);
    }
    /// What the client is told of arguments that do not fit.
    std::string refusal(const std::string& tool, const base::Json& arguments) {
        try {
            call(tool, arguments);
        } catch (const InvalidArguments& error) {
            return error.what();
        }
        return "it ran";
    }
};

/// The sentence of the std::invalid_argument that `action` throws.
template <class Action>
std::string complaint(Action&& action) {
    try {
        action();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "no complaint";
}

}  // namespace durable_mcp::api
