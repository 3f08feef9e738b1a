#include "shims/allocation.h"

#include "shims/kernel.h"
#include "shims/page.h"

namespace shim::allocation {
namespace {

constexpr std::uint64_t never_used = 0;
constexpr std::uint64_t was_used = 1;
constexpr std::size_t window = 32;

static_assert((allocation_room & (allocation_room - 1)) == 0, "place_of masks");

Allocation& place_of(Ledger& page, std::uint64_t pointer, std::size_t step) {
    // Fibonacci hashing: allocations are multiples of 16 and often neighbours.
    const std::uint64_t hash = (pointer >> 4) * 0x9e37'79b9'7f4a'7c15 >> 40;
    return page.allocations[(hash + step) & (allocation_room - 1)];
}

bool take(Allocation& place, std::uint64_t expected, std::uint64_t pointer) {
    return place.pointer.compare_exchange_strong(expected, pointer, std::memory_order_relaxed);
}

// Whether this pointer has been found or entered.
bool enter(Ledger& page, std::uint64_t pointer, std::uint64_t size, std::uint32_t made_by) {
    const auto fill = [size, made_by](Allocation& place) {
        place.size = size;
        place.made_by = made_by;
    };
    for (std::size_t step = 0; step < window; ++step) {
        Allocation& place = place_of(page, pointer, step);
        const std::uint64_t held = place.pointer.load(std::memory_order_relaxed);
        if (held == never_used) break;
        // Known already: malloc was recorded, then the strdup around it.
        if (held == pointer) return fill(place), true;
    }
    for (std::size_t step = 0; step < window; ++step) {
        Allocation& place = place_of(page, pointer, step);
        if (!take(place, never_used, pointer) && !take(place, was_used, pointer)) continue;
        page.allocation_count.fetch_add(1, std::memory_order_relaxed);
        return fill(place), true;
    }
    return false;
}

}  // namespace

void add(Ledger& page, const void* pointer, std::uint64_t size, std::uint32_t made_by) {
    if (is_family(page) || !is_followed_here(page)) return;
    const auto number = reinterpret_cast<std::uintptr_t>(pointer);
    if (!enter(page, number, size, made_by)) {
        page.allocations_lost.fetch_add(1, std::memory_order_relaxed);
    }
}

Owner remove(Ledger& page, const void* pointer) {
    if (page.allocation_count.load(std::memory_order_relaxed) == 0) return {};
    if (!is_followed_here(page)) return {};
    const auto number = reinterpret_cast<std::uintptr_t>(pointer);
    for (std::size_t step = 0; step < window; ++step) {
        Allocation& place = place_of(page, number, step);
        const std::uint64_t held = place.pointer.load(std::memory_order_relaxed);
        if (held == never_used) break;
        if (held != number) continue;
        const Owner owner{place.size, place.made_by, true};
        if (!take(place, number, was_used)) break;
        page.allocation_count.fetch_sub(1, std::memory_order_relaxed);
        return owner;
    }
    return {};
}

}  // namespace shim::allocation
