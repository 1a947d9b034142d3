// SPDX-License-Identifier: Apache-2.0
#pragma once

// The strict check of a request head (reliability.md §5), a pure function over the raw bytes. Beast 1.81 accepts forms on which two parsers
// can disagree about where a message ends; whoever stands in front of us (haproxy, nginx) may then see other requests than we do. So
// everything that is not plainly one message is refused here, before a byte of the body is read, and the connection is closed.

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"

namespace durable_mcp::http {

/// Why a message is refused: the status to answer with, and a sentence that repeats nothing of what the peer sent.
struct Refusal {
    unsigned status;
    std::string_view sentence;
};

/// A head that passed. Borrows from the raw bytes.
struct CheckedHead {
    struct Field {
        std::string_view name;
        std::string_view value;  ///< without the white space around it
    };

    std::string_view method;
    std::string_view path;  ///< without the query
    std::string_view host;
    std::vector<Field> fields;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool http_1_0 = false;
    bool keep_alive = true;
    bool expects_continue = false;

    /// The value of that field; null `data()` when absent. One that is there more than once is a list, joined with ", " (RFC 9110 §5.3): whoever
    /// reads the first of two and whoever reads the last must not be told different things.
    [[nodiscard]] std::string_view find(std::string_view name) const;
    [[nodiscard]] bool has_body() const { return chunked || content_length.value_or(0) > 0; }

private:
    mutable std::forward_list<std::string> joined_;  ///< what find() put together; its elements stay where they are
};

/// Checks `raw`, a whole head with its closing empty line, and fills `head`. `head` means nothing when a refusal is returned.
[[nodiscard]] std::optional<Refusal> check_head(std::string_view raw, const base::Limits& limits, CheckedHead& head);

/// Looks at a head that has not ended yet, so that hopeless ones (a TLS greeting, bare line feeds, too many bytes) are not waited for.
[[nodiscard]] std::optional<Refusal> check_unfinished_head(std::string_view raw, const base::Limits& limits);

}  // namespace durable_mcp::http
