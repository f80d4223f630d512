"""What the pages say can be pasted, and works."""

from __future__ import annotations

import re
import shutil

import pytest
from pages import ROOT, blocks, links, pages

README = ROOT / "README.md"


@pytest.fixture
def clone(env):
    """The working directory looks like a clone: with the examples."""
    shutil.copytree(ROOT / "examples", env.work / "examples")
    return env.work


def test_the_readme_s_quick_start_runs(sh, clone):
    (quick_start,) = blocks(README, "sh", below="Quick start")
    done = sh(f"set -euo pipefail\n{quick_start}")
    assert done.code == 0, done.err
    assert "address: yes\ncanonical: yes\nvalid: yes" in done.out


def test_the_readme_shows_python_in_eight_lines(sh, clone):
    (code,) = blocks(README, "python", below="From Python")
    assert len([line for line in code.splitlines() if line]) == 8
    (clone / "example.py").write_text(code)
    done = sh("python example.py")
    assert (done.code, done.err) == (0, "")
    assert "events" in done.out


def test_the_quick_start_page_runs(sh, clone):
    script = "\n".join(blocks(ROOT / "docs" / "quickstart.md", "sh"))
    done = sh(f"set -euo pipefail\n{script}", EXAMPLES=str(ROOT / "examples"))
    assert done.code == 0, done.err


def test_the_readme_s_way_to_share_runs(sh, clone):
    (sharing,) = blocks(README, "sh", below="Share it")
    done = sh(f"set -euo pipefail\n{sharing}")
    assert done.code == 0, done.err
    assert done.out.count("pushed: yes") == 2
    assert done.out.count("(here: removed, remote: removed)") == 1
    assert "install the pre-push hook" in done.out
    assert "Ada  Toast evenly" in done.out


def test_the_page_about_sharing_runs(sh, clone):
    script = "\n".join(blocks(ROOT / "docs" / "share.md", "sh"))
    done = sh(f"set -euo pipefail\n{script}", EXAMPLES=str(ROOT / "examples"))
    assert done.code == 0, done.err
    assert "https://sessions.example.com/src/gh/ada/toaster/ref/" in done.out
    assert 'share.remote: "team"' in done.out
    assert "lets sessions go to https://git.example.com/team/toaster" in done.err


def test_the_page_about_secrets_runs(sh, clone):
    script = "\n".join(blocks(ROOT / "docs" / "secrets.md", "sh"))
    done = sh(f"set -euo pipefail\n{script}")
    assert done.code == 0, done.err
    assert done.out.count(": no secret found") == 2


def test_the_printed_quick_start_runs_with_names_that_need_quoting(sh, clone):
    (clone / "a log's copy.jsonl").write_bytes((clone / "examples" / "claude-code.jsonl").read_bytes())
    script = sh(
        'opensession docs quickstart --profile claude-code --input "a log\'s copy.jsonl" --out "my out.jsonl"'
    )
    assert script.code == 0
    (clone / "steps.sh").write_text(script.out)
    done = sh("sh -u steps.sh")
    assert done.code == 0, done.err
    assert "valid: yes" in done.out


def test_the_demo_runs_and_leaves_nothing_behind(sh, clone, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = sh(f"sh examples/demo.sh {sh.programs}", TMPDIR=str(scratch))
    assert done.code == 0, done.err
    for shown in (
        "parser_used: claude-code",
        "the same bytes",
        "exit code 5",
        "repaired: wrong_bytes",
        "Done.",
    ):
        assert shown in done.out + done.err
    assert not list(scratch.iterdir())
    assert not list(sh.env.home.iterdir())


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page):
    for target in links(page):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_of_a_page_exists(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for named in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE):
        assert named in targets, named


def test_hooks_and_the_build_server_only_call_make():
    for script in (*(ROOT / ".githooks").iterdir(), ROOT / ".ci" / "run"):
        assert script.stat().st_mode & 0o111, script
        code = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
        assert code[-1].startswith("exec make"), script
        assert set(code[:-1]) <= {"set -euo pipefail", 'cd "$(dirname "$0")/.."'}, script
