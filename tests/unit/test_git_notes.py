"""Two machines' notes become one, line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensession.git.notes import annotated, lines_of, merge, note_of
from opensession.git.trees import BLOB, Entry, object_id

ONE, TWO = "a1" * 20, "b2" * 20


class Blobs:
    """Blobs by their id."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        oid = object_id("blob", data, "sha1")
        self.data[oid] = data
        return oid

    def tree(self, notes: dict[str, bytes]) -> dict[str, str]:
        return {path: self.put(data) for path, data in notes.items()}

    def merged(self, ours: dict[str, bytes], theirs: dict[str, bytes]) -> dict[str, bytes]:
        """The notes of the union, by path."""
        tree = self.tree(ours)
        edits, blobs = merge(tree, self.tree(theirs), self.data.get, "sha1")
        for data in blobs:
            self.put(data)
        for path, entry in edits.items():
            if entry is None:
                del tree[path]
            else:
                assert entry == Entry(BLOB, entry.oid)
                tree[path] = entry.oid
        return {path: self.data[oid] for path, oid in tree.items()}


lines = st.sets(st.sampled_from([b"one", b"two", b"three", b"", b"\xff\x00"]), max_size=4)
notes = st.dictionaries(st.sampled_from([ONE, TWO, "c3" * 20]), lines.map(b"\n".join), max_size=3)


def by_object(tree: dict[str, bytes]) -> dict[str, set[bytes]]:
    return {path.replace("/", ""): lines_of(data) for path, data in tree.items() if lines_of(data)}


@given(notes, notes)
def test_a_union_holds_the_lines_of_both_and_no_other(ours, theirs):
    merged = by_object(Blobs().merged(ours, theirs))
    assert merged == {
        oid: found
        for oid in {*ours, *theirs}
        if (found := lines_of(ours.get(oid, b"")) | lines_of(theirs.get(oid, b"")))
    }
    assert merged == by_object(Blobs().merged(theirs, ours))


@given(notes, notes)
def test_a_second_union_changes_nothing(ours, theirs):
    blobs = Blobs()
    once = blobs.merged(ours, theirs)
    assert blobs.merged(once, theirs) == once
    tree = blobs.tree(once)
    assert merge(tree, blobs.tree(theirs), blobs.data.get, "sha1") == ({}, [])


def test_a_note_is_sorted_and_says_each_line_once():
    assert note_of([b"b", b"a", b"b"]) == b"a\nb\n"
    assert note_of([]) == b""


def test_a_note_stands_wherever_git_has_put_it():
    blobs = Blobs()
    spread = f"{TWO[:2]}/{TWO[2:4]}/{TWO[4:]}"
    assert blobs.merged({spread: b"x\n"}, {TWO: b"y\n"}) == {spread: b"x\ny\n"}
    assert blobs.merged({}, {spread: b"y\n"}) == {f"{TWO[:2]}/{TWO[2:]}": b"y\n"}


def test_several_notes_on_one_commit_become_one():
    assert Blobs().merged({ONE: b"x\n", f"a1/{ONE[2:]}": b"y\n"}, {ONE: b"x\n"}) == {
        f"a1/{ONE[2:]}": b"x\ny\n"
    }


def test_what_is_no_note_stays_with_us_and_is_not_taken_from_others():
    assert Blobs().merged({"README": b"ours"}, {"EVIL": b"theirs", ONE: b"x\n"}) == {
        "README": b"ours",
        f"{ONE[:2]}/{ONE[2:]}": b"x\n",
    }


def test_a_note_that_is_too_large_adds_nothing():
    blobs = Blobs()
    ours = blobs.tree({ONE: b"x\n"})
    edits, written = merge(ours, {ONE: "f" * 40}, blobs.data.get, "sha1")
    assert (edits, written) == ({}, [])


@pytest.mark.parametrize(
    ("path", "oid"),
    [(ONE, ONE), (f"a1/{ONE[2:]}", ONE), (ONE.upper(), None), ("README", None), (ONE + "0", None)],
)
def test_a_path_of_a_notes_tree_names_a_commit(path, oid):
    assert annotated(path, "sha1") == oid
    assert annotated("d4" * 32, "sha256") == "d4" * 32
