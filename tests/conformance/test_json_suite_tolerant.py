"""JSONTestSuite as lines of an agent's log: nothing is refused, everything is kept, and what was mended is counted.

Each file stands as one line behind a record of Claude Code (a log without any record of an agent is refused as a
whole). `EXPECT.tsv` says for each what a tolerant reader does.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from opensession import core

SUITE = Path(__file__).parent.parent / "data" / "JSONTestSuite"
RECORD = (
    b'{"type":"user","uuid":"u1","sessionId":"S","timestamp":"2026-05-01T10:00:00Z",'
    b'"message":{"role":"user","content":"hi"}}'
)


def rows() -> list[tuple[str, str]]:
    """File and tolerant policy."""
    found = []
    for line in (SUITE / "EXPECT.tsv").read_text().splitlines():
        if line and not line.startswith(("#", "file\t")):
            name, _, tolerant = line.split("\t")[:3]
            found.append((name, tolerant))
    return found


def parse(log: bytes, tmp_path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The events and the ledger of a log."""
    path = tmp_path / "session.hail.jsonl"
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR)
    try:
        info = core.parse(log, descriptor, profile="claude-code")
    finally:
        os.close(descriptor)
    report = core.verify(str(path))
    assert report["valid"], report["error"]
    assert report["canonical"]
    source = info["source"]
    assert source is not None
    records = source["records"]
    assert records["read"] == sum(n for name, n in records.items() if name != "read")
    lines = path.read_bytes().split(b"\n")[1:-2]
    return [json.loads(line) for line in lines], source


def last_texts(events: list[dict[str, Any]]) -> list[str]:
    return [b["text"] for e in events[1:] for b in e["content"]["blocks"] if b["type"] == "Text"]


@pytest.mark.parametrize(("name", "policy"), rows())
def test_a_line_of_a_log_is_read_as_the_table_says(name: str, policy: str, tmp_path: Path) -> None:
    raw = (SUITE / "test_parsing" / name).read_bytes()
    if policy == "transcode-with-warning":
        check_transcoded(raw, tmp_path)
        return
    # A line of a log ends at LF, so one inside a string would cut it; elsewhere a blank says the same.
    line = raw if name == "n_string_unescaped_newline.json" else raw.replace(b"\n", b" ")
    log = line + b"\n" + RECORD + b"\n" if policy == "strip-bom-and-count" else RECORD + b"\n" + line + b"\n"
    events, source = parse(log, tmp_path)
    records, repairs = source["records"], source.get("repairs", {})
    kept = records["opaque"] + records["mapped"] - 1
    if policy == "accept":
        # Glued values on one line are two records; in this suite every accepted file is one value.
        assert (kept, repairs) == (1, {})
        assert events[-1]["content"]["blocks"] == [{"type": "Json", "data": json.loads(line)}]
    elif policy == "keep-raw-line-unparsed-and-count":
        assert records["damaged"] == 1 + line.count(b"\n") or repairs.get("depth") == 1
        check_kept(line, events)
    elif policy == "salvage-replace-invalid-bytes-and-count":
        check_repaired("invalid_utf8", line, events, source)
    elif policy == "salvage-replace-U+FFFD-and-count":
        check_repaired("lone_surrogate", line, events, source)
    elif policy == "keep-number-as-text-and-count":
        check_repaired("number_overflow", line, events, source)
    elif policy == "last-wins-and-count":
        check_repaired("duplicate_key", line, events, source)
        assert events[-1]["content"]["blocks"] == [{"type": "Json", "data": json.loads(line)}]
    elif policy == "strip-bom-and-count":
        assert (kept, repairs) == (1, {"bom": 1})
    elif policy == "blank":
        assert (records["blank"], kept) == (1, 0)
    else:
        pytest.fail(f"no rule for {policy}")


def check_kept(line: bytes, events: list[dict[str, Any]]) -> None:
    """The bytes of a damaged line stand in its event."""
    try:
        assert last_texts(events) == line.decode().split("\n")
    except UnicodeDecodeError:
        attributes = events[-1]["attributes"]
        assert attributes["source.raw_encoding"] == "base64"
        assert base64.b64decode(attributes["source.raw"]) == line


def check_repaired(kind: str, line: bytes, events: list[dict[str, Any]], source: dict[str, Any]) -> None:
    """The record is kept, the repair is counted, and the record's bytes stand beside it."""
    assert source["records"]["damaged"] == 0
    assert source["repairs"][kind] >= 1
    attributes = events[-1]["attributes"]
    if "source.raw_encoding" in attributes:
        assert base64.b64decode(attributes["source.raw"]) == line
    else:
        assert attributes["source.raw"] == line.decode()


def check_transcoded(raw: bytes, tmp_path: Path) -> None:
    """A log in UTF-16 holds the record and then the file's own text, in the file's encoding."""
    encoding = "utf-16-be" if raw[:2] == b"\xfe\xff" or raw[0] == 0 else "utf-16-le"
    mark = raw[:2] if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else b""
    text = raw[len(mark) :].decode(encoding)
    log = mark + (RECORD.decode() + "\n" + text + "\n").encode(encoding)
    events, source = parse(log, tmp_path)
    assert source["repairs"] == {"transcoded": 1}
    assert source["bytes"] == len(log)
    assert events[-1]["content"]["blocks"] == [{"type": "Json", "data": json.loads(text)}]
