"""Lines, times, titles and diffs: what both mappings need of plain text."""

from __future__ import annotations

import re
from datetime import datetime
from json import JSONDecoder
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections import Counter

Json = Any

SURROGATES = re.compile(rb"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]..")


def read_line(line: bytes, repairs: Counter[str]) -> list[tuple[Json, bytes | None]]:
    """The values of a line, each with the bytes to keep beside it (None: nothing was lost)."""
    try:
        return [(orjson.loads(line), None)]
    except orjson.JSONDecodeError:
        pass
    if not line.strip():
        return []
    halves = 0

    def whole(match: re.Match[bytes]) -> bytes:
        nonlocal halves
        if match.end() - match.start() != 6:
            return match[0]
        halves += 1
        return b"\\ufffd"

    text = SURROGATES.sub(whole, line).decode()
    values, at = [], 0
    while at < len(text):
        value, at = JSONDecoder().raw_decode(text, at)
        values.append(value)
        at += len(text[at:]) - len(text[at:].lstrip())
    repairs["glued"] += len(values) - 1
    repairs["lone_surrogate"] += halves
    raw = line.rstrip(b"\n") if halves else None
    return [(value, raw if n == 0 else None) for n, value in enumerate(values)]


def plain(value: Json) -> Json:
    """Numbers as ECMAScript prints them: no fraction where there is none."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e16 else value
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


def canonical_time(text: Json) -> str | None:
    """A time in UTC with the fewest digits that lose nothing; None if it is no time."""
    if not isinstance(text, str) or not TIME.fullmatch(text):
        return None
    if len(text) == 24 and text[23] == "Z":
        return text if text[20:23] != "000" else text[:19] + "Z"
    moment = datetime.fromisoformat(text)
    written = moment.astimezone(tz=None).utctimetuple()
    digits = (text.partition(".")[2].rstrip("Z") or "")[:9].rstrip("0")
    digits += "0" * (-len(digits) % 3)
    base = "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}".format(*written[:6])
    return f"{base}.{digits}Z" if digits else f"{base}Z"


def seconds(time: str) -> datetime:
    return datetime.fromisoformat(time[:-1])


def order(time: str) -> str:
    """Sorts as the instants do: `…05Z` before `…05.001Z`."""
    return time[:-1]


def title_of(text: str, most: int = 80) -> str | None:
    folded = " ".join(text.split())
    if len(folded) > most:
        folded = folded[: most - 1].rstrip() + "…"
    return folded or None


def signed(sign: str, text: str) -> str:
    """Every line with `sign` before it and a newline behind it."""
    if not text:
        return ""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return "".join(f"{sign}{line}\n" for line in lines)


def diff_counts(diff: str) -> tuple[int, int]:
    """Lines a diff adds and removes. Those that the mapping makes have no hunk headers unless a patch had them."""
    added = removed = old = new = 0
    lines = diff.split("\n")
    for n, line in enumerate(lines):
        sign = line[:1]
        if old > 0 or new > 0:
            added, removed = added + (sign == "+"), removed + (sign == "-")
            old, new = old - (sign not in ("+", "\\")), new - (sign not in ("-", "\\"))
        elif hunk := re.match(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@", line):
            old, new = int(hunk[1] or 1), int(hunk[2] or 1)
        elif line.startswith("--- ") and n + 1 < len(lines) and lines[n + 1].startswith("+++ "):
            lines[n + 1] = ""
        else:
            added, removed = added + (sign == "+"), removed + (sign == "-")
    return added, removed


ENDINGS = """
    c:c cc:cpp cpp:cpp cs:csharp css:css go:go h:c hpp:cpp html:html java:java js:javascript json:json jsx:jsx kt:kotlin
    lua:lua md:markdown php:php py:python rb:ruby rs:rust scss:scss sh:bash sql:sql svelte:svelte swift:swift toml:toml
    ts:typescript tsx:tsx vue:vue xml:xml yaml:yaml yml:yaml
"""
LANGUAGES = dict(pair.split(":") for pair in ENDINGS.split())


def language(path: str) -> str | None:
    name = re.split(r"[/\\]", path)[-1]
    return LANGUAGES.get(name.rpartition(".")[2].lower()) if "." in name else None
