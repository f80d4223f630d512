"""The independent readers see what they are there to see: a loss, a wrong number, a line that is not
canonical.
"""

from __future__ import annotations

import json

import pytest
import reading
import recall
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

PROSE = "the clapper hangs too low"


def lost(record: object, *session: object) -> dict[str, int]:
    return dict(recall.measure(json.dumps(record).encode(), list(session)).missing)


def test_a_text_that_the_session_does_not_hold_is_a_loss_with_its_path():
    assert lost({"message": {"text": PROSE}}, {"text": "the clapper"}) == {".message.text": len(PROSE)}


def test_a_text_inside_a_longer_one_is_no_loss():
    assert not lost({"message": {"text": PROSE}}, {"text": f"> {PROSE}!"})


def test_a_member_of_the_closed_list_is_not_counted():
    assert recall.measure(json.dumps({"signature": PROSE * 9}).encode(), []).total == 0


def test_texts_of_less_than_20_bytes_are_not_counted_and_bytes_are_not_characters():
    assert recall.measure(json.dumps({"a": "é" * 10, "b": "e" * 19}).encode(), []).total == 20


def test_json_in_a_string_counts_by_its_own_leaves_on_either_side():
    written = json.dumps({"say": f'"{PROSE}"\n'})
    assert not lost({"arguments": written}, {"data": {"say": f'"{PROSE}"\n'}})
    assert not lost({"arguments": {"say": f'"{PROSE}"\n'}}, {"text": written})
    assert lost({"arguments": written}, {"text": PROSE}) == {".arguments~.say": len(PROSE) + 3}


def test_times_are_compared_as_instants():
    assert not lost({"at": "2026-03-01T10:00:00.500+01:00"}, {"timestamp": "2026-03-01T09:00:00.500Z"})
    assert lost({"at": "2026-03-01T10:00:00.500+01:00"}, {"timestamp": "2026-03-01T09:00:00.501Z"})


def test_the_content_of_a_file_may_stand_in_a_result_with_line_numbers_and_nothing_else_may():
    shown = {"text": "     1→oil the clapper\n     2→ring the bell\n"}
    record = {"toolUseResult": {"file": {"content": "oil the clapper\nring the bell\n"}}}
    assert not lost(record, shown)
    assert lost({"stdout": record["toolUseResult"]["file"]["content"]}, shown)


def test_a_twin_may_lose_its_time_and_id_and_other_records_may_not():
    item = {
        "timestamp": "2026-03-01T10:00:00.000Z",
        "payload": {"type": "message", "id": "msg_0123456789abcdef"},
    }
    other = {**item, "payload": {**item["payload"], "type": "function_call"}}
    assert recall.measure(json.dumps(item).encode(), []) == recall.Recall(twins=1)
    assert set(lost(other)) == {".timestamp", ".payload.id"}


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_the_canonical_text_is_that_of_another_implementation_of_rfc_8785(value):
    assert reading.canonical(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("diff", "lines"),
    [
        ("-flat\n+true\n", (1, 1)),
        ("--- a\n+++ b\n-flat\n+true", (1, 1)),
        ("--- a\n+flat", (1, 1)),
        ("@@ -1,2 +1,2 @@\n--- a\n+++ b\n ring\n+after", (2, 1)),
        ("@@ -1 +1 @@\n-flat\n\\ No newline at end of file\n+true\n\\ No newline at end of file\n", (1, 1)),
    ],
)
def test_lines_of_a_diff_are_counted_as_hunks_and_headers_say(diff, lines):
    assert reading.diff_lines(diff) == lines


def test_a_line_with_its_keys_out_of_order_is_not_canonical():
    header, stats = '{"type":"header"}', '{"type":"stats","a":1}'
    with pytest.raises(AssertionError, match="line 2 is not canonical"):
        reading.read(f"{header}\n{stats}\n".encode())
