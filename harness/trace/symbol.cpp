#include "harness/trace/symbol.h"

#include <dlfcn.h>

#include <string_view>

#include "harness/fault/names.h"

namespace hark::trace {
namespace {

std::uint64_t number_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

std::string_view file_name(std::string_view path) {
    return path.substr(path.find_last_of('/') + 1);
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
        return found.dli_sname + ('+' + names::hex(address - number_of(found.dli_saddr)));
    }
    return std::string(file_name(found.dli_fname)) + '+' +
           names::hex(address - number_of(found.dli_fbase));
}

}  // namespace hark::trace
