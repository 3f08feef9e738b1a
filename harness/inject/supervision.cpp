#include "harness/inject/supervision.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

#include "harness/must.h"
#include "shims/supervisor/supervisor.h"

namespace hark {

// Signals are the main thread's, but for the one by which the supervisor interrupts itself.
Supervision::Supervision(Fd notifications, shim::Ledger& ledger)
    : notifications_(std::move(notifications)),
      stop_(must(::eventfd(0, EFD_CLOEXEC), "a way to stop the supervisor")) {
    sigset_t others;
    sigset_t before;
    (void)::sigfillset(&others);
    (void)::sigdelset(&others, SIGRTMAX);
    (void)::pthread_sigmask(SIG_BLOCK, &others, &before);
    thread_ = std::thread([told = notifications_.get(), stop = stop_.get(), &ledger] {
        shim::Supervisor(told, ledger).run(stop);
    });
    (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Supervision::~Supervision() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    thread_.join();
}

}  // namespace hark
