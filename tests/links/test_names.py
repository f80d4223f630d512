"""A session is read for a commit only where it writes to a file of such a name."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toaster import HEAT, KETTLE

from opensession.actions.links import compare, names
from opensession.actions.links.changes import Change
from opensession.actions.links.clock import Clock
from opensession.actions.links.evidence import Lines
from opensession.actions.links.names import last_part
from opensession.actions.links.paths import Whereabouts
from opensession.actions.log import log


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The sessions that are read."""
    found: list[str] = []
    shares_of = compare.shares_of

    def noted(candidate, *rest):
        found.append(candidate.title)
        return shares_of(candidate, *rest)

    monkeypatch.setattr(compare, "shares_of", noted)
    return found


def test_a_session_that_was_read_is_read_again_only_for_files_it_writes(world, read):
    world.commit("heat", 50, **{"src__heat.py": HEAT})
    heat = world.session("heat", world.wrote("src/heat.py", HEAT))
    kettle = world.session(
        "kettle", world.wrote("/elsewhere/kettle.py", KETTLE), world.wrote("kettle.py", KETTLE)
    )
    world.sync()
    assert sorted(read) == ["heat", "kettle"]

    read.clear()
    second = world.commit("kettle", 60, **{"kettle.py": KETTLE})
    world.commit("words", 70, **{"readme.txt": "words and more words\n"})
    world.sync()
    assert read == ["kettle"]
    assert world.linked(second) == {kettle: 1.0}
    assert heat not in world.linked(second)


def test_why_and_log_read_only_what_may_matter(world, read):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("heat", world.wrote("heat.py", HEAT))
    world.session("kettle", world.wrote("kettle.py", KETTLE))
    for expected in (["heat", "kettle"], ["heat"]):
        read.clear()
        found = log(world.stores(), world.repository(), commit, env=os.environ, clock=Clock(None), most=1)
        assert [s.title for s in found.entries[0].sessions] == ["heat"]
        assert sorted(read) == expected


def test_a_session_with_too_many_names_or_one_without_end_is_read_each_time(world, read, monkeypatch):
    monkeypatch.setattr(names, "_MOST", 2)
    world.session("many", *(world.wrote(f"f{n}.py", HEAT) for n in range(3)))
    world.session("odd", world.wrote("kettle.py/..", KETTLE))
    for n, text in enumerate((HEAT, KETTLE)):
        read.clear()
        world.commit("more", 50 + n, **{"other.py": text})
        world.sync()
        assert sorted(read) == ["many", "odd"]


PARTS = st.sampled_from(["a", "b.py", "..", ".", "", "a\\b.py", "C:", "w"])
PATHS = st.builds(
    lambda start, parts, sep, end: start + sep.join(parts) + end,
    st.sampled_from(["", "/", "C:\\", "c:/", "/w/", "\\"]),
    st.lists(PARTS, min_size=1, max_size=5),
    st.sampled_from(["/", "\\", "//"]),
    st.sampled_from(["", "/", "\\", "/."]),
)


@given(PATHS, PATHS, st.sampled_from([None, "/w", "/w/a", "C:\\w", "c:/w/a"]), st.booleans())
def test_what_may_be_the_same_file_has_the_same_last_part(said, held, cwd, gone):
    where = Whereabouts(cwd, ["/w", "/C:/w"], gone=gone)
    for wanted in (held, held.replace("\\", "/"), "b.py", "a/b.py", "a\\b.py"):
        if where.find(said, {wanted}) is not None:
            assert last_part(said) in {None, last_part(wanted)}


def test_the_paths_of_commits_are_all_names_of_their_files():
    lines = Lines()
    lines.add("c", 0.0, {"new.py": [b"long enough"]}, {"new.py": "old.py"})
    assert set(lines.paths) == {"new.py", "old.py"}
    written = [Change(0, "e", "c", 0.0, "", "/w/old.py", ["long enough"], [], True, None)]
    assert lines.shares(written, Whereabouts("/w", ["/w"], gone=False))["c"].value == 1.0
