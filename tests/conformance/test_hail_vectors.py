"""Sessions that the Rust program of the same name was asked to read: we agree, or a rule of docs/hail.md says why not.

Agreement is: both accept or both refuse, and what is written is equal as JSON values with canonical numbers.
`DIFFERENCES` has one row a rule, and every row must be true: a vector in it that agrees fails, too.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from opensession import core, errors

DATA = Path(__file__).parent.parent / "data" / "hail-rust"

ACCEPTED = "we accept, it refuses"
OTHER = "we write something else"


class Row(NamedTuple):
    rule: str
    """The sentence of docs/hail.md."""
    outcome: str
    """`ACCEPTED`, `OTHER`, or the code with which we refuse what it accepts."""
    names: tuple[str, ...]


DIFFERENCES = (
    Row(
        "Lines of JSON white space only are blank, allowed anywhere on input",
        ACCEPTED,
        ("blank first", "CR blank line (whitespace-only)"),
    ),
    Row("An unknown event type is kept as it is", ACCEPTED, ("unknown event type",)),
    Row("An unknown block type is kept", ACCEPTED, ("unknown block",)),
    Row("null for an optional field or for tags means absent", ACCEPTED, ("null attributes", "null tags")),
    Row(
        "Missing or null data of TaskStart and TaskEnd becomes {}",
        ACCEPTED,
        ("TaskStart no data", "TaskStart data null"),
    ),
    Row("data of a type without data may be {} and is then absent", ACCEPTED, ("UserMessage data {}",)),
    Row(
        "The numbers of a stats line are ignored and recomputed",
        ACCEPTED,
        ("stats missing req", "stats negative", "stats float"),
    ),
    Row("exit_code is an integer from -2^63 to 2^63-1", ACCEPTED, ("exit 2^31",)),
    Row(
        "Duplicate keys are errors", "hail_syntax", ("dup attr key", "dup nested attr key", "dup unknown key")
    ),
    Row("Invalid UTF-8 is an error", "hail_syntax", ("invalid utf8 lossy",)),
    Row("A header stands only at the start of a session", "hail_schema", ("second header",)),
    Row("Only a header may follow a stats line", "hail_schema", ("two stats", "stats mid then event")),
    Row("Only hail-1.0.x is read", "hail_version", ("version foo",)),
    Row("An array where an object stands is an error", "hail_schema", ("event_as_array", "agent as array")),
    Row(
        "A time is YYYY-MM-DDThh:mm:ss, digits, and Z or an offset with a colon; nothing else",
        "hail_schema",
        (
            "ts 2026-02-14 00:00:01Z",
            "ts 2026-02-14 00:00:01 UTC",
            "ts 2026-2-4T0:0:1Z",
            "ts 2026-02-14T00:00:01+0900",
            "ts   2026-02-14T00:00:01Z",
        ),
    ),
    Row(
        "A year is from 0000 to 9999",
        "hail_schema",
        ("ts +12026-02-14T00:00:01Z", "ts -0001-02-14T00:00:01Z"),
    ),
    Row(
        "Unknown fields are kept, whatever their value",
        OTHER,
        (
            "unknown top-level+nested fields",
            "ToolCall extra data field",
            "event_type extra field",
            "Text extra",
        ),
    ),
    Row(
        "An integer keeps all its digits",
        OTHER,
        (
            "num 18446744073709551616",
            "num -9223372036854775809",
            "num 123456789012345680000",
            "Json block bigint",
        ),
    ),
    Row(":60 becomes :59.999999999", OTHER, ("ts 2026-02-14T23:59:60Z", "ts 2026-02-14T23:59:60.5Z")),
)

STATS_DIFFERENCES = {
    "tokens-total-nonnumeric": ("Only integers from 0 to 2^64-1 count", {"total_input_tokens": 5}),
    "tokens-overflow": ("Sums saturate at 2^64-1", {"total_input_tokens": 2**64 - 1}),
    "diff": (
        "Only a line of `--- ` directly followed by one of `+++ ` is a file header",
        {"lines_added": 3, "lines_removed": 3},
    ),
    "duration-out-of-order": (
        "duration_seconds is the latest time minus the earliest",
        {"duration_seconds": 8},
    ),
}


def vectors(name: str) -> dict[str, dict[str, Any]]:
    return {v["name"]: v for v in map(json.loads, (DATA / name).read_bytes().splitlines())}


READER = vectors("reader_vectors.jsonl")
STATS = vectors("stats_vectors.jsonl")
ROW_OF = {name: row for row in DIFFERENCES for name in row.names}


def given(vector: dict[str, Any]) -> bytes:
    if "input" in vector:
        return str(vector["input"]).encode()
    return str(vector["input_latin1"]).encode("latin-1")


def canonicalize(data: bytes, tmp_path: Path) -> bytes:
    out = tmp_path / "out.jsonl"
    fd = os.open(out, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    try:
        core.canonicalize(data, fd)
    finally:
        os.close(fd)
    return out.read_bytes()


def values(text: bytes, mode: str) -> list[Any]:
    """The lines as values with canonical numbers; without the stats where those were only read."""
    rows = [json.loads(core.canonical_json(line)) for line in text.splitlines() if line.strip()]
    return rows if mode == "canon" else [row for row in rows if row["type"] != "stats"]


def outcome(vector: dict[str, Any], tmp_path: Path) -> str | None:
    """None where we agree."""
    try:
        ours = canonicalize(given(vector), tmp_path)
    except errors.HailError as error:
        return error.code if vector["ok"] else None
    if not vector["ok"]:
        return ACCEPTED
    theirs = str(vector["output"]).encode()
    return None if values(ours, vector["mode"]) == values(theirs, vector["mode"]) else OTHER


def test_there_are_145_vectors_and_the_table_names_each_at_most_once() -> None:
    assert len(READER) == 145
    assert len(ROW_OF) == sum(len(row.names) for row in DIFFERENCES)
    assert set(ROW_OF) <= set(READER)


@pytest.mark.parametrize("name", READER)
def test_a_session_is_read_like_the_other_program_does_or_as_the_table_says(
    name: str, tmp_path: Path
) -> None:
    row = ROW_OF.get(name)
    assert outcome(READER[name], tmp_path) == (row.outcome if row else None)


@pytest.mark.parametrize("name", STATS)
def test_stats_are_those_of_the_other_program_or_as_the_table_says(name: str) -> None:
    vector = STATS[name]
    [info] = core.canonicalize(given(vector))
    want = {k: v for k, v in vector["stats"].items() if k != "type"}
    _, ours = STATS_DIFFERENCES.get(name, ("", {}))
    assert info["stats"] == want | ours
    assert all(want[key] != value for key, value in ours.items())


@pytest.mark.parametrize("name", ["g1", "g2", "g3"])
def test_what_the_other_program_wrote_is_the_same_session_as_what_it_was_given(
    name: str, tmp_path: Path
) -> None:
    source = (DATA / f"{name}.in.jsonl").read_bytes()
    written = (DATA / f"{name}.canonical.jsonl").read_bytes()
    ours = canonicalize(source, tmp_path)
    assert ours == canonicalize(written, tmp_path)
    assert values(ours, "canon") == values(written, "canon")
