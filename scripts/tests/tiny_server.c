// An echo server that is right, or wrong in one way: tiny_server WAY PORT [PORT].  test_probe.py
// compiles it and says which rows see which way.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most = 2048, pause_ms = 50 };

static const char* way;
static int is(const char* word) { return strcmp(way, word) == 0; }

static int reserve = -1;
static struct pollfd watched[most];
static nfds_t used = 1;
static int rest_ms = -1;  // how long the listener is left alone; -1: it is watched

static void wait_blindly(int ms) { (void)poll(NULL, 0, ms); }

static int listen_on(const char* port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (const struct sockaddr*)&address, sizeof address) != 0) return -1;
    return listen(listener, 128) == 0 ? listener : -1;
}

// Where the kernel has no accept4 this is found out once.
static int take(int listener) {
    static int has_accept4 = 1;
    const int client = has_accept4 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
    if (has_accept4 && (client != -1 || errno != ENOSYS)) return client;
    has_accept4 = 0;
    return accept(listener, NULL, NULL);
}

// Zero once the client is gone.
static int echo(int client) {
    char data[4096];
    const ssize_t size = read(client, data, sizeof data);
    return size > 0 && write(client, data, (size_t)size) == size;
}

static int is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// The descriptor in reserve is given up to send one client away.
static void shed(int listener) {
    if (reserve != -1) (void)close(reserve);
    const int client = take(listener);
    if (client != -1) (void)close(client);
    reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (client == -1) rest_ms = pause_ms;
}

static void fail(int listener, int error) {
    if (error == EAGAIN || error == EINTR) return;
    if (is("leaks")) (void)open("/dev/null", O_RDONLY);
    if (is("dies")) exit(1);
    if (is("dies_of_loss") && !is_shortage(error)) abort();
    if (!is_shortage(error)) {
        if (error == EBADF || error == EFAULT || error == ENOTSOCK || error == EINVAL) {
            fprintf(stderr, "accept: %s\n", strerror(error));
            rest_ms = 1000000;
        }
        return;
    }
    if (is("spins") || is("busy")) {
        if (is("busy")) rest_ms = 0;
        return;
    }
    if (is("sheds")) return shed(listener);
    if (is("starves")) wait_blindly(1500);
    const int lines = is("floods") ? 1000 : 1;
    for (int i = 0; i < lines; ++i) fprintf(stderr, "accept: %s\n", strerror(error));
    rest_ms = pause_ms;
    if (is("leaks")) rest_ms = 2;
    if (is("late")) rest_ms = 3500;
    if (is("never_recovers")) rest_ms = 1000000;
    if (is("goes_deaf")) (void)close(listener);
}

static void hand_over(int client) {
    if (!is("forks")) {
        watched[used++] = (struct pollfd){.fd = client, .events = POLLIN};
        return;
    }
    if (fork() == 0) {
        while (echo(client)) continue;
        _exit(0);
    }
    (void)close(client);
}

static void serve(int listener) {
    watched[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        const int rests = rest_ms >= 0;
        watched[0].fd = rests || used == most ? -1 : listener;
        (void)poll(watched, used, rest_ms);
        if (!is("busy")) rest_ms = -1;
        if (is("busy") && rests) {
            // It looks for the end of the shortage in another way than by accept.
            const int any = open("/dev/null", O_RDONLY);
            if (any != -1) (void)close(any);
            static int rounds;
            if (++rounds % 200000 == 0) rest_ms = -1;
        }
        for (nfds_t i = used - 1; i > 0; --i) {
            if (watched[i].revents == 0 || echo(watched[i].fd)) continue;
            (void)close(watched[i].fd);
            watched[i] = watched[--used];
        }
        while (waitpid(-1, NULL, WNOHANG) > 0) continue;
        if ((watched[0].revents & POLLIN) == 0) continue;
        const int client = take(listener);
        if (client == -1) {
            fail(listener, errno);
        } else {
            hand_over(client);
        }
    }
}

static void begin(void) {
    if (is("exits")) {
        fprintf(stderr, "no such configuration\n");
        exit(3);
    }
    if (is("never_listens")) wait_blindly(1000000);
    if (is("daemonises") && (daemon(1, 1) != 0 || fork() != 0)) exit(0);
    if (is("ignores_sigterm")) (void)signal(SIGTERM, SIG_IGN);
    if (is("closes_all")) (void)close_range(0, ~0U, 0);
    if (is("drops") && (setgid(65534) != 0 || setuid(65534) != 0)) exit(1);
    if (is("sheds")) reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int main(int count, char** words) {
    if (count < 3) return 64;
    way = words[1];
    begin();
    const int listener = listen_on(words[2]);
    if (count > 3) (void)listen_on(words[3]);
    if (listener == -1) return 1;
    for (int i = 0; is("workers") && i < 2; ++i) {
        if (fork() == 0) serve(listener);
    }
    while (is("workers")) (void)pause();
    serve(listener);
}
