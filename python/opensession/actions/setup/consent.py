"""Which remotes this clone has agreed to send sessions to: a name and an address, both unchanged.

Owns the values of ``opensession.fanout-remote`` and what they allow. Pure: the values and the remotes are handed in. An
address is kept in the normal form of docs/uri.md, so no password can get into the configuration.
"""

from __future__ import annotations

import os

from opensession.errors import BadUriError
from opensession.light import NamedTuple
from opensession.remotes import normal_form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEY = "opensession.fanout-remote"


class Grant(NamedTuple):
    """A remote by its name, and one of its addresses in normal form."""

    name: str
    normal: str

    @property
    def value(self) -> str:
        """How it stands in the configuration."""
        return f"{self.name} {self.normal}"


def grant_of(value: str) -> Grant | None:
    """The grant that a value of the configuration is, or None where it is none."""
    name, _, address = value.strip().partition(" ")
    normal = normal_of(address.strip())
    return Grant(name, normal) if name and normal is not None else None


def normal_of(address: str, base: str | None = None) -> str | None:
    """The normal form of an address; a relative path begins at ``base``. None where it has none."""
    try:
        return normal_form(address)
    except BadUriError:
        pass
    if "://" in address or ":" in address.partition("/")[0] or not (base or address.startswith("/")):
        return None
    from urllib.parse import quote

    # A path may hold what an address may not; git decodes a file URL.
    path = os.path.abspath(os.path.join(base or "/", address))
    return "file://" + quote(path.rstrip("/").removesuffix(".git"))


class Standing(NamedTuple):
    """How one remote stands to the grants."""

    name: str
    granted: tuple[Grant, ...]
    """Grants for addresses that the remote has."""
    missing: tuple[Grant, ...]
    """Addresses of the remote that nothing was granted for."""
    stale: tuple[str, ...]
    """Values of the configuration that name this remote and another address."""

    @property
    def changed(self) -> bool:
        """Whether the remote was agreed to under another address, and not under its present one."""
        return bool(self.stale and self.missing)


def standing(name: str, addresses: Sequence[str], values: Iterable[str]) -> Standing:
    """How the remote ``name``, which is pushed to at these normal addresses, stands to the configured values."""
    given = [(value, grant) for value in values if (grant := grant_of(value)) is not None]
    own = {grant.normal for _, grant in given if grant.name == name}
    wanted = [Grant(name, address) for address in dict.fromkeys(addresses)]
    return Standing(
        name,
        tuple(grant for grant in wanted if grant.normal in own),
        tuple(grant for grant in wanted if grant.normal not in own),
        tuple(value for value, grant in given if grant.name == name and grant.normal not in addresses),
    )


def is_granted(name: str, normal: str | None, values: Iterable[str]) -> bool:
    """Whether a push to the remote ``name`` at this address may be followed by ours."""
    return normal is not None and any(grant_of(value) == Grant(name, normal) for value in values)
