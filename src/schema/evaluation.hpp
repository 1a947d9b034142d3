// SPDX-License-Identifier: Apache-2.0
#pragma once

// One check of one value. It runs once to learn whether the value fits, which is nearly always; only if it does not, it runs again and
// explains.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "schema/exact_value.hpp"
#include "schema/json_schema.hpp"
#include "schema/program.hpp"

namespace durable_mcp::schema {

class Evaluation {
public:
    Evaluation(const Program& program, bool explain) : program_(program), budget_(program.steps), explaining_(explain) {}

    [[nodiscard]] bool run(const base::Json& value);
    /// After a run that failed: it failed because it was ended.
    [[nodiscard]] bool reached_a_limit() const { return budget_.exhausted(); }
    /// After a run that failed, when explaining or at a limit.
    [[nodiscard]] Misfit take_misfit();

private:
    /// The way to a value, as a chain through the frames of the stack.
    struct Location {
        const Location* parent;
        const std::string* key;
        std::size_t index;
    };

    /// Which members or elements of one value were looked at by a schema that fits it.
    class Marks {
    public:
        explicit Marks(std::size_t size) : marked_(size, 0) {}
        void set(std::size_t at) { marked_[at] = 1; }
        void set_all() { marked_.assign(marked_.size(), 1); }
        void add(const Marks& other);
        [[nodiscard]] bool has(std::size_t at) const { return marked_[at] != 0; }
        [[nodiscard]] std::size_t size() const { return marked_.size(); }

    private:
        std::vector<char> marked_;
    };

    /// The resources that were entered on the way here, innermost first.
    struct Scope {
        const Scope* outer;
        std::uint32_t resource;
    };

    struct Finding {
        Misfit misfit;
        std::size_t depth;
        Operation operation;
        TypeMask expected;  ///< of a finding about the type
    };

    /// What an instruction looks at.
    struct Subject {
        const base::Json& value;
        const Location& location;
        Marks* marks;   ///< nullptr unless somebody will ask for the rest
        TypeMask type;  ///< one bit
    };

    /// Does not explain as long as it lives.
    class Silence {
    public:
        explicit Silence(Evaluation& evaluation) : evaluation_(evaluation), before_(evaluation.explaining_) {
            evaluation.explaining_ = false;
        }
        ~Silence() { evaluation_.explaining_ = before_; }
        Silence(const Silence&) = delete;
        Silence& operator=(const Silence&) = delete;

    private:
        Evaluation& evaluation_;
        bool before_;
    };

    // A check that fails returns `explaining_ && refuse(…)`: false either way, and no sentence is made that nobody will read.

    // evaluation.cpp: schemas in general, and those that look at the same value.
    [[nodiscard]] bool fits(NodeIndex index, const base::Json& value, const Location& location, Marks* marks);
    [[nodiscard]] bool obey_all(const Node& node, const Subject& subject);
    [[nodiscard]] bool fits_here(NodeIndex index, const Subject& subject) {
        return fits(index, subject.value, subject.location, subject.marks);
    }
    [[nodiscard]] bool obey(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_all_of(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_any_of(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_one_of(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_none_of(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_condition(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] NodeIndex resolve(const DynamicReference& reference) const;
    /// fits_here() for a schema that need not fit: if it does not, its marks do not count.
    [[nodiscard]] bool fits_perhaps(NodeIndex index, const Subject& subject);

    // evaluation_values.cpp: numbers, strings, constants.
    [[nodiscard]] bool check_type(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_constant(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_enumeration(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_number(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_length(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_pattern(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_format(const Instruction& instruction, const Subject& subject);

    // evaluation_containers.cpp: arrays and objects.
    [[nodiscard]] bool check_size(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_unique_items(const Subject& subject);
    [[nodiscard]] bool check_items(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_contains(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_members(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_member(const Members& members, const Property* property, const std::string& key, const base::Json& value,
                                    std::size_t ordinal, const Subject& subject);
    [[nodiscard]] bool check_property_names(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_dependencies(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_unevaluated_items(const Instruction& instruction, const Subject& subject);
    [[nodiscard]] bool check_unevaluated_properties(const Instruction& instruction, const Subject& subject);

    // misfit.cpp: what to say. All return false, for the caller to return.
    [[nodiscard]] bool refuse(const Location& location, Operation operation, std::string_view keyword, std::string sentence,
                              TypeMask expected = 0);
    [[nodiscard]] bool refuse_missing(const Location& location, std::string_view keyword, const std::string& name,
                                      std::string_view because);
    [[nodiscard]] bool refuse_member(const Location& member, std::string_view keyword, const Members* members);
    [[nodiscard]] bool refuse_alternatives(const Subject& subject, std::string_view keyword, std::vector<Finding> findings,
                                           std::size_t count);
    [[nodiscard]] static std::string path_to(const Location& location);

    const Program& program_;
    Budget budget_;
    bool explaining_;
    bool too_deep_ = false;
    std::size_t frames_ = 0;
    const Scope* scope_ = nullptr;
    std::optional<Finding> finding_;
};

/// The value as a short text: "an object", "\"abc\"", or a number.
[[nodiscard]] std::string describe_value(const base::Json& value);
/// "an integer or null".
[[nodiscard]] std::string describe_types(TypeMask types);

}  // namespace durable_mcp::schema
