// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "durable_mcp/export.hpp"

namespace durable_mcp {

/// What went wrong in the world around the library.
enum class ErrorCode : std::uint8_t {
    store_locked,        ///< another process holds the store: stop it, or give this one another path
    store_incompatible,  ///< the file is not a store, or a newer release wrote it
    store_damaged,       ///< what is on disk is not what was written; nothing was changed; the message says how to rescue it
    store_unavailable,   ///< the store cannot be opened, or has been closed or poisoned
    store_full,          ///< no space left: nothing was lost, free some; a server that runs goes on by itself
    address_in_use,      ///< somebody else listens on that address and port
    network,             ///< any other failure of the listener
    conflict,            ///< a transaction lost against others too often
    limit_exceeded,      ///< a limit named in the message was reached
    stopped,             ///< the server does not run (any more)
    no_session,          ///< there is no session whose state it could be: the call came without one (2026-07-28), or it has ended
    no_call,             ///< there is no call of that id (any more)
};

/// A failure of the world: the disk, the network, another process. The message says what happened, what it means for the data, what to do.
class DURABLE_MCP_EXPORT Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
    ~Error() override;
    [[nodiscard]] ErrorCode code() const noexcept { return code_; }

private:
    ErrorCode code_;
};

/// The tool says no, in words meant for the client: becomes the text of an `isError` result; of a prompt or a resource, the message of a JSON-RPC
/// error. What other exceptions say stays in the server's log, but for InvalidArguments, ResourceNotFound, ProtocolError and MissingCapability.
///
/// Throw it from the handler. What leaves a step's callable becomes the step's failure (StepFailed), whose words stay in the log too.
class DURABLE_MCP_EXPORT ToolError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~ToolError() override;
};

/// The arguments of a call do not fit the handler: `path` names the wrong one ("cents", "order.items[2]"). The client sees the message.
class DURABLE_MCP_EXPORT InvalidArguments : public std::runtime_error {
public:
    InvalidArguments(std::string path, const std::string& message) : std::runtime_error(message), path_(std::move(path)) {}
    ~InvalidArguments() override;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

/// Thrown by a resource handler: there is nothing under that URI. The client gets the specification's "resource not found".
class DURABLE_MCP_EXPORT ResourceNotFound : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~ResourceNotFound() override;
};

/// The tool ends in a JSON-RPC error of its own, not in a result: for what is wrong with the request rather than with its outcome. `code`: outside
/// of -32768…-32000, which the specification keeps for itself, but for -32602 (invalid params) and -32603 (internal error). `data_json`: the text
/// of one JSON value, or std::invalid_argument; "" for none.
class DURABLE_MCP_EXPORT ProtocolError : public std::runtime_error {
public:
    ProtocolError(int code, const std::string& message, std::string data_json = {});
    ~ProtocolError() override;
    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] const std::string& data() const noexcept { return data_; }  ///< JSON text; "" is none

private:
    int code_;
    std::string data_;
};

/// The client has not declared what a question needs, or the revision that it speaks has no word for it (a choice of several values before
/// 2025-11-25). Nothing was asked. Uncaught it ends the call: in the stateless revision with the
/// specification's -32021, which tells the client what to declare; before, with an `isError` result.
class DURABLE_MCP_EXPORT MissingCapability : public std::runtime_error {
public:
    /// For the library. `required_json`: a JSON object, or std::invalid_argument.
    MissingCapability(std::string required_json, const std::string& message);
    ~MissingCapability() override;
    /// ClientCapabilities as JSON text: {"elicitation":{"form":{}}}
    [[nodiscard]] const std::string& required() const noexcept { return required_; }

private:
    std::string required_;
};

/// The client answered a question with an error, or, in a session, with something that is no answer to it.
///
/// *Replay*: thrown again by every later attempt.
class DURABLE_MCP_EXPORT QuestionRefused : public std::runtime_error {
public:
    QuestionRefused(std::string alias, int code, const std::string& message) : std::runtime_error(message), alias_(std::move(alias)), code_(code) {}
    ~QuestionRefused() override;
    [[nodiscard]] const std::string& alias() const noexcept { return alias_; }
    [[nodiscard]] int code() const noexcept { return code_; }  ///< the client's JSON-RPC error code

private:
    std::string alias_;
    int code_;
};

/// Nobody answered a question before its deadline.
///
/// *Replay*: thrown again by every later attempt, also if the answer came afterwards.
class DURABLE_MCP_EXPORT QuestionExpired : public std::runtime_error {
public:
    QuestionExpired(std::string alias, const std::string& message) : std::runtime_error(message), alias_(std::move(alias)) {}
    ~QuestionExpired() override;
    [[nodiscard]] const std::string& alias() const noexcept { return alias_; }

private:
    std::string alias_;
};

/// An alias was used twice in one attempt. Each step of a call needs a name of its own; in a plain loop: `context.key("charge", i)`.
class DURABLE_MCP_EXPORT DuplicateStepError : public std::logic_error {
public:
    using std::logic_error::logic_error;
    ~DuplicateStepError() override;
};

/// The journal holds a step of that alias, but of another kind or with a result of another type: the handler was changed under a call
/// that had not finished. The entry is untouched. A handler that lets this pass ends its call in an error, as with any exception.
class DURABLE_MCP_EXPORT StepMismatchError : public std::logic_error {
public:
    using std::logic_error::logic_error;
    ~StepMismatchError() override;
};

/// What a map holds under a key is not of the type that was asked for. What is stored is untouched.
class DURABLE_MCP_EXPORT ValueMismatchError : public std::logic_error {
public:
    using std::logic_error::logic_error;
    ~ValueMismatchError() override;
};

/// An at_least_once step or a transaction gave up: its callable threw, or returned what cannot be stored, and that was recorded. The same is
/// thrown on every replay; what the callable threw is nested (std::rethrow_if_nested) only in the attempt in which it happened.
class DURABLE_MCP_EXPORT StepFailed : public std::runtime_error {
public:
    StepFailed(std::string alias, std::string type_name, const std::string& message)
        : std::runtime_error(message), alias_(std::move(alias)), type_name_(std::move(type_name)) {}
    ~StepFailed() override;
    [[nodiscard]] const std::string& alias() const noexcept { return alias_; }
    /// Name of the exception's type, as the compiler that built the recording process spells it.
    [[nodiscard]] const std::string& type_name() const noexcept { return type_name_; }

private:
    std::string alias_;
    std::string type_name_;
};

/// Thrown by the callable of an at_least_once step: trying again is of no use, whatever its RetryPolicy says. The step fails as with any other
/// exception (StepFailed).
class DURABLE_MCP_EXPORT NonRetryable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~NonRetryable() override;
};

/// An at_most_once step will never complete. `cause()` says what is known of its effect.
///
/// *Replay*: thrown again, with the same cause, by every later attempt.
class DURABLE_MCP_EXPORT AtMostOnceFailedBeforeCompleting : public std::runtime_error {
public:
    enum class Cause : std::uint8_t {
        interrupted,  ///< the process died inside the callable: the effect may or may not have happened
        failed,       ///< the callable threw, or returned what cannot be stored; `type_name()` and what() say what
    };
    AtMostOnceFailedBeforeCompleting(Cause cause, std::string alias, std::string type_name, const std::string& message)
        : std::runtime_error(message), cause_(cause), alias_(std::move(alias)), type_name_(std::move(type_name)) {}
    ~AtMostOnceFailedBeforeCompleting() override;
    [[nodiscard]] Cause cause() const noexcept { return cause_; }
    [[nodiscard]] const std::string& alias() const noexcept { return alias_; }
    [[nodiscard]] const std::string& type_name() const noexcept { return type_name_; }

private:
    Cause cause_;
    std::string alias_;
    std::string type_name_;
};

/// Leaves a handler when its call is suspended, cancelled or taken away. Not a std::exception, so that `catch (const std::exception&)` lets
/// it pass. Do not catch it; with `catch (...)`, rethrow. A handler that swallows it is detected and its call fails.
class DURABLE_MCP_EXPORT Unwind {
public:
    enum class Reason : std::uint8_t {
        suspended,    ///< the call goes on later, from its journal
        cancelled,    ///< the client took the call back
        unavailable,  ///< the store cannot take what this attempt did; the call goes on from its journal when it can
    };
    explicit Unwind(Reason reason) noexcept : reason_(reason) {}
    virtual ~Unwind();
    [[nodiscard]] Reason reason() const noexcept { return reason_; }

private:
    Reason reason_;
};

}  // namespace durable_mcp
