"""What a person means by a remote: a configured name, a URL or a path; and what is refused before git sees it.

Owns the reading of ``--remote``, the refusals, and that no password is ever shown: every address here has a form for
eyes and a form for git. Which URL a name stands for is git's own answer, so that ``pushurl`` and
``url.<base>.insteadOf`` hold. It starts no transfer and must not know ledgers or the store.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

from opensession.errors import BadUriError, NotFoundError, RefusedError, UsageError
from opensession.git.run import Git
from opensession.git.transport import settings_of
from opensession.light import NamedTuple
from opensession.remotes import normal_form
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from opensession.git.repository import Repository
    from opensession.git.transport import Setting

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SCHEME = re.compile(r"([A-Za-z0-9][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*://[^\s'\"]*")
_NO_SCHEME = re.compile(r"((?:[A-Za-z0-9+.-]+:(?=/))?/*)[^/@:]*:[^/@]*@")
"""How an address begins that lost its scheme, or a slash of it, and has a user and a password."""
_PROTOCOLS = {
    "https": "https",
    "http": "http",
    "ssh": "ssh",
    "git+ssh": "ssh",
    "ssh+git": "ssh",
    "git": "git",
    "file": "file",
}
"""Schemes that git has built in; any other would start a program called ``git-remote-<scheme>``."""


class Remote(NamedTuple):
    """A repository somewhere else."""

    name: str | None
    """Its name in ``git remote``; None for one that was typed as an address."""
    typed: str
    """What was typed, without credentials."""
    url: str
    """Where one reads from. May hold a password: for git only."""
    shown: str
    """What messages and commands that are printed call it."""
    normal: str
    """Its address in the normal form of docs/uri.md."""
    push_urls: tuple[str, ...]
    """Where one pushes to, usually the same. For git only."""

    def __repr__(self) -> str:
        return f"Remote({self.shown!r}, {self.normal!r})"

    @property
    def protocol(self) -> str:
        """The transport that ``url`` needs, as git calls it."""
        return protocol_of(self.url)

    def destinations(self) -> tuple[Remote, ...]:
        """One remote for each address that is pushed to, where it is read as well."""
        return tuple(self._replace(url=url, push_urls=(url,), normal=_normal(url)) for url in self.push_urls)


def remote_of(repository: Repository | None, typed: str, *, cwd: Path | None = None) -> Remote:
    """The remote that a person means; without a repository there are no names.

    Raises RefusedError for what could make git run a program, NotFoundError for a name that is not configured here.
    """
    cwd = Path(os.getcwd()) if cwd is None else cwd
    refuse(typed)
    names = [] if repository is None else names_of(repository)
    if repository is not None and typed in names:
        return configured(repository, typed)
    local = _local_path(typed, cwd)
    if local is None and not _is_url(typed):
        raise _unknown(typed, names)
    if local is not None and not os.path.isdir(local):
        raise NotFoundError(
            f"there is no repository at {typed!r}", next=[f"ls -ld {quoted(typed)}", "git remote -v"]
        )
    shown = typed if local is not None else without_credentials(typed)
    given = typed if local is None else local
    git = Git(None, env=os.environ, cwd=cwd) if repository is None else repository.git
    url = git.text("ls-remote", "--get-url", "--", given)
    push = _push_url(repository, given, url)
    for resolved in (url, push):
        refuse(resolved)
    return Remote(None, shown, url, shown, _normal(url), (push,))


def names_of(repository: Repository) -> list[str]:
    """The names of the remotes that are configured here."""
    return repository.git.text("remote").splitlines()


def configured(repository: Repository, name: str) -> Remote:
    """The remote of this name, which is one of :func:`names_of`."""
    (url, *_), push = _addresses(repository, name), _addresses(repository, name, "--push")
    return Remote(name, name, url, name, _normal(url), tuple(push))


def every(repository: Repository) -> list[Remote]:
    """The remotes that are configured here and that this program can use."""
    found = []
    for name in names_of(repository):
        try:
            found.append(configured(repository, name))
        except (RefusedError, NotFoundError):  # reported where it is asked for by name
            continue
    return found


def normals_of(repository: Repository, remote: Remote) -> set[str]:
    """Every normal form that the remote goes by: as it is configured, as git resolves it, and where it is pushed to."""
    found = {remote.normal, *(place.normal for place in remote.destinations())}
    for url in () if remote.name is None else repository.config_get_all(f"remote.{remote.name}.url"):
        try:
            found.add(normal_form(url))
        except BadUriError:  # a path, or a shorthand that only git can resolve
            continue
    return found


def refuse(remote: str) -> None:
    """Raise RefusedError for an address or name that git could take for an option, a program or a terminal's orders."""
    if not remote:
        raise UsageError("the name of a remote is empty", next=["git remote -v"])
    reason = _refusal(remote)
    if reason is not None:
        raise RefusedError(
            f"the remote {without_credentials(remote)!r} is refused: {reason}", next=["git remote -v"]
        )


def without_credentials(remote: str) -> str:
    """The address without its password.

    Of a web address the user goes too: a token may stand there alone. The user of an ssh address is part of the way
    there.
    """
    scheme, separator, rest = remote.partition("://")
    if not separator:
        return _NO_SCHEME.sub(r"\1", remote, count=1)
    if _PROTOCOLS.get(scheme.lower()) != "file":
        # A token may stand there too, and no remote has these parts.
        rest = re.split("[?#]", rest, maxsplit=1)[0]
    return without_user(f"{scheme}://{rest}")


def without_user(remote: str) -> str:
    """A URL without its password, and without its user where that may be a token."""
    scheme, _, rest = remote.partition("://")
    authority, slash, path = rest.partition("/")
    port = authority.rpartition(":")[2]
    if "@" not in authority and ":" in authority and not port.isdecimal() and not authority.endswith("]"):
        # What should be a port is none: it is a password with a slash in it.
        authority, slash, path = rest, "", ""
        if "@" not in authority:
            return remote
    user, at, host = authority.rpartition("@")
    if not at:
        return remote
    kept = f"{user.partition(':')[0]}@" if _PROTOCOLS.get(scheme.lower()) == "ssh" else ""
    return f"{scheme}://{kept}{host}{slash}{path}"


def masked(text: str) -> str:
    """A text without the passwords of the addresses in it."""
    return _ADDRESS.sub(lambda found: without_user(found[0]), text)


def protocol_of(url: str) -> str:
    """The transport that an address needs, as git calls it."""
    scheme = _SCHEME.match(url)
    if scheme is not None:
        return _PROTOCOLS[scheme[1].lower()]
    return "ssh" if _is_scp(url) else "file"


def _refusal(remote: str) -> str | None:
    if _CONTROL.search(remote) is not None:
        return "it holds a control character"
    if remote.startswith("-"):
        return "git would take it for an option"
    if _HELPER.match(remote) is not None:
        return "it would start a program instead of a transfer"
    scheme = _SCHEME.match(remote)
    if scheme is not None and scheme[1].lower() not in _PROTOCOLS:
        return f"{scheme[1]!r} is no transport that is used here (https, ssh, http, git and file are)"
    if scheme is None and not _is_scp(remote):
        return None
    if scheme is None and _NO_SCHEME.match(remote) is not None:
        return "without its scheme git would take the user for a host and the password for a path"
    host, path = _host_and_path(remote)
    if host.startswith("-") or path.startswith("-"):
        return "ssh would take a part of it for an option"
    return None


def _host_and_path(remote: str) -> tuple[str, str]:
    """Host and path of an address, as the program that connects gets them."""
    if "://" in remote:
        authority, _, path = remote.partition("://")[2].partition("/")
        return authority.rpartition("@")[2], path
    host, _, path = remote.partition("]:" if "[" in remote else ":")
    # ssh is handed the user as well.
    return ("-" if host.startswith("-") else host.rpartition("@")[2]), path


def _is_scp(text: str) -> bool:
    """``host:path``: a colon before the first slash, as git has it."""
    return ":" in text.partition("/")[0] and "://" not in text


def _is_url(text: str) -> bool:
    return "://" in text or _is_scp(text)


def _local_path(typed: str, cwd: Path) -> str | None:
    """The absolute path where a path was typed: with a slash, beginning with a dot, or of a folder that is there."""
    if _is_url(typed):
        return None
    if "/" in typed or typed.startswith(".") or os.path.isdir(cwd / typed):
        return os.path.abspath(cwd / typed)
    return None


def _addresses(repository: Repository, name: str, *which: str) -> list[str]:
    done = repository.git.run("remote", "get-url", "--all", *which, name, ok=(0, 2, 128))
    urls = os.fsdecode(done.out).splitlines() if done.code == 0 else []
    if not urls or urls == [name]:
        raise NotFoundError(
            f"the remote {name!r} has no address",
            next=[f"git remote set-url {quoted(name)} https://git.example/path", "git remote -v"],
        )
    for url in urls:
        refuse(url)
    base = repository.worktree or repository.git_dir
    # Git reads a relative path from the top of the working tree; our own calls run elsewhere.
    return [url if _is_url(url) else os.path.abspath(base / url) for url in urls]


def _push_url(repository: Repository | None, given: str, url: str) -> str:
    """Where git would push to for a typed address: ``pushInsteadOf`` first, else where it reads."""
    if repository is None:
        return url
    longest, found = 0, url
    for base, prefix in _rewrites(settings_of(repository)):
        if given.startswith(prefix) and len(prefix) > longest:
            longest, found = len(prefix), base + given[len(prefix) :]
    return found


def _rewrites(settings: Iterable[Setting]) -> list[tuple[str, str]]:
    return [
        (setting.key.removeprefix("url.").removesuffix(".pushinsteadof"), setting.value)
        for setting in settings
        if setting.key.startswith("url.") and setting.key.endswith(".pushinsteadof") and setting.value
    ]


def _normal(url: str) -> str:
    try:
        return normal_form(url)
    except BadUriError as error:
        if url.startswith("/"):
            # A path may hold what an address may not; git decodes a file URL.
            return "file://" + quote(url.rstrip("/").removesuffix(".git"))
        raise RefusedError(
            f"the remote {without_credentials(url)!r} cannot be used: {error.message}", next=["git remote -v"]
        ) from None


def _unknown(typed: str, names: list[str]) -> NotFoundError:
    import difflib

    near = difflib.get_close_matches(typed, names, n=1)
    known = f"known are {', '.join(map(repr, names))}" if names else "none is configured here"
    meant = f"; did you mean {near[0]!r}?" if near else f"; {known}"
    add = [] if near else [f"git remote add {quoted(typed)} https://git.example/path"]
    error = NotFoundError(f"there is no remote {typed!r}{meant}", next=["git remote -v", *add])
    error.meant = near[0] if near else None
    return error
