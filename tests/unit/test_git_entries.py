"""What a path of a ledger is: ours, an older program's, or nothing that belongs there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensession.errors import UsageError
from opensession.git.entries import (
    Kind,
    Place,
    checked_path,
    classify,
    flat_path,
    gone_path,
    link_path,
    meta_path,
    place_of,
    session_path,
)
from opensession.git.trees import segments

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
commits = st.one_of(digests, st.binary(min_size=20, max_size=20).map(bytes.hex))
H = "0123456789abcdef" * 4


@given(digests, commits)
def test_every_path_of_ours_is_read_as_what_it_was_made_for(digest, commit):
    assert place_of(session_path(digest)) == Place(Kind.SESSION, digest)
    assert place_of(meta_path(digest)) == Place(Kind.META, digest)
    assert place_of(link_path(commit, digest)) == Place(Kind.LINK, digest, commit)
    assert place_of(gone_path(digest)) == Place(Kind.GONE, digest)
    assert place_of(flat_path(digest)) == Place(Kind.FLAT, digest)


def test_paths_are_laid_out_as_the_page_says():
    assert session_path(H) == f"v2/sessions/01/23/{H}.jsonl"
    assert meta_path(H) == f"v2/meta/01/23/{H}.json"
    assert link_path("ab" * 20, H) == f"v2/commits/ab/{'ab' * 20}/{H}"
    assert gone_path(H) == f"v2/gone/{H}"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("v1/ab/abc.hail.jsonl", Kind.V1),
        ("v1/index/commits/abc/x.json", Kind.V1),
        (f"sessions/{H}.jsonl", Kind.FLAT),
        ("sessions/mine.jsonl", Kind.PLACED),
        ("notes/week 1/é.jsonl", Kind.PLACED),
        (f"x/{H}.jsonl", Kind.PLACED),
        ("x.jsonl", Kind.PLACED),
    ],
)
def test_what_others_and_the_user_put_there_has_a_kind(path, kind):
    assert classify(path) is kind


@pytest.mark.parametrize(
    "path",
    [
        "README",
        "x.json",
        "v2/README.jsonl",
        f"v2/sessions/00/23/{H}.jsonl",
        f"v2/sessions/01/00/{H}.jsonl",
        f"v2/sessions/01/23/{H.upper()}.jsonl",
        f"v2/sessions/01/23/{H}.jsonl\n",
        f"v2/sessions/01/23/{H}.jsonl/x",
        f"v2/commits/00/{'ab' * 20}/{H}",
        f"v2/commits/ab/{'ab' * 21}/{H}",
        f"v2/gone/{H}.jsonl",
        "v1/../x.jsonl",
        "../x.jsonl",
        "/x.jsonl",
        "a//x.jsonl",
        "a/./x.jsonl",
        ".git/x.jsonl",
        "a/.GIT/x.jsonl",
        "a\\x.jsonl",
        "a\x1b[1mx.jsonl",
        "a\nx.jsonl",
        "a\udcffx.jsonl",
        "/".join(["a"] * 99) + ".jsonl",
    ],
)
def test_what_has_no_business_in_a_ledger_has_no_kind(path):
    assert classify(path) is None
    with pytest.raises(UsageError):
        checked_path(path)


def test_a_session_at_a_path_of_the_user_s_is_known_by_its_name():
    assert place_of(f"x/{H}.jsonl") == Place(Kind.PLACED, H)
    assert place_of("x/1.jsonl") == Place(Kind.PLACED, None)


@pytest.mark.parametrize("path", [session_path(H), "v1/x.jsonl", "x.json"])
def test_a_user_s_path_stays_out_of_the_layout(path):
    with pytest.raises(UsageError, match="no path for a session"):
        checked_path(path)


@given(st.text("ab./\\\0\n.git é", max_size=12).map(lambda text: text + ".jsonl"))
def test_every_path_that_has_a_kind_can_stand_in_a_tree(path):
    if classify(path) is not None:
        assert b"/".join(segments(path)) == path.encode()
