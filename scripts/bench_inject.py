#!/usr/bin/python3
"""What a server pays for being under an idle plan.

    scripts/bench_inject.py                 five rounds, with the newest hark that was built
    scripts/bench_inject.py --rounds 9 --requests 200000

redis is asked by redis-benchmark (packages redis-server and redis-tools), bare and under each way in
turn, round by round, so that what else the machine does falls on all of them. Printed is the median
of the ratios to bare within a round: of requests over connections that stay, which is what most
servers do most of the time, and of requests with a connection each, where every accept is looked at.
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


def measure(prefix: list[str], requests: int) -> tuple[float, float]:
    port = free_port()
    server = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(
        [*prefix, *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            wait_for(port)
            kept = rate(port, ["-n", str(requests)])
            anew = rate(port, ["-n", str(requests // 5), "-k", "0"])
        finally:
            # By its own word: strace with -o takes no signal.
            shutdown = ["redis-cli", "-p", str(port), "shutdown", "nosave"]
            subprocess.run(shutdown, capture_output=True, timeout=LONG_S, check=False)
            running.wait(LONG_S)
    return kept, anew


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
    ratios: dict[str, list[tuple[float, float]]] = {name: [] for name in ways(hark)}
    bare: list[tuple[float, float]] = []
    for number in range(options.rounds):
        for name, prefix in ways(hark).items():
            both = measure(prefix, options.requests)
            if name == "bare":
                bare.append(both)
            ratios[name].append((both[0] / bare[-1][0], both[1] / bare[-1][1]))
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    print("| redis under | connections kept | a connection each |\n|---|---:|---:|")
    for name, each in ratios.items():
        kept, anew = (statistics.median(one[i] for one in each) for i in (0, 1))
        print(f"| {name} | {kept:.1%} | {anew:.1%} |")
    kept, anew = (statistics.median(one[i] for one in bare) for i in (0, 1))
    print(f"\nbare: {kept:,.0f} and {anew:,.0f} requests a second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
