"""Handoffs as a person types them, and every block of the page about them."""

from __future__ import annotations

import json
import shutil

import pytest
from pages import ROOT, blocks

PAGE = ROOT / "docs" / "handoff.md"


@pytest.fixture
def clone(env):
    """The working directory looks like a clone: with the examples."""
    shutil.copytree(ROOT / "examples", env.work / "examples")
    return env.work


def test_a_handoff_from_a_log_to_another_machine(sh, env, clone):
    built = sh("opensession handoff build examples/claude-code.jsonl --pin latest")
    assert built.code == 0, built.err
    address = built.out.strip()
    assert address.startswith("os://artifact/")
    assert f"latest -> {address}" in built.err
    assert sh("opensession handoff build examples/claude-code.jsonl").out.strip() == address
    page = sh("opensession handoff artifacts get latest --format markdown")
    assert page.out.startswith(f"# Handoff\n\n`{address}`")
    prompt = sh("opensession handoff artifacts get latest --format prompt --budget 800")
    assert len(prompt.out.encode()) <= 3200
    raw = sh(
        "opensession handoff artifacts get latest --format raw | opensession --store there register --quiet -"
    )
    assert raw.code == 0
    assert sh("opensession handoff artifacts export latest --out h.tar.zst").code == 0
    alone = sh(
        "opensession handoff artifacts verify ./h.tar.zst --json", HOME="/nonexistent", XDG_DATA_HOME=""
    )
    assert alone.code == 0, alone.err
    assert json.loads(alone.out)["ok"]
    imported = sh("opensession --store elsewhere handoff artifacts import h.tar.zst")
    assert imported.out.strip() == address
    verified = sh(f"opensession --store elsewhere handoff artifacts verify {address}")
    assert (verified.code, verified.out.count(": ok")) == (0, 10)


def test_exit_codes_and_steps_that_work(sh, clone):
    built = sh("opensession handoff build examples/claude-code.jsonl --pin latest --json")
    answer = json.loads(built.out)
    refused = sh("opensession handoff artifacts rm latest")
    assert (refused.code, refused.steps) == (6, ["opensession handoff artifacts unpin latest"])
    small = sh("opensession handoff artifacts get latest --format prompt --budget 9")
    assert small.code == 2
    assert sh(small.steps[0]).code == 0
    for line, code in [
        ("opensession handoff build", 2),
        ("opensession handoff build --last 1", 4),
        ("opensession handoff build --from 00000000", 4),
        ("opensession handoff build examples/claude-code.jsonl --pin 'a b'", 2),
        ("opensession handoff build examples/claude-code.jsonl --validate=warn --json", 3),
        ("opensession handoff artifacts get nothing", 4),
        ("opensession handoff artifacts get latest --format raw --encode json", 2),
        ("opensession handoff artifacts export latest --out nowhere/x.tar.zst", 8),
        ("opensession handoff artifacts verify ./missing.tar.zst", 4),
        ("opensession handoff artifacts import README.md", 4),
        ("opensession handoff artifacts import examples/claude-code.jsonl", 5),
        ("opensession handoff artifacts verify ./examples/claude-code.jsonl", 5),
        ("opensession handoff artifacts get ./examples/claude-code.jsonl", 5),
        ("opensession handoff artifacts pin Latest latest", 6),
    ]:
        done = sh(line)
        assert done.code == code, (line, done.err)
        assert done.steps or line.endswith("--json"), line
        for step in done.steps:
            assert sh(step).code in (0, 2), (line, step)
    sources = answer["sources"]
    assert sh(f"opensession handoff artifacts pin latest {answer['uri']}").code == 0  # a step took it away
    assert sh(f"opensession rm {sources[0]}").code == 6
    assert sh(f"opensession rm --force {sources[0]}").code == 0
    assert sh("opensession handoff artifacts verify latest").code == 4
    assert sh(f"chmod u+w {answer['path']} && echo >> {answer['path']}").code == 0
    assert sh("opensession handoff artifacts verify latest").code == 5
    assert sh("opensession handoff artifacts get latest").code == 5
    assert sh("opensession handoff artifacts list --json").code == 0


def test_the_readme_s_handoff_runs(sh, clone):
    (code,) = blocks(ROOT / "README.md", "sh", below="Hand it over")
    parsed = sh("opensession parse --profile auto examples/claude-code.jsonl --out ./session.hail.jsonl")
    assert parsed.code == 0
    done = sh(f"set -euo pipefail\n{code}")
    assert done.code == 0, done.err
    assert "### Next actions" in done.out


def test_every_block_of_the_page_runs(sh, clone):
    script = "\n".join(blocks(PAGE, "sh"))
    done = sh(f"set -euo pipefail\n{script}")
    assert done.code == 0, done.err
    for code in blocks(PAGE, "python"):
        (clone / "block.py").write_text(code)
        done = sh("python block.py")
        assert done.code == 0, done.err


@pytest.mark.parametrize("host", ["GitHub", "GitLab"])
def test_the_recipe_for_a_build_server_runs(sh, clone, host):
    """The commands of the recipe, one after the other; what the server itself does around them is left out."""
    recipe = blocks(PAGE, "yaml")[["GitHub", "GitLab"].index(host)]
    lines = [line.strip().removeprefix("- run: ").removeprefix("- ") for line in recipe.splitlines()]
    commands = [line for line in lines if line.startswith("opensession ")]
    assert len(commands) >= 3
    (clone / "agent.jsonl").write_bytes((clone / "examples" / "claude-code.jsonl").read_bytes())
    done = sh("set -euo pipefail\n" + "\n".join(commands))
    assert done.code == 0, done.err
