// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <future>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "crash/client.hpp"
#include "crash/server_process.hpp"
#include "crash/world.hpp"

namespace durable_mcp::crash {

/// One way for a server to end.
struct Blow {
    enum class Kind : std::uint8_t {
        point,       ///< SIGKILL by itself at a named point
        checkpoint,  ///< the same, with enough written that a checkpoint is due
        drain,       ///< the same, after SIGTERM
        random,      ///< SIGKILL from outside
        stop,        ///< SIGTERM, and it must end well
    };
    Kind kind = Kind::random;
    std::string point;
    long nth = 1;
};

struct Report {
    std::map<std::string, int> kills;  ///< by point; "random" for those from outside
    int stops = 0;                     ///< ends in good order
    std::size_t calls = 0;
    std::size_t effects = 0;
    std::size_t unknown = 0;  ///< at_most_once steps that were interrupted
    std::size_t withdrawn = 0;  ///< calls that were taken back before they were answered
    std::size_t batches = 0;
    std::size_t asked = 0;      ///< answered calls that had asked their clients
    std::size_t keyed = 0;      ///< and that were reached by their key
    std::size_t tasks = 0;
    std::size_t ended = 0;      ///< sessions that their clients ended
    std::size_t listened = 0;   ///< events of standalone streams
    std::vector<std::string> violations;

    [[nodiscard]] int all_kills() const;
};

/// Clients at work on one store, whose server is struck down again and again.
class Campaign {
public:
    struct Plan {
        std::string bug = {};  ///< planted in the server; "" none
        int clients = 6;
        unsigned seed = 1;
        std::chrono::milliseconds patience{30'000};  ///< for one word from a server that is there, and for everything to end in the end
        std::chrono::milliseconds until_point{2'500};  ///< what is not reached by then is not reached by what the clients do
        std::size_t looked_at_again = 300;           ///< calls, streams and ended sessions that are asked for once more when all is over
        std::vector<Habit> habits = {};              ///< what the clients do; empty: everything
    };
    explicit Campaign(Plan plan);
    ~Campaign();

    /// Deals the blows, as long as nobody is accused.
    void run(const std::vector<Blow>& blows);
    /// Lets a last server bring everything to its end, and judges.
    Report finish();

    [[nodiscard]] ServerProcess& server() { return server_; }

private:
    void deal(const Blow& blow);
    bool begin(const std::string& crash_at);  // true when it serves
    void note_end(const End& end, const std::string& point);
    void strike();
    void look_again(std::vector<Call> calls);
    std::string ask_final_state();

    const Plan plan_;
    const std::filesystem::path directory_;
    World world_;
    Stage stage_;
    ServerProcess server_;
    std::mt19937 random_;
    std::vector<std::future<void>> clients_;
    Report report_;
};

}  // namespace durable_mcp::crash
