// SPDX-License-Identifier: Apache-2.0
#include "mcp/revision.hpp"

#include <gtest/gtest.h>

#include <string>

namespace durable_mcp::mcp {
namespace {

constexpr Revision all[] = {Revision::r2024_11_05, Revision::r2025_03_26, Revision::r2025_06_18, Revision::r2025_11_25};

TEST(revision, dates_and_revisions_name_each_other_in_the_order_of_time) {
    std::string_view previous;
    for (const Revision revision : all) {
        EXPECT_EQ(traits(revision).revision, revision);
        EXPECT_EQ(revision_from(traits(revision).date), revision);
        EXPECT_LT(previous, traits(revision).date);
        previous = traits(revision).date;
    }
    for (const std::string_view other : {"", "2024-10-07", "2025-11-2", "2025-11-25 ", "2026-07-29", "2099-01-01", "DRAFT"}) {
        EXPECT_FALSE(revision_from(other).has_value()) << other;
    }
}

TEST(revision, initialize_is_answered_with_the_asked_revision_or_the_latest_that_has_sessions) {
    for (const Revision revision : all) {
        EXPECT_EQ(negotiate(traits(revision).date), revision);
    }
    for (const std::string_view other : {"", "2024-10-07", "2026-07-28", "1.0"}) {
        EXPECT_EQ(negotiate(other), Revision::r2025_11_25) << other;
    }
}

TEST(revision, the_traits_are_those_of_the_specification) {
    struct Row {
        Revision revision;
        bool batches, primes_streams, audio, structured, icons, argument_errors_in_band;
    };
    const Row table[] = {
        {Revision::r2024_11_05, true, false, false, false, false, false},
        {Revision::r2025_03_26, true, false, true, false, false, false},
        {Revision::r2025_06_18, false, false, true, true, false, false},
        {Revision::r2025_11_25, false, true, true, true, true, true},
    };
    for (const Row& row : table) {
        const RevisionTraits& known = traits(row.revision);
        EXPECT_EQ(known.batches, row.batches) << known.date;
        EXPECT_EQ(known.primes_streams, row.primes_streams) << known.date;
        EXPECT_EQ(known.audio, row.audio) << known.date;
        EXPECT_EQ(known.structured, row.structured) << known.date;
        EXPECT_EQ(known.icons, row.icons) << known.date;
        EXPECT_EQ(known.argument_errors_in_band, row.argument_errors_in_band) << known.date;
    }
}

TEST(revision, a_method_is_known_from_its_first_revision_to_its_last) {
    struct Row {
        std::string_view name;
        bool known[revision_count];
    };
    const Row table[] = {
        {"initialize", {true, true, true, true, false}},
        {"ping", {true, true, true, true, false}},
        {"logging/setLevel", {true, true, true, true, false}},
        {"resources/subscribe", {true, true, true, true, false}},
        {"resources/unsubscribe", {true, true, true, true, false}},
        {"notifications/initialized", {true, true, true, true, false}},
        {"notifications/cancelled", {true, true, true, true, false}},
        {"notifications/roots/list_changed", {true, true, true, true, false}},
        {"tools/call", {true, true, true, true, true}},
        {"completion/complete", {true, true, true, true, true}},
        {"server/discover", {false, false, false, false, true}},
        {"subscriptions/listen", {false, false, false, false, true}},
        {"tasks/get", {false, false, false, true, true}},
        {"tasks/cancel", {false, false, false, true, true}},
        {"tasks/result", {false, false, false, true, false}},
        {"tasks/list", {false, false, false, true, false}},
        {"tasks/update", {false, false, false, false, true}},
        {"", {}},
        {"tools/Call", {}},
        {"tools/call ", {}},
    };
    for (const Row& row : table) {
        for (std::size_t i = 0; i < revision_count; ++i) {
            const auto revision = static_cast<Revision>(i);
            EXPECT_EQ(method_from(revision, row.name).has_value(), row.known[i]) << row.name << " in " << traits(revision).date;
        }
    }
}

}  // namespace
}  // namespace durable_mcp::mcp
