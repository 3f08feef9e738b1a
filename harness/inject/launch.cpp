#include "harness/inject/launch.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/fd.h"
#include "harness/must.h"
#include "harness/places.h"

namespace hark {

namespace {

// What the child says when it does not come to be the command: an errno and, where it was not exec
// that failed, a sentence.
struct Failure {
    int error = 0;
    std::string what;
};

// ld.so(8): the first comes first.
std::string preloaded() {
    const std::string own = places::shim().string();
    const char* others = std::getenv("LD_PRELOAD");
    return others == nullptr || *others == '\0' ? own : own + ':' + others;
}

[[noreturn]] void give_up(const Fd& to, int error, const std::string& what) {
    (void)!::write(to.get(), &error, sizeof error);
    (void)!::write(to.get(), what.data(), what.size());
    ::_exit(127);
}

void set_environment(const InjectRequest& request, const std::filesystem::path& ledger,
                     const std::string& preload) {
    for (const std::string& each : request.environment) {
        const auto equals = each.find('=');
        must(::setenv(each.substr(0, equals).c_str(), each.substr(equals + 1).c_str(), 1),
             "set " + each + " in the environment");
    }
    if (request.via == Via::seccomp) return;
    must(::setenv("LD_PRELOAD", preload.c_str(), 1), "set LD_PRELOAD");
    must(::setenv("HARK_LEDGER", ledger.c_str(), 1), "set HARK_LEDGER");
}

[[noreturn]] void become(const InjectRequest& request, shim::Ledger& ledger,
                         const std::filesystem::path& ledger_path, const std::string& preload,
                         const Fd& to) {
    try {
        if (!request.follows) ledger.family.only = ::getpid();
        if (request.in_child) request.in_child();
        set_environment(request, ledger_path, preload);
    } catch (const std::exception& trouble) {
        give_up(to, 0, trouble.what());
    }
    std::vector<char*> words;
    for (const std::string& word : request.command) {
        words.push_back(const_cast<char*>(word.c_str()));  // as exec(3) has it, for old times' sake
    }
    words.push_back(nullptr);
    ::execvp(words.front(), words.data());
    give_up(to, errno, "");
}

Failure failure_told(const Fd& from) {
    Failure failure;
    const ssize_t got = ::read(from.get(), &failure.error, sizeof failure.error);
    if (got != sizeof failure.error) return {};
    char text[512];
    for (ssize_t size = 0; (size = ::read(from.get(), text, sizeof text)) > 0;) {
        failure.what.append(text, static_cast<std::size_t>(size));
    }
    if (failure.what.empty() && failure.error == 0) failure.what = "the child ended";
    return failure;
}

void raise(const Failure& failure, const std::string& command) {
    if (!failure.what.empty()) throw Broken(failure.what);
    const Errno error(failure.error);
    if (error == Errno(ENOENT)) throw BadCommand("there is no command '" + command + "'", true);
    throw BadCommand("'" + command + "' cannot be run: " + error.text(), false);
}

}  // namespace

pid_t launch(const InjectRequest& request, shim::Ledger& ledger,
             const std::filesystem::path& ledger_path) {
    const std::string preload = preloaded();
    int ends[2];
    must(::pipe2(ends, O_CLOEXEC), "a pipe from the command");
    const Fd from(ends[0]);
    Fd to(ends[1]);
    const pid_t child = must(::fork(), "fork the command");
    if (child == 0) become(request, ledger, ledger_path, preload, to);
    to.reset();
    const Failure failure = failure_told(from);
    if (failure.what.empty() && failure.error == 0) return child;
    (void)::waitpid(child, nullptr, 0);
    raise(failure, request.command.front());
    return child;
}

}  // namespace hark
