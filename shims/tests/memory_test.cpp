// The allocator's calls, made to fail and followed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "shims/tests/preloaded.h"
#include "shims/tests/subject.h"

namespace {

using preloaded::page;
using preloaded::recorded;
using shim::Call;

const shim::Allocation* entry_of(const void* pointer) {
    const auto number = reinterpret_cast<std::uintptr_t>(pointer);
    const auto* const found =
        std::find_if(std::begin(page().allocations), std::end(page().allocations),
                     [=](const auto& each) { return each.pointer == number; });
    return found == std::end(page().allocations) ? nullptr : found;
}

void start() {
    preloaded::clear();
    only_subject_counts();
}

TEST_CASE("what the subject allocates is followed until it is freed by anyone") {
    start();
    void* const one = recorded([] { return subject().malloc(100); }).result;
    void* const two = recorded([] { return subject().calloc(3, 50); }).result;
    char* const three = recorded([] { return subject().strdup("four"); }).result;
    void* four = nullptr;
    CHECK(recorded([&] { return subject().posix_memalign(&four, 70); }).result == 0);
    CHECK(page().allocation_count == 4);
    CHECK(entry_of(one)->size == 100);
    CHECK(entry_of(one)->made_by == 1);
    CHECK(entry_of(two)->size == 150);
    CHECK(entry_of(three)->size == 5);
    CHECK(entry_of(four)->size == 70);
    CHECK(entry_of(four)->made_by == 4);
    recorded([&] { subject().free(one); });
    recorded([&] { free(two); });
    recorded([&] { free(three); });
    recorded([&] { free(four); });
    CHECK(page().allocation_count == 0);
    CHECK(entry_of(one) == nullptr);
    CHECK(page().memory_refused == 0);
}

TEST_CASE("what others allocate is not") {
    start();
    void* const mine = recorded([] { return malloc(100); }).result;
    CHECK(page().allocation_count == 0);
    CHECK(page().record_count == 0);
    recorded([&] { subject().free(mine); });
    CHECK(page().allocation_count == 0);
}

TEST_CASE("an allocation inside another call's is one allocation") {
    preloaded::clear();
    // Everyone counts: strdup, and the malloc that it calls.
    char* const text = recorded([] { return subject().strdup("four"); }).result;
    CHECK(page().allocation_count == 1);
    CHECK(entry_of(text)->size == 5);
    recorded([&] { subject().free(text); });
    CHECK(page().allocation_count == 0);
}

TEST_CASE("realloc moves an allocation, whoever calls it") {
    start();
    void* const one = recorded([] { return subject().malloc(100); }).result;
    void* const two = recorded([&] { return subject().realloc(one, 100'000); }).result;
    CHECK(page().allocation_count == 1);
    CHECK(entry_of(two)->size == 100'000);
    CHECK(entry_of(two)->made_by == 2);
    void* const three = recorded([&] { return realloc(two, 200'000); }).result;
    CHECK(page().allocation_count == 0);
    recorded([&] { free(three); });
    void* const fresh = recorded([] { return subject().realloc(nullptr, 10); }).result;
    CHECK(entry_of(fresh)->size == 10);
    recorded([&] { free(fresh); });
}

TEST_CASE("memory that is older than the ledger is nobody's, wherever it is moved") {
    start();
    void* const older = subject().malloc(100);  // nothing is recorded
    void* const moved = recorded([&] { return subject().realloc(older, 100'000); }).result;
    CHECK(page().allocation_count == 0);
    void* const again = recorded([&] { return subject().reallocarray(moved, 3, 50'000); }).result;
    CHECK(page().allocation_count == 0);
    recorded([&] { free(again); });
    CHECK(page().allocation_count == 0);
}

TEST_CASE("a realloc that fails leaves the old allocation") {
    start();
    void* const one = recorded([] { return subject().malloc(100); }).result;
    CHECK(recorded([&] { return subject().realloc(one, SIZE_MAX / 2); }).result == nullptr);
    CHECK(page().memory_refused == 1);
    CHECK(entry_of(one)->size == 100);
    preloaded::next_rule({Call::realloc}, ENOMEM);
    const auto told = recorded([&] { return subject().realloc(one, 200); });
    CHECK(told.result == nullptr);
    CHECK(told.error == ENOMEM);
    CHECK(entry_of(one)->size == 100);
    CHECK(page().memory_refused == 1);
    recorded([&] { free(one); });
}

TEST_CASE("the rest of the family is followed as well") {
    start();
    void* const one = recorded([] { return subject().aligned_alloc(128); }).result;
    void* const two = recorded([] { return subject().reallocarray(nullptr, 3, 50); }).result;
    char* const three = recorded([] { return subject().strndup("four", 2); }).result;
    CHECK(page().allocation_count == 3);
    CHECK(entry_of(one)->size == 128);
    CHECK(entry_of(two)->size == 150);
    CHECK(entry_of(three)->size == 3);
    void* const four = recorded([&] { return subject().reallocarray(two, 3, 5000); }).result;
    CHECK(page().allocation_count == 3);
    CHECK(entry_of(four)->size == 15'000);
    // malloc(3): a product that does not fit is an error, and the old memory stays.
    CHECK(recorded([&] { return subject().reallocarray(four, SIZE_MAX / 2, 3); }).result ==
          nullptr);
    CHECK(entry_of(four)->size == 15'000);
    CHECK(page().memory_refused == 1);
    for (void* const each : {one, four, static_cast<void*>(three)}) recorded([&] { free(each); });
    CHECK(page().allocation_count == 0);
}

TEST_CASE("memory that is refused without a rule is counted") {
    start();
    CHECK(recorded([] { return subject().malloc(SIZE_MAX / 2); }).result == nullptr);
    void* pointer = nullptr;
    CHECK(recorded([&] { return subject().posix_memalign(&pointer, SIZE_MAX / 2); }).result ==
          ENOMEM);
    CHECK(page().memory_refused == 2);
}

TEST_CASE("a table that is full says so") {
    start();
    std::vector<void*> held;
    held.reserve(2 * shim::allocation_room);
    while (held.size() < 2 * shim::allocation_room) {
        held.push_back(recorded([] { return subject().malloc(1); }).result);
    }
    CHECK(page().allocation_count + page().allocations_lost == held.size());
    CHECK(page().allocations_lost >= shim::allocation_room);
    for (void* const pointer : held) recorded([&] { free(pointer); });
    CHECK(page().allocation_count == 0);
}

TEST_CASE("the table does not wear out") {
    start();
    for (std::size_t i = 0; i < 4 * shim::allocation_room; ++i) {
        void* const pointer = recorded([&] { return subject().malloc(i % 3000); }).result;
        CHECK(page().allocation_count == 1);
        recorded([&] { free(pointer); });
    }
    CHECK(page().allocation_count == 0);
    CHECK(page().allocations_lost == 0);
}

}  // namespace
