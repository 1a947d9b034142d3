// SPDX-License-Identifier: Apache-2.0
#pragma once

// The loop's side of questions: what is asked and not answered, by whom it may be answered, what an answer must look like, and that it is on disk
// before anybody hears that it was taken. One question has one answer: the first that is recorded, whatever the way on which it came.

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "jsonrpc/message.hpp"
#include "runtime/alarms.hpp"
#include "runtime/call.hpp"

namespace durable_mcp::runtime {

class CallRegistry;

class QuestionDesk {
public:
    QuestionDesk(CallRegistry& calls, std::shared_ptr<Services> services, std::shared_ptr<Alarms> alarms)
        : calls_(calls), services_(std::move(services)), alarms_(std::move(alarms)) {}

    using Done = std::function<void(const base::Result<store::GroupOutcome>&)>;

    /// A question is on disk and has no answer.
    void asked(const std::shared_ptr<Call>& call, const PendingQuestion& question);
    /// The journal of a call that was found at boot is known: what was said to it before is looked at now.
    void history_loaded(const std::shared_ptr<Call>& call);
    /// The call is over: nobody waits for what came too early.
    void forget(Call& call) { history_over(call); }
    /// The server stops before it has read the histories.
    void refuse_early();

    /// A session's client answers by a response. `done` when the answer is on disk, and at once for one that nobody waits for.
    void take_response(const std::string& session, const std::string& owner, jsonrpc::Response response, Done done);
    /// inputResponses of a stateless client, or of tasks/update: by alias. What is unknown, answered already or no answer is passed over.
    void take_inputs(const std::shared_ptr<Call>& call, const base::Json& responses, Done done);

    /// A stream was resumed behind its questions: whoever resumed it may have lost them.
    void resumed(const std::shared_ptr<Call>& call, std::uint64_t after);

private:
    void history_over(Call& call);
    void record(const std::shared_ptr<Call>& call, const std::string& alias, const base::Json& answer, Done done);
    void ring_at_deadline(const std::shared_ptr<Call>& call, const PendingQuestion& question);
    void expire(const std::shared_ptr<Call>& call, const std::string& alias);
    void put_again(const std::shared_ptr<Call>& call, const std::string& alias);

    CallRegistry& calls_;
    const std::shared_ptr<Services> services_;
    const std::shared_ptr<Alarms> alarms_;
    struct Early {
        std::function<void()> take;
        Done refuse;
    };
    std::unordered_map<std::string, std::vector<Early>> early_;  // by call: what waits for its history
};

}  // namespace durable_mcp::runtime
