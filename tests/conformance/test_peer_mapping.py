"""The Python peer of the benchmarks does the same work as the parsers: byte for byte the same sessions."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from opensession import core

pytest.importorskip("blake3", reason="the peer makes the ledger's digests with the blake3 package")

BENCHES = Path(__file__).resolve().parents[2] / "benches"
sys.path.insert(0, str(BENCHES))

import gen_logs  # noqa: E402
from synthetic.text import Pools  # noqa: E402

AGENTS = [("claude", "claude-code"), ("codex", "codex")]


@pytest.fixture(scope="module")
def pools() -> Pools:
    return Pools(gen_logs.SEED)


def parsed(log: Path, profile: str) -> tuple[bytes, dict[str, Any]]:
    out = log.with_suffix(".hail")
    with out.open("wb") as target:
        info = core.parse(str(log), target.fileno(), profile=profile)
    return out.read_bytes(), dict(info)


def mapped_in_python(log: Path, profile: str) -> bytes:
    command = [sys.executable, str(BENCHES / "peer_orjson.py"), profile, str(log)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.decode().strip() == hashlib.sha256(done.stdout).hexdigest()
    return done.stdout


def assert_same_lines(peer: bytes, ours: bytes) -> None:
    """Names the first line that differs: two sessions of megabytes say nothing to a reader."""
    if peer == ours:
        return
    pairs = enumerate(zip(peer.splitlines(), ours.splitlines(), strict=False), 1)
    number, (theirs, own) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
    at = next((n for n, (a, b) in enumerate(zip(theirs, own, strict=False)) if a != b), 0)
    pytest.fail(
        f"line {number}, byte {at}: peer …{theirs[at - 80 : at + 120]!r}, core …{own[at - 80 : at + 120]!r}"
    )


@pytest.mark.parametrize(("mode", "profile"), AGENTS)
@pytest.mark.parametrize("seed", [gen_logs.SEED, 11])
def test_the_python_mapping_and_the_core_write_the_same_session(
    pools: Pools, tmp_path: Path, mode: str, profile: str, seed: int
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(gen_logs.chunks(mode, 12_000_000, pools, seed)))
    ours, info = parsed(log, profile)
    assert_same_lines(mapped_in_python(log, profile), ours)
    assert info["sha256"] == hashlib.sha256(ours).hexdigest()
    records, repairs = info["source"]["records"], info["source"]["repairs"]
    assert records["opaque"] == records["damaged"] == 0, "the sample holds only what both know"
    assert repairs["glued"] > 0
    assert repairs["lone_surrogate"] > 0
    assert (records["folded"] > 0) == (profile == "codex")
