// Tiny: a listener on poll(2), small enough to be read in a minute.  The example of README.md; its
// faults are its own, and left where they are.
#ifndef TINY_H
#define TINY_H

#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tiny_loop;
struct tiny_listener;

typedef void (*tiny_callback)(struct tiny_listener*, int fd, const struct sockaddr*, socklen_t,
                              void* argument);

struct tiny_loop* tiny_loop_new(void);
void tiny_loop_free(struct tiny_loop*);
// Calls back for what is ready, having waited for it for so many milliseconds; -1: for ever.
int tiny_loop_once(struct tiny_loop*, int milliseconds);

// Null and errno where it fails.
struct tiny_listener* tiny_listen(struct tiny_loop*, const struct sockaddr*, socklen_t, int backlog,
                                  tiny_callback, void* argument);
int tiny_fd(const struct tiny_listener*);
void tiny_pause(struct tiny_listener*);
void tiny_resume(struct tiny_listener*);
void tiny_close(struct tiny_listener*);  // and its socket

const char* tiny_version(void);

#ifdef __cplusplus
}
#endif

#endif
