"""The one door: whatever leaves this machine is scanned for secrets here first (docs/secrets.md).

:func:`release` lets sessions pass, :func:`release_bytes` anything else; :class:`Door` is for what takes both in one
breath, as a bundle does. Sharing, exporting, pushing, pages and prompts come through here, and nothing else lets what
a session holds out. A test holds every command to that.
"""

from opensession.actions.release.door import Door, Passed, Released, release, release_bytes
from opensession.actions.release.scanner import Finding, Scanner
from opensession.store.secret_key import key_of

__all__ = [
    "Door",
    "Finding",
    "Passed",
    "Released",
    "Scanner",
    "key_of",
    "release",
    "release_bytes",
]
