// SPDX-License-Identifier: Apache-2.0
#pragma once

// What clients ask of tasks, in both forms: the extension's of 2026-07-28 and the experimental one of 2025-11-25. A task is a handle on a call: while
// the call is on its way it is asked there, afterwards in the store. Whoever is not its owner is told that there is no such task. Loop only.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/leg_desk.hpp"
#include "runtime/task_view.hpp"

namespace durable_mcp::runtime {

class CallRegistry;
class Listeners;

class TaskDesk {
public:
    TaskDesk(CallRegistry& calls, Listeners& listeners, std::shared_ptr<Services> services)
        : calls_(calls), listeners_(listeners), services_(std::move(services)) {}

    void take(Asker asker, mcp::AskTask ask);
    /// A call of revision 2025-11-25 that its client wants as a task: answered with the task when that is on disk.
    void begin(Asker asker, mcp::StartCall start);
    /// Whoever listens hears of it.
    void changed(const std::shared_ptr<Call>& call);
    /// Of these ids those of tasks that are that owner's, in their order. `then` on the loop, also after the stop has begun.
    void pick(const std::string& owner, const std::vector<std::string>& tasks,
              std::function<void(const base::Result<std::vector<std::string>>&)> then);
    /// What a new listener asked to hear of, as it is now: to all who listen for these tasks.
    void show(const std::string& owner, const std::vector<std::string>& tasks);
    /// The time of its handle was over at `now`: it is taken back, unless somebody waits for it or can still come for it otherwise.
    void give_up(const std::shared_ptr<Call>& call, std::int64_t now);

private:
    /// A task as it is: from memory or from the store.
    struct Known {
        mcp::TaskView view;
        std::string owner;
        std::uint32_t reach = 0;
        std::vector<mcp::Question> questions;
        std::string answer;                  ///< the recorded response; "" while there is none
        jsonrpc::Id request;
        mcp::Revision revision = mcp::stateless_revision;
    };
    using Found = std::function<void(const base::Result<std::optional<Known>>&)>;
    void find(const std::string& task, Found found);
    [[nodiscard]] Known know(Call& call) const;
    [[nodiscard]] static base::Result<std::optional<Known>> read(store::Store& store, const std::string& task);
    [[nodiscard]] static mcp::TaskDetail detail_of(const Known& known);
    static void settle_status(Known& known, mcp::Revision revision);

    void get(const Asker& asker, const Known& known) const;
    void result(const Asker& asker, const Known& known);
    void cancel(const Asker& asker, const Known& known);
    void update(const Asker& asker, const Known& known, const base::Json& responses);
    void show_begun(const Asker& asker, const std::shared_ptr<Call>& refused);
    void list(const Asker& asker, const std::string& cursor);
    void answer(const Asker& asker, base::Json result) const;
    static void out_of_reach(const Asker& asker);
    static void refuse(const Asker& asker, int code, const std::string& message);

    CallRegistry& calls_;
    Listeners& listeners_;
    const std::shared_ptr<Services> services_;
};

}  // namespace durable_mcp::runtime
