// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests of strangers' clients share: where npm has put them, and how an example server says where it listens.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/child_process.hpp"

namespace durable_mcp::testing_support {

/// Where tests/support/js/install puts what it fetches.
inline std::filesystem::path javascript_folder() {
    if (const char* chosen = std::getenv("DURABLE_MCP_JS_DIR"); chosen != nullptr && *chosen != '\0') {
        return chosen;
    }
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
        return std::filesystem::path(cache) / "durable-mcp/js";
    }
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home == nullptr ? "/tmp" : home) / ".cache/durable-mcp/js";
}

/// Skips the test, with the reason, where `part` of tests/support/js/install is not there. With DURABLE_MCP_REQUIRE_JS it fails instead.
inline void require_javascript(const std::string& part) {
    const std::filesystem::path package = javascript_folder() / part;
    if (std::filesystem::exists(package / "installed")) {
        return;
    }
    const std::string reason = package.string() + " is not there: tests/support/js/install fetches it from npm";
    if (std::getenv("DURABLE_MCP_REQUIRE_JS") != nullptr) {
        FAIL() << reason;
    }
    GTEST_SKIP() << reason;
}

/// "http://127.0.0.1:PORT/mcp", as an example server prints it; "" if it did not.
inline std::string url_of(ChildProcess& server) {
    const std::string words = "listening on ";
    const auto line = server.wait_for_line(words, std::chrono::seconds(30));
    return line ? line->substr(line->find(words) + words.size()) : "";
}

}  // namespace durable_mcp::testing_support
