"""JSONTestSuite under the strict policy of HAIL: each file as a JSON text of its own, and as `Json.data` of an event.

`EXPECT.tsv` (column `strict`) says what is accepted. On a line of HAIL a line feed cannot stand, so each becomes a
blank there; in one file it stands inside a string, which a blank mends.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from opensession import core, errors

SUITE = Path(__file__).parent.parent / "data" / "JSONTestSuite"
MENDED_BY_A_BLANK = {"n_string_unescaped_newline.json"}

HEAD = (
    b'{"type":"header","version":"hail-1.0.0","session_id":"s","agent":{"provider":"p","model":"m","tool":"t"},'
    b'"context":{"created_at":"2026-02-14T00:00:00Z","updated_at":"2026-02-14T00:00:00Z"}}\n'
)
EVENT = (
    b'{"type":"event","event_id":"e","timestamp":"2026-02-14T00:00:00Z","event_type":{"type":"UserMessage"},'
    b'"content":{"blocks":[{"type":"Json","data":%s}]}}\n'
)

# What becomes of the files of test_transform: the canonical text, or None where the text is refused.
TRANSFORMED: dict[str, bytes | None] = {
    "number_-9223372036854775808.json": b"[-9223372036854775808]",
    "number_-9223372036854775809.json": b"[-9223372036854775809]",
    "number_1.0.json": b"[1]",
    "number_1.000000000000000005.json": b"[1]",
    "number_1000000000000000.json": b"[1000000000000000]",
    "number_10000000000000000999.json": b"[10000000000000000999]",
    "number_1e-999.json": b"[0]",
    "number_1e6.json": b"[1000000]",
    "number_9223372036854775807.json": b"[9223372036854775807]",
    "number_9223372036854775808.json": b"[9223372036854775808]",
    "object_key_nfc_nfd.json": '{"e\u0301":"NFD","\u00e9":"NFC"}'.encode(),
    "object_key_nfd_nfc.json": '{"e\u0301":"NFD","\u00e9":"NFC"}'.encode(),
    "object_same_key_different_values.json": None,
    "object_same_key_same_value.json": None,
    "object_same_key_unclear_values.json": None,
    "string_1_escaped_invalid_codepoint.json": None,
    "string_1_invalid_codepoint.json": None,
    "string_2_escaped_invalid_codepoints.json": None,
    "string_2_invalid_codepoints.json": None,
    "string_3_escaped_invalid_codepoints.json": None,
    "string_3_invalid_codepoints.json": None,
    "string_with_escaped_NULL.json": b'["A\\u0000B"]',
}


def strict() -> dict[str, str]:
    rows = (SUITE / "EXPECT.tsv").read_text().splitlines()
    return dict(row.split("\t")[:2] for row in rows if not row.startswith(("#", "file\t")))


EXPECT = strict()


def accepted(text: bytes) -> bool:
    try:
        core.canonical_json(text)
    except errors.HailSyntaxError as error:
        assert error.column is not None
        assert 1 <= error.column <= len(text) + 1
        return False
    return True


def test_the_suite_is_complete() -> None:
    files = {path.name for path in (SUITE / "test_parsing").iterdir()}
    assert len(files) == 318
    assert set(EXPECT) == files
    assert set(TRANSFORMED) == {path.name for path in (SUITE / "test_transform").iterdir()}


@pytest.mark.parametrize("name", EXPECT)
def test_a_text_is_accepted_exactly_where_the_strict_column_says_so(name: str) -> None:
    text = (SUITE / "test_parsing" / name).read_bytes()
    assert accepted(text) == EXPECT[name].startswith("accept")
    if name.startswith("y_") and EXPECT[name] == "accept":
        assert same(json.loads(core.canonical_json(text)), json.loads(text))


def same(one: object, other: object) -> bool:
    """Equal values; a float that is whole may have become an integer."""
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=0) and (one is True) == (other is True)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return one == other


@pytest.mark.parametrize("name", EXPECT)
def test_data_of_an_event_is_accepted_exactly_where_the_strict_column_says_so(name: str) -> None:
    text = (SUITE / "test_parsing" / name).read_bytes().replace(b"\n", b" ")
    report = core.verify(HEAD + EVENT % text)
    assert report["valid"] == (EXPECT[name].startswith("accept") or name in MENDED_BY_A_BLANK)
    if not report["valid"]:
        error = report["error"]
        assert error is not None
        assert (error["code"], error["line"]) == ("hail_syntax", 2)
        assert error["column"] is not None


@pytest.mark.parametrize("name", TRANSFORMED)
def test_a_text_that_parsers_change_becomes_one_canonical_text_or_is_refused(name: str) -> None:
    text = (SUITE / "test_transform" / name).read_bytes()
    want = TRANSFORMED[name]
    if want is None:
        assert not accepted(text)
    else:
        assert core.canonical_json(text) == want
