"""An artifact on its way out: whatever of it leaves goes through the door, redacted first where that was asked for.

Owns that a redacted artifact is a new one, built over redacted copies of its sources by the same rules, so that it can
be verified like any other. Must not know where it goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opensession.actions.handoff import build, sources
from opensession.actions.handoff.read import Got, as_markdown, as_prompt, get
from opensession.actions.release import Door
from opensession.errors import UsageError
from opensession.uri import ArtifactUri

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opensession.actions.parse import Progress
    from opensession.store import Stores


class Terms(NamedTuple):
    """On what terms secrets pass: named by fingerprint, or replaced."""

    allow: Sequence[str] = ()
    redact: bool = False


AS_IT_IS = Terms()
"""Nothing is allowed and nothing replaced: what holds a secret stays."""


class Leaving(NamedTuple):
    """An artifact that may leave with all its sources."""

    got: Got
    rules: Mapping[str, int]
    """How often each rule was applied to its sources now; empty where the artifact is the one that was asked for."""


def whole(stores: Stores, got: Got, terms: Terms, *, progress: Progress | None = None) -> Leaving:
    """The artifact that may leave as a bundle; raises SecretsFoundError where none may."""
    door = _door(stores, terms, progress)
    leaving = _passed(stores, got, door)
    door.data(str(ArtifactUri(leaving.got.sha256)), leaving.got.data)
    door.settle()
    return leaving


def markdown(stores: Stores, got: Got, terms: Terms) -> str:
    """The page for a person."""
    return _page(stores, got, terms, as_markdown)


def prompt(stores: Stores, got: Got, budget: int | None, terms: Terms) -> str:
    """The text for the next agent, within ``budget`` tokens."""
    return _page(stores, got, terms, lambda each: as_prompt(each, budget))


def _page(stores: Stores, got: Got, terms: Terms, laid_out: Callable[[Got], str]) -> str:
    """A page, and what it was made from: a summary that holds a secret makes no page, whatever it leaves out."""
    door = _door(stores, terms, None)
    if terms.redact and not door.is_clear(got.data):
        got = _passed(stores, got, door).got
    uri = str(ArtifactUri(got.sha256))
    page = laid_out(got)
    door.data(uri, got.data)
    door.text(f"the page of {uri}", page)
    door.settle()
    return page


def _door(stores: Stores, terms: Terms, progress: Progress | None) -> Door:
    return Door(stores.write, holders=stores, allow=terms.allow, redact=terms.redact, progress=progress)


def _passed(stores: Stores, got: Got, door: Door) -> Leaving:
    """The artifact, or one over what may leave in the place of its sources."""
    if got.store is None:
        raise UsageError(
            "the sessions of a file are redacted after it was imported",
            next=["opensession handoff artifacts import --help"],
        )
    passed = [door.session(source.sha256) for source in got.artifact().sources]
    if not any(each.redacted for each in passed):
        return Leaving(got, {})
    rules: dict[str, int] = {}
    for each in passed:
        for rule, count in each.rules.items():
            rules[rule] = rules.get(rule, 0) + count
    cited = [sources.from_stores(stores, each.sha256) for each in passed]
    return Leaving(get(stores, build.build(stores.write, cited).sha256), rules)
