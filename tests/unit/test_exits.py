"""Nothing leaves unscanned: every command either lets nothing of a session out, or is stopped by a secret in it."""

from __future__ import annotations

import ast
import io
import random
import shlex
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from opensession.cli import app
from opensession.store import Store
from opensession.store.handoffs import Handoffs

if TYPE_CHECKING:
    from collections.abc import Callable

DICE = random.Random("nobody's token")
SECRET = "ghp_" + "".join(DICE.choices(string.ascii_letters + string.digits, k=36))

STAYS = {
    "parse": "writes what its own user named, on this machine",
    "register": "writes to the store",
    "cat": "prints what its own user named, on this machine",
    "inspect": "prints what its own user named, on this machine",
    "verify": "prints hashes and places",
    "ls": "lists what is here",
    "rm": "takes away",
    "fsck": "prints names and modes",
    "gc": "takes away",
    "scan": "prints places, never values",
    "redact": "writes to the store, without the secrets",
    "handoff build": "writes to the store",
    "handoff artifacts list": "lists what is here",
    "handoff artifacts verify": "prints hashes and places",
    "handoff artifacts pin": "moves an alias",
    "handoff artifacts unpin": "takes an alias away",
    "handoff artifacts rm": "takes away",
    "handoff artifacts import": "takes in",
    "unshare": "sends a tombstone, which is a hash",
    "link": "writes to this repository",
    "why": "prints what is here",
    "log": "prints what is here",
    "doctor": "looks at this clone and sets it up",
    "config init": "writes a file of this work tree, from options",
    "config show": "prints the configuration",
    "config trust": "notes the hash of a file",
    "docs quickstart": "prints a page of the program",
    "docs completion": "prints a script of the program",
}
"""Commands that let nothing of a session leave this machine, and why."""

LEAVES: dict[str, Callable[..., tuple[str, ...]]] = {}
"""Commands that let something out, each with a line that would let the secret out."""


def leaves(name: str) -> Callable[[Callable[..., tuple[str, ...]]], Callable[..., tuple[str, ...]]]:
    def add(line: Callable[..., tuple[str, ...]]) -> Callable[..., tuple[str, ...]]:
        LEAVES[name] = line
        return line

    return add


@leaves("handoff artifacts export")
def export(place) -> tuple[str, ...]:
    return ("handoff", "artifacts", "export", place.artifact(), "--out", "h.tar.zst")


@leaves("handoff artifacts get")
def page(place) -> tuple[str, ...]:
    return ("handoff", "artifacts", "get", place.artifact(), "--format", "markdown")


@leaves("handoff artifacts get --format prompt")
def prompt(place) -> tuple[str, ...]:
    return ("handoff", "artifacts", "get", place.artifact(), "--format", "prompt")


@leaves("share")
def share(place) -> tuple[str, ...]:
    place.clone()
    return ("share", place.session(), "--git", "--remote", "origin", "--push")


@leaves("share --git")
def share_without_push(place) -> tuple[str, ...]:
    place.clone()
    return ("share", place.session(), "--git", "--remote", "origin")


@leaves("share --quick")
def quick(place) -> tuple[str, ...]:
    place.clone()
    return ("share", place.session(), "--quick", "--push")


@leaves("setup")
def hook(place) -> tuple[str, ...]:
    url = place.clone()
    ref = place.planted_ledger()
    place.env.git("config", "--add", "opensession.fanout-remote", f"origin {url}")
    place.stdin(b"")
    where = ("--push-url", url, "--fanout-mode", "hidden_ref", "--ledger-ref", ref)
    return ("setup", "--push-branches", "origin", *where)


class Place:
    """A machine with a session that holds the secret."""

    def __init__(self, env, hail, monkeypatch) -> None:
        self.env, self.hail, self.monkeypatch = env, hail, monkeypatch
        self.remote = env.home.parent / "remote.git"

    @property
    def store(self) -> Store:
        inside = self.env.work / ".git"
        return Store(inside / "opensession" if inside.is_dir() else self.env.store)

    def session(self) -> str:
        [stored] = self.store.put_hail(self.hail.session(text=f"log in with {SECRET}, please"))
        return stored.uri

    def artifact(self) -> str:
        from opensession import handoff

        return handoff.build(sessions=[self.session()], store=self.store).uri

    def clone(self) -> str:
        """The working directory becomes a repository with a remote."""
        self.env.git("init", "-q", "-b", "main")
        self.env.git("commit", "-q", "--allow-empty", "-m", "first")
        self.env.git("init", "-q", "--bare", str(self.remote))
        self.env.git("remote", "add", "origin", str(self.remote))
        return str(self.remote)

    def planted_ledger(self) -> str:
        """A ledger that holds the session though nothing here would have put it there."""
        from opensession.git.ledger import Changes, Ledger, meta_of
        from opensession.git.repository import Repository

        sha256 = self.session().rpartition("/")[2]
        repository = Repository.discover(self.env.work, self.env.variables)
        ref = repository.ledger_ref()
        ledger = Ledger(repository.git, ref, common_dir=repository.common_dir)
        from opensession import core

        with ledger, self.store.open(sha256) as stored:
            meta = meta_of(core.verify(stored.fd)["sessions"][0])
            stored.rewind()
            ledger.record(Changes(sessions=[(sha256, stored.fd, meta)]), "by another way")
        return ref

    def stdin(self, data: bytes) -> None:
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    def outside(self) -> list[Path]:
        """Every file that is neither in the store nor in this clone's git folder: what left, and what was left."""
        files = [p for folder in (self.env.work, self.remote) for p in folder.rglob("*") if p.is_file()]
        return [p for p in files if self.env.work / ".git" not in p.parents]


@pytest.fixture
def place(env, hail, monkeypatch) -> Place:
    return Place(env, hail, monkeypatch)


def test_every_command_is_in_one_of_the_two_lists():
    leaving = {name.partition(" --")[0] for name in LEAVES}
    assert not leaving & set(STAYS)
    assert leaving | set(STAYS) == set(app.COMMANDS), "say whether it lets something out, and show it"


@pytest.mark.parametrize("name", LEAVES)
def test_a_secret_stops_whatever_would_leave_and_is_shown_nowhere(place, command, name):
    words = LEAVES[name](place)
    before = set(place.outside())
    done = command(*words)
    assert done.code == 6, done.err
    assert "github-pat" in done.err
    assert "/content/blocks/0/text" in done.err or "/objective" in done.err
    assert "opensession scan os://src/local/" in done.err or "opensession scan os://artifact/" in done.err
    assert SECRET not in done.out + done.err
    assert set(place.outside()) <= before, "nothing was written outside of the store"
    if place.remote.exists():
        assert place.env.git("for-each-ref", cwd=place.remote) == ""
    if name.startswith("share"):
        assert place.env.git("for-each-ref", "refs/opensession") == "", "no ledger here holds it either"


@pytest.mark.parametrize("name", [name for name in LEAVES if not name.startswith("setup")])
def test_each_of_the_steps_leads_on(place, command, name):
    done = command(*LEAVES[name](place))
    redact, allow, scan, *_ = done.steps
    assert redact.endswith(" --redact")
    assert " --allow-secret " in allow
    found = command(*shlex.split(scan)[1:])
    assert (found.code, SECRET in found.out + found.err) == (6, False)
    released = command(*shlex.split(redact)[1:])
    assert released.code == 0, released.err
    assert SECRET not in released.out
    assert command(*shlex.split(allow)[1:]).code == 0


def test_what_is_redacted_is_what_leaves(place, command):
    words = export(place)
    assert command(*words, "--redact").code == 0
    assert command("scan", "h.tar.zst").code == 0
    assert command("--store", "elsewhere", "handoff", "artifacts", "import", "h.tar.zst").code == 0
    there = Store(place.env.work / "elsewhere")
    texts = [there.path_of(each.sha256).read_text() for each in there.entries()]
    texts += [Handoffs(there).read(each).decode() for each in Handoffs(there).addresses()]
    assert len(texts) == 2
    assert all("[REDACTED:github-pat:1]" in text and SECRET not in text for text in texts)


def test_what_is_allowed_is_logged_without_its_value(place, command):
    words = export(place)
    done = command(*words, "--json")
    finding = done.json["error"]["findings"][0]
    assert command(*words, "--allow-secret", finding["fingerprint"]).code == 0
    log = (place.store.root / "allowed-secrets.jsonl").read_text()
    assert finding["fingerprint"] in log
    assert SECRET not in log
    assert command("scan", "h.tar.zst").code == 6


def test_the_json_answer_names_rule_event_and_pointer(place, command):
    done = command(*page(place)[:-2], "--format", "prompt", "--store", str(place.store.root))
    assert done.code == 6
    done = command(*export(place), "--json")
    error = done.json["error"]
    assert error["code"] == "secrets_found"
    assert error["total"] >= len(error["findings"]) > 0
    first = error["findings"][0]
    assert (first["rule"], first["event_id"], first["pointer"]) == (
        "github-pat",
        "e0",
        "/content/blocks/0/text",
    )


# ---- by the source ----

PACKAGE = Path(app.__file__).parents[1]
SENDERS = {"push_ledger", "bundle.write"}
WITHOUT_THE_DOOR = {"actions/unshare.py": "sends a tombstone", "git/push.py": "is how it is sent"}


def calls(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            text = ast.unparse(node.func)
            found |= {text, text.rpartition(".")[2]}
    return found


def test_whatever_sends_or_packs_asks_the_door_in_the_same_module():
    doors = {"release", "whole", "outgoing.check", "Door"}
    without = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if calls(path) & SENDERS and not calls(path) & doors
    ]
    assert [path for path in without if path not in WITHOUT_THE_DOOR] == []


def test_the_library_lets_nothing_out_either(place):
    from opensession import handoff
    from opensession.errors import SecretsFoundError

    got = handoff.get(place.artifact(), store=place.store)
    for refused in (
        got.markdown,
        got.prompt,
        lambda: handoff.export(got.sha256, "h.tar.zst", store=place.store),
    ):
        with pytest.raises(SecretsFoundError) as caught:
            refused()
        assert SECRET not in str(caught.value)
    assert not Path("h.tar.zst").exists()
    assert "[REDACTED:github-pat:1]" in got.prompt(4000, redact=True)
    assert SECRET in got.markdown(allow=caught.value.fingerprints)
    assert handoff.export(got.sha256, "h.tar.zst", store=place.store, redact=True).redacted == {
        "github-pat": 2
    }
    alone = handoff.get(Path("h.tar.zst"))
    assert "[REDACTED:github-pat:1]" in alone.markdown()
