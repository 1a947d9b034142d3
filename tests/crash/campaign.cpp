// SPDX-License-Identifier: Apache-2.0
#include "crash/campaign.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "crash/checker.hpp"

namespace durable_mcp::crash {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds until_stopped{10'000};
constexpr int tries_per_point = 4;

std::filesystem::path make_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "dmc-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("mkdtemp");
    }
    return name;
}

}  // namespace

int Report::all_kills() const {
    int sum = 0;
    for (const auto& [point, count] : kills) {
        sum += count;
    }
    return sum;
}

Campaign::Campaign(Plan plan)
    : plan_(std::move(plan)),
      directory_(make_directory()),
      world_(directory_),
      stage_(world_),
      server_(directory_, world_.address(), plan_.bug),
      random_(plan_.seed) {
    stage_.patience = plan_.patience;
    if (!plan_.habits.empty()) {
        stage_.habits = plan_.habits;
    }
    for (int i = 0; i < plan_.clients; ++i) {
        clients_.push_back(std::async(
            std::launch::async, [this, i] { Client(stage_, "c" + std::to_string(i), plan_.seed + static_cast<unsigned>(i)).live(); }));
    }
}

Campaign::~Campaign() {
    stage_.winds_down = true;
    stage_.is_over = true;
    stage_.gives_up = true;
    if (server_.is_alive()) {
        strike();
    }
    clients_.clear();
    if (report_.violations.empty() || !plan_.bug.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    } else {
        std::fprintf(stderr, "the store, the ledger and the server's log are in %s\n", directory_.c_str());
    }
}

void Campaign::run(const std::vector<Blow>& blows) {
    for (const Blow& blow : blows) {
        if (!stage_.accusations().empty()) {
            return;
        }
        deal(blow);
    }
}

bool Campaign::begin(const std::string& crash_at) {
    world_.drain();  // what the dead one has sent comes before what the next one does
    stage_.boot = server_.boots() + 1;
    const bool serves = server_.start(crash_at);
    stage_.port = server_.port();
    return serves;
}

void Campaign::note_end(const End& end, const std::string& point) {
    if (end.was_killed()) {
        ++report_.kills[point];
    } else {
        stage_.accuse("the server ended by itself: " + std::string(end.by_signal ? "signal " : "exit ") + std::to_string(end.number));
    }
}

void Campaign::strike() {
    server_.send(SIGKILL);
    if (const auto end = server_.wait(until_stopped)) {
        note_end(*end, "random");
    } else {
        stage_.accuse("SIGKILL, and the server is still there");
    }
}

void Campaign::deal(const Blow& blow) {
    const auto a_while = [this](int least, int most) {
        std::this_thread::sleep_for(milliseconds(least + static_cast<int>(random_() % static_cast<unsigned>(most - least))));
    };
    if (blow.kind == Blow::Kind::random || blow.kind == Blow::Kind::stop) {
        if (!begin({})) {
            stage_.accuse("the server does not start");
            return;
        }
        a_while(5, 130);
        if (blow.kind == Blow::Kind::random) {
            strike();
            return;
        }
        server_.send(SIGTERM);
        const auto end = server_.wait(until_stopped);
        if (!end || end->by_signal || end->number != 0) {
            stage_.accuse("SIGTERM, and the server does not end well");
            return;
        }
        ++report_.stops;
        return;
    }
    long nth = blow.nth;
    for (int tries = 0; tries < tries_per_point; ++tries) {
        const bool serves = begin(blow.point + ':' + std::to_string(nth));
        if (serves && blow.kind == Blow::Kind::checkpoint) {
            stage_.wants_bulk = 2;
        } else if (serves && blow.kind == Blow::Kind::drain) {
            a_while(20, 100);
            server_.send(SIGTERM);
        }
        const auto end = server_.wait(plan_.until_point);
        if (end) {
            if (end->by_signal || blow.kind != Blow::Kind::drain) {
                note_end(*end, blow.point);
                return;
            }
            if (end->number != 0) {
                stage_.accuse("SIGTERM, and the server ends with " + std::to_string(end->number));
                return;
            }
        } else {
            strike();
        }
        nth = 1;
    }
    std::fprintf(stderr, "%s was not reached\n", blow.point.c_str());
}

std::string Campaign::ask_final_state() {
    Client auditor(stage_, "auditor", 0);
    const auto session = auditor.begin_session();
    if (!session) {
        return {};
    }
    Call call = auditor.make_call(session, "audit", "audit", "{}");
    call.is_second_look = true;
    if (!auditor.perform(call)) {
        return {};
    }
    return nlohmann::json::parse(*call.answer)["result"]["content"][0]["text"].get<std::string>();
}

void Campaign::look_again(std::vector<Call> calls) {
    std::erase_if(calls, [](const Call& call) { return call.session->is_ended; });
    std::vector<Withdrawn> withdrawn = stage_.withdrawn();
    std::erase_if(withdrawn, [](const Withdrawn& one) { return one.call.session->is_ended; });
    std::vector<std::shared_ptr<Session>> listeners = stage_.listeners();
    std::erase_if(listeners, [](const auto& session) { return session->is_ended; });
    std::vector<std::shared_ptr<Session>> buried = stage_.buried();
    Client reader(stage_, "reader", 0);
    const auto visit = [this](auto& things, auto look) {
        std::shuffle(things.begin(), things.end(), random_);
        for (std::size_t i = 0; i < std::min(things.size(), plan_.looked_at_again); ++i) {
            look(things[i]);
        }
    };
    visit(calls, [&](const Call& call) { reader.compare(call); });
    visit(withdrawn, [&](const Withdrawn& one) { reader.compare(one); });
    visit(listeners, [&](const auto& session) { reader.listen_again(session); });
    visit(buried, [&](const auto& session) { reader.look_at_ended(*session); });
}

Report Campaign::finish() {
    if (stage_.accusations().empty() && !server_.is_alive() && !begin({})) {
        stage_.accuse("the last server does not start");
    }
    stage_.winds_down = true;
    const auto until = std::chrono::steady_clock::now() + plan_.patience;
    if (!stage_.accusations().empty()) {
        stage_.is_over = true;
        stage_.gives_up = true;
        if (server_.is_alive()) {
            strike();
        }
    }
    for (auto& client : clients_) {
        if (client.wait_until(until) != std::future_status::ready) {
            stage_.gives_up = true;  // I11
        }
        try {
            client.get();
        } catch (const std::exception& error) {
            stage_.accuse(std::string("a client failed: ") + error.what());
        }
    }
    std::vector<Call> calls = stage_.calls();
    report_.calls = calls.size();
    report_.violations = stage_.accusations();
    if (report_.violations.empty()) {
        look_again(calls);
        const std::string state = ask_final_state();
        report_.violations = stage_.accusations();
        const auto found = find_violations(world_.ledger(), calls, state);
        report_.violations.insert(report_.violations.end(), found.begin(), found.end());
    }
    report_.withdrawn = stage_.withdrawn().size();
    report_.batches = stage_.batches;
    report_.ended = stage_.buried().size();
    for (const auto& session : stage_.listeners()) {
        report_.listened += session->heard;
    }
    for (const Deed& deed : world_.ledger()) {
        report_.effects += deed.kind == Deed::Kind::effect ? 1u : 0u;
    }
    for (const Call& call : calls) {
        report_.asked += call.tool == Tool::ask || call.tool == Tool::keyed_ask ? 1u : 0u;
        report_.keyed += call.tool == Tool::keyed || call.tool == Tool::keyed_ask ? 1u : 0u;
        report_.tasks += call.tool == Tool::task ? 1u : 0u;
        report_.unknown += call.answer->find(R"(\"outcome\":\"unknown\")") != std::string::npos ? 1u : 0u;
    }
    return report_;
}

}  // namespace durable_mcp::crash
