"""The editor of trees, with git as the judge, and the bytes that a tree must not be."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensession.errors import IntegrityError, UsageError
from opensession.git.trees import (
    BLOB,
    DEEPEST,
    TREE,
    Entry,
    edit,
    format_tree,
    lookup,
    object_id,
    parse_tree,
    walk,
)

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ["sha1", "sha256"]


class Database:
    """Trees by their id, as an editor made them."""

    def __init__(self, object_format: str) -> None:
        self.format = object_format
        self.trees: dict[str, bytes] = {}
        self.reads: list[str] = []

    def read(self, oid: str) -> bytes:
        self.reads.append(oid)
        return self.trees[oid]

    def edit(self, root: str | None, edits: dict[str, Entry | None]) -> str:
        done = edit(root, edits, self.read, self.format)
        for oid, data in done.objects.items():
            assert object_id("tree", data, self.format) == oid
        self.trees |= done.objects
        return done.root

    def files(self, root: str) -> dict[str, Entry]:
        return dict(walk(root, self.read, self.format))


def blob(number: int, object_format: str) -> Entry:
    return Entry(BLOB, object_id("blob", b"%d" % number, object_format))


@pytest.fixture(params=FORMATS)
def database(request) -> Database:
    return Database(request.param)


# Names that sort differently as files and as folders, beside each other.
names = st.sampled_from(["a", "a.b", "a-", "a0", "ab", "b", "é", "\udcff", "A", "-", "x y"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
changes = st.dictionaries(paths, st.one_of(st.none(), st.integers(0, 5)), max_size=8)


def applied(files: dict[str, int], edits: dict[str, int | None]) -> dict[str, int]:
    """What the edits mean, on a dictionary."""
    for path, number in edits.items():
        if number is None:
            files = {f: n for f, n in files.items() if f != path and not f.startswith(path + "/")}
        else:
            parents = {path[:at] for at, c in enumerate(path) if c == "/"}
            files = {f: n for f, n in files.items() if f not in parents and not f.startswith(path + "/")}
            files[path] = number
    return files


def independent(edits: dict[str, int | None]) -> dict[str, int | None]:
    """The edits without those that lie below another one: asking for both is an error."""
    return {p: n for p, n in edits.items() if not any(p != q and p.startswith(q + "/") for q in edits)}


@pytest.mark.parametrize("object_format", FORMATS)
@given(st.lists(changes, max_size=4))
def test_edits_of_a_tree_are_those_of_a_dictionary(object_format, steps):
    database = Database(object_format)
    root, files = None, {}
    for edits in map(independent, steps):
        wanted = {p: None if n is None else blob(n, object_format) for p, n in edits.items()}
        root = database.edit(root, wanted)
        files = applied(files, edits)
        assert database.files(root) == {p: blob(n, object_format) for p, n in files.items()}
        fresh = database.edit(None, {p: blob(n, object_format) for p, n in files.items()})
        assert fresh == root, "the tree depends on its entries alone"


@pytest.mark.parametrize("object_format", FORMATS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.dictionaries(paths, st.integers(0, 5), min_size=1, max_size=12).map(independent))
def test_git_makes_the_same_tree_of_the_same_files(object_format, env, files):
    repository = env.work / object_format
    if not repository.exists():
        env.git("init", "-q", f"--object-format={object_format}", str(repository))
    entries = {path: blob(number, object_format) for path, number in files.items()}
    assert Database(object_format).edit(None, entries) == written_by_git(env, repository, entries)


def written_by_git(env, repository: Path, entries: dict[str, Entry]) -> str:
    (repository / ".git" / "index").unlink(missing_ok=True)
    listing = b"".join(
        b"100644 %s\t%s\0" % (entry.oid.encode(), path.encode("utf-8", "surrogateescape"))
        for path, entry in entries.items()
    )
    words = ["git", "update-index", "-z", "--add", "--index-info"]
    subprocess.run(words, input=listing, cwd=repository, env=env.variables, check=True)
    return env.git("write-tree", "--missing-ok", cwd=repository)


def test_only_the_trees_above_a_change_are_made_anew(database):
    many = {f"{a}/{b}/x": blob(a, database.format) for a in range(9) for b in range(9)}
    root = database.edit(None, many)
    database.reads.clear()
    done = edit(root, {"4/4/y": blob(1, database.format)}, database.read, database.format)
    assert len(done.objects) == len(database.reads) == 3
    assert list(done.objects)[-1] == done.root, "children come before their parents"


def test_an_edit_that_changes_nothing_makes_no_object(database):
    files = {"a/b": blob(1, database.format), "c": blob(2, database.format)}
    root = database.edit(None, files)
    for edits in ({}, files, {"a/x": None, "z/y/x": None, "c/below": None}):
        done = edit(root, edits, database.read, database.format)
        assert (done.root, done.objects) == (root, {})


def test_a_folder_in_which_nothing_is_left_goes(database):
    root = database.edit(None, {"a/b/c": blob(1, database.format), "d": blob(2, database.format)})
    assert list(database.files(database.edit(root, {"a/b/c": None}))) == ["d"]
    empty = database.edit(root, {"a": None, "d": None})
    assert empty == object_id("tree", b"", database.format)
    assert database.files(empty) == {}


def test_what_stands_at_a_path_is_found(database):
    one = blob(1, database.format)
    root = database.edit(None, {"a/b": one})

    def at(path: str) -> Entry | None:
        return lookup(root, path, database.read, database.format)

    assert at("a/b") == one
    folder = at("a")
    assert folder is not None
    assert folder.mode == TREE
    assert at("a/c") is at("a/b/c") is at("x") is None


def test_other_kinds_of_entries_stay_as_they_are(database):
    one = blob(1, database.format)
    odd = {
        b"link": Entry("120000", one.oid),
        b"run": Entry("100755", one.oid),
        b"sub": Entry("160000", one.oid),
    }
    data = format_tree(odd)
    root = object_id("tree", data, database.format)
    database.trees[root] = data
    after = database.edit(root, {"a": one})
    assert parse_tree(database.trees[after], database.format) == {b"a": one, **odd}


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", ".", "a/../b", "a/./b", ".git/x", "a/.GIT", "a\0b"])
def test_a_path_that_no_tree_may_hold_is_refused(database, path):
    with pytest.raises(UsageError):
        database.edit(None, {path: blob(1, database.format)})


def test_a_file_and_a_folder_of_one_name_cannot_both_be_asked_for(database):
    one = blob(1, database.format)
    for edits in ({"a": one, "a/b": one}, {"a/b": one, "a": one}):
        with pytest.raises(UsageError):
            database.edit(None, edits)


def test_a_path_of_too_many_folders_is_refused(database):
    deep = "/".join("a" * DEEPEST)
    root = database.edit(None, {f"{deep}/x": blob(1, database.format)})
    assert list(database.files(root)) == [f"{deep}/x"]
    with pytest.raises(UsageError, match="more than"):
        database.edit(None, {f"{deep}/a/x": blob(1, database.format)})


def test_a_tree_that_is_deeper_than_any_of_ours_is_not_walked(database):
    data, mode = b"x", BLOB
    for _ in range(DEEPEST + 3):
        oid = object_id("tree", data, database.format)
        data = format_tree({b"a": Entry(mode, oid)})
        mode = TREE
        database.trees[object_id("tree", data, database.format)] = data
    with pytest.raises(IntegrityError, match="folders"):
        database.files(object_id("tree", data, database.format))


@pytest.mark.parametrize(
    "data",
    [
        b"100644 a",
        b"100644 a\0short",
        b"100644\0" + b"x" * 20,
        b"100644 \0" + b"x" * 20,
        (b"100644 a\0" + b"x" * 20) * 2,
    ],
    ids=["no end", "short id", "no name", "empty name", "twice"],
)
def test_a_damaged_tree_is_an_error(data):
    with pytest.raises(IntegrityError):
        parse_tree(data, "sha1")
