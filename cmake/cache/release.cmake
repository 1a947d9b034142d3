# SPDX-License-Identifier: Apache-2.0
# cmake -C cmake/cache/release.cmake -S . -B build/release: the library alone, as it is installed. Crash points are compiled out.
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(DURABLE_MCP_BUILD_TESTS OFF CACHE BOOL "")
set(DURABLE_MCP_BUILD_EXAMPLES OFF CACHE BOOL "")
