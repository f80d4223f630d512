"""Artifacts and aliases when a call fails, when the process dies, and when several processes work at once."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from opensession.errors import OpensessionError
from opensession.store import Store
from opensession.store.handoffs import Handoffs

sys.path.insert(0, str(Path(__file__).parent))

from syscalls import Died, Syscalls

ONE, TWO = b'{"sources":[],"type":"artifact"}\n', b'{"sources":[],"type":"artifact","x":2}\n'
LIMIT = 200
"""More calls than any of these makes."""


def prepared(root: Path, *, pinned: bool) -> tuple[str, str]:
    """A store with two artifacts, of which the first may be pinned."""
    store = Handoffs(Store(root))
    one, two = store.put(ONE)[0], store.put(TWO)[0]
    if pinned:
        store.pin("latest", one)
    return one, two


def struck(root: Path, monkeypatch, syscalls: Syscalls, work) -> OpensessionError | None:
    """Do something while one call is struck; the typed error it ended with."""
    with monkeypatch.context() as patched:
        syscalls.install(patched)
        try:
            work(Handoffs(Store(root)))
        except Died:
            return None
        except OpensessionError as error:
            return error
    return None


def check_left(root: Path) -> None:
    """Nothing is broken, and gc finds what was left behind."""
    store = Store(root)
    store.gc(apply=True)
    assert store.fsck().findings == ()
    assert not list(root.rglob(".tmp-*"))
    assert Handoffs(store).damaged_pins() == []


@pytest.mark.parametrize("pinned", [False, True], ids=["a new alias", "an alias that moves"])
def test_a_death_at_any_call_of_pin_leaves_the_old_or_the_new_one(pinned, env, monkeypatch):
    seen = set()
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        one, two = prepared(root, pinned=pinned)
        syscalls = Syscalls(at)
        struck(root, monkeypatch, syscalls, lambda store, two=two: store.pin("latest", two))
        points_at = Handoffs(Store(root)).pinned("latest")
        assert points_at in (two, one if pinned else None)
        seen.add(points_at)
        check_left(root)
        Handoffs(Store(root)).pin("latest", two)
        if syscalls.struck is None:
            assert points_at == two
            assert at > 15, "the sweep reached some calls"
            assert len(seen) == 2, "some deaths came before the change and some after"
            return
    raise AssertionError("the sweep did not end")


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS], ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("what", ["pin", "unpin", "rm", "put", "origin"])
def test_an_error_of_any_call_is_a_typed_error_and_breaks_nothing(what, number, env, monkeypatch):
    for at in range(1, LIMIT):
        root = env.work / f"store-{at}"
        one, two = prepared(root, pinned=True)
        work = {
            "pin": lambda store, two=two: store.pin("latest", two),
            "unpin": lambda store: store.unpin("latest"),
            "rm": lambda store, two=two: store.rm(two),
            "put": lambda store: store.put(b'{"sources":[],"type":"artifact","x":3}\n'),
            "origin": lambda store, one=one: store.put_origin(one, b"{}\n"),
        }[what]
        syscalls = Syscalls(at, number)
        error = struck(root, monkeypatch, syscalls, work)
        if error is not None:
            assert (error.code, error.exit_code, bool(error.next)) == ("storage_failed", 8, True)
        store = Handoffs(Store(root))
        points_at = store.pinned("latest")
        assert points_at in {"pin": (one, two), "unpin": (one, None)}.get(what, (one,))
        assert store.read(one) == ONE
        if error is None and syscalls.struck is None:
            return
        check_left(root)
    raise AssertionError("the sweep did not end")


def test_an_answer_of_pin_comes_after_the_folder_was_synced(env, monkeypatch):
    root = env.work / "store"
    _, two = prepared(root, pinned=True)
    syscalls = Syscalls(0)
    struck(root, monkeypatch, syscalls, lambda store: store.pin("latest", two))
    calls = syscalls.calls
    at = calls.index("rename")
    assert "fsync" in calls[:at], "the file itself"
    assert "fsync" in calls[at:], "the folder with its name"
    assert "write" not in calls[at:]


WORKER = """
import random, sys
from opensession.errors import NotFoundError, RefusedError
from opensession.store import Store
from opensession.store.handoffs import Handoffs

handoffs = Handoffs(Store(sys.argv[1]))
random.seed(int(sys.argv[2]))
texts = [b'{"sources":[],"type":"artifact","x":%d}\\n' % n for n in range(4)]
for _ in range(int(sys.argv[3])):
    alias, text = random.choice("ab"), random.choice(texts)
    try:
        match random.randrange(6):
            case 0 | 1:
                handoffs.pin(alias, handoffs.put(text)[0])
            case 2:
                handoffs.unpin(alias)
            case 3 | 4:
                handoffs.rm(random.choice(handoffs.addresses()))
            case 5:
                handoffs.store.gc(apply=True)
        pinned = handoffs.pinned(alias)
        if pinned is not None and random.random() < 0.3:
            try:
                handoffs.read(pinned)
            except NotFoundError:
                assert handoffs.pinned(alias) != pinned
    except (NotFoundError, RefusedError, IndexError):
        pass
"""


@pytest.mark.slow
def test_processes_that_pin_unpin_remove_and_collect_never_lose_a_pinned_artifact(env):
    root = env.work / "store"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(root), str(seed), "120"],
            env=env.variables,
            cwd=env.work,
            stderr=subprocess.PIPE,
        )
        for seed in range(4)
    ]
    store = Handoffs(Store(root))
    while any(worker.poll() is None for worker in workers):
        for alias in "ab":
            store.pinned(alias)  # raises where an alias leads to no artifact
    for worker in workers:
        assert worker.communicate()[1] == b""
        assert worker.returncode == 0
    for pin in store.pins():
        assert store.read(pin.sha256)
    check_left(root)
