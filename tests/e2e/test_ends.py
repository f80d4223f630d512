"""How a command ends: closed pipes, full disks, closed streams and signals."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")


@pytest.fixture
def large(env, hail) -> str:
    """A session far larger than a pipe holds."""
    (env.work / "large.hail.jsonl").write_bytes(hail.session(events=4000, text="x" * 500))
    return "large.hail.jsonl"


def test_a_closed_pipe_ends_quietly_with_0(sh, large):
    address = sh(f"opensession register {large} --quiet").out.strip()
    for line in (f"parse --profile hail {large}", f"cat {address}", f"cat --check-first {address}"):
        done = sh(f"opensession {line} | head -n 1 | wc -l; echo ${{PIPESTATUS[0]}}")
        assert (done.out.split(), done.err) == (["1", "0"], "")


def test_a_pipe_closed_before_the_first_byte_ends_quietly_too(sh, session):
    for line in (
        "ls",
        f"register {session}",
        f"inspect {session}",
        "docs completion bash",
        "--help",
        f"inspect {session} --json",
    ):
        done = sh(f"opensession {line} | sleep 0; echo ${{PIPESTATUS[0]}}")
        assert (done.out, done.err) == ("0\n", "")


@needs_full
def test_a_full_disk_ends_with_8(sh, large, session):
    address = sh(f"opensession register {large} --quiet").out.strip()
    for line in (
        f"parse --profile hail {large}",
        f"parse --profile hail {large} --out /dev/full",
        f"cat {address}",
        f"register {session}",
        "ls",
        f"inspect {session} --json",
        "--help",
    ):
        done = sh(f"opensession {line} > /dev/full")
        assert (done.code, done.out, "Traceback" in done.err) == (8, "", False), line
        assert "No space left on device" in done.err


def test_closed_streams_are_survived_and_nothing_is_written_into_the_store(sh, session):
    address = sh(f"opensession register {session} --quiet").out.strip()
    assert sh(f"opensession cat {address} >&-").code == 8
    assert sh("opensession ls >&-").code == 8
    assert sh(f"opensession register {session} --quiet 2>&-").out.strip() == address
    assert sh("opensession parse --profile auto - <&-").code == 3
    assert sh("opensession ls <&- >&- 2>&-").code == 8
    assert sh(f"opensession verify {address}").code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_its_code_and_leaves_nothing_behind(sh, number, code):
    # A pipe that stays open: the command waits for more, wherever it is.
    with sh.start(
        "register",
        "--profile",
        "claude-code",
        "-",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdin is not None
        wait_until(lambda: waits_for_input(running.pid))
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (code, b"", b"")
    left = list(sh.env.home.rglob(".tmp-*"))
    assert left == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_whose_reader_does_not_read(sh, large, number, code):
    words = ("parse", "--profile", "hail", large)
    with sh.start(
        *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stdout.read(1) == b"{"  # it has begun, and the pipe holds less than it has to say
        wait_until(lambda: sleeps(running.pid))
        running.send_signal(number)
        assert running.wait(timeout=30) == code


def sleeps(pid: int) -> bool:
    """Whether the process waits for something, and has done so for a while."""
    state = Path(f"/proc/{pid}/stat")
    if not state.exists():  # macOS
        time.sleep(1.0)
        return True
    for _ in range(5):
        if state.read_text().rpartition(")")[2].split()[0] != "S":
            return False
        time.sleep(0.02)
    return True


def waits_for_input(pid: int) -> bool:
    """Whether it has come as far as copying the pipe into a file without a name."""
    descriptors = Path(f"/proc/{pid}/fd")
    if not descriptors.exists():  # macOS tells nobody; a second is long enough
        time.sleep(1.0)
        return True
    with suppress(FileNotFoundError):  # one is closed while we look
        return any(str(link.readlink()).endswith(" (deleted)") for link in descriptors.iterdir())
    return False


def wait_until(true) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


def test_out_replaces_a_file_whole_or_not_at_all(sh, session, env):
    (env.work / "o.jsonl").write_text("before\n")
    os.chmod(env.work / "o.jsonl", 0o640)
    lines = (env.work / session).read_bytes().splitlines(keepends=True)
    (env.work / "late.hail.jsonl").write_bytes(b"".join(lines[:-1]) + b"{]\n")
    assert sh("opensession parse --profile hail late.hail.jsonl --out o.jsonl").code == 3
    assert (env.work / "o.jsonl").read_text() == "before\n"
    assert sh(f"opensession parse --profile hail {session} --out o.jsonl").code == 0
    assert sh("opensession verify o.jsonl --strict").code == 0
    assert stat.S_IMODE((env.work / "o.jsonl").stat().st_mode) == 0o640
    assert not list(env.work.glob(".*tmp*"))


def test_out_may_be_the_input(sh, session):
    assert sh(f"opensession parse --profile hail {session} --out {session}").code == 0
    assert sh(f"opensession verify {session} --strict").code == 0


def test_out_keeps_a_link_and_replaces_what_it_points_to(sh, session, env):
    (env.work / "kept").mkdir()
    (env.work / "o.jsonl").symlink_to("kept/real.jsonl")
    assert sh(f"opensession parse --profile hail {session} --out o.jsonl").code == 0
    assert (env.work / "o.jsonl").is_symlink()
    assert sh("opensession verify kept/real.jsonl --strict").code == 0


def test_out_writes_a_device_or_a_pipe_directly(sh, session, env):
    assert sh(f"opensession parse --profile hail {session} --out /dev/null").code == 0
    os.mkfifo(env.work / "pipe")
    done = sh(
        f"cat pipe > got & opensession parse --profile hail {session} --out pipe; wait; opensession verify got --strict"
    )
    assert done.code == 0
    assert stat.S_ISFIFO((env.work / "pipe").stat().st_mode)


def test_new_output_has_the_mode_that_the_umask_wants(sh, session, env):
    sh(f"umask 027; opensession parse --profile hail {session} --out o.jsonl")
    assert stat.S_IMODE((env.work / "o.jsonl").stat().st_mode) == 0o640
