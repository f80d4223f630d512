"""The boundary of the compiled core: sources, outputs, errors; and that the rest of Python goes on meanwhile."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensession import _core as core
from opensession import errors

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = (
    b'{"type":"header","version":"hail-1.0.0","session_id":"s","agent":{"provider":"p","model":"m","tool":"t"},'
    b'"context":{"created_at":"2026-02-14T00:00:00Z","updated_at":"2026-02-14T00:00:00Z"}}\n'
)


def session(events: int, text: str = "x") -> bytes:
    event = (
        '{{"type":"event","event_id":"e{}","timestamp":"2026-02-14T00:00:00Z","event_type":{{"type":"UserMessage"}},'
        '"content":{{"blocks":[{{"type":"Text","text":"{}"}}]}}}}\n'
    )
    return HEAD + "".join(event.format(n, text) for n in range(events)).encode()


def test_there_is_one_error_class_for_every_code_of_the_core_and_no_interrupt_among_them() -> None:
    assert set(core.ERROR_CODES) <= set(errors.CODES)
    assert len(set(core.ERROR_CODES)) == len(core.ERROR_CODES)
    assert "interrupted" not in core.ERROR_CODES


def test_a_path_a_descriptor_and_bytes_are_the_same_source(tmp_path: Path) -> None:
    data = session(3)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"junk" + data)
    with path.open("rb") as file:
        os.lseek(file.fileno(), 4, os.SEEK_SET)
        by_descriptor = core.canonicalize(file.fileno())
        os.fstat(file.fileno())
    path.write_bytes(data)
    assert by_descriptor == core.canonicalize(data) == core.canonicalize(str(path))


def test_a_pipe_is_a_source(tmp_path: Path) -> None:
    data = session(2000)
    read, write = os.pipe()

    def feed() -> None:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(data)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with os.fdopen(read, "rb") as pipe:
        assert core.canonicalize(pipe.fileno()) == core.canonicalize(data)
    feeder.join()


def zstd(data: bytes) -> bytes:
    """A zstd frame of raw blocks: the format allows not to compress, and nothing here can."""
    blocks = [data[i : i + 100_000] for i in range(0, len(data), 100_000)]
    frame = b"\x28\xb5\x2f\xfd\x80\x58" + len(data).to_bytes(4, "little")
    for n, block in enumerate(blocks):
        frame += (len(block) << 3 | (n + 1 == len(blocks))).to_bytes(3, "little") + block
    return frame


def sums(sessions: list[core.SessionInfo]) -> list[tuple[str, int]]:
    return [(s["sha256"], s["bytes"]) for s in sessions]


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_gzip_and_zstd_are_read_as_what_they_hold_but_copied_as_they_are(
    pack: Callable[[bytes], bytes],
) -> None:
    data = session(3000)
    packed = pack(data)
    assert sums(core.canonicalize(packed)) == sums(core.canonicalize(data))
    assert core.copy(packed) == (hashlib.sha256(packed).hexdigest(), len(packed))
    with pytest.raises(errors.UnreadableError):
        core.canonicalize(packed[:-9])


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_packed_bytes_are_verified_as_what_they_are(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(session(3))
    report = core.verify(packed)
    assert report["sha256"] == hashlib.sha256(packed).hexdigest()
    assert (report["bytes"], report["valid"], report["canonical"]) == (len(packed), False, False)


def test_each_session_of_a_stream_goes_to_the_descriptor_that_is_asked_for_at_its_start(
    tmp_path: Path,
) -> None:
    stats = b'{"type":"stats"}\n'
    files: list[Any] = []

    def ask() -> int:
        files.append((tmp_path / str(len(files))).open("wb"))
        return int(files[-1].fileno())

    infos = core.canonicalize(session(1) + stats + session(2) + stats, ask)
    for n, (file, info) in enumerate(zip(files, infos, strict=True)):
        file.close()
        written = (tmp_path / str(n)).read_bytes()
        assert hashlib.sha256(written).hexdigest() == info["sha256"]
        assert len(written) == info["bytes"]


def test_an_exception_of_a_callback_comes_back_as_it_is() -> None:
    def ask() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        core.canonicalize(session(1), ask)


def test_a_large_output_stands_whole_behind_what_the_file_held(tmp_path: Path) -> None:
    data = session(1000, "x" * 9_999)  # more than once as much as is handed to the disk at a time
    [info] = core.canonicalize(data)
    path = tmp_path / "out"
    path.write_bytes(b"junk")
    with path.open("r+b") as file:
        os.lseek(file.fileno(), 4, os.SEEK_SET)
        core.canonicalize(data, file.fileno())
    written = path.read_bytes()
    assert (written[:4], len(written)) == (b"junk", 4 + info["bytes"])
    assert hashlib.sha256(written[4:]).hexdigest() == info["sha256"]


def test_a_source_that_is_none_is_a_type_error() -> None:
    for wrong in (None, 1.5, ["a"], bytearray(b"x")):
        with pytest.raises(TypeError):
            core.verify(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "code", "errno_set"),
    [
        (lambda p: core.verify(str(p / "none")), "input_missing", True),
        (lambda p: core.verify(str(p)), "unreadable", True),
        (lambda p: core.verify(987654), "unreadable", True),
        (lambda p: core.verify(-1), "unreadable", True),
        (lambda p: core.canonicalize(b""), "hail_empty", False),
        (lambda p: core.canonicalize(b"{"), "hail_syntax", False),
        (lambda p: core.canonicalize(b"{}"), "hail_schema", False),
        (lambda p: core.canonicalize(HEAD.replace(b'"s"', b'""')), "hail_invalid", False),
        (lambda p: core.canonicalize(HEAD.replace(b"hail-1.0.0", b"hail-3")), "hail_version", False),
        (lambda p: core.canonicalize(session(3), max_line=100), "line_too_long", False),
        (lambda p: core.canonicalize(session(3), 987654), "write_failed", True),
        (lambda p: core.canonical_json(b"[1,]"), "hail_syntax", False),
    ],
)
def test_every_failure_has_a_code(
    call: Callable[[Path], object], code: str, errno_set: bool, tmp_path: Path
) -> None:
    with pytest.raises(errors.OpensessionError) as caught:
        call(tmp_path)
    assert caught.value.code == code
    assert (caught.value.errno is not None) == errno_set


def test_an_error_names_line_and_column_and_no_content() -> None:
    bad = b'{"type":"event","secret":"hunter2","event_id":7}\n'
    with pytest.raises(errors.HailSchemaError) as caught:
        core.canonicalize(HEAD + b"\n" + bad)
    assert caught.value.line == 3
    assert caught.value.column == 1
    assert "hunter2" not in str(caught.value)
    report = core.verify(HEAD + b"\n" + bad)
    error = report["error"]
    assert error is not None
    assert (error["code"], error["line"], error["column"], error["count"]) == ("hail_schema", 3, 1, 1)


def test_a_full_disk_is_write_failed() -> None:
    with Path("/dev/full").open("wb") as full, pytest.raises(errors.WriteFailedError) as caught:
        core.canonicalize(session(1), full.fileno())
    assert caught.value.errno == 28


def test_a_closed_pipe_is_the_built_in_broken_pipe() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        with pytest.raises(BrokenPipeError):
            core.copy(session(1), write)
    finally:
        os.close(write)


def test_progress_is_told_in_bytes_and_its_exception_stops_the_work() -> None:
    data = session(400_000)
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        raise KeyError

    with pytest.raises(KeyError):
        core.canonicalize(data, jobs=1, progress=stop)
    [(done, total)] = seen
    assert 0 < done <= total == len(data)


def test_integers_beyond_64_bits_in_the_ledger_stay_exact() -> None:
    big = 10**30 + 1
    [info] = core.canonicalize(session(1) + b'{"type":"stats","source":{"bytes":%d}}\n' % big)
    assert info["source"] == {"bytes": big}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**60), max_value=10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON))
def test_the_ledger_arrives_as_python_s_own_reader_would_read_it(source: dict[str, Any]) -> None:
    line = json.dumps({"type": "stats", "source": source}).encode()
    [info] = core.canonicalize(session(1) + line + b"\n")
    assert repr(info["source"]) == repr(json.loads(core.canonical_json(json.dumps(source).encode())))


def keys_in_the_stub(name: str) -> set[str]:
    lines = Path(errors.__file__).with_name("_core.pyi").read_text().splitlines()
    # Python 3.11 reads everything in it but the type aliases.
    stub = "\n".join(line for line in lines if not line.startswith("type "))
    [record] = [n for n in ast.parse(stub).body if isinstance(n, ast.ClassDef) and n.name == name]
    return {
        n.target.id for n in record.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }


def test_a_report_has_the_keys_of_the_stub() -> None:
    [info] = core.canonicalize(session(1))
    report = core.verify(session(1) + b"x")
    assert report["error"] is not None
    assert info.keys() == keys_in_the_stub("SessionInfo")
    assert info["stats"].keys() == keys_in_the_stub("Stats")
    assert report.keys() == keys_in_the_stub("VerifyReport")
    assert report["error"].keys() == keys_in_the_stub("Problem")


def test_other_threads_run_while_the_core_works() -> None:
    data = session(200_000)
    inside = threading.Event()
    turns: list[bool] = []

    def progress(_done: int, _total: int) -> None:
        inside.set()

    def count() -> None:
        while not inside.is_set():
            turns.append(True)

    other = threading.Thread(target=count)
    other.start()
    for _ in range(50):
        core.canonicalize(data, jobs=1, progress=progress)
        if inside.is_set():
            break
    inside.set()
    other.join()
    # The other thread's loop makes some thousand turns a millisecond; had the GIL been kept, it would have waited.
    assert len(turns) > 1000


INTERRUPTED = """
    import os, signal, sys, threading, time
    from opensession import _core as core

    read, write = os.pipe()          # nobody ever writes
    sent = []

    def send():
        time.sleep(0.3)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=send).start()
    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted", time.monotonic() - sent[0])
"""


@pytest.mark.parametrize(
    "call",
    [
        "core.verify(read)",
        "core.canonicalize(read, jobs=1)",
        "core.copy(read)",
        "core.copy('/dev/zero')",
        "core.verify('/dev/zero')",
        "core.copy(bytes(10_000_000), write)",
    ],
)
def test_ctrl_c_ends_reading_writing_and_working(call: str, env: Any) -> None:
    done = env.python("-c", textwrap.dedent(INTERRUPTED).format(call=call))
    assert done.stdout.startswith(b"interrupted"), done.stderr.decode()


def test_a_terminated_child_leaves_no_thread_behind() -> None:
    script = "from opensession import _core as core; core.copy('/dev/zero')"
    with subprocess.Popen([sys.executable, "-c", script]) as child:
        child.send_signal(signal.SIGTERM)
        assert child.wait() == -signal.SIGTERM
