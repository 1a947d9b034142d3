// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "durable_mcp/export.hpp"

namespace durable_mcp {

/// Who called, and what it can be asked: context.client(). In the stateless revision this is what the request said of its client; before, what the
/// session's client said of itself when it began.
class DURABLE_MCP_EXPORT Client {
public:
    /// For the library: {"name":…,"version":…,"revision":…,"capabilities":{…}}.
    explicit Client(std::string_view json);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }          ///< "" if it did not say
    [[nodiscard]] const std::string& version() const noexcept { return version_; }
    [[nodiscard]] const std::string& revision() const noexcept { return revision_; }  ///< of MCP: "2026-07-28"

    [[nodiscard]] bool has_elicitation() const noexcept { return elicitation_; }      ///< by form
    [[nodiscard]] bool has_url_elicitation() const noexcept { return url_elicitation_; }
    [[nodiscard]] bool has_sampling() const noexcept { return sampling_; }
    [[nodiscard]] bool has_sampling_tools() const noexcept { return sampling_tools_; }
    [[nodiscard]] bool has_roots() const noexcept { return roots_; }

private:
    std::string name_;
    std::string version_;
    std::string revision_;
    bool elicitation_ = false;
    bool url_elicitation_ = false;
    bool sampling_ = false;
    bool sampling_tools_ = false;
    bool roots_ = false;
};

}  // namespace durable_mcp
