# SPDX-License-Identifier: Apache-2.0
# cmake -C cmake/cache/asan.cmake -S . -B build/asan: AddressSanitizer and UndefinedBehaviorSanitizer. A first finding ends the test.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1" CACHE STRING "Fast enough for the whole suite, line numbers in the reports")
set(DURABLE_MCP_SANITIZE "address,undefined" CACHE STRING "")
set(DURABLE_MCP_WERROR OFF CACHE BOOL "Instrumented code draws warnings that the plain builds do not")
set(DURABLE_MCP_BUILD_TESTS ON CACHE BOOL "")
