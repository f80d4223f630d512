"""How much of a log's text its session still holds, computed from the two files alone.

Owns the measure named *leaf recall*: the share, by UTF-8 bytes, of a log's JSON string leaves of 20
bytes and more that occur in a decoded string of the session. Must not know how a parser maps records:
it reads the raw log with the standard library and looks every leaf up. The closed list of
docs/agents.md is written out here a second time on purpose: a path that somebody drops shows as a loss.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_BYTES = 20
DEPTH = 4
SURROGATE = re.compile("[\ud800-\udfff]")
NUMBERED = re.compile(r"^ *\d+(?:→|\t)", re.MULTILINE)
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
# Members that no parser keeps, by the last key of their path.
CLOSED = frozenset({"signature", "encrypted_content", "originalFile", "originalFileContents"})
# The kinds of Codex records that say one thing twice: of the second one `timestamp` and `id` may go.
TWINS = frozenset({"message", "reasoning", "user_message", "agent_message", "agent_reasoning"})


@dataclass(frozen=True)
class Leaf:
    path: str
    text: str
    whole: str
    """The string of the log it stands in: itself, or the JSON text it was decoded from."""


@dataclass
class Recall:
    """Bytes counted, bytes missing (also by key path), twins that lost their time or id."""

    total: int = 0
    lost: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    twins: int = 0

    @property
    def share(self) -> float:
        return 1 - self.lost / self.total if self.total else 1.0


def values(line: str) -> list[Any]:
    """The JSON values of one line of a log: several where they were glued together, none if it is no JSON."""
    found, at = [], 0
    decoder = json.JSONDecoder()
    line = line.strip()
    while at < len(line):
        try:
            value, at = decoder.raw_decode(line, at)
        except ValueError:
            return found
        found.append(value)
    return found


def records(raw: bytes) -> Iterator[Any]:
    for line in raw.split(b"\n"):
        yield from values(line.decode("utf-8", "replace"))


def inner(text: str) -> Any:
    """The object or array written as JSON in a string, else None."""
    head, tail = text[:1], text[-1:]
    if (head == "{" and tail == "}") or (head == "[" and tail == "]"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None
    return None


def leaves(value: Any, path: str = "", depth: int = 0, whole: str | None = None) -> Iterator[Leaf]:
    """All string leaves, JSON inside strings opened up to DEPTH times."""
    stack = [(value, path)]
    while stack:
        value, path = stack.pop()
        if isinstance(value, str):
            opened = inner(value) if depth < DEPTH and len(value) >= MIN_BYTES else None
            if opened is None:
                yield Leaf(path, value, value if whole is None else whole)
            else:
                yield from leaves(opened, path + "~", depth + 1, value if whole is None else whole)
        elif isinstance(value, dict):
            stack.extend((member, f"{path}.{key}") for key, member in value.items())
        elif isinstance(value, list):
            stack.extend((item, path + "[]") for item in value)


def clean(text: str) -> str:
    return SURROGATE.sub("\ufffd", text)


def instant(text: str) -> datetime | None:
    if not TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


class Haystack:
    """Every decoded string of a session, for "does this text occur in one of them"."""

    def __init__(self, session: list[Any]) -> None:
        self.exact: set[str] = set()
        for line in session:
            for leaf in leaves(line):
                self.exact.add(clean(leaf.text))
                self.exact.add(clean(leaf.whole))
        self.text = join(self.exact)
        self.times = {t for s in self.exact if (t := instant(s))}
        self.known: dict[str, bool] = {}
        self.plain: bytes | None = None

    def holds(self, text: str) -> bool:
        text = clean(text)
        if text in self.exact:
            return True
        if text not in self.known:
            self.known[text] = text.encode() in self.text or instant(text) in self.times
        return self.known[text]

    def holds_unnumbered(self, text: str) -> bool:
        """As the text of a file that a result shows with line numbers."""
        if self.plain is None:
            shown = (NUMBERED.sub("", s) for s in self.exact if "→" in s or "\t" in s)
            self.plain = join(set(shown))
        return clean(text).strip("\n").encode() in self.plain


def join(strings: set[str]) -> bytes:
    return b"\n\x00\n".join(s.encode() for s in strings if size(s) >= MIN_BYTES)


def kept(leaf: Leaf, session: Haystack) -> bool:
    if session.holds(leaf.text):
        return True
    path = leaf.path.partition("~")[0]
    return path.endswith(".file.content") and session.holds_unnumbered(leaf.whole)


def measure(raw: bytes, session: list[Any]) -> Recall:
    """Compare a log with the parsed lines of its session."""
    haystack, result = Haystack(session), Recall()
    for record in records(raw):
        payload = record.get("payload") if isinstance(record, dict) else None
        twin = isinstance(payload, dict) and payload.get("type") in TWINS
        folded = False
        for leaf in leaves(record):
            if size(leaf.text) < MIN_BYTES or leaf.path.rpartition(".")[2].rstrip("~[]") in CLOSED:
                continue
            if kept(leaf, haystack):
                result.total += size(leaf.text)
            elif twin and leaf.path in (".timestamp", ".payload.id"):
                folded = True
            else:
                result.total += size(leaf.text)
                result.lost += size(leaf.text)
                result.missing[leaf.path] += size(leaf.text)
        result.twins += folded
    return result
