#include "harness/inject/guardian.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>

#include "harness/inject/family.h"
#include "harness/must.h"
#include "shims/supervisor/supervisor.h"

namespace hark {

namespace fs = std::filesystem;

namespace {

constexpr int first_kept = 3;  // where the descriptors that it needs come to lie

// Nothing of this process is held open: neither its terminal nor the pipes of whoever reads it.
void keep_only(int alive, int notifications) {
    const int high = 64;
    const int kept_alive = ::fcntl(alive, F_DUPFD, high);
    const int kept_notifications = notifications < 0 ? -1 : ::fcntl(notifications, F_DUPFD, high);
    (void)::dup2(kept_alive, first_kept);
    if (kept_notifications >= 0) (void)::dup2(kept_notifications, first_kept + 1);
    (void)::close_range(0, first_kept - 1, 0);
    (void)::close_range(notifications < 0 ? first_kept + 1 : first_kept + 2, ~0U, 0);
}

bool is_dismissed() {
    char byte = 0;
    ssize_t got = 0;
    do {
        got = ::read(first_kept, &byte, 1);
    } while (got < 0 && errno == EINTR);
    return got == 1;
}

bool is_used(const fs::path& ledger) {
    std::error_code error;
    for (fs::directory_iterator each("/proc", error), end; !error && each != end;
         each.increment(error)) {
        const std::string name = each->path().filename();
        pid_t process = 0;
        const auto read = std::from_chars(name.data(), name.data() + name.size(), process);
        if (read.ec != std::errc() || process == ::getpid()) continue;
        if (has_mapped(process, ledger).value_or(false)) return true;
    }
    return false;
}

[[noreturn]] void guard(const SharedLedger& ledger, int alive, int notifications,
                        const std::vector<fs::path>& leftovers) {
    (void)::setsid();
    for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) (void)::signal(each, SIG_IGN);
    (void)::prctl(PR_SET_NAME, "hark-guardian");
    keep_only(alive, notifications);
    if (is_dismissed()) ::_exit(0);
    for (shim::Rule& rule : ledger.get().rules) rule.is_off = 1;
    if (notifications >= 0) {
        shim::let_go_on(first_kept + 1, ledger.get().family.last_asked.load());
    }
    constexpr int between_looks_ms = 200;
    while (is_used(ledger.path())) (void)::poll(nullptr, 0, between_looks_ms);
    std::error_code ignored;
    for (const fs::path& each : leftovers) fs::remove(each, ignored);
    fs::remove(ledger.path(), ignored);
    fs::remove(ledger.folder(), ignored);
    ::_exit(0);
}

}  // namespace

Guardian::Guardian(const SharedLedger& ledger, int notifications,
                   const std::vector<fs::path>& leftovers) {
    // A socket rather than a pipe: what is written when nobody reads is no signal.
    int ends[2];
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "a pipe to the guardian");
    const Fd theirs(ends[0]);
    alive_.reset(ends[1]);
    process_ = must(::fork(), "fork the guardian");
    if (process_ == 0) guard(ledger, theirs.get(), notifications, leftovers);
}

Guardian::~Guardian() {
    const char byte = 0;
    (void)::send(alive_.get(), &byte, 1, MSG_NOSIGNAL);
    (void)::waitpid(process_, nullptr, 0);
}

}  // namespace hark
