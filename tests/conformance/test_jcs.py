"""The vectors of RFC 8785: six texts, and numbers as ECMAScript prints them."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import pytest

from opensession import core

JCS = Path(__file__).parent.parent / "data" / "jcs"
VECTORS = os.environ.get("OPENSESSION_VECTORS")
"""A folder with more vectors; read here because tests run without the variables of the machine."""
NAMES = ("arrays", "french", "structures", "unicode", "values", "weird")


@pytest.mark.parametrize("name", NAMES)
def test_a_text_becomes_its_published_canonical_form(name: str) -> None:
    source = (JCS / "testdata" / "input" / f"{name}.json").read_bytes()
    want = bytes.fromhex((JCS / "testdata" / "outhex" / f"{name}.txt").read_text())
    assert core.canonical_json(source) == want
    assert core.canonical_json(want) == want


def check_numbers(lines: list[str]) -> None:
    """Every line is the hexadecimal bits of a double, a comma, and its text."""
    rows = [line.split(",") for line in lines]
    doubles = [struct.unpack(">d", bytes.fromhex(bits.zfill(16)))[0] for bits, _ in rows]
    # A literal with a fraction, so that whole numbers too are read as doubles.
    source = ",".join(text if "." in (text := f"{x!r}") or "e" in text else f"{text}.0" for x in doubles)
    want = ",".join(text for _, text in rows)
    assert core.canonical_json(f"[{source}]".encode()).decode() == f"[{want}]"


def test_eleven_thousand_numbers_are_printed_as_ecmascript_prints_them() -> None:
    check_numbers((JCS / "es6_numbers_1000.txt").read_text().splitlines())
    check_numbers(gzip.decompress((JCS / "es6_numbers_10000.txt.gz").read_bytes()).decode().splitlines())


@pytest.mark.slow
@pytest.mark.skipif(VECTORS is None, reason="OPENSESSION_VECTORS names no folder of vectors")
def test_a_hundred_thousand_numbers_are_printed_as_ecmascript_prints_them() -> None:
    path = Path(str(VECTORS)) / "jcs" / "es6_numbers_100000.txt"
    check_numbers(path.read_text().splitlines())
