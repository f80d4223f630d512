"""Branch to ref and back, and the refs that may be written at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opensession.errors import RefusedError, UsageError
from opensession.git.refs import BRANCHES, NOTES, branch_of, checked_ref, hashed_ref, ledger_ref, ledger_refs

LONG = "b" * 136  # base64url: 182 characters
parts = st.text("abZ09_-.é@\udcff", min_size=1, max_size=60)
branches = st.lists(parts, min_size=1, max_size=4).map("/".join)


def is_branch(name: str) -> bool:
    return not any(s in f"/{name}/" for s in ("/.", "..", ".lock/", "./", "@{"))


@given(branches.filter(is_branch))
@example("main")
@example("feature/abc")
@example("b" * 135)
@example(LONG)
def test_a_ref_leads_back_to_its_branch_or_is_a_hash(branch):
    ref = ledger_ref(branch)
    name = ref.removeprefix(BRANCHES)
    assert len(name) <= 180
    assert checked_ref(ref) == ref
    assert branch_of(ref) == (None if name.startswith("h-") and len(name) == 66 else branch)


@given(st.text("abAB01-_=h", max_size=70))
def test_every_ref_that_has_a_branch_is_the_ref_of_that_branch(name):
    branch = branch_of(BRANCHES + name)
    assert branch is None or ledger_ref(branch) == BRANCHES + name


def test_refs_have_the_names_that_the_page_says():
    assert ledger_ref("main") == "refs/opensession/branches/bWFpbg"
    assert ledger_ref("feature/abc") == "refs/opensession/branches/ZmVhdHVyZS9hYmM"
    assert ledger_ref("detached@01234567") == "refs/opensession/branches/ZGV0YWNoZWRAMDEyMzQ1Njc"


def test_a_name_too_long_for_a_file_is_a_hash():
    assert ledger_ref("b" * 135) == BRANCHES + "YmJi" * 45
    assert ledger_ref(LONG) == hashed_ref(LONG)
    assert hashed_ref(LONG).startswith(BRANCHES + "h-")
    assert len(hashed_ref(LONG)) == len(BRANCHES) + 2 + 64


def test_a_name_that_differs_from_a_taken_one_by_case_alone_is_a_hash():
    one, other = ledger_ref("aab"), ledger_ref("aaH")
    assert one.lower() == other.lower()
    assert ledger_ref("aaH", taken=[one]) == hashed_ref("aaH")
    assert ledger_ref("aaH", taken=[other]) == other
    assert ledger_ref("aaH", taken=[other, one]) == hashed_ref("aaH")
    assert ledger_refs("aaH") == (other, hashed_ref("aaH"))
    assert ledger_refs(LONG) == (hashed_ref(LONG),)


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/main",
        "refs/opensession/other",
        BRANCHES,
        BRANCHES + "bWFpbh",
        BRANCHES + "bWFpbg=",
        BRANCHES + "IA",
    ],
)
def test_a_ref_that_is_no_ledger_s_has_no_branch(ref):
    assert branch_of(ref) is None


@pytest.mark.parametrize("ref", ["refs/opensession/branches/bWFpbg", "refs/opensession/mine/1", NOTES])
def test_refs_for_sessions_may_be_written(ref):
    assert checked_ref(ref) == ref


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/main",
        "refs/tags/v1",
        "HEAD",
        "main",
        "refs/notes/commits",
        "refs/notes/opensession2",
        "",
        "-x",
        "refs/opensession",
    ],
)
def test_no_other_ref_may_be_written(ref):
    with pytest.raises(RefusedError, match="not a ref for sessions"):
        checked_ref(ref)


@pytest.mark.parametrize(
    "tail", ["a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a.lock", "a.lock/b", ".a", "a/.b", "a/", "a//b", "a.", "@{", "a\n", "a\x7f"]
)  # fmt: skip
def test_a_name_that_git_does_not_allow_is_refused(tail, env):
    with pytest.raises(UsageError, match="no name that git allows"):
        checked_ref("refs/opensession/" + tail)
