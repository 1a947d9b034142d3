// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace durable_mcp {

class DurableMCP;
class DurableContext;
class SortedMap;
class Transaction;
class Store;
struct Options;

}  // namespace durable_mcp
