// SPDX-License-Identifier: Apache-2.0
#pragma once

// The narrow door between the templates of the public headers and the library: everything typed has become JSON text here.
// Not for users: it may change with every release.

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "durable_mcp/export.hpp"

namespace durable_mcp::detail {

/// A value that JSON cannot hold: text that is not UTF-8, NaN, infinity. A step's body that throws it has returned, but its value cannot be
/// recorded: an at_most_once step is "failed: not encodable".
class DURABLE_MCP_EXPORT NotEncodable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~NotEncodable() override;
};

enum class StepKind : std::uint8_t { at_least_once, at_most_once };

/// Runs a step's callable; returns its value as JSON text, or throws.
using StepRun = std::function<std::string(std::stop_token)>;

/// How a step that throws is tried again: durable_mcp::RetryPolicy, checked.
struct StepRetry {
    std::uint32_t attempts = 1;  ///< 0: without end
    std::chrono::milliseconds initial{0};
    std::chrono::milliseconds maximum{0};
    double factor = 1;
    double jitter = 0;
    const std::function<bool(const std::exception_ptr&)>* retry_if = nullptr;  ///< null: always
};

/// What a receiver says of a step that was interrupted; `value` is JSON text.
struct StepOutcome {
    enum class Word : std::uint8_t { done, not_done, unknown } word = Word::unknown;
    std::string value;
};

/// One step as the library sees it.
struct StepRequest {
    StepKind kind = StepKind::at_least_once;
    std::string_view alias;
    std::string_view type;                                     ///< type tag of the result: codec<T>::tag()
    const StepRun* body = nullptr;
    const std::function<bool(const std::exception_ptr&)>* is_retryable = nullptr;  ///< at_most_once; null: nothing is
    const std::function<StepOutcome(std::string_view key)>* reconcile = nullptr;   ///< at_most_once; null: nobody can be asked
    StepRetry retry = {};                                      ///< at_least_once
    std::chrono::milliseconds timeout{0};                      ///< of one try; 0: none
    bool takes_stop = false;                                   ///< the callable looks at its stop token
};

/// Several at_least_once steps that run side by side.
struct ParallelRequest {
    std::string_view alias;
    std::string_view type;                                     ///< of each result
    std::vector<const StepRun*> branches;                      ///< known by their place
    std::size_t limit = 0;                                     ///< 0: all at once
    bool settles_all = false;                                  ///< a failure stops nobody
    StepRetry retry = {};
    std::chrono::milliseconds timeout{0};
    bool takes_stop = false;
};
struct BranchOutcome {
    std::string value;
    std::exception_ptr failure;                                ///< a StepFailed; null where there is a value
};

/// One question to the client. Its answer is the result of the client's response, as JSON text.
struct QuestionRequest {
    std::string alias;     ///< unique among the call's steps and questions; the key under which a stateless client is asked
    std::string method;    ///< "elicitation/create", "sampling/createMessage", "roots/list"
    std::string params;    ///< JSON object, in the newest form
    std::string needs;     ///< JSON object: the ClientCapabilities that it takes, such as {"elicitation":{"form":{}}}
    std::optional<std::chrono::milliseconds> deadline;  ///< counted from when it was first asked
};

/// How long to sleep: a span, or until a time of day.
struct SleepRequest {
    std::optional<std::chrono::milliseconds> span;
    std::int64_t until_ms = 0;  ///< since the Unix epoch, where there is no span
};

/// A condition that is waited for.
struct UntilRequest {
    const std::function<std::optional<std::string>()>* condition = nullptr;  ///< the value as JSON text once it holds
    std::optional<std::chrono::milliseconds> deadline;
    bool changes = false;  ///< holds when the value is another one than in the iteration before
};

/// What one iteration of a loop came to: a carry, or the loop's value, as JSON text.
struct LoopStep {
    bool is_done = false;
    std::string text;
};
struct LoopRequest {
    std::string carry_type;
    std::string initial;  ///< JSON text
    const std::function<LoopStep(const std::string& carry)>* iteration = nullptr;
    std::chrono::milliseconds interval{0};
};

/// Rows of a map as the templates see them: key, and the value's JSON text.
using MapRows = std::vector<std::pair<std::string, std::string>>;

struct MapRangeRequest {
    std::string start;
    std::optional<std::string> end;
    std::size_t limit = 0;      ///< 0: the library's own limit
    bool reverse = false;
};

/// Whose a map is.
enum class MapScope : std::uint8_t {
    server,
    user,
    session,
    call,
    session_value,  ///< the session's one typed value, in a map that no name reaches
};

/// Under which name a map is kept, of any owner: a session's id, a principal, a call's id. Throws std::invalid_argument for a name that begins with
/// '$', which is ours.
[[nodiscard]] DURABLE_MCP_EXPORT std::string kept_map_name(MapScope scope, std::string_view owner, std::string_view name);

/// The maps inside a transaction: reads are remembered and validated at commit, writes are buffered. Maps are named as they are kept.
class DURABLE_MCP_EXPORT TransactionPort {
public:
    virtual ~TransactionPort();
    /// Under which name a map of the call's own user, session or call is kept. Throws Error where there is none, std::invalid_argument.
    [[nodiscard]] virtual std::string map_name(MapScope scope, std::string_view name) const = 0;
    virtual std::optional<std::string> map_get(std::string_view map, std::string_view key) = 0;
    virtual MapRows map_range(std::string_view map, const MapRangeRequest& range) = 0;
    virtual std::uint64_t map_count(std::string_view map) = 0;
    virtual void map_put(std::string_view map, std::string_view key, std::string value) = 0;
    virtual void map_erase(std::string_view map, std::string_view key) = 0;
    /// Nothing is absent, or erases. True if it was `expected`, and is `desired` now.
    virtual bool map_compare_and_set(std::string_view map, std::string_view key, const std::optional<std::string>& expected,
                                     std::optional<std::string> desired);
};

/// The maps from outside of any handler: each member is on disk when it returns.
class DURABLE_MCP_EXPORT StatePort : public TransactionPort {
public:
    ~StatePort() override;
    virtual std::string transact(const std::function<std::string(TransactionPort&)>& body) = 0;
};

/// One attempt of one call, on its handler's thread. Any member may throw durable_mcp::Unwind, durable_mcp::Error or std::logic_error.
class CallPort {
public:
    virtual ~CallPort() = default;

    virtual std::string step(const StepRequest& request) = 0;
    /// As many outcomes as branches, in their order. Throws the first StepFailed unless `settles_all`.
    virtual std::vector<BranchOutcome> parallel(const ParallelRequest& request) = 0;
    virtual std::int64_t now_ms(std::string_view alias) = 0;
    /// Below `below`, or any where there is none.
    virtual std::uint64_t random(std::string_view alias, std::optional<std::uint64_t> below) = 0;
    virtual std::string uuid(std::string_view alias) = 0;
    virtual void retry_later(std::chrono::milliseconds delay) = 0;  ///< always leaves
    virtual std::string transact(std::string_view alias, std::string_view type, const std::function<std::string(TransactionPort&)>& body) = 0;

    /// As TransactionPort::map_name.
    [[nodiscard]] virtual std::string map_name(MapScope scope, std::string_view name) const = 0;
    virtual std::optional<std::string> map_get(std::string_view map, std::string_view key, bool live) = 0;
    virtual MapRows map_range(std::string_view map, const MapRangeRequest& range, bool live) = 0;
    virtual std::uint64_t map_count(std::string_view map, bool live) = 0;
    virtual void map_put(std::string_view map, std::string_view key, std::string value) = 0;
    virtual void map_erase(std::string_view map, std::string_view key) = 0;
    virtual bool map_compare_and_set(std::string_view map, std::string_view key, const std::optional<std::string>& expected,
                                     std::optional<std::string> desired) = 0;

    virtual void report_progress(double progress, std::optional<double> total, std::string_view message) = 0;
    virtual void log(int level, std::string_view data_json, std::string_view logger) = 0;   ///< level: 0 debug … 7 emergency
    virtual void send_list_changed(std::string_view list) = 0;    ///< "tools", "prompts", "resources"
    virtual void send_resource_updated(std::string_view uri) = 0;

    /// Puts all of these questions at once and returns their answers in order. Throws MissingCapability before any is put, QuestionRefused,
    /// QuestionExpired.
    virtual std::vector<std::string> ask(const std::vector<QuestionRequest>& questions) = 0;
    virtual void sleep(std::string_view alias, const SleepRequest& request) = 0;
    /// Nothing when the deadline was first.
    virtual std::optional<std::string> wait_for_signal(std::string_view alias, std::string_view type, std::string_view name,
                                                       std::optional<std::chrono::milliseconds> deadline) = 0;
    /// Nothing when the deadline was first.
    virtual std::optional<std::string> until(std::string_view alias, std::string_view type, const UntilRequest& request) = 0;
    virtual std::string loop(std::string_view alias, std::string_view type, const LoopRequest& request) = 0;

    /// From here on the call is a task, if its client can have one. True if it is one.
    virtual bool become_task() = 0;
    /// {"name":…,"version":…,"revision":…,"capabilities":{…}} of the client that asked.
    [[nodiscard]] virtual std::string client_json() const = 0;

    virtual std::string idempotency_key(std::string_view alias) = 0;
    [[nodiscard]] virtual std::string_view call_id() const = 0;
    [[nodiscard]] virtual std::uint32_t attempt() const = 0;
    [[nodiscard]] virtual bool is_replaying() const = 0;
    [[nodiscard]] virtual bool cancelled() const = 0;
};

}  // namespace durable_mcp::detail
