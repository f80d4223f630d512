"""What is asked of git's history: commits, reflogs, patches, blame."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from opensession.errors import BusyError, NotFoundError, StorageFailedError, UsageError
from opensession.git import patches, patchtext
from opensession.git.blame import blame
from opensession.git.history import commits, made_here
from opensession.git.patchtext import PatchText
from opensession.git.repository import Repository


@pytest.fixture
def repo(env):
    env.git("init", "-q", "-b", "main", ".")
    return env.work


def commit(env, message: str, *, at: int = 1_700_000_000, **files: str | bytes | None) -> str:
    """A commit of the work tree after these files were written, or removed."""
    for name, content in files.items():
        path = env.work / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    env.git("add", "-A")
    dated = {"GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000"}
    subprocess.run(
        ["git", "commit", "-q", "--allow-empty", "-m", message], env={**env.variables, **dated}, check=True
    )
    return env.git("rev-parse", "HEAD")


def git():
    return Repository.discover(Path.cwd(), os.environ).git


def added(*oids: str) -> dict[str, patchtext.Patch]:
    found: list[patchtext.Patch] = []
    patches.read_patches(git(), oids, found.append)
    return {patch.oid: patch for patch in found}


def test_commits_come_newest_first_with_times_names_and_subjects(env, repo):
    first = commit(env, "one\n\nwith a body", at=1_700_000_000, a="1\n")
    second = commit(env, "zwei: größer", at=1_700_000_100, b="2\n")

    found = commits(git(), "HEAD")
    assert [c.oid for c in found] == [second, first]
    assert found[0].parents == (first,)
    assert found[1].parents == ()
    assert (found[0].author, found[0].committer_email, found[0].subject) == (
        "Ada",
        "ada@example.com",
        "zwei: größer",
    )
    assert (found[1].author_time, found[1].committer_time) == (1_700_000_000, 1_700_000_000)
    assert [c.oid for c in commits(git(), "HEAD~1..HEAD")] == [second]
    assert [c.oid for c in commits(git(), "HEAD", most=1)] == [second]
    assert [c.oid for c in commits(git(), "HEAD", paths=["a"])] == [first]


def test_a_revision_that_is_none_is_not_found_and_an_option_is_no_revision(env, repo):
    commit(env, "one", a="1\n")

    with pytest.raises(NotFoundError, match="'nope' names no commits"):
        commits(git(), "nope")
    for word in ("--all", "", "a\nb"):
        with pytest.raises(UsageError, match="is no revision"):
            commits(git(), word)


def test_what_was_made_here_is_told_from_what_was_fetched(env, repo):
    first = commit(env, "one", a="1\n")
    second = commit(env, "two", a="2\n")
    env.git("reset", "-q", "--hard", first)
    env.git("cherry-pick", second)

    assert set(made_here(git(), ["HEAD"])) == {first, second, env.git("rev-parse", "HEAD")}

    env.git("clone", "-q", ".", str(env.home / "clone"))
    os.chdir(env.home / "clone")
    assert made_here(git(), ["HEAD", "refs/heads/main"]) == {}

    env.git("clone", "-q", "--bare", str(repo), str(env.home / "bare.git"))
    os.chdir(env.home / "bare.git")
    assert made_here(git(), ["HEAD"]) is None


def test_a_linked_work_tree_shares_the_branch_s_reflog_and_has_its_own_head(env, repo):
    first = commit(env, "one", a="1\n")
    env.git("worktree", "add", "-q", "-b", "other", str(env.home / "linked"))
    os.chdir(env.home / "linked")
    (env.home / "linked" / "b").write_text("x\n")
    env.git("add", "b", cwd=env.home / "linked")
    env.git("commit", "-q", "-m", "two", cwd=env.home / "linked")
    second = env.git("rev-parse", "other")

    assert set(made_here(git(), ["HEAD"])) == {second}
    os.chdir(repo)
    assert set(made_here(git(), ["HEAD"])) == {first}
    assert set(made_here(git(), ["HEAD", "refs/heads/other"])) == {first, second}


def test_a_patch_holds_the_added_lines_of_each_file(env, repo):
    first = commit(env, "one", **{"a b.txt": "one\ntwo\n", "ü\t.txt": "x\r\ny", "data": b"\0\1\2\n"})
    second = commit(env, "two", **{"a b.txt": "zero\none\n++ two\n-- three\n", "ü\t.txt": None})
    empty = commit(env, "nothing")

    found = added(second, first, empty)
    assert list(found) == [second, first]
    assert found[first].added == {b"a b.txt": [b"one", b"two"], "ü\t.txt".encode(): [b"x\r", b"y"]}
    assert found[second].added == {b"a b.txt": [b"zero", b"++ two", b"-- three"]}
    assert found[first].complete


def test_a_moved_file_adds_only_what_is_new(env, repo):
    before = "".join(f"line {n}\n" for n in range(20))
    commit(env, "one", **{"old.py": before})
    second = commit(env, "two", **{"old.py": None, "new.py": before + "more\n"})

    assert added(second)[second].added == {b"new.py": [b"more"]}
    assert added(second)[second].renamed == {b"new.py": b"old.py"}


def test_a_merge_adds_nothing_of_its_own(env, repo):
    commit(env, "one", a="1\n")
    env.git("checkout", "-q", "-b", "side")
    side = commit(env, "side", b="2\n")
    env.git("checkout", "-q", "main")
    commit(env, "two", c="3\n")
    env.git("merge", "-q", "--no-ff", "-m", "both", "side")
    merge = env.git("rev-parse", "HEAD")

    assert list(added(merge, side)) == [side]
    assert list(patches.patch_ids(git(), [merge, side])) == [side]


def test_a_patch_id_is_the_one_that_git_s_own_commands_give_and_no_configuration_changes_it(env, repo):
    commit(env, "one", a="".join(f"line {n}\n" for n in range(30)))
    second = commit(env, "two", a="".join(f"line {n}\n" for n in range(30) if n != 7), b="new\n")
    patch = subprocess.run(
        ["git", "diff-tree", "-p", second], env=env.variables, capture_output=True, check=True
    ).stdout
    told = subprocess.run(
        ["git", "patch-id", "--stable"], input=patch, env=env.variables, capture_output=True, check=True
    )
    ids = patches.patch_ids(git(), [second])
    for key, value in {
        "diff.noprefix": "true",
        "diff.context": "0",
        "diff.algorithm": "patience",
        "diff.external": "false",
        "diff.orderFile": "/nowhere",
        "color.ui": "always",
    }.items():
        env.git("config", key, value)

    assert ids == {second: told.stdout.decode().split()[0]} == patches.patch_ids(git(), [second])


def test_many_commits_are_read_in_one_go(env, repo):
    """More than fits into the pipes between the programs."""
    stream = "".join(
        f"commit refs/heads/main\ncommitter Ada <ada@example.com> {1_700_000_000 + n} +0000\n"
        f"data 1\nx\nM 100644 inline f{n}\ndata 5\nfile\n\n"
        for n in range(2500)
    )
    subprocess.run(
        ["git", "fast-import", "--quiet"], input=stream.encode(), env=env.variables, check=True, cwd=repo
    )
    oids = [c.oid for c in commits(git(), "main")]

    assert len(oids) == 2500
    assert list(added(*oids)) == oids
    assert list(patches.patch_ids(git(), oids)) == oids


def test_a_commit_whose_files_are_not_there_is_an_error_and_so_is_the_end_of_time(env, repo):
    first = commit(env, "one", a="1\n")
    with pytest.raises(BusyError, match="within 0 s"):
        patches.read_patches(git(), [first], print, seconds=0)
    blob = env.git("rev-parse", "HEAD:a")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    (repo / "a").unlink()  # git would take the bytes from there

    for read in (lambda o: patches.patch_ids(git(), o), lambda o: patches.read_patches(git(), o, print)):
        read([])
        with pytest.raises(StorageFailedError, match="what commits changed"):
            read([first])


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_patch_may_be_cut_anywhere(size):
    text = (
        b"a" * 40
        + b"\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,0 +2,3 @@\n+one\n+"
        + b"2" * 40
        + b"\n+++ b/g\n"
        + b"b" * 40
        + b"\ndiff --git a/g b/g\n--- a/g\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n\\ No newline at end of file\n"
    )
    found: list[patchtext.Patch] = []
    reader = PatchText(found.append)
    for at in range(0, len(text), size):
        reader.feed(text[at : at + size])
    reader.close()

    assert found == [
        patchtext.Patch("a" * 40, {b"f": [b"one", b"2" * 40, b"++ b/g"]}, {}, True),
        patchtext.Patch("b" * 40, {}, {}, True),
    ]


def test_what_is_beyond_the_limits_is_left_out_and_that_is_said(monkeypatch):
    monkeypatch.setattr(patchtext, "MOST_LINES", 2)
    monkeypatch.setattr(patchtext, "LONGEST_LINE", 100)
    found: list[patchtext.Patch] = []
    for lines in ([b"1", b"2", b"3"], [b"1", b"x" * 1000], [b"1", b"2"]):
        reader = PatchText(found.append)
        hunk = b"".join(b"+" + line + b"\n" for line in lines)
        text = b"a" * 40 + b"\n+++ b/f\n@@ -0,0 +1,%d @@\n" % len(lines) + hunk + b"c" * 40 + b"\n"
        for at in range(0, len(text), 150):
            reader.feed(text[at : at + 150])
        reader.close()

    assert [(p.added.get(b"f"), p.complete) for p in found if p.oid[0] == "a"] == [
        ([b"1", b"2"], False),
        ([b"1"], False),
        ([b"1", b"2"], True),
    ]
    assert all(p.complete and not p.added for p in found if p.oid[0] == "c")


def test_a_line_is_from_the_commit_that_wrote_it_not_from_the_one_that_indented_it(env, repo):
    first = commit(env, "one", **{"ü.py": "toast()\nother()\n"})
    commit(env, "two", **{"ü.py": "if hot:\n    toast()\nother()\n"})
    env.git("mv", "ü.py", "new.py")
    third = commit(env, "three")

    found = blame(git(), "new.py", 2)
    assert (found.oid, found.path, found.line, found.text) == (first, "ü.py", 1, b"    toast()")
    assert blame(git(), "new.py", 2, third).oid == first


def test_a_line_that_is_not_committed_says_so(env, repo):
    commit(env, "one", a="1\n")
    (repo / "a").write_text("1\n2\n")

    assert blame(git(), "a", 2).oid is None


def test_what_blame_cannot_answer_says_why(env, repo):
    (repo / "early").write_text("x\n")
    with pytest.raises(NotFoundError, match="no commit is checked out here yet"):
        blame(git(), "early", 1)
    first = commit(env, "one", a="1\n", empty="")
    (repo / "untracked").write_text("x\n")

    with pytest.raises(NotFoundError, match="'a' has 1 line, and no line 7") as caught:
        blame(git(), "a", 7)
    assert caught.value.next == ("opensession why a:1",)
    with pytest.raises(NotFoundError, match="'empty' has 0 lines"):
        blame(git(), "empty", 1)
    for path in ("untracked", "nowhere", "-a"):
        with pytest.raises(NotFoundError, match=f"git knows no file '{path}'"):
            blame(git(), path, 1, first)
