#include "harness/stage/oracle_locks.h"

#include <algorithm>

namespace hark {

void LockOracle::see(const shim::Record& record) {
    if ((record.marks & (shim::mark_note | shim::mark_unfinished)) != 0) return;
    const auto mutex = record.arguments[0];
    switch (record.call) {
        case shim::Call::pthread_mutex_lock:
        case shim::Call::pthread_mutex_trylock:
            // Whoever was refused it by a rule and goes on gives back what it would have had.
            if ((record.marks & shim::mark_injected) != 0) refused_.insert(mutex);
            if (record.result != 0) break;
            held_.push_back({mutex, record.thread, record.number.load()});
            known_.insert(mutex);
            break;
        case shim::Call::pthread_mutex_unlock:
            if (record.result == 0) see_given_back(record);
            break;
        case shim::Call::pthread_mutex_destroy: {
            const auto taken = std::find_if(held_.begin(), held_.end(),
                                            [&](const Held& each) { return each.mutex == mutex; });
            if (taken == held_.end()) break;
            findings_.push_back({Oracle::lock, record.number.load(),
                                 "a lock is destroyed that call " + std::to_string(taken->record) +
                                     " took and nobody gave back"});
            std::erase_if(held_, [&](const Held& each) { return each.mutex == mutex; });
            break;
        }
        default:
            break;
    }
}

// The last taken first: a recursive lock is given back as often as it was taken.
void LockOracle::see_given_back(const shim::Record& record) {
    const auto mutex = record.arguments[0];
    const auto last = std::find_if(held_.rbegin(), held_.rend(), [&](const Held& each) {
        return each.mutex == mutex && each.thread == record.thread;
    });
    if (last != held_.rend()) {
        held_.erase(std::next(last).base());
    } else if (known_.contains(mutex) && !refused_.contains(mutex)) {
        findings_.push_back({Oracle::lock, record.number.load(),
                             "a lock is given back that this thread does not have"});
    }
}

void LockOracle::conclude() {
    for (const Held& each : held_) {
        findings_.push_back({Oracle::lock, each.record, "the lock taken here is never given back"});
    }
}

}  // namespace hark
