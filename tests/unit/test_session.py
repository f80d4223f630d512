"""A session in Python: typed, lazy, exact, and the same whether it comes from a file, a store or memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opensession
from opensession import core
from opensession.errors import (
    HailSchemaError,
    HailSyntaxError,
    HailVersionError,
    InputChangedError,
    InputMissingError,
    IntegrityError,
    NoEventsError,
    NotFoundError,
    UsageError,
    WriteFailedError,
)
from opensession.eventlines import EventLines, InMemory
from opensession.exactjson import exact_int, loads
from opensession.session import Session


@pytest.fixture
def long(hail) -> Session:
    """A session of 1,000 events, more than the index has marks for."""
    return opensession.read(hail.session(events=1000))


# ---- what a session says ----


def test_the_header_and_the_stats_are_typed(hail):
    session = opensession.read(hail.session("s-7", 3, title="Fix the toaster", tags=["a", "b"]))

    assert session.header.session_id == "s-7"
    assert (session.header.provider, session.header.model, session.header.tool) == ("acme", "m-1", "toaster")
    assert session.header.tool_version is None
    assert session.header.title == "Fix the toaster"
    assert session.header.tags == ("a", "b")
    assert session.header.created_at == "2026-01-02T03:04:05Z"
    assert session.stats.event_count == 3
    assert session.stats.user_message_count == 3
    assert session.stats.source is None
    assert len(session) == 3


def test_an_event_has_its_fields_and_its_line(hail):
    event = {
        **hail.event(1, "run it"),
        "event_type": {"type": "ToolCall", "data": {"name": "Bash"}},
        "task_id": "t",
        "duration_ms": 12,
        "attributes": {"semantic.call_id": "c-1"},
    }
    session = opensession.read(hail.lines(hail.header(), event, hail.stats()))
    [found] = session

    assert (found.id, found.ordinal, found.type, found.data) == ("e1", 0, "ToolCall", {"name": "Bash"})
    assert (found.task_id, found.duration_ms) == ("t", 12)
    assert found.attributes == {"semantic.call_id": "c-1"}
    assert found.timestamp == "2026-01-02T03:04:01Z"
    assert found.time == datetime(2026, 1, 2, 3, 4, 1, tzinfo=UTC)
    assert [(b.type, b.text, b["text"], b.get("nothing")) for b in found.blocks] == [
        ("Text", "run it", "run it", None)
    ]
    assert found.text == "run it"
    assert json.loads(found.raw) == event
    assert not found.raw.endswith(b"\n")


def test_what_an_event_leaves_out_is_empty(hail):
    [found] = opensession.read(hail.session(events=1))

    assert found.data == {}
    assert found.attributes == {}
    assert found.task_id is None
    assert found.duration_ms is None


def test_unknown_members_are_kept(hail):
    [found] = opensession.read(hail.lines(hail.header(), hail.event(novel={"a": 1}), hail.stats()))

    assert found.fields["novel"] == {"a": 1}


def test_nanoseconds_are_kept_in_the_timestamp_and_cut_in_the_time(hail):
    event = {**hail.event(), "timestamp": "2026-01-02T03:04:05.123456789Z"}
    [found] = opensession.read(hail.lines(hail.header(), event, hail.stats()))

    assert found.timestamp.endswith(".123456789Z")
    assert found.time.microsecond == 123456


# ---- by ordinal ----


def ids(events) -> list[str]:
    return [event.id for event in events]


def test_iteration_gives_every_event_in_order_with_its_ordinal(long):
    assert [(e.ordinal, e.id) for e in long] == [(n, f"e{n}") for n in range(1000)]
    assert ids(long.events(995)) == [f"e{n}" for n in range(995, 1000)]


@pytest.mark.parametrize("at", [0, 1, 255, 256, 257, 999, -1, -1000])
def test_an_event_by_ordinal(long, at):
    assert long[at].id == f"e{at % 1000}"
    assert long[at].ordinal == at % 1000


@pytest.mark.parametrize("at", [1000, -1001])
def test_an_ordinal_beyond_the_end_is_an_index_error(long, at):
    with pytest.raises(IndexError):
        long[at]


@given(st.data())
def test_a_slice_is_that_of_a_list(data):
    bound = st.none() | st.integers(-1100, 1100)
    chosen = slice(
        data.draw(bound), data.draw(bound), data.draw(st.none() | st.integers(-300, 300).filter(bool))
    )
    expected = [f"e{n}" for n in range(1000)][chosen]
    found = LONG[chosen]

    assert len(found) == len(expected)
    assert ids(found) == expected
    assert ids(found[1:3]) == expected[1:3]
    if expected:
        assert found[-1].id == expected[-1]


LONG_LINES = b"".join(
    json.dumps(
        {
            "type": "event",
            "event_id": f"e{n}",
            "timestamp": "2026-01-02T03:04:05Z",
            "event_type": {"type": "UserMessage"},
            "content": {"blocks": []},
        }
    ).encode()
    + b"\n"
    for n in range(1000)
)
LONG = opensession.read(
    b'{"type":"header","version":"hail-1.0.0","session_id":"s","agent":{"provider":"p","model":"m","tool":"t"},'
    b'"context":{"tags":[],"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}}\n'
    + LONG_LINES
    + b'{"type":"stats"}\n'
)


def test_a_late_slice_reads_only_from_the_nearest_mark(env, hail):
    file = env.work / "x.jsonl"
    file.write_bytes(hail.session(events=20_000, text="x" * 400))
    session = opensession.read(file)
    for _ in session:
        pass  # makes the index
    read = []
    original = os.pread

    def count(fd, size, offset):
        data = original(fd, size, offset)
        read.append(len(data))
        return data

    session._lines.backing.read.__globals__["os"].pread, saved = count, os.pread
    try:
        assert ids(session[19_000:19_002]) == ["e19000", "e19001"]
    finally:
        os.pread = saved

    assert session.size > 8_000_000
    assert sum(read) <= 2 << 20


def test_two_iterations_at_once_do_not_disturb_each_other(long):
    first, second = iter(long), iter(long)
    mixed = [(next(first).id, next(second).id) for _ in range(600)]

    assert mixed == [(f"e{n}", f"e{n}") for n in range(600)]


def test_memory_does_not_grow_with_the_session(env, hail):
    file = env.work / "x.jsonl"
    file.write_bytes(hail.session(events=8_000, text="x" * 3_000))
    session = opensession.read(file)
    tracemalloc.start()
    try:
        assert sum(1 for _ in session) == 8_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert session.size > 24_000_000
    assert peak < 8 << 20


def test_a_line_longer_than_a_read_is_whole(hail):
    session = opensession.read(
        hail.lines(
            hail.header(),
            hail.event(0, "a" * 3_000_000),
            hail.event(1),
            hail.event(2, "b" * 2_000_000),
            hail.stats(),
        )
    )

    assert [len(e.text) for e in session] == [3_000_000, 5, 2_000_000]


def test_a_session_without_events_is_empty(hail):
    session = opensession.read(hail.session(events=0))

    assert len(session) == 0
    assert list(session) == []
    assert list(session[:]) == []


@given(
    st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b and b), max_size=600), st.integers(0, 600)
)
def test_lines_are_those_between_the_first_and_the_last(lines, start):
    data = b"\n".join([b"HEAD", *lines, b"STATS"]) + b"\n"
    found = EventLines(InMemory(data))

    assert found.header == b"HEAD"
    assert found.stats == b"STATS"
    assert list(found.from_ordinal(0)) == lines
    assert list(found.from_ordinal(start)) == lines[start:]


# ---- exact numbers ----


def test_integers_beyond_64_bit_stay_exact(hail):
    numbers = [2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**4095, -(10**30) - 7, 9223372036854775807, 0]
    [found] = opensession.read(
        hail.lines(
            hail.header(),
            hail.event(
                content={"blocks": [{"type": "Json", "data": n} for n in numbers]},
                attributes={"n": 10**40 + 1},
            ),
            hail.stats(),
        )
    )

    assert [block["data"] for block in found.blocks] == numbers
    assert found.attributes == {"n": 10**40 + 1}


@given(st.recursive(st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
                    | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))  # fmt: skip
def test_any_json_is_read_as_the_standard_library_reads_it(value):
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        text.decode()
    except UnicodeDecodeError:
        return  # no UTF-8: never in a session

    found = loads(text)

    assert repr(found) == repr(json.loads(text))


@given(st.integers(-(10**4000), 10**4000))
def test_an_integer_is_exact_whatever_limit_python_was_given(number):
    import sys

    digits = str(number)
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert exact_int(digits) == number
    finally:
        sys.set_int_max_str_digits(limit)


# ---- where it comes from ----


def test_a_path_a_descriptor_a_file_and_bytes_give_the_same_session(env, hail):
    data = hail.session(events=3)
    file = env.work / "x.jsonl"
    file.write_bytes(data)
    fd = os.open(file, os.O_RDONLY)
    with file.open("rb") as buffered, file.open("rb", buffering=0) as raw:
        sources = [
            file,
            str(file),
            data,
            bytearray(data),
            memoryview(data),
            io.BytesIO(data),
            buffered,
            raw,
            fd,
        ]
        sessions = [opensession.read(source) for source in sources]
    os.close(fd)

    assert len({s.sha256 for s in sessions}) == 1
    assert all(ids(s) == ["e0", "e1", "e2"] for s in sessions)


def test_a_file_is_read_from_where_it_stands(env, hail):
    file = env.work / "x.jsonl"
    file.write_bytes(b"a line before\n" + hail.session())
    with file.open("rb") as opened:
        opened.readline()
        assert len(opensession.read(opened)) == 2


def test_a_compressed_file_object_is_read_through_its_own_reader(env, hail):
    file = env.work / "x.jsonl.gz"
    with gzip.open(file, "wb") as opened:
        opened.write(b"a line before\n" + hail.session())
    with gzip.open(file, "rb") as opened:
        opened.readline()
        assert len(opensession.read(opened)) == 2


def test_a_pipe_is_read(hail):
    read, write = os.pipe()
    os.write(write, hail.session())
    os.close(write)
    try:
        assert len(opensession.read(read)) == 2
    finally:
        os.close(read)


def test_a_text_file_is_refused_with_the_right_mode(env, hail):
    file = env.work / "x.jsonl"
    file.write_bytes(hail.session())
    with file.open() as opened, pytest.raises(UsageError, match="'rb'"):
        opensession.read(opened)


def test_a_canonical_file_is_read_in_place_and_another_is_not_changed(env, hail):
    file = env.work / "x.jsonl"
    file.write_bytes(hail.session())
    before = file.read_bytes()
    session = opensession.read(file)
    session.save(env.work / "canonical.jsonl")
    again = opensession.read(env.work / "canonical.jsonl")

    assert file.read_bytes() == before
    assert again.sha256 == session.sha256
    assert again._lines.backing.fd is not None
    assert os.fstat(again._lines.backing.fd).st_ino == (env.work / "canonical.jsonl").stat().st_ino


def test_a_file_that_changes_under_an_open_session_is_an_error(env, hail):
    file = env.work / "x.jsonl"
    opensession.read(hail.session(events=10)).save(file)
    session = opensession.read(file)
    with file.open("ab") as opened:
        opened.write(b"more\n")

    with pytest.raises(InputChangedError):
        list(session)


def test_a_stream_of_sessions_is_read_with_read_all(hail):
    stream = hail.session("a") + hail.session("b", 3)
    with pytest.raises(UsageError, match="read_all"):
        opensession.read(stream)

    assert [(s.header.session_id, len(s)) for s in opensession.read_all(stream)] == [("a", 2), ("b", 3)]


def test_what_is_no_hail_is_refused_with_its_place(hail):
    with pytest.raises(HailSyntaxError) as caught:
        opensession.read(hail.lines(hail.header()) + b"{nonsense\n")
    assert caught.value.line == 2
    assert "nonsense" not in str(caught.value)


def test_a_missing_file_is_not_found(env):
    with pytest.raises(InputMissingError) as caught:
        opensession.read(env.work / "nothing.jsonl")
    assert caught.value.exit_code == 4


def test_a_folder_is_no_input(env):
    with pytest.raises(opensession.OpensessionError) as caught:
        opensession.read(env.work)
    assert caught.value.code == "unreadable"


def test_another_version_is_not_interpreted():
    data = (
        b'{"agent":{"model":"m","provider":"p","tool":"t"},"context":{},"session_id":"s","type":"header",'
        b'"version":"hail-2.0.0"}\n{"type":"stats"}\n'
    )
    with pytest.raises(HailVersionError, match=r"hail-2\.0\.0"):
        Session.from_bytes(data, sha256="0" * 64)


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"{}\n", b"[]\n[]\n", b'{"type":"header"}\n{"type":"stats"}\n', b"{}\n{}"]
)
def test_bytes_that_are_no_session_are_refused_with_a_typed_error(data):
    with pytest.raises((HailSchemaError, HailVersionError)):
        Session.from_bytes(data, sha256="0" * 64)


# ---- saving and closing ----


def test_saving_writes_the_canonical_bytes(env, hail):
    import hashlib

    session = opensession.read(hail.session())
    session.save(env.work / "y.jsonl")

    assert hashlib.sha256((env.work / "y.jsonl").read_bytes()).hexdigest() == session.sha256
    assert sorted(p.name for p in env.work.iterdir()) == ["y.jsonl"]


def test_saving_where_nothing_can_be_written_is_a_typed_error_and_leaves_nothing(env, hail):
    session = opensession.read(hail.session())
    with pytest.raises(WriteFailedError) as caught:
        session.save(env.work / "no" / "such" / "folder")
    assert caught.value.exit_code == 8
    assert list(env.work.iterdir()) == []


def test_a_session_closes_its_file(env, hail):
    file = env.work / "x.jsonl"
    file.write_bytes(hail.session())
    before = set(os.listdir("/dev/fd"))
    with opensession.read(file) as session:
        assert len(session) == 2
    with pytest.raises(ValueError, match="closed"):
        list(session)
    dropped = opensession.read(file)
    del dropped

    assert set(os.listdir("/dev/fd")) == before


# ---- parse, register, open, verify ----


def test_parse_register_open_is_one_round(env, claude_log):
    file = env.work / "log.jsonl"
    file.write_bytes(claude_log)
    session = opensession.parse(file)
    assert session.header.tool == "claude-code"
    stored = opensession.register(session)
    assert stored.sha256 == session.sha256

    assert [
        s.sha256 for s in map(opensession.open, (stored.uri, stored.sha256, stored.sha256[:8], stored.path))
    ] == [session.sha256] * 4
    assert opensession.open(stored.uri).uri == stored.uri
    assert ids(opensession.open(stored.uri)) == ids(session)
    assert opensession.register(file, "claude-code").existed
    assert opensession.register(file, "auto").existed
    with file.open("rb") as opened:
        assert opensession.register(opened, "auto").existed


def test_parse_takes_hail_and_says_what_it_does_not_know(env, hail):
    assert len(opensession.parse(hail.session())) == 2
    assert len(opensession.parse(hail.session(), "hail")) == 2
    with pytest.raises(NoEventsError):
        opensession.parse(b"once upon a time\n")
    with pytest.raises(NoEventsError):
        opensession.parse(hail.session(), "codex")
    with pytest.raises(opensession.errors.UnknownProfileError):
        opensession.parse(hail.session(), "typewriter")


def test_a_file_whose_name_is_no_text_is_parsed_like_any_other(env, claude_log, hail):
    name = os.fsdecode(b"caf\xe9.jsonl")
    (env.work / name).write_bytes(claude_log)
    for source in (name, Path(name)):
        assert opensession.parse(source).header.tool == "claude-code"
        assert opensession.parse(source, "claude-code").sha256 == opensession.parse(claude_log).sha256
        assert opensession.register(source, "claude-code").info["stats"]["event_count"] == 2
        assert opensession.register(source, "auto").existed
    assert opensession.verify(source).valid is False
    with pytest.raises(NoEventsError):
        opensession.parse(claude_log, "codex", source_name="\ud800\udcff")


def test_progress_of_a_parse_counts_the_log_once(monkeypatch, claude_log):
    def two_passes(source, out, *, progress, **more):
        size = len(source)
        progress(size, 2 * size)
        progress(2 * size, 2 * size)

    monkeypatch.setattr(core._core, "parse", two_passes)
    seen = []
    core.parse(claude_log, profile="claude-code", progress=lambda *told: seen.append(told))

    assert seen == [(len(claude_log) // 2, len(claude_log)), (len(claude_log), len(claude_log))]


@pytest.mark.parametrize("source", [None, 3.5, object(), ["log.jsonl"]])
def test_what_is_no_source_is_refused_with_what_is_one(source):
    for work in (opensession.read, opensession.parse, opensession.register, opensession.verify):
        with pytest.raises(UsageError, match="a path, a descriptor, bytes or a binary file, not"):
            work(source)


def test_register_goes_to_the_store_of_the_repository_around(env, hail, monkeypatch):
    env.git("init", "-q", ".")
    stored = opensession.register(hail.session())

    assert stored.path.is_relative_to(env.work / ".git" / "opensession")
    assert not env.store.exists()


def test_register_takes_a_store_or_its_folder(env, hail):
    by_path = opensession.register(hail.session(), store=env.work / "mine")
    by_store = opensession.register(hail.session(), store=opensession.Store(env.work / "mine"))

    assert by_store.existed
    assert by_path.path == by_store.path
    assert opensession.open(by_path.sha256, store=env.work / "mine").sha256 == by_path.sha256


def test_register_takes_one_session_only(env, hail):
    with pytest.raises(UsageError, match="2 sessions"):
        opensession.register(hail.session("a") + hail.session("b"))


def test_opening_what_is_not_there_is_not_found(env):
    for name in ("0" * 64, "01234567", "os://src/local/" + "0" * 64):
        with pytest.raises(NotFoundError):
            opensession.open(name)


def test_text_that_is_spelled_like_an_address_is_one_and_a_path_is_a_path(env, hail):
    (env.work / "deadbeef").write_bytes(hail.session())

    with pytest.raises(NotFoundError):
        opensession.open("deadbeef")
    assert len(opensession.open(Path("deadbeef"))) == 2
    assert len(opensession.open("./deadbeef")) == 2


def test_opening_a_damaged_object_is_an_integrity_error(env, hail):
    stored = opensession.register(hail.session())
    stored.path.chmod(0o600)
    stored.path.write_bytes(stored.path.read_bytes().replace(b"hello", b"jello"))

    with pytest.raises(IntegrityError):
        opensession.open(stored.uri)


def test_verify_gives_three_answers(env, hail):
    stored = opensession.register(hail.session())
    good = opensession.verify(stored.uri)
    assert (good.address, good.canonical, good.valid, good.ok) == (True, True, True, True)

    loose = opensession.verify(hail.session())
    assert (loose.address, loose.canonical, loose.valid, loose.ok) == (None, False, True, True)

    bad = opensession.verify(b"{}\n")
    assert (bad.valid, bad.ok) == (False, False)
    assert bad.error["code"].startswith("hail_")

    stored.path.chmod(0o600)
    stored.path.write_bytes(stored.path.read_bytes().replace(b"hello", b"jello"))
    flipped = opensession.verify(stored.sha256)
    assert (flipped.address, flipped.canonical, flipped.valid, flipped.ok) == (False, True, True, False)


def test_an_object_of_an_older_program_opens_in_canonical_form_under_its_own_address(env, hail):
    import hashlib

    env.git("init", "-q", ".")
    data = hail.session("old", 3)
    sha256 = hashlib.sha256(data).hexdigest()
    path = env.work / ".opensession" / "objects" / "sha256" / sha256[:2] / sha256[2:4] / f"{sha256}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    session = opensession.open(sha256)

    assert session.uri == f"os://src/local/{sha256}"
    assert session.sha256 != sha256
    assert ids(session) == ["e0", "e1", "e2"]
