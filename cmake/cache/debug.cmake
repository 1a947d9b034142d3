# SPDX-License-Identifier: Apache-2.0
# cmake -C cmake/cache/debug.cmake -S . -B build/debug: to work on the library itself.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(DURABLE_MCP_WERROR ON CACHE BOOL "")
set(DURABLE_MCP_BUILD_TESTS ON CACHE BOOL "")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON CACHE BOOL "")
