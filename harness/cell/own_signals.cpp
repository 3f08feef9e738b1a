#include "harness/cell/own_signals.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace hark {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t native = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t native = AUDIT_ARCH_AARCH64;
#else
#error "the name of this machine's system calls (linux/audit.h) is to be added here"
#endif

// The low half, which is all of a pid_t: both machines have it first.
constexpr std::uint32_t first_argument = offsetof(seccomp_data, args[0]);

constexpr sock_filter load(std::size_t offset) {
    return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
}
// Leaps over so many of the instructions that follow it.
constexpr sock_filter if_equal(std::uint32_t value, std::uint8_t then, std::uint8_t otherwise) {
    return {BPF_JMP | BPF_JEQ | BPF_K, then, otherwise, value};
}
constexpr sock_filter if_any_bit(std::uint32_t bits, std::uint8_t then, std::uint8_t otherwise) {
    return {BPF_JMP | BPF_JSET | BPF_K, then, otherwise, bits};
}
constexpr sock_filter give(std::uint32_t answer) { return {BPF_RET | BPF_K, 0, 0, answer}; }

}  // namespace

void forbid_signals_to_others(pid_t zygote) {
    constexpr std::uint32_t sign = 0x8000'0000;  // kill(2): a group, or with -1 everyone
    const auto own_group = static_cast<std::uint32_t>(-::getpid());
    sock_filter program[] = {
        load(offsetof(seccomp_data, arch)),
        if_equal(native, 0, 9),
        load(offsetof(seccomp_data, nr)),
        if_equal(SYS_kill, 3, 0),
        if_equal(SYS_tgkill, 2, 0),
        if_equal(SYS_rt_sigqueueinfo, 1, 0),
        give(SECCOMP_RET_ALLOW),
        load(first_argument),
        if_equal(static_cast<std::uint32_t>(zygote), 3, 0),
        if_equal(own_group, 1, 0),
        if_any_bit(sign, 1, 0),
        give(SECCOMP_RET_ALLOW),
        give(SECCOMP_RET_KILL_PROCESS),
    };
    const sock_fprog whole{sizeof program / sizeof *program, program};
    // Without it only root may install a filter (seccomp(2)).
    (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole);
}

}  // namespace hark
