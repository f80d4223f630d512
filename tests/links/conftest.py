"""One small repository for each test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside the tests import each other by name


@pytest.fixture
def world(env, hail, monkeypatch):
    """A repository of its own, in which the test stands."""
    from toaster import World

    world = World(env, hail)
    monkeypatch.chdir(world.top)
    return world
