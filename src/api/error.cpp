// SPDX-License-Identifier: Apache-2.0
// The homes of the public exceptions' virtual functions: one type_info each, however many libraries a program is made of. And what may be said in
// them: what goes to clients, and into the journal, is looked at while it is still known who said it.

#include "durable_mcp/error.hpp"

#include "base/json.hpp"
#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/wait.hpp"

namespace durable_mcp {

ProtocolError::ProtocolError(int code, const std::string& message, std::string data_json)
    : std::runtime_error(message), code_(code), data_(std::move(data_json)) {
    if (!data_.empty() && !base::parse_json(data_, base::stored_json_limits())) {
        throw std::invalid_argument("ProtocolError: the data of \"" + message + "\" must be the text of one JSON value");
    }
}

MissingCapability::MissingCapability(std::string required_json, const std::string& message)
    : std::runtime_error(message), required_(std::move(required_json)) {
    const auto required = base::parse_json(required_, base::stored_json_limits());
    if (!required || !required->is_object()) {
        throw std::invalid_argument("MissingCapability: what is required must be the text of a JSON object");
    }
}

Error::~Error() = default;
WaitExpired::~WaitExpired() = default;
ToolError::~ToolError() = default;
InvalidArguments::~InvalidArguments() = default;
ResourceNotFound::~ResourceNotFound() = default;
ProtocolError::~ProtocolError() = default;
MissingCapability::~MissingCapability() = default;
QuestionRefused::~QuestionRefused() = default;
QuestionExpired::~QuestionExpired() = default;
DuplicateStepError::~DuplicateStepError() = default;
StepMismatchError::~StepMismatchError() = default;
ValueMismatchError::~ValueMismatchError() = default;
StepFailed::~StepFailed() = default;
AtMostOnceFailedBeforeCompleting::~AtMostOnceFailedBeforeCompleting() = default;
Unwind::~Unwind() = default;

namespace detail {
NotEncodable::~NotEncodable() = default;
}  // namespace detail

}  // namespace durable_mcp
