#include "harness/probe/limit.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "harness/must.h"

namespace hark::probe {

namespace {

// The real user and group of a process.
std::pair<uid_t, gid_t> owner_of(pid_t process) {
    const std::string status = content_of("/proc/" + std::to_string(process) + "/status");
    const auto number_after = [&](const char* name) {
        const auto at = status.find(name);
        unsigned number = 0;
        if (at != std::string::npos) {
            (void)std::sscanf(status.c_str() + at + std::strlen(name), "%u", &number);
        }
        return number;
    };
    return {number_after("\nUid:"), number_after("\nGid:")};
}

// Root may change anybody's limits only with CAP_SYS_RESOURCE, which containers lack; but everybody
// may change his own, so a child becomes him.
int prlimit_as_owner(pid_t process, const rlimit& limit) {
    const auto [user, group] = owner_of(process);
    const pid_t child = must(::fork(), "fork for prlimit");
    if (child == 0) {
        const bool is_he = ::setgroups(0, nullptr) == 0 && ::setresgid(group, group, group) == 0 &&
                           ::setresuid(user, user, user) == 0;
        const bool is_set = is_he && ::prlimit(process, RLIMIT_NOFILE, &limit, nullptr) == 0;
        ::_exit(is_set ? 0 : errno);
    }
    int status = 0;
    must(::waitpid(child, &status, 0), "waiting for prlimit");
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
    return errno == 0 ? 0 : -1;
}

// As /proc tells it, which asks for no more than to be allowed to look.
std::optional<rlimit> limit_of(pid_t process) {
    const std::string limits = content_of("/proc/" + std::to_string(process) + "/limits");
    const auto at = limits.find("Max open files");
    unsigned long long soft = 0;
    unsigned long long hard = 0;
    const bool is_read =
        at != std::string::npos &&
        std::sscanf(limits.c_str() + at, "Max open files %llu %llu", &soft, &hard) == 2;
    return is_read ? std::optional(rlimit{soft, hard}) : std::nullopt;
}

int set_limit(pid_t process, const rlimit& limit) {
    if (::prlimit(process, RLIMIT_NOFILE, &limit, nullptr) == 0) return 0;
    return errno == EPERM ? prlimit_as_owner(process, limit) : -1;
}

}  // namespace

void DescriptorLimit::lay_on(const std::vector<Process>& processes) {
    for (const auto& each : processes) {
        // A new descriptor gets the lowest number that is free, and must be below the limit.
        rlim_t lowest = 0;
        for (const auto& [number, target] : descriptors_of(each.id)) {
            if (static_cast<rlim_t>(number) != lowest) break;
            ++lowest;
        }
        const auto before = limit_of(each.id);
        if (!before) continue;  // it has ended meanwhile
        must(set_limit(each.id, {lowest, before->rlim_max}),
             "lowering RLIMIT_NOFILE of " + each.name + ", process " + std::to_string(each.id));
        before_.emplace(each.id, *before);
    }
}

void DescriptorLimit::lift() {
    // Whoever has ended meanwhile needs none.
    for (const auto& [process, limit] : before_) {
        (void)set_limit(process, limit);
    }
    before_.clear();
}

}  // namespace hark::probe
