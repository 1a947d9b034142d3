// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

// Reading: nlohmann's lexer drives a SAX handler of ours, which builds the document and stops at the first breach of a limit, so that no
// document that is too deep or too large ever exists. The lexer does not tell a handler where it stands, and counting would cost every
// request; so the offset of a breach is found by reading the refused text a second time, with a counting iterator.
//
// Writing: nlohmann recurses, writes NaN as null, and writes a key that we would not read back. A walk in front of it refuses all of these,
// so that whatever was written can be read again with stored_json_limits().

#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.hpp"

namespace durable_mcp::base {
namespace {

constexpr std::size_t stored_depth = 512;

class DocumentBuilder final {
public:
    using number_integer_t = Json::number_integer_t;
    using number_unsigned_t = Json::number_unsigned_t;
    using number_float_t = Json::number_float_t;
    using string_t = Json::string_t;
    using binary_t = Json::binary_t;

    explicit DocumentBuilder(const JsonLimits& limits) : limits_(limits) {}

    bool null() { return place(nullptr) != nullptr; }
    bool boolean(bool value) { return place(value) != nullptr; }
    bool number_integer(number_integer_t value) { return place(value) != nullptr; }
    bool number_unsigned(number_unsigned_t value) { return place(value) != nullptr; }
    bool number_float(number_float_t value, const string_t& text) {
        // The lexer falls back to a double where an integer does not fit; that would change its value.
        if (text.find_first_of(".eE") == string_t::npos) {
            return refuse(FailureCode::malformed, "an integer fits into neither 64 bits signed nor 64 bits unsigned");
        }
        return place(value) != nullptr;
    }
    bool string(string_t& value) { return place(std::move(value)) != nullptr; }
    bool binary(binary_t&) { return refuse(FailureCode::malformed, "binary data"); }

    bool start_object(std::size_t) { return open(Json::value_t::object); }
    bool key(string_t& name) {
        if (name.find('\0') != string_t::npos) {
            return refuse(FailureCode::malformed, "an object key contains NUL");
        }
        auto& members = open_.back()->get_ref<Json::object_t&>();
        const auto [place, is_new] = members.try_emplace(std::move(name));
        if (!is_new) {
            return refuse(FailureCode::malformed, "an object has the same key twice");
        }
        member_ = &place->second;
        return true;
    }
    bool end_object() {
        open_.pop_back();
        return true;
    }
    bool start_array(std::size_t) { return open(Json::value_t::array); }
    bool end_array() {
        open_.pop_back();
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) {
        // What the library says, without its prefix and without the quotation of the input, which may not be UTF-8.
        std::string_view reason = error.what();
        if (error.id == 406) {
            reason = "a number is too large for a double";
        } else if (const auto start = reason.find("syntax error"); start != std::string_view::npos) {
            reason = reason.substr(start);
            reason = reason.substr(0, reason.find("; last read"));
        }
        failure_ = Failure{FailureCode::malformed, fmt::format("not JSON, at byte {}: {}", position == 0 ? 0 : position - 1, reason)};
        return false;
    }

    /// Valid after a parse that succeeded.
    [[nodiscard]] Json take() { return std::move(root_); }
    /// Valid after one that failed: either parse_error() filled in everything, or the reason still lacks its place.
    [[nodiscard]] bool lacks_offset() const { return refused_; }
    [[nodiscard]] Failure take_failure() { return std::move(failure_); }

private:
    bool refuse(FailureCode code, std::string_view reason) {
        failure_ = Failure{code, std::string(reason)};
        refused_ = true;
        return false;
    }

    template <class Value>
    Json* place(Value&& value) {
        if (++nodes_ > limits_.nodes) {
            refuse(FailureCode::too_large, fmt::format("more than {} values", limits_.nodes));
            return nullptr;
        }
        if (open_.empty()) {
            root_ = Json(std::forward<Value>(value));
            return &root_;
        }
        Json& parent = *open_.back();
        if (parent.is_array()) {
            return &parent.get_ref<Json::array_t&>().emplace_back(std::forward<Value>(value));
        }
        *member_ = Json(std::forward<Value>(value));
        return member_;
    }

    bool open(Json::value_t type) {
        if (open_.size() >= limits_.depth) {
            return refuse(FailureCode::too_large, fmt::format("nested deeper than {} levels", limits_.depth));
        }
        // The pointer stays good: while a container is open, its parent does not grow.
        Json* const container = place(type);
        if (container != nullptr) {
            open_.push_back(container);
        }
        return container != nullptr;
    }

    const JsonLimits limits_;
    Json root_;
    std::vector<Json*> open_;
    Json* member_ = nullptr;
    std::size_t nodes_ = 0;
    bool refused_ = false;
    Failure failure_{FailureCode::malformed, {}};
};

/// Walks a text and remembers how far the lexer has come.
struct CountingIterator {
    using iterator_category = std::forward_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    const char* at = nullptr;
    std::size_t* count = nullptr;

    reference operator*() const { return *at; }
    CountingIterator& operator++() {
        ++at;
        ++*count;
        return *this;
    }
    CountingIterator operator++(int) {
        const CountingIterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at == b.at; }
};

Failure locate(std::string_view text, const JsonLimits& limits) {
    std::size_t count = 0;
    DocumentBuilder builder(limits);
    const CountingIterator begin{text.data(), &count}, end{text.data() + text.size(), &count};
    static_cast<void>(Json::sax_parse(begin, end, &builder));
    Failure failure = builder.take_failure();
    failure.sentence += fmt::format(", before byte {}", count);
    return failure;
}

/// "" if `value` can be written and read back.
std::string_view find_obstacle(const Json& value, std::size_t depth) {
    switch (value.type()) {
        case Json::value_t::object:
            if (depth == stored_depth) {
                return "it is nested too deeply";
            }
            for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) {
                if (key.find('\0') != std::string::npos) {
                    return "an object key contains NUL";
                }
                if (const auto obstacle = find_obstacle(member, depth + 1); !obstacle.empty()) {
                    return obstacle;
                }
            }
            return {};
        case Json::value_t::array:
            if (depth == stored_depth) {
                return "it is nested too deeply";
            }
            for (const Json& element : value.get_ref<const Json::array_t&>()) {
                if (const auto obstacle = find_obstacle(element, depth + 1); !obstacle.empty()) {
                    return obstacle;
                }
            }
            return {};
        case Json::value_t::number_float:
            return std::isfinite(value.get_ref<const double&>()) ? std::string_view{} : "a number is NaN or infinite";
        case Json::value_t::binary:
        case Json::value_t::discarded:
            return "it holds what JSON has no form for";
        default:
            return {};
    }
}

}  // namespace

JsonLimits wire_json_limits() {
    constexpr Limits limits;
    return {limits.json_depth, limits.json_nodes};
}

JsonLimits stored_json_limits() {
    return {stored_depth, std::numeric_limits<std::size_t>::max()};
}

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
    // The lexer skips a byte order mark, and takes NUL for the end of the input, whatever follows it.
    if (text.starts_with("\xEF\xBB\xBF")) {
        return Failure{FailureCode::malformed, "not JSON, at byte 0: a byte order mark"};
    }
    if (const void* nul = text.empty() ? nullptr : std::memchr(text.data(), 0, text.size())) {
        return Failure{FailureCode::malformed, fmt::format("not JSON, at byte {}: NUL", static_cast<const char*>(nul) - text.data())};
    }
    DocumentBuilder builder(limits);
    if (Json::sax_parse(text.data(), text.data() + text.size(), &builder)) {
        return {boost::system::in_place_value, builder.take()};  // Json converts to everything, Failure included
    }
    if (builder.lacks_offset()) {
        return locate(text, limits);
    }
    return builder.take_failure();
}

Result<std::string> dump_json(const Json& value) {
    if (const auto obstacle = find_obstacle(value, 0); !obstacle.empty()) {
        return Failure{FailureCode::malformed, fmt::format("the value cannot be written as JSON: {}", obstacle)};
    }
    try {
        return value.dump(-1, ' ', false, Json::error_handler_t::strict);
    } catch (const Json::exception&) {
        return Failure{FailureCode::malformed, "the value cannot be written as JSON: a string is not UTF-8"};
    }
}

namespace {

void append_canonical(std::string& text, const Json& value) {
    switch (value.type()) {
        case Json::value_t::object: {
            text.push_back('{');
            bool first = true;
            for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) {  // sorted by their bytes
                text.append(first ? "" : ",").append(Json(key).dump(-1, ' ', false, Json::error_handler_t::replace)).push_back(':');
                append_canonical(text, member);
                first = false;
            }
            text.push_back('}');
            return;
        }
        case Json::value_t::array:
            text.push_back('[');
            for (std::size_t i = 0; i < value.size(); ++i) {
                text.append(i == 0 ? "" : ",");
                append_canonical(text, value[i]);
            }
            text.push_back(']');
            return;
        case Json::value_t::number_float: {
            // What an integer can say exactly, the integer says.
            const double number = value.get<double>();
            constexpr double two_to_63 = 9223372036854775808.0;
            constexpr double two_to_64 = 18446744073709551616.0;
            if (std::trunc(number) == number && number >= -two_to_63 && number < two_to_64) {
                text.append(number < two_to_63 ? std::to_string(static_cast<std::int64_t>(number)) : std::to_string(static_cast<std::uint64_t>(number)));
                return;
            }
            text.append(value.dump());
            return;
        }
        default:
            text.append(value.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
}

}  // namespace

std::string canonical_text(const Json& value) {
    std::string text;
    append_canonical(text, value);
    return text;
}

}  // namespace durable_mcp::base
