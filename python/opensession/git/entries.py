"""The paths of a ledger (docs/git.md): what stands where, and what a path that was found there is.

Owns the layout. Pure. A path is made of hashes only: no id, name or title out of a session ever becomes one.
"""

from __future__ import annotations

import re
from enum import Enum

from opensession.errors import UsageError
from opensession.git.trees import DEEPEST
from opensession.light import NamedTuple

SESSIONS = "v2/sessions/"
META = "v2/meta/"
COMMITS = "v2/commits/"
GONE = "v2/gone/"

_SESSION = re.compile(r"v2/sessions/([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})\.jsonl")
_META = re.compile(r"v2/meta/([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})\.json")
_LINK = re.compile(r"v2/commits/([0-9a-f]{2})/(\1(?:[0-9a-f]{38}|[0-9a-f]{62}))/([0-9a-f]{64})")
_GONE = re.compile(r"v2/gone/([0-9a-f]{64})")
_FLAT = re.compile(r"sessions/([0-9a-f]{64})\.jsonl")
_NAMED = re.compile(r"(?:.*/)?([0-9a-f]{64})\.jsonl", re.DOTALL)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]|(?:^|/)(?:\.{0,2}|\.git)(?:/|$)", re.IGNORECASE)


class Kind(Enum):
    """What an entry of a ledger is."""

    SESSION = "session"
    META = "meta"
    LINK = "link"
    GONE = "gone"
    FLAT = "flat"
    """A session under ``sessions/``: of an older program."""
    V1 = "v1"
    """Anything under ``v1/``: of an older program."""
    PLACED = "placed"
    """A session at a path that the user chose."""


class Place(NamedTuple):
    """A path of a ledger, taken apart."""

    kind: Kind
    sha256: str | None
    """The session's address, where the path holds it."""
    commit: str | None = None


def session_path(sha256: str) -> str:
    """Where a session's canonical bytes stand."""
    return f"{SESSIONS}{sha256[:2]}/{sha256[2:4]}/{sha256}.jsonl"


def meta_path(sha256: str) -> str:
    """Where the description of a session stands."""
    return f"{META}{sha256[:2]}/{sha256[2:4]}/{sha256}.json"


def link_path(commit: str, sha256: str) -> str:
    """Where it stands that a session belongs to a commit."""
    return f"{COMMITS}{commit[:2]}/{commit}/{sha256}"


def gone_path(sha256: str) -> str:
    """Where the tombstone of a session stands."""
    return GONE + sha256


def flat_path(sha256: str) -> str:
    """Where an older program keeps a shared session."""
    return f"sessions/{sha256}.jsonl"


def place_of(path: str) -> Place | None:
    """What a path of a ledger is; None for one that has no business there."""
    if path.startswith("v2/"):
        if found := _SESSION.fullmatch(path):
            return Place(Kind.SESSION, found[3])
        if found := _META.fullmatch(path):
            return Place(Kind.META, found[3])
        if found := _LINK.fullmatch(path):
            return Place(Kind.LINK, found[3], found[2])
        if found := _GONE.fullmatch(path):
            return Place(Kind.GONE, found[1])
        return None
    if _UNSAFE.search(path) or path.count("/") > DEEPEST:
        return None
    if found := _FLAT.fullmatch(path):
        return Place(Kind.FLAT, found[1])
    if path.startswith("v1/"):
        return Place(Kind.V1, None)
    if path.endswith(".jsonl"):
        named = _NAMED.fullmatch(path)
        return Place(Kind.PLACED, named[1] if named else None)
    return None


def classify(path: str) -> Kind | None:
    """The kind of entry that a path names; None for one that has no business in a ledger."""
    place = place_of(path)
    return None if place is None else place.kind


def checked_path(path: str) -> str:
    """A path for a session that a user chose; raises UsageError where a ledger cannot have it."""
    if place_of(path) is None or path.startswith(("v1/", "v2/")):
        raise UsageError(
            f"{path!r} is no path for a session in a ledger: it is relative, ends in .jsonl, has no empty, '.', '..' "
            f"or '.git' part, no backslash or control character, and does not begin with v1/ or v2/"
        )
    return path
