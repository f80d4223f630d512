"""The two small documents of a ledger: canonical, strict, and small."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensession import core
from opensession.git.links import LIMIT, REASONS, Link, meta_of, read_meta, seconds, seconds_of

COMMIT, SESSION = "c" * 40, "5" * 64
links = st.builds(
    Link,
    commit=st.sampled_from([COMMIT, "c" * 64]),
    sha256=st.just(SESSION),
    reasons=st.sets(st.sampled_from(REASONS)).map(lambda s: tuple(sorted(s))),
    confidence=st.floats(0, 1).map(lambda f: round(f, 4)),
    patch_id=st.none() | st.just("d" * 40),
)


@given(links)
def test_a_link_is_read_back_from_its_canonical_document(link):
    data = link.to_json()
    assert core.canonical_json(data) == data
    assert Link.from_json(data, link.commit, link.sha256) == link


def test_a_link_has_the_members_that_the_page_says():
    link = Link(COMMIT, SESSION, ("time", "content", "time"), 1 / 3, "d" * 40)
    assert json.loads(link.to_json()) == {
        "commit": COMMIT,
        "confidence": 0.3333,
        "patch_id": "d" * 40,
        "reasons": ["content", "time"],
        "session": SESSION,
    }
    assert b"patch_id" not in Link(COMMIT, SESSION, (), 0.0).to_json()


def test_members_of_a_newer_program_are_no_reason_to_refuse_a_link():
    data = json.dumps(json.loads(Link(COMMIT, SESSION, ("time",), 1.0).to_json()) | {"files": 3}).encode()
    assert Link.from_json(data, COMMIT, SESSION) == Link(COMMIT, SESSION, ("time",), 1.0)


@pytest.mark.parametrize(
    "changed",
    [
        {"commit": "e" * 40},
        {"session": "e" * 64},
        {"reasons": "time"},
        {"reasons": [1]},
        {"reasons": ["\x1b[31m"]},
        {"confidence": 1.5},
        {"confidence": -0.1},
        {"confidence": True},
        {"confidence": "1"},
        {"confidence": None},
        {"patch_id": "zz"},
        {"patch_id": 1},
    ],
    ids=str,
)
def test_what_is_no_link_is_none(changed):
    fields = json.loads(Link(COMMIT, SESSION, ("time",), 1.0).to_json())
    assert Link.from_json(json.dumps(fields | changed).encode(), COMMIT, SESSION) is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000, b" " * (LIMIT + 1)])
def test_a_document_that_cannot_be_read_is_none(data):
    assert Link.from_json(data, COMMIT, SESSION) is None
    assert read_meta(data) is None


def info_of(hail, **header):
    (info,) = core.verify(hail.session(**header))["sessions"]
    return info


def test_a_description_follows_from_the_session_alone(hail):
    info = info_of(hail, title="Why no toast", attributes={"session_role": "primary"})
    data = meta_of(info)
    assert core.canonical_json(data) == data == meta_of(info)
    fields = json.loads(data)
    assert fields.pop("stats")["event_count"] == 2
    assert fields == {
        "bytes": info["bytes"],
        "id": "s-1",
        "model": "m-1",
        "role": info["session_role"],
        "title": "Why no toast",
        "tool": "toaster",
        "updated_at": "2026-01-02T03:04:05Z",
    }


def test_a_description_stays_small_whatever_the_session_says(hail):
    assert len(meta_of(info_of(hail, session_id="x" * 100_000, title="é" * 100_000))) < 4000


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-02-03T04:05:06Z", 1770091506),
        ("2026-02-03T04:05:06.999999999Z", 1770091506),
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 253402300799),
        ("yesterday", 0),
    ],
)
def test_a_session_s_time_in_seconds(time, expected):
    assert seconds(time) == expected
    assert seconds_of(json.dumps({"updated_at": time}).encode()) == expected


def test_without_a_description_there_is_no_time():
    assert seconds_of(None) == seconds_of(b"[]") == seconds_of(b'{"updated_at":3}') == 0


def test_a_description_names_the_parser(claude_log):
    info = core.parse(claude_log, profile="claude-code")
    assert info["source"] is not None
    assert json.loads(meta_of(info))["parser"] == info["source"]["parser"]
