// The wrappers of the calls that wait for another thread to wake them, by hand since under control
// (control.h) nobody waits in the kernel for what a thread does that is not running.
#include <pthread.h>

#include <cerrno>

#include "shims/control.h"
#include "shims/real.h"
#include "shims/visit.h"

namespace {

using shim::arguments_of;
using shim::Ledger;
using shim::Visit;

// The mutex is really let go and taken again: whoever else asks for it asks the real one.
int wait_in_turn(Visit& visit, pthread_cond_t* condition, pthread_mutex_t* mutex,
                 bool has_deadline) {
    int error = REAL(pthread_mutex_unlock)(mutex);
    if (error != 0) return error;
    const bool is_woken =
        shim::control::wait(visit.page(), static_cast<std::uint64_t>(shim::number_of(condition)),
                            static_cast<std::uint64_t>(shim::number_of(mutex)), has_deadline);
    error = REAL(pthread_mutex_lock)(mutex);
    if (error != 0) return error;
    return is_woken ? 0 : ETIMEDOUT;
}

bool is_in_turn(const Visit& visit) {
    return visit.by_subject() && shim::control::is_in_turn(visit.page());
}

}  // namespace

#define VISIT(name, ...)                                                   \
    Visit visit(*page, ::shim::row_of_##name, __builtin_return_address(0), \
                arguments_of(__VA_ARGS__), 0);                             \
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome())

int shim_pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
    auto* const next = REAL(pthread_cond_wait);
    Ledger* const page = shim::recording_ledger();
    if (page == nullptr) [[likely]]
        return next(condition, mutex);
    VISIT(pthread_cond_wait, condition, mutex);
    const int outcome =
        is_in_turn(visit) ? wait_in_turn(visit, condition, mutex, false) : next(condition, mutex);
    visit.leave(outcome);
    return outcome;
}

int shim_pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                const timespec* deadline) {
    auto* const next = REAL(pthread_cond_timedwait);
    Ledger* const page = shim::recording_ledger();
    if (page == nullptr) [[likely]]
        return next(condition, mutex, deadline);
    VISIT(pthread_cond_timedwait, condition, mutex, deadline);
    const int outcome = is_in_turn(visit) ? wait_in_turn(visit, condition, mutex, true)
                                          : next(condition, mutex, deadline);
    visit.leave(outcome);
    return outcome;
}
