// The allocator's calls.  Each is by hand because its outcome enters or leaves the table of
// allocations, and because dlsym(3), which finds the real ones, may itself ask for memory.
#include <malloc.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "shims/allocation.h"
#include "shims/behalf.h"
#include "shims/real.h"
#include "shims/visit.h"

namespace {

using shim::Arguments;
using shim::arguments_of;
using shim::Ledger;
using shim::Visit;

// What dlsym(3) is given while it looks for malloc.  glibc 2.36 asks for nothing unless it fails;
// older ones ask for a few dozen bytes once a thread.  It is never given back.
struct Arena {
    alignas(std::max_align_t) unsigned char bytes[8192] = {};
    std::atomic<std::size_t> used{0};

    void* take(std::size_t size) {
        const std::size_t rounded = (size + 15) & ~std::size_t{15};
        const std::size_t offset = used.fetch_add(rounded, std::memory_order_relaxed);
        return offset + rounded <= sizeof bytes ? bytes + offset : nullptr;
    }
    [[nodiscard]] bool holds(const void* pointer) const {
        const auto* const byte = static_cast<const unsigned char*>(pointer);
        return bytes <= byte && byte < bytes + sizeof bytes;
    }
};

constinit Arena arena;
constinit thread_local bool is_resolving = false;

// The real function, or null while this thread is looking for one.
template <typename Function>
Function allocator(std::atomic<Function>& slot, const char* name) {
    if (Function known = slot.load(std::memory_order_relaxed)) [[likely]]
        return known;
    if (is_resolving) return nullptr;
    is_resolving = true;
    Function found = shim::resolve(slot, name);
    is_resolving = false;
    return found;
}

// Memory that was asked for and not given, by the subject and without a rule, is counted.  What was
// moved is older than the record of allocations if that does not know it, and stays unknown: a
// table that a library keeps for good may grow and shrink in any run.
enum class Origin { fresh, older };
void leave_with_memory(Visit& visit, const void* pointer, std::size_t size,
                       Origin origin = Origin::fresh) {
    if (visit.by_subject()) {
        if (pointer != nullptr) {
            if (origin == Origin::fresh)
                shim::allocation::add(visit.page(), pointer, size, visit.number());
        } else {
            visit.page().memory_refused.fetch_add(1, std::memory_order_relaxed);
        }
    }
    visit.leave(shim::number_of(pointer));
}

Origin origin_of(const void* moved_from, bool was_known) {
    return moved_from == nullptr || was_known ? Origin::fresh : Origin::older;
}

}  // namespace

#define ALLOCATOR(name) allocator(::shim::real.name, #name)
#define VISIT_FROM(caller, name, ...) \
    Visit visit(*page, ::shim::row_of_##name, caller, arguments_of(__VA_ARGS__), 0)
#define VISIT(name, ...) VISIT_FROM(__builtin_return_address(0), name, __VA_ARGS__)

void* shim_malloc(size_t size) {
    auto* const next = ALLOCATOR(malloc);
    if (next == nullptr) return arena.take(size);
    Ledger* const page = shim::recording_ledger(shim::Call::malloc);
    if (page == nullptr) [[likely]]
        return next(size);
    VISIT_FROM(shim::behalf::who_asks(__builtin_return_address(0)), malloc, size);
    if (visit.is_replaced()) return reinterpret_cast<void*>(visit.replaced_outcome());
    void* const pointer = next(size);
    leave_with_memory(visit, pointer, size);
    return pointer;
}

void* shim_calloc(size_t count, size_t size) {
    auto* const next = ALLOCATOR(calloc);
    // The arena is zero and is never used twice.
    if (next == nullptr) return arena.take(count * size);
    Ledger* const page = shim::recording_ledger(shim::Call::calloc);
    if (page == nullptr) [[likely]]
        return next(count, size);
    VISIT(calloc, count, size);
    if (visit.is_replaced()) return reinterpret_cast<void*>(visit.replaced_outcome());
    void* const pointer = next(count, size);
    leave_with_memory(visit, pointer, count * size);
    return pointer;
}

void* shim_realloc(void* pointer, size_t size) {
    auto* const next = ALLOCATOR(realloc);
    if (next == nullptr || arena.holds(pointer)) {
        void* const moved = next == nullptr ? arena.take(size) : REAL(malloc)(size);
        if (moved == nullptr || pointer == nullptr) return moved;
        // What it held is not known to the byte, but it ends with the arena.
        const auto* const from = static_cast<const unsigned char*>(pointer);
        const auto left = static_cast<std::size_t>(arena.bytes + sizeof arena.bytes - from);
        return std::memcpy(moved, pointer, size < left ? size : left);
    }
    Ledger* const page = shim::recording_ledger(shim::Call::realloc);
    if (page == nullptr) [[likely]]
        return next(pointer, size);
    VISIT(realloc, pointer, size);
    if (visit.is_replaced()) return reinterpret_cast<void*>(visit.replaced_outcome());
    const auto before = shim::allocation::remove(*page, pointer);
    void* const moved = next(pointer, size);
    // malloc(3): a size of zero frees, and null is then no failure.
    if (moved == nullptr && pointer != nullptr && size == 0) {
        visit.leave(0, 0);
        return nullptr;
    }
    if (moved == nullptr && before.was_known) {
        shim::allocation::add(*page, pointer, before.size, before.made_by);
    }
    leave_with_memory(visit, moved, size, origin_of(pointer, before.was_known));
    return moved;
}

void shim_free(void* pointer) {
    if (arena.holds(pointer)) return;
    auto* const next = ALLOCATOR(free);
    if (next == nullptr) return;
    Ledger* const page = shim::recording_ledger(shim::Call::free);
    if (page == nullptr) [[likely]]
        return next(pointer);
    VISIT(free, pointer);
    if (visit.is_replaced()) {
        (void)visit.replaced_outcome();  // kept back: a leak on purpose
        return;
    }
    shim::allocation::remove(*page, pointer);
    next(pointer);
    visit.leave(0);
}

void* shim_reallocarray(void* pointer, size_t count, size_t size) {
    auto* const next = REAL(reallocarray);
    Ledger* const page = shim::recording_ledger(shim::Call::reallocarray);
    if (page == nullptr) [[likely]]
        return next(pointer, count, size);
    VISIT(reallocarray, pointer, count, size);
    if (visit.is_replaced()) return reinterpret_cast<void*>(visit.replaced_outcome());
    const auto before = shim::allocation::remove(*page, pointer);
    void* const moved = next(pointer, count, size);
    if (moved == nullptr && before.was_known) {
        shim::allocation::add(*page, pointer, before.size, before.made_by);
    }
    leave_with_memory(visit, moved, count * size, origin_of(pointer, before.was_known));
    return moved;
}

void* shim_aligned_alloc(size_t alignment, size_t size) {
    auto* const next = REAL(aligned_alloc);
    Ledger* const page = shim::recording_ledger(shim::Call::aligned_alloc);
    if (page == nullptr) [[likely]]
        return next(alignment, size);
    VISIT_FROM(shim::behalf::who_asks(__builtin_return_address(0)), aligned_alloc, alignment, size);
    if (visit.is_replaced()) return reinterpret_cast<void*>(visit.replaced_outcome());
    void* const pointer = next(alignment, size);
    leave_with_memory(visit, pointer, size);
    return pointer;
}

int shim_posix_memalign(void** pointer, size_t alignment, size_t size) {
    auto* const next = REAL(posix_memalign);
    Ledger* const page = shim::recording_ledger(shim::Call::posix_memalign);
    if (page == nullptr) [[likely]]
        return next(pointer, alignment, size);
    VISIT(posix_memalign, pointer, alignment, size);
    if (visit.is_replaced()) return static_cast<int>(visit.replaced_outcome());
    const int error = next(pointer, alignment, size);
    if (visit.by_subject() && error == 0) {
        shim::allocation::add(*page, *pointer, size, visit.number());
    }
    if (visit.by_subject() && error == ENOMEM) {
        page->memory_refused.fetch_add(1, std::memory_order_relaxed);
    }
    visit.leave(error);
    return error;
}

char* shim_strdup(const char* text) {
    auto* const next = REAL(strdup);
    Ledger* const page = shim::recording_ledger(shim::Call::strdup);
    if (page == nullptr) [[likely]]
        return next(text);
    VISIT(strdup, text);
    if (visit.is_replaced()) return reinterpret_cast<char*>(visit.replaced_outcome());
    char* const copy = next(text);
    leave_with_memory(visit, copy, copy == nullptr ? 0 : __builtin_strlen(copy) + 1);
    return copy;
}

char* shim_strndup(const char* text, size_t most) {
    auto* const next = REAL(strndup);
    Ledger* const page = shim::recording_ledger(shim::Call::strndup);
    if (page == nullptr) [[likely]]
        return next(text, most);
    VISIT(strndup, text, most);
    if (visit.is_replaced()) return reinterpret_cast<char*>(visit.replaced_outcome());
    char* const copy = next(text, most);
    leave_with_memory(visit, copy, copy == nullptr ? 0 : __builtin_strlen(copy) + 1);
    return copy;
}
