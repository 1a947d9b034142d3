// SPDX-License-Identifier: Apache-2.0
#pragma once

// Codecs of more standard types: std::array, std::set, std::pair, std::tuple, std::chrono durations and points of time.
//
//   - std::array, std::pair and std::tuple are JSON arrays of their exact length; a std::set is one without two equal elements.
//   - A duration is a number, an integer if its representation is one, of its own unit. The schema's description says which:
//     std::chrono::milliseconds is "milliseconds".
//   - A std::chrono::sys_time is text as in RFC 3339 §5.6, with as many digits of a second as its unit has ("2026-11-25T10:00:00.250Z").
//     Reading understands other offsets from UTC, and cuts off what is finer than the unit. sys_days is a date alone ("2026-11-25").

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/export.hpp"

namespace durable_mcp {

namespace detail {

[[nodiscard]] DURABLE_MCP_EXPORT std::string fixed_array_tag(const std::string& element, std::size_t size);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema fixed_array_schema(const JsonSchema& element, std::size_t size);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema set_schema(const JsonSchema& element);
[[nodiscard]] DURABLE_MCP_EXPORT std::string tuple_tag(const std::vector<std::string>& elements);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema tuple_schema(const std::vector<JsonSchema>& elements);
/// Fails unless it is an array of `size` elements.
DURABLE_MCP_EXPORT void check_array_size(const ValueView& in, std::size_t size);

[[nodiscard]] DURABLE_MCP_EXPORT std::string duration_tag(const std::string& number, std::intmax_t numerator, std::intmax_t denominator);
[[nodiscard]] DURABLE_MCP_EXPORT JsonSchema duration_schema(const JsonSchema& number, std::intmax_t numerator, std::intmax_t denominator);

/// A point of time apart from any unit.
struct Instant {
    std::int64_t seconds = 0;      ///< since 1970, leap seconds not counted; rounded down
    std::uint32_t nanoseconds = 0;
};
/// `digits`: of the fraction of a second. Throws NotEncodable outside the years 0 to 9999.
DURABLE_MCP_EXPORT void encode_instant(ValueWriter& out, const Instant& instant, int digits);
[[nodiscard]] DURABLE_MCP_EXPORT Instant decode_instant(const ValueView& in);
DURABLE_MCP_EXPORT void encode_date(ValueWriter& out, std::int64_t days);
[[nodiscard]] DURABLE_MCP_EXPORT std::int64_t decode_date(const ValueView& in);

template <class... T>
void encode_each(ValueWriter& out, const T&... elements) {
    out.begin_array();
    (codec<T>::encode(out, elements), ...);
    out.end_array();
}

}  // namespace detail

template <class T, std::size_t N>
    requires HasCodec<T>
struct codec<std::array<T, N>> {
    static std::string tag() { return detail::fixed_array_tag(codec<T>::tag(), N); }
    static JsonSchema schema() { return detail::fixed_array_schema(codec<T>::schema(), N); }
    static void encode(ValueWriter& out, const std::array<T, N>& value) {
        out.begin_array();
        for (const T& element : value) {
            codec<T>::encode(out, element);
        }
        out.end_array();
    }
    static std::array<T, N> decode(const ValueView& in) {
        detail::check_array_size(in, N);
        std::array<T, N> value{};
        for (std::size_t i = 0; i < N; ++i) {
            value[i] = codec<T>::decode(in.element(i));
        }
        return value;
    }
};

template <class T>
    requires HasCodec<T>
struct codec<std::set<T>> {
    static std::string tag() { return detail::nested_tag("set", codec<T>::tag()); }
    static JsonSchema schema() { return detail::set_schema(codec<T>::schema()); }
    static void encode(ValueWriter& out, const std::set<T>& value) {
        out.begin_array();
        for (const T& element : value) {
            codec<T>::encode(out, element);
        }
        out.end_array();
    }
    static std::set<T> decode(const ValueView& in) {
        std::set<T> value;
        const std::size_t size = in.array_size();
        for (std::size_t i = 0; i < size; ++i) {
            if (!value.insert(codec<T>::decode(in.element(i))).second) {
                in.element(i).fail("no element twice");
            }
        }
        return value;
    }
};

template <class A, class B>
    requires HasCodec<A> && HasCodec<B>
struct codec<std::pair<A, B>> {
    static std::string tag() { return detail::tuple_tag({codec<A>::tag(), codec<B>::tag()}); }
    static JsonSchema schema() { return detail::tuple_schema({codec<A>::schema(), codec<B>::schema()}); }
    static void encode(ValueWriter& out, const std::pair<A, B>& value) { detail::encode_each(out, value.first, value.second); }
    static std::pair<A, B> decode(const ValueView& in) {
        detail::check_array_size(in, 2);
        return {codec<A>::decode(in.element(0)), codec<B>::decode(in.element(1))};
    }
};

template <class... T>
    requires(HasCodec<T> && ...)
struct codec<std::tuple<T...>> {
    static std::string tag() { return detail::tuple_tag({codec<T>::tag()...}); }
    static JsonSchema schema() { return detail::tuple_schema({codec<T>::schema()...}); }
    static void encode(ValueWriter& out, const std::tuple<T...>& value) {
        std::apply([&out](const T&... elements) { detail::encode_each(out, elements...); }, value);
    }
    static std::tuple<T...> decode(const ValueView& in) {
        detail::check_array_size(in, sizeof...(T));
        return [&in]<std::size_t... I>(std::index_sequence<I...>) {
            // Braces: decoded from left to right, so that the first misfit is the one that is reported.
            return std::tuple<T...>{codec<T>::decode(in.element(I))...};
        }(std::index_sequence_for<T...>{});
    }
};

// ── Time ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

template <class Rep, class Period>
    requires HasCodec<Rep>
struct codec<std::chrono::duration<Rep, Period>> {
    using Duration = std::chrono::duration<Rep, Period>;
    static std::string tag() { return detail::duration_tag(codec<Rep>::tag(), Period::num, Period::den); }
    static JsonSchema schema() { return detail::duration_schema(codec<Rep>::schema(), Period::num, Period::den); }
    static void encode(ValueWriter& out, const Duration& value) { codec<Rep>::encode(out, value.count()); }
    static Duration decode(const ValueView& in) { return Duration(codec<Rep>::decode(in)); }
};

template <class Duration>
    requires detail::Integer<typename Duration::rep>
struct codec<std::chrono::time_point<std::chrono::system_clock, Duration>> {
    using Point = std::chrono::sys_time<Duration>;
    static constexpr bool is_date = std::ratio_equal_v<typename Duration::period, std::ratio<86400>>;
    /// Decimal digits of a second that the unit has.
    static constexpr int digits = [] {
        int count = 0;
        for (std::intmax_t unit = 1; count < 9 && unit % Duration::period::den != 0; unit *= 10) {
            ++count;
        }
        return count;
    }();

    static std::string tag() { return detail::nested_tag("time", codec<Duration>::tag()); }
    static JsonSchema schema() {
        return JsonSchema::from_trusted(is_date ? R"({"format":"date","type":"string"})" : R"({"format":"date-time","type":"string"})");
    }
    static void encode(ValueWriter& out, const Point& value) {
        if constexpr (is_date) {
            detail::encode_date(out, value.time_since_epoch().count());
        } else {
            const auto seconds = std::chrono::floor<std::chrono::seconds>(value);
            const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(value - seconds);
            detail::encode_instant(out, {seconds.time_since_epoch().count(), static_cast<std::uint32_t>(rest.count())}, digits);
        }
    }
    static Point decode(const ValueView& in) {
        if constexpr (is_date) {
            return Point(Duration(static_cast<typename Duration::rep>(detail::decode_date(in))));
        } else {
            const detail::Instant instant = detail::decode_instant(in);
            // In seconds of long double: exact enough to see whether the unit's numbers reach so far (nanoseconds: the years 1678 to 2261).
            using Rough = std::chrono::duration<long double>;
            if (Rough(static_cast<long double>(instant.seconds)) > Rough(Duration::max()) - Rough(1) ||
                Rough(static_cast<long double>(instant.seconds)) < Rough(Duration::min()) + Rough(1)) {
                in.fail("a point of time within the range of its unit");
            }
            return Point(std::chrono::floor<Duration>(std::chrono::seconds(instant.seconds)) +
                         std::chrono::floor<Duration>(std::chrono::nanoseconds(instant.nanoseconds)));
        }
    }
};

}  // namespace durable_mcp
