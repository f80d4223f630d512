"""The rows about sharing: one more session in a ledger of 10,000, what a push pays for the hook, how fast a scan is."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from . import data
from .ledger import ENV, SESSION, git
from .measure import Case, Spread, rounds, warm
from .rows import FLAT, available, compared, object_path
from .table import Line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .measure import Rounds
    from .rows import Bench

COUNT = 10_000
ROUNDS = 10
REF = "refs/opensession/branches/bWFpbg"
COMMIT = "date +%N >> notes.txt && git add notes.txt && git commit -q -m note"
SHARE_LIMIT = 0.2
"""Seconds that adding one session to a ledger of that many may take, the command's start included."""


def sharing(bench: Bench) -> list[Line]:
    """share, share --push and the pre-push hook on a repository whose ledger holds 10,000 sessions."""
    folder = bench.scratch / "sharing"
    shutil.rmtree(folder, ignore_errors=True)
    maker = [bench.python, "-m", "harness.ledger", str(folder), str(COUNT)]
    subprocess.run(maker, check=True, cwd=data.BENCHES)
    work, origin = folder / "work", folder / "origin.git"
    env = {**ENV, "HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")}
    inside = partial(Case, env=env, cwd=work)
    tips = {name: _tip(work, name) for name in ("refs/heads/main", REF)}

    def back() -> None:
        """Both repositories as they were before the last sample."""
        for name, tip in tips.items():
            git(work, "update-ref", name, tip)
            git(origin, "update-ref", name, tip)

    def ahead() -> None:
        back()
        git(work, "commit", "-q", "--allow-empty", "-m", "more")

    share = [bench.cli, "share", _registered(bench, work, env), "--git", "--remote", "origin"]
    plain = inside("git add, git commit", ["sh", "-c", COMMIT], back)
    taken = rounds(
        [inside("share", share, back), inside("share --push", [*share, "--push"], back), plain],
        max(ROUNDS, bench.count),
        watch=False,
    )
    lines = [_taking(taken, name, plain.name) for name in ("share", "share --push")]
    lines[0].reach, lines[0].met = f"<= {SHARE_LIMIT * 1e3:.0f} ms", taken.seconds("share") <= SHARE_LIMIT
    fix = [bench.cli, "doctor", "--fix", "--yes", "--fanout-mode", "hidden_ref"]
    subprocess.run(fix, cwd=work, env=env, check=True, capture_output=True)
    push = ["git", "push", "-q", "origin", "main"]
    bare = inside("git push --no-verify", [*push, "--no-verify"], ahead)
    taken = rounds([inside("git push, hook", push, ahead), bare], max(ROUNDS, bench.count), watch=False)
    hook = _taking(taken, "git push, hook", bare.name)
    hook.unit, hook.measured = "+ms", taken.extra("git push, hook", bare.name)
    return [*lines, hook]


def _taking(taken: Rounds, name: str, peer: str) -> Line:
    """A line that says how many milliseconds a command took."""
    line = Line(name, f"{COUNT:,} sessions", peer, taken.seconds(name), unit="ms", peak=taken.peak(name))
    line.measured = Spread.of([sample.wall for sample in taken.samples[name]])
    line.peer_peak = taken.peak(peer)
    return line


def _registered(bench: Bench, work: Path, env: Mapping[str, str]) -> str:
    """The URI of a session that the ledger does not have yet, in the store of the repository."""
    source = work.parent / "new.hail.jsonl"
    source.write_text(SESSION % (COUNT, COUNT, work, COUNT))
    command = [bench.cli, "register", str(source), "--quiet"]
    done = subprocess.run(command, cwd=work, env=dict(env), check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _tip(work: Path, ref: str) -> str:
    command = ["git", "rev-parse", "--verify", ref]
    return subprocess.run(command, cwd=work, check=True, capture_output=True, text=True).stdout.strip()


def scan(bench: Bench) -> list[Line]:
    """scan of a stored session for secrets, against openssl."""
    source = data.generated("hail", bench.stored)
    root, address = bench.store(source.path)
    stored = object_path(root, address)
    given = data.Input("hail", stored, stored.stat().st_size, source.lines, data.longest_line(stored))
    case = Case("scan", [bench.cli, "scan", address, "--store", str(root)])
    warm(stored)
    taken = rounds([case, *available(bench.hashed(stored))], bench.count)
    line = Line("scan, 2 threads", given.label, "openssl dgst -sha256")
    line.limit = bench.interpreter + FLAT + 3 * given.longest
    return [compared(line, taken, case.name, given, 0.4)]
