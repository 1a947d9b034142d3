// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace durable_mcp::runtime {

/// Marks the callable of a step as running, so that a step or a wait inside it is refused.
class BodyGuard {
public:
    BodyGuard(std::string_view& body_of, std::string_view alias) : body_of_(body_of) { body_of_ = alias; }
    ~BodyGuard() { body_of_ = {}; }
    BodyGuard(const BodyGuard&) = delete;
    BodyGuard& operator=(const BodyGuard&) = delete;

private:
    std::string_view& body_of_;
};

}  // namespace durable_mcp::runtime
