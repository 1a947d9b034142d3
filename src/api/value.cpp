// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "base/json.hpp"
#include "durable_mcp/codec.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp {

using base::Json;

namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What was found instead, short enough for a sentence.
std::string describe_found(const Json& value) {
    constexpr std::size_t most = 60;
    if (value.is_object()) {
        return "an object";
    }
    if (value.is_array()) {
        return "an array";
    }
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > most) {
        std::size_t end = most;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        text.resize(end);
        text += "…";
    }
    return text;
}

/// The number as an integer, if it is one: 3.0 is. `Number` says which; a float beyond 2^64 is none.
struct Whole {
    enum Kind { none, negative, positive } kind = none;
    std::int64_t signed_value = 0;     ///< when negative
    std::uint64_t unsigned_value = 0;  ///< when positive (or zero)
};

Whole whole_number(const Json& value) {
    if (value.is_number_unsigned()) {
        return {Whole::positive, 0, value.get<std::uint64_t>()};
    }
    if (value.is_number_integer()) {
        const auto number = value.get<std::int64_t>();
        return number < 0 ? Whole{Whole::negative, number, 0} : Whole{Whole::positive, 0, static_cast<std::uint64_t>(number)};
    }
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        if (std::trunc(number) != number) {
            return {};
        }
        if (number >= 0 && number < 18446744073709551616.0) {
            return {Whole::positive, 0, static_cast<std::uint64_t>(number)};
        }
        if (number < 0 && number >= -9223372036854775808.0) {
            return {Whole::negative, static_cast<std::int64_t>(number), 0};
        }
    }
    return {};
}

bool needs_no_escape(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\') {
            return false;
        }
    }
    return true;
}

std::string dump_or_throw(const Json& value) {
    base::Result<std::string> text = base::dump_json(value);
    if (!text) {
        throw detail::NotEncodable(text.error().sentence);
    }
    return std::move(*text);
}

}  // namespace

// ── Bytes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string Bytes::to_base64() const {
    std::string text;
    text.reserve((data.size() + 2) / 3 * 4);
    const auto byte = [this](std::size_t i) { return i < data.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(data[i])) : 0U; };
    for (std::size_t i = 0; i < data.size(); i += 3) {
        const std::uint32_t group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
        text += base64_alphabet[group >> 18U & 63U];
        text += base64_alphabet[group >> 12U & 63U];
        text += i + 1 < data.size() ? base64_alphabet[group >> 6U & 63U] : '=';
        text += i + 2 < data.size() ? base64_alphabet[group & 63U] : '=';
    }
    return text;
}

Bytes Bytes::from_base64(std::string_view text) {
    static const std::array<std::uint8_t, 256> value_of = [] {
        std::array<std::uint8_t, 256> table{};
        table.fill(64);
        for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
            table[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
        }
        return table;
    }();
    const auto refuse = [] { throw std::invalid_argument("not base64 (RFC 4648 §4, with padding)"); };
    if (text.size() % 4 != 0) {
        refuse();
    }
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
        ++padding;
    }
    Bytes bytes;
    bytes.data.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t group = 0;
        const std::size_t used = i + 4 == text.size() ? 4 - padding : 4;
        for (std::size_t k = 0; k < 4; ++k) {
            const std::uint32_t digit = k < used ? value_of[static_cast<unsigned char>(text[i + k])] : 0U;
            if (digit > 63) {
                refuse();
            }
            group = group << 6U | digit;
        }
        // Bits that no byte takes must be zero, so that every text but one stands for other bytes.
        if ((used == 3 && (group & 0xFFU) != 0) || (used == 2 && (group & 0xFFFFU) != 0)) {
            refuse();
        }
        for (std::size_t k = 0; k + 1 < used; ++k) {
            bytes.data += static_cast<char>(group >> (16U - 8U * k) & 0xFFU);
        }
    }
    return bytes;
}

// ── ValueView ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

bool ValueView::is_null() const noexcept { return value_->is_null(); }

bool ValueView::boolean() const {
    if (!value_->is_boolean()) {
        fail("true or false");
    }
    return value_->get<bool>();
}

std::int64_t ValueView::integer(std::int64_t min, std::int64_t max) const {
    const Whole whole = whole_number(*value_);
    if (whole.kind == Whole::none) {
        fail("an integer");
    }
    if (whole.kind == Whole::negative && whole.signed_value >= min && whole.signed_value <= max) {
        return whole.signed_value;
    }
    if (whole.kind == Whole::positive && std::cmp_less_equal(whole.unsigned_value, max) && std::cmp_greater_equal(whole.unsigned_value, min)) {
        return static_cast<std::int64_t>(whole.unsigned_value);
    }
    fail("an integer from " + std::to_string(min) + " to " + std::to_string(max));
}

std::uint64_t ValueView::unsigned_integer(std::uint64_t max) const {
    const Whole whole = whole_number(*value_);
    if (whole.kind == Whole::none) {
        fail("an integer");
    }
    if (whole.kind == Whole::negative || whole.unsigned_value > max) {
        fail("an integer from 0 to " + std::to_string(max));
    }
    return whole.unsigned_value;
}

double ValueView::number() const {
    if (!value_->is_number()) {
        fail("a number");
    }
    return value_->get<double>();
}

const std::string& ValueView::string() const {
    if (!value_->is_string()) {
        fail("a string");
    }
    return value_->get_ref<const std::string&>();
}

Bytes ValueView::bytes() const {
    if (value_->is_string()) {
        try {
            return Bytes::from_base64(value_->get_ref<const std::string&>());
        } catch (const std::invalid_argument&) {
            // Said below, with the path.
        }
    }
    fail("a string of base64");
}

std::size_t ValueView::array_size() const {
    if (!value_->is_array()) {
        fail("an array");
    }
    return value_->size();
}

ValueView ValueView::element(std::size_t index) const noexcept { return ValueView(*this, {}, index, (*value_)[index]); }

bool ValueView::has_member(std::string_view key) const {
    if (!value_->is_object()) {
        fail("an object");
    }
    return value_->contains(key);
}

ValueView ValueView::member(std::string_view key) const {
    if (!has_member(key)) {
        refuse_member(key, "is missing");
    }
    return ValueView(*this, key, no_index, *value_->find(key));
}

void ValueView::visit_members(void (*visit)(void*, const std::string&, const ValueView&), void* state) const {
    if (!value_->is_object()) {
        fail("an object");
    }
    for (const auto& [key, member] : value_->get_ref<const Json::object_t&>()) {
        visit(state, key, ValueView(*this, key, no_index, member));
    }
}

std::string ValueView::path() const {
    if (parent_ == nullptr) {
        return std::string(name_);
    }
    if (index_ != no_index) {
        return parent_->path() + "[" + std::to_string(index_) + "]";
    }
    // Nothing has no name but the arguments of a call, taken together: their members are the arguments that clients know.
    const std::string parent = parent_->path();
    return parent.empty() ? std::string(name_) : parent + "." + std::string(name_);
}

void ValueView::fail(std::string_view expected) const {
    const std::string where = path();
    const std::string misfit = "expected " + std::string(expected) + ", got " + describe_found(*value_);
    switch (source_) {
        case Source::argument:
            throw InvalidArguments(where, "argument \"" + where + "\": " + misfit);
        case Source::map:
            throw ValueMismatchError("the map's value under \"" + where + "\": " + misfit);
        case Source::step:
            break;
    }
    throw StepMismatchError("the recorded value of step \"" + where + "\" is not what its type reads: " + misfit);
}

void ValueView::refuse_member(std::string_view key, std::string_view problem) const {
    std::string where = path();
    where += where.empty() ? "" : ".";
    where += key;
    const std::string sentence = "\"" + where + "\" " + std::string(problem);
    switch (source_) {
        case Source::argument:
            throw InvalidArguments(where, "argument " + sentence);
        case Source::map:
            throw ValueMismatchError("the map's value " + sentence);
        case Source::step:
            break;
    }
    throw StepMismatchError("the recorded value of a step is not what its type reads: " + sentence);
}

// ── ValueWriter ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void ValueWriter::separate() {
    if (needs_comma_) {
        text_ += ',';
    }
    needs_comma_ = true;
}

void ValueWriter::null() {
    separate();
    text_ += "null";
}

void ValueWriter::boolean(bool value) {
    separate();
    text_ += value ? "true" : "false";
}

void ValueWriter::integer(std::int64_t value) {
    separate();
    text_ += std::to_string(value);
}

void ValueWriter::unsigned_integer(std::uint64_t value) {
    separate();
    text_ += std::to_string(value);
}

void ValueWriter::number(double value) {
    std::string text = dump_or_throw(Json(value));
    separate();
    text_ += text;
}

void ValueWriter::string(std::string_view value) {
    if (needs_no_escape(value)) {
        separate();
        text_ += '"';
        text_ += value;
        text_ += '"';
        return;
    }
    std::string text = dump_or_throw(Json(value));
    separate();
    text_ += text;
}

void ValueWriter::bytes(const Bytes& value) { string(value.to_base64()); }

void ValueWriter::json(const Json& value) {
    std::string text = dump_or_throw(value);
    separate();
    text_ += text;
}

void ValueWriter::begin_array() {
    separate();
    text_ += '[';
    needs_comma_ = false;
}

void ValueWriter::end_array() {
    text_ += ']';
    needs_comma_ = true;
}

void ValueWriter::begin_object() {
    separate();
    text_ += '{';
    needs_comma_ = false;
}

void ValueWriter::member(std::string_view key) {
    // As dump_json() does for whole documents: a key with NUL could not be read back.
    if (key.find('\0') != std::string_view::npos) {
        throw detail::NotEncodable("a key holds NUL");
    }
    string(key);
    text_ += ':';
    needs_comma_ = false;
}

void ValueWriter::end_object() {
    text_ += '}';
    needs_comma_ = true;
}

std::string ValueWriter::take() {
    needs_comma_ = false;
    return std::exchange(text_, {});
}

// ── JsonBox ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace detail {

JsonBox JsonBox::parse(std::string_view text) {
    base::Result<Json> parsed = base::parse_json(text, base::stored_json_limits());
    if (!parsed) {
        throw Error(ErrorCode::store_damaged, "a stored value cannot be read: " + parsed.error().sentence);
    }
    JsonBox box;
    box.value_ = new Json(std::move(*parsed));
    return box;
}

JsonBox::JsonBox(const Json& value) : value_(new Json(value)) {}
JsonBox::JsonBox(const JsonBox& other) : value_(other.value_ != nullptr ? new Json(*other.value_) : nullptr) {}
JsonBox::~JsonBox() { delete value_; }

}  // namespace detail
}  // namespace durable_mcp
