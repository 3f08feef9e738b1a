// A program for the shim to be preloaded into: it makes calls of every kind and says what came of
// the one that its ledger's rule is about.  It exits 0 if all the others worked.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

// Asks for memory before main, and in some runtimes before anyone is ready to give it.
const std::string made_early(1000, 'x');

int listen_on_loopback() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
    return listen(fd, 8) == 0 ? fd : -1;
}

bool threads_meet() {
    std::mutex mutex;
    std::condition_variable condition;
    bool is_told = false;
    std::thread teller([&] {
        const std::lock_guard lock(mutex);
        is_told = true;
        condition.notify_one();
    });
    {
        std::unique_lock lock(mutex);
        condition.wait(lock, [&] { return is_told; });
    }
    teller.join();
    return is_told;
}

bool memory_holds() {
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < 2000; ++i)
        kept.emplace_back(i % 300, static_cast<char>('a' + i % 26));
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (kept[i] != std::string(i % 300, static_cast<char>('a' + i % 26))) return false;
    }
    char* const copy = strdup(made_early.c_str());
    char* const longer = static_cast<char*>(realloc(copy, 10'000));
    const bool is_same = longer != nullptr && made_early == longer;
    free(longer);
    return is_same;
}

bool child_works() {
    const int child = fork();
    if (child == 0) _exit(memory_holds() ? 0 : 1);
    int status = -1;
    return waitpid(child, &status, 0) == child && status == 0;
}

bool times_out(int listener) {
    const int epoll = epoll_create1(0);
    epoll_event event{EPOLLIN, {}};
    const bool is_added = epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0;
    const bool is_idle = epoll_wait(epoll, &event, 1, 1) == 0;
    return is_added && is_idle && close(epoll) == 0;
}

}  // namespace

int main() {
    const int listener = listen_on_loopback();
    const int accepted = accept4(listener, nullptr, nullptr, 0);
    const int error = errno;
    const bool works = listener >= 0 && threads_meet() && memory_holds() && child_works() &&
                       times_out(listener) && close(listener) == 0;
    std::printf("accept4 = %d %s\nyear %d\n", accepted, strerrorname_np(error),
                1970 + static_cast<int>(std::time(nullptr) / 31'556'952));
    return works ? 0 : 1;
}
