# SPDX-License-Identifier: Apache-2.0
# Strict for our own code, silent for whoever includes our headers.
function(durable_mcp_warnings target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
                                             -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wnull-dereference)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        target_compile_options(${target} PRIVATE -Wno-restrict)  # optimised, gcc 12 sees overlaps inside std::string (its bug 105651)
    endif()
    if(DURABLE_MCP_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()
