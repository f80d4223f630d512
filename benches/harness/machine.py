"""What the numbers were measured on, without names of machines, people or folders."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path


def facts(cli: str, peer: str | None) -> dict[str, str]:
    return {
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "sha_ni": _sha_ni(),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "openssl": _first_line("openssl", "version") or "absent",
        "orjson": _version("orjson"),
        "opensession": _first_line(cli, "--version") or "absent",
        "Rust program": _rust_program(peer),
    }


def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in reversed(list(pairs))}


def _cpu() -> str:
    info = _cpuinfo()
    if "model name" in info:
        return f"{info['model name']} (family {info.get('cpu family')}, model {info.get('model')})"
    return _first_line("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()


def _sha_ni() -> str:
    """Whether the CPU hashes SHA-256 itself: the fact that moves these numbers most."""
    info = _cpuinfo()
    flags = (info.get("flags") or info.get("Features") or "").split()
    if flags:
        return "yes" if "sha_ni" in flags or "sha2" in flags else "no"
    return "yes" if platform.machine() == "arm64" else "unknown"


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"
    except (OSError, ValueError):
        return "unknown"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _rust_program(peer: str | None) -> str:
    if peer is None:
        return "absent"
    text = _first_line(peer, "--version")
    return text or "installed (it has no --version)"


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    except OSError:
        return ""
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout.strip() else ""
