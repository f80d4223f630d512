"""Hands out an artifact: its lines, its sources' bytes, a page for a person, a prompt for an agent.

Owns the choice of the form. Must not know a terminal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from opensession.actions.handoff.artifact import Artifact, read
from opensession.errors import LossesError, NotFoundError
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
    store: Store
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
