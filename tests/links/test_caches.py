"""The two caches of linking: losing them changes nothing but the time it takes."""

from __future__ import annotations

import pytest
from toaster import HEAT

from opensession.store import Store, linking


def test_a_log_is_known_while_it_is_as_it_was_and_its_session_is_there(env, hail):
    store = Store(env.store)
    [stored] = store.put_hail(hail.session())
    linking.became(store, "/log", 10, 20, "codex/1", stored.sha256)

    assert linking.session_of(store, "/log", 10, 20, "codex/1") == stored.sha256
    for other in (("/other", 10, 20, "codex/1"), ("/log", 11, 20, "codex/1"), ("/log", 10, 21, "codex/1")):
        assert linking.session_of(store, *other) is None
    assert linking.session_of(store, "/log", 10, 20, "codex/2") is None
    store.rm(stored.sha256)
    assert linking.session_of(store, "/log", 10, 20, "codex/1") is None


def test_how_far_a_session_was_compared_is_kept_for_each_ledger(env, hail):
    store = Store(env.store)
    assert linking.compared(store, "ref", ["a"]) == {}
    store.put_hail(hail.session())
    linking.note_compared(store, "ref", {"a": "tip-1", "b": "tip-1"})
    linking.note_compared(store, "ref", {"a": "tip-2"})
    linking.note_compared(store, "ref", {})

    assert linking.compared(store, "ref", ["a", "b", "c"]) == {"a": "tip-2", "b": "tip-1"}
    assert linking.compared(store, "other", ["a"]) == {}


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0 and then nothing"])
def test_a_damaged_cache_is_made_anew(world, content):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    root = world.stores().write.root
    for name in ("logs.db", "compared.db"):
        (root / name).write_bytes(content)

    world.sync()
    assert world.linked(commit) == {session: 1.0}
    assert world.sync().changed is False


def test_a_store_that_is_only_read_has_no_cache_written(env, hail):
    Store(env.store).put_hail(hail.session())
    linking.note_compared(Store(env.store, readonly=True), "ref", {"a": "tip"})

    assert not (env.store / "compared.db").exists()
