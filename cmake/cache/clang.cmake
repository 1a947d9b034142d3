# SPDX-License-Identifier: Apache-2.0
# cmake -C cmake/cache/clang.cmake -S . -B build/clang: the other compiler that we support, from version 14 on.
find_program(DURABLE_MCP_CLANG NAMES clang++-14 clang++ REQUIRED)
set(CMAKE_CXX_COMPILER "${DURABLE_MCP_CLANG}" CACHE FILEPATH "")
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(DURABLE_MCP_WERROR ON CACHE BOOL "")
set(DURABLE_MCP_BUILD_TESTS ON CACHE BOOL "")
