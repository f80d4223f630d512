"""The store's key and the log of what was let pass when each of their system calls fails, or is the last one."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from opensession.errors import OpensessionError
from opensession.store import Store, allowed
from opensession.store.secret_key import find_key, key_of

sys.path.insert(0, str(Path(__file__).parent))

from syscalls import Died, Syscalls

ROW = {"in": "os://src/local/x", "fingerprint": "f"}
LIMIT = 200


def struck(root, monkeypatch, syscalls, act):
    with monkeypatch.context() as patched:
        syscalls.install(patched)
        try:
            return act(Store(root))
        except Died:
            return None


def test_a_death_at_any_call_leaves_no_key_or_a_whole_one(env, monkeypatch):
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        syscalls = Syscalls(at)
        answered = struck(root, monkeypatch, syscalls, key_of)
        left = find_key(Store(root))
        assert left is None or len(left) == 32
        assert key_of(Store(root)) == (left or key_of(Store(root)))
        if syscalls.struck is None:
            assert answered == left
            assert at > 10, "the sweep reached some calls"
            return
        Store(root).gc(apply=True)
        assert [p.name for p in root.iterdir() if p.name.startswith(".tmp-")] == []
    raise AssertionError("the sweep did not end")


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS], ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("act", [key_of, lambda store: allowed.log(store, [ROW])], ids=["key", "log"])
def test_an_error_of_any_call_is_a_typed_error_or_is_overcome(act, number, env, monkeypatch):
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        syscalls = Syscalls(at, number)
        try:
            struck(root, monkeypatch, syscalls, act)
        except OpensessionError as error:
            assert (error.code, bool(error.next)) == ("storage_failed", True), syscalls.struck
        if syscalls.struck is None:
            return
        key = key_of(Store(root))
        assert key == key_of(Store(root))
        allowed.log(Store(root), [ROW])
        assert allowed.passed(Store(root)) == {(ROW["in"], ROW["fingerprint"])}
    raise AssertionError("the sweep did not end")


def test_a_death_at_any_call_leaves_the_rows_that_were_there(env, monkeypatch):
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        allowed.log(Store(root), [{**ROW, "fingerprint": "before"}])
        syscalls = Syscalls(at)
        struck(root, monkeypatch, syscalls, lambda store: allowed.log(store, [ROW]))
        assert (ROW["in"], "before") in allowed.passed(Store(root))
        if syscalls.struck is None:
            assert (ROW["in"], "f") in allowed.passed(Store(root))
            return
    raise AssertionError("the sweep did not end")


@pytest.mark.parametrize("act", [key_of, lambda store: allowed.log(store, [ROW])], ids=["key", "log"])
def test_the_file_and_then_its_folder_are_synced_before_the_answer(act, env, monkeypatch):
    root = env.work / "store"
    syscalls = Syscalls(0)
    struck(root, monkeypatch, syscalls, act)
    last = max(n for n, call in enumerate(syscalls.calls) if call in ("write", "link"))
    wrote = max(n for n, call in enumerate(syscalls.calls) if call == "write")
    assert "fsync" in syscalls.calls[wrote:], "the file itself"
    assert "fsync" in syscalls.calls[last:], "the folder with its name"
