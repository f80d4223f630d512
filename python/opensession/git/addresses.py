"""Whether an address that came from somebody else leads out into the public network.

Owns the rule for URIs that nobody here typed or configured: https, a public host, no user, and the very addresses that
were looked at. It only asks for names; it connects to nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from opensession.errors import RefusedError, RemoteFailedError
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Resolve = Callable[[str, int], list[str]]

_NOT_PUBLIC = (
    ".localhost",
    ".local",
    ".internal",
    ".lan",
    ".home",
    ".home.arpa",
    ".intranet",
    ".corp",
    ".onion",
)
_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIXTOFOUR = ipaddress.ip_network("2002::/16")


def pinned(normal: str, env: Mapping[str, str], resolve: Resolve | None = None) -> tuple[str, ...]:
    """Options that hold git to the addresses that were looked at, for a remote in normal form.

    Raises RefusedError for one that a URI alone may not lead to.
    """
    parts = urlsplit(normal)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https":
        raise _refused(normal, f"it is reached by {parts.scheme}")
    literal = _literal(host)
    if literal is not None:
        if not _is_public(literal):
            raise _refused(normal, f"{host} is an address of this machine or of a private network")
        return ()
    if "." not in host or f".{host}".endswith(_NOT_PUBLIC):
        raise _refused(normal, f"{host!r} is a name of this machine or of a private network")
    if any(env.get(name) for name in _PROXIES):
        return ()  # the proxy asks for the name, and what it may reach is its own affair
    port = parts.port or 443
    found = (resolve or _resolve)(host, port)
    if not found or not all(_is_public(ipaddress.ip_address(address)) for address in found):
        raise _refused(normal, f"{host} leads to an address of this machine or of a private network")
    shown = ",".join(f"[{address}]" if ":" in address else address for address in found)
    return (f"http.curloptResolve={host}:{port}:{shown}",)


def _resolve(host: str, port: int) -> list[str]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        error = RemoteFailedError(
            f"the host {host!r} could not be found", next=[f"getent hosts {quoted(host)}"]
        )
        error.reason = "network"
        raise error from None
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def _literal(host: str) -> Address | None:
    """The address that a host is spelled as, in any of the ways that the C library understands."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:  # 127.1, 0x7f.1, 2130706433
        return ipaddress.ip_address(socket.inet_aton(host)) if host[:1].isdigit() else None
    except (OSError, UnicodeError):
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address in _SIXTOFOUR:
            inner = address.sixtofour
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


def _refused(normal: str, reason: str) -> RefusedError:
    return RefusedError(f"{normal!r} is not read for a URI alone: {reason}")
