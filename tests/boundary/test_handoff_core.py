"""What handoffs ask of the compiled core: summaries, exact lengths out of a pipe, frames."""

from __future__ import annotations

import os
import zlib

import pytest

from opensession import _core, core
from opensession.errors import CODES, HailEmptyError, InputChangedError, UnreadableError


@pytest.fixture
def canonical(tmp_path, hail) -> bytes:
    out = tmp_path / "canonical"
    with out.open("wb") as file:
        core.canonicalize(hail.session(), file.fileno())
    return out.read_bytes()


def pipe_with(data: bytes) -> int:
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader


def test_exactly_the_asked_bytes_are_taken_from_a_pipe(canonical):
    reader = pipe_with(canonical + b"rest")
    try:
        assert core.summarize(reader, length=len(canonical)) == core.summarize(canonical)
        assert os.read(reader, 9) == b"rest"
    finally:
        os.close(reader)
    reader = pipe_with(b"abcdef")
    try:
        assert core.copy(reader, length=3)[1] == 3
        assert os.read(reader, 9) == b"def"
    finally:
        os.close(reader)


@pytest.mark.parametrize("source", [b"abc", "pipe"])
def test_fewer_bytes_than_asked_for_are_an_error(source):
    given = pipe_with(b"abc") if source == "pipe" else source
    for ask in (core.copy, core.summarize):
        with pytest.raises(InputChangedError):
            ask(given, length=9)
    if source == "pipe":
        os.close(given)


def test_a_source_is_not_decompressed(canonical):
    packed = zlib.compressobj(wbits=31)
    report = core.summarize(packed.compress(canonical) + packed.flush())
    assert (report["valid"], report["summary"]) == (False, None)


def test_unknown_rules_are_a_value_error(canonical):
    assert core.SUMMARIZERS == ("rules-1",)
    with pytest.raises(ValueError, match="SUMMARIZERS"):
        _core.summarize(canonical, rules="rules-0")


def test_an_artifact_needs_a_source():
    with pytest.raises(HailEmptyError):
        core.artifact([])


def test_parts_are_opened_one_after_the_other_and_an_error_of_theirs_is_raised(tmp_path):
    opened = []

    def parts():
        for number in range(3):
            opened.append(number)
            yield b"x" * number
        raise CODES["busy"]("wait")

    with (tmp_path / "p").open("wb") as out, pytest.raises(CODES["busy"]):
        core.pack(parts(), out.fileno())
    assert opened == [0, 1, 2]


def test_what_is_no_frame_is_unreadable(tmp_path):
    (tmp_path / "x").write_bytes(b"no frame at all")
    with (
        (tmp_path / "x").open("rb") as file,
        (tmp_path / "y").open("wb") as out,
        pytest.raises(UnreadableError),
    ):
        core.unpack(file.fileno(), out.fileno())
