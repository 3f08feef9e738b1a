#include "harness/results/machine.h"

#include <gnu/libc-version.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <thread>

namespace hark {

namespace {

std::string cpu_model() {
    std::ifstream in("/proc/cpuinfo");
    std::string line;
    while (std::getline(in, line)) {
        if (!line.starts_with("model name")) continue;
        const auto colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown";
}

// -1 where this kernel does not tell.
long sysctl(const std::string& name) {
    std::ifstream in("/proc/sys/net/" + name);
    long value = -1;
    in >> value;
    return value;
}

}  // namespace

nlohmann::json machine_facts() {
    utsname system{};
    (void)::uname(&system);
    rlimit descriptors{};
    (void)::getrlimit(RLIMIT_NOFILE, &descriptors);
    return {{"kernel", std::string(system.sysname) + " " + system.release},
            {"libc", std::string("glibc ") + ::gnu_get_libc_version()},
            {"cpu", cpu_model()},
            {"cpus", std::thread::hardware_concurrency()},
            {"nofile", descriptors.rlim_cur},
            {"somaxconn", sysctl("core/somaxconn")},
            {"tcp_syncookies", sysctl("ipv4/tcp_syncookies")}};
}

std::string now_utc() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    (void)::gmtime_r(&now, &utc);
    char text[32];
    (void)std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

std::chrono::year_month_day today_utc() {
    return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
}

}  // namespace hark
