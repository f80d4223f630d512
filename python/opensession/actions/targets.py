"""What a person may name to look at: an address in a store, or a file of HAIL.

Owns which of the two a text means. Must not know what is done with it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from opensession.store import Store, Stores

_ADDRESS = re.compile(r"[0-9A-Fa-f]{8,64}")
_OBJECT_FILE = re.compile(r"([0-9a-f]{64})\.jsonl")


class Target(NamedTuple):
    """Something to look at; a file where ``store`` is None."""

    named: str
    store: Store | None
    sha256: str | None
    """The address its bytes must have; None where no address was given."""


def resolve(stores: Stores, named: str) -> Target:
    """What ``named`` means: a URI, a hash, a prefix of eight digits or more, else a file.

    A file named like a store's object promises its address too.
    """
    if is_address(named) and not (os.path.exists(named) and not named.startswith("os:")):
        store, sha256 = stores.find(named)
        return Target(named, store, sha256)
    promised = _OBJECT_FILE.fullmatch(os.path.basename(named))
    return Target(named, None, promised.group(1) if promised else None)


def is_address(named: str) -> bool:
    """Whether the text is spelled like an address, rightly or nearly."""
    return named[:3].lower() == "os:" or _ADDRESS.fullmatch(named) is not None
