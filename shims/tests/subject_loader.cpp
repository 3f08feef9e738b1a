// The subject of the tests: an object loaded once, whose code alone counts as the subject.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <link.h>

#include <string_view>

#include "shims/tests/preloaded.h"
#include "shims/tests/subject.h"

namespace {

int enter_ranges(dl_phdr_info* object, std::size_t, void*) {
    if (std::string_view{object->dlpi_name} != SUBJECT_PATH) return 0;
    shim::Ledger& page = preloaded::page();
    for (ElfW(Half) i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
        const auto begin = object->dlpi_addr + segment.p_vaddr;
        page.ranges[page.range_count++] = {begin, begin + segment.p_memsz};
    }
    return 1;
}

}  // namespace

const Subject& subject() {
    static const Subject* const loaded = [] {
        void* const object = dlopen(SUBJECT_PATH, RTLD_NOW);
        REQUIRE_MESSAGE(object != nullptr, dlerror());
        return static_cast<const Subject*>(dlsym(object, "exported_subject"));
    }();
    REQUIRE(loaded != nullptr);
    return *loaded;
}

void only_subject_counts() {
    (void)subject();
    dl_iterate_phdr(enter_ranges, nullptr);
    REQUIRE(preloaded::page().range_count > 0);
}
