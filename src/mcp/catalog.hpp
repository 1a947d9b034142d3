// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the server offers: tools, prompts, resources, resource templates. A catalog is an immutable value; registration makes the next one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/param_headers.hpp"
#include "mcp/revision.hpp"

namespace durable_mcp::mcp {

/// What runs when an item is called. Opaque here; the runtime knows what it is.
struct CallTarget {
    virtual ~CallTarget() = default;
};

/// Whether a tool's calls may be tasks: `execution.taskSupport` of its descriptor.
enum class TaskSupport : std::uint8_t { forbidden, optional, required };

/// Something on offer. `descriptor` is what a list shows to the newest revision (Tool, Prompt, Resource, ResourceTemplate).
struct Item {
    std::string name;        ///< tool or prompt name, resource URI, or URI template
    base::Json descriptor;
    std::shared_ptr<const CallTarget> target;

    // Of a tool: read from the descriptor by Catalog::with(), so that no call has to.
    TaskSupport task_support = TaskSupport::forbidden;
    std::vector<ParamHeader> param_headers = {};
};

/// A completion is on no list: its name says what it completes (completion_name()), its descriptor is an empty object.
enum class ItemKind : std::uint8_t { tool, prompt, resource, resource_template, completion };

/// The name of the completion of one argument of a prompt, or one variable of a resource template (`ref` is its name, or the template).
[[nodiscard]] std::string completion_name(ItemKind of, std::string_view ref, std::string_view argument);

/// One page of a list: the result's JSON text (`{"tools":[…],"nextCursor":…}`).
using Page = std::string;

/// A resource found for a URI: fixed, or by template with the values of its variables.
struct ResourceMatch {
    ItemKind kind = ItemKind::resource;  ///< or resource_template
    std::shared_ptr<const Item> item;
    std::map<std::string, std::string> variables;
};

/// Immutable: any thread may use it. Copies are cheap.
class Catalog {
public:
    explicit Catalog(std::size_t page_size);

    /// A catalog with `item` added, or put in place of the one of that name (which keeps its position).
    /// Throws std::invalid_argument for a descriptor that cannot be written as a JSON object, for a URI template that does not compile, and for a
    /// tool whose taskSupport or `x-mcp-header` annotations are not what they may be.
    [[nodiscard]] Catalog with(ItemKind kind, Item item) const;
    /// A catalog without it; the same catalog when there is none.
    [[nodiscard]] Catalog without(ItemKind kind, std::string_view name) const;

    [[nodiscard]] std::shared_ptr<const Item> find(ItemKind kind, std::string_view name) const;
    [[nodiscard]] bool empty(ItemKind kind) const;
    /// True if any tool may be a task.
    [[nodiscard]] bool offers_tasks() const;
    /// A fixed resource first; then templates in the order of registration.
    [[nodiscard]] std::optional<ResourceMatch> find_resource(std::string_view uri) const;

    /// Items in the order of registration. A cursor says "after that name" and is good in any process, after any change, since nothing is
    /// kept for it; one that is not ours is `invalid_params`.
    [[nodiscard]] std::variant<Page, jsonrpc::Error> list(ItemKind kind, Revision revision, std::optional<std::string_view> cursor) const;

private:
    struct Shelf;  // the items of one kind; immutable, shared between catalogs
    std::size_t page_size_;
    std::array<std::shared_ptr<const Shelf>, 5> shelves_;
};

}  // namespace durable_mcp::mcp
