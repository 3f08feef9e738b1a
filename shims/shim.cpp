// The wrappers that are rows and nothing more, and how the real functions are found.
//
// The shim is a guest in someone else's process.  Its house rules, in every file of this folder:
// allocate nothing, lock nothing, throw nothing, log nothing through stdio, call nothing that a row
// intercepts (kernel.h instead), touch errno only to report, hold no descriptor open, be callable
// before any constructor has run and, once its symbols are resolved, from a signal handler.
//
// A wrapper here has no logic.  One that needs an `if` of its own is a BY_HAND row (by_hand.cpp,
// memory.cpp).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "shims/real.h"
#include "shims/visit.h"

namespace shim {
namespace {

// Whether a row's signature is libc's.  A variadic function takes one argument more in its row:
// where Linux runs, a callee finds it in the same register either way.
template <typename Result, typename... Parameters>
consteval bool agrees(Result (*)(Parameters...), Result (*)(Parameters...)) {
    return true;
}
template <typename Result, typename First, typename Second, typename Third>
consteval bool agrees(Result (*)(First, Second, Third), Result (*)(First, Second, ...)) {
    return sizeof(Third) == sizeof(long);
}

}  // namespace

#define CALL(result, name, params, args, reports_by, captures, flags) \
    static_assert(agrees(static_cast<decltype(&shim_##name)>(nullptr), &::name), #name);
#define BY_HAND CALL
#include "shims/calls.def"

constinit Real real;

void* next_in_line(const char* name) {
    const int kept = errno;
    void* const found = dlsym(RTLD_NEXT, name);
    if (found == nullptr) die("nothing after it in the order of libraries has ", name);
    errno = kept;
    return found;
}

namespace {

// Everything is found now, so that no signal handler has to wait for the dynamic linker's lock.
[[gnu::constructor]] void start() {
    (void)ledger();
#define CALL(result, name, params, args, reports_by, captures, flags) (void)REAL(name);
#define BY_HAND CALL
#include "shims/calls.def"
}

}  // namespace
}  // namespace shim

// `args` comes with its parentheses, and so makes a call of whatever stands before it.
#define CALL(result, name, params, args, reports_by, captures, flags)                  \
    result shim_##name params {                                                        \
        using shim::no_flags;                                                          \
        auto* const next = REAL(name);                                                 \
        shim::Ledger* const page = shim::recording_ledger(shim::Call::name);           \
        if (page == nullptr) [[likely]]                                                \
            return next args;                                                          \
        shim::Visit visit(*page, shim::row_of_##name, __builtin_return_address(0),     \
                          shim::arguments_of args, shim::bits_of(flags));              \
        if (visit.is_replaced()) return static_cast<result>(visit.replaced_outcome()); \
        shim::clear_bits(flags, visit.dropped());                                      \
        const result outcome = next args;                                              \
        visit.leave(outcome);                                                          \
        return outcome;                                                                \
    }
#define BY_HAND(result, name, params, args, reports_by, captures, flags)
#include "shims/calls.def"
