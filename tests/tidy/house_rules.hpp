// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tidy/tree.hpp"

namespace durable_mcp::tidy {

/// No source, header, script or build file over 600 lines.
[[nodiscard]] Findings check_length(const Tree& tree);

/// Sources, headers, build files and scripts (by suffix, or by "#!") name the licence in their first three lines.
[[nodiscard]] Findings check_licence(const Tree& tree);

/// No file or folder is called utils, helpers, common, misc, manager, alone or as a word of its name.
[[nodiscard]] Findings check_names(const Tree& tree);

/// Every .cpp is named, with its path, in the CMakeLists.txt of its own folder or of one around it; outside src/ its stem will do, and the cases
/// of tests/compile are globbed.
[[nodiscard]] Findings check_cmake_lists(const Tree& tree);

/// tests/BEHAVIOURS.md, a table "| B1 | suite | `test`, ... |": every test it names exists under tests/ and carries the number (in its name,
/// or in a comment of its file), and every number that a test carries has a row. An absent map has no findings.
[[nodiscard]] Findings check_behaviours(const Tree& tree);

/// In README.md and docs/: every C++ block stands under `<!-- path -->` and is a run of whole lines of that file.
[[nodiscard]] Findings check_prose_code(const Tree& tree);

/// examples/README.md has a row for every program of examples/.
[[nodiscard]] Findings check_examples(const Tree& tree);

}  // namespace durable_mcp::tidy
