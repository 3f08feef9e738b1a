// A server that answers each connection with its process's number, and is as awkward as it is asked
// to be: it stands in for all those whose sources nobody wants to touch.
//
//   server WAY...
//
//   workers=N  forks N workers, and one anew for each that ends
//   one-shot   a worker ends after each connection
//   each       forks for each connection
//   drop       becomes nobody
//   close      closes every descriptor that it did not open
//   scrub      empties its environment and executes itself
//   daemon     daemonises
//   deaf       ignores SIGTERM
//   raw        accepts by syscall(2)
//   block      waits in accept, not in poll
//   reserve    sheds load with a descriptor
//   unix=PATH  accepts on a socket of AF_UNIX as well
//   uring      asks for an io_uring
//   quit=N     exits with that status after a connection
//   thread     accepts in a second thread
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener = -1, local = -1, reserve = -1;
static int is_each, is_raw, blocks, is_one_shot, quits = -1;

static const char* way(int count, char** words, const char* name) {
    size_t length = strlen(name);
    for (int i = 1; i < count; ++i) {
        if (strncmp(words[i], name, length) != 0) continue;
        if (words[i][length] == '=') return words[i] + length + 1;
        if (words[i][length] == '\0') return words[i] + length;
    }
    return NULL;
}

static void say(const char* what, long number) {
    char line[128];
    int size = snprintf(line, sizeof line, "%s %ld\n", what, number);
    (void)!write(STDOUT_FILENO, line, (size_t)size);
}

static int take(int from) {
    if (is_raw) return (int)syscall(SYS_accept4, from, NULL, NULL, SOCK_CLOEXEC);
    return accept4(from, NULL, NULL, SOCK_CLOEXEC);
}

static void shed(void) {
    if (reserve < 0) return;
    close(reserve);
    int shed = take(listener);
    if (shed >= 0) say("shed", shed);
    if (shed >= 0) close(shed);
    reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void answer(int client) {
    char line[32];
    int size = snprintf(line, sizeof line, "%d\n", (int)getpid());
    (void)!send(client, line, (size_t)size, MSG_NOSIGNAL);
    close(client);
}

static void serve(int from) {
    int client = take(from);
    if (client < 0) {
        // Once, for whoever reads it may be busy, and a full pipe would hold the server.
        static int said = 0;
        int error = errno;
        if (error != said) say(strerrorname_np(error), from == local ? 1 : 0);
        said = error;
        if (error == EMFILE) shed();
        return;
    }
    if (is_each && fork() == 0) {
        answer(client);
        _exit(0);
    }
    if (is_each) close(client);
    if (!is_each) answer(client);
    if (quits >= 0) exit(quits);
    if (is_one_shot) _exit(0);
}

static void* work(void* nothing) {
    struct pollfd both[] = {{listener, POLLIN, 0}, {local, POLLIN, 0}};
    for (;;) {
        if (blocks) {
            serve(listener);
            continue;
        }
        if (poll(both, 2, -1) < 0) continue;
        if (both[0].revents) serve(listener);
        if (both[1].revents) serve(local);
    }
    return nothing;
}

static void listen_on_loopback(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr*)&at, length) != 0 || listen(listener, 64) != 0) exit(9);
    getsockname(listener, (struct sockaddr*)&at, &length);
    if (!blocks) fcntl(listener, F_SETFL, O_NONBLOCK);
    say("listening", ntohs(at.sin_port));
}

static void listen_locally(const char* path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strncpy(at.sun_path, path, sizeof at.sun_path - 1);
    local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(local, (struct sockaddr*)&at, sizeof at) != 0 || listen(local, 64) != 0) exit(9);
}

static void keep_workers(int count) {
    for (int i = 0; i < count; ++i) {
        if (fork() == 0) work(NULL);
    }
    while (wait(NULL) > 0) {
        if (fork() == 0) work(NULL);
    }
}

int main(int count, char** words) {
    if (way(count, words, "scrub") && getenv("PATH") != NULL) {
        clearenv();
        execv("/proc/self/exe", words);
    }
    if (way(count, words, "close")) close_range(3, ~0U, 0);
    if (way(count, words, "deaf")) signal(SIGTERM, SIG_IGN);
    if (way(count, words, "daemon") && daemon(1, 1) != 0) return 9;
    if (way(count, words, "each")) signal(SIGCHLD, SIG_IGN);
    is_each = way(count, words, "each") != NULL;
    is_raw = way(count, words, "raw") != NULL;
    blocks = way(count, words, "block") != NULL;
    is_one_shot = way(count, words, "one-shot") != NULL;
    if (way(count, words, "quit")) quits = atoi(way(count, words, "quit"));
    if (way(count, words, "unix")) listen_locally(way(count, words, "unix"));
    if (way(count, words, "reserve")) reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (way(count, words, "uring")) {
        unsigned char parameters[256] = {0};
        say("uring", syscall(425, 4, parameters));
    }
    if (way(count, words, "drop") && (setgid(65534) != 0 || setuid(65534) != 0)) return 9;
    listen_on_loopback();
    if (way(count, words, "workers")) {
        keep_workers(atoi(way(count, words, "workers")));
        return 0;
    }
    if (way(count, words, "thread")) {
        pthread_t other;
        pthread_create(&other, NULL, work, NULL);
        pthread_join(other, NULL);
    }
    work(NULL);
    return 0;
}
