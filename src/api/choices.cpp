// SPDX-License-Identifier: Apache-2.0
// Enums as strings, and variants by the kind of JSON that their alternatives are.

#include <stdexcept>

#include "api/bounds.hpp"
#include "api/signatures.hpp"
#include "base/json.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/typed.hpp"

namespace durable_mcp {

using base::Json;

namespace detail {

// ── EnumPlan ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

EnumPlan::EnumPlan(const char* type_signature, const char* signature, std::int64_t first)
    : EnumPlan(type_signature, api::names_of_values(signature, first)) {}

EnumPlan::EnumPlan(const char* type_signature, std::vector<std::pair<std::int64_t, std::string>> names)
    : name_(api::name_of_type(type_signature)), names_(std::move(names)) {
    if (names_.empty()) {
        throw std::invalid_argument("enum " + name_ + " has no enumerators from -32 to 255: specialise durable_mcp::enum_names");
    }
}

std::string EnumPlan::tag() const { return "enum " + name_; }

JsonSchema EnumPlan::schema() const {
    Json names = Json::array();
    for (const auto& [value, name] : names_) {
        names.push_back(name);
    }
    return JsonSchema::from_trusted(Json{{"type", "string"}, {"enum", std::move(names)}}.dump());
}

void EnumPlan::encode(ValueWriter& out, std::int64_t value) const {
    for (const auto& [number, name] : names_) {
        if (number == value) {
            out.string(name);
            return;
        }
    }
    throw NotEncodable("enum " + name_ + " has no enumerator of value " + std::to_string(value));
}

std::int64_t EnumPlan::decode(const ValueView& in) const {
    if (in.json().is_string()) {
        for (const auto& [value, name] : names_) {
            if (name == in.string()) {
                return value;
            }
        }
    }
    in.fail(api::describe(Json::parse(schema().text())));
}

// ── VariantPlan ────────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {

constexpr const char* kind_member = "type";

std::string kind_of(const Json& value) {
    if (value.is_number()) {
        return "number";
    }
    return value.is_null()      ? "null"
           : value.is_boolean() ? "boolean"
           : value.is_string()  ? "string"
           : value.is_array()   ? "array"
                                : "object";
}

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument("std::variant: " + why); }

}  // namespace

VariantPlan::VariantPlan(const Alternative* alternatives, std::size_t count) : alternatives_(alternatives) {
    bool has_structs = false;
    for (std::size_t i = 0; i < count; ++i) {
        const bool is_struct = alternatives[i].plan != nullptr;
        std::string kind;
        if (is_struct) {
            const StructPlan& plan = alternatives[i].plan();
            kind = plan.name();
            if (plan.has_member(kind_member)) {
                refuse("struct " + kind + " has a member \"type\" of its own, which is what tells a variant's structs apart");
            }
        } else {
            kind = std::string(api::type_of(Json::parse(alternatives[i].schema().text())));
            kind = kind == "integer" ? "number" : kind;
            if (kind.empty() && count > 1) {
                refuse("the schema of " + alternatives[i].tag() + " has no single \"type\", so that it cannot be told from other alternatives");
            }
        }
        for (std::size_t k = 0; k < i; ++k) {
            if (kinds_[k] == kind && is_struct_[k] == is_struct) {
                refuse(is_struct ? "two structs are called " + kind
                                 : alternatives[k].tag() + " and " + alternatives[i].tag() + " cannot be told apart: both are the JSON type " + kind);
            }
        }
        has_structs = has_structs || is_struct;
        kinds_.push_back(std::move(kind));
        is_struct_.push_back(is_struct);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (has_structs && !is_struct_[i] && kinds_[i] == "object") {
            refuse(alternatives[i].tag() + " cannot be told from the structs: both are JSON objects");
        }
    }
}

std::string VariantPlan::tag() const {
    std::string tag;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
        tag += (i == 0 ? "" : ",") + alternatives_[i].tag();
    }
    return nested_tag("variant", tag);
}

JsonSchema VariantPlan::schema() const {
    Json each = Json::array();
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
        const JsonSchema schema = is_struct_[i] ? alternatives_[i].plan().schema(kinds_[i]) : alternatives_[i].schema();
        each.push_back(Json::parse(schema.text()));
    }
    return JsonSchema::from_trusted(Json{{"oneOf", std::move(each)}}.dump());
}

std::size_t VariantPlan::which(const ValueView& in) const {
    const std::string kind = kind_of(in.json());
    std::string names;
    std::string expected;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
        if (!is_struct_[i] && (kinds_[i] == kind || kinds_[i].empty())) {
            return i;
        }
        if (is_struct_[i]) {
            names += (names.empty() ? "\"" : ", \"") + kinds_[i] + "\"";
        } else {
            expected += (expected.empty() ? "" : ", or ") + api::describe(Json::parse(alternatives_[i].schema().text()));
        }
    }
    if (!names.empty() && kind == "object") {
        if (!in.has_member(kind_member)) {
            in.refuse_member(kind_member, "is missing: expected one of " + names);
        }
        const ValueView type = in.member(kind_member);
        for (std::size_t i = 0; i < kinds_.size(); ++i) {
            if (is_struct_[i] && type.json() == kinds_[i]) {
                return i;
            }
        }
        type.fail("one of " + names);
    }
    if (!names.empty()) {
        expected += (expected.empty() ? "" : ", or ") + std::string("an object whose \"type\" is one of ") + names;
    }
    in.fail(expected);
}

}  // namespace detail

std::string codec<std::monostate>::tag() { return "nothing"; }
JsonSchema codec<std::monostate>::schema() { return JsonSchema::from_trusted(R"({"type":"null"})"); }
void codec<std::monostate>::encode(ValueWriter& out, std::monostate /*value*/) { out.null(); }
std::monostate codec<std::monostate>::decode(const ValueView& in) {
    if (!in.is_null()) {
        in.fail("null");
    }
    return {};
}

}  // namespace durable_mcp
