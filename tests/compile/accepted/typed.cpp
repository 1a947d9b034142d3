// SPDX-License-Identifier: Apache-2.0
// Every kind of member, without nlohmann::json: typed.hpp brings no more than it says.
#include <durable_mcp/server.hpp>
#include <durable_mcp/typed.hpp>

namespace mcp = durable_mcp;

#ifdef INCLUDE_NLOHMANN_JSON_HPP_
#error "typed.hpp brings nlohmann::json with it"
#endif

namespace {

enum class Size { small, large };
struct Circle {
    double radius;
};
struct Square {
    double side;
};
struct Item {
    std::string name;
    mcp::field<std::int64_t, "how many", mcp::minimum<1>, mcp::maximum<100>> count = 1;
};
struct Order {
    std::vector<Item> items;
    std::optional<std::string> note;
    mcp::field<std::optional<std::string>, "where the receipt goes", mcp::format<"email">, mcp::title<"E-mail">> mail;
    Size size = Size::small;
    int grid[2][2];
    std::array<Item, 2> pair;
    std::variant<std::monostate, std::string, Circle, Square> extra;
    std::map<std::string, std::vector<Item>> by_name;
    std::chrono::milliseconds wait{5};
    std::chrono::sys_seconds when;
    mcp::Bytes picture;
    std::tuple<int, bool> tuple;
    bool dry_run = false;
};
struct Receipt {
    std::string id;
};

}  // namespace

int main() {
    mcp::DurableMCP server({.name = "n", .store = mcp::memory()});
    server.tool("order", "All arguments.", [](mcp::DurableContext& context, Order order) -> Receipt {
        const Item first = context.at_most_once("first", [&] { return order.items.at(0); });
        context.transact("book", [&](mcp::Transaction& state) { state.map("orders").insert(first.name, order); });
        return {first.name};
    });
    server.tool("named", "One of several.", {"order", "fast"}, [](const Order& order, bool) { return order.size; });
    server.replace_tool("order", "Replaced.", [](const Order&) {}, {.title = "T"});
}
