"""What a start loads: git hooks pay for it on every commit."""

from __future__ import annotations

import pytest

HEAVY = {"asyncio", "argparse", "click", "rich", "typer", "importlib.metadata", "pydantic", "email", "http"}


def loaded(env, *words: str, code: str | None = None) -> set[str]:
    run = code or f"import sys; from opensession.cli.app import main; main({list(words)!r})"
    done = env.python("-c", f"{run}\nimport sys; print('\\n' + ' '.join(sys.modules))")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.decode().splitlines()[-1].split())


def test_the_version_loads_no_command_and_no_store(env):
    modules = loaded(env, "--version")
    assert not modules & {
        "json",
        "pathlib",
        "dataclasses",
        "opensession.store",
        "opensession.cli.arguments",
    }
    assert not modules & HEAVY


def test_a_command_loads_its_own_module_only(env, hail):
    (env.work / "s.hail.jsonl").write_bytes(hail.session())
    modules = loaded(env, "register", "s.hail.jsonl")
    assert {name for name in modules if name.startswith("opensession.cli.commands.")} == {
        "opensession.cli.commands.register"
    }
    assert not modules & HEAVY


@pytest.mark.parametrize("name", ["opensession", "opensession.cli.app"])
def test_the_import_graph_holds_no_terminal_library_and_no_event_loop(env, name):
    assert not loaded(env, code=f"import {name}") & HEAVY
