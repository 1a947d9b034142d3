// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <stdexcept>

namespace durable_mcp::base {

void throw_exception_from_error(const Failure& failure, const boost::source_location&) { throw std::runtime_error(failure.sentence); }

}  // namespace durable_mcp::base
