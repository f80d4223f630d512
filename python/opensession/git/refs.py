"""The names of ledgers: branch to ref and back, and which refs this program may write at all.

Owns the spelling of ``refs/opensession/branches/…`` (docs/git.md). Pure: it asks no repository, so what is taken
there is handed in.
"""

from __future__ import annotations

import binascii
import os

from opensession.errors import RefusedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NAMESPACE = "refs/opensession/"
BRANCHES = NAMESPACE + "branches/"
NOTES = "refs/notes/opensession"
_LONGEST = 180
"""Characters of base64url. A file name has at most 255, and git appends ``.lock`` and names of its own."""
_HASHED = "h-"
# What `base64.urlsafe_b64encode` does, without the regular expressions that the module loads.
_FOR_NAMES = bytes.maketrans(b"+/", b"-_")
_FORBIDDEN = r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$"


def ledger_ref(branch: str, taken: Iterable[str] = ()) -> str:
    """The ref of a branch's ledger.

    The name is base64url, so that no slash, no case and no length of a branch's name matters to a file system that
    keeps refs as files; a name that is too long, or that differs from one of ``taken`` only by case, is a hash.
    """
    name = os.fsencode(branch)
    encoded = binascii.b2a_base64(name, newline=False).translate(_FOR_NAMES).rstrip(b"=").decode()
    ref = BRANCHES + encoded
    folded = ref.lower()
    if len(encoded) > _LONGEST or any(other != ref and other.lower() == folded for other in taken):
        return hashed_ref(branch)
    return ref


def refuse_clash(ref: str, taken: Iterable[str]) -> None:
    """Raise RefusedError for a new ref that cannot be beside those there are, on every disk that git runs on."""
    for other in taken:
        if other.startswith(f"{ref}/") or ref.startswith(f"{other}/"):
            reason = "git cannot have both"
        elif other != ref and other.lower() == ref.lower():
            reason = "they differ only by case, which not every disk can tell"
        else:
            continue
        raise RefusedError(
            f"{ref!r} would stand beside {other!r}: {reason}", next=["git for-each-ref refs/opensession/"]
        )


def hashed_ref(branch: str) -> str:
    """The ref of a ledger whose branch's name cannot be spelled out."""
    import hashlib

    return f"{BRANCHES}{_HASHED}{hashlib.sha256(os.fsencode(branch)).hexdigest()}"


def ledger_refs(branch: str) -> tuple[str, ...]:
    """All refs that may hold the branch's ledger, the usual one first: which one it is depends on what else was there
    when it was made.
    """
    return tuple(dict.fromkeys((ledger_ref(branch), hashed_ref(branch))))


def branch_of(ref: str) -> str | None:
    """The branch whose ledger this ref is; None for a hash, or a ref that is no ledger's."""
    from base64 import urlsafe_b64decode

    encoded = ref.removeprefix(BRANCHES)
    if encoded == ref:
        return None
    try:
        branch = os.fsdecode(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError:
        return None
    # One branch, one ref: what has stray bits or is no spelling of ours (a hash) is not taken for a name.
    return branch if _is_branch(branch) and ledger_ref(branch) == ref else None


def checked_ref(text: str) -> str:
    """``text``, where it is a ref that this program may write; raises RefusedError or UsageError."""
    if not text.startswith(NAMESPACE) and text != NOTES:
        raise RefusedError(
            f"{text!r} is not a ref for sessions: only refs below {NAMESPACE} are written, never a branch or a tag",
            next=["git for-each-ref refs/opensession/"],
        )
    if _is_forbidden(text):
        raise UsageError(f"{text!r} is no name that git allows for a ref", next=["git help check-ref-format"])
    return text


def _is_branch(name: str) -> bool:
    return bool(name) and not _is_forbidden("refs/heads/" + name)


def _is_forbidden(ref: str) -> bool:
    import re

    return re.search(_FORBIDDEN, ref) is not None
