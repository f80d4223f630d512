"""What a start loads: git hooks pay for it on every commit."""

from __future__ import annotations

from pathlib import Path

import pytest

import opensession

HEAVY = {"asyncio", "argparse", "click", "rich", "typer", "importlib.metadata", "pydantic", "email", "http"}

PACKAGE = Path(opensession.__file__).parent.parent

# What a run may import besides the interpreter's own start. A module that is missing here is a decision: it costs every
# hook and every small file its time. `typing`, `contextlib`, `enum`, `re`, `json` and `pathlib` take 3 to 10 ms each.
ALWAYS = {
    "__future__", "_signal", "errno", "importlib", "importlib._bootstrap",
    "importlib._bootstrap_external", "warnings",
    "opensession", "opensession.cli", "opensession.cli.app", "opensession.cli.arguments", "opensession.cli.command",
    "opensession.cli.commands", "opensession.cli.failures", "opensession.cli.progress", "opensession.cli.report",
    "opensession.cli.stores", "opensession._core", "opensession.actions", "opensession.actions.inputs",
    "opensession.actions.parse", "opensession.core", "opensession.errors", "opensession.light",
}  # fmt: skip
TARGETS = {"opensession.actions.targets", "opensession.store", "opensession.store.layout"}
STORE = {
    "fcntl", "itertools", "opensession.settings", "opensession.store", "opensession.store.batch",
    "opensession.store.cachedb",
    "opensession.store.checked",
    "opensession.store.folders", "opensession.store.layout", "opensession.store.legacy",
    "opensession.store.quarantine", "opensession.store.reading", "opensession.store.records",
    "opensession.store.store", "opensession.store.stores", "opensession.store.temporary", "opensession.store.tree",
    "opensession.store.version", "opensession.store.writing", "opensession.uri",
}  # fmt: skip
VERIFY = {"opensession.actions.verify", "opensession.cli.commands.verify", "opensession.cli.shape"}
PARSE = {
    "opensession.actions.outputs", "opensession.cli.commands.parse", "opensession.cli.shape",
    "opensession.cli.terminal",
}  # fmt: skip
REGISTER = {"opensession.actions.register", "opensession.cli.commands.register"}
CAT = {"opensession.actions.cat", "opensession.cli.commands.cat", "opensession.cli.terminal"}
INSPECT = {"opensession.actions.inspect", "opensession.cli.commands.inspect"}
HOOK = {
    "opensession.actions.setup", "opensession.cli.commands.doctor", "opensession.cli.commands.setup",
    "opensession.cli.hookcalls", "opensession.git", "opensession.git.child", "opensession.git.environment",
    "opensession.git.process", "opensession.git.refs", "opensession.git.repository", "opensession.git.run",
    "opensession.git.scratch", "opensession.settings", "binascii", "select",
}  # fmt: skip
# What the interpreter brings along of which these need a part; each takes longer than any module of ours.
WITH_GIT = {
    "contextlib", "enum", "fcntl", "fnmatch", "ipaddress", "json", "ntpath", "pathlib", "re", "select", "struct",
    "threading", "urllib", "urllib.parse",
} | {
    "_collections", "_functools", "_json", "_operator", "_sre", "_struct", "_weakrefset", "collections",
    "collections.abc", "copyreg", "functools", "itertools", "json.decoder", "json.encoder", "json.scanner", "keyword",
    "operator", "re._casefix", "re._compiler", "re._constants", "re._parser", "reprlib", "types",
}  # fmt: skip
DATABASE = {"_sqlite3", "sqlite3", "sqlite3.dbapi2"}
DATES = {"_datetime", "datetime", "math"}
HASHES = {"_blake2", "_hashlib", "hashlib"}
BASE64 = {"base64", "binascii"}
THE_DOOR = {
    "opensession.actions.release.door",
    "opensession.actions.release.scanner",
    "opensession.store.allowed",
}
IN_A_REPOSITORY = {
    "share ADDRESS --git --remote origin": WITH_GIT | HASHES | DATES | BASE64 | DATABASE | {"shlex", "hmac"},
    "setup --sync-branch-session main": WITH_GIT | DATES | BASE64 | DATABASE | {"array", "signal"},
    "setup --push-branches origin --push-url ../origin.git": WITH_GIT | HASHES | BASE64 | {"signal"},
}
"""For each call the modules of the interpreter that it may load."""
MAIN_JOB = {
    "verify s.hail.jsonl": VERIFY | TARGETS,
    "verify ADDRESS": VERIFY | TARGETS | STORE,
    "parse --profile claude-code log.jsonl --out /dev/null": PARSE,
    "register s.hail.jsonl": REGISTER | STORE,
    "register --profile claude-code log.jsonl": REGISTER | STORE,
    "cat ADDRESS": CAT | TARGETS | STORE,
    "inspect ADDRESS": INSPECT | VERIFY | TARGETS | STORE,
}


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


def also_loaded(env, *words: str) -> set[str]:
    """What a command line imports beyond what the interpreter did; no site packages, which have hooks of their own."""
    run = f"import os, sys; sys.path.append({str(PACKAGE)!r}); before = set(sys.modules)"
    run += f"; from opensession.cli.app import main; code = main({list(words)!r})"
    done = env.python(
        "-S", "-c", f"{run}\nprint('\\n' + ' '.join(set(sys.modules) - before)); sys.exit(code)"
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.decode().splitlines()[-1].split())


@pytest.mark.parametrize("line", MAIN_JOB)
def test_the_main_job_loads_nothing_that_it_does_not_need(env, hail, claude_log, line):
    (env.work / "s.hail.jsonl").write_bytes(hail.session())
    (env.work / "log.jsonl").write_bytes(claude_log)
    words = line.split()
    if "ADDRESS" in words:
        words[-1] = opensession.register(env.work / "log.jsonl", "claude-code").sha256

    assert also_loaded(env, *words) - ALWAYS - MAIN_JOB[line] == set()


@pytest.fixture
def stored(env, claude_log) -> str:
    """The address of a session, in a repository with a remote."""
    env.git("init", "-q", "-b", "main")
    env.git("commit", "-q", "--allow-empty", "-m", "begin")
    env.git("init", "-q", "--bare", "../origin.git")
    env.git("remote", "add", "origin", "../origin.git")
    (env.work / "log.jsonl").write_bytes(claude_log)
    return opensession.register(env.work / "log.jsonl", "claude-code").sha256


@pytest.mark.parametrize(
    ("line", "more"),
    [
        ("setup --print-fanout-mode", {"opensession.actions.setup.modes"}),
        ("setup --print-ledger-ref main", set()),
    ],
)
def test_the_hook_s_questions_load_nothing_that_they_do_not_need(env, stored, line, more):
    assert also_loaded(env, *line.split()) - ALWAYS - HOOK - more == set()


@pytest.mark.parametrize("line", IN_A_REPOSITORY)
def test_what_works_on_a_repository_loads_no_further_part_of_the_interpreter(env, stored, line):
    modules = also_loaded(env, *line.replace("ADDRESS", stored).split())
    theirs = {name for name in modules if not name.startswith("opensession")}

    assert theirs - ALWAYS - IN_A_REPOSITORY[line] == set()
    assert "opensession.cli.hookcalls" not in modules or not modules & THE_DOOR


@pytest.mark.parametrize("name", ["opensession", "opensession.cli.app"])
def test_the_import_graph_holds_no_terminal_library_and_no_event_loop(env, name):
    assert not loaded(env, code=f"import {name}") & HEAVY
