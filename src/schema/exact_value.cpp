// SPDX-License-Identifier: Apache-2.0
#include "schema/exact_value.hpp"

// Every double is the shortest decimal that reads back as it (that is what its author wrote, up to 15 digits): a mantissa of at most 17
// digits and an exponent. So a remainder is one of integers, and the power of ten in it is taken modulo the divisor, however large it is.

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/assert.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;
__extension__ using Wide = unsigned __int128;

constexpr double two_to_63 = 9223372036854775808.0;
constexpr double two_to_64 = 18446744073709551616.0;

template <class T>
int three_way(T a, T b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

/// 10^exponent modulo `modulus`.
std::uint64_t power_of_ten(int exponent, std::uint64_t modulus) {
    Wide result = 1 % modulus;
    Wide base = 10 % modulus;
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) {
            result = result * base % modulus;
        }
        base = base * base % modulus;
    }
    return static_cast<std::uint64_t>(result);
}

/// The place of a type in the order; numbers are one type.
int rank(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return 0;
        case Json::value_t::boolean:
            return 1;
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
        case Json::value_t::number_float:
            return 2;
        case Json::value_t::string:
            return 3;
        case Json::value_t::array:
            return 4;
        case Json::value_t::object:
            return 5;
        default:
            return 6;
    }
}

}  // namespace

Number::Number(const Json& value) : kind_(Kind::positive), positive_(0) {
    DURABLE_MCP_ASSERT(value.is_number());
    if (value.is_number_float()) {
        kind_ = Kind::real;
        real_ = value.get_ref<const double&>();
    } else if (value.is_number_unsigned()) {
        positive_ = value.get_ref<const std::uint64_t&>();
    } else if (const auto integer = value.get_ref<const std::int64_t&>(); integer < 0) {
        kind_ = Kind::negative;
        negative_ = integer;
    } else {
        positive_ = static_cast<std::uint64_t>(integer);
    }
}

int Number::compare(const Number& a, const Number& b) {
    if (a.kind_ == b.kind_) {
        switch (a.kind_) {
            case Kind::negative:
                return three_way(a.negative_, b.negative_);
            case Kind::positive:
                return three_way(a.positive_, b.positive_);
            case Kind::real:
                return three_way(a.real_, b.real_);
        }
    }
    if (a.kind_ == Kind::real) {
        return -compare(b, a);
    }
    if (b.kind_ != Kind::real) {
        return a.kind_ == Kind::negative ? -1 : 1;
    }
    // An integer and a double: what lies outside of the integer's range is settled, the rest is cut to an integer and the fraction decides
    // a draw.
    const double whole = std::trunc(b.real_);
    const int fraction = three_way(whole, b.real_);  // -1: the double lies above its whole part
    if (a.kind_ == Kind::negative) {
        if (b.real_ >= 0) {
            return -1;
        }
        if (b.real_ < -two_to_63) {
            return 1;
        }
        const int order = three_way(a.negative_, static_cast<std::int64_t>(whole));
        return order != 0 ? order : fraction;
    }
    if (b.real_ < 0) {
        return 1;
    }
    if (b.real_ >= two_to_64) {
        return -1;
    }
    const int order = three_way(a.positive_, static_cast<std::uint64_t>(whole));
    return order != 0 ? order : fraction;
}

bool Number::is_integral() const {
    return kind_ != Kind::real || std::trunc(real_) == real_;
}

std::string Number::to_text() const {
    std::array<char, 64> text{};
    std::to_chars_result end{};
    switch (kind_) {
        case Kind::negative:
            end = std::to_chars(text.data(), text.data() + text.size(), negative_);
            break;
        case Kind::positive:
            end = std::to_chars(text.data(), text.data() + text.size(), positive_);
            break;
        case Kind::real:
            end = std::to_chars(text.data(), text.data() + text.size(), real_);
            break;
    }
    return {text.data(), end.ptr};
}

Number::Decimal Number::decimal() const {
    if (kind_ == Kind::positive) {
        return {positive_, 0};
    }
    if (kind_ == Kind::negative) {
        return {0 - static_cast<std::uint64_t>(negative_), 0};
    }
    std::array<char, 40> text{};  // d.ddddde±dd
    const auto end = std::to_chars(text.data(), text.data() + text.size(), std::fabs(real_), std::chars_format::scientific).ptr;
    Decimal decimal{0, 0};
    const char* at = text.data();
    bool fraction = false;
    for (; at != end && *at != 'e'; ++at) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        decimal.mantissa = decimal.mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
        decimal.exponent -= fraction ? 1 : 0;
    }
    if (at != end) {
        int exponent = 0;
        ++at;
        std::from_chars(*at == '+' ? at + 1 : at, end, exponent);
        decimal.exponent += exponent;
    }
    while (decimal.mantissa != 0 && decimal.mantissa % 10 == 0) {
        decimal.mantissa /= 10;
        ++decimal.exponent;
    }
    return decimal;
}

bool Number::is_multiple_of(const Number& divisor) const {
    if (kind_ == Kind::positive && divisor.kind_ == Kind::positive) {
        return divisor.positive_ != 0 && positive_ % divisor.positive_ == 0;
    }
    Decimal value = decimal();
    const Decimal unit = divisor.decimal();
    if (value.mantissa == 0 || unit.mantissa == 0) {
        return unit.mantissa != 0;
    }
    for (; value.exponent < unit.exponent; ++value.exponent) {
        if (value.mantissa % 10 != 0) {
            return false;
        }
        value.mantissa /= 10;
    }
    const Wide power = power_of_ten(value.exponent - unit.exponent, unit.mantissa);
    return value.mantissa % unit.mantissa * power % unit.mantissa == 0;
}

int compare(const Json& a, const Json& b, Budget& budget) {
    const int type = rank(a);
    if (!budget.spend(1) || type != rank(b)) {
        return three_way(type, rank(b));
    }
    switch (type) {
        case 1:
            return three_way<int>(a.get_ref<const bool&>(), b.get_ref<const bool&>());
        case 2:
            return Number::compare(Number(a), Number(b));
        case 3:
            return three_way(a.get_ref<const std::string&>().compare(b.get_ref<const std::string&>()), 0);
        case 4: {
            const auto &left = a.get_ref<const Json::array_t&>(), &right = b.get_ref<const Json::array_t&>();
            if (left.size() != right.size()) {
                return three_way(left.size(), right.size());
            }
            for (std::size_t i = 0; i < left.size(); ++i) {
                if (const int order = compare(left[i], right[i], budget); order != 0 || budget.exhausted()) {
                    return order;
                }
            }
            return 0;
        }
        case 5: {
            const auto &left = a.get_ref<const Json::object_t&>(), &right = b.get_ref<const Json::object_t&>();
            if (left.size() != right.size()) {
                return three_way(left.size(), right.size());
            }
            for (auto at = left.begin(), beside = right.begin(); at != left.end(); ++at, ++beside) {
                if (const int order = at->first.compare(beside->first); order != 0) {
                    return three_way(order, 0);
                }
                if (const int order = compare(at->second, beside->second, budget); order != 0 || budget.exhausted()) {
                    return order;
                }
            }
            return 0;
        }
        default:
            return 0;
    }
}

}  // namespace durable_mcp::schema
