// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/system/result.hpp>

namespace durable_mcp::base {

/// What the world can do to us. (Our own bugs assert; the embedder's mistakes throw std::invalid_argument.)
enum class FailureCode {
    malformed,           ///< the peer's bytes are not what they should be
    too_large,           ///< a limit of base/limits.hpp was reached
    not_found,
    conflict,            ///< somebody else wrote first, or other arguments under the same key
    store_full,          ///< the disk is full: nothing was written, and it may work again later
    store_unavailable,   ///< the store is closed, busy, or poisoned
    store_locked,        ///< another process, or this one, has the store open
    store_damaged,       ///< a checksum or the database itself says that what is on disk is not what was written
    store_incompatible,  ///< written by a newer version, or not ours
    outcome_unknown,     ///< a commit failed in a way that does not tell whether it happened
    address_in_use,      ///< somebody else listens on that address and port
    io,                  ///< any other input or output error
};

/// A failure as a value: what happened, what it means for the data, what to do.
struct Failure {
    FailureCode code;
    std::string sentence;
};

/// Thrown by `Result<T>::value()` on a failure; the library itself asks first.
[[noreturn]] void throw_exception_from_error(const Failure& failure, const boost::source_location& where);

template <class T>
using Result = boost::system::result<T, Failure>;

}  // namespace durable_mcp::base
