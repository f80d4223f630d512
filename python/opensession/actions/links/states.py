"""The sessions that a ledger describes, and what becomes of links to states of one session.

Owns that a part of a ledger which has not changed is not read again, and that of several states of a session the
longest one stands for all. What a longer state is `extending` proves.
"""

from __future__ import annotations

import json

from opensession import core
from opensession.actions.links.extending import Extended, State
from opensession.errors import NotFoundError
from opensession.light import contextmanager
from opensession.store import linking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from opensession.actions.links.reading import Known
    from opensession.git.linked import Linked
    from opensession.store import Store, Stores


def described(store: Store, linked: Linked, ledger: str) -> list[State]:
    """The sessions that a ledger describes."""
    trees = linked.descriptions(ledger)
    known = linking.states(store, trees)
    found: list[State] = []
    fresh: dict[str, str] = {}
    for tree in trees:
        here = _parsed(known.get(tree, ""))
        if here is None:
            here = [state for each in linked.described(tree) if (state := _state(*each)) is not None]
            fresh[tree] = json.dumps(here)
        found += here
    linking.note_states(store, fresh)
    return found


def _parsed(text: str) -> list[State] | None:
    try:
        return [State(*each) for each in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        return None


def _state(sha256: str, meta: Mapping[str, Any]) -> State | None:
    name, tool, size = meta.get("id"), meta.get("tool"), meta.get("bytes")
    if not isinstance(name, str) or not isinstance(tool, str) or not isinstance(size, int):
        return None
    return State(sha256, name, tool, size)


def longer(stores: Stores, linked: Linked, ledger: str, sessions: Iterable[State]) -> dict[str, str]:
    """For each of the sessions of which the ledger has a longer state, the longest."""
    own = {state.sha256: state for state in sessions}
    names = {(state.session_id, state.tool) for state in own.values()}
    others = [
        state
        for state in described(stores.write, linked, ledger)
        if (state.session_id, state.tool) in names
        and state.sha256 not in own
        and linked.records(ledger, state.sha256)
    ]
    with Extended(stores.write, lambda sha256: opened(stores, [linked], sha256)) as extended:
        found = extended.newest([*own.values(), *others], own)
    return {sha256: state for sha256, state in found.items() if state not in own}


@contextmanager
def opened(stores: Stores, ledgers: Iterable[Linked], sha256: str) -> Iterator[int | None]:
    """A descriptor of a session's checked bytes, from a store or a ledger; None where they are not here."""
    try:
        store, _ = stores.find(sha256)
    except NotFoundError:
        with core.temporary_file() as fd:
            yield fd if any(linked.copy(sha256, fd) for linked in ledgers) else None
        return
    with store.open(sha256) as stored:
        yield stored.fd


def merged(
    known: Iterable[Known], newest: Mapping[str, str], where: Mapping[str, tuple[str | None, str]]
) -> list[Known]:
    """One entry for each session, the surest first: the longest state, with the best link that any of them has."""
    found: dict[str, list[Known]] = {}
    for each in known:
        sha256 = each.link.sha256
        found.setdefault(newest.get(sha256, sha256), []).append(each)
    answer = [_merged(sha256, states, where) for sha256, states in found.items()]
    return sorted(answer, key=lambda each: (-each.link.confidence, each.link.sha256))


def _merged(sha256: str, states: list[Known], where: Mapping[str, tuple[str | None, str]]) -> Known:
    own = next((each for each in states if each.link.sha256 == sha256), None)
    earlier = tuple(sorted(each.link.sha256 for each in states if each is not own))
    if not earlier:
        return states[0]
    surest = max(states, key=lambda each: (each.link.confidence, each is own))
    remote, ledger = where[sha256] if own is None else (own.remote, own.ledger)
    link = surest.link._replace(sha256=sha256)
    return surest._replace(link=link, ledger=ledger, remote=remote, supersedes=earlier)
