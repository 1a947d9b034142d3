# SPDX-License-Identifier: Apache-2.0
# Strict for our own code, silent for whoever includes our headers.
function(durable_mcp_warnings target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
                                             -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # Optimised, gcc 12 finds overlaps inside std::string (its bug 105651) and, with -Wnull-dereference, null pointers inside Asio and
        # libstdc++: both wrong, in code that is not ours. clang's analysis of null does not depend on the optimiser.
        target_compile_options(${target} PRIVATE -Wno-restrict)
    else()
        target_compile_options(${target} PRIVATE -Wnull-dereference)
    endif()
    if(DURABLE_MCP_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()
