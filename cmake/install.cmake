# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the library, its headers, a CMake package (find_package(DurableMCP CONFIG)) and a pkg-config file. All are relocatable.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(durable_mcp_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/DurableMCP")

install(TARGETS durable_mcp EXPORT DurableMCPTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/durable_mcp" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# A static archive hands its own dependencies on to whoever links it; a shared library has them inside.
get_target_property(durable_mcp_kind durable_mcp TYPE)
if(durable_mcp_kind STREQUAL "STATIC_LIBRARY")
    set(DURABLE_MCP_FIND_LINK_DEPENDENCIES
        "find_dependency(SQLite3 3.40)\nfind_dependency(spdlog 1.10)\nfind_dependency(fmt 9)\nfind_dependency(RE2)\nfind_dependency(Threads)")
    string(APPEND DURABLE_MCP_FIND_LINK_DEPENDENCIES "\nfind_dependency(OpenSSL 3 COMPONENTS Crypto)")
    set(DURABLE_MCP_PC_REQUIRES
        "Requires: nlohmann_json >= 3.11, spdlog >= 1.10, fmt >= 9, sqlite3 >= 3.40, re2, libcrypto >= 3\nRequires.private:")
    set(DURABLE_MCP_PC_LIBS "Libs: -L\${libdir} -ldurable_mcp -pthread\nLibs.private:")
else()
    set(DURABLE_MCP_FIND_LINK_DEPENDENCIES "find_dependency(Threads)")
    set(DURABLE_MCP_PC_REQUIRES
        "Requires: nlohmann_json >= 3.11\nRequires.private: spdlog >= 1.10, fmt >= 9, sqlite3 >= 3.40, re2, libcrypto >= 3")
    set(DURABLE_MCP_PC_LIBS "Libs: -L\${libdir} -ldurable_mcp\nLibs.private: -pthread")
endif()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/DurableMCPConfig.cmake.in" "${PROJECT_BINARY_DIR}/DurableMCPConfig.cmake"
    INSTALL_DESTINATION "${durable_mcp_cmake_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/DurableMCPConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(EXPORT DurableMCPTargets NAMESPACE DurableMCP:: DESTINATION "${durable_mcp_cmake_dir}")
install(FILES "${PROJECT_BINARY_DIR}/DurableMCPConfig.cmake" "${PROJECT_BINARY_DIR}/DurableMCPConfigVersion.cmake" "${CMAKE_CURRENT_LIST_DIR}/FindRE2.cmake"
    DESTINATION "${durable_mcp_cmake_dir}")

# The .pc file finds its prefix from where it lies, so that a copy of the installed tree works too.
file(RELATIVE_PATH durable_mcp_pc_to_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" durable_mcp_pc_to_prefix "${durable_mcp_pc_to_prefix}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/durable_mcp.pc.in" "${PROJECT_BINARY_DIR}/durable_mcp.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/durable_mcp.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
