# SPDX-License-Identifier: Apache-2.0
# cmake -C cmake/cache/fuzz.cmake -B build/fuzz : fuzz targets of libFuzzer, with AddressSanitizer and UndefinedBehaviorSanitizer. See tests/fuzz/run.
find_program(DURABLE_MCP_CLANG NAMES clang++-14 clang++ REQUIRED)
set(CMAKE_CXX_COMPILER "${DURABLE_MCP_CLANG}" CACHE FILEPATH "")
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(CMAKE_CXX_FLAGS_RELEASE "-O1 -g1" CACHE STRING "")
set(DURABLE_MCP_SANITIZE "address,undefined" CACHE STRING "")
set(DURABLE_MCP_BUILD_FUZZERS ON CACHE BOOL "")
set(DURABLE_MCP_BUILD_TESTS OFF CACHE BOOL "")
set(DURABLE_MCP_BUILD_EXAMPLES OFF CACHE BOOL "")
