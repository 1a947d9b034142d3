// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/content.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/prompt.hpp"

namespace durable_mcp {

/// What the client's model is asked (sampling/createMessage). The client may change any of it, and shows it to its user.
///
///     SamplingRequest(200).user("Sum this up: " + text).system_prompt("You are terse.").hint("haiku").temperature(0)
///
/// Sampling is deprecated since 2026-07-28 (SEP-2577) and works until 2027-07-28 at least.
class DURABLE_MCP_EXPORT SamplingRequest {
public:
    /// `max_tokens`: how much the model may say at most; greater than 0, or std::invalid_argument.
    explicit SamplingRequest(std::int64_t max_tokens);

    SamplingRequest& add(Role role, const Content& content);
    /// One message of several blocks, which only revisions from 2025-11-25 on have.
    SamplingRequest& add(Role role, const std::vector<Content>& content);
    SamplingRequest& user(std::string_view text);
    SamplingRequest& assistant(std::string_view text);
    SamplingRequest& system_prompt(std::string_view text);
    SamplingRequest& temperature(double value);  ///< finite and not negative, or std::invalid_argument
    SamplingRequest& stop_sequences(const std::vector<std::string>& sequences);

    /// A model that would do, or a part of its name; the first hint counts most.
    SamplingRequest& hint(std::string_view model);
    /// How much each matters, from 0 to 1, or std::invalid_argument.
    SamplingRequest& cost_priority(double value);
    SamplingRequest& speed_priority(double value);
    SamplingRequest& intelligence_priority(double value);

    /// Tools for the model, as a JSON array of Tool objects, and the ToolChoice ({"mode":"auto"}). Needs a client that has declared
    /// `sampling.tools`; std::invalid_argument for another kind of JSON.
    SamplingRequest& tools(const nlohmann::json& list);
    SamplingRequest& tool_choice(const nlohmann::json& choice);
    /// "none", "thisServer" or "allServers". All but "none" are deprecated, and need a client that has declared `sampling.context`.
    SamplingRequest& include_context(std::string_view which);
    /// For the model's provider, an object.
    SamplingRequest& metadata(const nlohmann::json& object);

    /// The params of sampling/createMessage, newest form.
    [[nodiscard]] const nlohmann::json& json() const noexcept { return *params_; }

private:
    SamplingRequest& priority(const char* name, double value);
    detail::JsonBox params_;
};

/// What the client's model said.
class DURABLE_MCP_EXPORT Sampled {
public:
    /// For the library.
    Sampled(Role role, const nlohmann::json& content, std::string model, std::string stop_reason);

    [[nodiscard]] Role role() const noexcept { return role_; }
    /// Which model it was.
    [[nodiscard]] const std::string& model() const noexcept { return model_; }
    /// "endTurn", "stopSequence", "maxTokens", "toolUse" or the provider's own; "" if the client did not say.
    [[nodiscard]] const std::string& stop_reason() const noexcept { return stop_reason_; }
    /// All text blocks, one after the other.
    [[nodiscard]] std::string text() const;
    /// All content blocks: an array, also where the client sent one block.
    [[nodiscard]] const nlohmann::json& content() const noexcept { return *content_; }

private:
    Role role_;
    std::string model_;
    std::string stop_reason_;
    detail::JsonBox content_;
};

}  // namespace durable_mcp
