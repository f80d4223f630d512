"""The benchmark harness: what it measures is the command, and a command that fails has no number."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benches"))

from harness import data, table
from harness.measure import Case, Failed, Rounds, Sample, Spread, rounds, sample

MIB = 1 << 20


def python(code: str, **more: object) -> Case:
    return Case("python", [sys.executable, "-I", "-S", "-c", code], **more)  # type: ignore[arg-type]


def test_peak_memory_is_that_of_the_command_alone() -> None:
    held = bytearray(200 * MIB)  # in this process, from which a naive child would inherit its peak
    small, large = sample(python("pass")), sample(python(f"bytearray({64 * MIB})"))
    assert len(held) > large.rss > 64 * MIB > small.rss


def test_a_command_that_fails_has_no_number() -> None:
    with pytest.raises(Failed, match="exit 3"):
        sample(python("raise SystemExit(3)"))


def test_a_command_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(Failed, match="more than"):
        sample(python("import time; time.sleep(60)", limit=0.5))


def test_cases_are_interleaved_after_a_round_that_warms_up() -> None:
    order: list[str] = []
    cases = [
        Case(name, [sys.executable, "-I", "-S", "-c", "pass"], before=lambda name=name: order.append(name))
        for name in ("ours", "peer")
    ]
    taken = rounds(cases, 2, watch=False)
    assert order == ["ours", "peer"] * 3
    assert [len(samples) for samples in taken.samples.values()] == [2, 2]


def test_a_ratio_is_formed_inside_a_round() -> None:
    slow_machine = [Sample(wall, wall, MIB, 0.0) for wall in (1.0, 4.0, 2.0)]
    peer = [Sample(wall, wall, MIB, 0.0) for wall in (2.0, 8.0, 5.0)]
    taken = Rounds({"ours": slow_machine, "peer": peer})
    assert taken.ratio("peer", "ours") == Spread(2.0, 2.0, 2.5)
    assert taken.extra("peer", "ours") == Spread(3.0, 1.0, 4.0)


def test_the_table_goes_between_the_marks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    line = table.Line("verify", "hail 1.0 GB", "openssl", 0.5, 2.0, Spread(1.2, 1.1, 1.3), peak=20 * MIB)
    table.write_into(page, table.markdown([line]))
    text = page.read_text()
    assert text.startswith(f"before\n{table.BEGIN}\n| work ")
    assert "1.20x (1.10-1.30)" in text
    assert "old" not in text
    assert text.endswith(f"{table.END}\nafter\n")


def test_a_row_over_its_memory_misses_what_it_promises() -> None:
    line = table.Line("verify", "hail", "openssl", met=True, peak=80 * MIB, limit=74 * MIB)
    assert line.missed
    line.peak = 70 * MIB
    assert not line.missed


def test_the_longest_line_is_found_across_blocks(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"a\n" + b"b" * (9 * MIB) + b"\n" + b"c" * MIB)
    assert data.longest_line(path) == 9 * MIB
