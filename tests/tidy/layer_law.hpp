// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tidy/tree.hpp"

namespace durable_mcp::tidy {

/// cmake/layers.txt, read. Its own comment explains the three kinds of rule.
struct LayerLaw {
    struct Layer {
        std::string folder;
        std::vector<std::string> may_include;
    };
    struct Foreign {
        std::string header;
        std::vector<std::string> only_in;
    };
    struct Public {
        std::string folder;
        std::vector<std::string> knows;
    };
    std::vector<Layer> layers;
    std::vector<Foreign> foreign;
    std::vector<Public> publics;
    Findings misread;  ///< lines that are no rule
};

[[nodiscard]] LayerLaw read_law(std::string_view text);

/// Every #include in src/ and include/ against the law, and every folder there that no layer covers.
[[nodiscard]] Findings check_includes(const LayerLaw& law, const Tree& tree);

/// Every layer that has files has a README.md of at most one screen (50 lines). A layer inside a layer may share the outer one's.
[[nodiscard]] Findings check_charters(const LayerLaw& law, const Tree& tree);

}  // namespace durable_mcp::tidy
