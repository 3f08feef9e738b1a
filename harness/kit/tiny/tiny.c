// What tiny.h promises, on poll(2).
#define _GNU_SOURCE
#include "tiny.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { most = 64 };

struct tiny_listener {
    struct tiny_loop* loop;
    tiny_callback callback;
    void* argument;
    int fd;
    int paused;
};

struct tiny_loop {
    struct tiny_listener* listeners[most];
};

const char* tiny_version(void) { return "1.0"; }

struct tiny_loop* tiny_loop_new(void) {
    return calloc(1, sizeof(struct tiny_loop));
}

void tiny_loop_free(struct tiny_loop* loop) { free(loop); }

static void accept_one(struct tiny_listener* one) {
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    const int fd = accept4(one->fd, (struct sockaddr*)&from, &length, SOCK_NONBLOCK);
    if (fd == -1) return;
    one->callback(one, fd, (struct sockaddr*)&from, length, one->argument);
}

int tiny_loop_once(struct tiny_loop* loop, int milliseconds) {
    struct pollfd ready[most];
    for (int i = 0; i < most; ++i) {
        const struct tiny_listener* const one = loop->listeners[i];
        ready[i].fd = one == NULL || one->paused ? -1 : one->fd;
        ready[i].events = POLLIN;
    }
    if (poll(ready, most, milliseconds) == -1) return -1;
    for (int i = 0; i < most; ++i) {
        if (loop->listeners[i] != NULL && ready[i].fd != -1 && ready[i].revents != 0) {
            accept_one(loop->listeners[i]);
        }
    }
    return 0;
}

static int listening_socket(const struct sockaddr* at, socklen_t length, int backlog) {
    const int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd == -1) return -1;
    if (bind(fd, at, length) == 0 && listen(fd, backlog) == 0) return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

struct tiny_listener* tiny_listen(struct tiny_loop* loop, const struct sockaddr* at,
                                  socklen_t length, int backlog, tiny_callback callback,
                                  void* argument) {
    int place = 0;
    while (place < most && loop->listeners[place] != NULL) ++place;
    if (place == most) {
        errno = ENOSPC;
        return NULL;
    }
    const int fd = listening_socket(at, length, backlog);
    if (fd == -1) return NULL;
    struct tiny_listener* const one = malloc(sizeof *one);
    if (one == NULL) return NULL;
    *one = (struct tiny_listener){loop, callback, argument, fd, 0};
    loop->listeners[place] = one;
    return one;
}

int tiny_fd(const struct tiny_listener* one) { return one->fd; }
void tiny_pause(struct tiny_listener* one) { one->paused = 1; }
void tiny_resume(struct tiny_listener* one) { one->paused = 0; }

void tiny_close(struct tiny_listener* one) {
    for (int i = 0; i < most; ++i) {
        if (one->loop->listeners[i] == one) one->loop->listeners[i] = NULL;
    }
    close(one->fd);
    free(one);
}
