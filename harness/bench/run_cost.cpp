// The libevent calls of one run of a sweep, without Hark: the case NEW_1.delivers@ipv4 as a program
// would write it, with the connection that a sweep makes afterwards to see whether the listener has
// come through.  The program knows nothing of what it runs under.
//
//   run_cost RUNS [fork]   so many in this process, or each in a child of its own
#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

void require(bool holds, const char* what) {
    if (holds) return;
    std::perror(what);
    std::_Exit(2);
}

const sockaddr* plain(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

sockaddr_in local_of(int fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    require(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0, "getsockname");
    return address;
}

int bound_socket() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                bind(fd, plain(address), sizeof address) == 0,
            "a bound socket");
    return fd;
}

int peer_of(const sockaddr_in& listener) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)connect(fd, plain(listener), sizeof listener);
    (void)local_of(fd);
    return fd;
}

// Leaves no TIME_WAIT behind.
void reset(int fd) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(fd);
}

void keep(evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* accepted) {
    static_cast<std::vector<int>*>(accepted)->push_back(fd);
}

void turn(event_base* loop, int turns) {
    for (int i = 0; i < turns; ++i) (void)event_base_loop(loop, EVLOOP_NONBLOCK);
}

void run() {
    event_base* const loop = event_base_new();
    const int fd = bound_socket();
    std::vector<int> accepted;
    evconnlistener* const listener = evconnlistener_new(loop, keep, &accepted, 0, -1, fd);
    require(listener != nullptr, "evconnlistener_new");
    const sockaddr_in address = local_of(fd);
    const int first = peer_of(address);
    turn(loop, 6);  // as often as the case does until it is idle
    turn(loop, 4);
    const int second = peer_of(address);
    turn(loop, 5);
    require(accepted.size() == 2, "two connections");
    evconnlistener_free(listener);
    (void)close(fd);
    event_base_free(loop);
    reset(first);
    reset(second);
    for (const int each : accepted) (void)close(each);
}

void run_in_child() {
    const pid_t child = fork();
    if (child == 0) {
        run();
        std::_Exit(0);
    }
    int status = 0;
    require(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child");
}

}  // namespace

int main(int count, char** words) {
    const long runs = count > 1 ? std::atol(words[1]) : 1;
    const bool forks = count > 2 && std::strcmp(words[2], "fork") == 0;
    for (long i = 0; i < runs; ++i) forks ? run_in_child() : run();
}
