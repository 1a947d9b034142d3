// SPDX-License-Identifier: Apache-2.0
#pragma once

// A member of a plain struct that says more than its type: documentation, limits, a title, a format.
//
//     struct Order {
//         field<std::string, "what to send, as in the catalogue", max_length<80>> item;
//         field<std::int64_t, "amount in cents", minimum<1>, maximum<100'000>> cents;
//         field<std::optional<std::string>, "where the receipt goes", format<"email">> mail;
//         field<bool, "say what would happen, and do nothing"> dry_run = false;
//     };
//
// All of it becomes part of the schema that clients see; limits are checked when the struct is read.

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/export.hpp"

namespace durable_mcp {

namespace detail {

/// A string literal as a template argument.
template <std::size_t N>
struct Literal {
    char text[N]{};
    // NOLINTNEXTLINE(google-explicit-constructor): made from literals
    consteval Literal(const char (&literal)[N]) {
        for (std::size_t i = 0; i < N; ++i) {
            text[i] = literal[i];
        }
    }
    [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

}  // namespace detail

/// Bounds of a number, inclusive. (clang takes integers only before its version 18.)
template <auto Value>
struct minimum {
    static constexpr const char* keyword = "minimum";
    static std::string text() { return detail::encode_text(Value); }
};
template <auto Value>
struct maximum {
    static constexpr const char* keyword = "maximum";
    static std::string text() { return detail::encode_text(Value); }
};
/// Bounds of a string, in Unicode code points.
template <std::size_t Value>
struct min_length {
    static constexpr const char* keyword = "minLength";
    static std::string text() { return std::to_string(Value); }
};
template <std::size_t Value>
struct max_length {
    static constexpr const char* keyword = "maxLength";
    static std::string text() { return std::to_string(Value); }
};
/// Bounds of an array, in elements.
template <std::size_t Value>
struct min_items {
    static constexpr const char* keyword = "minItems";
    static std::string text() { return std::to_string(Value); }
};
template <std::size_t Value>
struct max_items {
    static constexpr const char* keyword = "maxItems";
    static std::string text() { return std::to_string(Value); }
};
/// A hint for whoever fills it in, such as "email" or "date-time". It is shown, not checked.
template <detail::Literal Name>
struct format {
    static constexpr const char* keyword = "format";
    static std::string text() { return detail::encode_text(Name.view()); }
};
/// A name for people.
template <detail::Literal Name>
struct title {
    static constexpr const char* keyword = "title";
    static std::string text() { return detail::encode_text(Name.view()); }
};

/// A T with a description and limits. It converts from and to T; `*member` and `member->` reach the T where a conversion does not
/// (`*order.item + "!"`).
///
/// A field with an initialiser in its struct (`= false`) may be left out by clients, whatever the value.
template <class T, detail::Literal Description = "", class... Limits>
class field {
public:
    using value_type = T;

    constexpr field() = default;
    template <class U>
        requires(std::convertible_to<U, T> && !std::same_as<std::remove_cvref_t<U>, field>)
    // NOLINTNEXTLINE(google-explicit-constructor): a field is made from what its T is made from
    constexpr field(U&& value) : value_(std::forward<U>(value)), is_given_(true) {}

    // NOLINTNEXTLINE(google-explicit-constructor)
    constexpr operator T&() noexcept { return value_; }
    // NOLINTNEXTLINE(google-explicit-constructor)
    constexpr operator const T&() const noexcept { return value_; }
    constexpr T& operator*() noexcept { return value_; }
    constexpr const T& operator*() const noexcept { return value_; }
    constexpr T* operator->() noexcept { return &value_; }
    constexpr const T* operator->() const noexcept { return &value_; }

    /// False for one that was made from nothing: how its struct's initialisers are told from none.
    [[nodiscard]] constexpr bool is_given() const noexcept { return is_given_; }

private:
    T value_{};
    bool is_given_ = false;
};

namespace detail {
template <class T>
inline constexpr bool is_field = false;
template <class T, Literal D, class... L>
inline constexpr bool is_field<field<T, D, L...>> = true;
}  // namespace detail

// Numbers are compared by the language itself, through the conversion. These deduce both sides, and so never make a field of a number first.
template <class T, detail::Literal D, class... L, class U, detail::Literal E, class... M>
constexpr bool operator==(const field<T, D, L...>& a, const field<U, E, M...>& b) {
    return *a == *b;
}
template <class T, detail::Literal D, class... L, class U>
    requires(std::is_class_v<T> && !detail::is_field<U>)
constexpr bool operator==(const field<T, D, L...>& a, const U& b) {
    return *a == b;
}

namespace detail {

struct Keyword {
    const char* keyword;
    std::string text;
};

/// A schema with the keywords of a field, and the check of them.
class DURABLE_MCP_EXPORT FieldPlan {
public:
    /// Throws std::invalid_argument for a keyword that does not fit the schema's type, and for bounds that contradict each other.
    FieldPlan(const JsonSchema& schema, std::string_view description, const std::vector<Keyword>& keywords);
    [[nodiscard]] JsonSchema schema() const;
    void check(const ValueView& in) const;

private:
    JsonBox schema_;
};

template <class T>
struct WithoutOptional {
    using type = T;
};
template <class T>
struct WithoutOptional<std::optional<T>> {
    using type = T;
};

}  // namespace detail

/// The tag is T's: documentation and limits may change while calls are in flight.
template <class T, detail::Literal Description, class... Limits>
    requires HasCodec<T>
struct codec<field<T, Description, Limits...>> {
    static std::string tag() { return codec<T>::tag(); }
    static JsonSchema schema() { return plan().schema(); }
    static void encode(ValueWriter& out, const field<T, Description, Limits...>& value) { codec<T>::encode(out, *value); }
    static field<T, Description, Limits...> decode(const ValueView& in) {
        field<T, Description, Limits...> value = codec<T>::decode(in);
        if constexpr (sizeof...(Limits) > 0) {
            plan().check(in);
        }
        return value;
    }

private:
    static const detail::FieldPlan& plan() {
        static const detail::FieldPlan plan(codec<typename detail::WithoutOptional<T>::type>::schema(), Description.view(),
                                            {detail::Keyword{Limits::keyword, Limits::text()}...});
        return plan;
    }
};

}  // namespace durable_mcp
