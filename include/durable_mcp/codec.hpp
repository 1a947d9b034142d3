// SPDX-License-Identifier: Apache-2.0
#pragma once

// codec<T> says how a T is stored, shown and read: the one customisation point of the library. Specialise it for a type of your own:
//
//     template <>
//     struct durable_mcp::codec<Money> {
//         static std::string tag() { return "Money"; }
//         static JsonSchema schema() { return json_schema(R"({"type":"integer","minimum":0})"); }
//         static void encode(ValueWriter& out, const Money& value) { out.integer(value.cents); }
//         static Money decode(const ValueView& in) { return Money{in.integer(0, 1'000'000)}; }
//     };
//
// `tag()` is written into the journal beside every value: a later program that reads the step as another type is told so
// (StepMismatchError). Choose one that is yours, and change it only together with the meaning of what is stored.
//
// Built in: bool, every integer, float, double, std::string, Bytes, nlohmann::json, std::optional, std::vector, std::map<std::string,
// …>, void; plain structs, enums, variants, time and more with durable_mcp/typed.hpp. A value is stored byte-exact: 64-bit integers to the last bit, 1.0 apart from 1.

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "durable_mcp/export.hpp"
#include "durable_mcp/schema.hpp"
#include "durable_mcp/value.hpp"

namespace durable_mcp {

template <class T>
struct codec;

/// True where a value of type T can be stored and read back.
template <class T>
concept HasCodec = requires {
    codec<T>::tag();
    codec<T>::schema();
};

/// True where a T is always a JSON object whose members codec<T>::schema() lists: its members can be a tool's arguments, and its schema a
/// tool's output schema. Plain structs are (typed.hpp); a codec of your own says so with `static constexpr bool is_object = true;`.
template <class T>
concept HasObjectCodec = HasCodec<T> && requires { requires codec<T>::is_object; };

namespace detail {

[[nodiscard]] DURABLE_MCP_EXPORT std::string integer_tag(bool is_signed, std::size_t bytes);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema integer_schema(bool is_signed, std::size_t bytes);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema nullable_schema(const JsonSchema& schema);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema array_schema(const JsonSchema& element);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema map_schema(const JsonSchema& element);
[[nodiscard]] DURABLE_MCP_EXPORT std::string nested_tag(const char* outer, const std::string& inner);

/// Integers proper: not bool, and none of the character types, whose meaning as a number nobody could guess.
template <class T>
concept Integer = std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char> && !std::is_same_v<T, wchar_t> &&
                  !std::is_same_v<T, char8_t> && !std::is_same_v<T, char16_t> && !std::is_same_v<T, char32_t>;

}  // namespace detail

template <>
struct DURABLE_MCP_EXPORT codec<bool> {
    static std::string tag();
    static JsonSchema schema();
    static void encode(ValueWriter& out, bool value);
    static bool decode(const ValueView& in);
};

/// "int8" … "uint64", by size and sign: `long` and `long long` are the same.
template <detail::Integer T>
struct codec<T> {
    static std::string tag() { return detail::integer_tag(std::is_signed_v<T>, sizeof(T)); }
    static JsonSchema schema() { return detail::integer_schema(std::is_signed_v<T>, sizeof(T)); }
    static void encode(ValueWriter& out, T value) {
        if constexpr (std::is_signed_v<T>) {
            out.integer(value);
        } else {
            out.unsigned_integer(value);
        }
    }
    static T decode(const ValueView& in) {
        if constexpr (std::is_signed_v<T>) {
            return static_cast<T>(in.integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
        } else {
            return static_cast<T>(in.unsigned_integer(std::numeric_limits<T>::max()));
        }
    }
};

template <>
struct DURABLE_MCP_EXPORT codec<double> {
    static std::string tag();
    static JsonSchema schema();
    static void encode(ValueWriter& out, double value);
    static double decode(const ValueView& in);
};

template <>
struct DURABLE_MCP_EXPORT codec<float> {
    static std::string tag();
    static JsonSchema schema();
    static void encode(ValueWriter& out, float value);
    static float decode(const ValueView& in);
};

template <>
struct DURABLE_MCP_EXPORT codec<std::string> {
    static std::string tag();
    static JsonSchema schema();
    static void encode(ValueWriter& out, std::string_view value);
    static std::string decode(const ValueView& in);
};

template <>
struct DURABLE_MCP_EXPORT codec<Bytes> {
    static std::string tag();
    static JsonSchema schema();
    static void encode(ValueWriter& out, const Bytes& value);
    static Bytes decode(const ValueView& in);
};

template <>
struct DURABLE_MCP_EXPORT codec<nlohmann::json> {
    static std::string tag();
    static JsonSchema schema();
    static void encode(ValueWriter& out, const nlohmann::json& value);
    static nlohmann::json decode(const ValueView& in);
};

/// A step that returns nothing.
template <>
struct DURABLE_MCP_EXPORT codec<void> {
    static std::string tag();
    static JsonSchema schema();
};

/// `null`, or the value. (A std::optional<std::optional<T>> cannot tell its two empty states apart, and has none.)
template <class T>
    requires HasCodec<T>
struct codec<std::optional<T>> {
    static std::string tag() { return detail::nested_tag("optional", codec<T>::tag()); }
    static JsonSchema schema() { return detail::nullable_schema(codec<T>::schema()); }
    static void encode(ValueWriter& out, const std::optional<T>& value) {
        if (value) {
            codec<T>::encode(out, *value);
        } else {
            out.null();
        }
    }
    static std::optional<T> decode(const ValueView& in) {
        if (in.is_null()) {
            return std::nullopt;
        }
        return codec<T>::decode(in);
    }
};

template <class T>
struct codec<std::optional<std::optional<T>>>;

template <class T>
    requires HasCodec<T>
struct codec<std::vector<T>> {
    static std::string tag() { return detail::nested_tag("vector", codec<T>::tag()); }
    static JsonSchema schema() { return detail::array_schema(codec<T>::schema()); }
    static void encode(ValueWriter& out, const std::vector<T>& value) {
        out.begin_array();
        for (const auto& element : value) {
            codec<T>::encode(out, element);
        }
        out.end_array();
    }
    static std::vector<T> decode(const ValueView& in) {
        const std::size_t size = in.array_size();
        std::vector<T> value;
        value.reserve(size);
        for (std::size_t i = 0; i < size; ++i) {
            value.push_back(codec<T>::decode(in.element(i)));
        }
        return value;
    }
};

template <class T>
    requires HasCodec<T>
struct codec<std::map<std::string, T>> {
    static std::string tag() { return detail::nested_tag("map", codec<T>::tag()); }
    static JsonSchema schema() { return detail::map_schema(codec<T>::schema()); }
    static void encode(ValueWriter& out, const std::map<std::string, T>& value) {
        out.begin_object();
        for (const auto& [key, element] : value) {
            out.member(key);
            codec<T>::encode(out, element);
        }
        out.end_object();
    }
    static std::map<std::string, T> decode(const ValueView& in) {
        std::map<std::string, T> value;
        in.each_member([&value](const std::string& key, const ValueView& element) { value.emplace(key, codec<T>::decode(element)); });
        return value;
    }
};

/// The schema that a value of type T satisfies.
template <class T>
    requires HasCodec<T>
[[nodiscard]] JsonSchema schema_of() {
    return codec<T>::schema();
}

namespace detail {

/// What a value of type T is once it has been stored: text that was borrowed becomes a std::string.
template <class T>
using Stored = std::conditional_t<std::is_same_v<std::decay_t<T>, const char*> || std::is_same_v<std::decay_t<T>, char*> ||
                                      std::is_same_v<std::decay_t<T>, std::string_view>,
                                  std::string, std::decay_t<T>>;

/// `value` as JSON text.
template <class T>
[[nodiscard]] std::string encode_text(const T& value) {
    ValueWriter out;
    codec<Stored<T>>::encode(out, value);
    return out.take();
}

/// A parsed document behind a pointer, so that headers need not know nlohmann::json.
class DURABLE_MCP_EXPORT JsonBox {
public:
    JsonBox() noexcept = default;  ///< holds nothing
    /// Parses what encode_text() wrote. Throws Error(store_damaged) where it cannot be read.
    [[nodiscard]] static JsonBox parse(std::string_view text);
    explicit JsonBox(const nlohmann::json& value);
    JsonBox(const JsonBox& other);
    JsonBox(JsonBox&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
    JsonBox& operator=(JsonBox other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~JsonBox();

    [[nodiscard]] explicit operator bool() const noexcept { return value_ != nullptr; }
    [[nodiscard]] nlohmann::json& operator*() noexcept { return *value_; }
    [[nodiscard]] const nlohmann::json& operator*() const noexcept { return *value_; }

private:
    nlohmann::json* value_ = nullptr;
};

template <class T>
[[nodiscard]] T decode_text(ValueView::Source source, std::string_view name, std::string_view text) {
    const JsonBox box = JsonBox::parse(text);
    return codec<T>::decode(ValueView(source, name, *box));
}

}  // namespace detail
}  // namespace durable_mcp
