"""One key of a TOML file is set; tomllib, which is not ours, says that nothing else changed."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opensession.actions.tomlkey import with_text

URL = "https://sessions.example.com/team"

_VALUES = [
    "1", "-0.0", "nan", "1979-05-27T07:32:00Z", "true", '"a # b"', "'[share]'", r'"base_url = \"x\" \\"',
    '"""\n[share]\nbase_url = "no"\n"""', "'''\nbase_url = 'no'\n[share]'''", '"""two quotes """""',
    "'''one quote''''", '[\n  1, # [share]\n  [2, "]"],\n]', "{ base_url = 'in', b = [1] }", "[]", '"ü ☃"',
    r'"""a \""" b"""',
]  # fmt: skip
_KEYS = [
    "a",
    "b-c",
    '"base_url"',
    '"a # b"',
    "'x=y'",
    "d.e",
    "f . g",
    '"share"."other"',
    "base_urls",
    "share.c",
]
_HEADERS = [
    "[share]", "[ share ]  # here", '["share"]', "[other]", "[privacy]", "[share.deeper]", "[[list]]", "[other.share]",
    "[[list.share]]", "['sh are']", "[list]",
]  # fmt: skip
_BLANK = ["", "  ", "# base_url = 'no'", "\t# [share]", "# a comment with ' and \""]


@st.composite
def files(draw) -> str:
    """A file of statements, most of which tomllib accepts together."""
    lines = []
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["key", "key", "key", "header", "header", "blank", "ours"]))
        if kind == "header":
            lines.append(draw(st.sampled_from(_HEADERS)))
        elif kind == "blank":
            lines.append(draw(st.sampled_from(_BLANK)))
        else:
            key = "base_url" if kind == "ours" else draw(st.sampled_from(_KEYS))
            space = draw(st.sampled_from(["", " ", " \t "]))
            end = draw(st.sampled_from(["", "  ", "  # say = 'why'"]))
            lines.append(f"{key}{space}={space}{draw(st.sampled_from(_VALUES))}{end}")
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def read(text: str):
    return tomllib.loads(text, parse_float=str)


def without_ours(text: str):
    data = read(text)
    share = data.setdefault("share", {})
    if isinstance(share, dict):
        share.pop("base_url", None)
    return data


@given(files())
@settings(max_examples=150)
def test_only_the_key_changes_and_what_was_there_stays_byte_for_byte(text):
    try:
        before = read(text).get("share", {})
    except tomllib.TOMLDecodeError:
        assume(False)
    edited = with_text(text, "share", "base_url", URL)
    if edited is None:
        assert not isinstance(before, dict), "only a share that is no table is refused"
        return
    assert read(edited)["share"]["base_url"] == URL
    assert without_ours(edited) == without_ours(text)
    assert with_text(edited, "share", "base_url", URL) == edited
    if "base_url" in before:
        only_the_value_was_replaced(text, edited)
    else:
        only_lines_were_added(text, edited)


def only_lines_were_added(text: str, edited: str) -> None:
    added = len(edited) - len(text)
    same = next((n for n, (a, b) in enumerate(zip(text, edited, strict=False)) if a != b), len(text))
    places = range(max(0, same - added), same + 1)
    assert any(edited[:at] + edited[at + added :] == text for at in places)


def only_the_value_was_replaced(text: str, edited: str) -> None:
    before, _, after = edited.partition(f'"{URL}"')
    assert text.startswith(before)
    assert text[len(before) :].endswith(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f'[share]\nbase_url = "{URL}"\n'),
        ("[a]\nb = 1\n", f'[a]\nb = 1\n\n[share]\nbase_url = "{URL}"\n'),
        ("[a]\nb = 1", f'[a]\nb = 1\n\n[share]\nbase_url = "{URL}"\n'),
        ("[share] # ours\nx = 1\n", f'[share] # ours\nbase_url = "{URL}"\nx = 1\n'),
        ("[share]", f'[share]\nbase_url = "{URL}"\n'),
        ("[share]\r\nbase_url='old' # why\r\n", f'[share]\r\nbase_url="{URL}" # why\r\n'),
        ('share.base_url = """\nold"""\n[a]\n', f'share.base_url = "{URL}"\n[a]\n'),
        ("share.x = 1\n[a]\n", f'share.base_url = "{URL}"\nshare.x = 1\n[a]\n'),
        ("[share.more]\nx = 1\n", f'[share.more]\nx = 1\n\n[share]\nbase_url = "{URL}"\n'),
    ],
)  # fmt: skip
def test_the_shapes_that_people_write(before, after):
    assert with_text(before, "share", "base_url", URL) == after


@pytest.mark.parametrize(
    "text", ["share = { x = 1 }\n", "share = 1\n", "[[share]]\n", 'share = {base_url="a"}']
)
def test_a_table_of_another_shape_is_left_to_a_person(text):
    assert with_text(text, "share", "base_url", URL) is None
