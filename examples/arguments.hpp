// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every example does beside its subject: read `--port N`, `--store PATH` and `--ledger PATH`, and serve until it is told to stop.
// A program of your own would say `mcp.run()`.

#include <pthread.h>
#include <signal.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include <durable_mcp/error.hpp>
#include <durable_mcp/server.hpp>

namespace examples {

struct Arguments {
    std::uint16_t port = 9991;  ///< 0: any free one; the line that serve() prints says which
    std::string store;          ///< path of a SQLite file
    std::string ledger;         ///< path of the file in which some examples write down what they have done
};

/// Ends the program with a sentence when it cannot make sense of the command line. `name` is that of the example: "name.db" is its store
/// unless the command line says otherwise.
inline Arguments read_arguments(int count, char** values, const std::string& name) {
    Arguments arguments{.store = name + ".db", .ledger = name + ".ledger"};
    for (int i = 1; i < count; i += 2) {
        const std::string_view option = values[i];
        const std::string value = i + 1 < count ? values[i + 1] : "";
        char* end = nullptr;
        const unsigned long number = std::strtoul(value.c_str(), &end, 10);
        if (option == "--port" && !value.empty() && *end == '\0' && number <= 65535) {
            arguments.port = static_cast<std::uint16_t>(number);
        } else if (option == "--store" && !value.empty()) {
            arguments.store = value;
        } else if (option == "--ledger" && !value.empty()) {
            arguments.ledger = value;
        } else {
            std::fprintf(stderr, "usage: %s [--port N] [--store PATH] [--ledger PATH]\n", name.c_str());
            std::exit(2);
        }
    }
    return arguments;
}

/// Adds a line to the ledger. It stands for what cannot be undone or read back: whoever did something twice has it there twice.
inline void write_down(const std::string& ledger, const std::string& deed) {
    std::ofstream(ledger, std::ios::app) << deed << std::endl;
}

/// Serves until SIGINT or SIGTERM. Says where on one line of standard output, so that a script can wait for it; the log is on standard
/// error. Returns what main() should: 1 if the server could not start.
inline int serve(durable_mcp::DurableMCP& mcp) {
    // Blocked before the server makes its threads, which inherit that: the signals wait for sigwait() below.
    sigset_t asked_to_stop;
    sigemptyset(&asked_to_stop);
    sigaddset(&asked_to_stop, SIGINT);
    sigaddset(&asked_to_stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &asked_to_stop, nullptr);
    try {
        mcp.start();
    } catch (const durable_mcp::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    std::printf("listening on %s\n", mcp.url().c_str());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&asked_to_stop, &signal);
    mcp.stop();
    return 0;
}

}  // namespace examples
