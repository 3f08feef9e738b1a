// A file in memory that holds a ledger, as a driver would make it.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "shims/ledger.h"

struct MemoryFile {
    int fd;
};

// By the process's number, which stays right in a child that has closed or replaced its own.
inline std::string path_of(const MemoryFile& file) {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(file.fd);
}

inline MemoryFile make_file(std::size_t size) {
    const MemoryFile file{memfd_create("ledger", 0)};
    if (file.fd < 0 || ftruncate(file.fd, static_cast<off_t>(size)) != 0) {
        std::perror("a file in memory");
        std::exit(2);
    }
    return file;
}

inline shim::Ledger* map_ledger(const MemoryFile& file) {
    void* const where =
        mmap(nullptr, sizeof(shim::Ledger), PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
    if (where == MAP_FAILED) {
        std::perror("map the ledger");
        std::exit(2);
    }
    return static_cast<shim::Ledger*>(where);
}

inline MemoryFile make_ledger() {
    const MemoryFile file = make_file(sizeof(shim::Ledger));
    shim::Ledger* const page = map_ledger(file);
    page->magic = shim::ledger_magic;
    page->size = sizeof(shim::Ledger);
    munmap(page, sizeof(shim::Ledger));
    return file;
}
