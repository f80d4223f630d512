"""Sets one key of a TOML file and leaves every other byte as it is.

Owns where a statement begins and ends; what a key or a header says is asked of ``tomllib``. An edit is only handed out
when ``tomllib`` reads it as the old file with that one value changed, so a form of TOML that is not thought of here is
answered with None, never with a damaged file (docs/decisions/004-config-file.md).
"""

from __future__ import annotations

import tomllib

from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_QUOTES = ('"""', "'''", '"', "'")


class _Statement(NamedTuple):
    path: tuple[str, ...]
    """The whole dotted name; of a header, the table's."""
    start: int
    end: int
    """After its last character, before a comment."""
    value: int | None
    """Where the value begins; None for a header."""


def with_text(text: str, table: str, key: str, value: str) -> str | None:
    """``text`` with ``table.key`` set to a plain ASCII ``value``; None where that cannot be done line by line."""
    literal = f'"{value}"'
    for candidate in _candidates(text, table, key, literal):
        if _changes_only(text, candidate, table, key, value):
            return candidate
    return None


def _candidates(text: str, table: str, key: str, literal: str) -> Iterator[str]:
    """Ways to write it, the one that changes least first."""
    line_end = "\r\n" if "\r\n" in text else "\n"
    line = f"{key} = {literal}{line_end}"
    statements = list(_statements(text))
    for each in statements:
        if each.path == (table, key) and each.value is not None:
            yield text[: each.value] + literal + text[each.end :]
    for each in statements:
        if each.path == (table,) and each.value is None:
            below = text.find("\n", each.end) + 1
            yield text[:below] + line + text[below:] if below else text + line_end + line
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    yield text + gap.replace("\n", line_end) + f"[{table}]{line_end}{line}"
    # Where the table is spelled out in dotted keys it can have no header.
    yield f"{table}.{line}{text}"


def _changes_only(before: str, after: str, table: str, key: str, value: str) -> bool:
    """Whether ``after`` says what ``before`` says, and the new value."""
    old, new = _read(before), _read(after)
    if old is None or new is None:
        return False
    for read in (old, new):
        read.setdefault(table, {})
    if not isinstance(old[table], dict) or not isinstance(new[table], dict):
        return False
    old[table].pop(key, None)
    return bool(new[table].pop(key, None) == value and new == old)


def _read(text: str) -> dict[str, dict[str, object]] | None:
    try:
        # Numbers as they are written: nan is not equal to itself.
        return tomllib.loads(text, parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _statements(text: str) -> Iterator[_Statement]:
    """Every header and key of a file that ``tomllib`` accepts."""
    at = 0
    table: tuple[str, ...] = ()
    while (at := _skip_blank(text, at)) < len(text):
        end = _end(text, at)
        if text[at] == "[":
            table = _name(text[at:end])
            yield _Statement(table, at, end, None)
        else:
            equals = _outside_quotes(text, at, "=")
            value = equals + 1 + _blanks(text[equals + 1 : end])
            yield _Statement((*table, *_name(text[at:equals] + "= 0")), at, end, value)
        at = end


def _blanks(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))


def _name(statement: str) -> tuple[str, ...]:
    """The dotted name in a header, or in a key with a number for its value. A list of tables has a name of no key."""
    parts: list[str] = []
    at: object = tomllib.loads(statement)
    while isinstance(at, dict) and at:
        [(part, at)] = at.items()
        parts.append(part)
    return (*parts, "[]") if isinstance(at, list) else tuple(parts)


def _skip_blank(text: str, at: int) -> int:
    """Past spaces, line ends and comments."""
    while at < len(text):
        if text[at] == "#":
            at = _line_end(text, at)
        elif text[at] in " \t\r\n":
            at += 1
        else:
            break
    return at


def _end(text: str, at: int) -> int:
    """The end of the statement at ``at``: the last character before a comment or line end outside of brackets."""
    depth, last = 0, at
    while at < len(text):
        here = text[at]
        if here in "\"'":
            at = last = _string_end(text, at)
            continue
        if here == "#" and depth:
            at = _line_end(text, at)
            continue
        if here == "#" or (here == "\n" and not depth):
            break
        depth += (here in "[{") - (here in "]}")
        at += 1
        if here not in " \t\r\n":
            last = at
    return last


def _outside_quotes(text: str, at: int, wanted: str) -> int:
    while text[at] != wanted:
        at = _string_end(text, at) if text[at] in "\"'" else at + 1
    return at


def _string_end(text: str, at: int) -> int:
    """The place after the string that begins at ``at``."""
    quote = next(q for q in _QUOTES if text.startswith(q, at))
    at += len(quote)
    while not text.startswith(quote, at):
        at += 2 if text[at] == "\\" and quote[0] == '"' else 1
    at += len(quote)
    # Up to two quotes more belong to the text of a string that ends in three.
    extra = 0
    while len(quote) == 3 and extra < 2 and text.startswith(quote[0], at + extra):
        extra += 1
    return at + extra


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found
