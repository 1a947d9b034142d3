// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `format` means where it is asserted (JSON Schema validation §7.3). All take UTF-8.

#include <string_view>

namespace durable_mcp::schema {

/// A format that we can check.
struct Format {
    std::string_view name;         ///< "date-time"
    std::string_view description;  ///< "a date and time (RFC 3339)"
    bool (*fits)(std::string_view text);
};

/// The format of that name, or nullptr: a format that nobody knows says nothing about a value.
[[nodiscard]] const Format* find_format(std::string_view name);

// formats.cpp
[[nodiscard]] bool is_uuid(std::string_view text);                   ///< RFC 9562 §4
[[nodiscard]] bool is_json_pointer(std::string_view text);           ///< RFC 6901 §3
[[nodiscard]] bool is_relative_json_pointer(std::string_view text);  ///< draft-bhutton-relative-json-pointer-00
// uri_template_expansion.cpp
[[nodiscard]] bool is_uri_template(std::string_view text);  ///< RFC 6570, all levels
// formats_time.cpp
[[nodiscard]] bool is_date(std::string_view text);       ///< RFC 3339 full-date
[[nodiscard]] bool is_time(std::string_view text);       ///< RFC 3339 full-time; a leap second only where it is 23:59:60 in UTC
[[nodiscard]] bool is_date_time(std::string_view text);  ///< RFC 3339 date-time
[[nodiscard]] bool is_duration(std::string_view text);   ///< RFC 3339 appendix A
// formats_host.cpp
[[nodiscard]] bool is_ipv4(std::string_view text);       ///< RFC 2673 §3.2: four decimal octets without leading zeros
[[nodiscard]] bool is_ipv6(std::string_view text);       ///< RFC 4291 §2.2, without a zone
[[nodiscard]] bool is_hostname(std::string_view text);   ///< RFC 1123 §2.1; labels that begin with xn-- must be A-labels (RFC 5891)
[[nodiscard]] bool is_email(std::string_view text);      ///< RFC 5321 §4.1.2 Mailbox
[[nodiscard]] bool is_idn_email(std::string_view text);  ///< RFC 6531

}  // namespace durable_mcp::schema
