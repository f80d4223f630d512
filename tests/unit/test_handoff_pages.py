"""The page and the prompt of invented sessions, byte by byte; `make bless` rewrites them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opensession import core, handoff
from opensession.actions.handoff import markdown, prompt
from opensession.actions.handoff.artifact import read
from opensession.errors import UsageError
from opensession.store import Store

DATA = Path(__file__).parents[1] / "data" / "handoff"
PAGES = DATA / "pages"
SHOWN = {
    "work": ["failure-unresolved", "files-net-effect"],
    "interrupted": ["interrupted"],
    "hostile": ["hostile-texts"],
    "plan-and-questions": ["plan-tasks", "questions"],
    "nothing": ["empty"],
}


def artifact(names: list[str]):
    data, _ = core.artifact([core.summarize(str(DATA / f"{name}.hail.jsonl")) for name in names])
    return read(data)


def compare(path: Path, text: str) -> None:
    if os.environ.get("OPENSESSION_BLESS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text.split("\n") == path.read_text().split("\n")


@pytest.mark.parametrize("shown", SHOWN)
def test_golden_page(shown):
    compare(PAGES / f"{shown}.md", markdown.page(artifact(SHOWN[shown])))


@pytest.mark.parametrize(("shown", "budget"), [("work", 600), ("hostile", 400), ("plan-and-questions", 900)])
def test_golden_prompt(shown, budget):
    text = prompt.text(artifact(SHOWN[shown]), budget)
    assert prompt.tokens(text) <= budget
    compare(PAGES / f"{shown}-{budget}.prompt.txt", text)


def test_the_oldest_detail_goes_first():
    whole = artifact(["limits"])
    long = prompt.text(whole, None)
    short = prompt.text(whole, prompt.tokens(long) // 3)
    kept = [line for line in short.splitlines() if line.startswith("- ")]
    assert set(kept) < set(long.splitlines())
    asked = long.partition("## Asked\n")[2].partition("\n## ")[0].splitlines()
    assert asked[-1] in kept, "the last request stays"


def test_the_head_is_never_left_out():
    shown = artifact(["interrupted"])
    with pytest.raises(UsageError, match="--budget 1 is too small: the head of this handoff takes") as caught:
        prompt.text(shown, 1)
    least = int(caught.value.next[0].rpartition(" ")[2])
    text = prompt.text(shown, least)
    assert "Objective: " in text
    with pytest.raises(UsageError):
        prompt.text(shown, least - 1)


def test_a_page_can_be_had_from_python(env):
    store = Store(env.work / "store")
    built = handoff.build(DATA / "interrupted.hail.jsonl", store=store, pin="latest")
    got = handoff.get("latest", store=store)
    assert got.sha256 == built.sha256
    assert got.markdown() == markdown.page(got.artifact)
    assert got.prompt(400) == prompt.text(got.artifact, 400)
    assert got.data == built.path.read_bytes()
