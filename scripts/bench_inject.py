#!/usr/bin/python3
"""What a server pays for being under an idle plan.

    scripts/bench_inject.py                 five rounds, with the newest hark that was built
    scripts/bench_inject.py --rounds 9 --requests 200000

redis is asked by redis-benchmark (packages redis-server and redis-tools), bare and under each way in
turn, round by round, so that what else the machine does falls on all of them. Printed is the median
of the ratios to bare within a round: of requests over connections that stay, which is what most
servers do most of the time, and of requests with a connection each, where every accept is looked at;
once as requests a second, and once as requests for a second of redis's own processor time, which
says the same on a machine that has other things to do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Never fires: nobody gets so many connections.
PLAN = "accept,accept4:error=EMFILE:when=4000000000"
STRACE = "inject=accept,accept4:error=EMFILE:when=65535"
LONG_S = 120.0


def ways(hark: Path) -> dict[str, list[str]]:
    return {
        "bare": [],
        "the shim": [str(hark), "inject", "--via", "shim", PLAN, "--"],
        "the shim and a filter (auto)": [str(hark), "inject", PLAN, "--"],
        "the supervisor": [str(hark), "inject", "--via", "seccomp", PLAN, "--"],
        "the shim, tracing": [str(hark), "inject", "--trace=/dev/null", PLAN, "--"],
        "strace": ["strace", "-f", "-qq", "-o", "/dev/null", "-e", STRACE],
        "strace --seccomp-bpf": [
            *("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"),
            *("-e", "trace=accept,accept4", "-e", STRACE),
        ],
    }


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise SystemExit("redis-server does not listen")


def rate(port: int, words: list[str]) -> float:
    """Requests a second."""
    asked = ["redis-benchmark", "-p", str(port), "-t", "get", "--csv", *words]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=LONG_S, check=True)
    return float(done.stdout.splitlines()[-1].split(",")[1].strip('"'))


def processor_s(port: int) -> float:
    """What redis itself has used so far."""
    words = ["redis-cli", "-p", str(port), "info", "cpu"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LONG_S, check=True)
    used = dict(each.split(":") for each in done.stdout.split() if ":" in each)
    return float(used["used_cpu_user_main_thread"]) + float(used["used_cpu_sys_main_thread"])


def both_rates(port: int, requests: int, words: list[str]) -> list[float]:
    before = processor_s(port)
    a_second = rate(port, ["-n", str(requests), *words])
    return [a_second, requests / (processor_s(port) - before)]


def measure(prefix: list[str], requests: int) -> list[float]:
    port = free_port()
    server = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(
        [*prefix, *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            wait_for(port)
            kept = both_rates(port, requests, [])
            anew = both_rates(port, requests // 5, ["-k", "0"])
        finally:
            # By its own word: strace with -o takes no signal.
            shutdown = ["redis-cli", "-p", str(port), "shutdown", "nosave"]
            subprocess.run(shutdown, capture_output=True, timeout=LONG_S, check=False)
            running.wait(LONG_S)
    return kept + anew


def newest_hark() -> Path:
    built = [ROOT / ".build" / each / "hark" for each in ("release", "ci", "dev")]
    found = [each for each in built if each.exists()]
    if not found:
        raise SystemExit("no hark is built: cmake --workflow --preset ci")
    return max(found, key=lambda each: each.stat().st_mtime)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=100_000)
    options = parser.parse_args()
    for needed in ("redis-server", "redis-cli", "redis-benchmark", "strace"):
        if shutil.which(needed) is None:
            raise SystemExit(
                f"{needed} is not installed: apt-get install redis-server redis-tools strace"
            )
    hark = Path(os.environ["HARK"]) if "HARK" in os.environ else newest_hark()
    ratios: dict[str, list[list[float]]] = {name: [] for name in ways(hark)}
    bare: list[list[float]] = []
    for number in range(options.rounds):
        for name, prefix in ways(hark).items():
            told = measure(prefix, options.requests)
            if name == "bare":
                bare.append(told)
            ratios[name].append([each / plain for each, plain in zip(told, bare[-1])])
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    print("| redis under | kept: a second | of processor | each anew: a second | of processor |")
    print("|---|---:|---:|---:|---:|")
    for name, all_rounds in ratios.items():
        cells = [f"{statistics.median(column):.1%}" for column in zip(*all_rounds)]
        print("| " + " | ".join([name, *cells]) + " |")
    print("\nbare:", *(f"{statistics.median(column):,.0f}" for column in zip(*bare)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
