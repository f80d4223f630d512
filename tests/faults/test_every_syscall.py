"""The store when each of its system calls in turn fails, or is the last one the process makes.

What must hold afterwards, whatever the call was: a visible name holds its bytes; what was answered is there; the next
try succeeds and leaves nothing behind.
"""

from __future__ import annotations

import errno
import hashlib
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from opensession.errors import OpensessionError
from opensession.store import Store

sys.path.insert(0, str(Path(__file__).parent))

from syscalls import Died, Syscalls

ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EPERM)
LIMIT = 400
"""More calls than any scenario makes."""


class Scenario(NamedTuple):
    """A store in some state, and something done to it."""

    name: str
    sessions: int = 1
    prepared: bool = True
    """The store exists and holds an unrelated session."""
    present: str = "no"
    """``no``, ``right`` or ``wrong``: what stands under the object's name before."""

    def prepare(self, store: Store, hail) -> None:
        if self.prepared:
            store.put_hail(hail.session("unrelated"))
        if self.present != "no":
            [stored] = store.put_hail(self.input(hail))
            if self.present == "wrong":
                stored.path.chmod(0o600)
                stored.path.write_bytes(BAD)
                stored.path.chmod(0o400)

    def input(self, hail) -> bytes:
        return b"".join(hail.session(f"s-{n}") for n in range(self.sessions))


BAD = b"these bytes are wrong\n"
SCENARIOS = [
    Scenario("the first object of a new store", prepared=False),
    Scenario("a new object"),
    Scenario("an object that is there", present="right"),
    Scenario("an object that is there with wrong bytes", present="wrong"),
    Scenario("a stream of three", sessions=3),
]


def visible(root: Path) -> dict[str, bytes]:
    return {p.name.removesuffix(".jsonl"): p.read_bytes() for p in root.glob("objects/sha256/*/*/*.jsonl")}


def check_names(root: Path, scenario: Scenario) -> None:
    """A visible name holds its bytes, but for the wrong ones that were there before."""
    for sha256, data in visible(root).items():
        right = hashlib.sha256(data).hexdigest() == sha256
        assert right or (scenario.present == "wrong" and data == BAD)
    if scenario.present == "wrong":
        kept = [*visible(root).values(), *(p.read_bytes() for p in root.glob("quarantine/*"))]
        assert BAD in kept, "bad bytes are never destroyed"


def check_recovery(root: Path, scenario: Scenario, hail) -> None:
    """The next try succeeds; gc then leaves nothing but what belongs there."""
    store = Store(root)
    stored = store.put_hail(scenario.input(hail))
    for each in stored:
        store.check(each.sha256)
    store.gc(apply=True)
    assert store.fsck().findings == ()
    assert len(list(store.ls())) == scenario.sessions + scenario.prepared
    assert not list(root.rglob(".tmp-*"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_a_death_at_any_call_leaves_whole_objects_only(scenario, env, hail, monkeypatch):
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        scenario.prepare(Store(root), hail)
        syscalls = Syscalls(at)
        with monkeypatch.context() as patched:
            syscalls.install(patched)
            try:
                Store(root).put_hail(scenario.input(hail))
            except Died:
                assert syscalls.struck
        if syscalls.struck is None:
            assert at > 10, "the sweep reached some calls"
            return
        check_names(root, scenario)
        check_recovery(root, scenario, hail)
    raise AssertionError("the sweep did not end")


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_an_error_of_any_call_is_a_typed_error_or_is_overcome(scenario, number, env, hail, monkeypatch):
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        scenario.prepare(Store(root), hail)
        syscalls = Syscalls(at, number)
        answered = None
        with monkeypatch.context() as patched:
            syscalls.install(patched)
            try:
                answered = Store(root).put_hail(scenario.input(hail))
            except OpensessionError as error:
                got = (syscalls.struck, error.code, error.exit_code, bool(error.next))
                assert got == (syscalls.struck, "storage_failed", 8, True)
        if syscalls.struck is None:
            return
        check_names(root, scenario)
        for each in answered or ():
            assert hashlib.sha256(each.path.read_bytes()).hexdigest() == each.sha256
        if syscalls.struck != "unlink":
            assert not list(root.rglob(".tmp-*")), f"{syscalls.struck} left a temporary file"
        check_recovery(root, scenario, hail)
    raise AssertionError("the sweep did not end")


def test_a_failed_sync_of_the_file_is_final_and_leaves_no_name(env, hail, monkeypatch):
    root = env.work / "store"
    Store(root).put_hail(hail.session("unrelated"))
    syscalls = Syscalls(1, errno.EIO, only="fsync")
    with monkeypatch.context() as patched:
        syscalls.install(patched)
        with pytest.raises(OpensessionError) as caught:
            Store(root).put_hail(hail.session())

    assert (caught.value.code, caught.value.exit_code) == ("storage_failed", 8)
    assert syscalls.calls == ["fsync"], "it is not tried again"
    assert len(visible(root)) == 1
    assert not list(root.rglob(".tmp-*"))


def test_a_failed_sync_of_any_folder_is_an_error_though_the_name_may_stand(env, hail, monkeypatch):
    for at in range(2, 20):
        root = env.work / f"store-{at}"
        syscalls = Syscalls(at, errno.EIO, only="fsync")
        scenario = SCENARIOS[0]
        with monkeypatch.context() as patched:
            syscalls.install(patched)
            try:
                Store(root).put_hail(scenario.input(hail))
            except OpensessionError as error:
                assert error.exit_code == 8
        if syscalls.struck is None:
            # VERSION, the object, then ab/cd, ab, sha256, objects, the root and its parent.
            assert len(syscalls.calls) == 8
            return
        assert len(syscalls.calls) == at, "it is not tried again"
        check_names(root, scenario)
    raise AssertionError("the sweep did not end")


@pytest.mark.parametrize("what", ["rm", "gc", "fsck", "gc of sessions"])
def test_a_death_while_something_is_taken_away_harms_nothing_else(what, env, hail, monkeypatch):
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        store = Store(root)
        first, second = store.put_hail(hail.session("first") + hail.session("second"))
        if what == "fsck":
            first.path.chmod(0o600)
            first.path.write_bytes(BAD)
        (root / "objects" / "sha256" / ".tmp-0123456789abcdef-0").touch()
        syscalls = Syscalls(at)
        with monkeypatch.context() as patched:
            syscalls.install(patched)
            try:
                match what:
                    case "rm":
                        Store(root).rm(first.sha256)
                    case "gc":
                        Store(root).gc(apply=True)
                    case "fsck":
                        Store(root).fsck(repair=True)
                    case _:
                        Store(root).gc(apply=True, sessions=True, older_than=0)
            except Died:
                pass
        if syscalls.struck is None:
            assert at > 10
            return
        store = Store(root)
        if what != "gc of sessions":
            store.check(second.sha256)
        if what == "gc":
            store.check(first.sha256)
        if what == "fsck":
            kept = [*visible(root).values(), *(p.read_bytes() for p in root.glob("quarantine/*"))]
            assert BAD in kept
        check_names(root, Scenario("", present="wrong") if what == "fsck" else SCENARIOS[1])
    raise AssertionError("the sweep did not end")


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES], ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("what", ["rm", "gc", "fsck", "ls", "open"])
def test_an_error_of_any_call_of_the_other_commands_is_a_typed_error_or_is_overcome(
    what, number, env, hail, monkeypatch
):
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        store = Store(root)
        first, second = store.put_hail(hail.session("first") + hail.session("second"))
        (root / "objects" / "sha256" / ".tmp-0123456789abcdef-0").touch()
        syscalls = Syscalls(at, number)
        with monkeypatch.context() as patched:
            syscalls.install(patched)
            try:
                match what:
                    case "rm":
                        Store(root).rm(first.sha256)
                    case "gc":
                        Store(root).gc(apply=True, sessions=True, older_than=0)
                    case "fsck":
                        Store(root).fsck(repair=True)
                    case "ls":
                        list(Store(root).ls())
                    case _:
                        Store(root).open(first.sha256).close()
            except OpensessionError as error:
                got = (syscalls.struck, error.exit_code)
                assert got == (syscalls.struck, 8)
        if syscalls.struck is None:
            return
        if what in ("fsck", "ls", "open"):
            Store(root).check(first.sha256)
            Store(root).check(second.sha256)
    raise AssertionError("the sweep did not end")


def test_the_bytes_of_a_session_do_not_pass_through_python(env, hail, monkeypatch):
    syscalls = Syscalls()
    syscalls.install(monkeypatch)
    store = Store(env.work / "store")
    [stored] = store.put_hail(hail.session())
    store.put_hail(hail.session())
    store.check(stored.sha256)
    store.copy_to(stored.sha256, 1)

    # The only bytes read and written here are those of VERSION.
    assert syscalls.calls.count("write") == 1
    assert syscalls.calls.count("read") == 3


def test_the_upper_folders_are_synced_once_by_one_store(env, hail, monkeypatch):
    syscalls = Syscalls(only="fsync")
    syscalls.install(monkeypatch)
    store = Store(env.work / "store")
    counts = []
    for number in range(3):
        before = len(syscalls.calls)
        store.put_hail(hail.session(f"s-{number}"))
        counts.append(len(syscalls.calls) - before)

    assert counts == [8, 4, 4]
