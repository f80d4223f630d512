"""The summaries of invented sessions, byte by byte: no refactor changes the address of an artifact unnoticed.

`make bless` rewrites the expected lines; a change of them is a change of `rules-1`, which must not happen after it
was published.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from opensession import _core

FOLDER = Path(__file__).parents[1] / "data" / "handoff"
SESSIONS = sorted(FOLDER.glob("*.hail.jsonl"))


def test_there_are_golden_sessions():
    assert len(SESSIONS) >= 15


@pytest.mark.parametrize("path", SESSIONS, ids=lambda p: p.name.removesuffix(".hail.jsonl"))
def test_golden_summary_and_report(path: Path):
    found = _core.summarize(str(path))
    assert found["canonical"]
    assert found["valid"]
    lines = found["summary"] + found["report"]
    expected = path.with_name(path.name.replace(".hail.", ".expected."))
    if os.environ.get("OPENSESSION_BLESS"):
        expected.write_bytes(lines)
    assert lines.decode().splitlines() == expected.read_bytes().decode().splitlines()


def test_golden_artifact_over_all_sessions_in_any_order():
    sources = []
    for path in SESSIONS:
        found = _core.summarize(path.read_bytes(), jobs=1)
        [session] = found["sessions"]
        sources.append(
            (
                found["sha256"],
                found["bytes"],
                session["session_id"],
                session["stats"]["event_count"],
                found["summary"],
                found["report"],
            )
        )
    artifact, sha256 = _core.artifact(sources)
    assert _core.artifact([*reversed(sources), sources[0]]) == (artifact, sha256)
    assert hashlib.sha256(artifact).hexdigest() == sha256
    first, *rest = [json.loads(line) for line in artifact.splitlines()]
    assert (first["type"], first["version"], first["summarizer"], first["parameters"]) == (
        "artifact",
        "handoff-1.0.0",
        "rules-1",
        {},
    )
    order = [source["session_id"] for source in first["sources"]]
    assert order == sorted(order)
    assert [line["type"] for line in rest] == ["summary"] * len(order) + ["report"] * len(order)
    assert [line["source_session_id"] for line in rest[: len(order)]] == order
    assert [line["session_id"] for line in rest[len(order) :]] == order


def test_what_is_no_valid_session_has_no_summary():
    found = _core.summarize(b"{}\n")
    assert (found["valid"], found["summary"], found["report"]) == (False, None, None)
    assert found["error"]["code"] == "hail_schema"
    with pytest.raises(ValueError, match="SUMMARIZERS"):
        _core.summarize(b"{}\n", rules="rules-0")
    assert _core.SUMMARIZERS == ("rules-1",)
