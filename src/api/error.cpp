// SPDX-License-Identifier: Apache-2.0
// The homes of the public exceptions' virtual functions: one type_info each, however many libraries a program is made of.

#include "durable_mcp/error.hpp"

#include "durable_mcp/detail/call_port.hpp"
#include "durable_mcp/wait.hpp"

namespace durable_mcp {

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
NonRetryable::~NonRetryable() = default;
AtMostOnceFailedBeforeCompleting::~AtMostOnceFailedBeforeCompleting() = default;
Unwind::~Unwind() = default;

namespace detail {
NotEncodable::~NotEncodable() = default;
}  // namespace detail

}  // namespace durable_mcp
