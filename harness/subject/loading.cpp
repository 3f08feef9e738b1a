#include "harness/subject/loading.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>

namespace hark {

namespace {

// Without the number of the interface.
constexpr std::string_view open_subject = "hark_open_subject_";
static_assert(std::string_view(open_subject_symbol).starts_with(open_subject));

// The executable segments of every object that is loaded now, by their first address.
std::map<std::uint64_t, std::uint64_t> executable_segments() {
    std::map<std::uint64_t, std::uint64_t> all;
    dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* into) {
            for (int i = 0; i < object->dlpi_phnum; ++i) {
                const auto& segment = object->dlpi_phdr[i];
                if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
                const std::uint64_t begin = object->dlpi_addr + segment.p_vaddr;
                (*static_cast<std::map<std::uint64_t, std::uint64_t>*>(into))[begin] =
                    begin + segment.p_memsz;
            }
            return 0;
        },
        &all);
    return all;
}

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

// Notes are aligned to four bytes (elf(5), "Notes").
std::string build_id_in(const dl_phdr_info& object) {
    for (int i = 0; i < object.dlpi_phnum; ++i) {
        const auto& segment = object.dlpi_phdr[i];
        if (segment.p_type != PT_NOTE) continue;
        const auto* at = reinterpret_cast<const unsigned char*>(object.dlpi_addr + segment.p_vaddr);
        const auto* end = at + segment.p_memsz;
        while (at + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) note;
            std::memcpy(&note, at, sizeof note);
            const auto* name = at + sizeof note;
            const auto* content = name + ((note.n_namesz + 3u) & ~3u);
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
                std::memcmp(name, "GNU", 4) == 0) {
                return hexadecimal(content, note.n_descsz);
            }
            at = content + ((note.n_descsz + 3u) & ~3u);
        }
    }
    return "";
}

std::string soname_in(const dl_phdr_info& object) {
    for (int i = 0; i < object.dlpi_phnum; ++i) {
        const auto& segment = object.dlpi_phdr[i];
        if (segment.p_type != PT_DYNAMIC) continue;
        const char* strings = nullptr;
        std::uint64_t offset = 0;
        const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + segment.p_vaddr);
        for (; entry->d_tag != DT_NULL; ++entry) {
            // The loader has already made this one an address.
            if (entry->d_tag == DT_STRTAB)
                strings = reinterpret_cast<const char*>(entry->d_un.d_ptr);
            if (entry->d_tag == DT_SONAME) offset = entry->d_un.d_val;
        }
        if (strings != nullptr && offset != 0) return strings + offset;
    }
    return "";
}

void identify(const std::string& path, LoadedSubject& loaded) {
    struct Search {
        const std::string& path;
        LoadedSubject& loaded;
    } search{path, loaded};
    dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* given) {
            auto& wanted = *static_cast<Search*>(given);
            if (wanted.path != object->dlpi_name) return 0;
            wanted.loaded.build_id = build_id_in(*object);
            wanted.loaded.soname = soname_in(*object);
            return 1;
        },
        &search);
}

}  // namespace

LoadedSubject load_subject(const std::string& adapter, const std::string& library) {
    const auto before = executable_segments();
    void* object = dlopen(adapter.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (object == nullptr) {
        throw BadAdapter(std::string("the adapter cannot be loaded: ") + dlerror());
    }
    const auto open = reinterpret_cast<OpenSubject>(dlsym(object, open_subject_symbol));
    if (open == nullptr) {
        throw BadAdapter(adapter + " is no adapter: it has no " + open_subject_symbol);
    }
    std::string why;
    LoadedSubject loaded;
    loaded.subject = open(library.c_str(), &why);
    if (loaded.subject == nullptr) {
        if (library.empty()) throw BadAdapter("the system's library: " + why);
        // dlopen's reason names the file already.
        throw BadLibrary(why.starts_with(library + ": ") ? why : library + ": " + why);
    }
    for (const auto& [begin, end] : executable_segments()) {
        if (!before.contains(begin)) loaded.text.push_back({begin, end});
    }
    if (loaded.text.empty()) throw BadAdapter(adapter + ": loading it brought in no code");
    if (loaded.text.size() > shim::range_room) {
        throw BadAdapter(adapter + " brought in more objects than the ledger has room for");
    }
    identify(loaded.subject->identity().path, loaded);
    return loaded;
}

std::string why_not_a_library(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    ElfW(Ehdr) header{};
    if (!file.read(reinterpret_cast<char*>(&header), sizeof header)) {
        return "it is too short to be a shared library";
    }
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return "it is no ELF file";
    if (header.e_ident[EI_CLASS] != (sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32)) {
        return "it is built for another word size than Hark";
    }
    if (header.e_type != ET_DYN) return "it is no shared library (its ELF type is not ET_DYN)";
    file.seekg(0, std::ios::end);
    const auto size = static_cast<std::uint64_t>(file.tellg());
    bool is_dynamic = false;
    for (int i = 0; i < header.e_phnum; ++i) {
        ElfW(Phdr) segment{};
        file.seekg(static_cast<std::streamoff>(header.e_phoff) +
                   std::streamoff{i} * header.e_phentsize);
        if (!file.read(reinterpret_cast<char*>(&segment), sizeof segment)) {
            return "its program headers are cut short";
        }
        is_dynamic = is_dynamic || segment.p_type == PT_DYNAMIC;
        // The loader maps what is not there, and whoever then reads it dies.
        const bool is_there =
            segment.p_offset <= size && segment.p_filesz <= size - segment.p_offset;
        if (segment.p_type == PT_LOAD && !is_there) return "it is cut short";
    }
    return is_dynamic ? "" : "it is static: no call of its own could be intercepted";
}

// The name is in the file's table of strings and, as a rule, nowhere else in it.
std::optional<std::string> interface_of_adapter(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto at = bytes.find(open_subject);
    if (at == std::string::npos) return std::nullopt;
    const auto begin = at + open_subject.size();
    return bytes.substr(begin, bytes.find_first_not_of("0123456789", begin) - begin);
}

std::string interface_of_hark() { return open_subject_symbol + open_subject.size(); }

}  // namespace hark
