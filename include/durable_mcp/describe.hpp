// SPDX-License-Identifier: Apache-2.0
#pragma once

// Classes that are no aggregates (with constructors, base classes, private members) as arguments and results, and enums beyond the reach
// of typed.hpp, by what Boost.Describe was told of them:
//
//     class Account {
//     public:
//         Account() = default;
//         …
//     private:
//         std::string holder_;
//         field<std::int64_t, "amount in cents", minimum<0>> cents_ = 0;
//         BOOST_DESCRIBE_CLASS(Account, (), (), (), (holder_, cents_))
//     };
//
// All is as typed.hpp says of plain structs, with these differences: members of base classes are included, in front; there may be any number
// of members; a zero default needs a field. The class is default-constructed, and its described members are assigned whatever their
// access: constructors are not asked about the values that clients send. A plain struct that is described too is taken as the plain
// struct that it is; an enum that is described has the described names, whatever their values.
//
// It includes Boost (Describe and Mp11, 1.81 or later), as no other header here does but asio.hpp: have it in your include path.

#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include "durable_mcp/typed.hpp"

namespace durable_mcp {

namespace detail {

template <class T>
concept DescribedClass = std::is_class_v<T> && !PlainStruct<T> && boost::describe::has_describe_members<T>::value;

template <class T>
struct DescribedAccess {
    using List = boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;
    static constexpr std::size_t count = boost::mp11::mp_size<List>::value;
    static consteval const char* type_signature() { return detail::type_signature<T>(); }
    template <std::size_t I>
    static auto& get(T& whole) {
        return whole.*boost::mp11::mp_at_c<List, I>::pointer;
    }
    template <std::size_t I>
    static constexpr const char* signature() {
        return boost::mp11::mp_at_c<List, I>::name;
    }
    template <std::size_t I>
    static constexpr bool is_initialised() {
        return false;
    }
};

template <class List, class E>
struct DescribedNames;
template <template <class...> class List, class... D, class E>
struct DescribedNames<List<D...>, E> {
    static constexpr std::pair<E, const char*> list[] = {{D::value, D::name}...};
};

}  // namespace detail

template <detail::DescribedClass T>
struct codec<T> : detail::StructCodec<T, detail::DescribedAccess> {
    static_assert(std::is_default_constructible_v<T>, "a described class is read member by member, and needs a default constructor");
};

template <class E>
    requires boost::describe::has_describe_enumerators<E>::value
struct enum_names<E> : detail::DescribedNames<boost::describe::describe_enumerators<E>, E> {};

}  // namespace durable_mcp
