// SPDX-License-Identifier: Apache-2.0
#include "mcp/subscription.hpp"

#include <utility>

#include "mcp/extension.hpp"
#include "mcp/meta_key.hpp"
#include "mcp/projection.hpp"

namespace durable_mcp::mcp {
namespace {

using base::Json;

std::string dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string acknowledge(const jsonrpc::Id& subscription, const ListenFilter& honoured) {
    Json filter = Json::object();
    if (honoured.tools) {
        filter["toolsListChanged"] = true;
    }
    if (honoured.prompts) {
        filter["promptsListChanged"] = true;
    }
    if (honoured.resources) {
        filter["resourcesListChanged"] = true;
    }
    if (!honoured.resource_uris.empty()) {
        filter["resourceSubscriptions"] = honoured.resource_uris;
    }
    if (!honoured.task_ids.empty()) {
        filter[std::string(tasks_extension().listen_key)] = honoured.task_ids;
    }
    return tagged_notification(subscription, "notifications/subscriptions/acknowledged", {{"notifications", std::move(filter)}});
}

std::string tagged_notification(const jsonrpc::Id& subscription, std::string_view method, Json params) {
    if (!params.is_object()) {
        params = Json::object();
    }
    Json& meta = params["_meta"];
    if (!meta.is_object()) {
        meta = Json::object();
    }
    meta[std::string(meta_key::subscription_id)] = Json::parse(subscription.text);
    return jsonrpc::write_notification(method, dump(params));
}

std::string end_of_subscription(const jsonrpc::Id& subscription, const ServerFacts& facts) {
    Json result{{"resultType", "complete"}, {"_meta", {{std::string(meta_key::subscription_id), Json::parse(subscription.text)}}}};
    return jsonrpc::write_result(subscription, dump(identify(facts, std::move(result))));
}

}  // namespace durable_mcp::mcp
