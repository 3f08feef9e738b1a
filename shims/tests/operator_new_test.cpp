// C++'s operators new: whose they are, and what becomes of them when malloc fails.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <new>
#include <string>

#include "shims/tests/preloaded.h"
#include "shims/tests/subject.h"

// A sanitizer's runtime has an allocator of its own, which asks malloc for nothing (README.md).
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ASKS_MALLOC false
#elif defined(__has_feature)
#define ASKS_MALLOC !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define ASKS_MALLOC true
#endif

namespace {

using preloaded::page;
using preloaded::recorded;
using shim::Call;

struct Form {
    const char* name;
    void* (*Subject::*make)(std::size_t);
    bool throws;
    Call asks;
    void (*give_back)(void*);
};

void plain(void* pointer) { operator delete(pointer); }
void aligned(void* pointer) { operator delete (pointer, std::align_val_t{64}); }

const Form forms[] = {
    {"new T", &Subject::new_one, true, Call::malloc, plain},
    {"new T[n]", &Subject::new_array, true, Call::malloc, plain},
    {"new T, over-aligned", &Subject::new_aligned, true, Call::aligned_alloc, aligned},
    {"new T[n], over-aligned", &Subject::new_aligned_array, true, Call::aligned_alloc, aligned},
    {"new (nothrow) T", &Subject::new_nothrow, false, Call::malloc, plain},
    {"new (nothrow) T[n]", &Subject::new_nothrow_array, false, Call::malloc, plain},
    {"new (nothrow) T, over-aligned", &Subject::new_aligned_nothrow, false, Call::aligned_alloc,
     aligned},
    {"new (nothrow) T[n], over-aligned", &Subject::new_aligned_nothrow_array, false,
     Call::aligned_alloc, aligned},
};

bool is_in_subject(std::uint64_t address) {
    return std::any_of(std::begin(page().ranges), std::end(page().ranges), [=](const auto& each) {
        return each.begin <= address && address < each.end;
    });
}

void start() {
    preloaded::clear();
    only_subject_counts();
}

TEST_CASE("what the subject makes with new is the subject's" * doctest::skip(!ASKS_MALLOC)) {
    for (const Form& form : forms) {
        CAPTURE(form.name);
        start();
        void* const made = recorded([&] { return (subject().*form.make)(640); }).result;
        REQUIRE(made != nullptr);
        CHECK(page().record_count == 1);
        const shim::Record& record = preloaded::record(1);
        CHECK(record.call == form.asks);
        CHECK(is_in_subject(record.caller));
        CHECK(record.result == static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(made)));
        CHECK(page().allocation_count == 1);
        // Whoever deletes it: free is then the runtime's call, and is not recorded.
        recorded([&] { form.give_back(made); });
        CHECK(page().allocation_count == 0);
        CHECK(page().record_count == 1);
    }
}

TEST_CASE("what others make with new is not") {
    start();
    int* const mine = recorded([] { return new int{1}; }).result;
    CHECK(page().record_count == 0);
    CHECK(page().allocation_count == 0);
    delete mine;
}

TEST_CASE("a new that finds no memory throws, or gives null" * doctest::skip(!ASKS_MALLOC)) {
    for (const Form& form : forms) {
        CAPTURE(form.name);
        start();
        shim::Rule& rule = preloaded::next_rule({form.asks}, ENOMEM);
        bool threw = false;
        void* made = &rule;
        recorded([&] {
            try {
                made = (subject().*form.make)(640);
            } catch (const std::bad_alloc&) {
                threw = true;
                made = nullptr;
            }
        });
        CHECK(rule.fired == 1);
        CHECK(threw == form.throws);
        CHECK(made == nullptr);
        CHECK(preloaded::record(1).error == ENOMEM);
        CHECK(preloaded::record(1).marks == shim::mark_injected);
        // The exception's own memory is the runtime's.
        CHECK(page().record_count == 1);
    }
}

TEST_CASE("after a failure everything is as before" * doctest::skip(!ASKS_MALLOC)) {
    start();
    preloaded::next_rule({Call::malloc}, ENOMEM);
    recorded([] {
        try {
            (void)subject().new_one(640);
        } catch (const std::bad_alloc&) {
        }
        // Neither this nor the runtime's own is the subject's.
        free(malloc(10));
        const std::string text(100, 'x');
    });
    CHECK(page().record_count == 1);
    void* const made = recorded([] { return subject().new_one(640); }).result;
    CHECK(page().record_count == 2);
    CHECK(is_in_subject(preloaded::record(2).caller));
    recorded([&] { operator delete(made); });
    CHECK(page().allocation_count == 0);
}

TEST_CASE("nothing is recorded of a new while nothing is recorded") {
    start();
    void* const made = subject().new_one(640);
    CHECK(made != nullptr);
    CHECK(page().record_count == 0);
    CHECK(page().allocation_count == 0);
    operator delete(made);
}

}  // namespace
