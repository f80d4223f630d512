"""The tables of docs/hail.md, executed: what the page says of a vector is what the core does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from opensession import _core, core, errors

PAGE = (Path(__file__).parents[2] / "docs" / "hail.md").read_text()

HEAD = {
    "type": "header",
    "version": "hail-1.0.0",
    "session_id": "s",
    "agent": {"provider": "p", "model": "m", "tool": "t"},
    "context": {"created_at": "2026-02-14T00:00:00Z", "updated_at": "2026-02-14T00:00:00Z", "tags": []},
}
EVENT = {
    "type": "event",
    "event_id": "e",
    "timestamp": "2026-02-14T00:00:00Z",
    "event_type": {"type": "Thinking"},
    "content": {"blocks": []},
}


def table(first: str) -> list[list[str]]:
    """The rows of the table whose first column has this title, without code marks."""
    lines = iter(PAGE.splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split(" | ")])
    assert rows
    return rows


def written(event: str, tmp_path: Path) -> str | None:
    """The canonical event line, or None where it is refused."""
    source = f"{json.dumps(HEAD)}\n{event}\n".encode()
    out = os.open(tmp_path / "out", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        core.canonicalize(source, out)
    except errors.HailError:
        return None
    finally:
        os.close(out)
    return (tmp_path / "out").read_text().split("\n")[1]


@pytest.mark.parametrize(("text", "want"), table("JSON"))
def test_json(text: str, want: str) -> None:
    if want == "error":
        with pytest.raises(errors.HailSyntaxError):
            core.canonical_json(text.encode())
    else:
        assert core.canonical_json(text.encode()).decode() == want


@pytest.mark.parametrize(("member", "want"), table("member of an event"))
def test_members_of_events(member: str, want: str, tmp_path: Path) -> None:
    key = member.split(":", maxsplit=1)[0].strip('"')
    others = json.dumps({k: v for k, v in EVENT.items() if k != key})[1:]
    line = written(f"{{{member},{others}", tmp_path)
    if want == "error":
        assert line is None
        return
    plain = core.canonical_json(json.dumps({k: v for k, v in EVENT.items() if k != key}).encode())
    expected = dict(json.loads(plain)) | (json.loads(f"{{{want}}}") if want != "absent" else {})
    assert line == core.canonical_json(json.dumps(expected).encode()).decode()
    assert want == "absent" or want in line


@pytest.mark.parametrize(("time", "want"), table("time"))
def test_times(time: str, want: str, tmp_path: Path) -> None:
    line = written(json.dumps(EVENT | {"timestamp": time}), tmp_path)
    assert (line is None) == (want == "error")
    if line is not None:
        assert json.loads(line)["timestamp"] == want


@pytest.mark.parametrize(("diff", "added", "removed"), table("diff"))
def test_lines_of_diffs(diff: str, added: str, removed: str) -> None:
    event_type = {"type": "FileEdit", "data": {"path": "p", "diff": json.loads(diff)}}
    event = json.dumps(EVENT | {"event_type": event_type})
    [info] = core.canonicalize(f"{json.dumps(HEAD)}\n{event}\n".encode())
    assert [info["stats"]["lines_added"], info["stats"]["lines_removed"]] == [int(added), int(removed)]


def test_the_codes_of_errors_and_warnings_are_those_of_the_page() -> None:
    codes = {row[0] for row in table("error")}
    assert codes == {c for c in _core.ERROR_CODES if c.startswith("hail_")} | {"line_too_long"}
    event = EVENT | {
        "event_type": {"type": "Later"},
        "content": {"blocks": [{"type": "Later"}]},
        "attributes": {"input_tokens": -1},
    }
    earlier = event | {"event_id": "f", "timestamp": "2020-01-01T00:00:00Z"}
    source = "".join(json.dumps(line) + "\n" for line in (HEAD, event, earlier)).encode()
    [info] = core.canonicalize(source)
    named = {code.strip("`") for row in table("warning") for code in row[0].split()}
    assert {w["code"] for w in info["warnings"]} == named
