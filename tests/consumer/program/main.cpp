// SPDX-License-Identifier: Apache-2.0
// What every consumer project builds and runs: enough to need the library's code, and its exceptions across the library's border.
#if __has_include(<durable_mcp/durable_mcp.hpp>)
#include <durable_mcp/durable_mcp.hpp>
#else
#include <durable_mcp/error.hpp>
#include <durable_mcp/version.hpp>
#endif
#include <cstdio>
#include <exception>

int main() {
    try {
        throw durable_mcp::Error(durable_mcp::ErrorCode::stopped, "thrown by the consumer");
    } catch (const durable_mcp::Error& error) {
        if (error.code() != durable_mcp::ErrorCode::stopped) {
            return 1;
        }
    }
    std::puts("the consumer runs");
    return 0;
}
