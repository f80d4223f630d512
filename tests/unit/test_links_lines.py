"""When a line is the same line, and which lines an edit adds."""

from __future__ import annotations

import pytest

from opensession.actions.links import lines


@pytest.mark.parametrize(
    ("line", "compared"),
    [
        (b"total = 1", None),
        (b"total = 12", b"total=12"),
        (b"    total = 12\r", b"total=12"),
        (b"\ttotal=12", b"total=12"),
        (b"}", None),
        (b"        ", None),
        ("größer = 1".encode(), "größer=1".encode()),
        ("ééééééé".encode(), None),
        ("éééééééé".encode(), "éééééééé".encode()),
        (b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe", b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe"),
    ],
)
def test_a_line_counts_from_eight_characters_on_and_without_its_white_space(line, compared):
    assert lines.normal(line) == compared
    assert (lines.key(line) is None) is (compared is None)


@pytest.mark.parametrize(
    ("diff", "added", "removed"),
    [
        ("-old\n+new", ["new"], ["old"]),
        ("-def f():\n-    a\n+def f():\n+    b\n+    a", ["    b"], []),
        ("-a\n-b\n-c\n+a\n+c", [], ["b"]),
        ("-same\n+same", [], []),
        ("-x = 1\r\n+x = 1\n+y = 2", ["y = 2"], []),
        ("-if a:\n-b()\n+if a:\n+    b()", ["    b()"], ["b()"]),
        ("-a\n-b\n+b\n+a", ["b", "a"], ["a", "b"]),
        ("-one\n+two\n-three\n+four", ["two", "four"], ["one", "three"]),
        ("@@\n context\n-old\n+new\n context", ["new"], ["old"]),
        ("--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n kept\n--- old\n+++ new", ["++ new"], ["-- old"]),
        ("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b", ["b"], ["a"]),
        ("-- looks like a name\n++ and so does this", ["+ and so does this"], ["- looks like a name"]),
        ("+", [""], []),
        ("", [], []),
    ],
)
def test_an_edit_adds_what_is_not_equal_at_both_ends(diff, added, removed):
    assert lines.changed_by(diff) == (added, removed)
