// SPDX-License-Identifier: Apache-2.0
#pragma once

// Questions to the client on the wire (protocol §2.16, §2.17, §3.1): what one looks like in each revision, whether the client declared what it
// takes, and whether what came back is an answer.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "jsonrpc/message.hpp"
#include "mcp/revision.hpp"

namespace durable_mcp::mcp {

/// One question. `params` in the newest form, an object.
struct Question {
    std::string key;     ///< names it within its call: the key in inputRequests
    std::string method;  ///< elicitation/create, sampling/createMessage, roots/list
    base::Json params;
};

/// True if the ClientCapabilities `declared` have everything in `needed`: each of its keys, and so on within them. `"elicitation":{}` means form mode
/// on both sides.
[[nodiscard]] bool has_capability(const base::Json& declared, const base::Json& needed);
/// What remains of the ClientCapabilities `declared` in that revision: elicitation came with 2025-06-18, its URL mode and the tools of sampling with
/// 2025-11-25. A client may declare more than the revision that it agreed to has methods for.
[[nodiscard]] base::Json known_capabilities(Revision revision, base::Json declared);
/// What that revision has no word for in a question, as the end of a sentence, although its method is there: a form of 2025-06-18 has no choice of
/// several values, and no other field asks for the same. Nothing where project_question_params() says all of it.
[[nodiscard]] std::optional<std::string> find_unsayable(Revision revision, std::string_view method, const base::Json& params);

/// The params as that revision knows them: 2025-06-18 has forms only, and titled choices as `enum` and `enumNames`; before 2025-11-25 a sampling
/// message holds one block, so that one with several becomes several.
[[nodiscard]] base::Json project_question_params(Revision revision, std::string_view method, base::Json params);

/// Session era: the text of the request that asks. `task` is the 2025-11-25 task that the call is, if it is one. In 2025-11-25 an elicitation
/// in URL mode that brings no elicitationId gets `id` as one.
[[nodiscard]] std::string write_question(const jsonrpc::Id& id, Revision revision, const Question& question,
                                         const std::optional<std::string>& task = std::nullopt);

/// The member `inputRequests` of InputRequiredResult and of tasks: key → request.
[[nodiscard]] base::Json input_requests(std::span<const Question> questions);
/// 2026-07-28: InputRequiredResult. At least one of both has to be there. Not yet identified: see identify() in projection.hpp.
[[nodiscard]] base::Json input_required(std::span<const Question> questions, const std::optional<std::string>& request_state);

/// Null if `result` answers the question that was put with `params`: an ElicitResult whose content is what the requested schema asks for, a
/// CreateMessageResult, a ListRootsResult. Else a sentence that says what is wrong with it.
[[nodiscard]] std::optional<std::string> check_answer(std::string_view method, const base::Json& params, const base::Json& result);

}  // namespace durable_mcp::mcp
