// SPDX-License-Identifier: Apache-2.0
#include "tidy/layer_law.hpp"

#include <algorithm>
#include <optional>
#include <regex>

namespace durable_mcp::tidy {
namespace {

bool lies_in(std::string_view path, std::string_view folder) {
    return path == folder || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

/// The layer with the longest folder that contains `path`.
const LayerLaw::Layer* layer_of(const LayerLaw& law, std::string_view path) {
    const LayerLaw::Layer* best = nullptr;
    for (const auto& layer : law.layers) {
        if (lies_in(path, layer.folder) && (best == nullptr || layer.folder.size() > best->folder.size())) {
            best = &layer;
        }
    }
    return best;
}

struct Include {
    std::string target;
    bool quoted = false;
};

std::optional<Include> include_in(const std::string& line) {
    static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
    std::smatch match;
    if (!std::regex_match(line, match, pattern)) {
        return std::nullopt;
    }
    return Include{match[2].str(), match[1].str() == "\""};
}

/// Where in our tree an include leads; empty when it is not ours.
std::string resolve(const Tree& tree, const std::string& target) {
    for (const char* root : {"src/", "include/"}) {
        if (tree.contains(root + target)) {
            return root + target;
        }
    }
    return {};
}

bool place_allows(const LayerLaw& law, const std::string& place, const std::string& path) {
    std::string folder = place;
    if (folder.ends_with(":cpp")) {
        folder.resize(folder.size() - 4);
        if (!is_source(path)) {
            return false;
        }
    }
    if (path == folder) {
        return true;
    }
    const auto* layer = layer_of(law, path);
    return layer != nullptr && layer->folder == folder;
}

bool names_header(const std::string& rule, const std::string& target) {
    return rule.ends_with("/") ? target.starts_with(rule) : target == rule;
}

std::string check_own(const LayerLaw& law, const LayerLaw::Layer& from, const std::string& to) {
    const auto* layer = layer_of(law, to);
    if (layer == &from) {
        return {};
    }
    for (const auto& allowed : from.may_include) {
        if (allowed == to || (layer != nullptr && allowed == layer->folder)) {
            return {};
        }
    }
    return from.folder + " may not include " + to;
}

std::string check_foreign(const LayerLaw& law, const std::string& path, const std::string& target) {
    for (const auto& rule : law.foreign) {
        if (names_header(rule.header, target) &&
            std::none_of(rule.only_in.begin(), rule.only_in.end(), [&](const auto& place) { return place_allows(law, place, path); })) {
            return "<" + target + "> has no place here";
        }
    }
    for (const auto& rule : law.publics) {
        const bool is_standard = target.find('/') == std::string::npos && target.find('.') == std::string::npos;
        const bool is_ruled = std::any_of(law.foreign.begin(), law.foreign.end(), [&](const auto& f) { return names_header(f.header, target); });
        if (lies_in(path, rule.folder) && !is_standard && !is_ruled &&
            std::none_of(rule.knows.begin(), rule.knows.end(), [&](const auto& known) { return names_header(known, target); })) {
            return "a public header knows only the standard library and what cmake/layers.txt names, not <" + target + ">";
        }
    }
    return {};
}

}  // namespace

LayerLaw read_law(std::string_view text) {
    LayerLaw law;
    std::size_t number = 0;
    for (const auto& line : lines_of(text)) {
        ++number;
        const auto words = words_of(line);
        if (words.empty() || words[0].starts_with("#")) {
            continue;
        }
        const auto rest = [&](std::size_t from) { return std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(from), words.end()); };
        if (words.size() >= 4 && words[0] == "layer" && words[2] == "may" && words[3] == "include") {
            law.layers.push_back({words[1], rest(4)});
        } else if (words.size() >= 5 && words[0] == "foreign" && words[2] == "only" && words[3] == "in") {
            law.foreign.push_back({words[1], rest(4)});
        } else if (words.size() >= 3 && words[0] == "public" && words[2] == "knows") {
            law.publics.push_back({words[1], rest(3)});
        } else {
            law.misread.push_back("cmake/layers.txt:" + std::to_string(number) + ": not a rule: " + line);
        }
    }
    return law;
}

Findings check_includes(const LayerLaw& law, const Tree& tree) {
    Findings findings = law.misread;
    for (const auto& [path, text] : tree) {
        if (!(path.starts_with("src/") || path.starts_with("include/")) || !(is_header(path) || is_source(path))) {
            continue;
        }
        const auto* layer = layer_of(law, path);
        if (layer == nullptr) {
            findings.push_back(path + ": lies in no layer of cmake/layers.txt");
            continue;
        }
        std::size_t number = 0;
        for (const auto& line : lines_of(text)) {
            ++number;
            const auto include = include_in(line);
            if (!include) {
                continue;
            }
            const std::string own = resolve(tree, include->target);
            std::string finding;
            if (!own.empty()) {
                finding = check_own(law, *layer, own);
            } else if (include->quoted) {
                finding = "\"" + include->target + "\" is not a header of ours named from src/ or include/";
            } else {
                finding = check_foreign(law, path, include->target);
            }
            if (!finding.empty()) {
                findings.push_back(path + ":" + std::to_string(number) + ": " + finding);
            }
        }
    }
    return findings;
}

Findings check_charters(const LayerLaw& law, const Tree& tree) {
    Findings findings;
    for (const auto& layer : law.layers) {
        const bool has_files = std::any_of(tree.begin(), tree.end(), [&](const auto& file) { return lies_in(file.first, layer.folder); });
        if (!has_files || !layer.folder.starts_with("src/")) {
            continue;
        }
        const auto own = tree.find(layer.folder + "/README.md");
        if (own != tree.end()) {
            if (lines_of(own->second).size() > 50) {
                findings.push_back(own->first + ": a charter fits one screen: at most 50 lines");
            }
        } else if (!tree.contains(folder_of(layer.folder) + "/README.md") || folder_of(layer.folder) == "src") {
            findings.push_back(layer.folder + ": has no README.md that says purpose, what it owns, must not know, threads, files in reading order");
        }
    }
    return findings;
}

}  // namespace durable_mcp::tidy
