// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <map>
#include <regex>
#include <set>

#include "tidy/house_rules.hpp"

namespace durable_mcp::tidy {
namespace {

constexpr const char* map_path = "tests/BEHAVIOURS.md";

struct KnownTest {
    std::set<std::string> suites;
    std::set<std::string> files;
};

/// Every number that `text` carries as a word: "B42", "B11a", and, in a test's name, "b42".
std::set<std::string> numbers_in(const std::string& text) {
    static const std::regex pattern(R"((^|[^A-Za-z0-9])[Bb]([0-9]{1,3}[a-z]?)(?![A-Za-z0-9]))");
    std::set<std::string> numbers;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
        numbers.insert("B" + (*it)[2].str());
    }
    return numbers;
}

/// Only comments, test names and the labels of table-driven cases ("B8 completed") carry numbers; "b2" as a variable does not.
std::string carrying_text(const std::string& source) {
    static const std::regex test(R"(^\s*(?:TYPED_)?TEST(?:_F|_P)?\(.*)");
    static const std::regex label(R"("(B[0-9]{1,3}[a-z]?) [^"]*")");
    std::string kept;
    for (const auto& line : lines_of(source)) {
        for (std::sregex_iterator it(line.begin(), line.end(), label), end; it != end; ++it) {
            kept += (*it)[1].str() + "\n";
        }
        const auto comment = line.find("//");
        if (std::regex_match(line, test)) {
            kept += line + "\n";
        } else if (comment != std::string::npos) {
            std::string words = line.substr(comment);
            // In a comment only the capital form is a number of semantics.md.
            for (std::size_t i = 0; i + 1 < words.size(); ++i) {
                if (words[i] == 'b' && std::isdigit(static_cast<unsigned char>(words[i + 1])) != 0) {
                    words[i] = '_';
                }
            }
            kept += words + "\n";
        }
    }
    return kept;
}

bool is_test_file(const std::string& path) {
    return path.starts_with("tests/") && !path.starts_with("tests/tidy/") && (is_source(path) || is_header(path));
}

std::map<std::string, KnownTest> tests_in(const Tree& tree) {
    static const std::regex pattern(R"((?:TYPED_)?TEST(?:_F|_P)?\(\s*([A-Za-z0-9_]+)\s*,\s*([A-Za-z0-9_]+)\s*\))");
    std::map<std::string, KnownTest> tests;
    for (const auto& [path, text] : tree) {
        if (!is_test_file(path)) {
            continue;
        }
        for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
            auto& test = tests[(*it)[2].str()];
            test.suites.insert((*it)[1].str());
            test.files.insert(path);
        }
    }
    return tests;
}

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    std::size_t at = 1;
    for (auto bar = line.find('|', at); bar != std::string::npos; bar = line.find('|', at)) {
        std::string cell = line.substr(at, bar - at);
        const auto first = cell.find_first_not_of(' ');
        cells.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
        at = bar + 1;
    }
    return cells;
}

}  // namespace

Findings check_behaviours(const Tree& tree) {
    Findings findings;
    const auto map = tree.find(map_path);
    if (map == tree.end()) {
        return findings;
    }
    const auto tests = tests_in(tree);
    std::map<std::string, std::set<std::string>> carried;  // number → files whose tests carry it
    for (const auto& [path, text] : tree) {
        if (is_test_file(path)) {
            for (const auto& number : numbers_in(carrying_text(text))) {
                carried[number].insert(path);
            }
        }
    }

    static const std::regex number_pattern("B[0-9]{1,3}[a-z]?");
    static const std::regex name_pattern("[A-Za-z0-9_]*_[A-Za-z0-9_]*");
    std::set<std::string> rows;
    std::size_t line_number = 0;
    for (const auto& line : lines_of(map->second)) {
        ++line_number;
        const auto cells = line.starts_with("|") ? cells_of(line) : std::vector<std::string>{};
        if (cells.empty() || !std::regex_match(cells[0], number_pattern)) {
            continue;
        }
        const std::string here = std::string(map_path) + ":" + std::to_string(line_number) + ": " + cells[0];
        rows.insert(cells[0]);
        if (cells.size() < 3) {
            findings.push_back(here + " has no `| number | suite | tests |`");
            continue;
        }
        bool names_one = false;
        const std::string& names = cells[2];
        for (std::sregex_iterator it(names.begin(), names.end(), name_pattern), end; it != end; ++it) {
            names_one = true;
            const auto test = tests.find(it->str());
            if (test == tests.end()) {
                findings.push_back(here + " names the test " + it->str() + ", which does not exist");
            } else if (const auto& files = carried[cells[0]]; std::none_of(
                           test->second.files.begin(), test->second.files.end(), [&](const auto& file) { return files.contains(file); })) {
                findings.push_back(here + ": no test in " + *test->second.files.begin() + " carries that number");
            }
        }
        if (!names_one) {
            findings.push_back(here + " names no test");
        }
    }
    for (const auto& [number, files] : carried) {
        if (!files.empty() && !rows.contains(number)) {
            findings.push_back(*files.begin() + ": carries " + number + ", which has no row in " + map_path);
        }
    }
    return findings;
}

}  // namespace durable_mcp::tidy
