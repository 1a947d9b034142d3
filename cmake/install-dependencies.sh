#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# install-dependencies.sh [library] [tests] [javascript] [fuzz]     (none: library and tests)
#
# Installs what the named parts of the project need, as packages of Debian 12, as root or by sudo. It looks for what the build itself looks for,
# commands and headers, and not for packages: on a machine that has them, from wherever, it does nothing, and says nothing. The JavaScript part
# installs npm only; Node and the clients come from npm (tests/support/js/install).
set -euo pipefail

missing=()

# need PACKAGE COMMAND... : any of the commands will do.
need_command() {
    local package=$1 command
    shift
    for command in "$@"; do
        if command -v "$command" >/dev/null 2>&1; then
            return
        fi
    done
    missing+=("$package")
}

need_header() {
    local package=$1 header=$2 folder
    for folder in /usr/local/include /usr/include "/usr/include/$(uname -m)-linux-gnu"; do
        if [[ -e $folder/$header ]]; then
            return
        fi
    done
    missing+=("$package")
}

# Debian's default Boost is older than what we need, so that the version counts too.
need_boost() {
    local folder version
    for folder in /usr/local/include /usr/include; do
        version=$(sed -n 's/^#define BOOST_VERSION \([0-9]*\).*/\1/p' "$folder/boost/version.hpp" 2>/dev/null || true)
        if [[ -n $version && $version -ge 108100 && -e $folder/boost/beast.hpp ]]; then
            return
        fi
    done
    missing+=(libboost1.81-dev)
}

sections=("$@")
if [[ ${#sections[@]} -eq 0 ]]; then
    sections=(library tests)
fi
for section in "${sections[@]}"; do
    case $section in
    library)
        need_command g++ g++
        need_command cmake cmake
        need_command ninja-build ninja
        need_command make make
        need_command pkg-config pkg-config
        need_boost
        need_header nlohmann-json3-dev nlohmann/json.hpp
        need_header libsqlite3-dev sqlite3.h
        need_header libspdlog-dev spdlog/spdlog.h
        need_header libfmt-dev fmt/format.h
        need_header libxxhash-dev xxhash.h
        need_header libssl-dev openssl/evp.h
        need_header libre2-dev re2/re2.h
        ;;
    tests)
        need_header libgtest-dev gtest/gtest.h
        need_header libgmock-dev gmock/gmock.h
        need_command ccache ccache
        ;;
    javascript)
        need_command npm npm
        need_command nodejs node
        if [[ ! -e /etc/ssl/certs/ca-certificates.crt ]]; then
            missing+=(ca-certificates)
        fi
        ;;
    fuzz)
        need_command clang-14 clang-14 clang
        if ! compgen -G '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*' >/dev/null; then
            missing+=(libclang-rt-14-dev)
        fi
        ;;
    *)
        echo "install-dependencies.sh: there is no part \"$section\": library, tests, javascript, fuzz" >&2
        exit 2
        ;;
    esac
done

if [[ ${#missing[@]} -eq 0 ]]; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "Missing here: ${missing[*]} (names of Debian packages). This system has no apt-get: install them your way." >&2
    exit 1
fi
as_root=()
if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
        echo "Missing here: ${missing[*]}. Neither root nor sudo: let somebody who may run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

echo "Installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Several set-ups may run at once on a new machine, and a mirror may stumble: wait for the lock, try twice more.
run_apt() {
    local try
    for try in 1 2 3; do
        if "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1; then
            return
        fi
        sleep "$try"
    done
    cat "$log" >&2
    echo "apt-get $* failed" >&2
    return 1
}
run_apt update
run_apt install -y --no-install-recommends "${missing[@]}"
