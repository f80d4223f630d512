"""Run one command and print what it took as JSON: `python -I -S launch.py SECONDS COMMAND…`.

It is a process of its own because the peak memory of a child includes that of the process it was forked
from: this one holds nothing but the interpreter (about 9 MiB). The child's output goes to /dev/null, its
errors to ours.
"""

import json
import os
import signal
import sys
import time


def busy_seconds() -> float:
    """CPU seconds the whole machine has spent on anything but idling; -1 where the system does not say."""
    try:
        with open("/proc/stat") as stat:
            fields = [int(word) for word in stat.readline().split()[1:9]]
    except OSError:
        return -1.0
    idle, waiting = fields[3], fields[4]
    return (sum(fields) - idle - waiting) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    limit, command = float(sys.argv[1]), sys.argv[2:]
    null = os.open(os.devnull, os.O_RDWR)
    busy, start = busy_seconds(), time.perf_counter()
    child = os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)],
        setpgroup=0,
    )
    expired = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal expired
        expired = True
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    signal.setitimer(signal.ITIMER_REAL, 0)
    kib = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
    cpu = usage.ru_utime + usage.ru_stime
    foreign = max(0.0, busy_seconds() - busy - cpu) / wall if busy >= 0 else -1.0
    report = {
        "wall": wall,
        "cpu": cpu,
        "rss": kib * 1024,
        "foreign": foreign,
        "status": os.waitstatus_to_exitcode(status),
        "expired": expired,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
