"""docs/agents.md says what the parsers do: its lists are theirs, and no record of the corpus is of a kind it lacks."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import recall

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "agents.md"
AGENTS = ROOT / "rust" / "core" / "src" / "agents"
CLAUDE_KINDS = {"user", "assistant", "system", "attachment", "progress", "file-history-snapshot"}
CODEX_KINDS = {"session_meta", "turn_context", "compacted", "event_msg"}


@cache
def listed(name: str) -> tuple[str, ...]:
    """The lines of one fenced list of the page."""
    (block,) = re.findall(rf"^```{name}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return tuple(line.rstrip() for line in block.splitlines())


@cache
def words(name: str) -> set[str]:
    return {word for line in listed(name) for word in line.split()}


def constant(file: str, name: str) -> str:
    """What stands between the brackets of a constant of the parsers' source."""
    (body,) = re.findall(
        rf"^const {name}:[^=]*=(.*?);$", (AGENTS / file).read_text(), re.MULTILINE | re.DOTALL
    )
    return body


def test_the_prefixes_of_claude_code_are_those_of_the_parser():
    source = re.findall(r'\("([^"]+)", Origin::(\w+)\)', constant("claude/origin.rs", "INJECTED"))
    assert [line.split(maxsplit=1) for line in listed("claude-code-prefixes")] == [
        [origin.lower(), prefix] for prefix, origin in source
    ]


def test_the_prefixes_of_codex_are_those_of_the_parser():
    source = re.findall(r'"([^"]+)"', constant("codex/origin.rs", "INJECTED"))
    assert list(listed("codex-prefixes")) == [prefix.rstrip() for prefix in source]


def test_the_kinds_of_records_are_those_that_the_parsers_know():
    assert words("claude-code-kinds") == set(
        re.findall(r'\("([^"]+)", "[^"]*"\)', constant("claude/other.rs", "BOOKKEEPING"))
    )
    source = constant("codex/shape.rs", "ITEMS").partition(":")[2]
    assert words("codex-items") == set(re.findall(r'"([^"]+)"', source))


def test_the_closed_list_of_the_page_is_the_one_that_the_measure_of_recall_grants():
    last = {line.rpartition(".")[2] for line in listed("closed-list")} - {"timestamp of a folded record"}
    assert last == recall.CLOSED | {"data"}


def kind_is_listed(agent: str, record: object) -> bool:
    if not isinstance(record, dict):
        return False
    kind, payload = record.get("type"), record.get("payload")
    if agent == "claude":
        return kind in CLAUDE_KINDS | words("claude-code-kinds")
    if kind == "response_item" and isinstance(payload, dict):
        return payload.get("type") in words("codex-items")
    return kind in CODEX_KINDS


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_opaque_are_exactly_the_records_of_a_kind_that_the_page_does_not_list(examined, corpus, agent):
    unlisted, opaque = Counter(), Counter()
    for result in (r for r in examined if r["agent"] == agent):
        opaque[result["name"]] = result["records"]["opaque"]
        raw = (corpus / result["name"]).read_bytes()
        unlisted[result["name"]] = sum(not kind_is_listed(agent, record) for record in recall.records(raw))
    assert +unlisted == +opaque
