// SPDX-License-Identifier: Apache-2.0
#include "mcp/catalog.hpp"

// A shelf holds the items of one kind and never changes; catalogs share shelves, and a registration copies one of four. What a list shows
// is the same text for every client of a revision, and lists are asked for often: each shelf makes these texts once per revision, when the
// first client asks. call_once is the only synchronisation.

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/limits.hpp"
#include "mcp/cursor.hpp"
#include "mcp/projection.hpp"
#include "schema/uri_template.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

constexpr std::array<std::string_view, 5> list_names{"tools", "prompts", "resources", "resourceTemplates", ""};
constexpr std::array<std::string_view, 5> kind_names{"tool", "prompt", "resource", "resource template", "completion"};

constexpr std::size_t index_of(ItemKind kind) {
    return static_cast<std::size_t>(kind);
}

/// Reads what calls need to know of a tool out of its descriptor.
void compile_tool(Item& tool) {
    const auto refuse = [&tool](std::string_view why) { throw std::invalid_argument(fmt::format("tool '{}': {}", tool.name, why)); };
    tool.task_support = TaskSupport::forbidden;
    if (const auto execution = tool.descriptor.find("execution"); execution != tool.descriptor.end() && execution->is_object()) {
        const Json support = execution->value("taskSupport", Json("forbidden"));
        if (support == "optional") {
            tool.task_support = TaskSupport::optional;
        } else if (support == "required") {
            tool.task_support = TaskSupport::required;
        } else if (support != "forbidden") {
            refuse("execution.taskSupport must be forbidden, optional or required");
        }
    }
    tool.param_headers.clear();
    if (const auto schema = tool.descriptor.find("inputSchema"); schema != tool.descriptor.end()) {
        if (const auto why = check_param_annotations(*schema)) {
            refuse(*why);
        }
        tool.param_headers = param_headers(*schema);
    }
}

}  // namespace

std::string completion_name(ItemKind of, std::string_view ref, std::string_view argument) {
    // The length keeps apart what the two names could blur.
    return fmt::format("{}:{}:{}:{}", of == ItemKind::prompt ? "prompt" : "resource", ref.size(), ref, argument);
}

struct Catalog::Shelf {
    struct Entry {
        std::shared_ptr<const Item> item;
        std::shared_ptr<const schema::UriTemplate> uri_template;  ///< of a resource template
    };
    /// What a revision is shown.
    struct Display {
        std::once_flag made;
        std::vector<std::string> items;
        Page first_page;
    };

    std::vector<Entry> entries;
    std::map<std::string, std::size_t, std::less<>> by_name;
    mutable std::array<Display, revision_count> displays;

    [[nodiscard]] bool offers_tasks() const {
        return std::any_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.item->task_support != TaskSupport::forbidden; });
    }

    [[nodiscard]] const Entry* find(std::string_view name) const {
        const auto found = by_name.find(name);
        return found == by_name.end() ? nullptr : &entries[found->second];
    }

    [[nodiscard]] const Display& display(ItemKind kind, Revision revision, std::size_t page_size) const {
        Display& shown = displays[static_cast<std::size_t>(revision)];
        std::call_once(shown.made, [&] {
            shown.items.reserve(entries.size());
            for (const Entry& entry : entries) {
                // with() has refused what cannot be written.
                shown.items.push_back(project_descriptor(kind, revision, entry.item->descriptor).dump());
            }
            shown.first_page = page(kind, shown.items, 0, page_size);
        });
        return shown;
    }

    [[nodiscard]] Page page(ItemKind kind, const std::vector<std::string>& texts, std::size_t begin, std::size_t page_size) const {
        const std::size_t end = begin + std::min(page_size, texts.size() - begin);
        std::size_t size = 64;
        for (std::size_t i = begin; i < end; ++i) {
            size += texts[i].size() + 1;
        }
        Page text;
        text.reserve(size);
        text.append(R"({")").append(list_names[index_of(kind)]).append(R"(":[)");
        for (std::size_t i = begin; i < end; ++i) {
            text.append(i == begin ? "" : ",").append(texts[i]);
        }
        text.push_back(']');
        if (end < texts.size()) {
            text.append(R"(,"nextCursor":")").append(write_cursor({kind, end, entries[end - 1].item->name})).push_back('"');
        }
        text.push_back('}');
        return text;
    }
};

Catalog::Catalog(std::size_t page_size) : page_size_(std::max<std::size_t>(page_size, 1)) {
    const auto empty_shelf = [] { return std::make_shared<const Shelf>(); };
    for (auto& shelf : shelves_) {
        shelf = empty_shelf();
    }
}

Catalog Catalog::with(ItemKind kind, Item item) const {
    if (item.name.empty()) {
        throw std::invalid_argument(fmt::format("a {} needs a name", kind_names[index_of(kind)]));
    }
    if (!item.descriptor.is_object()) {
        throw std::invalid_argument(fmt::format("the descriptor of {} '{}' must be an object", kind_names[index_of(kind)], item.name));
    }
    if (const auto text = base::dump_json(item.descriptor); !text) {
        throw std::invalid_argument(
            fmt::format("the descriptor of {} '{}': {}", kind_names[index_of(kind)], item.name, text.error().sentence));
    }
    Shelf::Entry entry;
    if (kind == ItemKind::tool) {
        compile_tool(item);
    }
    if (kind == ItemKind::resource_template) {
        auto compiled = schema::UriTemplate::compile(item.name);
        if (!compiled) {
            throw std::invalid_argument(compiled.error().sentence);
        }
        entry.uri_template = std::make_shared<const schema::UriTemplate>(std::move(*compiled));
    }
    const Shelf& before = *shelves_[index_of(kind)];
    auto after = std::make_shared<Shelf>();
    after->entries.reserve(before.entries.size() + 1);
    after->entries = before.entries;
    after->by_name = before.by_name;
    const auto [place, is_new] = after->by_name.try_emplace(item.name, before.entries.size());
    entry.item = std::make_shared<const Item>(std::move(item));
    if (is_new) {
        after->entries.push_back(std::move(entry));
    } else {
        after->entries[place->second] = std::move(entry);
    }
    Catalog next(*this);
    next.shelves_[index_of(kind)] = std::move(after);
    return next;
}

Catalog Catalog::without(ItemKind kind, std::string_view name) const {
    const Shelf& before = *shelves_[index_of(kind)];
    const auto gone = before.by_name.find(name);
    if (gone == before.by_name.end()) {
        return *this;
    }
    auto after = std::make_shared<Shelf>();
    after->entries = before.entries;
    after->entries.erase(after->entries.begin() + static_cast<std::ptrdiff_t>(gone->second));
    after->by_name = before.by_name;
    after->by_name.erase(gone->first);
    for (auto& [other, position] : after->by_name) {
        if (position > gone->second) {
            --position;
        }
    }
    Catalog next(*this);
    next.shelves_[index_of(kind)] = std::move(after);
    return next;
}

std::shared_ptr<const Item> Catalog::find(ItemKind kind, std::string_view name) const {
    const Shelf::Entry* const entry = shelves_[index_of(kind)]->find(name);
    return entry == nullptr ? nullptr : entry->item;
}

bool Catalog::empty(ItemKind kind) const {
    return shelves_[index_of(kind)]->entries.empty();
}

bool Catalog::offers_tasks() const {
    return shelves_[index_of(ItemKind::tool)]->offers_tasks();
}

std::optional<ResourceMatch> Catalog::find_resource(std::string_view uri) const {
    if (auto fixed = find(ItemKind::resource, uri)) {
        return ResourceMatch{ItemKind::resource, std::move(fixed), {}};
    }
    for (const Shelf::Entry& entry : shelves_[index_of(ItemKind::resource_template)]->entries) {
        if (auto variables = entry.uri_template->match(uri)) {
            return ResourceMatch{ItemKind::resource_template, entry.item, std::move(*variables)};
        }
    }
    return std::nullopt;
}

std::variant<Page, jsonrpc::Error> Catalog::list(ItemKind kind, Revision revision, std::optional<std::string_view> cursor) const {
    const Shelf& shelf = *shelves_[index_of(kind)];
    if (!cursor) {
        return shelf.display(kind, revision, page_size_).first_page;
    }
    const auto read = read_cursor(*cursor);
    if (!read || read->kind != kind) {
        return jsonrpc::Error{jsonrpc::invalid_params, fmt::format("Invalid cursor for {}", list_names[index_of(kind)]), {}};
    }
    // The item may have gone meanwhile; those behind it have then moved up by one.
    const auto last = shelf.by_name.find(read->last);
    const std::size_t begin = last != shelf.by_name.end() ? last->second + 1 : std::min(read->shown - 1, shelf.entries.size());
    return shelf.page(kind, shelf.display(kind, revision, page_size_).items, begin, page_size_);
}

}  // namespace durable_mcp::mcp
