// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace durable_mcp::tidy {

/// The text files of the project: path from its root, with "/" → content. Tests of the checks make small ones of their own.
using Tree = std::map<std::string, std::string, std::less<>>;

/// What is wrong, one sentence each, starting with "path:line: " or "path: ".
using Findings = std::vector<std::string>;

/// Reads every file under `root` that belongs to the project: no build trees, nothing hidden but .ci, no installed JavaScript, no binaries.
[[nodiscard]] Tree read_tree(const std::filesystem::path& root);

[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);
[[nodiscard]] std::vector<std::string> words_of(std::string_view line);
[[nodiscard]] std::string folder_of(std::string_view path);
[[nodiscard]] std::string name_of(std::string_view path);
[[nodiscard]] bool is_header(std::string_view path);
[[nodiscard]] bool is_source(std::string_view path);
[[nodiscard]] bool is_cmake(std::string_view path);

}  // namespace durable_mcp::tidy
