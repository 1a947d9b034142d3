// SPDX-License-Identifier: Apache-2.0
#include "tidy/house_rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace durable_mcp::tidy {
namespace {

constexpr std::size_t longest_file = 600;
constexpr std::array forbidden_words{"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"};

bool is_script(const std::string& path, const std::string& text) {
    return path.ends_with(".sh") || path.ends_with(".mjs") || path.ends_with(".js") || text.starts_with("#!");
}

bool is_code(const std::string& path, const std::string& text) {
    return is_header(path) || is_source(path) || is_cmake(path) || path.ends_with(".in") || is_script(path, text);
}

/// "src/base/commit_queue.hpp" → its words, lower case, split at everything that is no letter.
std::vector<std::string> words_in_path(const std::string& path) {
    std::vector<std::string> words(1);
    for (const char c : path) {
        if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
            words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else if (!words.back().empty()) {
            words.emplace_back();
        }
    }
    return words;
}

/// `name` stands in `text` as a whole path, not as the end of a longer one.
bool names_file(const std::string& text, const std::string& name) {
    const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '/' || c == '.' || c == '-'; };
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const auto end = at + name.size();
        if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) {
            return true;
        }
    }
    return false;
}

bool is_named_in_a_list(const Tree& tree, const std::string& path) {
    for (std::string folder = folder_of(path);; folder = folder_of(folder)) {
        const std::string prefix = folder.empty() ? "" : folder + "/";
        const auto list = tree.find(prefix + "CMakeLists.txt");
        const std::string name = path.substr(prefix.size());
        const bool stem_will_do = !path.starts_with("src/");  // lists of small programs name each by its stem
        if (list != tree.end() &&
            (names_file(list->second, name) || (stem_will_do && names_file(list->second, name.substr(0, name.size() - 4))))) {
            return true;
        }
        if (folder.empty()) {
            return false;
        }
    }
}

}  // namespace

Findings check_length(const Tree& tree) {
    Findings findings;
    for (const auto& [path, text] : tree) {
        const auto count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        if (is_code(path, text) && count > longest_file) {
            findings.push_back(path + ": has " + std::to_string(count) + " lines; a chapter has at most " + std::to_string(longest_file));
        }
    }
    return findings;
}

Findings check_licence(const Tree& tree) {
    Findings findings;
    for (const auto& [path, text] : tree) {
        if (!is_code(path, text) && path != "cmake/layers.txt") {
            continue;
        }
        const auto lines = lines_of(text);
        const auto named = std::any_of(lines.begin(), lines.begin() + std::min<std::ptrdiff_t>(3, static_cast<std::ptrdiff_t>(lines.size())),
                                       [](const auto& line) { return line.find("SPDX-License-Identifier: Apache-2.0") != std::string::npos; });
        if (!named) {
            findings.push_back(path + ":1: does not say SPDX-License-Identifier: Apache-2.0");
        }
    }
    return findings;
}

Findings check_names(const Tree& tree) {
    Findings findings;
    for (const auto& [path, text] : tree) {
        for (const auto& word : words_in_path(path)) {
            if (std::find(forbidden_words.begin(), forbidden_words.end(), word) != forbidden_words.end()) {
                findings.push_back(path + ": \"" + word + "\" says nothing of what is inside");
            }
        }
    }
    return findings;
}

Findings check_cmake_lists(const Tree& tree) {
    Findings findings;
    for (const auto& [path, text] : tree) {
        // Each file there is a case of its own, found by a glob: a case that is forgotten cannot be.
        const bool is_compile_case = path.starts_with("tests/compile/accepted/") || path.starts_with("tests/compile/refused/");
        if (is_source(path) && !is_compile_case && !is_named_in_a_list(tree, path)) {
            findings.push_back(path + ": is named in no CMakeLists.txt of its folder or above");
        }
    }
    return findings;
}

Findings check_prose_code(const Tree& tree) {
    Findings findings;
    for (const auto& [path, text] : tree) {
        if (!path.ends_with(".md") || !(path == "README.md" || path.starts_with("docs/"))) {
            continue;
        }
        const auto lines = lines_of(text);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (!lines[i].starts_with("```cpp") && !lines[i].starts_with("```c++")) {
                continue;
            }
            const std::string here = path + ":" + std::to_string(i + 1) + ": ";
            std::string block = "\n";
            std::size_t end = i + 1;
            for (; end < lines.size() && !lines[end].starts_with("```"); ++end) {
                block += lines[end] + "\n";
            }
            const std::string marker = i == 0 ? "" : lines[i - 1];
            i = end;
            if (!marker.starts_with("<!-- ") || !marker.ends_with(" -->")) {
                findings.push_back(here + "a C++ block without <!-- the file it is from --> on the line before");
                continue;
            }
            const std::string from = marker.substr(5, marker.size() - 9);
            const auto file = tree.find(from);
            if (file == tree.end()) {
                findings.push_back(here + from + " does not exist");
            } else if (block == "\n" || ("\n" + file->second).find(block) == std::string::npos) {
                findings.push_back(here + "is not a run of lines of " + from);
            }
        }
    }
    return findings;
}

Findings check_examples(const Tree& tree) {
    const std::string list = "examples/README.md";
    const auto text = tree.find(list);
    if (text == tree.end()) {
        return {list + ": is not there: newcomers look for it"};
    }
    Findings findings;
    for (const auto& [path, source] : tree) {
        if (path.starts_with("examples/") && path.ends_with("/main.cpp")) {
            const std::string program = name_of(folder_of(path));
            if (text->second.find("| `" + program + "` |") == std::string::npos) {
                findings.push_back(list + ": has no row for " + program);
            }
        }
    }
    return findings;
}

}  // namespace durable_mcp::tidy
