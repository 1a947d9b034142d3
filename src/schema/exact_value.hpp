// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON values as JSON Schema compares them: by their mathematical value. 1 is 1.0, 2^53 + 1 is not 2^53, 0.3 is a multiple of 0.1. Nothing
// here is rounded: nlohmann's own operator== turns integers into doubles first.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/json.hpp"

namespace durable_mcp::schema {

/// A JSON number, as it was parsed. NaN and infinities do not occur (base/json.hpp).
class Number {
public:
    /// `value` must be a number.
    explicit Number(const base::Json& value);

    /// Less than, equal to, or greater than 0 as `a` is less than, equal to, or greater than `b`.
    [[nodiscard]] static int compare(const Number& a, const Number& b);
    /// True if *this = k × `divisor` for an integer k; both count as the shortest decimals that stand for them. `divisor` > 0.
    [[nodiscard]] bool is_multiple_of(const Number& divisor) const;
    [[nodiscard]] bool is_integral() const;
    [[nodiscard]] std::string to_text() const;

private:
    /// mantissa × 10^exponent; the sign is left out.
    struct Decimal {
        std::uint64_t mantissa;
        int exponent;
    };
    [[nodiscard]] Decimal decimal() const;

    enum class Kind : std::uint8_t { negative, positive, real } kind_;  ///< negative: an int64 below 0; positive: a uint64
    union {
        std::int64_t negative_;
        std::uint64_t positive_;
        double real_;
    };
};

/// Counts down what an evaluation may still cost; once it is empty, it stays empty.
class Budget {
public:
    explicit Budget(std::size_t steps) : left_(steps) {}
    /// False, from now on, if there is no more so much.
    [[nodiscard]] bool spend(std::size_t steps) {
        if (steps > left_) {
            left_ = 0;
            exhausted_ = true;
        } else {
            left_ -= steps;
        }
        return !exhausted_;
    }
    [[nodiscard]] bool exhausted() const { return exhausted_; }
    [[nodiscard]] std::size_t left() const { return left_; }

private:
    std::size_t left_;
    bool exhausted_ = false;
};

/// A total order of all JSON values, in which equal means equal. Takes a step from `budget` for every value; what it says when that is
/// exhausted means nothing.
[[nodiscard]] int compare(const base::Json& a, const base::Json& b, Budget& budget);

}  // namespace durable_mcp::schema
