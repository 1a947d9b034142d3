// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names out of what gcc and clang say about a function template (__PRETTY_FUNCTION__). Both spellings, side by side:
//
//     type     "[with T = {anonymous}::Order]"                        "[T = (anonymous namespace)::Order]"
//     member   "… {(& never<Order>.Never<Order>::value.Order::item)}]" "[A = {&never.value.item}]"
//     values   "[with E = Big; E ...Values = {(Big)-1, Big::zero}]"   "[E = Big, Values = <(Big)-1, Big::zero>]"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace durable_mcp::api {

/// The name of the type T, without what it lies in and without template arguments, so that it is the same whatever the compiler.
[[nodiscard]] std::string name_of_type(std::string_view signature);
/// The identifier at the end, but for brackets.
[[nodiscard]] std::string name_of_member(std::string_view signature);
/// The enumerators among `Values`, the first of which is `first`, and each of which is one more than the one before it.
[[nodiscard]] std::vector<std::pair<std::int64_t, std::string>> names_of_values(std::string_view signature, std::int64_t first);

}  // namespace durable_mcp::api
