"""Nothing is depended on without a reason that can be read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "decisions" / "002-dependencies.md"
REASONS = re.findall(r"^\| (`[^|]+`) \| (\S[^|]+) \|$", PAGE.read_text(), re.MULTILINE)
OURS = "opensession-core"


def crates() -> set[str]:
    found: set[str] = set()
    for manifest in (ROOT / "rust").glob("*/Cargo.toml"):
        tables = tomllib.loads(manifest.read_text())
        for kind in ("dependencies", "dev-dependencies", "build-dependencies"):
            found |= tables.get(kind, {}).keys()
    return found - {OURS}


def packages() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [
        *project["dependencies"],
        *(p for extra in project["optional-dependencies"].values() for p in extra),
    ]
    for tools in ROOT.glob("requirements-*.in"):
        required += [
            line for line in tools.read_text().splitlines() if line and not line.startswith(("-", "#"))
        ]
    return {re.match(r"[A-Za-z0-9._-]+", line).group() for line in required}


@pytest.mark.parametrize("name", sorted(crates() | packages()))
def test_a_dependency_has_its_reason_on_the_page(name):
    assert any(f"`{name}`" in names for names, _ in REASONS)


def test_no_reason_is_left_over():
    listed = {name for names, _ in REASONS for name in re.findall(r"`([^`]+)`", names)}
    assert listed == crates() | packages()


@pytest.mark.parametrize("lock", ["requirements-build.lock", "requirements-dev.lock"])
def test_every_tool_is_pinned_with_its_hashes(lock):
    pinned = re.findall(r"^([a-z0-9-]+)==\S+", (ROOT / lock).read_text(), re.MULTILINE)
    text = (ROOT / lock).read_text()
    assert pinned
    assert len(re.findall(r"^[a-z0-9-]+==.*\\$", text, re.MULTILINE)) == len(pinned)
    asked = (ROOT / lock).with_suffix(".in").read_text()
    for line in asked.splitlines():
        if line and not line.startswith("-"):
            assert re.match(r"[a-z0-9-]+", line).group() in pinned
