// SPDX-License-Identifier: Apache-2.0
#pragma once

// URI templates (RFC 6570) as they are registered: read forwards, they make a URI; read backwards, they say which values of their variables would
// have made this URI. Four expressions can be read backwards: `{id}`, reserved `{+path}`, segments `{/x}`, each of one variable or a list (`{x,y}`) in
// which every one must have a value; and, at the end, a query `{?x,y}`, in which each may be left out. The other operators and the modifiers, which
// often cannot be read backwards in one way only, are refused when compiled; uri_template_expansion.hpp expands all of them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "schema/uri_template_expansion.hpp"

namespace durable_mcp::schema {

/// An immutable compiled template. Any thread may match with it.
class UriTemplate {
public:
    /// Compiles `text`. Fails with `malformed` or `too_large`; the sentence says where and why, for the author of the template.
    [[nodiscard]] static base::Result<UriTemplate> compile(std::string_view text);

    /// The values, percent-decoded, with which the template expands to `uri`; nothing if there are none. No value holds NUL, or is not UTF-8.
    /// A value of `{id}` or `{/id}` is not empty and ends at any of `/ ? #`, unless they are percent-encoded: a decoded value may hold anything,
    /// `..` and `/` included, and whoever opens files with it must check it. Where several readings fit, earlier variables are as short as they can
    /// be. A query begins at the first `?`; its variables come in any order, each once at most; those that are left out are not in the map, and a
    /// name that is not the template's does not fit. Costs time in proportion to the length of `uri` times the number of variables, whatever both
    /// contain; to compare a literal counts as one. A URI beyond 8 KiB never fits.
    [[nodiscard]] std::optional<std::map<std::string, std::string>> match(std::string_view uri) const;

    /// The URI to which the template expands, variables without a value left out. Where every variable has a string that is not empty, match() takes
    /// it back apart, unless a value of `{+x}` holds what follows the variable (before a query: a `?`). Fails with `malformed` where a value is a
    /// list and cannot be.
    [[nodiscard]] base::Result<std::string> expand(const TemplateValues& values) const { return expand_uri_template(text_, values); }

    /// All variables, in their order.
    [[nodiscard]] const std::vector<std::string>& variables() const { return names_; }

private:
    /// What a value may be made of.
    enum class Alphabet : std::uint8_t {
        segment,       ///< {x}, {/x}, {/x,y}: all but / ? #
        list_segment,  ///< {x,y}: all but / ? # ,
        reserved,      ///< {+x}: all
        list_reserved  ///< {+x,y}: all but ,
    };
    [[nodiscard]] static bool admits(Alphabet alphabet, char c);
    [[nodiscard]] static bool all_admitted(Alphabet alphabet, std::string_view text);

    using Values = std::map<std::string, std::string>;
    /// Adds the values of the variables before the query; false if `uri`, which is normal, does not fit them.
    [[nodiscard]] bool match_path(std::string_view uri, Values& values) const;
    /// Adds the values of `query`, which follows the '?'.
    [[nodiscard]] bool match_query(std::string_view query, Values& values) const;

    std::string text_;
    // literals_[0] variable 0 literals_[1] variable 1 … literals_[n]: between two variables there is always a literal that is not empty.
    std::vector<std::string> literals_;
    std::vector<Alphabet> alphabets_;  ///< of the variables before the query
    std::vector<std::string> names_;   ///< those of the query are the last ones
};

}  // namespace durable_mcp::schema
