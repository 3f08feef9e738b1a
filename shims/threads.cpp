// The wrappers of pthread_create and pthread_join, by hand since a thread that one under control
// begins takes part too, and whoever waits for its end is not chosen before.
#include <pthread.h>

#include "shims/control.h"
#include "shims/real.h"
#include "shims/visit.h"

namespace {

using shim::arguments_of;
using shim::Ledger;
using shim::Visit;

struct Beginning {
    void* (*body)(void*);
    void* argument;
};

// By its place; it is read before the thread that wrote it can come by again.
Beginning beginnings[shim::thread_room];

// Called also where it ends by pthread_exit or is cancelled.
void leave(void*) { hark_schedule_leave(); }

void* begin(void* at) {
    const auto place = static_cast<int>(static_cast<Beginning*>(at) - beginnings);
    const Beginning mine = beginnings[place];
    void* result = nullptr;
    shim::control::begin(*shim::ledger(), place);
    pthread_cleanup_push(leave, nullptr);
    result = mine.body(mine.argument);
    pthread_cleanup_pop(1);
    return result;
}

}  // namespace

int shim_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                        void* argument) {
    auto* const next = REAL(pthread_create);
    Ledger* const page = shim::recording_ledger();
    if (page == nullptr) [[likely]]
        return next(thread, attributes, body, argument);
    Visit visit(*page, shim::row_of_pthread_create, __builtin_return_address(0),
                arguments_of(thread, attributes, body, argument), 0);
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    int outcome = 0;
    const bool takes_part = visit.by_subject() && shim::control::is_in_turn(*page);
    const int place = takes_part ? shim::control::next_place(*page) : -1;
    if (place < 0) {
        outcome = next(thread, attributes, body, argument);
    } else {
        beginnings[place] = {body, argument};
        outcome = next(thread, attributes, &begin, &beginnings[place]);
        if (outcome == 0) shim::control::welcome(*page, place, *thread);
    }
    visit.leave(outcome);
    return outcome;
}

int shim_pthread_join(pthread_t thread, void** value) {
    auto* const next = REAL(pthread_join);
    Ledger* const page = shim::recording_ledger();
    if (page == nullptr) [[likely]]
        return next(thread, value);
    Visit visit(*page, shim::row_of_pthread_join, __builtin_return_address(0),
                arguments_of(thread, value), 0);
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    const int outcome = next(thread, value);
    visit.leave(outcome);
    return outcome;
}
