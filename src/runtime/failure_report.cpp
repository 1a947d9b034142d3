// SPDX-License-Identifier: Apache-2.0
#include "runtime/failure_report.hpp"

#include <cxxabi.h>

#include <typeinfo>

#include <boost/core/demangle.hpp>

namespace durable_mcp::runtime {
namespace {

std::string current_type_name() {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return type == nullptr ? std::string() : boost::core::demangle(type->name());
}

void describe_into(std::string& text) {
    const std::string type = current_type_name();
    try {
        throw;
    } catch (const std::exception& error) {
        text.append(type).append(": ").append(error.what());
        try {
            std::rethrow_if_nested(error);
        } catch (...) {
            text.append("\n  caused by ");
            describe_into(text);
        }
    } catch (...) {
        text.append(type.empty() ? "an exception of an unknown type" : type);
    }
}

}  // namespace

journal::Fault describe_current_exception() {
    journal::Fault fault{current_type_name(), "an exception that is not a std::exception"};
    try {
        throw;
    } catch (const std::exception& error) {
        fault.message = error.what();
    } catch (const std::string& text) {
        fault.message = text;
    } catch (const char* text) {
        fault.message = text;
    } catch (...) {
    }
    return fault;
}

std::string describe_chain() {
    std::string text;
    describe_into(text);
    return text;
}

}  // namespace durable_mcp::runtime
