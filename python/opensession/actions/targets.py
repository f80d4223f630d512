"""What a person may name to look at: an address in a store, a file of HAIL, or a session at a git remote.

Owns which of them a text means. Must not know what is done with it, nor how a remote is read (remote.py).
"""

from __future__ import annotations

import os

from opensession.light import NamedTuple
from opensession.store.layout import SUFFIX, is_prefix, is_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensession.settings import AnyPath
    from opensession.store import Store, Stores


class Place(NamedTuple):
    """Where somebody stands who reads a URI of a remote."""

    cwd: AnyPath
    env: Mapping[str, str]
    remote: str | None = None
    """The remote that was typed for it: a name, a URL or a path."""


class Origin(NamedTuple):
    """What was found for the URI of a remote; it is in a store now."""

    store: Store
    sha256: str
    """The address in the store."""
    checked: bool
    """Whether the URI promises the hash of the bytes, and they have it."""
    canonical: bool
    """Whether the bytes there are those that are stored; else their canonical form is."""


class Target(NamedTuple):
    """Something to look at; a file where ``store`` is None."""

    named: str
    store: Store | None
    sha256: str | None
    """The address its bytes must have; None where no address was given."""
    origin: Origin | None = None
    """Where it came from, for the URI of a remote."""


def resolve(stores: Stores, named: str, place: Place | None = None) -> Target:
    """What ``named`` means: a URI, a hash, a prefix of eight digits or more, else a file.

    ``place`` is there where remotes may be read.
    """
    return file_target(named) or find(stores, named, place)


def file_target(named: str) -> Target | None:
    """What ``named`` means where that is a file, for which no store is needed; None where it is an address.

    A file named like a store's object promises its address too.
    """
    if is_address(named) and (named.startswith("os:") or not os.path.exists(named)):
        return None
    promised = os.path.basename(named).removesuffix(SUFFIX)
    return Target(named, None, promised if named.endswith(SUFFIX) and is_sha256(promised) else None)


def find(stores: Stores, address: str, place: Place | None = None) -> Target:
    """The session at an address, in the store that has it; one at a remote is brought into a store first."""
    if place is not None and address.startswith("os://src/") and not address.startswith("os://src/local/"):
        from opensession.uri import GithubUri, GitlabUri, GitUri, parse_uri  # here: a file has none

        uri = parse_uri(address)
        if isinstance(uri, GithubUri | GitlabUri | GitUri):
            # Only here: most commands never need git.
            from opensession.actions.remote import materialize

            origin = materialize(stores, uri, place)
            return Target(address, origin.store, origin.sha256, origin)
    store, sha256 = stores.find(address)
    return Target(address, store, sha256)


def is_address(named: str) -> bool:
    """Whether the text is spelled like an address, rightly or nearly."""
    return named[:3].lower() == "os:" or is_prefix(named.lower())


def doubts(origin: Origin | None) -> list[str]:
    """What a person should know about a session from a remote."""
    if origin is None:
        return []
    said = []
    if not origin.checked:
        said.append("the address could not be checked: its path does not end in <sha256>.jsonl")
    if not origin.canonical:
        from opensession.uri import format_local

        said.append(
            f"the bytes there are not in canonical form; stored in it as {format_local(origin.sha256)}"
        )
    return said
