// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <thread>

namespace conformance {

/// Stands for work that takes so long.
inline void pause(std::chrono::milliseconds time) {
    std::this_thread::sleep_for(time);
}

}  // namespace conformance
