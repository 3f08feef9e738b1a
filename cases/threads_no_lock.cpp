// LEV_OPT_THREADSAFE where no lock can be had: the caller learns it, or there is a lock after all.

#include "cases/locking.h"

using namespace hark;

namespace {

// What the clause forbids.
bool handed_out_without_a_lock(Stage& stage, const Attempt& made) {
    return made.listener != nullptr && !takes_a_lock(stage, *made.listener);
}

Variants failing_memory() {
    return {{.label = "first", .plan = "malloc,calloc:error=ENOMEM:when=1"},
            {.label = "second", .plan = "malloc,calloc:error=ENOMEM:when=2"},
            {.label = "third", .plan = "malloc,calloc:error=ENOMEM:when=3"}};
}

}  // namespace

CASE_FOR(THR_1, has_a_lock, every_maker, "the functions of the interface take a lock") {
    stage.use_threads();
    auto& listener = stage.make({.flags = threadsafe});

    CHECK(takes_a_lock(stage, listener));
}

CASE_FOR(THR_2, library_not_prepared, every_maker,
         "without a library prepared for threads there is no listener, or one with a lock") {
    const auto made = stage.try_make({.flags = threadsafe});

    CHECK_FALSE(handed_out_without_a_lock(stage, made));
}

CASE_FOR(THR_2, lock_not_made, failing_locks,
         "where the lock can't be made there is no listener, or one with a lock") {
    stage.use_threads();
    (void)stage.loop();
    const auto before = kernel::open_descriptors();
    stage.inject(stage.variant().plan);

    const auto made = stage.try_bind({.flags = threadsafe});
    stage.end_faults();
    require_call(stage);
    stage.require_reached();
    CHECK_FALSE(handed_out_without_a_lock(stage, made));
    CHECK((made.listener != nullptr || kernel::open_descriptors() == before));
}

CASE_FOR(THR_2, no_memory_for_the_lock, failing_memory,
         "where there is no memory for the lock there is no listener, or one with a lock") {
    stage.use_threads();
    (void)stage.loop();
    stage.inject(stage.variant().plan);

    const auto made = stage.try_bind({.flags = threadsafe});
    stage.end_faults();
    require_call(stage);
    stage.require_reached();
    CHECK_FALSE(handed_out_without_a_lock(stage, made));
}
