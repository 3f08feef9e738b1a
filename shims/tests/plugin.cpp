// A library with C++ in it, for a program without (plain_guest.c).
#include <new>

extern "C" __attribute__((visibility("default"))) int make_with_new();

int make_with_new() {
    int* const made = new (std::nothrow) int{1};
    const int value = made != nullptr ? *made : 0;
    delete made;
    return value;
}
