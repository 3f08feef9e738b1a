// An echo server without any library at run time: what a preloaded shim can't get into.  It is a
// right one: after a shortage it waits a tenth of a second, an error that cannot pass ends it, and
// of any other it tries again.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most = 1024, pause_ms = 100 };

static int is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static int is_for_good(int error) {
    return error == EBADF || error == EFAULT || error == EINVAL || error == ENOTSOCK;
}

// Where the kernel has no accept4 this is found out once.
static int take(int listener) {
    static int has_accept4 = 1;
    const int client = has_accept4 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
    if (has_accept4 && (client != -1 || errno != ENOSYS)) return client;
    has_accept4 = 0;
    return accept(listener, NULL, NULL);
}

static int listen_on(unsigned short port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (listener == -1) return -1;
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (const struct sockaddr*)&address, sizeof address) != 0) return -1;
    return listen(listener, 128) == 0 ? listener : -1;
}

// Zero once the client is gone.
static int echo(int client) {
    char data[4096];
    const ssize_t size = read(client, data, sizeof data);
    if (size <= 0) return 0;
    return write(client, data, (size_t)size) == size;
}

int main(int count, char** words) {
    static struct pollfd watched[most];
    nfds_t used = 1;
    const int listener = count == 2 ? listen_on((unsigned short)atoi(words[1])) : -1;
    if (listener == -1) {
        perror("hark-static-echo PORT");
        return 1;
    }
    watched[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (int rests = 0;;) {
        // While it rests, the listener is not looked at.
        watched[0].fd = rests || used == most ? -1 : listener;
        if (poll(watched, used, rests ? pause_ms : -1) < 0 && errno != EINTR) return 1;
        rests = 0;
        for (nfds_t i = used - 1; i > 0; --i) {
            if (watched[i].revents == 0 || echo(watched[i].fd)) continue;
            close(watched[i].fd);
            watched[i] = watched[--used];
        }
        if ((watched[0].revents & POLLIN) == 0) continue;
        const int client = take(listener);
        if (client != -1) {
            watched[used++] = (struct pollfd){.fd = client, .events = POLLIN};
            continue;
        }
        const int error = errno;
        if (!is_shortage(error) && !is_for_good(error)) continue;
        perror("accept");
        if (is_for_good(error)) return 1;
        rests = 1;
    }
}
