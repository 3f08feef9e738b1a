#include "harness/inject/shared_ledger.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <new>
#include <string>

#include "harness/fd.h"
#include "harness/must.h"

namespace hark {

namespace {

std::string unguessable_name() {
    unsigned char bytes[16];
    must(::getrandom(bytes, sizeof bytes, 0), "random bytes for the ledger's name");
    std::string name;
    for (const unsigned char byte : bytes) {
        name += "0123456789abcdef"[byte >> 4];
        name += "0123456789abcdef"[byte & 15];
    }
    return name;
}

std::filesystem::path private_folder() {
    std::string name = "/dev/shm/hark-" + std::to_string(::getpid()) + "-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw Broken("make " + name, Errno::last());
    must(::chmod(name.c_str(), 0711), "let the family pass through " + name);
    return name;
}

}  // namespace

SharedLedger::SharedLedger() : path_(private_folder() / unguessable_name()) {
    const Fd file(must(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
                       "make the ledger " + path_.string()));
    // Not by the mode of open, from which umask takes.
    must(::fchmod(file.get(), 0666), "let the family open the ledger");
    must(::ftruncate(file.get(), sizeof(shim::Ledger)), "room for the ledger");
    void* const at =
        ::mmap(nullptr, sizeof(shim::Ledger), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (at == MAP_FAILED) throw Broken("map the ledger", Errno::last());
    page_ = new (at) shim::Ledger{};
    page_->magic = shim::ledger_magic;
    page_->size = sizeof(shim::Ledger);
    page_->family.is_one = 1;
}

SharedLedger::~SharedLedger() {
    if (page_ != nullptr) (void)::munmap(page_, sizeof(shim::Ledger));
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(folder(), ignored);
}

}  // namespace hark
