// The calls whose cost is compared.  The program knows nothing of what it runs under, and no fault
// stops it: call_cost_under runs it bare and under each tool.
//
// The number of calls is fixed (CALL_COST_CALLS), so that a tracer's time, which this program
// cannot see, can be divided by it from outside.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

namespace {

int empty_listener() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd, 1) != 0) {
        std::perror("a listener to measure on");
        std::exit(2);
    }
    return fd;
}

void call_accept4(benchmark::State& state) {
    const int listener = empty_listener();
    for ([[maybe_unused]] auto each : state) {
        benchmark::DoNotOptimize(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK));
    }
}

void call_accept(benchmark::State& state) {
    const int listener = empty_listener();
    for ([[maybe_unused]] auto each : state) {
        benchmark::DoNotOptimize(accept(listener, nullptr, nullptr));
    }
}

void call_getsockopt(benchmark::State& state) {
    const int listener = empty_listener();
    for ([[maybe_unused]] auto each : state) {
        int error = 0;
        socklen_t size = sizeof error;
        benchmark::DoNotOptimize(getsockopt(listener, SOL_SOCKET, SO_ERROR, &error, &size));
    }
}

// Two calls an iteration.
void call_malloc(benchmark::State& state) {
    for ([[maybe_unused]] auto each : state) {
        void* memory = std::malloc(64);
        benchmark::DoNotOptimize(memory);
        std::free(memory);
    }
}

long calls_wanted() {
    const char* const wanted = std::getenv("CALL_COST_CALLS");
    const long calls = wanted == nullptr ? 100'000 : std::atol(wanted);
    return calls > 0 ? calls : 1;
}

}  // namespace

int main(int argument_count, char** arguments) {
    const long calls = calls_wanted();
    benchmark::RegisterBenchmark("accept4", call_accept4)->Iterations(calls);
    benchmark::RegisterBenchmark("accept", call_accept)->Iterations(calls);
    benchmark::RegisterBenchmark("getsockopt", call_getsockopt)->Iterations(calls);
    benchmark::RegisterBenchmark("malloc", call_malloc)->Iterations(calls);
    benchmark::Initialize(&argument_count, arguments);
    if (benchmark::ReportUnrecognizedArguments(argument_count, arguments)) return 2;
    benchmark::RunSpecifiedBenchmarks();
}
