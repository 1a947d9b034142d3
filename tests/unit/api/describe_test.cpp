// SPDX-License-Identifier: Apache-2.0
#include "durable_mcp/describe.hpp"

#include <gtest/gtest.h>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <nlohmann/json.hpp>

#include "durable_mcp/error.hpp"

namespace durable_mcp {
namespace {

using Json = nlohmann::json;

struct Named {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(Named, (), (name))

class Account : public Named {
public:
    Account() = default;
    Account(std::string holder, std::int64_t cents) : Named{std::move(holder)}, cents_(cents) {}
    [[nodiscard]] std::int64_t cents() const { return cents_; }
    [[nodiscard]] const std::string& currency() const { return currency_; }

private:
    field<std::int64_t, "amount in cents", minimum<0>> cents_;
    std::string currency_ = "EUR";
    BOOST_DESCRIBE_CLASS(Account, (Named), (), (), (cents_, currency_))
};

enum class Status { fine = 200, gone = 410 };
BOOST_DESCRIBE_ENUM(Status, fine, gone)

template <class T>
T read(const char* text) {
    return detail::decode_text<T>(ValueView::Source::argument, "x", text);
}

TEST(described_classes, are_objects_with_the_members_of_their_bases) {
    EXPECT_EQ(Json::parse(codec<Account>::schema().text()), Json::parse(R"({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "cents_": {"type": "integer", "description": "amount in cents", "minimum": 0},
            "currency_": {"type": "string", "default": "EUR"}
        },
        "required": ["name", "cents_"],
        "additionalProperties": false
    })"));
    EXPECT_EQ(codec<Account>::tag(), "Account{name:string,cents_:int64,currency_:string}");
    const std::string text = detail::encode_text(Account("Ann", 5));
    EXPECT_EQ(text, R"({"name":"Ann","cents_":5,"currency_":"EUR"})");
    EXPECT_EQ(read<Account>(text.c_str()).cents(), 5);
    EXPECT_EQ(read<Account>(R"({"name":"Ann","cents_":5,"currency_":"CHF"})").currency(), "CHF");
    try {
        static_cast<void>(read<Account>(R"({"name":"Ann","cents_":-5})"));
        FAIL();
    } catch (const InvalidArguments& error) {
        EXPECT_STREQ(error.what(), R"(argument "x.cents_": expected an integer, at least 0, got -5)");
    }
}

TEST(described_classes, a_described_aggregate_is_the_plain_struct_that_it_is) {
    EXPECT_EQ(codec<Named>::tag(), "Named{name:string}");
    EXPECT_EQ(detail::encode_text(Named{"Ann"}), R"({"name":"Ann"})");
}

TEST(described_enums, have_names_beyond_the_reach_of_signatures) {
    EXPECT_EQ(codec<Status>::schema().text(), R"({"enum":["fine","gone"],"type":"string"})");
    EXPECT_EQ(detail::encode_text(Status::gone), R"("gone")");
    EXPECT_EQ(read<Status>(R"("gone")"), Status::gone);
}

}  // namespace
}  // namespace durable_mcp
