"""Events, ids, times, stats and the ledger of one session."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

import orjson

from .text import Json, diff_counts, order, seconds

Event = dict[str, Any]

SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
GONE = object()
"""Stands where a value was that an event holds already."""


def event(kind: str, data: Json = None, blocks: list[Json] | None = None) -> Event:
    """An event without id and time."""
    kinds = {"type": kind} if data is None else {"type": kind, "data": data}
    return {"attributes": {}, "content": {"blocks": blocks or []}, "event_type": kinds}


def text_block(text: str) -> Json:
    return {"type": "Text", "text": text}


def json_block(data: Json) -> Json:
    return {"type": "Json", "data": data}


class Draft:
    """What one record becomes."""

    __slots__ = ("events", "id", "opaque", "raw_type", "time", "unknown")

    def __init__(self, own: str | None, time: str | None) -> None:
        self.events: list[Event] = []
        self.id = own
        self.time = time
        self.raw_type: str | None = None
        self.opaque = False
        self.unknown: list[str] = []

    def keep_whole(self, kind: str, record: Json) -> None:
        """A record of a kind that is not known."""
        self.opaque = True
        self.events.append(event("Custom", {"kind": kind}, [json_block(record)]))

    def keep_block(self, kind: str, block: Json) -> Json:
        """A block of a kind that is not known; nothing is left of it."""
        self.events.append(event("Custom", {"kind": kind}, [json_block(block)]))
        self.unknown.append(kind)
        return GONE


class Session:
    """Ids, times, stats and the ledger of one session, and its lines until the header is known."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.early: list[Event] = []
        self.time: str | None = None
        self.last: str | None = None
        self.ids: set[str] = set()
        self.folded: list[str] = []
        self.records = Counter[str]()
        self.repairs = Counter[str]()
        self.warnings = Counter[str]()
        self.unknown = Counter[str]()
        self.number = 0
        self.counts = Counter[str]()
        self.tasks: set[str] = set()
        self.paths: set[str] = set()
        self.input_total = self.output_total = -1
        self.earliest: str | None = None
        self.latest: str | None = None
        self.first_event: str | None = None
        self.last_event: str | None = None

    def seen(self, time: str | None) -> None:
        """A time that any record states: the header's bounds, and the first known time for what came before it."""
        if time is None:
            return
        if self.earliest is None or order(time) < order(self.earliest):
            self.earliest = time
        if self.latest is None or order(time) > order(self.latest):
            self.latest = time
        if self.time is None:
            self.time = time
            for waiting in self.early:
                self.emit(waiting)
            self.early.clear()

    def add(self, draft: Draft, rest: Json, raw: bytes | None) -> None:
        """Finish the events of one record. `rest` is what none of them holds."""
        self.number += 1
        self.unknown.update(draft.unknown)
        self.records["opaque" if draft.opaque else "mapped" if draft.events else "folded"] += 1
        if not draft.events:
            if draft.id:
                self.folded.append(draft.id)
            return
        if draft.time is not None:
            self.time = draft.time
        own = draft.id or f"#{self.number}"
        for k, made in enumerate(draft.events):
            attributes = made["attributes"]
            if draft.raw_type is not None:
                attributes["source.raw_type"] = draft.raw_type
            if k == 0:
                if self.folded:
                    attributes["source.folded"] = " ".join(self.folded)
                    self.folded.clear()
                if rest is not GONE:
                    attributes["source.rest"] = rest
                if raw is not None:
                    attributes["source.raw"] = raw.decode()
            if not attributes:
                del made["attributes"]
            made["event_id"] = self.unique(own if k == 0 else f"{own}#{k}")
            made["type"] = "event"
            if self.time is None:
                self.early.append(made)
            else:
                self.emit(made)

    def unique(self, own: str) -> str:
        while own in self.ids:
            own += f"#r{self.number}"
        self.ids.add(own)
        return own

    def emit(self, made: Event) -> None:
        time = made["timestamp"] = self.time
        if self.last is not None and time is not self.last:
            self.warnings["time_backwards"] += order(time) < order(self.last)
            if order(time) < order(self.first_event):
                self.first_event = time
            if order(time) > order(self.last_event):
                self.last_event = time
        elif self.last is None:
            self.first_event = self.last_event = time
        self.last = time
        self.count(made)
        self.lines.append(orjson.dumps(made, option=SORTED))

    def count(self, made: Event) -> None:
        kind = made["event_type"]
        name, data, counts = kind["type"], kind.get("data"), self.counts
        counts[name] += 1
        if name == "TaskEnd" and (data.get("summary") or "").strip():
            counts["said"] += 1
        elif name in ("FileEdit", "FileCreate", "FileDelete"):
            self.paths.add(data["path"])
            if "diff" in data:
                added, removed = diff_counts(data["diff"])
                counts["added"] += added
                counts["removed"] += removed
        if "task_id" in made:
            self.tasks.add(made["task_id"])
        attributes = made.get("attributes")
        if attributes:
            counts["input"] += attributes.get("input_tokens", 0)
            counts["output"] += attributes.get("output_tokens", 0)
            self.input_total = max(self.input_total, attributes.get("input_tokens_total", -1))
            self.output_total = max(self.output_total, attributes.get("output_tokens_total", -1))

    def stats(self, source: Json) -> bytes:
        counts = self.counts
        took = seconds(self.last_event) - seconds(self.first_event)
        numbers = {
            "type": "stats",
            "event_count": len(self.lines),
            "message_count": counts["UserMessage"] + counts["AgentMessage"] + counts["said"],
            "tool_call_count": sum(
                counts[kind] for kind in ("ToolCall", "FileRead", "CodeSearch", "FileSearch")
            ),
            "task_count": len(self.tasks),
            "duration_seconds": took.days * 86_400 + took.seconds,
            "total_input_tokens": self.input_total if self.input_total >= 0 else counts["input"],
            "total_output_tokens": self.output_total if self.output_total >= 0 else counts["output"],
            "user_message_count": counts["UserMessage"],
            "files_changed": len(self.paths),
            "lines_added": counts["added"],
            "lines_removed": counts["removed"],
            "source": source,
        }
        return orjson.dumps(numbers, option=SORTED)

    def ledger(self, agent: str, form: str, digest: str, size: int) -> Json:
        classes = ("blank", "damaged", "folded", "mapped", "opaque")
        source = {
            "agent": agent,
            "blake3": digest,
            "bytes": size,
            "format": form,
            "parser": f"{agent}/1",
            "records": {name: self.records[name] for name in classes} | {"read": self.number},
        }
        for name, counter in (
            ("repairs", self.repairs),
            ("unknown_blocks", self.unknown),
            ("warnings", self.warnings),
        ):
            if kept := {key: value for key, value in counter.items() if value}:
                source[name] = kept
        return source


def take_text(holder: Json, key: str) -> str | None:
    """A member that is a text, taken out of its object."""
    value = holder.get(key)
    return holder.pop(key) if isinstance(value, str) and value else None


def put_back(holder: dict[str, Json], key: str, items: list[Json]) -> None:
    """Keep the list with what is left of its items, each at its place."""
    if all(item is GONE for item in items):
        del holder[key]
    else:
        holder[key] = [None if item is GONE else item for item in items]


class Envelope:
    """Members that stand on every record: they are kept where they change."""

    def __init__(self, names: str) -> None:
        self.names = frozenset(names.split())
        self.last: dict[str, Json] = {}

    def take(self, holder: dict[str, Json]) -> None:
        same = []
        for key, value in holder.items():
            if key in self.names:
                if key in self.last and self.last[key] == value:
                    same.append(key)
                else:
                    self.last[key] = value
        for key in same:
            del holder[key]


class Calls:
    """Tools of open calls and of the last answered ones: name, and what the result needs to know."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, str]] = {}
        self.answered: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def knows(self, call: str | None) -> bool:
        return call in self.open or call in self.answered

    def result_of(self, call: str | None) -> tuple[str, str]:
        found = self.open.pop(call, None)
        if found is None:
            return self.answered.get(call, ("unknown", "other"))
        self.answered[call] = found
        if len(self.answered) > 1024:
            self.answered.popitem(last=False)
        return found
