// A subject: code in an object of its own, whose calls count when the ledger's ranges say so.
#pragma once

#include <cstddef>

#include "shims/ledger.h"

// What subject.cpp exports; each makes the call of its name.
struct Subject {
    int (*accept4)(int fd);
    int (*close)(int fd);
    int (*dup2)(int fd, int copy);
    int (*getsockopt)(int fd);
    int (*socket)();
    void* (*malloc)(std::size_t size);
    void* (*calloc)(std::size_t count, std::size_t size);
    void* (*realloc)(void* pointer, std::size_t size);
    int (*posix_memalign)(void** pointer, std::size_t size);
    char* (*strdup)(const char* text);
    void (*free)(void* pointer);
    void* (*reallocarray)(void* pointer, std::size_t count, std::size_t size);
    void* (*aligned_alloc)(std::size_t size);
    char* (*strndup)(const char* text, std::size_t most);
    // The expressions of C++; each throws std::bad_alloc, or gives null if it is a nothrow one.
    void* (*new_one)(std::size_t size);
    void* (*new_array)(std::size_t size);
    void* (*new_aligned)(std::size_t size);
    void* (*new_aligned_array)(std::size_t size);
    void* (*new_nothrow)(std::size_t size);
    void* (*new_nothrow_array)(std::size_t size);
    void* (*new_aligned_nothrow)(std::size_t size);
    void* (*new_aligned_nothrow_array)(std::size_t size);
};

// Loaded once, and the same one ever after.
const Subject& subject();

// Makes the subject's code the only one that counts.
void only_subject_counts();
