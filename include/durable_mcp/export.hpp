// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Marks what a shared build of the library shows to its users; everything else stays hidden.
#if defined(__GNUC__)
#define DURABLE_MCP_EXPORT __attribute__((visibility("default")))
#else
#define DURABLE_MCP_EXPORT
#endif
