"""The scanner and the redactor as Python sees them: rules find what they are for and pass over what only looks
like it; findings tell the place and never the value.

Every secret here is drawn from its rule's own pattern when the test runs.
"""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from opensession import _core
from opensession.errors import OpensessionError

KEY = b"a key that only this test has"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

HEADER = {
    "type": "header",
    "version": "hail-1.0.0",
    "session_id": "s1",
    "agent": {"provider": "p", "model": "m", "tool": "t"},
    "context": {"tags": [], "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"},
}

RULES = {rule["id"]: rule for rule in _core.secret_rules()}
PATTERNS = [rule for rule in RULES.values() if rule["kind"] != "code"]


def draw(pattern: str, dice: random.Random) -> str:
    """A match of ``pattern``, repetitions as short as they may be."""
    return "".join(_drawn(parser.parse(re.sub(r"\(\?[is]*-?u?:", "(?:", pattern.removeprefix("(?i)"))), dice))


def _drawn(tree: Any, dice: random.Random) -> list[str]:
    out: list[str] = []
    for op, value in tree:
        match str(op):
            case "LITERAL":
                out.append(chr(value))
            case "NOT_LITERAL" | "CATEGORY":
                out.append(dice.choice(LETTERS))
            case "IN":
                out.append(dice.choice(_letters(value)))
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, _, sub = value
                out.extend(part for _ in range(least) for part in _drawn(sub, dice))
            case "SUBPATTERN":
                out.extend(_drawn(value[-1], dice))
            case "BRANCH":
                out.extend(_drawn(dice.choice(value[1]), dice))
            case "ANY":
                out.append(dice.choice(LETTERS))
            case "AT":
                pass
            case other:
                raise AssertionError(other)
    return out


def _letters(members: Any) -> str:
    if str(members[0][0]) == "NEGATE":
        return LETTERS
    found = set()
    for op, value in members:
        match str(op):
            case "LITERAL":
                found.add(chr(value))
            case "RANGE":
                found.update(map(chr, range(value[0], value[1] + 1)))
            case "CATEGORY":
                found.update(LETTERS)
    plain = sorted(found & set(LETTERS))
    return "".join(plain or sorted(found))


def made(rule: dict[str, Any], seed: int) -> str:
    """A value of the rule that holds digits, where it can, and no word by chance."""
    dice = random.Random(f"{rule['id']} {seed}")
    values = [draw(rule["shape"], dice) for _ in range(8)]
    return max(values, key=lambda v: (min(sum(c.isdigit() for c in v), 2), len(set(v)) // 2))


def text_with(rule: dict[str, Any], value: str) -> str:
    return value if rule["kind"] == "token" else f'{rule["keywords"][0]}_key = "{value}"'


def line(text: str, **more: Any) -> bytes:
    return json.dumps(event("e1", text) | more).encode() + b"\n"


def event(event_id: str, text: str) -> dict[str, Any]:
    return {
        "type": "event",
        "event_id": event_id,
        "timestamp": "2026-01-01T00:00:00Z",
        "event_type": {"type": "UserMessage"},
        "content": {"blocks": [{"type": "Text", "text": text}]},
    }


def session(*texts: str) -> bytes:
    lines = [HEADER, *(event(f"e{n}", text) for n, text in enumerate(texts))]
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def redacted(data: bytes, **options: Any) -> tuple[bytes, dict[str, Any]]:
    with tempfile.TemporaryFile() as file:
        report = _core.redact(data, file.fileno(), **options)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        return file.read(), dict(report)


@pytest.mark.parametrize("rule", PATTERNS, ids=lambda r: r["id"])
def test_a_rule_finds_three_values_of_its_pattern_and_no_near_miss(rule: dict[str, Any]) -> None:
    for seed in range(3):
        value = made(rule, seed)
        assert _core.scan(line(text_with(rule, value))), f"seed {seed}"
    value = made(rule, 9)
    half = value[: len(value) // 2]
    misses = [
        half if rule["kind"] == "token" else f'{rule["keywords"][0]}_key = "{half}"',
        f"{half} {value[len(half) :]}" if rule["kind"] == "token" else f"{rule['keywords'][0]} {value}",
        text_with(rule, "x" * len(value)),
    ]
    for miss in misses:
        assert rule["id"] not in [f["rule"] for f in _core.scan(line(miss))]


def test_at_least_200_of_the_known_kinds_of_secrets_are_covered() -> None:
    covered = {name for rule in RULES.values() for name in rule["covers"]}
    assert len(covered) >= 200
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule_id) for rule_id in RULES)


def test_a_finding_tells_the_place_and_never_the_value() -> None:
    value = made(RULES["github-pat"], 1)
    inner = json.dumps({"env": {"TOKEN": f"x{chr(10)}{value}"}})
    (found,) = _core.scan(b"{}\n" + line(f"{inner}"), key=KEY)
    assert found["rule"] == "github-pat"
    assert (found["line"], found["event_id"]) == (2, "e1")
    assert found["pointer"] == "/content/blocks/0/text#/env/TOKEN"
    assert (found["start"], found["len"]) == (2, len(value))
    assert value not in repr(found)


def test_a_fingerprint_depends_on_the_key_and_lets_its_value_pass() -> None:
    value = made(RULES["github-pat"], 1)
    (found,) = _core.scan(line(value), key=KEY)
    (other,) = _core.scan(line(value), key=b"another")
    assert found["fingerprint"] != other["fingerprint"]
    assert _core.scan(line(value))[0]["fingerprint"] is None
    assert _core.scan(line(value), key=KEY, allow=[found["fingerprint"]]) == []
    assert len(_core.scan(line(value), key=KEY, allow=[other["fingerprint"]])) == 1
    with pytest.raises(ValueError, match="only with the key"):
        _core.scan(line(value), allow=[found["fingerprint"]])
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        _core.scan(line(value), key=KEY, allow=["abc"])


def test_the_limit_ends_the_list() -> None:
    value = made(RULES["github-pat"], 1)
    assert len(_core.scan(line(value) * 5, limit=3)) == 3
    assert len(_core.scan(line(value) * 5)) == 5


def test_a_redacted_session_is_canonical_clean_and_says_what_was_done() -> None:
    one, two = made(RULES["github-pat"], 1), made(RULES["npm-access-token"], 1)
    out, report = redacted(session(f"a {one} b", json.dumps({"k": two, "again": one})))
    assert report["rules"] == {"github-pat": 2, "npm-access-token": 1}
    assert report["values"] == 2
    assert one.encode() not in out
    assert two.encode() not in out
    assert _core.scan(out) == []
    checked = _core.verify(out)
    assert checked["valid"]
    assert checked["canonical"]
    assert checked["sha256"] == report["session"]["sha256"]
    lines = [json.loads(each) for each in out.splitlines()]
    assert lines[1]["content"]["blocks"][0]["text"] == "a [REDACTED:github-pat:1] b"
    inner = json.loads(lines[2]["content"]["blocks"][0]["text"])
    assert inner == {"k": "[REDACTED:npm-access-token:2]", "again": "[REDACTED:github-pat:1]"}
    assert lines[-1]["source"] == {"redacted": {"rules": report["rules"]}}
    assert redacted(out)[0] == out


def test_two_sessions_are_not_redacted_into_one() -> None:
    with pytest.raises(OpensessionError) as caught:
        _core.redact(session("a") + b'{"type":"stats"}\n' + session("b"))
    assert caught.value.code == "hail_schema"
    assert caught.value.line == 4


def test_progress_and_threads_change_nothing() -> None:
    data = session(*(made(RULES["github-pat"], n) for n in range(300)))
    want = _core.scan(data, jobs=1)
    assert len(want) == 300
    assert _core.scan(data, jobs=3, progress=lambda done, total: None) == want
    assert redacted(data, jobs=3)[0] == redacted(data, jobs=1)[0]


def test_every_rule_of_the_manual_is_one_of_the_program_and_the_other_way_round() -> None:
    import pathlib

    manual = pathlib.Path(__file__).parents[2] / "docs" / "secrets.md"
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", manual.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == list(RULES)
