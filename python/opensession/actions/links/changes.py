"""What a session wrote into files, read from its event lines one by one.

Owns which events count: edits and new files, at the time of the call, unless the result says that the call failed. No
line is parsed that cannot matter, so that a session of gigabytes costs little more than reading it. Must not know
commits.
"""

from __future__ import annotations

from opensession.actions.links.lines import changed_by
from opensession.exactjson import loads
from opensession.light import NamedTuple
from opensession.model import to_datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# As canonical JSON spells it; inside of a string the quotes would be escaped.
_EDIT = b'"type":"FileEdit"}'
_CREATE = b'"type":"FileCreate"}'
_RESULT = b'"type":"ToolResult"}'
_FAILED = b'"is_error":true'
_PROMPT = b'"type":"UserMessage"}'


class Prompt(NamedTuple):
    """What a person said."""

    ordinal: int
    line: bytes
    """The event's line, not parsed."""


class Change(NamedTuple):
    """One file, written by one call."""

    ordinal: int
    event_id: str
    call: str
    """What names the call; its result has the same."""
    time: float | None
    """Seconds since 1970; None where the time is none that can be counted."""
    timestamp: str
    path: str
    added: list[str]
    removed: list[str]
    whole: bool
    """The file was written from its first line to its last."""
    prompt: Prompt | None
    """The last thing that was said before."""


class Failed(NamedTuple):
    """A call that came to nothing."""

    call: str


def read(lines: Iterable[bytes], *, prompts: bool = False) -> Iterator[Change | Failed]:
    """Every change in the order of the events, and every call that failed, where its result says so."""
    prompt: Prompt | None = None
    for ordinal, line in enumerate(lines):
        if _EDIT in line or _CREATE in line:
            change = _change(ordinal, line, prompt)
            if change is not None:
                yield change
        elif _RESULT in line and _FAILED in line:
            call = _failed(line)
            if call is not None:
                yield Failed(call)
        elif prompts and _PROMPT in line and _is_typed(line):
            prompt = Prompt(ordinal, line)


def _change(ordinal: int, line: bytes, prompt: Prompt | None) -> Change | None:
    event = _event(line)
    kind, data = event.get("event_type", {}).get("type"), event.get("event_type", {}).get("data") or {}
    attributes = event.get("attributes") or {}
    path = attributes.get("moved_to") or data.get("path")
    if kind == "FileEdit":
        added, removed = changed_by(_text(data.get("diff")))
    elif kind == "FileCreate":
        added, removed = _code(event), []
    else:
        return None
    if not isinstance(path, str):
        return None
    event_id = _text(event.get("event_id"))
    call = _text(attributes.get("semantic.call_id")) or event_id
    timestamp = _text(event.get("timestamp"))
    return Change(
        ordinal,
        event_id,
        call,
        seconds(timestamp),
        timestamp,
        path,
        added,
        removed,
        kind == "FileCreate",
        prompt,
    )


def _code(event: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for block in event["content"]["blocks"]:
        if block.get("type") == "Code":
            lines += _text(block.get("code")).split("\n")
    return lines


def _failed(line: bytes) -> str | None:
    event = _event(line)
    kind = event.get("event_type", {})
    data = kind.get("data") or {}
    if kind.get("type") != "ToolResult" or data.get("is_error") is not True:
        return None
    return (
        _text((event.get("attributes") or {}).get("semantic.call_id")) or _text(data.get("call_id")) or None
    )


def _is_typed(line: bytes) -> bool:
    """Whether a person said it: a program's words name their origin."""
    return b'"source.origin":' not in line or b'"source.origin":"typed"' in line


def said(prompt: Prompt) -> tuple[str, str, str]:
    """The id, the time and the first line of a prompt."""
    event = _event(prompt.line)
    texts = (_text(block.get("text")) for block in event["content"]["blocks"] if block.get("type") == "Text")
    first = next((text.strip().splitlines()[0] for text in texts if text.strip()), "")
    return _text(event.get("event_id")), _text(event.get("timestamp")), first


def _event(line: bytes) -> dict[str, Any]:
    value = loads(line)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def seconds(timestamp: str) -> float | None:
    """A canonical time in seconds since 1970."""
    try:
        return to_datetime(timestamp).timestamp()
    except ValueError:
        return None
