# SPDX-License-Identifier: Apache-2.0
# What we link against; cmake/install-dependencies.sh installs the same on Debian.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(RE2 REQUIRED)
if(DURABLE_MCP_BUILD_TESTS)
    find_package(GTest 1.12 REQUIRED)
endif()
