"""What the pages about the store, URIs and Python say is so."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from opensession.errors import CODES, BadUriError
from opensession.uri import parse_uri

DOCS = Path(__file__).parents[2] / "docs"


def block(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", block("uri.md", "accepted")[0].splitlines())
def test_an_accepted_example_is_accepted(text):
    assert str(parse_uri(text)) == text


@pytest.mark.parametrize("line", block("uri.md", "refused")[0].splitlines())
def test_a_refused_example_is_refused_with_the_spelling_that_is_told(line):
    text, _, right = line.partition(" -> ")
    with pytest.raises(BadUriError) as caught:
        parse_uri(text)
    assert caught.value.spelling == (None if right == "-" else right)


@pytest.mark.parametrize("code", block("python.md", "python"), ids=lambda code: code.splitlines()[2][:40])
def test_an_example_runs(env, code, capsys):
    shutil.copytree(DOCS.parent / "examples", env.work / "examples")
    exec(compile(code, "python.md", "exec"), {"__name__": "page"})


def test_the_table_of_errors_is_complete():
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", (DOCS / "python.md").read_text(), re.MULTILINE))

    assert {code: int(number) for code, number in rows.items()} == {c: k.exit_code for c, k in CODES.items()}


def test_the_layout_on_the_page_is_that_of_a_store(env, hail):
    from opensession.store import Store

    [stored] = Store(env.work / "s").put_hail(hail.session())
    h = stored.sha256
    layout = re.findall(r"^<root>/(\S+)", (DOCS / "store.md").read_text(), re.MULTILINE)
    named = {line.replace("<h[0:2]>", h[:2]).replace("<h[2:4]>", h[2:4]).replace("<h>", h) for line in layout}

    assert {"VERSION", str(stored.path.relative_to(env.work / "s"))} <= named
