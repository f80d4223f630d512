"""Laws of the canonical form, with an independent implementation of RFC 8785 as the judge."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from opensession import core

SAFE = 2**53 - 1

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-SAFE, SAFE) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> str:
    """One of the many JSON texts of a value."""
    gap = draw(st.sampled_from(["", "", " ", "\t", " \r "]))
    if isinstance(value, dict):
        members = draw(st.permutations(list(value.items())))
        inner = (f"{draw(spelled(k))}{gap}:{gap}{draw(spelled(v))}" for k, v in members)
        return "{" + gap + f"{gap},".join(inner) + gap + "}"
    if isinstance(value, list):
        return "[" + f"{gap},{gap}".join(draw(spelled(item)) for item in value) + gap + "]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 and draw(st.booleans()):
        return f"{value:.1f}"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


@given(values.flatmap(lambda v: st.tuples(st.just(v), spelled(v))))
def test_every_spelling_of_a_value_becomes_what_another_implementation_prints(pair: tuple[Any, str]) -> None:
    value, text = pair
    canonical = core.canonical_json(text.encode())
    assert canonical == rfc8785.dumps(value)
    assert core.canonical_json(canonical) == canonical


@given(st.integers())
def test_an_integer_of_any_size_keeps_its_digits(number: int) -> None:
    assert core.canonical_json(str(number).encode()) == str(number).encode()


@given(st.binary(max_size=40) | values.flatmap(spelled).map(str.encode))
def test_bytes_are_refused_with_a_column_or_become_a_fixed_point(data: bytes) -> None:
    try:
        canonical = core.canonical_json(data)
    except ValueError as error:
        assert error.code == "hail_syntax"  # type: ignore[attr-defined]
        assert error.column in range(1, len(data) + 2)  # type: ignore[attr-defined]
    else:
        assert core.canonical_json(canonical) == canonical


def session(data: list[Any], texts: list[str]) -> list[dict[str, Any]]:
    """A session whose free-form places hold what was drawn."""
    time = "2026-02-14T00:00:00Z"
    agent = {"provider": "p", "model": "m", "tool": "t"}
    context = {"tags": texts, "created_at": time, "updated_at": time, "attributes": {"a": data}}
    header = {
        "type": "header",
        "version": "hail-1.0.0",
        "session_id": "s",
        "agent": agent,
        "context": context,
    }
    blocks = [{"type": "Text", "text": text} for text in texts] + [{"type": "Json", "data": d} for d in data]
    events = [
        {
            "type": "event",
            "event_id": f"e{n}",
            "timestamp": time,
            "event_type": {"type": "Custom", "data": {"kind": "k"}},
            "content": {"blocks": blocks[: n + 1]},
            "attributes": {"z": data, "a": texts},
        }
        for n in range(3)
    ]
    return [header, *events]


@given(st.lists(values, max_size=3), st.lists(texts, max_size=3), st.data())
def test_every_line_of_a_session_is_what_another_implementation_prints(
    data: list[Any], words: list[str], draw: st.DataObject
) -> None:
    lines = session(data, words)
    source = "".join(draw.draw(spelled(line)) + "\n" for line in lines).encode()
    with tempfile.TemporaryFile() as out:
        [info] = core.canonicalize(source, out.fileno())
        out.seek(0, os.SEEK_SET)
        written = out.read()
    assert written.split(b"\n")[:-2] == [rfc8785.dumps(line) for line in lines]
    report = core.verify(written)
    assert report["canonical"]
    assert report["sha256"] == info["sha256"]
