// A program without C++ that loads a library with it, as an interpreter does: the C++ runtime is
// then none of the program's, and the shim has to find it all the same.  It exits 0 if that library
// could make an object with new.
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char** arguments) {
    void* const library = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (library == NULL) {
        fprintf(stderr, "no library: %s\n", count == 2 ? dlerror() : "none was named");
        return 2;
    }
    int (*make)(void) = NULL;
    *(void**)&make = dlsym(library, "make_with_new");
    return make != NULL && make() ? 0 : 1;
}
