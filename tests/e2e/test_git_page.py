"""What the page about ledgers shows can be pasted, and its examples are what the program writes."""

from __future__ import annotations

import json

import pytest
from pages import ROOT, blocks

from opensession import core
from opensession.git.ledger import Link, meta_of
from opensession.git.refs import hashed_ref, ledger_ref

PAGE = ROOT / "docs" / "git.md"


def test_the_page_about_ledgers_runs(sh):
    done = sh("set -euo pipefail\n" + "\n".join(blocks(PAGE, "sh")), EXAMPLES=str(ROOT / "examples"))
    assert done.code == 0, done.err
    assert "commit\trefs/opensession/branches/bWFpbg" in done.out
    assert "\nopensession " in done.out
    assert "\nv2/sessions/" in done.out


def test_the_documents_on_the_page_have_the_members_that_are_written(claude_log):
    meta, link = (json.loads(text) for text in blocks(PAGE, "json"))
    written = json.loads(meta_of(core.parse(claude_log, profile="claude-code")))
    assert set(meta) == set(written) | {"title"}
    written = Link("c" * 40, "5" * 64, ("time",), 0.5, "d" * 40).to_json()
    assert list(link) == list(json.loads(written))


@pytest.mark.parametrize("branch", ["main", "feature/abc"])
def test_the_refs_on_the_page_are_those_that_are_written(branch):
    assert f"| `{branch}` | `{ledger_ref(branch)}` |" in PAGE.read_text()
    assert ledger_ref("b" * 135) != hashed_ref("b" * 135)
    assert ledger_ref("b" * 136) == hashed_ref("b" * 136)
