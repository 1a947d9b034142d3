# SPDX-License-Identifier: Apache-2.0
# Sanitizers instrument everything of this project, and nothing of a project around it: the options are scoped to our own directories.
# Whoever links the library inside this build gets the link option with it (src/CMakeLists.txt), because instrumented objects need it.
if(DURABLE_MCP_SANITIZE)
    add_compile_options(-fsanitize=${DURABLE_MCP_SANITIZE} -fno-omit-frame-pointer)
    if(DURABLE_MCP_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=undefined)  # a report that nobody reads is no test
    endif()
    if(DURABLE_MCP_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-Wno-tsan)  # Asio's fences: TSan does not see them, and says so at each one
    endif()
    add_link_options(-fsanitize=${DURABLE_MCP_SANITIZE})
endif()
if(DURABLE_MCP_BUILD_FUZZERS)
    add_compile_options(-fsanitize=fuzzer-no-link)  # the coverage that leads libFuzzer; only the targets link it
endif()
