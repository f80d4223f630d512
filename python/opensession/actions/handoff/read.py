"""Hands out an artifact: its lines, its sources' bytes, a page for a person, a prompt for an agent.

Owns the choice of the form. Must not know a terminal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from opensession import core
from opensession.actions import inputs
from opensession.actions.handoff import bundle
from opensession.actions.handoff.artifact import Artifact, read
from opensession.errors import IntegrityError, LossesError, NotFoundError, UsageError
from opensession.exactjson import loads
from opensession.store.handoffs import find
from opensession.uri import ArtifactUri, format_local

if TYPE_CHECKING:
    from opensession.actions.parse import Progress
    from opensession.store import Store, Stores

CANONICAL = "canonical"
RAW = "raw"
MARKDOWN = "markdown"
PROMPT = "prompt"
FORMATS = (CANONICAL, RAW, MARKDOWN, PROMPT)
JSONL = "jsonl"
JSON = "json"
ENCODINGS = (JSONL, JSON)


class Got(NamedTuple):
    """An artifact's bytes, checked against their address."""

    sha256: str
    store: Store | None
    """The one it is in; None for a bundle."""
    data: bytes

    def artifact(self) -> Artifact:
        """What stands in it; raises LossesError for one that other rules made."""
        found = read(self.data)
        if isinstance(found, Artifact):
            return found
        raise LossesError(
            f"{ArtifactUri(self.sha256)} needs {found.needs}, which is not known here",
            next=[f"opensession handoff artifacts get {ArtifactUri(self.sha256)} --format canonical"],
        )


def get(stores: Stores, named: str) -> Got:
    """The artifact that ``named`` means."""
    handoffs, sha256 = find(stores, named)
    return Got(sha256, handoffs.store, handoffs.read(sha256))


def from_bundle(named: str) -> Got:
    """The artifact in the bundle ``named``; its sources are not looked at, which `verify` does."""
    with inputs.open_input(named, None) as file, bundle.opened(file.fd) as packed:
        actual, length = core.copy(packed.data)
        if actual != packed.sha256:
            raise IntegrityError(f"the artifact in {named!r} is damaged: its {length} bytes hash to {actual}")
        return Got(packed.sha256, None, packed.data)


def as_json(got: Got) -> str:
    """The lines as one array."""
    lines = [loads(line) for line in got.data.splitlines()]
    return json.dumps(lines, ensure_ascii=False, indent=2, sort_keys=True)


def as_markdown(got: Got) -> str:
    """The page for a person."""
    from opensession.actions.handoff.markdown import page

    return page(got.artifact())


def as_prompt(got: Got, budget: int | None) -> str:
    """The text for the next agent, within ``budget`` tokens."""
    from opensession.actions.handoff.prompt import text

    return text(got.artifact(), budget)


def copy_raw(stores: Stores, got: Got, out: int, *, progress: Progress | None = None) -> int:
    """Copy the sources' bytes to ``out``, one after another; returns how many bytes those are."""
    if got.store is None:
        raise UsageError(
            "the sessions of a file are read after it was imported",
            next=["opensession handoff artifacts import --help"],
        )
    sources = [(holder(stores, got.store, source.sha256), source) for source in got.artifact().sources]
    for store, source in sources:
        if store is None:  # said before the first byte leaves
            raise NotFoundError(
                f"the source {format_local(source.sha256)} of {ArtifactUri(got.sha256)} is not here",
                next=[f"opensession handoff artifacts verify {ArtifactUri(got.sha256)}", "opensession ls"],
            )
    return sum(store.copy_to(s.sha256, out, progress=progress) for store, s in sources if store is not None)


def holder(stores: Stores, first: Store, sha256: str) -> Store | None:
    """The store that has a source: that of the artifact before others."""
    return next((store for store in (first, *stores) if store.has(sha256)), None)
