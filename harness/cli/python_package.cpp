#include "harness/cli/python_package.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/fd.h"
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

pid_t start(const Command& command, const posix_spawn_file_actions_t* actions) {
    pid_t child = -1;
    const int error = ::posix_spawn(&child, python, actions, nullptr, command.arguments(), environ);
    if (error != 0) throw Broken(std::string("start ") + python, Errno(error));
    return child;
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) == -1) {
        if (errno != EINTR) throw Broken("wait for the report", Errno::last());
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void become_python_package(const std::string& verb, const std::vector<std::string>& words) {
    const Command command(verb, words);
    ::execv(python, command.arguments());
    throw Broken(std::string("start ") + python, Errno::last());
}

int run_python_package(const std::string& verb, const std::vector<std::string>& words) {
    return wait_for(start(Command(verb, words), nullptr));
}

std::string answer_of_python_package(const std::string& verb,
                                     const std::vector<std::string>& words) {
    int ends[2];
    (void)must(::pipe2(ends, O_CLOEXEC), "make a pipe");
    const Fd from(ends[0]);
    Fd to(ends[1]);
    posix_spawn_file_actions_t actions;
    (void)::posix_spawn_file_actions_init(&actions);
    (void)::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
    const pid_t child = start(Command(verb, words), &actions);
    (void)::posix_spawn_file_actions_destroy(&actions);
    to = Fd();
    std::string answer;
    char piece[4096];
    for (ssize_t size = 1; size > 0;) {
        size = must(::read(from.get(), piece, sizeof piece), "read what Python answers");
        answer.append(piece, static_cast<std::size_t>(size));
    }
    if (wait_for(child) != 0) throw Broken("hark_report " + verb + " could not do it");
    return answer;
}

}  // namespace hark::cli
