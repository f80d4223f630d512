"""Which file of a repository a session means by a path."""

from __future__ import annotations

import os

import pytest

from opensession.actions.links.paths import Whereabouts

TOP = "/home/ada/toaster"
FILES = {"src/heat.py", "heat.py", "README.md", "docs/README.md", "packages/x/src/heat.py"}


@pytest.mark.parametrize(
    ("cwd", "gone", "path", "file"),
    [
        (TOP, False, f"{TOP}/src/heat.py", "src/heat.py"),
        (TOP, False, "src/heat.py", "src/heat.py"),
        (TOP, False, "./src/../src/heat.py", "src/heat.py"),
        (f"{TOP}/packages/x", False, "src/heat.py", "packages/x/src/heat.py"),
        (f"{TOP}/packages/y", False, "src/heat.py", None),
        (TOP, False, f"{TOP}/docs/README.md", "docs/README.md"),
        (TOP, False, f"{TOP}/other/README.md", None),
        (TOP, False, "/elsewhere/src/heat.py", None),
        (TOP, False, f"{TOP}-copy/src/heat.py", None),
        # A work tree of the same repository, known or gone.
        (TOP, False, "/home/ada/linked/src/heat.py", "src/heat.py"),
        (TOP, False, f"{TOP}/.worktrees/fix/src/heat.py", "src/heat.py"),
        (TOP, False, f"{TOP}/.agent/worktrees/fix/heat.py", "heat.py"),
        (TOP, False, f"{TOP}.worktrees/fix/src/heat.py", "src/heat.py"),
        (f"{TOP}/.worktrees/ada/fix", True, f"{TOP}/.worktrees/ada/fix/src/heat.py", "src/heat.py"),
        # Another clone, perhaps of another machine.
        ("/Users/bob/code/toaster", True, "/Users/bob/code/toaster/src/heat.py", "src/heat.py"),
        ("/Users/bob/code/toaster", True, "src/heat.py", "src/heat.py"),
        ("/Users/bob/code/toaster/packages/x", True, "src/heat.py", "packages/x/src/heat.py"),
        ("/Users/bob/code/toaster/docs", True, "/Users/bob/code/toaster/README.md", "README.md"),
        ("/Users/bob/code/toaster", True, "/Users/bob/code/toaster/other/README.md", None),
        ("/Users/bob/code/toaster", True, "/Users/bob/other/src/heat.py", None),
        ("C:\\code\\toaster", True, "C:\\code\\toaster\\src\\heat.py", "src/heat.py"),
        ("C:\\code\\toaster", True, "src\\heat.py", "src/heat.py"),
        (None, True, "src/heat.py", "src/heat.py"),
        (None, True, "/anywhere/src/heat.py", None),
        (TOP, False, "", None),
    ],
)
def test_a_path_means_a_file_of_the_repository(cwd, gone, path, file):
    assert Whereabouts(cwd, [TOP, "/home/ada/linked"], gone=gone).find(path, FILES) == file


def test_a_folder_that_is_gone_was_a_work_tree_and_one_that_is_there_is_a_folder(tmp_path):
    top = tmp_path / "toaster"
    (top / "packages").mkdir(parents=True)
    there = Whereabouts.of(str(top / "packages"), [str(top)])
    gone = Whereabouts.of(str(top / "removed"), [str(top)])

    assert there.find("heat.py", FILES) is None
    assert gone.find("heat.py", FILES) == "heat.py"


def test_a_folder_that_no_system_can_have_is_gone():
    assert Whereabouts.of("/home/\0", ["/home"]).find("heat.py", FILES) == "heat.py"


def test_the_name_by_which_a_session_came_is_as_good_as_the_real_one(tmp_path):
    top = tmp_path / "toaster"
    (top / "src").mkdir(parents=True)
    os.symlink(top, tmp_path / "link")
    link = tmp_path / "link"

    for cwd in (link, link / "src"):
        where = Whereabouts.of(str(cwd), [str(top)])
        assert where.find(f"{link}/src/heat.py", FILES) == "src/heat.py"
        assert where.find(f"{top}/src/heat.py", FILES) == "src/heat.py"
