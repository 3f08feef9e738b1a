#include "harness/cell/protocol.h"

#include <sys/socket.h>

#include "harness/must.h"

namespace hark {

bool LineReader::fill() {
    char block[65536];
    for (;;) {
        const auto size = ::recv(fd_, block, sizeof block, 0);
        if (size == -1 && Errno::last() == Errno(EINTR)) continue;
        if (size <= 0) return false;
        buffer_.append(block, static_cast<std::size_t>(size));
        return true;
    }
}

bool LineReader::next(std::string& line) {
    const auto end = buffer_.find('\n', looked_at_);
    if (end == std::string::npos) {
        looked_at_ = buffer_.size();
        return false;
    }
    line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    looked_at_ = 0;
    return true;
}

bool send_line(int fd, const std::string& line) {
    const std::string whole = line + '\n';
    std::size_t done = 0;
    while (done < whole.size()) {
        const auto size = ::send(fd, whole.data() + done, whole.size() - done, MSG_NOSIGNAL);
        if (size == -1 && Errno::last() == Errno(EINTR)) continue;
        if (size <= 0) return false;
        done += static_cast<std::size_t>(size);
    }
    return true;
}

}  // namespace hark
