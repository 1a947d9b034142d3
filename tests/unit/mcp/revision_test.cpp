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
    for (const std::string_view other : {"", "2024-10-07", "2025-11-2", "2025-11-25 ", "2026-07-28", "2099-01-01", "DRAFT"}) {
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

TEST(revision, no_revision_with_sessions_knows_the_methods_of_the_stateless_one) {
    for (const Revision revision : all) {
        for (const std::string_view name :
             {"server/discover", "subscriptions/listen", "tasks/get", "tasks/update", "", "tools/Call", "tools/call "}) {
            EXPECT_FALSE(method_from(revision, name).has_value()) << name;
        }
    }
}

}  // namespace
}  // namespace durable_mcp::mcp
