# SPDX-License-Identifier: Apache-2.0
# Strict for our own code, silent for whoever includes our headers.
function(durable_mcp_warnings target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
                                             -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wnull-dereference)
    if(DURABLE_MCP_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()
