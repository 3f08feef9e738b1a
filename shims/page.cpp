#include "shims/page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "shims/kernel.h"

namespace shim {
namespace {

constexpr char variable[] = "HARK_LEDGER";

constinit std::atomic<Ledger*> mapped{nullptr};

// The process id, on a page that the kernel empties in every forked child however it was forked;
// a handler of pthread_atfork(3) would allocate, and would miss a direct clone(2).
constinit std::atomic<std::atomic<std::int32_t>*> process_page{nullptr};

constinit thread_local Self known_self{0, 0};

void write_text(const char* text) {
    std::size_t length = 0;
    while (text[length] != '\0') ++length;
    ask_kernel(SYS_write, STDERR_FILENO, text, length);
}

// getenv(3) without libc: the variable's value, null if it is not set.
const char* value_of(const char* name) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
        std::size_t i = 0;
        while (name[i] != '\0' && (*entry)[i] == name[i]) ++i;
        if (name[i] == '\0' && (*entry)[i] == '=') return *entry + i + 1;
    }
    return nullptr;
}

void* map(int protection, int flags, int fd, std::size_t size) {
    const long where = ask_kernel(SYS_mmap, nullptr, size, protection, flags, fd, 0);
    return where < 0 && where > -4096 ? nullptr : reinterpret_cast<void*>(where);
}

Ledger* map_ledger(const char* path) {
    const auto fd = static_cast<int>(ask_kernel(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0));
    if (fd < 0) die("HARK_LEDGER names a file that cannot be opened: ", path);
    struct stat file {};
    // A shorter file would answer the first look at its missing end with SIGBUS.
    const bool whole =
        ask_kernel(SYS_fstat, fd, &file) == 0 && file.st_size >= static_cast<off_t>(sizeof(Ledger));
    void* const where =
        whole ? map(PROT_READ | PROT_WRITE, MAP_SHARED, fd, sizeof(Ledger)) : nullptr;
    ask_kernel(SYS_close, fd);
    if (!whole) die("HARK_LEDGER names a file that is too short for a ledger: ", path);
    if (where == nullptr) die("HARK_LEDGER names a file that cannot be mapped: ", path);
    auto* const page = static_cast<Ledger*>(where);
    if (page->magic != ledger_magic || page->size != sizeof(Ledger)) {
        die("HARK_LEDGER names a ledger of another layout; driver and shim are of different "
            "builds: ",
            path);
    }
    return page;
}

void map_process_page() {
    void* const where = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 4096);
    if (where == nullptr || ask_kernel(SYS_madvise, where, 4096, MADV_WIPEONFORK) != 0) {
        die("a page that forked children find empty cannot be had (madvise MADV_WIPEONFORK)");
    }
    std::atomic<std::int32_t>* none = nullptr;
    auto* const found = static_cast<std::atomic<std::int32_t>*>(where);
    if (!process_page.compare_exchange_strong(none, found)) ask_kernel(SYS_munmap, where, 4096);
}

}  // namespace

void die(const char* what, const char* which) {
    write_text("hark: the socket shim: ");
    write_text(what);
    write_text(which);
    write_text("\n");
    std::abort();
}

Ledger* ledger() {
    if (Ledger* known = mapped.load(std::memory_order_acquire)) [[likely]]
        return known;
    if (environ == nullptr) return nullptr;
    const char* const path = value_of(variable);
    if (path == nullptr) {
        die("it is preloaded but HARK_LEDGER, the path of its ledger, is not set");
    }
    map_process_page();
    Ledger* const found = map_ledger(path);
    Ledger* none = nullptr;
    if (mapped.compare_exchange_strong(none, found)) return found;
    ask_kernel(SYS_munmap, found, sizeof(Ledger));
    return none;
}

Self self() {
    auto& process = *process_page.load(std::memory_order_relaxed);
    std::int32_t here = process.load(std::memory_order_relaxed);
    if (here == 0) [[unlikely]] {
        here = static_cast<std::int32_t>(ask_kernel(SYS_getpid));
        process.store(here, std::memory_order_relaxed);
    }
    if (known_self.process != here) [[unlikely]] {
        known_self = {here, static_cast<std::int32_t>(ask_kernel(SYS_gettid))};
    }
    return known_self;
}

}  // namespace shim
