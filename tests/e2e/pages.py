"""The code blocks and links of the pages, as a reader would paste and follow them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def pages() -> list[Path]:
    """Every page of the project."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str, *, below: str = "") -> list[str]:
    """The blocks of one language, below a heading."""
    text = page.read_text()
    if below:
        text = text.partition(f"\n## {below}\n")[2].partition("\n## ")[0]
        assert text, f"{page.name} has no part {below!r}"
    return [code for kind, code in _BLOCK.findall(text) if kind == language]


def links(page: Path) -> list[str]:
    """The files that a page links to."""
    return [target for target in _LINK.findall(page.read_text()) if "://" not in target]
