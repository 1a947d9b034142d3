// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "unit/api/registered.hpp"

namespace durable_mcp::api {
namespace {

using base::Json;

Json schema_of_form(const Form& form) { return Json::parse(form.schema().text()); }
Json field_of(const Form& form, const char* name) { return schema_of_form(form)["properties"][name]; }

TEST(form, has_every_shape_of_the_specification) {
    const Form form = Form()
                          .text("t", {.title = "T", .description = "d", .by_default = "xy", .min_length = 1, .max_length = 3})
                          .email("m")
                          .uri("u")
                          .date("d")
                          .date_time("dt")
                          .integer("i", {.by_default = 2, .minimum = 1, .maximum = 3})
                          .number("n", {.by_default = 0.5, .minimum = 0, .maximum = 1})
                          .boolean("b", {.by_default = true})
                          .choice("c", {"x", "y"}, {.by_default = "y"})
                          .titled_choice("tc", {{"x", "The X"}})
                          .legacy_choice("lc", {{"x", "The X"}, {"y", "The Y"}})
                          .choices("cs", {"x", "y"}, {.by_default = {{"x"}}, .min_items = 1, .max_items = 2})
                          .titled_choices("tcs", {{"x", "The X"}, {"y", "The Y"}});
    EXPECT_EQ(field_of(form, "t"), Json::parse(R"({"type":"string","title":"T","description":"d","default":"xy","minLength":1,"maxLength":3})"));
    EXPECT_EQ(field_of(form, "m"), Json::parse(R"({"type":"string","format":"email"})"));
    EXPECT_EQ(field_of(form, "u"), Json::parse(R"({"type":"string","format":"uri"})"));
    EXPECT_EQ(field_of(form, "d"), Json::parse(R"({"type":"string","format":"date"})"));
    EXPECT_EQ(field_of(form, "dt"), Json::parse(R"({"type":"string","format":"date-time"})"));
    EXPECT_EQ(field_of(form, "i"), Json::parse(R"({"type":"integer","default":2,"minimum":1,"maximum":3})"));
    EXPECT_EQ(field_of(form, "n"), Json::parse(R"({"type":"number","default":0.5,"minimum":0.0,"maximum":1.0})"));
    EXPECT_EQ(field_of(form, "b"), Json::parse(R"({"type":"boolean","default":true})"));
    EXPECT_EQ(field_of(form, "c"), Json::parse(R"({"type":"string","enum":["x","y"],"default":"y"})"));
    EXPECT_EQ(field_of(form, "tc"), Json::parse(R"({"type":"string","oneOf":[{"const":"x","title":"The X"}]})"));
    EXPECT_EQ(field_of(form, "lc"), Json::parse(R"({"type":"string","enum":["x","y"],"enumNames":["The X","The Y"]})"));
    EXPECT_EQ(field_of(form, "cs"),
              Json::parse(R"({"type":"array","items":{"type":"string","enum":["x","y"]},"default":["x"],"minItems":1,"maxItems":2})"));
    EXPECT_EQ(field_of(form, "tcs"),
              Json::parse(R"({"type":"array","items":{"anyOf":[{"const":"x","title":"The X"},{"const":"y","title":"The Y"}]}})"));
}

TEST(form, says_which_fields_must_be_filled_in) {
    EXPECT_EQ(schema_of_form(Form().text("a").text("b", {.required = false}))["required"], Json::parse(R"(["a"])"));
    EXPECT_FALSE(schema_of_form(Form().boolean("b", {.required = false})).contains("required"));
}

TEST(form, refuses_what_nobody_could_fill_in_and_names_the_field) {
    const auto refuses = [](auto&& make) {
        const std::string said = complaint(make);
        EXPECT_NE(said.find("\"f\""), std::string::npos) << said;
    };
    refuses([] { Form().text("f").text("f"); });
    refuses([] { Form().integer("f", {.minimum = 3, .maximum = 1}); });
    refuses([] { Form().integer("f", {.by_default = 9, .maximum = 1}); });
    refuses([] { Form().text("f", {.by_default = "long", .max_length = 2}); });
    refuses([] { Form().choice("f", {}); });
    refuses([] { Form().choice("f", {"a"}, {.by_default = "b"}); });
    refuses([] { Form().titled_choice("f", {{"a", "A"}}, {.by_default = "b"}); });
    refuses([] { Form().choices("f", {"a"}, {.by_default = {{"b"}}}); });
    refuses([] { Form().titled_choices("f", {{"a", "A"}}, {.by_default = {{"b"}}}); });
    refuses([] { Form().number("f", {.minimum = std::numeric_limits<double>::quiet_NaN()}); });
    refuses([] { Form().text("f", {.title = "\xFF"}); });
    EXPECT_NE(complaint([] { Form().text(""); }), "no complaint");
}

}  // namespace
}  // namespace durable_mcp::api
