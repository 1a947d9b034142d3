// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON as the codecs see it. These two handles keep <nlohmann/json.hpp>, which costs two seconds a file, out of everybody's way:
// whoever wants a nlohmann::json includes it (the umbrella header does) and takes `view.json()` or `writer.json(…)`.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "durable_mcp/export.hpp"

namespace durable_mcp {

/// Bytes that need not be text. Travels and is stored as base64.
struct Bytes {
    std::string data;

    /// Reads standard base64, with padding. Throws std::invalid_argument for anything else.
    [[nodiscard]] DURABLE_MCP_EXPORT static Bytes from_base64(std::string_view text);
    [[nodiscard]] DURABLE_MCP_EXPORT std::string to_base64() const;
    friend bool operator==(const Bytes& a, const Bytes& b) { return a.data == b.data; }
};

/// A JSON value that is being read, and the way to it ("order.items[2]"), so that a misfit is reported by name.
///
/// A member that finds something else than it asks for fails: an argument with InvalidArguments, whose text the client sees; a recorded
/// step with StepMismatchError; a map's value with ValueMismatchError.
///
/// *Lifetime*: borrows; use it inside codec<T>::decode, never beyond. A child borrows its parent too.
class DURABLE_MCP_EXPORT ValueView {
public:
    /// What is being read; it decides about the words and the type of a failure.
    enum class Source : std::uint8_t { argument, step, map };

    /// The value `name` of a `source`: an argument's name, a step's alias, a map's key.
    ValueView(Source source, std::string_view name, const nlohmann::json& value) noexcept : value_(&value), name_(name), source_(source) {}

    [[nodiscard]] bool is_null() const noexcept;
    [[nodiscard]] bool boolean() const;
    /// An integer within [min, max]. A number such as 3.0 is one too, as in JSON Schema.
    [[nodiscard]] std::int64_t integer(std::int64_t min, std::int64_t max) const;
    [[nodiscard]] std::uint64_t unsigned_integer(std::uint64_t max) const;
    [[nodiscard]] double number() const;
    [[nodiscard]] const std::string& string() const;
    [[nodiscard]] Bytes bytes() const;

    /// Number of elements; fails unless it is an array.
    [[nodiscard]] std::size_t array_size() const;
    [[nodiscard]] ValueView element(std::size_t index) const noexcept;
    /// True when there is a member `key`; fails unless it is an object.
    [[nodiscard]] bool has_member(std::string_view key) const;
    /// The member `key`, which must outlive the view; fails unless it is an object that has it.
    [[nodiscard]] ValueView member(std::string_view key) const;
    /// Calls `visit(key, value)` for each member, in the order of the keys' bytes; fails unless it is an object.
    template <class Visit>
    void each_member(Visit&& visit) const {
        visit_members([](void* state, const std::string& key, const ValueView& value) { (*static_cast<Visit*>(state))(key, value); }, &visit);
    }

    [[nodiscard]] const nlohmann::json& json() const noexcept { return *value_; }
    /// "order.items[2]"
    [[nodiscard]] std::string path() const;
    /// Throws: `argument "cents": expected an integer, got "abc"`. `expected` is a noun: "an e-mail address".
    [[noreturn]] void fail(std::string_view expected) const;
    /// Throws about a member that is not there, or should not be: `argument "order.cents" is missing: expected an integer`, where `problem`
    /// begins with "is".
    [[noreturn]] void refuse_member(std::string_view key, std::string_view problem) const;

private:
    static constexpr std::size_t no_index = static_cast<std::size_t>(-1);
    ValueView(const ValueView& parent, std::string_view name, std::size_t index, const nlohmann::json& value) noexcept
        : value_(&value), parent_(&parent), name_(name), index_(index), source_(parent.source_) {}
    void visit_members(void (*visit)(void*, const std::string&, const ValueView&), void* state) const;

    const nlohmann::json* value_;
    const ValueView* parent_ = nullptr;
    std::string_view name_;
    std::size_t index_ = no_index;
    Source source_;
};

/// Writes one JSON value as text, from left to right; commas are its own business.
///
/// What JSON cannot hold (a string that is not UTF-8, NaN, infinity) throws detail::NotEncodable: an at_most_once step is then recorded as
/// *failed: not encodable*, a result is the tool's failure. Use Bytes, or std::optional.
class DURABLE_MCP_EXPORT ValueWriter {
public:
    void null();
    void boolean(bool value);
    void integer(std::int64_t value);
    void unsigned_integer(std::uint64_t value);
    void number(double value);
    void string(std::string_view value);
    void bytes(const Bytes& value);
    void json(const nlohmann::json& value);

    void begin_array();
    void end_array();
    void begin_object();
    /// The key of the value that comes next.
    void member(std::string_view key);
    void end_object();

    /// What was written.
    [[nodiscard]] std::string take();

private:
    void separate();

    std::string text_;
    bool needs_comma_ = false;
};

}  // namespace durable_mcp
