"""The union of two ledgers' trees: what is taken, what wins, what is removed. Trees are made in memory."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensession.errors import RefusedError
from opensession.git import union
from opensession.git.entries import gone_path, link_path, meta_path, session_path
from opensession.git.trees import BLOB, TREE, Entry, edit, format_tree, object_id, walk

H = [hashlib.sha256(bytes([n])).hexdigest() for n in range(8)]
COMMIT = "c" * 40
EMPTY = object_id("blob", b"", "sha1")


class Trees:
    """A store of trees, in memory; ids of blobs need no blobs."""

    def __init__(self, object_format: str = "sha1") -> None:
        self.format = object_format
        self.objects: dict[str, bytes] = {}
        self.reads: list[str] = []

    def read(self, oid: str) -> bytes:
        self.reads.append(oid)
        return self.objects[oid]

    def blob(self, text: str) -> str:
        return object_id("blob", text.encode(), self.format)

    def tree(self, files: dict[str, str | Entry], base: str | None = None) -> str:
        edits = {
            path: what if isinstance(what, Entry) else Entry(BLOB, self.blob(what))
            for path, what in files.items()
        }
        made = edit(base, edits, self.read, self.format)
        self.objects |= made.objects
        return made.root

    def raw(self, entries: dict[bytes, Entry]) -> str:
        data = format_tree(entries)
        oid = object_id("tree", data, self.format)
        self.objects[oid] = data
        return oid

    def files(self, root: str) -> dict[str, Entry]:
        return dict(walk(root, self.read, self.format))

    def united(self, ours: str, theirs: str, **more) -> tuple[union.United, dict[str, Entry]]:
        found = union.unite(ours, theirs, self.read, self.format, **more)
        made = edit(theirs, found.edits, self.read, self.format)
        self.objects |= made.objects
        return found, self.files(made.root)


@pytest.fixture
def trees() -> Trees:
    return Trees()


def session(n: int) -> dict[str, str]:
    return {session_path(H[n]): f"session {n}", meta_path(H[n]): f"meta {n}"}


def test_sessions_of_both_sides_are_there(trees):
    found, files = trees.united(trees.tree(session(0)), trees.tree(session(1)))
    assert files.keys() == session(0).keys() | session(1).keys()
    assert found.adds


def test_what_they_have_already_is_nothing_to_push(trees):
    found, _ = trees.united(trees.tree(session(0)), trees.tree(session(0) | session(1)))
    assert not found.edits
    assert not found.adds


def test_a_second_look_reads_only_what_changed(trees):
    many = {}
    for n in range(50):
        many |= {session_path(h := hashlib.sha256(b"x%d" % n).hexdigest()): h}
    theirs = trees.tree(many)
    first, _ = trees.united(trees.tree(session(0)), theirs)
    newer = trees.tree(session(1), theirs)
    trees.reads.clear()
    union.unite(trees.tree(session(0)), newer, trees.read, "sha1", clean=union.Clean(theirs, first.entries))
    assert len(set(trees.reads)) < 25


def test_a_tombstone_removes_a_session_with_all_that_names_it(trees):
    files = session(0) | session(1) | {link_path(COMMIT, H[0]): "link", f"sessions/{H[0]}.jsonl": "flat"}
    found, after = trees.united(
        trees.tree({gone_path(H[0]): ""}), trees.tree(files | {f"mine/{H[0]}.jsonl": "x"})
    )
    assert after.keys() == session(1).keys() | {gone_path(H[0])}
    assert found.adds


def test_a_path_that_the_user_chose_goes_with_the_session_that_stands_there(trees):
    placed = {"shown/first.jsonl": "session 0", "shown/second.jsonl": "session 1"}
    found, after = trees.united(
        trees.tree({gone_path(H[0]): ""}), trees.tree(session(0) | session(1) | placed)
    )
    assert after.keys() == session(1).keys() | {gone_path(H[0]), "shown/second.jsonl"}
    assert found.adds
    ours = trees.tree(session(0) | placed)
    found, after = trees.united(ours, trees.tree({gone_path(H[0]): ""}))
    assert after.keys() == {gone_path(H[0]), "shown/second.jsonl"}
    assert found.withheld


def test_their_tombstone_keeps_our_session_out_and_our_history_with_it(trees):
    found, after = trees.united(trees.tree(session(0) | session(1)), trees.tree({gone_path(H[0]): ""}))
    assert after.keys() == session(1).keys() | {gone_path(H[0])}
    assert found.withheld


def test_nothing_is_withheld_without_a_tombstone(trees):
    found, _ = trees.united(trees.tree(session(0)), trees.tree({gone_path(H[1]): ""}))
    assert not found.withheld


def test_a_tombstone_that_is_not_empty_removes_nothing(trees):
    _, after = trees.united(trees.tree(session(1)), trees.tree(session(0) | {gone_path(H[0]): "full"}))
    assert session_path(H[0]) in after
    assert gone_path(H[0]) not in after


def test_links_that_differ_are_a_conflict_without_a_promise(trees):
    path = link_path(COMMIT, H[0])
    found, _ = trees.united(trees.tree({path: "ours"}), trees.tree({path: "theirs"}))
    assert found.conflicts == [union.Conflict(path, trees.blob("ours"), trees.blob("theirs"), None)]


def test_sessions_that_differ_are_a_conflict_about_the_promised_hash(trees):
    path = session_path(H[0])
    found, _ = trees.united(trees.tree({path: "ours"}), trees.tree({path: "theirs"}))
    assert found.conflicts[0].promised == H[0]


@pytest.mark.parametrize("path", ["v1/ab/s-1.hail.jsonl", f"sessions/{H[0]}.jsonl", "mine/notes.jsonl"])
def test_entries_of_older_programs_and_chosen_paths_stay(trees, path):
    _, after = trees.united(trees.tree(session(0)), trees.tree({path: "x"}))
    assert path in after


@pytest.mark.parametrize(
    "files",
    [
        {"README": "x"},
        {"v2/sessions/aa/bb/short.jsonl": "x"},
        {f"v2/sessions/00/00/{H[0]}.jsonl": "x"},
        {session_path(H[0]): Entry("120000", "1" * 40)},
        {session_path(H[0]): Entry("100755", "1" * 40)},
        {"mine/module.jsonl": Entry("160000", "1" * 40)},
        {"v2/sessions": Entry("120000", "1" * 40)},
        {"v2": Entry("160000", "1" * 40)},
        {"v1": "a file"},
        {"mine/a\nb.jsonl": "x"},
        {"mine/a\\b.jsonl": "x"},
    ],
)
def test_what_has_no_business_in_a_ledger_is_not_taken(trees, files):
    found, after = trees.united(trees.tree(session(1)), trees.tree(files))
    assert after.keys() == session(1).keys()
    assert found.adds


def test_strange_entries_alone_are_no_reason_to_push(trees):
    ours = trees.tree(session(0))
    assert not trees.united(ours, trees.tree({"README": "x"}, ours))[0].adds


def test_nothing_of_ours_leaves_that_has_no_business_in_a_ledger(trees):
    _, after = trees.united(trees.tree(session(0) | {"secret.txt": "x"}), trees.tree(session(1)))
    assert "secret.txt" not in after


@pytest.mark.parametrize("name", [b"..", b".git", b".GIT", b".", b"a/b.jsonl"])
def test_a_name_that_no_tree_may_hold_is_refused_rather_than_written_again(trees, name):
    theirs = trees.raw({name: Entry(BLOB, trees.blob("x"))})
    with pytest.raises(RefusedError, match="forbids"):
        trees.united(trees.tree(session(0)), theirs)


@pytest.mark.parametrize(("mine", "other"), [("a.jsonl", "a.jsonl/b.jsonl"), ("a.jsonl/b.jsonl", "a.jsonl")])
def test_a_file_and_a_folder_of_one_name_are_refused(trees, mine, other):
    with pytest.raises(RefusedError, match=r"a\.jsonl"):
        trees.united(trees.tree({mine: "x"}), trees.tree({other: "x"}))


def test_too_many_entries_are_refused(trees):
    theirs = trees.tree(session(0) | session(1))
    with pytest.raises(RefusedError, match="more than 3 entries"):
        trees.united(trees.tree(session(2)), theirs, limit=3)
    trees.united(trees.tree(session(2)), theirs, limit=4)


def test_entries_that_are_gone_by_now_do_not_count(trees):
    theirs = trees.tree(session(0))
    found, _ = trees.united(trees.tree(session(2)), theirs, limit=4, clean=union.Clean(trees.tree({}), 4))
    assert found.entries == 2


def test_a_bomb_of_folders_is_counted_and_not_unpacked(trees):
    level = trees.raw({b"x.jsonl": Entry(BLOB, trees.blob("x"))})
    for _ in range(20):
        level = trees.raw({bytes([97 + n]): Entry(TREE, level) for n in range(16)})
    with pytest.raises(RefusedError, match="more than"):
        trees.united(trees.tree(session(0)), trees.raw({b"mine": Entry(TREE, level)}), limit=1000)


def test_folders_without_end_are_refused(trees):
    level = trees.raw({b"x.jsonl": Entry(BLOB, trees.blob("x"))})
    for _ in range(500):
        level = trees.raw({b"a": Entry(TREE, level)})
    with pytest.raises(RefusedError, match="folders"):
        trees.united(trees.tree(session(0)), level)


def test_sha256_ids_work():
    trees = Trees("sha256")
    _, after = trees.united(trees.tree(session(0)), trees.tree(session(1)))
    assert len(after) == 4


PATHS = [
    *(make(h) for h in H[:4] for make in (session_path, meta_path, gone_path)),
    *(link_path(COMMIT, h) for h in H[:4]),
    "v1/a/b.hail.jsonl",
    "mine/b.jsonl",
]
LEDGER = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["x", "y"]), max_size=12).map(
    # What a user placed is told from a session by its bytes.
    lambda files: {
        path: "" if "/gone/" in path else f"{'own ' * ('mine/' in path)}{text}"
        for path, text in files.items()
    }
)


@given(LEDGER, LEDGER, LEDGER)
def test_the_union_holds_everything_that_no_tombstone_names(ours, theirs, clean):
    trees = Trees()
    known = trees.tree(clean)
    entries = len(trees.files(known))
    found, after = trees.united(
        trees.tree(ours), trees.tree(theirs), clean=union.Clean(known, entries) if clean else None
    )
    gone = {p.removeprefix("v2/gone/") for p in ours.keys() | theirs.keys() if "/gone/" in p}
    kept = {p for p in ours.keys() | theirs.keys() if "/gone/" in p or not any(h in p for h in gone)}
    assert after.keys() == kept
    differ = {p for p in kept if p in ours and p in theirs and ours[p] != theirs[p]}
    assert {c.path for c in found.conflicts} == differ
    assert found.adds == bool((kept - theirs.keys()) | (theirs.keys() - kept))
    assert found.withheld == bool(ours.keys() - kept)
