// SPDX-License-Identifier: Apache-2.0
// The style guide as a test. `the_tree` holds the project to its law; `a_check` shows that each check sees what it is there to see.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tidy/house_rules.hpp"
#include "tidy/layer_law.hpp"
#include "tidy/tree.hpp"

namespace durable_mcp::tidy {
namespace {

const Tree& project() {
    static const Tree tree = read_tree(DURABLE_MCP_SOURCE_DIR);
    return tree;
}

LayerLaw law_of_the_project() {
    const auto file = project().find("cmake/layers.txt");
    return file == project().end() ? LayerLaw{} : read_law(file->second);
}

std::string in_lines(const Findings& findings) {
    std::string text;
    for (const auto& finding : findings) {
        text += "\n  " + finding;
    }
    return text;
}

bool tells_of(const Findings& findings, const std::string& words) {
    return std::any_of(findings.begin(), findings.end(), [&](const auto& finding) { return finding.find(words) != std::string::npos; });
}

#define EXPECT_CLEAN(findings)                                  \
    do {                                                        \
        const ::durable_mcp::tidy::Findings found = (findings); \
        EXPECT_TRUE(found.empty()) << in_lines(found);          \
    } while (false)

TEST(the_tree, is_read_whole) {
    for (const char* path : {"CMakeLists.txt", "cmake/layers.txt", "src/base/result.hpp", "include/durable_mcp/error.hpp", "tests/tidy/tidy_test.cpp"}) {
        EXPECT_TRUE(project().contains(path)) << path;
    }
    EXPECT_GE(law_of_the_project().layers.size(), 10u);
}

TEST(the_tree, includes_only_what_its_layers_may_know) { EXPECT_CLEAN(check_includes(law_of_the_project(), project())); }

TEST(the_tree, has_a_charter_for_every_layer) { EXPECT_CLEAN(check_charters(law_of_the_project(), project())); }

TEST(the_tree, has_no_file_over_600_lines) { EXPECT_CLEAN(check_length(project())); }

TEST(the_tree, names_its_licence_in_every_file) { EXPECT_CLEAN(check_licence(project())); }

TEST(the_tree, has_no_file_named_after_nothing) { EXPECT_CLEAN(check_names(project())); }

TEST(the_tree, names_every_source_in_a_cmake_list) { EXPECT_CLEAN(check_cmake_lists(project())); }

TEST(the_tree, has_a_true_map_of_behaviours) { EXPECT_CLEAN(check_behaviours(project())); }

TEST(the_tree, shows_no_code_in_prose_that_is_not_compiled) { EXPECT_CLEAN(check_prose_code(project())); }

TEST(the_tree, lists_its_examples_where_newcomers_look) { EXPECT_CLEAN(check_examples(project())); }

LayerLaw small_law() {
    return read_law(
        "# comment\n"
        "layer include/durable_mcp may include\n"
        "layer src/base may include\n"
        "layer src/store may include src/base\n"
        "layer src/store/sqlite may include src/base src/store\n"
        "layer src/runtime may include src/base src/store include/durable_mcp\n"
        "layer src/http may include src/base src/runtime/exchange.hpp\n"
        "public include/durable_mcp knows nlohmann/\n"
        "foreign sqlite3.h only in src/store/sqlite\n"
        "foreign spdlog/ only in src/base:cpp\n"
        "foreign boost/asio/ only in src/http include/durable_mcp/asio.hpp\n");
}

Findings includes_of(const std::string& path, const std::string& text) {
    Tree tree{{"src/base/id.hpp", ""},         {"src/store/store.hpp", ""},          {"src/store/sqlite/statement.hpp", ""},
              {"src/runtime/engine.hpp", ""},  {"src/runtime/exchange.hpp", ""},     {"include/durable_mcp/error.hpp", ""}};
    tree[path] = text;
    return check_includes(small_law(), tree);
}

TEST(a_check, lets_a_lawful_include_pass) {
    EXPECT_CLEAN(includes_of("src/store/batch.cpp", "#include \"base/id.hpp\"\n#include \"store/store.hpp\"\n#include <vector>\n#include <fmt/format.h>\n"));
    EXPECT_CLEAN(includes_of("src/store/sqlite/open.cpp", "#include \"store/store.hpp\"\n#include <sqlite3.h>\n"));
    EXPECT_CLEAN(includes_of("src/http/listener.cpp", "#include \"runtime/exchange.hpp\"\n#include <boost/asio/post.hpp>\n"));
    EXPECT_CLEAN(includes_of("src/runtime/driver.cpp", "#include \"durable_mcp/error.hpp\"\n"));
    EXPECT_CLEAN(includes_of("include/durable_mcp/asio.hpp", "#include <boost/asio/io_context.hpp>\n#include <nlohmann/json.hpp>\n"));
    EXPECT_CLEAN(includes_of("src/base/log.cpp", "#include <spdlog/logger.h>\n"));
}

TEST(a_check, sees_an_include_of_a_layer_above) {
    EXPECT_TRUE(tells_of(includes_of("src/base/clock.cpp", "\n#include \"store/store.hpp\"\n"), "src/base/clock.cpp:2: src/base may not include"));
    EXPECT_TRUE(tells_of(includes_of("src/base/clock.cpp", "#  include <durable_mcp/error.hpp>\n"), "may not include include/durable_mcp/error.hpp"));
    EXPECT_TRUE(tells_of(includes_of("include/durable_mcp/tool.hpp", "#include \"base/id.hpp\"\n"), "may not include src/base/id.hpp"));
}

TEST(a_check, sees_an_include_past_the_seam) {
    EXPECT_TRUE(tells_of(includes_of("src/http/listener.cpp", "#include \"runtime/engine.hpp\"\n"), "src/http may not include src/runtime/engine.hpp"));
    EXPECT_TRUE(tells_of(includes_of("src/runtime/driver.cpp", "#include \"store/sqlite/statement.hpp\"\n"), "may not include src/store/sqlite"));
    EXPECT_TRUE(tells_of(includes_of("src/store/queue.cpp", "#include \"store/sqlite/statement.hpp\"\n"), "may not include src/store/sqlite"));
}

TEST(a_check, sees_a_foreign_header_out_of_its_place) {
    EXPECT_TRUE(tells_of(includes_of("src/store/batch.cpp", "#include <sqlite3.h>\n"), "<sqlite3.h> has no place here"));
    EXPECT_TRUE(tells_of(includes_of("src/base/log.hpp", "#include <spdlog/logger.h>\n"), "<spdlog/logger.h> has no place here"));
    EXPECT_TRUE(tells_of(includes_of("include/durable_mcp/server.hpp", "#include <boost/asio/post.hpp>\n"), "has no place here"));
    EXPECT_TRUE(tells_of(includes_of("include/durable_mcp/server.hpp", "#include <fmt/format.h>\n"), "a public header knows only"));
}

TEST(a_check, sees_a_folder_outside_the_law_and_a_rule_that_is_none) {
    EXPECT_TRUE(tells_of(includes_of("src/extra/thing.cpp", ""), "lies in no layer"));
    EXPECT_TRUE(tells_of(includes_of("src/base/thing.cpp", "#include \"thing.hpp\"\n"), "not a header of ours"));
    EXPECT_TRUE(tells_of(check_includes(read_law("layer src/base includes all\n"), {}), "not a rule"));
}

TEST(a_check, sees_a_missing_or_long_charter) {
    const LayerLaw law = small_law();
    EXPECT_TRUE(tells_of(check_charters(law, {{"src/base/id.hpp", ""}}), "src/base: has no README.md"));
    EXPECT_TRUE(tells_of(check_charters(law, {{"src/base/README.md", std::string(51, '\n')}}), "one screen"));
    EXPECT_CLEAN(check_charters(law, {{"src/base/id.hpp", ""}, {"src/base/README.md", "x\n"}}));
    EXPECT_CLEAN(check_charters(law, {{"src/store/README.md", "x\n"}, {"src/store/sqlite/open.cpp", ""}}));
}

TEST(a_check, sees_a_long_file) {
    EXPECT_TRUE(tells_of(check_length({{"src/base/id.cpp", std::string(601, '\n')}}), "601 lines"));
    EXPECT_CLEAN(check_length({{"src/base/id.cpp", std::string(600, '\n')}, {"README.md", std::string(900, '\n')}}));
}

TEST(a_check, sees_a_file_without_licence) {
    EXPECT_TRUE(tells_of(check_licence({{"src/base/id.cpp", "#include <a>\n"}}), "does not say SPDX"));
    EXPECT_TRUE(tells_of(check_licence({{"tests/run", "#!/bin/bash\nset -e\n"}}), "does not say SPDX"));
    EXPECT_TRUE(tells_of(check_licence({{"cmake/a.cmake", "\n\n\n# SPDX-License-Identifier: Apache-2.0\n"}}), "does not say SPDX"));
    EXPECT_CLEAN(check_licence({{"tests/run", "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n"}, {"notes.txt", ""}}));
}

TEST(a_check, sees_a_name_that_says_nothing) {
    EXPECT_TRUE(tells_of(check_names({{"src/base/string_utils.hpp", ""}}), "utils"));
    EXPECT_TRUE(tells_of(check_names({{"tests/common/a.hpp", ""}}), "common"));
    EXPECT_TRUE(tells_of(check_names({{"src/http/connection-manager.hpp", ""}}), "manager"));
    EXPECT_CLEAN(check_names({{"src/base/commonest.hpp", ""}}));
}

TEST(a_check, sees_a_source_that_no_list_names) {
    EXPECT_TRUE(tells_of(check_cmake_lists({{"src/base/CMakeLists.txt", "durable_mcp_layer(base\n    clock.cpp\n)\n"}, {"src/base/lock.cpp", ""}}), "lock.cpp"));
    EXPECT_CLEAN(check_cmake_lists({{"src/base/CMakeLists.txt", "durable_mcp_layer(base clock.cpp)\n"}, {"src/base/clock.cpp", ""}}));
    EXPECT_CLEAN(check_cmake_lists({{"src/http/CMakeLists.txt", "f(a/b.cpp)\n"}, {"src/http/a/b.cpp", ""}}));
    EXPECT_CLEAN(check_cmake_lists({{"tests/benchmarks/CMakeLists.txt", "foreach(program IN ITEMS load floor)\n"}, {"tests/benchmarks/load.cpp", ""}}));
    EXPECT_TRUE(tells_of(check_cmake_lists({{"src/base/CMakeLists.txt", "# about clock\n"}, {"src/base/clock.cpp", ""}}), "clock.cpp"));
}

TEST(a_check, sees_a_map_of_behaviours_that_is_not_true) {
    const std::string test = "TEST(steps, a_recorded_step_is_not_called) {  // B1\n}\n";
    const auto check = [&](const std::string& rows) {
        return check_behaviours({{"tests/BEHAVIOURS.md", "| number | suite | tests |\n|---|---|---|\n" + rows}, {"tests/unit/a.cpp", test}});
    };
    EXPECT_CLEAN(check("| B1 | unit_a | `a_recorded_step_is_not_called` |\n"));
    EXPECT_TRUE(tells_of(check("| B1 | unit_a | `a_test_of_another_name` |\n"), "does not exist"));
    EXPECT_TRUE(tells_of(check("| B1 | unit_a | `a_recorded_step_is_not_called` |\n| B2 | unit_a | `a_recorded_step_is_not_called` |\n"), "carries that number"));
    EXPECT_TRUE(tells_of(check("| B1 | unit_a | |\n"), "names no test"));
    EXPECT_TRUE(tells_of(check(""), "carries B1, which has no row"));
}

TEST(a_check, sees_prose_that_shows_other_code_than_is_compiled) {
    const auto check = [](const std::string& text) {
        return check_prose_code({{"README.md", text}, {"examples/a/main.cpp", "int main() {\n    run();\n}\n"}});
    };
    EXPECT_CLEAN(check("<!-- examples/a/main.cpp -->\n```cpp\n    run();\n```\n```sh\nls\n```\n"));
    EXPECT_TRUE(tells_of(check("<!-- examples/a/main.cpp -->\n```cpp\nrun();\n```\n"), "not a run of lines"));
    EXPECT_TRUE(tells_of(check("<!-- examples/b/main.cpp -->\n```cpp\n    run();\n```\n"), "does not exist"));
    EXPECT_TRUE(tells_of(check("text\n```cpp\nint x;\n```\n"), "without <!--"));
}

TEST(a_check, sees_an_example_that_newcomers_do_not_find) {
    const auto check = [](const std::string& text) {
        return check_examples({{"examples/README.md", text}, {"examples/a/main.cpp", ""}, {"examples/a/more.cpp", ""}});
    };
    EXPECT_CLEAN(check("| `a` | shows it |\n"));
    EXPECT_TRUE(tells_of(check("| `b` | shows it |\n"), "no row for a"));
    EXPECT_TRUE(tells_of(check_examples({{"examples/a/main.cpp", ""}}), "is not there"));
}

}  // namespace
}  // namespace durable_mcp::tidy
