# SPDX-License-Identifier: Apache-2.0
# Every option of the build, and its default. A consumer that adds us as a subdirectory gets the library and nothing else.
option(DURABLE_MCP_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(DURABLE_MCP_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(DURABLE_MCP_BUILD_BENCHMARKS "Build the benchmarks" OFF)
option(DURABLE_MCP_BUILD_FUZZERS "Build the fuzz targets (clang only): everything is compiled for libFuzzer" OFF)
option(DURABLE_MCP_INSTALL "Make an install target" ${PROJECT_IS_TOP_LEVEL})
option(DURABLE_MCP_WERROR "Treat our own warnings as errors" OFF)
# One branch at each point while nobody arms it; the crash suite and durable_mcp/testing.hpp need it.
option(DURABLE_MCP_CRASH_POINTS "Compile named crash points in" ${DURABLE_MCP_BUILD_TESTS})
set(DURABLE_MCP_SANITIZE "" CACHE STRING "Sanitizers for our own code, e.g. address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND PROJECT_IS_TOP_LEVEL)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
