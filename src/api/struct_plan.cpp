// SPDX-License-Identifier: Apache-2.0
// Structs as JSON objects, and the fields in them.

#include "durable_mcp/detail/struct_plan.hpp"

#include <stdexcept>

#include "api/bounds.hpp"
#include "api/signatures.hpp"
#include "base/json.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp::detail {

using base::Json;

namespace {

constexpr const char* kind_member = "type";

/// A struct within itself would have a tag and a schema without end.
class Nesting {
public:
    explicit Nesting(const std::string& name) {
        constexpr int most = 64;
        if (depth_ == most) {
            throw std::invalid_argument("struct " + name + " contains itself: its schema would have no end. Use nlohmann::json for the inner one");
        }
        ++depth_;
    }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

private:
    static thread_local int depth_;
};
thread_local int Nesting::depth_ = 0;

/// Empty where JSON cannot say it.
template <class Encode>
std::string text_or_nothing(const Encode& encode) {
    ValueWriter out;
    try {
        encode(out);
    } catch (const NotEncodable&) {
        return {};
    }
    return out.take();
}

}  // namespace

// ── StructPlan ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

StructPlan::StructPlan(const char* signature, const MemberRow* rows, std::size_t count, void* initial) : name_(api::name_of_type(signature)) {
    for (const MemberRow* row = rows; row != rows + count; ++row) {
        Member member;
        member.row = row;
        member.name = api::name_of_member(row->signature);
        if (has_member(member.name)) {
            throw std::invalid_argument("struct " + name_ + ": two members are called \"" + member.name + "\"");
        }
        member.default_text = text_or_nothing([&](ValueWriter& out) { row->encode(out, initial); });
        member.is_defaulted = row->is_initialised || (row->is_given != nullptr && row->is_given(initial)) ||
                              member.default_text != text_or_nothing([&](ValueWriter& out) { row->encode_blank(out); });
        if (member.is_defaulted && !member.default_text.empty()) {
            const JsonBox value = JsonBox::parse(member.default_text);
            try {
                row->decode(ValueView(ValueView::Source::argument, member.name, *value), initial);
            } catch (const InvalidArguments& misfit) {
                throw std::invalid_argument("struct " + name_ + ": the initialiser of a member is a value that it refuses itself: " + misfit.what());
            }
        }
        members_.push_back(std::move(member));
    }
}

bool StructPlan::has_member(std::string_view name) const {
    for (const Member& member : members_) {
        if (member.name == name) {
            return true;
        }
    }
    return false;
}

std::string StructPlan::tag() const {
    const Nesting nesting(name_);
    std::string tag = name_ + "{";
    for (const Member& member : members_) {
        tag += &member == &members_.front() ? "" : ",";
        tag += member.name + ":" + member.row->tag();
    }
    return tag + "}";
}

JsonSchema StructPlan::schema(std::string_view kind) const {
    const Nesting nesting(name_);
    Json schema{{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
    Json required = Json::array();
    if (!kind.empty()) {
        schema["properties"][kind_member] = {{"const", kind}};
        required.push_back(kind_member);
    }
    for (const Member& member : members_) {
        const JsonSchema own = member.row->schema();
        Json property = Json::parse(member.says_null() ? nullable_schema(own).text() : own.text());
        if (member.is_defaulted && !member.default_text.empty()) {
            property["default"] = Json::parse(member.default_text);
        }
        schema["properties"][member.name] = std::move(property);
        if (member.required()) {
            required.push_back(member.name);
        }
    }
    if (!required.empty()) {
        schema["required"] = std::move(required);
    }
    return JsonSchema::from_trusted(schema.dump());
}

void StructPlan::encode(ValueWriter& out, const void* whole, std::string_view kind) const {
    out.begin_object();
    if (!kind.empty()) {
        out.member(kind_member);
        out.string(kind);
    }
    for (const Member& member : members_) {
        if (member.row->is_optional && !member.says_null() && member.row->is_nothing(whole)) {
            continue;
        }
        out.member(member.name);
        member.row->encode(out, whole);
    }
    out.end_object();
}

void StructPlan::decode(const ValueView& in, void* whole, std::string_view kind) const {
    std::size_t known = !kind.empty() && in.has_member(kind_member) ? 1 : 0;
    for (const Member& member : members_) {
        if (!in.has_member(member.name)) {
            if (member.required()) {
                const Json schema = Json::parse(member.row->schema().text());
                const std::string description = schema.value("description", "");
                in.refuse_member(member.name, "is missing: expected " + api::describe(schema) + (description.empty() ? "" : " (" + description + ")"));
            }
            continue;
        }
        ++known;
        const ValueView value = in.member(member.name);
        // Clients that fill in every property send null for what they leave out.
        if (value.is_null() && member.is_defaulted && !member.row->is_optional &&
            !api::type_of(Json::parse(member.row->schema().text())).empty()) {
            continue;
        }
        member.row->decode(value, whole);
    }
    if (known != in.json().size()) {
        refuse_unknown(in, kind);
    }
}

void StructPlan::refuse_unknown(const ValueView& in, std::string_view kind) const {
    std::string all;
    for (const Member& member : members_) {
        all += all.empty() ? "\"" : ", \"";
        all += member.name + "\"";
    }
    in.each_member([&](const std::string& key, const ValueView&) {
        if (!has_member(key) && (kind.empty() || key != kind_member)) {
            in.refuse_member(key, "is unknown: expected " + (all.empty() ? "nothing" : "only " + all));
        }
    });
    in.fail("an object");  // not reached: the members were counted
}

// ── FieldPlan ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

FieldPlan::FieldPlan(const JsonSchema& schema, std::string_view description, const std::vector<Keyword>& keywords)
    : schema_(JsonBox::parse(schema.text())) {
    try {
        for (const Keyword& keyword : keywords) {
            api::apply_keyword(*schema_, keyword.keyword, keyword.text);
        }
        api::check_bounds(*schema_);
    } catch (const std::invalid_argument& problem) {
        throw std::invalid_argument("field \"" + std::string(description) + "\": " + problem.what());
    }
    api::set_description(*schema_, std::string(description));
}

JsonSchema FieldPlan::schema() const { return JsonSchema::from_trusted((*schema_).dump()); }

void FieldPlan::check(const ValueView& in) const {
    if (!in.is_null() && !api::keeps_bounds(*schema_, in.json())) {
        in.fail(api::describe(*schema_));
    }
}

}  // namespace durable_mcp::detail
