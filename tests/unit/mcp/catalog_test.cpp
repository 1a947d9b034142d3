// SPDX-License-Identifier: Apache-2.0
#include "mcp/catalog.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace durable_mcp::mcp {
namespace {

using base::Json;

Item tool(const std::string& name) {
    return {name, {{"name", name}, {"inputSchema", {{"type", "object"}}}}, nullptr};
}
Item resource(const std::string& uri) {
    return {uri, {{"uri", uri}, {"name", uri}}, nullptr};
}
Item resource_template(const std::string& text) {
    return {text, {{"uriTemplate", text}, {"name", text}}, nullptr};
}

Catalog with_tools(std::size_t count, std::size_t page_size) {
    Catalog catalog(page_size);
    for (std::size_t i = 0; i < count; ++i) {
        catalog = catalog.with(ItemKind::tool, tool("t" + std::to_string(i)));
    }
    return catalog;
}

Json page_of(const Catalog& catalog, std::optional<std::string_view> cursor, ItemKind kind = ItemKind::tool) {
    auto page = catalog.list(kind, latest_session_revision, cursor);
    EXPECT_TRUE(std::holds_alternative<Page>(page)) << std::get<jsonrpc::Error>(page).message;
    return Json::parse(std::get<Page>(page));
}

std::string names_on(const Json& page) {
    std::string names;
    for (const Json& item : page.at("tools")) {
        names += item.at("name").get<std::string>() + " ";
    }
    return names;
}

TEST(catalog, an_empty_list_is_an_empty_page) {
    const Catalog catalog(10);
    EXPECT_EQ(std::get<Page>(catalog.list(ItemKind::tool, latest_session_revision, {})), R"({"tools":[]})");
    EXPECT_EQ(std::get<Page>(catalog.list(ItemKind::prompt, latest_session_revision, {})), R"({"prompts":[]})");
    EXPECT_EQ(std::get<Page>(catalog.list(ItemKind::resource, latest_session_revision, {})), R"({"resources":[]})");
    EXPECT_EQ(std::get<Page>(catalog.list(ItemKind::resource_template, latest_session_revision, {})), R"({"resourceTemplates":[]})");
    EXPECT_TRUE(catalog.empty(ItemKind::tool));
}

TEST(catalog, pages_follow_each_other_in_the_order_of_registration_and_end) {
    for (const std::size_t page_size : {1u, 2u, 3u, 7u, 8u}) {
        const Catalog catalog = with_tools(7, page_size);
        std::string all;
        std::optional<std::string> cursor;
        std::size_t pages = 0;
        do {
            const Json page = page_of(catalog, cursor);
            EXPECT_LE(page.at("tools").size(), page_size);
            all += names_on(page);
            cursor = page.contains("nextCursor") ? std::optional(page.at("nextCursor").get<std::string>()) : std::nullopt;
            ++pages;
        } while (cursor && pages < 10);
        EXPECT_EQ(all, "t0 t1 t2 t3 t4 t5 t6 ");
        EXPECT_EQ(pages, (7 + page_size - 1) / page_size);
    }
}

TEST(catalog, a_cursor_is_good_in_another_process) {
    const std::string cursor = page_of(with_tools(7, 3), {}).at("nextCursor");
    EXPECT_EQ(names_on(page_of(with_tools(7, 3), cursor)), "t3 t4 t5 ");
    EXPECT_EQ(cursor, "MXQzOnQy") << "an older process handed this one out";
}

TEST(catalog, a_cursor_survives_changes_of_the_list) {
    const Catalog catalog = with_tools(7, 3);
    const std::string cursor = page_of(catalog, {}).at("nextCursor");
    EXPECT_EQ(names_on(page_of(catalog.without(ItemKind::tool, "t0"), cursor)), "t3 t4 t5 ");
    EXPECT_EQ(names_on(page_of(catalog.without(ItemKind::tool, "t2"), cursor)), "t3 t4 t5 ") << "the item that it names is gone";
    EXPECT_EQ(names_on(page_of(catalog.with(ItemKind::tool, tool("t7")), cursor)), "t3 t4 t5 ");
    EXPECT_EQ(names_on(page_of(Catalog(3), cursor)), "") << "everything is gone";
    EXPECT_FALSE(page_of(with_tools(3, 3), cursor).contains("nextCursor"));
}

TEST(catalog, a_cursor_that_is_not_ours_is_refused) {
    const std::string good = page_of(with_tools(7, 3), {}).at("nextCursor");
    for (const std::string& bad : {std::string(), std::string("x"), good + "A", good.substr(1), good + "=", std::string("MXQwOnQy"),
                                   std::string("\xff"), std::string(9000, 'A')}) {
        const auto page = with_tools(7, 3).list(ItemKind::tool, latest_session_revision, bad);
        ASSERT_TRUE(std::holds_alternative<jsonrpc::Error>(page)) << bad;
        EXPECT_EQ(std::get<jsonrpc::Error>(page).code, jsonrpc::invalid_params);
    }
    EXPECT_TRUE(std::holds_alternative<jsonrpc::Error>(Catalog(3).list(ItemKind::prompt, latest_session_revision, good)));
}

TEST(catalog, a_replaced_item_keeps_its_position) {
    Item changed = tool("t1");
    changed.descriptor["title"] = "new";
    const Catalog catalog = with_tools(3, 10).with(ItemKind::tool, changed);
    const Json page = page_of(catalog, {});
    EXPECT_EQ(names_on(page), "t0 t1 t2 ");
    EXPECT_EQ(page["tools"][1]["title"], "new");
    EXPECT_EQ(catalog.find(ItemKind::tool, "t1")->descriptor, changed.descriptor);
}

TEST(catalog, a_registration_does_not_change_the_catalog_it_began_with) {
    const Catalog before = with_tools(2, 10);
    static_cast<void>(page_of(before, {}));
    const Catalog more = before.with(ItemKind::tool, tool("t2")), fewer = before.without(ItemKind::tool, "t0");
    EXPECT_EQ(names_on(page_of(before, {})), "t0 t1 ");
    EXPECT_EQ(names_on(page_of(more, {})), "t0 t1 t2 ");
    EXPECT_EQ(names_on(page_of(fewer, {})), "t1 ");
    EXPECT_EQ(fewer.find(ItemKind::tool, "t0"), nullptr);
    EXPECT_EQ(fewer.find(ItemKind::tool, "t1")->name, "t1");
    EXPECT_EQ(names_on(page_of(before.without(ItemKind::tool, "t9"), {})), "t0 t1 ");
}

TEST(catalog, kinds_do_not_mix) {
    const Catalog catalog = Catalog(10).with(ItemKind::tool, tool("x"));
    EXPECT_EQ(catalog.find(ItemKind::prompt, "x"), nullptr);
    EXPECT_TRUE(catalog.empty(ItemKind::prompt));
    EXPECT_FALSE(catalog.empty(ItemKind::tool));
}

TEST(catalog, a_fixed_resource_comes_before_templates_and_these_in_their_order) {
    const Catalog catalog = Catalog(10)
                                .with(ItemKind::resource_template, resource_template("a://{x}/b"))
                                .with(ItemKind::resource_template, resource_template("a://{+y}"))
                                .with(ItemKind::resource, resource("a://fixed/b"));
    EXPECT_EQ(catalog.find_resource("a://fixed/b")->kind, ItemKind::resource);
    const auto first = catalog.find_resource("a://1/b");
    EXPECT_EQ(first->kind, ItemKind::resource_template);
    EXPECT_EQ(first->item->name, "a://{x}/b");
    EXPECT_EQ(first->variables, (std::map<std::string, std::string>{{"x", "1"}}));
    EXPECT_EQ(catalog.find_resource("a://1/c")->variables, (std::map<std::string, std::string>{{"y", "1/c"}}));
    EXPECT_FALSE(catalog.find_resource("b://1").has_value());
    EXPECT_FALSE(catalog.find_resource("a://{x}/").has_value() && catalog.find_resource("a://{x}/")->item->name == "a://{x}/b");
}

TEST(catalog, what_could_not_be_listed_or_matched_is_refused_at_registration) {
    const Catalog catalog(10);
    EXPECT_THROW(static_cast<void>(catalog.with(ItemKind::resource_template, resource_template("a://{x}{y}"))), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(catalog.with(ItemKind::tool, tool("\xff"))), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(catalog.with(ItemKind::tool, {"x", Json::array(), nullptr})), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(catalog.with(ItemKind::tool, tool(""))), std::invalid_argument);
}

TEST(catalog, many_threads_may_ask_for_the_same_list_first) {
    const Catalog catalog = with_tools(200, 50);
    std::vector<std::string> pages(8);
    {
        std::vector<std::thread> threads;
        for (std::string& page : pages) {
            threads.emplace_back(
                [&page, copy = catalog] { page = std::get<Page>(copy.list(ItemKind::tool, latest_session_revision, {})); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    }
    EXPECT_EQ(std::set<std::string>(pages.begin(), pages.end()).size(), 1u);
}

}  // namespace
}  // namespace durable_mcp::mcp
