// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace durable_mcp::journal {

/// What is kept of an exception that left a step: enough for the handler to take the same branch on every replay.
struct Fault {
    std::string type;     ///< name of the exception's type; "" where it could not be known
    std::string message;
};

/// The same with its message cut off where it is longer than `longest_message`: what goes on is no message, and an entry has to fit in a row.
constexpr std::size_t longest_message = 64u << 10;
[[nodiscard]] Fault cut_short(Fault fault);

/// An entry's payload, and back. A payload that is none reads as a Fault that says so.
[[nodiscard]] std::string write_fault(const Fault& fault);
[[nodiscard]] Fault read_fault(std::string_view payload);

}  // namespace durable_mcp::journal
