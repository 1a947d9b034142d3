# SPDX-License-Identifier: Apache-2.0
# Sanitizers reach the library and everything that links it inside this build.
if(DURABLE_MCP_SANITIZE)
    add_compile_options(-fsanitize=${DURABLE_MCP_SANITIZE} -fno-omit-frame-pointer -g1)
    add_link_options(-fsanitize=${DURABLE_MCP_SANITIZE})
endif()
