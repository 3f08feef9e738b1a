#include "harness/trace/symbol.h"

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "harness/fault/names.h"

namespace hark::trace {
namespace {

std::uint64_t number_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

std::string_view file_name(std::string_view path) {
    return path.substr(path.find_last_of('/') + 1);
}

// Of a function as C++ declares it, "void a::f<int(*)()>(int) const", its name, "a::f<int(*)()>".
std::string_view name_in(std::string_view declared) {
    constexpr std::string_view unnamed = "(anonymous namespace)";
    constexpr std::string_view of_operators = "<>=-!+*/%&|^~,[]";
    constexpr std::string_view of_call = "operator()";
    std::size_t begin = 0;
    std::size_t depth = 0;  // in angle brackets, where everything belongs to a type
    bool is_operator = false;
    for (std::size_t i = 0; i < declared.size(); ++i) {
        const std::string_view rest = declared.substr(i);
        if (depth == 0 && rest.starts_with("operator")) {
            is_operator = true;
            if (rest.starts_with(of_call)) {
                i += of_call.size() - 1;
                continue;
            }
            i = declared.find_first_not_of(of_operators, i + std::string_view("operator").size());
            if (i == std::string_view::npos) break;
            --i;
        } else if (rest.starts_with(unnamed)) {
            i += unnamed.size() - 1;
        } else if (declared[i] == '<') {
            ++depth;
        } else if (declared[i] == '>' && depth != 0) {
            --depth;
        } else if (depth == 0 && declared[i] == ' ' && !is_operator) {
            begin = i + 1;
        } else if (depth == 0 && declared[i] == '(') {
            return declared.substr(begin, i - begin);
        }
    }
    return declared.substr(begin);
}

// A C++ name as people write it, without its parameters; any other as it is.
std::string written(const char* name) {
    struct Free {
        void operator()(char* text) const { std::free(text); }
    };
    int status = 0;
    const std::unique_ptr<char, Free> plain(abi::__cxa_demangle(name, nullptr, nullptr, &status));
    if (status != 0 || plain == nullptr) return name;
    return std::string(name_in(plain.get()));
}

}  // namespace

std::string symbol_of(std::uint64_t address) {
    if (address == 0) return names::hex(address);
    // An address of return may be the first of the next function, if the call was the last thing
    // its own did; one byte before it is in the call.
    const auto* const within = reinterpret_cast<const void*>(address - 1);
    Dl_info found{};
    if (dladdr(within, &found) == 0) return names::hex(address);
    if (found.dli_sname != nullptr) {
        return written(found.dli_sname) + ('+' + names::hex(address - number_of(found.dli_saddr)));
    }
    return std::string(file_name(found.dli_fname)) + '+' +
           names::hex(address - number_of(found.dli_fbase));
}

}  // namespace hark::trace
