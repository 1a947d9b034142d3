// SPDX-License-Identifier: Apache-2.0
// The official TypeScript SDK, both generations, against an example server: it lists, it calls, and it gets the answer of a call whose server was
// killed half-way through. The clients are tests/support/js/*.mjs; skipped, with the reason, where they have not been fetched from npm.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "interop/child_process.hpp"

namespace durable_mcp::interop {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::string clients = DURABLE_MCP_SOURCE_DIR "/tests/support/js";

fs::path javascript_folder() {
    if (const char* chosen = std::getenv("DURABLE_MCP_JS_DIR"); chosen != nullptr && *chosen != '\0') {
        return chosen;
    }
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
        return fs::path(cache) / "durable-mcp/js";
    }
    const char* home = std::getenv("HOME");
    return fs::path(home == nullptr ? "/tmp" : home) / ".cache/durable-mcp/js";
}

/// A server with a store of its own, and a client beside it. The parameter is the SDK's generation.
class typescript_sdk : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        const fs::path package = javascript_folder() / ("sdk_" + GetParam()) / "installed";
        if (!fs::exists(package)) {
            const std::string reason = package.string() + " is not there: tests/support/js/install fetches it from npm";
            if (std::getenv("DURABLE_MCP_REQUIRE_JS") != nullptr) {
                FAIL() << reason;
            }
            GTEST_SKIP() << reason;
        }
        std::string pattern = (fs::temp_directory_path() / "durable-mcp-interop-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }

    void TearDown() override {
        if (!folder_.empty()) {
            fs::remove_all(folder_);
        }
    }

    [[nodiscard]] std::vector<std::string> server(const std::string& port) const {
        return {DURABLE_MCP_CRASH_AND_RESUME, "--port", port, "--store", (folder_ / "calls.db").string(), "--ledger", ledger().string()};
    }

    [[nodiscard]] std::vector<std::string> client(const std::string& script, const std::string& url) const {
        return {clients + "/run", clients + "/" + script + "_" + GetParam() + ".mjs", url, "count_to_ten", "{}"};
    }

    [[nodiscard]] fs::path ledger() const { return folder_ / "ledger"; }

    [[nodiscard]] std::vector<std::string> executed_steps() const {
        std::vector<std::string> lines;
        std::ifstream in(ledger());
        for (std::string line; std::getline(in, line);) {
            lines.push_back(line);
        }
        return lines;
    }

    /// "http://127.0.0.1:PORT/mcp", as the server prints it.
    static std::string url_of(ChildProcess& server) {
        const std::string words = "listening on ";
        const auto line = server.wait_for_line(words, 30s);
        return line ? line->substr(line->find(words) + words.size()) : "";
    }

    static std::string port_of(const std::string& url) {
        const auto colon = url.rfind(':');
        return url.substr(colon + 1, url.find('/', colon) - colon - 1);
    }

private:
    fs::path folder_;
};

TEST_P(typescript_sdk, lists_and_calls_in_a_session) {
    ChildProcess server(this->server("0"));
    const std::string url = url_of(server);
    ASSERT_FALSE(url.empty()) << server.output();

    ChildProcess client(this->client("list_and_call", url));
    const auto code = client.wait_for_end(60s);
    EXPECT_EQ(code, 0) << client.output();
}

TEST_P(typescript_sdk, gets_the_answer_of_a_call_whose_server_was_killed) {
    ChildProcess first(server("0"));
    const std::string url = url_of(first);
    ASSERT_FALSE(url.empty()) << first.output();

    ChildProcess client(this->client("resume", url));
    // The third step's progress has reached the client, so that the step is recorded; the fourth one is at its work.
    ASSERT_TRUE(client.wait_for_line("progress 3", 30s)) << client.output();
    first.kill_now();
    const auto before = executed_steps();

    ChildProcess second(server(port_of(url)));
    ASSERT_EQ(url_of(second), url) << second.output();
    const auto code = client.wait_for_end(60s);
    EXPECT_EQ(code, 0) << client.output();

    const auto steps = executed_steps();
    EXPECT_GT(steps.size(), before.size()) << "the second server had nothing left to do: it was killed too late";
    EXPECT_EQ(steps.size(), 10u);
    EXPECT_EQ(std::set<std::string>(steps.begin(), steps.end()).size(), steps.size()) << "a recorded step ran again";
}

INSTANTIATE_TEST_SUITE_P(generation, typescript_sdk, testing::Values("1x", "2x"), [](const auto& param) { return "sdk_" + param.param; });

}  // namespace
}  // namespace durable_mcp::interop
