// An allocator that is loaded after the shim, and aborts if it is given memory that it did not
// make.
#include <atomic>
#include <cstddef>
#include <cstdlib>

namespace {

constexpr std::size_t header = alignof(std::max_align_t);
alignas(std::max_align_t) unsigned char pool[std::size_t{64} << 20];
std::atomic<std::size_t> used{0};

std::size_t& size_of(void* pointer) {
    return *reinterpret_cast<std::size_t*>(static_cast<unsigned char*>(pointer) - header);
}

void require_own(void* pointer) {
    const auto* const byte = static_cast<unsigned char*>(pointer);
    if (byte < pool || byte >= pool + sizeof pool) std::abort();
}

}  // namespace

// Nothing is reused: what is tested is where pointers go.
extern "C" void* malloc(std::size_t size) noexcept {
    const std::size_t rounded = (size + header - 1) / header * header;
    const std::size_t offset = used.fetch_add(rounded + header);
    if (offset + rounded + header > sizeof pool) return nullptr;
    void* const pointer = pool + offset + header;
    size_of(pointer) = size;
    return pointer;
}

extern "C" void* calloc(std::size_t count, std::size_t size) noexcept {
    return malloc(count * size);
}

extern "C" void free(void* pointer) noexcept {
    if (pointer != nullptr) require_own(pointer);
}

extern "C" void* realloc(void* pointer, std::size_t size) noexcept {
    auto* const moved = static_cast<unsigned char*>(malloc(size));
    if (pointer == nullptr || moved == nullptr) return moved;
    require_own(pointer);
    const auto* const from = static_cast<unsigned char*>(pointer);
    for (std::size_t i = 0; i < size_of(pointer) && i < size; ++i) moved[i] = from[i];
    return moved;
}

extern "C" int posix_memalign(void** result, std::size_t alignment, std::size_t size) noexcept {
    auto* const pointer = static_cast<unsigned char*>(malloc(size + alignment + header));
    if (pointer == nullptr) return 12;
    const auto number = reinterpret_cast<std::size_t>(pointer) + header;
    auto* const aligned = pointer + header + (alignment - number % alignment) % alignment;
    size_of(aligned) = size;
    *result = aligned;
    return 0;
}

extern "C" int allocations_went_to_the_other_allocator() { return used != 0 ? 1 : 0; }
