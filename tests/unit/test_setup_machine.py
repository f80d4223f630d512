"""What `doctor` sees of a machine: daemon, launchers, stores; and the calls that have a time limit."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time

import pytest

from opensession.actions.setup import machine, pushed, shim
from opensession.cli import app
from opensession.store import Store, health


def put(path, text="", mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "pid", "alive"),
    [
        (str(os.getpid()), os.getpid(), True),
        ("soon", None, False),
        ("-1", None, False),
        ("9" * 12, None, False),
    ],
    ids=["a process", "no number", "a group", "no process"],
)
def test_a_number_is_a_daemon_only_if_the_process_was_started_as_one(env, text, pid, alive):
    put(env.home / ".config" / "opensession" / "daemon.pid", text + "\n")
    found = machine.daemon(os.environ)
    assert (found.text, found.pid, found.alive) == (text, pid, alive)
    assert found.ours is not True or b"opensession" in b" ".join(os.fsencode(word) for word in sys.orig_argv)


def test_a_daemon_that_has_ended_is_not_alive(env):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    put(env.home / ".config" / "opensession" / "daemon.pid", str(ended.pid))
    assert not machine.daemon(os.environ).alive


def test_the_daemon_s_file_is_looked_for_where_the_configuration_is(env, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert machine.daemon(os.environ).pid_file == tmp_path / "opensession" / "daemon.pid"


def test_a_distribution_s_changes_tell_what_its_number_does_not(tmp_path):
    changes = tmp_path / "changelog.gz"
    changes.write_bytes(gzip.compress(b"  * Fix CVE-2025-48384\n"))
    assert machine._mended(changes)
    changes.write_bytes(gzip.compress(b"  * New upstream release\n"))
    assert not machine._mended(changes)
    assert not machine._mended(tmp_path / "none")


def test_a_launcher_starts_the_program_that_made_it_and_nothing_from_the_folder_it_is_called_in(env):
    launcher = put(env.home / "opensession", shim.text(sys.executable).decode(), 0o755)
    put(env.work / "opensession" / "__init__.py", "raise SystemExit('somebody else')")
    put(env.work / "json.py", "raise SystemExit('somebody else')")
    done = subprocess.run(
        [launcher, "--version"], cwd=env.work, env=env.variables, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout[:12]) == (0, b"opensession ")


@pytest.mark.parametrize("interpreter", ["/usr/bin/python3", "/opt/my tools/it's here/python"])
def test_a_launcher_is_known_by_what_it_starts(env, interpreter):
    path = put(env.home / "opensession", shim.text(interpreter).decode(), 0o755)
    found = shim.look(path, interpreter)
    assert (found.exists, found.ours, found.target, found.current) == (True, True, interpreter, True)
    assert not shim.look(path, "/elsewhere/python").current


def test_a_launcher_whose_program_is_gone_does_not_work(env):
    path = put(env.home / "opensession", shim.text("/no/such/python").decode(), 0o755)
    assert not shim.look(path, sys.executable).works
    assert not shim.look(env.home / "nothing", sys.executable).exists


def test_the_launchers_belong_below_the_data_folder_and_a_relative_one_counts_for_nothing(env, tmp_path):
    usual = env.home / ".local" / "share" / "opensession" / "bin"
    assert shim.folder({**os.environ, "XDG_DATA_HOME": "data", "OPENSESSION_HOME": "/elsewhere"}) == usual
    assert shim.folder({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "opensession" / "bin"


@pytest.fixture
def store(tmp_path, hail) -> Store:
    store = Store(tmp_path / "store")
    for number in range(5):
        store.put_hail(hail.session(f"s-{number}"))
    return store


def test_a_healthy_store_is_found_healthy(store):
    found = health.look(store.root, 3, 1 << 20)
    assert found == health.Health(True, None, (), 3, (), None)
    assert health.look(store.root, 3, 10).sampled == 0


def test_a_store_that_does_not_exist_is_no_problem(tmp_path):
    assert health.look(tmp_path / "none", 3, 1 << 20) == health.Health(False, None, (), 0, (), None)
    assert not (tmp_path / "none").exists()


def test_damage_open_folders_and_a_broken_cache_are_found(store):
    for entry in store.entries():
        entry.path.chmod(0o600)
        entry.path.write_bytes(b"{}\n")
    store.root.chmod(0o755)
    (store.root / "checked.db").write_bytes(b"no database" * 100)
    found = health.look(store.root, 9, 1 << 20)
    assert sorted(found.damaged) == sorted(entry.sha256 for entry in store.entries())
    assert found.open_to_others == (store.root,)
    assert found.cache is not None


def test_a_store_of_a_newer_layout_is_a_problem(store):
    (store.root / "VERSION").chmod(0o600)
    (store.root / "VERSION").write_text("2\n")
    assert health.look(store.root, 3, 1 << 20).problem is not None


def test_the_lines_of_a_hook_are_read_from_the_right():
    text = "HEAD@{1 day ago} aa refs/heads/main bb\n(delete) 00 refs/heads/x cc\nno line\n"
    first, second = pushed.parse(text)
    assert first == pushed.PushedRef("HEAD@{1 day ago}", "aa", "refs/heads/main", "bb")
    assert (first.deletes, second.deletes) == (False, True)


@pytest.mark.parametrize("call", [["--sync-branch-session", "main"], ["--push-branches", "origin"]])
def test_a_call_of_the_hook_ends_when_its_time_is_up(env, monkeypatch, capsys, call):
    env.git("init", "-q", "-b", "main")
    env.git("commit", "-q", "--allow-empty", "-m", "one")
    env.git("remote", "add", "origin", "https://host/o/r")
    monkeypatch.setenv("OPENSESSION_DEADLINE", "1")

    def slow(*_words, **_more):
        time.sleep(60)

    monkeypatch.setattr("opensession.actions.setup.syncing.sync", slow)
    monkeypatch.setattr("opensession.actions.setup.pushed.Beside.run", slow)
    monkeypatch.setattr(sys, "stdin", None)
    assert app.main(["setup", *call]) == 9
    assert "there was no time for everything" in capsys.readouterr().err


def test_branches_and_commits_must_be_as_many(env, capsys):
    env.git("init", "-q", "-b", "main")
    words = ["--sync-branch-session", "a", "--sync-branch-session", "b", "--sync-branch-commit", "c"]
    assert app.main(["setup", *words]) == 2
    assert "2 branches and 1 commits were given" in capsys.readouterr().err
