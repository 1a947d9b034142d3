// SPDX-License-Identifier: Apache-2.0
#include "schema/pattern.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/limits.hpp"
#include "schema/pattern_translation.hpp"

namespace durable_mcp::schema {
namespace {

using base::Failure;
using base::FailureCode;

}  // namespace

base::Result<Pattern> Pattern::compile(std::string_view expression) {
    constexpr base::Limits limits;
    if (expression.size() > limits.pattern_bytes) {
        return Failure{FailureCode::too_large, fmt::format("a pattern has at most {} bytes", limits.pattern_bytes)};
    }
    auto translated = translate_pattern(expression);
    if (!translated) {
        return std::move(translated).error();
    }
    if (!translated->unsupported.empty()) {
        return Failure{FailureCode::malformed, fmt::format("the pattern \"{}\" cannot be used: {} (patterns are matched in linear time)",
                                                           expression, translated->unsupported)};
    }
    re2::RE2::Options options;  // UTF-8, and one line: ^ and $ are the ends of the text
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(static_cast<std::int64_t>(limits.pattern_memory));
    auto compiled = std::make_shared<const re2::RE2>(translated->expression, options);
    if (!compiled->ok()) {
        const bool large = compiled->error_code() == re2::RE2::ErrorPatternTooLarge || compiled->error_code() == re2::RE2::ErrorRepeatSize;
        const std::string reason = large ? "its repetitions make it too large" : compiled->error() + " (" + compiled->error_arg() + ")";
        return Failure{large ? FailureCode::too_large : FailureCode::malformed,
                       fmt::format("the pattern \"{}\" cannot be used: {}", expression, reason)};
    }
    Pattern pattern;
    pattern.expression_ = expression;
    pattern.compiled_ = std::move(compiled);
    return pattern;
}

bool Pattern::is_found_in(std::string_view text) const {
    return compiled_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace durable_mcp::schema
