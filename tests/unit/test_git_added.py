"""Added lines, read from what git shows of commits: by the lengths in its headers, whatever the lines look like."""

from __future__ import annotations

import io

from opensession.git import added
from opensession.git.added import Added, added_lines, messages, new_commits
from opensession.git.repository import Repository

A, B = "a" * 40, "b" * 64


def read(text: str) -> list[Added]:
    return list(added.read(io.BytesIO(text.encode())))


def test_lines_come_with_their_commit_and_file():
    shown = f"""\
{A}
diff --git a/x b/x
--- a/x
+++ b/x
@@ -1 +1,2 @@
-old
+one
+two
@@ -9,0 +11 @@ context
+three
diff --git a/y b/y
new file mode 100644
--- /dev/null
+++ b/y
@@ -0,0 +1 @@
+four
\\ No newline at end of file
{B}
diff --git a/z b/z
--- a/z
+++ b/z
@@ -0,0 +1 @@
+five
"""
    assert read(shown) == [
        Added(A, "x", b"one\ntwo\n"),
        Added(A, "x", b"three\n"),
        Added(A, "y", b"four\n"),
        Added(B, "z", b"five\n"),
    ]


def test_a_line_that_looks_like_a_header_is_a_line_inside_of_a_hunk():
    shown = f"""\
{A}
--- a/x
+++ b/x
@@ -1,2 +1,3 @@
--- a/gone
-{B}
+++ b/evil
+@@ -0,0 +1,99 @@
+{B}
--- a/y
+++ b/y
@@ -0,0 +1 @@
+after
"""
    evil = f"++ b/evil\n@@ -0,0 +1,99 @@\n{B}\n".encode()
    assert read(shown) == [Added(A, "x", evil), Added(A, "y", b"after\n")]


def test_of_a_merge_only_lines_count_that_no_parent_has():
    shown = f"""\
{A}
diff --cc x
--- a/x
+++ b/x
@@@ -1,2 -1,2 +1,3 @@@
- ours
 -theirs
++resolved
 +from ours only
+ from theirs only
"""
    assert read(shown) == [Added(A, "x", b"resolved\n")]


def test_a_file_of_any_size_comes_in_pieces(monkeypatch):
    monkeypatch.setattr(added, "PIECE", 10)
    shown = f"{A}\n+++ b/x\n@@ -0,0 +1,5 @@\n" + "+12345\n" * 5
    assert [each.text for each in read(shown)] == [b"12345\n12345\n", b"12345\n12345\n", b"12345\n"]


def test_an_answer_that_is_cut_off_ends():
    assert read(f"{A}\n+++ b/x\n@@ -0,0 +1,5 @@\n+one\n") == [Added(A, "x", b"one\n")]


def test_git_shows_what_a_push_brings_whatever_the_user_s_settings_say(env):
    env.git("init", "-q", "-b", "main")
    for key, value in {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "color.ui": "always",
        "log.showRoot": "false",
    }.items():
        env.git("config", key, value)
    (env.work / "ü \n.txt").write_text("first\n")
    (env.work / "binary").write_bytes(b"\0\1\2")
    env.git("add", ".")
    env.git("commit", "-q", "-m", "one")
    (one,) = env.git("rev-parse", "HEAD").split()
    env.git("update-ref", "refs/remotes/origin/main", one)
    env.git("checkout", "-q", "-b", "side")
    (env.work / "a").write_text("side\n")
    env.git("add", ".")
    env.git("commit", "-q", "-m", "two")
    repository = Repository.discover(env.work, env.variables)
    two = env.git("rev-parse", "HEAD")
    missing = "0123456789" * 4
    assert new_commits(repository, [two], [missing], "origin", timeout=60) == [two]
    assert new_commits(repository, [two], [], "elsewhere", timeout=60) == [two, one]
    assert new_commits(repository, [two], [one], "elsewhere", timeout=60) == [two]
    assert new_commits(repository, [two], [], None, timeout=60) == [two]
    assert list(added_lines(repository, [two, one], timeout=60)) == [
        Added(two, "a", b"side\n"),
        Added(one, '"\\303\\274 \\n.txt"', b"first\n"),
    ]


def test_commits_and_tags_have_words_as_well(env):
    env.git("init", "-q", "-b", "main")
    env.git("commit", "-q", "--allow-empty", "-m", "one", "-m", "and more")
    env.git("tag", "-a", "v1", "-m", "the first")
    commit, tag, tree = (env.git("rev-parse", name) for name in ("HEAD", "v1", "HEAD^{tree}"))
    repository = Repository.discover(env.work, env.variables)
    objects = [tree, commit, tag, "0123456789" * 4]
    assert list(messages(repository, objects, "commit")) == [
        Added(commit, "the commit's message", b"one\n\nand more\n")
    ]
    assert list(messages(repository, objects, "tag")) == [Added(tag, "the tag's message", b"the first\n")]
