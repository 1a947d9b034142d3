// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "durable_mcp/arg.hpp"
#include "durable_mcp/completion.hpp"
#include "durable_mcp/context.hpp"
#include "durable_mcp/detail/binding.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/fwd.hpp"
#include "durable_mcp/options.hpp"
#include "durable_mcp/prompt.hpp"
#include "durable_mcp/resource.hpp"
#include "durable_mcp/schema.hpp"
#include "durable_mcp/server_state.hpp"
#include "durable_mcp/tool.hpp"

namespace durable_mcp {

namespace detail {
/// `{}` in place of a list of names.
struct NoNames {};
class ServerDoor;
}  // namespace detail

/// An MCP server whose calls survive its process.
///
/// **Handlers** are functions or lambdas. Their parameters, but for a `DurableContext&` in any position, are the arguments, in the
/// order of the names; their types are the schema, and are checked before the handler runs: InvalidArguments names the argument and
/// what was expected. A `std::optional` parameter, and one with a default (`arg("limit").by_default(10)`), may be left out. A handler
/// is called by many threads at once. What it throws ends the call: the text of a ToolError is meant for the client (error.hpp tells of the
/// others that are); all else is logged, and the client gets the call's id.
///
/// **Registration** is possible at any time, before start() and while the server runs; clients are told. A name that is taken is
/// std::invalid_argument: `replace_…` replaces. Calls that run keep the handler that they began with; a call that is resumed after a
/// restart uses the one that is registered then, so register everything before start().
///
///     DurableMCP mcp({.name = "bank", .version = "1.0.0", .store = durable_mcp::sqlite("bank.db")});
///     mcp.tool("transfer", "Move money between two accounts.", {"from", "to", arg("cents", "amount in cents").minimum(1)},
///              [](DurableContext& context, std::string from, std::string to, std::int64_t cents) { … });
///     mcp.run();
///
/// *Threads*: every member may be called from any thread, but start(), stop(), run() and the destructor not from a handler.
/// *Errors*: std::invalid_argument for what the program got wrong; durable_mcp::Error for what the world did.
class DURABLE_MCP_EXPORT DurableMCP {
public:
    /// Checks the options; opens nothing. Throws std::invalid_argument, naming the member.
    explicit DurableMCP(Options options);
    /// Stops, as stop() does.
    ~DurableMCP();
    DurableMCP(const DurableMCP&) = delete;
    DurableMCP& operator=(const DurableMCP&) = delete;

    // ── Tools ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Offers a tool. `name`: 1 to 128 of A-Z a-z 0-9 _ - . `names`: one for each parameter of `handler`, in their order.
    template <std::size_t N, class F>
    void tool(std::string_view name, std::string_view description, const Arg (&names)[N], F&& handler, const ToolOptions& options = {}) {
        add_tool(Presence::fresh, name, description, detail::bind<detail::ToolReturn, N>(names, std::forward<F>(handler)), options);
    }
    /// Offers a tool without arguments; or one whose handler takes one struct, the members of which are the arguments
    /// (durable_mcp/typed.hpp). What is returned as a struct has an output schema, and is structured content beside its text.
    ///
    ///     mcp.tool("order", "Orders from the catalogue.", [](DurableContext& context, Order order) -> Receipt { … });
    template <class F>
    void tool(std::string_view name, std::string_view description, F&& handler, const ToolOptions& options = {}) {
        add_tool(Presence::fresh, name, description, detail::bind<detail::ToolReturn, 0>(nullptr, std::forward<F>(handler)), options);
    }
    template <class F>
    void tool(std::string_view name, std::string_view description, detail::NoNames, F&& handler, const ToolOptions& options = {}) {
        tool(name, description, std::forward<F>(handler), options);
    }
    /// Offers a tool whose schema (JSON Schema 2020-12, or draft-07 where `$schema` says so) is written by hand; `handler` takes one nlohmann::json:
    /// an object that fits it. Arguments that do not fit are InvalidArguments before it runs. A schema that cannot be checked in bounded time
    /// (look-around in a pattern, a `$ref` to another document) is std::invalid_argument.
    template <class F>
    void tool(std::string_view name, std::string_view description, const JsonSchema& schema, F&& handler, const ToolOptions& options = {}) {
        add_raw_tool(Presence::fresh, name, description, schema, detail::bind<detail::RawToolReturn, 1>(nullptr, std::forward<F>(handler)), options);
    }

    /// As tool(), and takes the place of the one of that name, if there is one.
    template <std::size_t N, class F>
    void replace_tool(std::string_view name, std::string_view description, const Arg (&names)[N], F&& handler, const ToolOptions& options = {}) {
        add_tool(Presence::replace, name, description, detail::bind<detail::ToolReturn, N>(names, std::forward<F>(handler)), options);
    }
    template <class F>
    void replace_tool(std::string_view name, std::string_view description, F&& handler, const ToolOptions& options = {}) {
        add_tool(Presence::replace, name, description, detail::bind<detail::ToolReturn, 0>(nullptr, std::forward<F>(handler)), options);
    }
    template <class F>
    void replace_tool(std::string_view name, std::string_view description, const JsonSchema& schema, F&& handler, const ToolOptions& options = {}) {
        add_raw_tool(Presence::replace, name, description, schema, detail::bind<detail::RawToolReturn, 1>(nullptr, std::forward<F>(handler)),
                     options);
    }
    /// Withdraws a tool. Returns false where there is none. Calls that run go on.
    bool remove_tool(std::string_view name);

    // ── Prompts ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Offers a prompt. Parameters are std::string or, where they may be left out, std::optional<std::string>; the result is a
    /// PromptResult, or a string: one message of the user.
    template <std::size_t N, class F>
    void prompt(std::string_view name, std::string_view description, const Arg (&names)[N], F&& handler, const PromptOptions& options = {}) {
        add_prompt(Presence::fresh, name, description, detail::bind<detail::PromptReturn, N>(names, std::forward<F>(handler)), options);
    }
    template <class F>
    void prompt(std::string_view name, std::string_view description, F&& handler, const PromptOptions& options = {}) {
        add_prompt(Presence::fresh, name, description, detail::bind<detail::PromptReturn, 0>(nullptr, std::forward<F>(handler)), options);
    }
    template <std::size_t N, class F>
    void replace_prompt(std::string_view name, std::string_view description, const Arg (&names)[N], F&& handler,
                        const PromptOptions& options = {}) {
        add_prompt(Presence::replace, name, description, detail::bind<detail::PromptReturn, N>(names, std::forward<F>(handler)), options);
    }
    template <class F>
    void replace_prompt(std::string_view name, std::string_view description, F&& handler, const PromptOptions& options = {}) {
        add_prompt(Presence::replace, name, description, detail::bind<detail::PromptReturn, 0>(nullptr, std::forward<F>(handler)), options);
    }
    bool remove_prompt(std::string_view name);

    // ── Resources ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Offers what lies under `uri`. The result is a ResourceResult, std::string, Bytes or nlohmann::json.
    ///
    ///     mcp.resource("config://limits", "limits", [] { return read_file("limits.toml"); }, {.mime_type = "application/toml"});
    template <class F>
    void resource(std::string_view uri, std::string_view name, F&& handler, const ResourceOptions& options = {}) {
        add_resource(Presence::fresh, uri, name, detail::bind<detail::ResourceReturn, 0>(nullptr, std::forward<F>(handler)), options);
    }
    template <class F>
    void replace_resource(std::string_view uri, std::string_view name, F&& handler, const ResourceOptions& options = {}) {
        add_resource(Presence::replace, uri, name, detail::bind<detail::ResourceReturn, 0>(nullptr, std::forward<F>(handler)), options);
    }
    bool remove_resource(std::string_view uri);

    /// Offers all that a URI template (RFC 6570) matches; `names` are its variables, each a std::string parameter. It may have `{x}` (one segment),
    /// `{+x}` (anything), `{/x}` (a segment with its '/'), lists of these (`{x,y}`), and at its end a query, `{?x,y}`: that of the URI may have
    /// its parameters in any order, and leave out those whose handler's parameter is a std::optional<std::string> or has a default. Anything else of
    /// RFC 6570 is std::invalid_argument. A value is never empty. It comes percent-decoded from what the client sent, and may hold anything, also "/"
    /// and "..": check it before you make a path of it. A resource() of the very URI comes before templates, and these come in the order in which
    /// they were offered.
    ///
    ///     mcp.resource_template("account://{id}/balance", "balance", {"id"}, [](std::string id) { return balance_of(id); });
    template <std::size_t N, class F>
    void resource_template(std::string_view uri_template, std::string_view name, const Arg (&names)[N], F&& handler,
                           const ResourceOptions& options = {}) {
        add_template(Presence::fresh, uri_template, name, detail::bind<detail::ResourceReturn, N>(names, std::forward<F>(handler)), options);
    }
    template <std::size_t N, class F>
    void replace_resource_template(std::string_view uri_template, std::string_view name, const Arg (&names)[N], F&& handler,
                                   const ResourceOptions& options = {}) {
        add_template(Presence::replace, uri_template, name, detail::bind<detail::ResourceReturn, N>(names, std::forward<F>(handler)), options);
    }
    bool remove_resource_template(std::string_view uri_template);

    // ── Completions ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Offers values for an argument of a prompt while its user types. `handler` takes what is typed so far, and, if it wants to, the arguments
    /// that are filled in already, and returns a std::vector<std::string> or a CompletionResult, the best first; 100 of them are sent.
    ///
    /// The prompt may be registered before or after, but before start(), which refuses a completion of what there is not. It goes with its
    /// prompt. *Durability*: none.
    ///
    ///     mcp.completion("travel", "city", [](std::string typed) { return cities_that_begin_with(typed); });
    template <class F>
    void completion(std::string_view prompt, std::string_view argument, F&& handler) {
        add_completion(Presence::fresh, Completed::prompt, prompt, argument, detail::bind_completion(std::forward<F>(handler)));
    }
    template <class F>
    void replace_completion(std::string_view prompt, std::string_view argument, F&& handler) {
        add_completion(Presence::replace, Completed::prompt, prompt, argument, detail::bind_completion(std::forward<F>(handler)));
    }
    bool remove_completion(std::string_view prompt, std::string_view argument);
    /// The same for a variable of a resource template.
    ///
    ///     mcp.template_completion("account://{id}/balance", "id", [](std::string typed) { return accounts_that_begin_with(typed); });
    template <class F>
    void template_completion(std::string_view uri_template, std::string_view variable, F&& handler) {
        add_completion(Presence::fresh, Completed::uri_template, uri_template, variable, detail::bind_completion(std::forward<F>(handler)));
    }
    template <class F>
    void replace_template_completion(std::string_view uri_template, std::string_view variable, F&& handler) {
        add_completion(Presence::replace, Completed::uri_template, uri_template, variable, detail::bind_completion(std::forward<F>(handler)));
    }
    bool remove_template_completion(std::string_view uri_template, std::string_view variable);

    // ── Signals ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Tells a call of an event from outside: `DurableContext::wait_for_signal<T>(alias, name)` returns `value`, in whatever process the call goes on.
    /// `call_id` is DurableContext::call_id(). The first signal of a name counts; one that nobody waits for yet is kept for the call.
    ///
    /// *Durability*: on disk when this returns `taken`. *Threads*: any, a handler's too; it waits for the disk.
    /// *Errors*: Error(stopped) where the server does not run, and Error(store_full, store_unavailable), in which case nothing was recorded.
    ///
    ///     mcp.signal(order.call_id, "approve", Approval{.by = user});
    template <class T>
    Signalled signal(std::string_view call_id, std::string_view name, const T& value) {
        static_assert(HasCodec<detail::Stored<T>>, "DurableMCP::signal: there is no durable_mcp::codec<T> for the type of this value");
        return send_signal(call_id, name, detail::encode_text(value));
    }
    Signalled signal(std::string_view call_id, std::string_view name) { return send_signal(call_id, name, "null"); }

    // ── Life ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Serves until SIGINT or SIGTERM, then stops with a deadline of ten seconds; a second signal ends the process at once. Installs
    /// handlers for these two signals while it runs, the only member that touches the process. Writes the URL to the log once it
    /// serves.
    /// *Errors*: as start(); and Error with `store_unavailable` when a commit failed in a way that leaves its outcome unknown. Nothing was
    /// answered since; let the program end and be started again, which reads the truth back.
    void run();

    /// Takes the store, listens, recovers what the last process left, and returns when it answers; unfinished calls go on in the
    /// background. Its own thread does the work.
    /// *Errors*: StepFailed for an Options::initialize that threw; Error with `store_locked`, `store_incompatible`, `store_damaged`,
    /// `store_unavailable`, `store_full`, `address_in_use` or `network`;
    /// std::logic_error when it runs already; std::invalid_argument for a completion of a prompt, a template or an argument that there is not.
    /// After a failure it may be started again.
    void start();

    /// Stops: no new call is taken, steps that run may finish until the deadline, the other calls are left to the next start. Returns
    /// when nothing of the server runs any more, but for step callables that outlived the deadline. Does nothing when it does not run.
    /// May be started again.
    void stop(std::chrono::milliseconds deadline = std::chrono::seconds(10));

    /// The maps from outside of any handler, while the server runs: see State.
    [[nodiscard]] State state();

    /// True while calls are answered: from start() to stop(), but for the times in which the store is full, and for good once it is
    /// poisoned.
    [[nodiscard]] bool is_ready() const;
    /// The port it listens on, in this start() or the last one; what the options say before the first.
    [[nodiscard]] std::uint16_t port() const;
    /// "http://127.0.0.1:9991/mcp"
    [[nodiscard]] std::string url() const;

private:
    friend class detail::ServerDoor;
    enum class Presence : std::uint8_t { fresh, replace };
    void add_tool(Presence presence, std::string_view name, std::string_view description, const detail::Binding& binding,
                  const ToolOptions& options);
    void add_raw_tool(Presence presence, std::string_view name, std::string_view description, const JsonSchema& schema,
                      const detail::Binding& binding, const ToolOptions& options);
    void add_prompt(Presence presence, std::string_view name, std::string_view description, const detail::Binding& binding,
                    const PromptOptions& options);
    void add_resource(Presence presence, std::string_view uri, std::string_view name, const detail::Binding& binding,
                      const ResourceOptions& options);
    void add_template(Presence presence, std::string_view uri_template, std::string_view name, const detail::Binding& binding,
                      const ResourceOptions& options);

    enum class Completed : std::uint8_t { prompt, uri_template };
    Signalled send_signal(std::string_view call_id, std::string_view name, const std::string& value);
    void add_completion(Presence presence, Completed of, std::string_view ref, std::string_view argument, const detail::Binding& binding);

    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace durable_mcp
