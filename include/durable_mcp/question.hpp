// SPDX-License-Identifier: Apache-2.0
#pragma once

// Questions to the client in the middle of a call: to its user (elicitation), to its model (sampling), for its folders (roots).
//
//     auto order = context.elicit<Order>("order", "What may it be?");
//     auto [size, summary] = context.ask(elicitation<Size>("size", "Which size?"), sampling("sum", SamplingRequest(100).user(text)));

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "durable_mcp/codec.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/form.hpp"
#include "durable_mcp/sampling.hpp"
#include "durable_mcp/schema.hpp"

namespace durable_mcp {

struct QuestionOptions {
    /// How long an answer may take, counted from when the question was first put: a restart does not extend it. Then: QuestionExpired.
    /// Unset: as long as the call lives. Not positive: std::invalid_argument.
    ///
    /// A call lives as long as its client can come back for it: in a session, as long as that; as a task, for its `task_ttl`; with an idempotency
    /// key, for `RetentionPolicy::keys` after it began; and that of a client of 2026-07-28 with neither, for `Limits::state_lifetime` after it
    /// was last asked. A call that is given up runs no further, so a handler that has to hear of QuestionExpired needs a deadline before that.
    std::optional<std::chrono::milliseconds> deadline = {};
};

/// What the user did with an elicitation.
enum class Action : std::uint8_t {
    accept,   ///< answered
    decline,  ///< said no
    cancel,   ///< closed it without a choice
};

namespace detail {
[[noreturn]] DURABLE_MCP_EXPORT void refuse_value(Action action);
}  // namespace detail

/// The answer to an elicitation.
template <class T>
struct Elicited {
    Action action = Action::cancel;
    std::optional<T> content = {};  ///< what was filled in, if it was accepted

    [[nodiscard]] bool accepted() const noexcept { return action == Action::accept; }
    /// What was filled in. Throws ToolError where it was not accepted, so that a handler which cannot do without ends in telling so.
    [[nodiscard]] const T& value() const& {
        if (!content) {
            detail::refuse_value(action);
        }
        return *content;
    }
    [[nodiscard]] T value() && {
        if (!content) {
            detail::refuse_value(action);
        }
        return std::move(*content);
    }
};

/// Of one by URL. `accept` says that the user agreed to go there, not that what is there was done.
template <>
struct Elicited<void> {
    Action action = Action::cancel;
    [[nodiscard]] bool accepted() const noexcept { return action == Action::accept; }
};

/// A folder or file that the client's user lets the server work in.
struct Root {
    std::string uri;
    std::string name = {};  ///< "" if the client did not say
};

/// A question that has not been put yet, and how to read its answer as an R. Made by elicitation(), url_elicitation(), sampling(), roots().
template <class R>
class Question {
public:
    using Read = R (*)(const detail::QuestionRequest& request, const std::string& answer);
    Question(detail::QuestionRequest asked, Read reader) : request_(std::move(asked)), read_(reader) {}

    [[nodiscard]] const detail::QuestionRequest& request() const noexcept { return request_; }
    [[nodiscard]] R read(const std::string& answer) const { return read_(request_, answer); }

private:
    detail::QuestionRequest request_;
    Read read_;
};

namespace detail {

[[nodiscard]] DURABLE_MCP_EXPORT QuestionRequest form_request(std::string_view alias, std::string_view message, const JsonSchema& schema,
                                                              const QuestionOptions& options);
/// The action; `content`, if it is accepted, goes through `decode`, whose misfit is the client's: QuestionRefused.
DURABLE_MCP_EXPORT Action read_form(const QuestionRequest& request, const std::string& answer, void (*decode)(const ValueView& content, void* into),
                                    void* into);

template <class T>
constexpr void check_elicited() {
    static_assert(HasCodec<T>,
                  "elicit<T>: there is no durable_mcp::codec<T> for this type: plain structs have one in durable_mcp/typed.hpp; or ask with a "
                  "durable_mcp::Form");
}

template <class T>
Elicited<T> read_elicited(const QuestionRequest& request, const std::string& answer) {
    Elicited<T> elicited;
    elicited.action = read_form(
        request, answer, [](const ValueView& content, void* into) { static_cast<std::optional<T>*>(into)->emplace(codec<T>::decode(content)); },
        &elicited.content);
    return elicited;
}

}  // namespace detail

/// Asks the user to fill in a form, which is the schema of T: a plain struct (typed.hpp) whose members are text, numbers, booleans, enums or
/// arrays of enums, or whatever has a codec with such a schema.
///
/// *Errors*: std::invalid_argument, naming the member, where the schema is not flat.
template <class T>
[[nodiscard]] Question<Elicited<T>> elicitation(std::string_view alias, std::string_view message, const QuestionOptions& options = {}) {
    detail::check_elicited<T>();
    if constexpr (HasCodec<T>) {
        return {detail::form_request(alias, message, codec<T>::schema(), options), &detail::read_elicited<T>};
    }
}
/// The same with a form made by hand, or with a `requestedSchema`; the answer is a JSON object.
[[nodiscard]] DURABLE_MCP_EXPORT Question<Elicited<nlohmann::json>> elicitation(std::string_view alias, std::string_view message, const Form& form,
                                                                                const QuestionOptions& options = {});
[[nodiscard]] DURABLE_MCP_EXPORT Question<Elicited<nlohmann::json>> elicitation(std::string_view alias, std::string_view message,
                                                                                const JsonSchema& requested_schema,
                                                                                const QuestionOptions& options = {});
/// Asks the user to go to `url`, which is http or https: for what must not pass through the client, such as a password or a payment.
[[nodiscard]] DURABLE_MCP_EXPORT Question<Elicited<void>> url_elicitation(std::string_view alias, std::string_view message, std::string_view url,
                                                                          const QuestionOptions& options = {});
[[nodiscard]] DURABLE_MCP_EXPORT Question<Sampled> sampling(std::string_view alias, const SamplingRequest& request,
                                                            const QuestionOptions& options = {});
[[nodiscard]] DURABLE_MCP_EXPORT Question<std::vector<Root>> roots(std::string_view alias, const QuestionOptions& options = {});

}  // namespace durable_mcp
