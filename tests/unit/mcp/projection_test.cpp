// SPDX-License-Identifier: Apache-2.0
#include "mcp/projection.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

namespace durable_mcp::mcp {
namespace {

using base::Json;

constexpr std::array all{Revision::r2024_11_05, Revision::r2025_03_26, Revision::r2025_06_18, Revision::r2025_11_25};

/// What each revision is shown, oldest first.
using Shown = std::array<const char*, 4>;

struct DescriptorRow {
    ItemKind kind;
    const char* descriptor;
    Shown shown;
};

TEST(projection, each_revision_is_shown_the_fields_it_has) {
    const DescriptorRow table[] = {
        {ItemKind::tool,
         R"({"name":"n","title":"T","description":"d","inputSchema":{"type":"object"},"outputSchema":{"type":"object"},
              "annotations":{"readOnlyHint":true},
             "icons":[{"src":"data:,"}],"execution":{"taskSupport":"optional"},"_meta":{"a":1},"x-other":1})",
         {R"({"name":"n","description":"d","inputSchema":{"type":"object"},"x-other":1})",
          R"({"name":"n","description":"d","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true},"x-other":1})",
          R"({"name":"n","title":"T","description":"d","inputSchema":{"type":"object"},"outputSchema":{"type":"object"},
              "annotations":{"readOnlyHint":true},
              "_meta":{"a":1},"x-other":1})",
          R"({"name":"n","title":"T","description":"d","inputSchema":{"type":"object"},"outputSchema":{"type":"object"},
              "annotations":{"readOnlyHint":true},
              "icons":[{"src":"data:,"}],"execution":{"taskSupport":"optional"},"_meta":{"a":1},"x-other":1})"}},
        {ItemKind::tool,
         R"({"name":"n","inputSchema":{"type":"object"},"outputSchema":{"type":"array"}})",
         {R"({"name":"n","inputSchema":{"type":"object"}})", R"({"name":"n","inputSchema":{"type":"object"}})",
          R"({"name":"n","inputSchema":{"type":"object"}})", R"({"name":"n","inputSchema":{"type":"object"}})"}},
        {ItemKind::prompt,
         R"({"name":"n","title":"T","icons":[],"_meta":{},"arguments":[{"name":"a","title":"A","required":true}]})",
         {R"({"name":"n","arguments":[{"name":"a","required":true}]})", R"({"name":"n","arguments":[{"name":"a","required":true}]})",
          R"({"name":"n","title":"T","_meta":{},"arguments":[{"name":"a","title":"A","required":true}]})",
          R"({"name":"n","title":"T","icons":[],"_meta":{},"arguments":[{"name":"a","title":"A","required":true}]})"}},
        {ItemKind::resource,
         R"({"uri":"a:b","name":"n","title":"T","size":3,"icons":[],"annotations":{"priority":1,"lastModified":"2025-01-01T00:00:00Z"}})",
         {R"({"uri":"a:b","name":"n","size":3,"annotations":{"priority":1}})",
          R"({"uri":"a:b","name":"n","size":3,"annotations":{"priority":1}})",
          R"({"uri":"a:b","name":"n","title":"T","size":3,"annotations":{"priority":1,"lastModified":"2025-01-01T00:00:00Z"}})",
          R"({"uri":"a:b","name":"n","title":"T","size":3,"icons":[],"annotations":{"priority":1,
              "lastModified":"2025-01-01T00:00:00Z"}})"}},
        {ItemKind::resource_template,
         R"({"uriTemplate":"a:{b}","name":"n","title":"T","icons":[],"mimeType":"text/plain"})",
         {R"({"uriTemplate":"a:{b}","name":"n","mimeType":"text/plain"})", R"({"uriTemplate":"a:{b}","name":"n","mimeType":"text/plain"})",
          R"({"uriTemplate":"a:{b}","name":"n","title":"T","mimeType":"text/plain"})",
          R"({"uriTemplate":"a:{b}","name":"n","title":"T","icons":[],"mimeType":"text/plain"})"}},
    };
    for (const DescriptorRow& row : table) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            EXPECT_EQ(project_descriptor(row.kind, all[i], Json::parse(row.descriptor)), Json::parse(row.shown[i]))
                << row.descriptor << " for " << traits(all[i]).date;
        }
    }
}

struct ResultRow {
    const char* why;
    ItemKind kind;
    const char* result;
    Shown shown;
};

TEST(projection, each_revision_gets_results_in_its_own_words) {
    const ResultRow table[] = {
        {"text is text",
         ItemKind::tool,
         R"({"content":[{"type":"text","text":"x"}],"isError":true,"_meta":{"a":1}})",
         {R"({"content":[{"type":"text","text":"x"}],"isError":true,"_meta":{"a":1}})",
          R"({"content":[{"type":"text","text":"x"}],"isError":true,"_meta":{"a":1}})",
          R"({"content":[{"type":"text","text":"x"}],"isError":true,"_meta":{"a":1}})",
          R"({"content":[{"type":"text","text":"x"}],"isError":true,"_meta":{"a":1}})"}},
        {"audio",
         ItemKind::tool,
         R"({"content":[{"type":"audio","data":"AA==","mimeType":"audio/wav","annotations":{"priority":1}}]})",
         {R"({"content":[{"type":"text","text":"[audio, audio/wav]","annotations":{"priority":1}}]})",
          R"({"content":[{"type":"audio","data":"AA==","mimeType":"audio/wav","annotations":{"priority":1}}]})",
          R"({"content":[{"type":"audio","data":"AA==","mimeType":"audio/wav","annotations":{"priority":1}}]})",
          R"({"content":[{"type":"audio","data":"AA==","mimeType":"audio/wav","annotations":{"priority":1}}]})"}},
        {"resource_link",
         ItemKind::tool,
         R"({"content":[{"type":"resource_link","uri":"a:b","name":"n","description":"d","icons":[],"title":"T"}]})",
         {R"~({"content":[{"type":"text","text":"n: a:b (d)"}]})~", R"~({"content":[{"type":"text","text":"n: a:b (d)"}]})~",
          R"({"content":[{"type":"resource_link","uri":"a:b","name":"n","description":"d","title":"T"}]})",
          R"({"content":[{"type":"resource_link","uri":"a:b","name":"n","description":"d","icons":[],"title":"T"}]})"}},
        {"_meta of blocks and embedded resources",
         ItemKind::tool,
         R"({"content":[{"type":"resource","_meta":{},"resource":{"uri":"a:b","text":"t","_meta":{}},
              "annotations":{"lastModified":"x"}}]})",
         {R"({"content":[{"type":"resource","resource":{"uri":"a:b","text":"t"},"annotations":{}}]})",
          R"({"content":[{"type":"resource","resource":{"uri":"a:b","text":"t"},"annotations":{}}]})",
          R"({"content":[{"type":"resource","_meta":{},"resource":{"uri":"a:b","text":"t","_meta":{}},
              "annotations":{"lastModified":"x"}}]})",
          R"({"content":[{"type":"resource","_meta":{},"resource":{"uri":"a:b","text":"t","_meta":{}},
              "annotations":{"lastModified":"x"}}]})"}},
        {"structured object beside its text",
         ItemKind::tool,
         R"({"content":[{"type":"text","text":"{}"}],"structuredContent":{"a":1}})",
         {R"({"content":[{"type":"text","text":"{}"}]})", R"({"content":[{"type":"text","text":"{}"}]})",
          R"({"content":[{"type":"text","text":"{}"}],"structuredContent":{"a":1}})",
          R"({"content":[{"type":"text","text":"{}"}],"structuredContent":{"a":1}})"}},
        {"structured object alone is not lost",
         ItemKind::tool,
         R"({"content":[],"structuredContent":{"a":1}})",
         {R"({"content":[{"type":"text","text":"{\"a\":1}"}]})", R"({"content":[{"type":"text","text":"{\"a\":1}"}]})",
          R"({"content":[],"structuredContent":{"a":1}})", R"({"content":[],"structuredContent":{"a":1}})"}},
        {"structured value that is no object",
         ItemKind::tool,
         R"({"structuredContent":[1,2]})",
         {R"({"content":[{"type":"text","text":"[1,2]"}]})", R"({"content":[{"type":"text","text":"[1,2]"}]})",
          R"({"content":[{"type":"text","text":"[1,2]"}]})", R"({"content":[{"type":"text","text":"[1,2]"}]})"}},
        {"fields of the stateless era",
         ItemKind::tool,
         R"({"content":[],"resultType":"complete","ttlMs":1,"cacheScope":"public"})",
         {R"({"content":[]})", R"({"content":[]})", R"({"content":[]})", R"({"content":[]})"}},
        {"prompt messages",
         ItemKind::prompt,
         R"({"description":"d","messages":[{"role":"user","content":{"type":"audio","data":"","mimeType":"audio/wav"}},
              {"role":"user","content":{"type":"resource_link","uri":"a:b","name":"n"}}]})",
         {R"({"description":"d","messages":[{"role":"user","content":{"type":"text","text":"[audio, audio/wav]"}},{"role":"user",
              "content":{"type":"text","text":"n: a:b"}}]})",
          R"({"description":"d","messages":[{"role":"user","content":{"type":"audio","data":"","mimeType":"audio/wav"}},
              {"role":"user","content":{"type":"text","text":"n: a:b"}}]})",
          R"({"description":"d","messages":[{"role":"user","content":{"type":"audio","data":"","mimeType":"audio/wav"}},
              {"role":"user","content":{"type":"resource_link","uri":"a:b","name":"n"}}]})",
          R"({"description":"d","messages":[{"role":"user","content":{"type":"audio","data":"","mimeType":"audio/wav"}},
              {"role":"user","content":{"type":"resource_link","uri":"a:b","name":"n"}}]})"}},
        {"resource contents",
         ItemKind::resource,
         R"({"contents":[{"uri":"a:b","mimeType":"text/plain","text":"t","_meta":{}}],"ttlMs":0,"cacheScope":"private"})",
         {R"({"contents":[{"uri":"a:b","mimeType":"text/plain","text":"t"}]})",
          R"({"contents":[{"uri":"a:b","mimeType":"text/plain","text":"t"}]})",
          R"({"contents":[{"uri":"a:b","mimeType":"text/plain","text":"t","_meta":{}}]})",
          R"({"contents":[{"uri":"a:b","mimeType":"text/plain","text":"t","_meta":{}}]})"}},
    };
    for (const ResultRow& row : table) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            EXPECT_EQ(project_result(row.kind, all[i], Json::parse(row.result)), Json::parse(row.shown[i]))
                << row.why << " for " << traits(all[i]).date;
        }
    }
}

TEST(projection, results_of_odd_shapes_pass_without_harm) {
    for (const char* odd : {"null", "5", "[]", R"({"content":5})",
                            R"({"content":[5,null,{},{"type":5},{"type":"audio"},{"type":"resource_link"},
                            {"type":"resource","resource":5}]})",
                            R"({"messages":[5,{"content":5}]})", R"({"contents":[5]})"}) {
        for (const ItemKind kind : {ItemKind::tool, ItemKind::prompt, ItemKind::resource}) {
            for (const Revision revision : all) {
                EXPECT_FALSE(project_result(kind, revision, Json::parse(odd)).is_discarded());
            }
        }
    }
}

TEST(projection, the_implementation_is_named_as_the_revision_knows_it) {
    const Json full{{"name", "n"},           {"version", "1"}, {"title", "T"}, {"description", "d"}, {"websiteUrl", "https://x"},
                    {"icons", Json::array()}};
    EXPECT_EQ(project_implementation(Revision::r2024_11_05, full), Json({{"name", "n"}, {"version", "1"}}));
    EXPECT_EQ(project_implementation(Revision::r2025_03_26, full), Json({{"name", "n"}, {"version", "1"}}));
    EXPECT_EQ(project_implementation(Revision::r2025_06_18, full), Json({{"name", "n"}, {"version", "1"}, {"title", "T"}}));
    EXPECT_EQ(project_implementation(Revision::r2025_11_25, full), full);
}

TEST(projection, progress_has_a_message_where_the_revision_has_a_place_for_it) {
    EXPECT_EQ(progress_params(Revision::r2024_11_05, 7, 50, 100.0, "half").dump(), R"({"progress":50,"progressToken":7,"total":100})");
    EXPECT_EQ(progress_params(Revision::r2025_03_26, "t", 0.5, {}, "half").dump(),
              R"({"message":"half","progress":0.5,"progressToken":"t"})");
    EXPECT_EQ(progress_params(Revision::r2025_11_25, "t", -1e300, {}, "").dump(), R"({"progress":-1e+300,"progressToken":"t"})");
    for (const double total : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_EQ(progress_params(Revision::r2025_11_25, "t", 1, total, "").dump(), R"({"progress":1,"progressToken":"t"})");
    }
}

// ── The stateless era ──────────────────────────────────────────────────────────────────────────────────────────────────────

const ServerFacts shop{{{"name", "shop"}, {"version", "1.0"}}, "", 60'000};

TEST(projection, a_result_of_the_stateless_era_is_complete_and_identified) {
    struct Row {
        const char* why;
        ItemKind kind;
        const char* result;
        const char* shown;  ///< without serverInfo
    };
    const Row table[] = {
        {"structured value that is no object", ItemKind::tool, R"({"structuredContent":[1,2]})",
         R"({"content":[],"structuredContent":[1,2],"resultType":"complete"})"},
        {"error", ItemKind::tool, R"({"content":[],"isError":true})", R"({"content":[],"isError":true,"resultType":"complete"})"},
        {"prompt", ItemKind::prompt, R"({"messages":[]})", R"({"messages":[],"resultType":"complete"})"},
        {"resource", ItemKind::resource, R"({"contents":[]})",
         R"({"contents":[],"resultType":"complete","ttlMs":60000,"cacheScope":"private"})"},
        {"resource that says itself how long", ItemKind::resource_template, R"({"contents":[],"ttlMs":5,"cacheScope":"public"})",
         R"({"contents":[],"resultType":"complete","ttlMs":5,"cacheScope":"public"})"},
        {"resource with nonsense", ItemKind::resource, R"({"contents":[],"ttlMs":-1,"cacheScope":"mine"})",
         R"({"contents":[],"resultType":"complete","ttlMs":60000,"cacheScope":"private"})"},
        {"completion", ItemKind::completion, R"({"completion":{"values":[]}})", R"({"completion":{"values":[]},"resultType":"complete"})"},
    };
    for (const Row& row : table) {
        Json shown = project_result(row.kind, stateless_revision, Json::parse(row.result), shop);
        EXPECT_EQ(shown["_meta"]["io.modelcontextprotocol/serverInfo"], shop.implementation) << row.why;
        shown.erase("_meta");
        EXPECT_EQ(shown, Json::parse(row.shown)) << row.why;
    }
    const Json kept = project_result(ItemKind::tool, stateless_revision, {{"content", Json::array()}, {"_meta", {{"a", 1}}}}, shop);
    EXPECT_EQ(kept.at("_meta").at("a"), 1);
}

TEST(projection, no_more_completions_than_an_answer_may_hold) {
    Json values = Json::array();
    for (int i = 0; i < 150; ++i) {
        values.push_back(std::to_string(i));
    }
    const Json shown = project_result(ItemKind::completion, Revision::r2025_11_25, {{"completion", {{"values", values}}}});
    EXPECT_EQ(shown.at("completion").at("values").size(), 100u);
    EXPECT_EQ(shown.at("completion").at("total"), 150);
    EXPECT_EQ(shown.at("completion").at("hasMore"), true);
}

TEST(projection, a_tool_of_the_stateless_era_has_no_execution_and_any_output_schema) {
    const Json tool{{"name", "t"}, {"execution", {{"taskSupport", "optional"}}}, {"outputSchema", {{"type", "array"}}}, {"icons", Json::array()}};
    const Json shown = project_descriptor(ItemKind::tool, stateless_revision, tool);
    EXPECT_FALSE(shown.contains("execution"));
    EXPECT_EQ(shown.at("outputSchema"), Json({{"type", "array"}}));
    EXPECT_TRUE(shown.contains("icons"));
    EXPECT_TRUE(project_descriptor(ItemKind::tool, Revision::r2025_11_25, tool).contains("execution"));
}

TEST(projection, a_text_is_completed_to_a_result) {
    EXPECT_EQ(complete_result(shop, "{}", false),
              R"({"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"1.0"}}})");
    EXPECT_EQ(complete_result({}, R"({"tools":[]})", true), R"({"tools":[],"resultType":"complete","ttlMs":0,"cacheScope":"private"})");
}

TEST(projection, errors_are_said_in_the_codes_of_the_revision) {
    EXPECT_EQ(project_error(Revision::r2025_11_25, {-32002, "x", {}}).code, -32002);
    EXPECT_EQ(project_error(stateless_revision, {-32002, "x", {}}).code, -32602);
    EXPECT_EQ(project_error(Revision::r2025_11_25, {-32042, "x", {}}).code, -32042);
    EXPECT_EQ(project_error(Revision::r2025_06_18, {-32042, "x", {}}).code, -32603);
    EXPECT_EQ(project_error(stateless_revision, {-32042, "x", {}}).code, -32603);
    EXPECT_EQ(project_error(stateless_revision, {5, "x", {}}).code, 5);
}

// B44: one key, two eras.
TEST(projection, B44_a_recorded_result_is_given_to_a_client_of_the_other_era_in_its_words) {
    const Json session_form{{"content", {{{"type", "text"}, {"text", "3"}}}}, {"structuredContent", {{"a", 1}}}};
    const Json modern = project_recorded(session_form, Revision::r2025_11_25, stateless_revision, shop);
    EXPECT_EQ(modern.at("resultType"), "complete");
    EXPECT_TRUE(modern.at("_meta").contains("io.modelcontextprotocol/serverInfo"));
    EXPECT_EQ(project_recorded(modern, stateless_revision, Revision::r2025_11_25, shop), session_form);
    Json number = modern;
    number["structuredContent"] = 3;
    EXPECT_FALSE(project_recorded(number, stateless_revision, Revision::r2025_11_25, shop).contains("structuredContent"));
    EXPECT_EQ(project_recorded(number, stateless_revision, stateless_revision, shop), number) << "the same revision: not a byte is touched";
}

}  // namespace
}  // namespace durable_mcp::mcp
