// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/signatures.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"
#include "durable_mcp/typed.hpp"

namespace typed_choices {
enum class Level : std::uint8_t { low, high };
}

template <>
struct durable_mcp::enum_names<typed_choices::Level> {
    static constexpr std::pair<typed_choices::Level, const char*> list[] = {{typed_choices::Level::low, "LOW"}, {typed_choices::Level::high, "HIGH"}};
};

namespace durable_mcp {
namespace {

using Json = nlohmann::json;

template <class T>
T read(const char* text) {
    return detail::decode_text<T>(ValueView::Source::argument, "x", text);
}

template <class T>
std::string misfit(const char* text) {
    try {
        static_cast<void>(read<T>(text));
    } catch (const InvalidArguments& error) {
        return error.what();
    }
    return "it fitted";
}

template <class T>
std::string complaint() {
    try {
        static_cast<void>(codec<T>::schema());
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "no complaint";
}

enum class Colour { red, green = 7, early = -32, late = 255, beyond = 256 };
enum Old : std::int8_t { old_first = -32, old_last = 127 };
enum class Flag : bool { off, on };
enum class Far { away = 1000 };

TEST(enums, are_the_names_of_their_enumerators) {
    EXPECT_EQ(codec<Colour>::schema().text(), R"({"enum":["early","red","green","late"],"type":"string"})");
    EXPECT_EQ(codec<Colour>::tag(), "enum Colour");
    EXPECT_EQ(detail::encode_text(Colour::green), R"("green")");
    EXPECT_EQ(read<Colour>(R"("late")"), Colour::late);
    EXPECT_EQ(misfit<Colour>(R"("blue")"), R"(argument "x": expected a string, one of "early", "red", "green", "late", got "blue")");
    EXPECT_EQ(misfit<Colour>("7"), R"(argument "x": expected a string, one of "early", "red", "green", "late", got 7)");
    EXPECT_THROW(static_cast<void>(detail::encode_text(Colour::beyond)), detail::NotEncodable);
    EXPECT_THROW(static_cast<void>(detail::encode_text(static_cast<Colour>(3))), detail::NotEncodable);
    EXPECT_EQ(codec<Old>::schema().text(), R"({"enum":["old_first","old_last"],"type":"string"})");
    EXPECT_EQ(codec<Flag>::schema().text(), R"({"enum":["off","on"],"type":"string"})");
    EXPECT_EQ(complaint<Far>(), "enum Far has no enumerators from -32 to 255: specialise durable_mcp::enum_names");
}

TEST(enums, may_have_words_of_their_own) {
    EXPECT_EQ(codec<typed_choices::Level>::schema().text(), R"({"enum":["LOW","HIGH"],"type":"string"})");
    EXPECT_EQ(detail::encode_text(typed_choices::Level::high), R"("HIGH")");
    EXPECT_EQ(read<typed_choices::Level>(R"("LOW")"), typed_choices::Level::low);
    EXPECT_EQ(codec<typed_choices::Level>::tag(), "enum Level");
}

TEST(signatures, are_read_in_the_words_of_either_compiler) {
    EXPECT_EQ(api::name_of_type("consteval const char* f() [with T = {anonymous}::Order]"), "Order");
    EXPECT_EQ(api::name_of_type("const char *f() [T = (anonymous namespace)::Order]"), "Order");
    EXPECT_EQ(api::name_of_type("const char *f() [T = a::Page<std::pair<a::B, c::D>>]"), "Page");
    EXPECT_EQ(api::name_of_type("const char *f() [with T = g() [with U = x::y]::Local]"), "Local");
    EXPECT_EQ(api::name_of_member("f() [with A = Address<int>{(& never<O>.Never<O>::value.{anonymous}::O::cents)}]"), "cents");
    EXPECT_EQ(api::name_of_member("f() [A = {&never.value.cents}]"), "cents");
    EXPECT_EQ(api::name_of_member("plain"), "plain");
    using Names = std::vector<std::pair<std::int64_t, std::string>>;
    const Names expected{{-1, "minus"}, {1, "one"}};
    EXPECT_EQ(api::names_of_values("f() [with E = {anonymous}::B; E ...Values = {<unnamed>::B::minus, (<unnamed>::B)0, <unnamed>::B::one}]", -1),
              expected);
    EXPECT_EQ(api::names_of_values("f() [E = B, Values = <(anonymous namespace)::B::minus, ((anonymous namespace)::B)0, one>]", -1), expected);
    EXPECT_EQ(api::names_of_values("f() [E = B, Values = <A<int, char>::minus, (A<int, char>::B)0, A<int, char>::one>]", -1), expected);
}

struct Circle {
    double radius;
};
struct Square {
    double side = 1;
};
using Shape = std::variant<Circle, Square>;

TEST(variants, of_structs_are_told_apart_by_type) {
    EXPECT_EQ(detail::encode_text(Shape(Circle{2})), R"({"type":"Circle","radius":2.0})");
    EXPECT_EQ(std::get<Square>(read<Shape>(R"({"type":"Square"})")).side, 1);
    EXPECT_EQ(std::get<Circle>(read<Shape>(R"({"radius":3,"type":"Circle"})")).radius, 3);
    EXPECT_EQ(codec<Shape>::tag(), "variant<Circle{radius:double},Square{side:double}>");
    EXPECT_EQ(Json::parse(codec<Shape>::schema().text()), Json::parse(R"({"oneOf":[
        {"type":"object","properties":{"type":{"const":"Circle"},"radius":{"type":"number"}},"required":["type","radius"],"additionalProperties":false},
        {"type":"object","properties":{"type":{"const":"Square"},"side":{"type":"number","default":1.0}},"required":["type"],
         "additionalProperties":false}]})"));
    EXPECT_EQ(misfit<Shape>(R"({"radius":3})"), R"(argument "x.type" is missing: expected one of "Circle", "Square")");
    EXPECT_EQ(misfit<Shape>(R"({"type":"Oval"})"), R"(argument "x.type": expected one of "Circle", "Square", got "Oval")");
    EXPECT_EQ(misfit<Shape>(R"({"type":"Circle","side":3})"), R"(argument "x.radius" is missing: expected a number)");
    EXPECT_EQ(misfit<Shape>(R"({"type":"Square","radius":3})"), R"(argument "x.radius" is unknown: expected only "side")");
    EXPECT_EQ(misfit<Shape>("3"), R"(argument "x": expected an object whose "type" is one of "Circle", "Square", got 3)");
}

TEST(variants, are_told_apart_by_the_kind_of_json) {
    using Any = std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<int>, Circle>;
    EXPECT_EQ(read<Any>("null").index(), 0U);
    EXPECT_EQ(read<Any>("true").index(), 1U);
    EXPECT_EQ(std::get<std::int64_t>(read<Any>("12")), 12);
    EXPECT_EQ(std::get<std::string>(read<Any>(R"("12")")), "12");
    EXPECT_EQ(read<Any>("[1]").index(), 4U);
    EXPECT_EQ(read<Any>(R"({"type":"Circle","radius":1})").index(), 5U);
    EXPECT_EQ(detail::encode_text(Any()), "null");
    EXPECT_EQ(detail::encode_text(Any(std::int64_t{5})), "5");
    EXPECT_EQ(misfit<Any>("1.5"), R"(argument "x": expected an integer, got 1.5)");
    using Narrow = std::variant<bool, Colour>;
    EXPECT_EQ(misfit<Narrow>("1"), R"(argument "x": expected true or false, or a string, one of "early", "red", "green", "late", got 1)");
}

struct OwnType {
    std::string type;
};

TEST(variants, that_could_not_be_told_apart_are_refused) {
    using Numbers = std::variant<std::int64_t, double>;
    EXPECT_EQ(complaint<Numbers>(), "std::variant: int64 and double cannot be told apart: both are the JSON type number");
    using Texts = std::variant<std::string, Colour>;
    EXPECT_EQ(complaint<Texts>(), "std::variant: string and enum Colour cannot be told apart: both are the JSON type string");
    using Objects = std::variant<std::map<std::string, int>, Circle>;
    EXPECT_EQ(complaint<Objects>(), "std::variant: map<int32> cannot be told from the structs: both are JSON objects");
    using Own = std::variant<OwnType, Circle>;
    EXPECT_EQ(complaint<Own>(), "std::variant: struct OwnType has a member \"type\" of its own, which is what tells a variant's structs apart");
    using Vague = std::variant<Json, bool>;
    EXPECT_EQ(complaint<Vague>(), "std::variant: the schema of json has no single \"type\", so that it cannot be told from other alternatives");
    EXPECT_THROW(static_cast<void>(detail::encode_text(Numbers(1.0))), std::invalid_argument) << "whatever is asked of it first";
}

}  // namespace
}  // namespace durable_mcp
