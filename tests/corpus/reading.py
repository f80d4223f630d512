"""A second reading of canonical HAIL, from docs/hail.md alone: canonical form, ids, stats, ledger.

Owns nothing of the product and imports nothing of it, so that the core and this file can only agree by
both being right. Raises AssertionError with the line number; never quotes a line (the sessions are
other people's).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from datetime import date
from typing import Any

COUNTS = (
    "event_count",
    "message_count",
    "tool_call_count",
    "task_count",
    "duration_seconds",
    "total_input_tokens",
    "total_output_tokens",
    "user_message_count",
    "files_changed",
    "lines_added",
    "lines_removed",
)
CLASSES = ("mapped", "folded", "opaque", "blank", "damaged")
TOP = 2**64 - 1
CALLS = frozenset({"ToolCall", "FileRead", "CodeSearch", "FileSearch"})
FILES = frozenset({"FileEdit", "FileCreate", "FileDelete"})
# Unicode White_Space, spelled out: `str.isspace` also holds the separators U+001C to U+001F.
WHITE = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    map(chr, range(0x2000, 0x200B))
)
CANONICAL_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}|\d{6}|\d{9}))?Z")
HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def number(value: float) -> str:
    """A binary64 as ECMAScript prints it."""
    assert math.isfinite(value), "a number out of range"
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"


def canonical(value: Any) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{string(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return number(value)
    return string(value)


def string(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def is_canonical(value: Any, line: str) -> bool:
    """With ASCII keys and without fractions the standard library prints the canonical form too."""
    quick = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return quick == line or canonical(value) == line


def read(data: bytes) -> list[Any]:
    """The parsed lines of one canonical session."""
    assert data.endswith(b"\n"), "the last line has no LF"
    lines = []
    for at, line in enumerate(data.decode("utf-8")[:-1].split("\n"), 1):
        value = json.loads(line)
        assert is_canonical(value, line), f"line {at} is not canonical"
        lines.append(value)
    kinds = [line["type"] for line in lines]
    assert kinds == ["header", *["event"] * (len(lines) - 2), "stats"], "not header, events, stats"
    return lines


def check(lines: list[Any]) -> None:
    """Ids are unique, the stats line is a function of the events, the ledger balances."""
    *_, stats = lines
    events = lines[1:-1]
    ids = Counter(event["event_id"] for event in events)
    assert len(ids) == len(events), "an event_id stands twice"
    want, got = stats_of(events), {key: stats[key] for key in COUNTS}
    differing = {key: (want[key], got[key]) for key in COUNTS if want[key] != got[key]}
    assert not differing, f"stats differ (recomputed, written): {differing}"
    counted = stats["source"]["records"]
    assert counted["read"] == sum(counted[key] for key in CLASSES), f"the ledger does not balance: {counted}"


def nanoseconds(time: str) -> int:
    match = CANONICAL_TIME.fullmatch(time)
    assert match, "a timestamp is not in canonical form"
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction = match[7] or ""
    assert len(fraction) == 0 or not fraction.endswith("000"), "a timestamp has more digits than it needs"
    days = date(year, month, day).toordinal()
    return (days * 86400 + hour * 3600 + minute * 60 + second) * 10**9 + int(fraction.ljust(9, "0"))


def diff_lines(diff: str) -> tuple[int, int]:
    """Lines added and removed by one FileEdit.diff."""
    added = removed = old = new = 0
    rows, header = diff.split("\n"), False
    for row, following in zip(rows, [*rows[1:], ""], strict=True):
        mark = row[:1]
        if header:
            header = False
        elif old > 0 or new > 0:
            added, removed = added + (mark == "+"), removed + (mark == "-")
            if mark != "\\":
                old, new = old - (mark != "+"), new - (mark != "-")
        elif match := HUNK.match(row):
            old, new = (int(group or 1) for group in match.groups())
        elif row.startswith("--- ") and following.startswith("+++ "):
            header = True
        else:
            added, removed = added + (mark == "+"), removed + (mark == "-")
    return added, removed


def counter(event: Any, key: str) -> int | None:
    value = event.get("attributes", {}).get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= TOP else None


def tokens(events: list[Any], side: str) -> int:
    totals = [n for event in events if (n := counter(event, f"{side}_tokens_total")) is not None]
    return max(totals) if totals else min(TOP, sum(counter(event, f"{side}_tokens") or 0 for event in events))


def stats_of(events: list[Any]) -> dict[str, int]:
    kinds = Counter(event["event_type"]["type"] for event in events)
    data = [(event["event_type"]["type"], event["event_type"].get("data", {})) for event in events]
    ended = sum(kind == "TaskEnd" and bool(set(d.get("summary") or "") - WHITE) for kind, d in data)
    diffs = [diff_lines(d.get("diff") or "") for kind, d in data if kind == "FileEdit"]
    times = [nanoseconds(event["timestamp"]) for event in events]
    return {
        "event_count": len(events),
        "message_count": kinds["UserMessage"] + kinds["AgentMessage"] + ended,
        "tool_call_count": sum(kinds[kind] for kind in CALLS),
        "task_count": len({event["task_id"] for event in events if "task_id" in event}),
        "duration_seconds": (max(times) - min(times)) // 10**9 if times else 0,
        "total_input_tokens": tokens(events, "input"),
        "total_output_tokens": tokens(events, "output"),
        "user_message_count": kinds["UserMessage"],
        "files_changed": len({d["path"] for kind, d in data if kind in FILES}),
        "lines_added": sum(added for added, _ in diffs),
        "lines_removed": sum(removed for _, removed in diffs),
    }
