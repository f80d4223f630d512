"""Weak links by time: the sweep over commits and sessions finds what comparing each with each finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opensession.actions.link import HINT_SECONDS, Made, by_time
from opensession.actions.links.candidates import Candidate
from opensession.git.history import Commit

SECONDS = st.integers(0, 50).map(lambda n: n * 3600.0)


def commit(number: int, time: float, email: str, parents: int) -> Commit:
    return Commit(f"c{number}", ("p",) * parents, 0, int(time), "Ada", email, "")


def session(number: int, times: tuple[float, float], here: bool) -> Candidate:
    begin, end = sorted(times)
    return Candidate(f"s{number}", None, f"s{number}", "t", None, begin, end, "/w", here, 1, 0)


commits = st.lists(st.tuples(SECONDS, st.sampled_from(["ada", "bob"]), st.integers(0, 2)), max_size=8)
sessions = st.lists(st.tuples(st.tuples(SECONDS, SECONDS), st.booleans()), max_size=8)


@given(commits, sessions, st.booleans(), st.integers(0, 8))
def test_a_sweep_finds_what_comparing_each_with_each_finds(made, ran, with_reflog, hinted):
    made_commits = [commit(n, *each) for n, each in enumerate(made)]
    ran_sessions = [session(n, *each) for n, each in enumerate(ran)]
    here = {c.oid: c.committer_time for c in made_commits if c.committer_email == "ada"}
    known = Made(here if with_reflog else None, None if with_reflog else "ada", f"c{hinted}")
    expected = set()
    for one in made_commits:
        for other in ran_sessions:
            if not other.here or len(one.parents) > 1:
                continue
            beside = max(other.created - one.committer_time, one.committer_time - other.updated)
            if one.oid in here and beside <= 1:
                expected.add((one.oid, other.sha256, ("cwd", "time")))
            elif one.oid == f"c{hinted}" and beside <= HINT_SECONDS:
                expected.add((one.oid, other.sha256, ("cwd", "hint")))

    found = [(link.commit, link.sha256, link.reasons) for link in by_time(made_commits, ran_sessions, known)]
    assert len(found) == len(set(found))
    assert set(found) == expected
