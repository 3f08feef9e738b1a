#include "shims/supervisor/filter.h"

#include <seccomp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

namespace shim {

namespace {

struct SystemCall {
    Call call;
    const char* name;
};

constexpr SystemCall system_calls[] = {
#define SYSTEM_CALL(call, name) {Call::call, #name},
#include "shims/supervisor/system_calls.def"
};

// A way past every filter of calls, which is therefore told of, and let go on.
constexpr char uring[] = "io_uring_setup";

int add(scmp_filter_ctx context, const Filter& filter, const SystemCall& each) {
    const int number = seccomp_syscall_resolve_name(each.name);
    if (number < 0) return 0;  // this machine has no such call
    const bool is_accept = each.call == Call::accept || each.call == Call::accept4;
    if (is_accept && filter.accept_mark != 0) {
        const scmp_arg_cmp is_unmarked{
            .arg = 5, .op = SCMP_CMP_NE, .datum_a = filter.accept_mark, .datum_b = 0};
        return seccomp_rule_add_array(context, SCMP_ACT_NOTIFY, number, 1, &is_unmarked);
    }
    return seccomp_rule_add(context, SCMP_ACT_NOTIFY, number, 0);
}

int load(scmp_filter_ctx context, const Filter& filter) {
    // Root keeps what its children gain by exec: a server may start a program that is setuid.
    int error = seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, ::geteuid() == 0 ? 0 : 1);
    for (const SystemCall& each : system_calls) {
        if (error != 0) return error;
        if (std::ranges::find(filter.calls, each.call) == filter.calls.end()) continue;
        error = add(context, filter, each);
    }
    if (error != 0) return error;
    error = seccomp_rule_add(context, SCMP_ACT_NOTIFY, seccomp_syscall_resolve_name(uring), 0);
    if (error == 0) error = seccomp_load(context);
    return error != 0 ? error : seccomp_notify_fd(context);
}

}  // namespace

bool is_system_call(Call call) {
    return std::ranges::any_of(system_calls,
                               [call](const SystemCall& each) { return each.call == call; });
}

Call call_of(int system_call) {
    static const std::map<int, Call> known = [] {
        std::map<int, Call> all;
        for (const SystemCall& each : system_calls) {
            all.emplace(seccomp_syscall_resolve_name(each.name), each.call);
        }
        return all;
    }();
    const auto found = known.find(system_call);
    return found == known.end() ? Call::count_ : found->second;
}

bool can_be_notified() { return seccomp_api_get() >= 5; }

int install(const Filter& filter) {
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    if (context == nullptr) return -ENOMEM;
    const int told = load(context, filter);
    seccomp_release(context);
    return told;
}

}  // namespace shim
