// SPDX-License-Identifier: Apache-2.0
// Questions as the runtime puts them, and what their answers mean.

#include "durable_mcp/question.hpp"

#include <stdexcept>

#include "api/form_schema.hpp"
#include "base/json.hpp"
#include "durable_mcp/context.hpp"
#include "durable_mcp/error.hpp"

namespace durable_mcp {

using base::Json;

namespace {

/// What the specification has for params that do not fit; the client's answer is one.
constexpr int invalid_params = -32602;

std::string quote(std::string_view alias) { return "question " + Json(alias).dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string text_of(const std::string& item, const Json& value) {
    base::Result<std::string> text = base::dump_json(value);
    if (!text) {
        throw std::invalid_argument(item + ": " + text.error().sentence);
    }
    return std::move(*text);
}

detail::QuestionRequest make_request(std::string_view alias, const char* method, const Json& params, const Json& needs,
                                     const QuestionOptions& options) {
    const std::string item = quote(alias);
    if (options.deadline && options.deadline->count() <= 0) {
        throw std::invalid_argument(item + ": a deadline is greater than 0");
    }
    return {.alias = std::string(alias), .method = method, .params = text_of(item, params), .needs = needs.dump(), .deadline = options.deadline};
}

[[noreturn]] void refuse_answer(const detail::QuestionRequest& request, const std::string& why) {
    throw QuestionRefused(request.alias, invalid_params,
                          quote(request.alias) + ": what the client sent is no answer to " + request.method + ": " + why +
                              ". This cannot be mended by asking again under this alias");
}

Json read_answer(const detail::QuestionRequest& request, const std::string& answer) {
    base::Result<Json> read = base::parse_json(answer, base::stored_json_limits());
    if (!read || !read->is_object()) {
        refuse_answer(request, "it is not an object");
    }
    return std::move(*read);
}

/// The string of that name, or nothing where it is absent; another type is no answer.
std::string text_in(const detail::QuestionRequest& request, const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) {
        return {};
    }
    if (!found->is_string()) {
        refuse_answer(request, std::string("its \"") + name + "\" is not a string");
    }
    return found->get<std::string>();
}

Action action_in(const detail::QuestionRequest& request, const Json& answer) {
    const std::string action = text_in(request, answer, "action");
    if (action == "accept") {
        return Action::accept;
    }
    if (action == "decline") {
        return Action::decline;
    }
    if (action == "cancel") {
        return Action::cancel;
    }
    refuse_answer(request, "its \"action\" is none of accept, decline and cancel");
}

Elicited<void> read_url(const detail::QuestionRequest& request, const std::string& answer) {
    return {action_in(request, read_answer(request, answer))};
}

Sampled read_sampled(const detail::QuestionRequest& request, const std::string& answer) {
    Json said = read_answer(request, answer);
    const std::string role = text_in(request, said, "role");
    if (role != "user" && role != "assistant") {
        refuse_answer(request, "its \"role\" is neither user nor assistant");
    }
    Json content = said.value("content", Json());
    if (content.is_object()) {
        content = Json::array({std::move(content)});
    }
    if (!content.is_array()) {
        refuse_answer(request, "it has no \"content\"");
    }
    for (const Json& block : content) {
        if (!block.is_object() || !block.value("type", Json()).is_string()) {
            refuse_answer(request, "its \"content\" holds something that is not a content block");
        }
    }
    return {role == "user" ? Role::user : Role::assistant, content, text_in(request, said, "model"), text_in(request, said, "stopReason")};
}

std::vector<Root> read_roots(const detail::QuestionRequest& request, const std::string& answer) {
    const Json said = read_answer(request, answer);
    const Json list = said.value("roots", Json());
    if (!list.is_array()) {
        refuse_answer(request, "it has no \"roots\"");
    }
    std::vector<Root> found;
    for (const Json& root : list) {
        if (!root.is_object() || text_in(request, root, "uri").empty()) {
            refuse_answer(request, "one of its roots has no \"uri\"");
        }
        found.push_back({text_in(request, root, "uri"), text_in(request, root, "name")});
    }
    return found;
}

/// Absolute, http or https, and with a host: what a client may open in a browser.
bool is_web_url(std::string_view url) {
    const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
    return scheme != 0 && url.size() > scheme && url[scheme] != '/' &&
           url.find_first_of(" \t\r\n\"<>\\") == std::string_view::npos && url.find('\x7F') == std::string_view::npos;
}

}  // namespace

namespace detail {

void refuse_value(Action action) {
    throw ToolError(action == Action::decline ? "The user declined to answer, and this tool cannot go on without the answer."
                                              : "The user closed the question without an answer, and this tool cannot go on without one.");
}

QuestionRequest form_request(std::string_view alias, std::string_view message, const JsonSchema& schema, const QuestionOptions& options) {
    base::Result<Json> asked = base::parse_json(schema.text(), base::stored_json_limits());
    if (!asked) {
        throw std::invalid_argument(quote(alias) + ": its schema is not JSON: " + asked.error().sentence);
    }
    return make_request(alias, "elicitation/create",
                        {{"mode", "form"}, {"message", message}, {"requestedSchema", api::form_schema(quote(alias), *asked)}},
                        {{"elicitation", {{"form", Json::object()}}}}, options);
}

Action read_form(const QuestionRequest& request, const std::string& answer, void (*decode)(const ValueView& content, void* into), void* into) {
    const Json said = read_answer(request, answer);
    const Action action = action_in(request, said);
    if (action != Action::accept) {
        return action;
    }
    // A form of which nothing is required may come back without content.
    const Json content = said.value("content", Json::object());
    const Json form = Json::parse(request.params)["requestedSchema"];
    if (const std::string misfit = api::misfit_of(form, content); !misfit.empty()) {
        refuse_answer(request, misfit);
    }
    try {
        decode(ValueView(ValueView::Source::argument, "", content), into);
    } catch (const InvalidArguments& misfit) {
        refuse_answer(request, misfit.what());
    }
    return action;
}

}  // namespace detail

Question<Elicited<Json>> elicitation(std::string_view alias, std::string_view message, const JsonSchema& requested_schema,
                                     const QuestionOptions& options) {
    return {detail::form_request(alias, message, requested_schema, options), &detail::read_elicited<Json>};
}

Question<Elicited<Json>> elicitation(std::string_view alias, std::string_view message, const Form& form, const QuestionOptions& options) {
    return elicitation(alias, message, form.schema(), options);
}

Question<Elicited<void>> url_elicitation(std::string_view alias, std::string_view message, std::string_view url, const QuestionOptions& options) {
    if (!is_web_url(url)) {
        throw std::invalid_argument(quote(alias) + ": the URL must begin with https:// or http:// and a host, and have no spaces");
    }
    return {make_request(alias, "elicitation/create", {{"mode", "url"}, {"message", message}, {"url", url}},
                         {{"elicitation", {{"url", Json::object()}}}}, options),
            &read_url};
}

Question<Sampled> sampling(std::string_view alias, const SamplingRequest& request, const QuestionOptions& options) {
    const Json& params = request.json();
    if (params["messages"].empty()) {
        throw std::invalid_argument(quote(alias) + ": a SamplingRequest needs a message");
    }
    Json needs = Json::object();
    if (params.contains("tools") || params.contains("toolChoice")) {
        needs["tools"] = Json::object();
    }
    if (params.value("includeContext", "none") != "none") {
        needs["context"] = Json::object();
    }
    return {make_request(alias, "sampling/createMessage", params, {{"sampling", std::move(needs)}}, options), &read_sampled};
}

Question<std::vector<Root>> roots(std::string_view alias, const QuestionOptions& options) {
    return {make_request(alias, "roots/list", Json::object(), {{"roots", Json::object()}}, options), &read_roots};
}

// ── DurableContext ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Elicited<Json> DurableContext::elicit(std::string_view alias, std::string_view message, const Form& form, const QuestionOptions& options) {
    return answer(elicitation(alias, message, form, options));
}

Elicited<Json> DurableContext::elicit(std::string_view alias, std::string_view message, const JsonSchema& requested_schema,
                                      const QuestionOptions& options) {
    return answer(elicitation(alias, message, requested_schema, options));
}

Elicited<void> DurableContext::elicit_url(std::string_view alias, std::string_view message, std::string_view url, const QuestionOptions& options) {
    return answer(url_elicitation(alias, message, url, options));
}

Sampled DurableContext::sample(std::string_view alias, const SamplingRequest& request, const QuestionOptions& options) {
    return answer(sampling(alias, request, options));
}

std::vector<Root> DurableContext::list_roots(std::string_view alias, const QuestionOptions& options) { return answer(roots(alias, options)); }

std::vector<std::string> DurableContext::put(const std::vector<detail::QuestionRequest>& questions) {
    std::vector<std::string> answers = port_->ask(questions);
    if (answers.size() != questions.size()) {
        throw std::logic_error("DurableContext: " + std::to_string(questions.size()) + " questions got " + std::to_string(answers.size()) +
                               " answers");
    }
    return answers;
}

}  // namespace durable_mcp
