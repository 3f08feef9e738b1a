#include "shims/tests/subject.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace {

// A call in tail position becomes a jump, and its return address its caller's; the shim can't know.
template <typename Result>
Result stay(Result result) {
    __asm__ volatile("" ::: "memory");
    return result;
}

int accept_one(int fd) { return stay(accept4(fd, nullptr, nullptr, SOCK_CLOEXEC)); }
int close_it(int fd) { return stay(close(fd)); }
int copy_over(int fd, int copy) { return stay(dup2(fd, copy)); }

int ask_type(int fd) {
    int value = 0;
    socklen_t length = sizeof value;
    return stay(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
}

int open_socket() { return stay(socket(AF_INET, SOCK_STREAM, 0)); }
void* take(std::size_t size) { return stay(malloc(size)); }
void* take_empty(std::size_t count, std::size_t size) { return stay(calloc(count, size)); }
void* move(void* pointer, std::size_t size) { return stay(realloc(pointer, size)); }

int take_aligned(void** pointer, std::size_t size) {
    return stay(posix_memalign(pointer, 64, size));
}

char* copy_text(const char* text) { return stay(strdup(text)); }

void give_back(void* pointer) {
    free(pointer);
    __asm__ volatile("" ::: "memory");
}

void* move_many(void* pointer, std::size_t count, std::size_t size) {
    return stay(reallocarray(pointer, count, size));
}

void* take_whole(std::size_t size) { return stay(aligned_alloc(64, size)); }
char* copy_part(const char* text, std::size_t most) { return stay(strndup(text, most)); }

constexpr std::align_val_t wide{64};

void* new_one(std::size_t size) { return stay(operator new(size)); }
void* new_array(std::size_t size) { return stay(operator new[](size)); }
void* new_aligned(std::size_t size) { return stay(operator new(size, wide)); }
void* new_aligned_array(std::size_t size) { return stay(operator new[](size, wide)); }
void* new_nothrow(std::size_t size) { return stay(operator new(size, std::nothrow)); }
void* new_nothrow_array(std::size_t size) { return stay(operator new[](size, std::nothrow)); }

void* new_aligned_nothrow(std::size_t size) { return stay(operator new(size, wide, std::nothrow)); }

void* new_aligned_nothrow_array(std::size_t size) {
    return stay(operator new[](size, wide, std::nothrow));
}

}  // namespace

extern "C" const Subject exported_subject;
const Subject exported_subject{accept_one,
                               close_it,
                               copy_over,
                               ask_type,
                               open_socket,
                               take,
                               take_empty,
                               move,
                               take_aligned,
                               copy_text,
                               give_back,
                               move_many,
                               take_whole,
                               copy_part,
                               new_one,
                               new_array,
                               new_aligned,
                               new_aligned_array,
                               new_nothrow,
                               new_nothrow_array,
                               new_aligned_nothrow,
                               new_aligned_nothrow_array};
