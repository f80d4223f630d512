"""Text from a log, fit to stand inside of ours: nothing in it ends the quotation, and nothing is invisible.

Owns the two quotations of Markdown (code span and fence) and the escapes. Must not know what is quoted.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Categories of what a terminal obeys, what reorders or hides text, and what is no character."""
_RUN = re.compile(r"`+")


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every character that cannot be seen written out; with ``lines``, line ends stay."""
    if text.isascii() and text.isprintable():
        return text
    if lines:
        text = text.replace("\r\n", "\n")
    return "".join(c if _shown(c) or (lines and c == "\n") else _escape(c) for c in text)


def _shown(character: str) -> bool:
    return unicodedata.category(character) not in _HIDDEN


def _escape(character: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    return named or f"\\u{{{ord(character):x}}}"


def longest_run(text: str) -> int:
    """The longest run of backticks."""
    return max((len(run) for run in _RUN.findall(text)), default=0)


def span(text: str) -> str:
    """A code span that holds exactly this text, on one line."""
    shown = visible(text)
    if not shown.strip(" "):
        return "` `" if shown else "(empty)"
    ticks = "`" * (longest_run(shown) + 1)
    # Markdown takes one space off each end, and a backtick at an end would belong to the fence.
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fence(text: str, *, indent: str = "") -> list[str]:
    """The lines of a fenced block that holds this text."""
    shown = visible(text, lines=True)
    ticks = "`" * max(3, longest_run(shown) + 1)
    return [f"{indent}{ticks}text", *(indent + line for line in shown.split("\n")), indent + ticks]
