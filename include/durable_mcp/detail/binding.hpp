// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a callable to what the library can run: the parameters' types as data, and one virtual function. Not for users.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "durable_mcp/arg.hpp"
#include "durable_mcp/codec.hpp"
#include "durable_mcp/context.hpp"
#include "durable_mcp/detail/signature.hpp"
#include "durable_mcp/export.hpp"
#include "durable_mcp/prompt.hpp"
#include "durable_mcp/resource.hpp"
#include "durable_mcp/tool.hpp"

namespace durable_mcp::detail {

/// One argument of a call, ready to be decoded. A null `value` is an absent one, whose parameter is a std::optional.
struct BoundArgument {
    std::string_view name;
    const nlohmann::json* value = nullptr;
};

/// A parameter's type as data.
struct ParameterType {
    JsonSchema (*schema)() = nullptr;
    bool is_optional = false;
    void (*try_decode)(const ValueView& value) = nullptr;  ///< throws as decoding an argument does: for checking defaults at registration
};

/// A user's callable. Called by many threads at once.
class DURABLE_MCP_EXPORT Handler {
public:
    virtual ~Handler();
    /// `arguments`: one for each parameter but the context, in their order. Writes the result in its newest wire form.
    virtual void run(DurableContext& context, const BoundArgument* arguments, nlohmann::json& result) const = 0;
};

// The values that handlers may return, in the three forms of a result.
DURABLE_MCP_EXPORT void put_tool_result(nlohmann::json& out, const ToolResult& value);
DURABLE_MCP_EXPORT void put_tool_nothing(nlohmann::json& out);
DURABLE_MCP_EXPORT void put_tool_text(nlohmann::json& out, std::string_view value);
DURABLE_MCP_EXPORT void put_tool_json(nlohmann::json& out, const nlohmann::json& value);
DURABLE_MCP_EXPORT void put_tool_value(nlohmann::json& out, std::string json_text);
DURABLE_MCP_EXPORT void put_prompt_result(nlohmann::json& out, const PromptResult& value);
DURABLE_MCP_EXPORT void put_prompt_text(nlohmann::json& out, std::string_view value);
DURABLE_MCP_EXPORT void put_resource_result(nlohmann::json& out, const ResourceResult& value);
DURABLE_MCP_EXPORT void put_resource_text(nlohmann::json& out, std::string_view value);
DURABLE_MCP_EXPORT void put_resource_bytes(nlohmann::json& out, const Bytes& value);
DURABLE_MCP_EXPORT void put_resource_json(nlohmann::json& out, const nlohmann::json& value);

struct ToolReturn {
    template <class R>
    static constexpr bool accepts = std::is_same_v<R, ToolResult> || std::is_same_v<R, Content> || HasCodec<Stored<R>>;
    template <class R>
    static constexpr bool takes = HasCodec<R>;
    template <class R>
    static constexpr bool spreads = HasObjectCodec<R>;
    template <class R>
    static void put(nlohmann::json& out, const R& value) {
        if constexpr (std::is_same_v<R, ToolResult>) {
            put_tool_result(out, value);
        } else if constexpr (std::is_same_v<R, Content>) {
            put_tool_result(out, ToolResult{value});
        } else if constexpr (std::is_same_v<Stored<R>, std::string>) {
            put_tool_text(out, value);
        } else if constexpr (std::is_same_v<R, nlohmann::json>) {
            put_tool_json(out, value);
        } else {
            put_tool_value(out, encode_text(value));
        }
    }
};

/// With a schema written by hand: the arguments as they came.
struct RawToolReturn : ToolReturn {
    template <class R>
    static constexpr bool takes = std::is_same_v<R, nlohmann::json>;
    template <class R>
    static constexpr bool spreads = false;
};

template <class T>
inline constexpr bool is_text = std::is_same_v<T, std::string> || std::is_same_v<T, std::optional<std::string>>;

struct PromptReturn {
    template <class R>
    static constexpr bool accepts = std::is_same_v<R, PromptResult> || std::is_same_v<Stored<R>, std::string>;
    template <class R>
    static constexpr bool takes = is_text<R>;
    template <class R>
    static constexpr bool spreads = false;
    template <class R>
    static void put(nlohmann::json& out, const R& value) {
        if constexpr (std::is_same_v<R, PromptResult>) {
            put_prompt_result(out, value);
        } else {
            put_prompt_text(out, value);
        }
    }
};

struct ResourceReturn {
    template <class R>
    static constexpr bool accepts = std::is_same_v<R, ResourceResult> || std::is_same_v<Stored<R>, std::string> || std::is_same_v<R, Bytes> ||
                                    std::is_same_v<R, nlohmann::json>;
    template <class R>
    static constexpr bool takes = is_text<R>;
    template <class R>
    static constexpr bool spreads = false;
    template <class R>
    static void put(nlohmann::json& out, const R& value) {
        if constexpr (std::is_same_v<R, ResourceResult>) {
            put_resource_result(out, value);
        } else if constexpr (std::is_same_v<R, Bytes>) {
            put_resource_bytes(out, value);
        } else if constexpr (std::is_same_v<R, nlohmann::json>) {
            put_resource_json(out, value);
        } else {
            put_resource_text(out, value);
        }
    }
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// What a parameter of type A is decoded into; the context goes through as it is.
template <class A>
using Held = std::conditional_t<std::is_same_v<A, DurableContext&>, DurableContext&, std::decay_t<A>>;

template <class A>
Held<A> pick(DurableContext& context, const BoundArgument* argument) {
    if constexpr (std::is_same_v<A, DurableContext&>) {
        return context;
    } else if constexpr (is_optional<Held<A>>) {
        if (argument->value == nullptr) {
            return std::nullopt;
        }
        return codec<Held<A>>::decode(ValueView(ValueView::Source::argument, argument->name, *argument->value));
    } else {
        return codec<Held<A>>::decode(ValueView(ValueView::Source::argument, argument->name, *argument->value));
    }
}

template <class T>
constexpr ParameterType parameter_type() {
    // A parameter that may be left out has the schema of its value: clients leave it out rather than send null, though null is understood.
    if constexpr (is_optional<T>) {
        return {&codec<typename T::value_type>::schema, true, [](const ValueView& value) { static_cast<void>(codec<T>::decode(value)); }};
    } else {
        return {&codec<T>::schema, false, [](const ValueView& value) { static_cast<void>(codec<T>::decode(value)); }};
    }
}

template <class Kind, class F, class Signature>
class HandlerOf;

template <class Kind, class F, class R, class... A>
class HandlerOf<Kind, F, Parameters<R, A...>> final : public Handler {
public:
    explicit HandlerOf(F function) : function_(std::move(function)) {}

    void run(DurableContext& context, const BoundArgument* arguments, nlohmann::json& result) const override {
        run(context, arguments, result, std::index_sequence_for<A...>{});
    }

private:
    template <std::size_t... I>
    void run(DurableContext& context, [[maybe_unused]] const BoundArgument* arguments, nlohmann::json& result, std::index_sequence<I...>) const {
        // Braces: decoded from left to right, so that the first misfit is the one that is reported.
        [[maybe_unused]] std::tuple<Held<A>...> held{pick<A>(context, arguments + Parameters<R, A...>::arguments_before(I))...};
        if constexpr (std::is_void_v<R>) {
            function_(static_cast<Held<A>&&>(std::get<I>(held))...);
            put_tool_nothing(result);
        } else {
            Kind::put(result, static_cast<const std::decay_t<R>&>(function_(static_cast<Held<A>&&>(std::get<I>(held))...)));
        }
    }

    F function_;
};

/// What registration is given: types and handler; the names come with it.
struct DURABLE_MCP_EXPORT Binding {
    Binding(const Arg* arg_list, std::size_t arg_count, const ParameterType* type_list, std::shared_ptr<const Handler> callable)
        : args(arg_list), count(arg_count), types(type_list), handler(std::move(callable)) {}
    const Arg* args;
    std::size_t count;
    const ParameterType* types;   ///< static
    std::shared_ptr<const Handler> handler;
    bool spreads = false;                       ///< there are no names, but one parameter, which is all arguments together
    JsonSchema (*result_schema)() = nullptr;    ///< where the result is always an object of this schema
};

template <class Signature>
struct Types;

template <class R, class... A>
struct Types<Parameters<R, A...>> {
    // One row more than needed, since an array cannot be empty.
    template <class A1>
    static constexpr void append(ParameterType* rows, std::size_t& size) {
        if constexpr (!std::is_same_v<A1, DurableContext&>) {
            rows[size++] = parameter_type<std::decay_t<A1>>();
        }
    }
    struct List {
        ParameterType rows[sizeof...(A) + 1];
    };
    static constexpr List make() {
        List made{};
        [[maybe_unused]] std::size_t size = 0;
        (append<A>(made.rows, size), ...);
        return made;
    }
    static constexpr List list = make();
};

/// Checks at compile time that F can be a handler, then binds it to N names.
template <class Kind, std::size_t N, class F>
Binding bind(const Arg* args, F&& function) {
    using D = std::decay_t<F>;
    constexpr bool fits = check_handler<Kind, D, N>();
    if constexpr (fits) {
        using S = SignatureOf<D>;
        using R = std::decay_t<typename S::Result>;
        Binding binding(args, N, Types<S>::list.rows, std::make_shared<HandlerOf<Kind, D, S>>(std::forward<F>(function)));
        binding.spreads = N != S::arguments;
        if constexpr (std::is_base_of_v<ToolReturn, Kind> && HasObjectCodec<R>) {
            binding.result_schema = &codec<R>::schema;
        }
        return binding;
    } else {
        return Binding(args, N, nullptr, nullptr);
    }
}

}  // namespace durable_mcp::detail
