#include "harness/cli/python_package.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/must.h"
#include "harness/places.h"

namespace hark::cli {

namespace {

// Debian's Python: its modules belong to this one, whatever comes first on PATH.
constexpr char python[] = "/usr/bin/python3";

// Its words, and its places in the environment.
class Command {
  public:
    Command(const std::string& verb, const std::vector<std::string>& words)
        : words_{python, "-m", "hark_report", verb} {
        words_.insert(words_.end(), words.begin(), words.end());
        for (auto& each : words_) arguments_.push_back(each.data());
        arguments_.push_back(nullptr);
        ::setenv("PYTHONPATH", places::scripts().c_str(), 1);
        ::setenv("HARK_REPORTS", places::reports().c_str(), 1);
        ::setenv("PYTHONDONTWRITEBYTECODE", "1", 1);  // an installation may be read-only
    }
    [[nodiscard]] char* const* arguments() const { return arguments_.data(); }

  private:
    std::vector<std::string> words_;
    std::vector<char*> arguments_;
};

}  // namespace

void become_python_package(const std::string& verb, const std::vector<std::string>& words) {
    const Command command(verb, words);
    ::execv(python, command.arguments());
    throw Broken(std::string("start ") + python, Errno::last());
}

int run_python_package(const std::string& verb, const std::vector<std::string>& words) {
    const Command command(verb, words);
    pid_t child = -1;
    const int error = ::posix_spawn(&child, python, nullptr, nullptr, command.arguments(), environ);
    if (error != 0) throw Broken(std::string("start ") + python, Errno(error));
    int status = 0;
    while (::waitpid(child, &status, 0) == -1) {
        if (errno != EINTR) throw Broken("wait for the report", Errno::last());
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace hark::cli
