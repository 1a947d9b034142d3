// SPDX-License-Identifier: Apache-2.0
// Each server scenario of both versions of the official conformance suite, against a server of its own; and what each revision requires, in
// one run. Nothing is expected to fail: there is no list of exceptions, and must never be one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/suite.hpp"
#include "support/javascript.hpp"

namespace durable_mcp::conformance {
namespace {

// What `list --server` says of version 0.1.16: revisions up to 2025-11-25.
constexpr const char* scenarios_0_1[] = {
    "server-initialize",
    "logging-set-level",
    "ping",
    "completion-complete",
    "tools-list",
    "tools-call-simple-text",
    "tools-call-image",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-mixed-content",
    "tools-call-with-logging",
    "tools-call-error",
    "tools-call-with-progress",
    "tools-call-sampling",
    "tools-call-elicitation",
    "json-schema-2020-12",
    "elicitation-sep1034-defaults",
    "server-sse-polling",
    "server-sse-multiple-streams",
    "elicitation-sep1330-enums",
    "resources-list",
    "resources-read-text",
    "resources-read-binary",
    "resources-templates-read",
    "resources-subscribe",
    "resources-unsubscribe",
    "prompts-list",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-embedded-resource",
    "prompts-get-with-image",
    "dns-rebinding-protection",
};

// Of version 0.2.0-alpha.12, which runs each in the newest revision that it applies to.
constexpr const char* scenarios_0_2[] = {
    "server-initialize",
    "server-session-lifecycle",
    "server-stateless",
    "logging-set-level",
    "ping",
    "completion-complete",
    "tools-list",
    "tools-call-simple-text",
    "tools-call-image",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-mixed-content",
    "tools-call-with-logging",
    "tools-call-error",
    "tools-call-with-progress",
    "tools-call-sampling",
    "tools-call-elicitation",
    "json-schema-2020-12",
    "elicitation-sep1034-defaults",
    "server-sse-polling",
    "server-sse-multiple-streams",
    "elicitation-sep1330-enums",
    "resources-list",
    "resources-read-text",
    "resources-read-binary",
    "resources-templates-read",
    "resources-subscribe",
    "resources-unsubscribe",
    "sep-2164-resource-not-found",
    "sep-2640-skills-directory",
    "sep-2640-skills-enumeration",
    "sep-2640-skills-manifest",
    "prompts-list",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-embedded-resource",
    "prompts-get-with-image",
    "dns-rebinding-protection",
    "caching",
    "http-header-validation",
    "http-custom-header-server-validation",
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-status-notifications",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
    "input-required-result-basic-elicitation",
    "input-required-result-basic-sampling",
    "input-required-result-basic-list-roots",
    "input-required-result-request-state",
    "input-required-result-multiple-input-requests",
    "input-required-result-multi-round",
    "input-required-result-missing-input-response",
    "input-required-result-non-tool-request",
    "input-required-result-result-type",
    "input-required-result-unsupported-methods",
    "input-required-result-tampered-state",
    "input-required-result-capability-check",
    "input-required-result-ignore-extra-params",
    "input-required-result-validate-input",
};

std::string test_name(std::string_view scenario) {
    std::string name(scenario);
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

void expect_nothing_to_complain_of(const Report& report) {
    EXPECT_EQ(report.exit_code, 0) << report.output;
    for (const auto& complaint : report.complaints) {
        ADD_FAILURE() << complaint;
    }
}

void expect_to_pass(const std::string& part, const std::string& scenario) {
    const Report report = run_suite(part, {"--scenario", scenario});
    expect_nothing_to_complain_of(report);
    EXPECT_EQ(report.scenarios, 1) << report.output;
    if (scenario == "tasks-status-notifications" && report.succeeded == 0 && !report.skipped.empty()) {
        GTEST_SKIP() << "the suite has no check for it yet. " << report.skipped.front();
    }
    EXPECT_GT(report.succeeded, 0) << "the suite has checked nothing\n" << report.output;
}

class suite_0_1 : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override { testing_support::require_javascript("conformance_0.1"); }
};

TEST_P(suite_0_1, finds_nothing_to_complain_of) {
    expect_to_pass("conformance_0.1", GetParam());
}

class suite_0_2 : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override { testing_support::require_javascript("conformance_0.2"); }
};

TEST_P(suite_0_2, finds_nothing_to_complain_of) {
    expect_to_pass("conformance_0.2", GetParam());
}

constexpr auto name_of_scenario = [](const testing::TestParamInfo<const char*>& scenario) { return test_name(scenario.param); };
INSTANTIATE_TEST_SUITE_P(scenario, suite_0_1, testing::ValuesIn(scenarios_0_1), name_of_scenario);
INSTANTIATE_TEST_SUITE_P(scenario, suite_0_2, testing::ValuesIn(scenarios_0_2), name_of_scenario);

/// A revision, and how many scenarios are run for it, those that are not scored among them.
struct Required {
    const char* revision;
    int scenarios;
};
void PrintTo(const Required& required, std::ostream* out) {
    *out << required.revision;
}

class requirements : public testing::TestWithParam<Required> {
protected:
    void SetUp() override { testing_support::require_javascript("conformance_0.2"); }
};

TEST_P(requirements, of_this_revision_are_met) {
    const Report report = run_suite("conformance_0.2", {"--requirements", GetParam().revision});
    expect_nothing_to_complain_of(report);
    EXPECT_EQ(report.scenarios, GetParam().scenarios) << report.output;
}

INSTANTIATE_TEST_SUITE_P(revision, requirements, testing::Values(Required{"2025-11-25", 33}, Required{"2026-07-28", 50}),
                         [](const auto& required) { return test_name(required.param.revision); });

template <std::size_t N>
std::set<std::string> names_of(const char* const (&scenarios)[N]) {
    return {scenarios, scenarios + N};
}

TEST(conformance_suites, have_no_scenario_that_is_not_run_here) {
    testing_support::require_javascript("conformance_0.1");
    testing_support::require_javascript("conformance_0.2");
    if (IsSkipped() || HasFatalFailure()) {
        return;
    }
    const auto first = list_scenarios("conformance_0.1");
    const auto second = list_scenarios("conformance_0.2");
    EXPECT_EQ(names_of(scenarios_0_1), std::set<std::string>(first.begin(), first.end()));
    EXPECT_EQ(names_of(scenarios_0_2), std::set<std::string>(second.begin(), second.end()));
}

}  // namespace
}  // namespace durable_mcp::conformance
