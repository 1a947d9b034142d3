// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plain structs, enums and variants as arguments and results: one struct is the schema, the parser and the documentation.
//
//     enum class Size { small, large };
//     struct Item { std::string name; field<std::int64_t, "how many", minimum<1>> count = 1; };
//     struct Order { std::vector<Item> items; std::optional<std::string> note; Size size = Size::small; };
//     struct Receipt { std::string id; std::int64_t cents; };
//
//     mcp.tool("order", "Orders from the catalogue.", [](DurableContext& context, Order order) -> Receipt { … });
//
// **A plain struct** is an aggregate without base classes, default-constructible, with up to 32 members, each of a type that has a
// codec: what codec.hpp and standard_types.hpp list, enums, variants, other plain structs, and arrays of these. Its members may be
// field<…>, to say more (field.hpp). What is no aggregate can be described with Boost.Describe: describe.hpp. A codec<T> of your own comes
// before the one here.
//   - It is a JSON object. Unknown members are refused, and whatever does not fit is named: "order.items[2].count".
//   - A std::optional member may be left out. So may one with an initialiser, whose value is the default that the schema shows. C++ tells
//     of an initialiser only where it can be seen: where its value is not the type's own empty one (`= 10`, `= "EUR"`), where the member is a
//     field (`= anything`), and, for a plain number, bool or enum (`= false`), where the compiler can make the struct in a constant
//     expression: gcc 12 can, unless a member is a map, a set or a json; clang 14 not with a std::string. Elsewhere the member is required:
//     to be sure, make it a field. Initialisers are evaluated for every call, and again when it is replayed: let them be constants.
//   - Its tag is its name, without namespaces, and the names and types of its members. Change any of them and a recorded step of that type
//     is another one: the call that comes back to it fails with StepMismatchError. Descriptions, limits and defaults are not in it.
//   - A struct may not contain itself.
//
// **An enum** is a string, one of its enumerators' names. They are seen from -32 to 255; for others, or for other words, specialise
// enum_names. It needs an underlying type (`enum class`, or `enum E : int`). The tag is its name alone: enumerators may be added.
//
// **A variant** is the value of one alternative. The kind of JSON says which: at most one alternative each may be a string, a number, a
// boolean, an array, an object, and null (std::monostate). Structs are told apart by an additional member "type", the name of the struct,
// which each struct in a variant has, even a single one. What cannot be told apart is std::invalid_argument when it is first used,
// which for arguments and results is registration.
//
// Include this header before codec<T> is asked about any of these types, best at the top of the file. It is outside the umbrella header
// because it costs compile time: 0.06 s itself, and 0.1 s for each struct of eight members (gcc 12, -O0; 0.1 s and 0.07 s with clang 14),
// measured as the difference to tools whose parameters are strings.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/detail/aggregate.hpp"
#include "durable_mcp/detail/struct_plan.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/field.hpp"
#include "durable_mcp/standard_types.hpp"

namespace durable_mcp {

// ── Structs ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace detail {

template <class T>
inline constexpr bool is_array_class = false;
template <class T, std::size_t N>
inline constexpr bool is_array_class<std::array<T, N>> = true;

template <class T>
concept PlainStruct = std::is_class_v<T> && std::is_aggregate_v<T> && !is_array_class<T> && !HasParent<T>;

template <class T>
struct AggregateAccess {
    static constexpr std::size_t count = member_count<T>;
    static consteval const char* type_signature() { return detail::type_signature<T>(); }
    template <std::size_t I>
    static auto& get(T& whole) {
        return at<I>(members_of(whole));
    }
    template <std::size_t I>
    static constexpr const char* signature() {
        return member_signature<T, I>();
    }
    template <std::size_t I>
    static constexpr bool is_initialised() {
        using M = std::remove_reference_t<decltype(at<I>(members_of(std::declval<T&>())))>;
        // What has a constructor is initialised in any case: that says nothing about an initialiser.
        if constexpr (std::is_arithmetic_v<M> || std::is_enum_v<M>) {
            return Initialised<T, I>;
        } else {
            return false;
        }
    }
};

}  // namespace detail

template <detail::PlainStruct T>
struct codec<T> : detail::StructCodec<T, detail::AggregateAccess> {
    static_assert(std::is_default_constructible_v<T>,
                  "a plain struct is read member by member, and needs to be default-constructible: give the members that are not a default");
};

// ── Enums ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The words for the values of E, where the names of its enumerators will not do:
///
///     template <>
///     struct durable_mcp::enum_names<Level> {
///         static constexpr std::pair<Level, const char*> list[] = {{Level::low, "LOW"}, {Level::high, "HIGH"}};
///     };
template <class E>
struct enum_names {};

namespace detail {

/// Names and values of an enum, in the order of the values, or as they were listed.
class DURABLE_MCP_EXPORT EnumPlan {
public:
    /// `signature`: of a function whose template arguments are an enum's values, `first` and those that follow it.
    EnumPlan(const char* type_signature, const char* signature, std::int64_t first);
    EnumPlan(const char* type_signature, std::vector<std::pair<std::int64_t, std::string>> names);
    [[nodiscard]] std::string tag() const;
    [[nodiscard]] JsonSchema schema() const;
    void encode(ValueWriter& out, std::int64_t value) const;
    [[nodiscard]] std::int64_t decode(const ValueView& in) const;

private:
    std::string name_;
    std::vector<std::pair<std::int64_t, std::string>> names_;
};

template <class E, E... Values>
consteval const char* signature_of_values() {
    return __PRETTY_FUNCTION__;
}
template <class E, std::int64_t First, std::int64_t... I>
consteval const char* signature_from(std::integer_sequence<std::int64_t, I...>) {
    return signature_of_values<E, static_cast<E>(First + I)...>();
}

template <class E>
concept HasEnumNames = requires { enum_names<E>::list; };
template <class E>
concept HasUnderlyingType = requires { E{0}; };

}  // namespace detail

template <class E>
    requires std::is_enum_v<E>
struct codec<E> {
    static std::string tag() { return plan().tag(); }
    static JsonSchema schema() { return plan().schema(); }
    static void encode(ValueWriter& out, E value) { plan().encode(out, static_cast<std::int64_t>(value)); }
    static E decode(const ValueView& in) { return static_cast<E>(plan().decode(in)); }

private:
    static const detail::EnumPlan& plan() {
        static const detail::EnumPlan made = make();
        return made;
    }
    static detail::EnumPlan make() {
        if constexpr (detail::HasEnumNames<E>) {
            std::vector<std::pair<std::int64_t, std::string>> names;
            for (const auto& [value, name] : enum_names<E>::list) {
                names.emplace_back(static_cast<std::int64_t>(value), name);
            }
            return {detail::type_signature<E>(), std::move(names)};
        } else {
            static_assert(detail::HasUnderlyingType<E>,
                          "the names of this enum cannot be had: write `enum class`, give it an underlying type, or specialise "
                          "durable_mcp::enum_names");
            using Number = std::underlying_type_t<E>;
            constexpr std::int64_t first = std::is_signed_v<Number> ? -32 : 0;
            constexpr std::int64_t last = sizeof(Number) > 1 ? 255 : static_cast<std::int64_t>(std::numeric_limits<Number>::max());
            if constexpr (detail::HasUnderlyingType<E>) {
                return {detail::type_signature<E>(),
                        detail::signature_from<E, first>(std::make_integer_sequence<std::int64_t, last - first + 1>()), first};
            }
        }
    }
};

// ── Variants ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace detail {

struct Alternative {
    std::string (*tag)();
    JsonSchema (*schema)();
    const StructPlan& (*plan)();  ///< null unless it is a struct
};

/// Which alternative a JSON value is.
class DURABLE_MCP_EXPORT VariantPlan {
public:
    /// Throws std::invalid_argument where two alternatives could not be told apart.
    VariantPlan(const Alternative* alternatives, std::size_t count);
    [[nodiscard]] std::string tag() const;
    [[nodiscard]] JsonSchema schema() const;
    [[nodiscard]] std::size_t which(const ValueView& in) const;

private:
    const Alternative* alternatives_;
    std::vector<std::string> kinds_;  ///< JSON type of each alternative, or the name of a struct
    std::vector<bool> is_struct_;
};

template <class T>
concept HasPlan = requires { codec<T>::plan().name(); } && requires { requires codec<T>::is_object; };

}  // namespace detail

template <>
struct DURABLE_MCP_EXPORT codec<std::monostate> {
    static std::string tag();
    static JsonSchema schema();
    static void encode(ValueWriter& out, std::monostate value);
    static std::monostate decode(const ValueView& in);
};

template <class... T>
    requires(HasCodec<T> && ...)
struct codec<std::variant<T...>> {
    static std::string tag() { return plan().tag(); }
    static JsonSchema schema() { return plan().schema(); }
    static void encode(ValueWriter& out, const std::variant<T...>& value) {
        static_cast<void>(plan());
        std::visit([&out](const auto& held) { encode_one(out, held); }, value);
    }
    static std::variant<T...> decode(const ValueView& in) {
        using Decode = std::variant<T...> (*)(const ValueView&);
        return []<std::size_t... I>(const ValueView& view, std::index_sequence<I...>) {
            static constexpr Decode decoders[] = {&decode_one<I>...};
            return decoders[plan().which(view)](view);
        }(in, std::index_sequence_for<T...>{});
    }

private:
    template <class A>
    static void encode_one(ValueWriter& out, const A& held) {
        if constexpr (detail::HasPlan<A>) {
            codec<A>::plan().encode(out, &held, codec<A>::plan().name());
        } else {
            codec<A>::encode(out, held);
        }
    }
    template <std::size_t I>
    static std::variant<T...> decode_one(const ValueView& in) {
        using A = std::variant_alternative_t<I, std::variant<T...>>;
        if constexpr (detail::HasPlan<A>) {
            A held{};
            codec<A>::plan().decode(in, &held, codec<A>::plan().name());
            return std::variant<T...>(std::in_place_index<I>, std::move(held));
        } else {
            return std::variant<T...>(std::in_place_index<I>, codec<A>::decode(in));
        }
    }
    template <class A>
    static constexpr detail::Alternative alternative() {
        if constexpr (detail::HasPlan<A>) {
            return {&codec<A>::tag, &codec<A>::schema, &codec<A>::plan};
        } else {
            return {&codec<A>::tag, &codec<A>::schema, nullptr};
        }
    }
    static const detail::VariantPlan& plan() {
        static constexpr detail::Alternative alternatives[] = {alternative<T>()...};
        static const detail::VariantPlan made(alternatives, sizeof...(T));
        return made;
    }
};

}  // namespace durable_mcp
