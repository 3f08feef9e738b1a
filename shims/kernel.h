// The kernel asked directly, past libc.
//
// The shim's own needs must not pass through a row of calls.def, through another library that
// interposes syscall(2) (libfaketime does), or through errno.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace shim {

// What a register holds when a value is passed to a call.
template <typename Value>
std::int64_t number_of(Value value) {
    if constexpr (std::is_null_pointer_v<Value>) {
        return 0;
    } else if constexpr (std::is_pointer_v<Value>) {
        return reinterpret_cast<std::intptr_t>(value);
    } else {
        return static_cast<std::int64_t>(value);
    }
}

// The kernel's own answer: a value, or an errno made negative.
inline long ask_with_numbers(long call, long a, long b, long c, long d, long e, long f) {
#ifdef __x86_64__
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    register long sixth __asm__("r9") = f;
    long answer = call;
    __asm__ volatile("syscall"
                     : "+a"(answer)
                     : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return answer;
#else
    const int kept = errno;
    const long answer = ::syscall(call, a, b, c, d, e, f);
    const int told = errno;
    errno = kept;
    return answer == -1 ? -told : answer;
#endif
}

template <typename... Arguments>
long ask_kernel(long call, Arguments... arguments) {
    static_assert(sizeof...(arguments) <= 6);
    const std::int64_t numbers[7] = {number_of(arguments)...};
    return ask_with_numbers(call, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
                            numbers[5]);
}

}  // namespace shim
