// SPDX-License-Identifier: Apache-2.0
#pragma once

// A struct as data: one row per member, and what is done with a row without knowing its type. Not for users.
//
// The templates only fill rows with pointers to functions; walking them, and every sentence, is in src/api/struct_plan.cpp: that keeps a
// struct's share of compile time small.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/field.hpp"
#include "durable_mcp/standard_types.hpp"

namespace durable_mcp::detail {

struct MemberRow {
    const char* signature;      ///< ends in the member's name, but for brackets
    bool is_optional;           ///< a std::optional: absent is nothing
    bool is_initialised;        ///< has an initialiser, as far as constant evaluation shows
    std::string (*tag)();
    JsonSchema (*schema)();     ///< of the value, where it is optional
    void (*encode)(ValueWriter& out, const void* whole);
    void (*encode_blank)(ValueWriter& out);             ///< what the member would be without an initialiser
    bool (*is_nothing)(const void* whole);              ///< an optional without a value
    bool (*is_given)(const void* whole);                ///< a field that was made from something
    void (*decode)(const ValueView& in, void* whole);
};

/// What is known of a struct once it has been looked at: names and defaults.
class DURABLE_MCP_EXPORT StructPlan {
public:
    /// `signature`: of the type. `initial`: a value-initialised one. Throws std::invalid_argument for a default that its own member
    /// refuses, and for two members of one name (a described class and its base).
    StructPlan(const char* signature, const MemberRow* rows, std::size_t count, void* initial);

    /// Without namespaces and template arguments.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::string tag() const;
    /// With `kind`, the object has a member "type" of this value beside its own.
    [[nodiscard]] JsonSchema schema(std::string_view kind = {}) const;
    void encode(ValueWriter& out, const void* whole, std::string_view kind = {}) const;
    /// `whole` is value-initialised: what may be left out, and is, stays as it was.
    void decode(const ValueView& in, void* whole, std::string_view kind = {}) const;
    [[nodiscard]] bool has_member(std::string_view name) const;

private:
    struct Member {
        const MemberRow* row;
        std::string name;
        bool is_defaulted = false;
        std::string default_text;  ///< JSON; empty: JSON cannot say it
        [[nodiscard]] bool required() const { return !row->is_optional && !is_defaulted; }
        /// An optional that starts with a value says null when it has none; the others are just left out.
        [[nodiscard]] bool says_null() const { return row->is_optional && is_defaulted; }
    };
    [[noreturn]] void refuse_unknown(const ValueView& in, std::string_view kind) const;

    std::string name_;
    std::vector<Member> members_;
};

template <class T>
inline constexpr bool is_optional_member = false;
template <class T>
inline constexpr bool is_optional_member<std::optional<T>> = true;
template <class T, Literal D, class... L>
inline constexpr bool is_optional_member<field<std::optional<T>, D, L...>> = true;

/// A codec, but for arrays, which no function can return: these are read and written element by element.
template <class M>
struct MemberCodec : codec<M> {
    static void read(const ValueView& in, M& member) { member = codec<M>::decode(in); }
};
template <class M>
struct MemberCodec<std::optional<M>> : codec<std::optional<M>> {
    static JsonSchema schema() { return codec<M>::schema(); }
    static void read(const ValueView& in, std::optional<M>& member) { member = codec<std::optional<M>>::decode(in); }
};
template <class M, std::size_t N>
struct MemberCodec<M[N]> {
    static std::string tag() { return fixed_array_tag(MemberCodec<M>::tag(), N); }
    static JsonSchema schema() { return fixed_array_schema(MemberCodec<M>::schema(), N); }
    static void encode(ValueWriter& out, const M (&member)[N]) {
        out.begin_array();
        for (const M& element : member) {
            MemberCodec<M>::encode(out, element);
        }
        out.end_array();
    }
    static void read(const ValueView& in, M (&member)[N]) {
        check_array_size(in, N);
        for (std::size_t i = 0; i < N; ++i) {
            MemberCodec<M>::read(in.element(i), member[i]);
        }
    }
};

/// Access<T>: `count`; `get<I>(T&)`, a reference to a member; `signature<I>()`; `is_initialised<I>()`.
template <class T, template <class> class Access>
class StructCodec {
public:
    static constexpr bool is_object = true;

    static const StructPlan& plan() {
        static const StructPlan made = make(std::make_index_sequence<Access<T>::count>{});
        return made;
    }
    static std::string tag() { return plan().tag(); }
    static JsonSchema schema() { return plan().schema(); }
    static void encode(ValueWriter& out, const T& value) { plan().encode(out, &value); }
    static T decode(const ValueView& in) {
        T value{};
        plan().decode(in, &value);
        return value;
    }

private:
    template <std::size_t I>
    static auto& get(const void* whole) {
        // Rows take a whole by void*, const or not, so that a struct's members are named once.
        return Access<T>::template get<I>(*static_cast<T*>(const_cast<void*>(whole)));
    }

    template <std::size_t I>
    static constexpr MemberRow row() {
        using M = std::remove_reference_t<decltype(get<I>(nullptr))>;
        static_assert(!std::is_const_v<M>, "a member of this struct is const, and could not be read into: leave out the const");
        static_assert(HasCodec<std::remove_all_extents_t<M>>,
                      "a member of this struct has a type for which there is no durable_mcp::codec<T>: use one that has (the list is in "
                      "durable_mcp/typed.hpp), or specialise codec<T> for it (durable_mcp/codec.hpp)");
        if constexpr (HasCodec<std::remove_all_extents_t<M>>) {
            MemberRow made{};
            made.signature = Access<T>::template signature<I>();
            made.is_optional = is_optional_member<M>;
            made.is_initialised = Access<T>::template is_initialised<I>();
            made.tag = [] { return MemberCodec<M>::tag(); };
            made.schema = [] { return MemberCodec<M>::schema(); };
            made.encode = [](ValueWriter& out, const void* whole) { MemberCodec<M>::encode(out, get<I>(whole)); };
            made.encode_blank = [](ValueWriter& out) {
                const M blank{};
                MemberCodec<M>::encode(out, blank);
            };
            if constexpr (is_optional_member<M>) {
                made.is_nothing = [](const void* whole) {
                    if constexpr (is_field<M>) {
                        return !get<I>(whole)->has_value();
                    } else {
                        return !get<I>(whole).has_value();
                    }
                };
            }
            if constexpr (is_field<M>) {
                made.is_given = [](const void* whole) { return get<I>(whole).is_given(); };
            }
            made.decode = [](const ValueView& in, void* whole) { MemberCodec<M>::read(in, get<I>(whole)); };
            return made;
        } else {
            return {};
        }
    }

    template <std::size_t... I>
    static StructPlan make(std::index_sequence<I...>) {
        // One row more than needed, since an array cannot be empty.
        static constexpr MemberRow rows[sizeof...(I) + 1] = {row<I>()..., MemberRow{}};
        T initial{};
        return StructPlan(Access<T>::type_signature(), rows, sizeof...(I), &initial);
    }
};

}  // namespace durable_mcp::detail
