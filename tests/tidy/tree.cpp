// SPDX-License-Identifier: Apache-2.0
#include "tidy/tree.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

namespace durable_mcp::tidy {
namespace {

bool is_ours(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    if (name == ".ci" || name == ".clang-format" || name == ".gitignore") {
        return true;
    }
    return !name.starts_with(".") && !name.starts_with("build") && name != "node_modules";
}

}  // namespace

Tree read_tree(const std::filesystem::path& root) {
    Tree tree;
    for (auto it = std::filesystem::recursive_directory_iterator(root); it != std::filesystem::recursive_directory_iterator(); ++it) {
        if (!is_ours(it->path())) {
            it.disable_recursion_pending();
            continue;
        }
        if (!it->is_regular_file()) {
            continue;
        }
        std::ifstream in(it->path(), std::ios::binary);
        std::string text{std::istreambuf_iterator<char>(in), {}};
        if (text.find('\0') == std::string::npos) {
            tree.emplace(std::filesystem::relative(it->path(), root).generic_string(), std::move(text));
        }
    }
    return tree;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

std::vector<std::string> words_of(std::string_view line) {
    std::istringstream in{std::string(line)};
    return {std::istream_iterator<std::string>(in), {}};
}

std::string folder_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

std::string name_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
}

bool is_header(std::string_view path) { return path.ends_with(".hpp") || path.ends_with(".h"); }

bool is_source(std::string_view path) { return path.ends_with(".cpp"); }

bool is_cmake(std::string_view path) { return path.ends_with(".cmake") || name_of(path) == "CMakeLists.txt"; }

}  // namespace durable_mcp::tidy
