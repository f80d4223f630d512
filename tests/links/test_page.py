"""What the page about links says is so."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from toaster import HEAT

from opensession.actions.links import evidence, lines
from opensession.agents import AGENTS, discovery
from opensession.cli.app import main
from opensession.git import history, patches, patchtext

PAGE = (Path(__file__).parents[2] / "docs" / "links.md").read_text()


def members(value: object) -> object:
    """The names in a document, at every level."""
    if isinstance(value, dict):
        return {name: members(inner) for name, inner in value.items()}
    return [members(inner) for inner in value][:1] if isinstance(value, list) else None


def test_the_document_on_the_page_has_the_members_that_are_printed(world, capsys):
    [shown] = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("s", world.said("hot!"), world.wrote("heat.py", HEAT))
    world.sync()

    assert main(["why", "heat.py:2", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert members(json.loads(shown)) == members(printed)
    for words in (["log", "--json"], ["link", "--json"]):
        assert main(words) == 0
        for name in json.loads(capsys.readouterr().out):
            assert f"`{name}`" in PAGE


def test_the_command_on_the_page_gives_the_patch_id_of_a_link(world):
    command = next(line for line in PAGE.splitlines() if line.startswith("git diff-tree"))
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    told = subprocess.run(
        command.replace("COMMIT", f"--root {commit}"),
        shell=True,
        cwd=world.top,
        capture_output=True,
        check=True,
    )

    [printed] = patches.patch_ids(world.repository().git, [commit]).values()
    assert told.stdout.decode().split()[0] == printed


def test_the_numbers_on_the_page_are_those_of_the_program():
    assert f"from {lines.LEAST} characters" in PAGE
    assert evidence.SLACK == 5 * 60
    assert (patchtext.MOST_LINES, patchtext.MOST_BYTES) == (50_000, 8 << 20)
    assert f"newest {discovery.MOST_LOOKED_AT:,} logs" in PAGE
    assert f"newest {discovery.MOST_LOGS} that" in PAGE
    assert f"newest {history.MOST_COMMITS:,} commits" in PAGE


def test_the_page_names_every_place_where_logs_are_looked_for():
    rows = PAGE.partition("## Where logs are looked for")[2]
    for agent in AGENTS:
        assert f"`${agent.home.variable}`" in rows
        for folder in agent.home.usual:
            assert f"`~/{folder}`" in rows
        for layout in agent.layouts:
            assert f"`{layout}`" in rows or layout.endswith(".zst")
