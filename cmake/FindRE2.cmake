# SPDX-License-Identifier: Apache-2.0
# RE2::RE2. RE2 brings a CMake package of its own from 2023 on; Debian 12 has an older one. Installed beside DurableMCPConfig.cmake, for users of
# the static library.
find_package(re2 CONFIG QUIET)
if(TARGET re2::re2)
    if(NOT TARGET RE2::RE2)
        add_library(RE2::RE2 INTERFACE IMPORTED)
        set_target_properties(RE2::RE2 PROPERTIES INTERFACE_LINK_LIBRARIES re2::re2)
    endif()
    set(RE2_FOUND TRUE)
    return()
endif()

find_path(RE2_INCLUDE_DIR re2/re2.h)
find_library(RE2_LIBRARY re2)
mark_as_advanced(RE2_INCLUDE_DIR RE2_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(RE2 REQUIRED_VARS RE2_LIBRARY RE2_INCLUDE_DIR)
if(RE2_FOUND AND NOT TARGET RE2::RE2)
    add_library(RE2::RE2 UNKNOWN IMPORTED)
    set_target_properties(RE2::RE2 PROPERTIES IMPORTED_LOCATION "${RE2_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${RE2_INCLUDE_DIR}")
endif()
