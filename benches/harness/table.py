"""The table: one line a comparison, as text for a terminal and for docs/performance.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .measure import Spread

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
HEADINGS = (
    "work",
    "input",
    "s",
    "GB/s",
    "against",
    "measured (min-max)",
    "reach",
    "met",
    "peak MiB",
    "may be",
    "peer MiB",
)


@dataclass
class Line:
    """One comparison. A field that a row does not have is None and shows as a dash."""

    work: str
    input: str
    peer: str
    seconds: float | None = None
    rate: float | None = None
    measured: Spread | None = None
    unit: str = "x"
    """Of `measured`: times the peer, milliseconds, or milliseconds more than the peer (`+ms`)."""
    reach: str = ""
    met: bool | None = None
    peak: int | None = None
    limit: int | None = None
    peer_peak: int | None = None
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        return (
            self.work,
            self.input,
            _number(self.seconds, 3),
            _number(self.rate, 2),
            self.peer,
            self.note or _spread(self.measured, self.unit),
            self.reach or "-",
            {True: "yes", False: "NO", None: "-"}[self.met],
            *(
                "-" if size is None else f"{size / (1 << 20):.0f}"
                for size in (self.peak, self.limit, self.peer_peak)
            ),
        )

    @property
    def missed(self) -> bool:
        over = self.peak is not None and self.limit is not None and self.peak > self.limit
        return self.met is False or over


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _spread(spread: Spread | None, unit: str) -> str:
    if spread is None:
        return "-"
    if unit == "ms":
        return f"{spread.mid * 1e3:.0f} ms ({spread.low * 1e3:.0f} to {spread.high * 1e3:.0f})"
    if unit == "+ms":
        return f"{spread.mid * 1e3:+.0f} ms ({spread.low * 1e3:+.0f} to {spread.high * 1e3:+.0f})"
    return f"{spread.mid:.2f}x ({spread.low:.2f}-{spread.high:.2f})"


def markdown(lines: list[Line]) -> str:
    rows = [HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def facts(machine: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in machine.items())


def write_into(page: Path, text: str) -> None:
    """Replace what stands between the two marks of a page."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{page.name} has no place for the table ({BEGIN} … {END})")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
