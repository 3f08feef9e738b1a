// The lock of a listener.
//
// Every listener has one, whether it was made with LEV_OPT_THREADSAFE or not, and it is part of the
// listener: there is none that could not be had (THR_1, THR_2).
#pragma once

#include <pthread.h>

namespace hark::reference {

// std::mutex would do, but for the exception that it throws where the lock says no, which must not
// pass through libevent.  A lock of the default kind has no reason to: what POSIX lists is for
// recursive locks, for checking ones, and for those with a priority.
class Mutex {
  public:
    Mutex() = default;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;
    void lock() noexcept { (void)pthread_mutex_lock(&mutex_); }
    void unlock() noexcept { (void)pthread_mutex_unlock(&mutex_); }

  private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

}  // namespace hark::reference
