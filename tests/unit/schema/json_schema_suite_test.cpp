// SPDX-License-Identifier: Apache-2.0
// The official JSON-Schema-Test-Suite, as it lies beside the project or where DURABLE_MCP_SHARED says. Each of its files is one test here,
// which lists all cases in it that came out wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "schema/json_schema.hpp"

namespace durable_mcp::schema {
namespace {

using base::Json;
namespace fs = std::filesystem;

fs::path suite_folder() {
    const char* const shared = std::getenv("DURABLE_MCP_SHARED");
    return fs::path(shared != nullptr ? shared : DURABLE_MCP_SHARED_DIR) / "data/json-schema-test-suite";
}

Json read_json(const fs::path& path) {
    std::ifstream file(path);
    // nlohmann's own parser: the suite has integers beyond 64 bits, which it reads as doubles and base::parse_json refuses.
    return Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// The suite's remote documents, under the address that its schemas use.
const std::map<std::string, Json>& remote_documents() {
    static const auto documents = [] {
        std::map<std::string, Json> found;
        const fs::path folder = suite_folder() / "remotes";
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            if (entry.path().extension() == ".json") {
                found.emplace("http://localhost:1234/" + fs::relative(entry.path(), folder).generic_string(), read_json(entry.path()));
            }
        }
        return found;
    }();
    return documents;
}

/// What of the optional files we do not do, and why.
struct Exception {
    std::string_view file;
    std::string_view group;  ///< the description of a group of cases, or "" for all
    std::string_view reason;
};
constexpr Exception exceptions[] = {
    {"optional/cross-draft.json", "", "draft 2019-09 is refused as a dialect that we do not speak"},
    {"draft7/optional/content.json", "", "contentEncoding and contentMediaType are remarks, as they are in 2020-12"},
    {"optional/format/idn-hostname.json", "", "needs tables of Unicode that we do not have"},
};

bool is_excepted(const std::string& file, const std::string& group) {
    return std::any_of(std::begin(exceptions), std::end(exceptions),
                       [&](const Exception& one) { return file.ends_with(one.file) && (one.group.empty() || one.group == group); });
}

class json_schema_suite : public testing::TestWithParam<std::string> {};

TEST_P(json_schema_suite, every_case_comes_out_as_the_suite_says) {
    const std::string& name = GetParam();
    if (name.empty()) {
        GTEST_SKIP() << "the JSON-Schema-Test-Suite is not at " << suite_folder() << " (DURABLE_MCP_SHARED names another place)";
    }
    SchemaOptions options;
    options.resources = remote_documents();
    options.assert_formats = name.find("optional/format/") != std::string::npos;
    const bool is_draft_07 = name.starts_with("draft7");
    int cases = 0;
    int excepted = 0;
    for (const Json& group : read_json(suite_folder() / "tests" / name)) {
        const std::string title = group["description"];
        if (is_excepted(name, title)) {
            excepted += static_cast<int>(group["tests"].size());
            continue;
        }
        Json schema = group["schema"];
        if (is_draft_07 && schema.is_object() && !schema.contains("$schema")) {
            schema["$schema"] = "http://json-schema.org/draft-07/schema#";
        }
        const auto compiled = JsonSchemaValidator::compile(schema, options);
        if (!compiled) {
            ADD_FAILURE() << name << ": " << title << ": " << compiled.error().sentence;
            continue;
        }
        for (const Json& one : group["tests"]) {
            ++cases;
            const auto misfit = compiled->validate(one["data"]);
            EXPECT_EQ(!misfit.has_value(), one["valid"].get<bool>())
                << name << ": " << title << ": " << one["description"] << ": " << (misfit ? misfit->sentence : "fits");
            EXPECT_EQ(compiled->fits(one["data"]), !misfit.has_value()) << name << ": " << title << ": " << one["description"];
        }
    }
    RecordProperty("cases", cases);
    RecordProperty("excepted", excepted);
    if (cases == 0) {
        GTEST_SKIP() << excepted << " cases excepted";
    }
}

/// One empty name where the suite is not, so that its absence is seen.
std::vector<std::string> suite_files() {
    std::vector<std::string> files;
    for (const char* draft : {"draft2020-12", "draft7"}) {
        const fs::path folder = suite_folder() / "tests" / draft;
        std::error_code error;
        for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; ++at) {
            if (at->path().extension() == ".json") {
                files.push_back(fs::relative(at->path(), suite_folder() / "tests").generic_string());
            }
        }
    }
    std::sort(files.begin(), files.end());
    if (files.empty()) {
        files.emplace_back();
    }
    return files;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
    std::string name = info.param.empty() ? "suite_is_absent" : info.param.substr(0, info.param.size() - 5);
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(files, json_schema_suite, testing::ValuesIn(suite_files()), test_name);

}  // namespace
}  // namespace durable_mcp::schema
