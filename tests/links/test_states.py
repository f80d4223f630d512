"""Of several states of one session the longest stands for all, where bytes prove that it is one."""

from __future__ import annotations

import json
import os

import pytest
from toaster import HEAT, KETTLE

from opensession.actions.links import extending
from opensession.actions.links.clock import Clock
from opensession.actions.links.extending import Extended, State
from opensession.actions.log import log
from opensession.cli.app import main
from opensession.git.ledger import Changes


@pytest.fixture
def grown(world):
    """A commit that is linked to a session, and the longer one that the session became for the commit after it."""
    first = world.commit("heat", 50, **{"heat.py": HEAT})
    wrote = world.wrote("heat.py", HEAT)
    short = world.session("s", wrote)
    world.sync()
    second = world.commit("kettle", 220, **{"kettle.py": KETTLE})
    long = world.session("s", wrote, world.wrote("kettle.py", KETTLE, 210), end=300)
    world.sync()
    assert world.linked(first) == {short: 1.0}
    assert world.linked(second) == {long: 1.0}
    return first, short, long


def shown(world) -> dict[str, list[tuple[str, float, tuple[str, ...]]]]:
    found = log(world.stores(), world.repository(), "HEAD", env=os.environ, clock=Clock(None), most=20)
    return {
        entry.commit.oid: [(s.known.link.sha256, s.known.link.confidence, s.known.supersedes) for s in entry.sessions]
        for entry in found.entries
    }  # fmt: skip


def test_a_longer_state_in_the_ledger_is_shown_in_the_place_of_the_linked_one(world, grown):
    first, short, long = grown
    assert shown(world)[first] == [(long, 1.0, (short,))]


def test_that_holds_where_the_ledger_alone_has_their_bytes(world, grown):
    first, short, long = grown
    for sha256 in (short, long):
        world.stores().write.rm(sha256)
    assert shown(world)[first] == [(long, 1.0, (short,))]


def test_why_reads_the_longer_state_for_the_event(world, grown, capsys):
    first, short, long = grown
    assert main(["why", "heat.py:1", "--json"]) == 0
    [session] = json.loads(capsys.readouterr().out)["sessions"]
    assert (session["hash"], session["supersedes"], session["reasons"]) == (
        long,
        [short],
        ["content", "cwd", "time"],
    )
    assert session["event"]["ordinal"] == 0

    assert main(["log", first]) == 0
    assert "with 1 earlier state of it" in capsys.readouterr().out


def test_where_both_are_linked_the_best_link_counts_for_the_longer_one(world, grown):
    first, short, long = grown
    ledger = world.repository().ledger(world.repository().ledger_ref("main"))
    [link] = [each for each in ledger.links(first) if each.sha256 == short]
    ledger.record(Changes(links=[link._replace(sha256=long, confidence=0.25)]), "link")
    assert shown(world)[first] == [(long, 1.0, (short,))]


def test_a_longer_state_that_was_taken_back_stands_for_nothing(world, grown):
    first, short, long = grown
    ledger = world.repository().ledger(world.repository().ledger_ref("main"))
    ledger.record(Changes(gone=[long]), "unshare")
    assert shown(world)[first] == [(short, 1.0, ())]


def test_a_session_that_only_has_the_same_name_stands_for_itself(world):
    first = world.commit("heat", 50, **{"heat.py": HEAT})
    short = world.session("s", world.wrote("heat.py", HEAT))
    world.sync()
    world.commit("kettle", 220, **{"kettle.py": KETTLE})
    other = world.session("s", world.said("hm"), world.wrote("kettle.py", KETTLE, 210), end=300)
    world.sync()

    assert other in {sha256 for _, sha256, _, _ in world.links()}
    assert shown(world)[first] == [(short, 1.0, ())]


def test_what_a_ledger_says_of_a_session_proves_nothing(world):
    """The two have the same events, and a description that lies about the name."""
    first = world.commit("heat", 50, **{"heat.py": HEAT})
    wrote = world.wrote("heat.py", HEAT)
    short = world.session("s", wrote)
    world.sync()
    long = world.session("another", wrote, world.said("and now?", 60))
    ledger = world.repository().ledger(world.repository().ledger_ref("main"))
    said = b'{"bytes":99999,"id":"s","tool":"%s"}' % ledger.meta(short)["tool"].encode()
    with world.stores().write.open(long) as stored:
        ledger.record(Changes(sessions=[(long, stored.fd, said)]), "share")

    assert shown(world)[first] == [(short, 1.0, ())]


def test_what_was_proven_is_not_compared_again(world, grown, monkeypatch):
    first, short, long = grown
    shown(world)
    monkeypatch.setattr(extending, "extends", lambda *_: pytest.fail("compared again"))
    assert shown(world)[first] == [(long, 1.0, (short,))]


@pytest.mark.parametrize("content", [b"", b"no database"])
def test_caches_that_are_lost_change_nothing(world, grown, content):
    first, short, long = grown
    shown(world)
    root = world.stores().write.root
    for name in ("extended.db", "states.db", "described.db", "names.db"):
        (root / name).write_bytes(content)
    assert shown(world)[first] == [(long, 1.0, (short,))]


def test_a_commit_is_linked_to_the_longer_state_that_only_the_ledger_has(world, grown):
    """Another machine may have recorded it; this one has the beginning of the session."""
    _, short, long = grown
    world.stores().write.rm(long)
    (world.stores().write.root / "compared.db").unlink()
    world.git("checkout", "-q", "--orphan", "again")
    again = world.commit("heat again", 60, **{"heat.py": HEAT})
    world.git("branch", "-q", "-f", "main", again)
    world.git("checkout", "-q", "main")

    done = world.sync()
    assert [e.sha256 for e in world.stores().ls()] == [short]
    assert [(link.commit, link.sha256) for link in done.links] == [(again, long)]
    assert world.sync().changed is False


# ---- the proof itself ----


def newest(world, *sha256s: str, wanted=None) -> dict[str, str]:
    store = world.stores().write
    states = [State(e.sha256, e.session_id, e.tool, e.bytes) for e in store.entries() if e.sha256 in sha256s]

    class Opened:
        def __init__(self, sha256):
            self.stored = store.open(sha256)

        def __enter__(self):
            return self.stored.fd

        def __exit__(self, *_):
            self.stored.close()

    with Extended(store, Opened) as extended:
        return extended.newest(states, wanted)


def test_every_state_leads_to_the_longest(world):
    events = [world.said(f"word {n}", n) for n in range(6)]
    states = [world.session("s", *events[:n], end=n) for n in range(1, 7)]
    assert newest(world, *states) == dict.fromkeys(states[:-1], states[-1])
    assert newest(world, *states, wanted={states[2]}) == {states[2]: states[-1]}


def test_two_ways_on_from_one_state_stand_for_themselves_and_for_it(world):
    start, left, right = world.said("so", 1), world.said("left", 2), world.said("to the right", 2)
    begun, one, two = (
        world.session("s", start),
        world.session("s", start, left),
        world.session("s", start, right),
    )
    found = newest(world, begun, one, two)
    assert found.keys() == {begun}
    assert found[begun] in {one, two}


def test_of_two_with_the_same_events_the_one_that_was_named_last_stands_for_both(world):
    said = world.said("so", 1)
    early = world.session("s", said, end=10, notes="x" * 300)
    late = world.session("s", said, end=20)
    assert newest(world, early, late) == {early: late}


def test_a_session_that_cannot_be_read_proves_nothing(world):
    said = world.said("so", 1)
    short, long = world.session("s", said), world.session("s", said, world.said("and", 2))
    [path] = [e.path for e in world.stores().write.entries() if e.sha256 == long]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"and", b"AND"))
    assert newest(world, short, long) == {}
