#include "harness/trace/option_text.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>

#include "harness/errno.h"
#include "harness/trace/escape.h"

namespace hark::trace {
namespace {

using Bytes = std::span<const unsigned char>;

template <typename Value>
bool read_whole(Bytes bytes, Value& value) {
    if (bytes.size() != sizeof value) return false;
    std::memcpy(&value, bytes.data(), sizeof value);
    return true;
}

std::string linger_text(const linger& value) {
    return "{l_onoff=" + std::to_string(value.l_onoff) +
           ", l_linger=" + std::to_string(value.l_linger) + '}';
}

std::string time_text(const timeval& value) {
    return "{tv_sec=" + std::to_string(value.tv_sec) +
           ", tv_usec=" + std::to_string(value.tv_usec) + '}';
}

}  // namespace

std::string option_text(std::int64_t level, std::int64_t option, Bytes bytes, bool cut) {
    if (level == SOL_SOCKET && option == SO_LINGER) {
        if (linger value{}; read_whole(bytes, value)) return linger_text(value);
    }
    if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
        if (timeval value{}; read_whole(bytes, value)) return time_text(value);
    }
    const bool is_text = level == IPPROTO_TCP && (option == TCP_CONGESTION || option == TCP_ULP);
    if (int value = 0; !is_text && read_whole(bytes, value)) {
        const bool is_error = level == SOL_SOCKET && option == SO_ERROR && value != 0;
        return '[' + (is_error ? Errno(value).name() : std::to_string(value)) + ']';
    }
    return quoted(bytes) + (cut ? "..." : "");
}

}  // namespace hark::trace
