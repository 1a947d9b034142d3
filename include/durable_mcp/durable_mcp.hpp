// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that most programs need. nlohmann::json is here for handlers that speak it, and is two thirds of what this header costs to
// compile: a file that does not may include durable_mcp/server.hpp alone.

#include <nlohmann/json.hpp>

#include "durable_mcp/arg.hpp"
#include "durable_mcp/client.hpp"
#include "durable_mcp/codec.hpp"
#include "durable_mcp/completion.hpp"
#include "durable_mcp/content.hpp"
#include "durable_mcp/context.hpp"
#include "durable_mcp/error.hpp"
#include "durable_mcp/form.hpp"
#include "durable_mcp/log.hpp"
#include "durable_mcp/options.hpp"
#include "durable_mcp/prompt.hpp"
#include "durable_mcp/question.hpp"
#include "durable_mcp/resource.hpp"
#include "durable_mcp/retention.hpp"
#include "durable_mcp/sampling.hpp"
#include "durable_mcp/schema.hpp"
#include "durable_mcp/server.hpp"
#include "durable_mcp/server_state.hpp"
#include "durable_mcp/state.hpp"
#include "durable_mcp/step.hpp"
#include "durable_mcp/store.hpp"
#include "durable_mcp/tool.hpp"
#include "durable_mcp/version.hpp"
#include "durable_mcp/wait.hpp"
