#include "harness/cell/protocol.h"

#include <sys/socket.h>

#include "harness/must.h"

namespace hark {

Job Job::only(std::size_t run) const {
    Job one = *this;
    one.number = number + static_cast<std::uint32_t>(run);
    one.plans = {plans[run]};
    one.schedules = {schedule_of(run)};
    return one;
}

void Job::forget_first(std::size_t runs) {
    const auto count = static_cast<std::ptrdiff_t>(runs);
    number += static_cast<std::uint32_t>(runs);
    plans.erase(plans.begin(), plans.begin() + count);
    if (!schedules.empty()) schedules.erase(schedules.begin(), schedules.begin() + count);
}

bool LineReader::fill() {
    char block[65536];
    for (;;) {
        const auto size = ::recv(fd_, block, sizeof block, 0);
        if (size == -1 && Errno::last() == Errno(EINTR)) continue;
        if (size <= 0) return false;
        // Here and not with each line, of which several hundred may have come at once.
        buffer_.erase(0, taken_);
        looked_at_ -= taken_;
        taken_ = 0;
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
    line = buffer_.substr(taken_, end - taken_);
    taken_ = looked_at_ = end + 1;
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
