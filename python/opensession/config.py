"""``<repository>/.opensession/config.toml``: what it may say, and what of that is in force.

Owns the table of keys and the rule that comes from where the file lies: a clone brings it along, so what it says is
somebody else's wish. It may name a web address and make this program more careful; every other key waits until
``opensession config trust`` has recorded the file's hash. Must not know where that is recorded, nor what uses a key.
"""

from __future__ import annotations

import errno
import os
import re
import stat

from opensession.errors import BadConfigError, RefusedError, StorageFailedError, UsageError
from opensession.light import NamedTuple
from opensession.remotes import normal_form, refusal_of
from opensession.settings import LEGACY_NAME, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

FILE_NAME = "config.toml"
EXAMPLE_URL = "https://sessions.example.com"
"""Nobody's: RFC 2606 keeps the name free."""
INIT_STEP = f"opensession config init --base-url {EXAMPLE_URL}"

BASE_URL = "share.base_url"
REMOTE = "share.remote"
REDACT = "privacy.redact"
ONLY_REMOTES = "privacy.only_remotes"

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LIMIT = 64 * 1024
"""A hand-written file; what is larger was not written for this."""
_URL = re.compile(r"(https?)://([^/?#@]+)((?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Ignored(NamedTuple):
    """A key that the file has and that is not in force."""

    key: str
    why: str


class Config(NamedTuple):
    """The configuration of one folder."""

    path: Path
    sha256: str | None
    """Of the file's bytes; None where there is no file."""
    values: Mapping[str, object]
    """The keys in force, by their dotted names."""
    ignored: tuple[Ignored, ...]
    trusted: bool
    """Whether ``config trust`` has recorded exactly this file."""

    @classmethod
    def load(cls, folder: Path, recorded: Callable[[Path], str | None] = lambda _path: None) -> Config:
        """The configuration in ``folder``; ``recorded`` tells the hash that was trusted for a file."""
        path = path_in(folder)
        data = read(path)
        if data is None:
            return cls(path, None, {}, (), trusted=False)
        import hashlib

        sha256 = hashlib.sha256(data).hexdigest()
        trusted = recorded(path) == sha256
        values, ignored = _in_force(path, _leaves(parse(path, data)), trusted=trusted)
        return cls(path, sha256, values, ignored, trusted)

    @property
    def base_url(self) -> str | None:
        """Where sessions are shown on the web."""
        value = self.values.get(BASE_URL)
        if value is None:
            return None
        try:
            return checked_url(value)
        except UsageError as error:
            raise BadConfigError(
                f"{str(self.path)!r} sets {BASE_URL} wrongly: {error.message}",
                next=[INIT_STEP, "opensession config show"],
            ) from None

    @property
    def remote(self) -> str | None:
        """The name of the remote that ``share --quick`` means."""
        value = self.values.get(REMOTE)
        return value if isinstance(value, str) else None

    @property
    def redact(self) -> bool:
        """Whether what is shared is redacted unless it is asked for."""
        return self.values.get(REDACT) is True

    def refusal_of_remote(self, normal: str) -> str | None:
        """Why nothing of this repository goes to the remote with this normal form, or None where it may."""
        only = self.values.get(ONLY_REMOTES)
        if not isinstance(only, list) or normal in [normal_form(each) for each in only]:
            return None
        allowed = ", ".join(normal_form(each) for each in only) or "nowhere"
        return f"{str(self.path)!r} lets sessions go to {allowed} ({ONLY_REMOTES})"


def path_in(folder: Path) -> Path:
    """Where the configuration of a folder lies, whether it exists or not."""
    return folder / LEGACY_NAME / FILE_NAME


def read(path: Path) -> bytes | None:
    """The file's bytes; None where there is none. A link, or what another user owns, is refused."""
    try:
        folder = os.open(path.parent, _OPEN_FOLDER)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unopened(error, path.parent) from error
    try:
        _refuse_foreign(folder, path.parent)
        fd = os.open(path.name, _OPEN_FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unopened(error, path) from error
    finally:
        os.close(folder)
    with os.fdopen(fd, "rb") as file:
        _refuse_foreign(fd, path)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise RefusedError(f"{str(path)!r} is no plain file", next=[f"ls -ld {quoted(path)}"])
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise BadConfigError(
            f"{str(path)!r} is larger than {_LIMIT} bytes: that is no configuration",
            next=[f"ls -l {quoted(path)}"],
        )
    return data


def _unopened(error: OSError, path: Path) -> RefusedError | StorageFailedError:
    look = f"ls -ld {quoted(path)}"
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return RefusedError(f"{str(path)!r} is a symbolic link or no folder: it is not read", next=[look])
    return StorageFailedError(f"{str(path)!r} cannot be read: {error.strerror}", next=[look])


def _refuse_foreign(fd: int, path: Path) -> None:
    if os.fstat(fd).st_uid != os.geteuid():
        raise RefusedError(
            f"another user owns {str(path)!r}: it is not read", next=[f"ls -ld {quoted(path)}"]
        )


def parse(path: Path, data: bytes) -> dict[str, object]:
    """The file as TOML; raises BadConfigError that says where it is none."""
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    except RecursionError:
        reason = "it is nested too deeply"
    raise BadConfigError(f"{str(path)!r} is no TOML: {reason}", next=[f"cat -A {quoted(path)}"])


def _leaves(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Every key that is no table, by its dotted name."""
    for key, value in table.items():
        name = above + (key if _BARE.fullmatch(key) else repr(key))
        if isinstance(value, dict):
            yield from _leaves(value, name + ".")
        else:
            yield name, value


def _in_force(
    path: Path, leaves: Iterator[tuple[str, object]], *, trusted: bool
) -> tuple[dict[str, object], tuple[Ignored, ...]]:
    values: dict[str, object] = {}
    ignored = []
    for key, value in leaves:
        kind = _KEYS.get(key)
        if kind is None:
            # Tables of other programs are no business of ours; a misspelled key of ours must not pass unseen.
            if not trusted or key.partition(".")[0] in _OURS:
                ignored.append(Ignored(key, "no key of that name is known here"))
        elif (wrong := kind.problem(value)) is not None:
            raise BadConfigError(
                f"{str(path)!r} sets {key} wrongly: {wrong}", next=["opensession config init --help"]
            )
        elif trusted or kind.free:
            values[key] = value
        else:
            ignored.append(Ignored(key, "it came with the folder and is not trusted"))
    return values, tuple(ignored)


class _Kind(NamedTuple):
    """What a key may be set to, and whether a clone may set it."""

    free: bool
    problem: Callable[[object], str | None]


def _not_text(value: object) -> str | None:
    return None if isinstance(value, str) else "it takes a text"


def _not_yes_or_no(value: object) -> str | None:
    return None if isinstance(value, bool) else "it takes true or false"


def _not_remotes(value: object) -> str | None:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return "it takes a list of addresses"
    return next((reason for each in value if (reason := refusal_of(each)) is not None), None)


_KEYS = {
    BASE_URL: _Kind(free=True, problem=_not_text),
    REMOTE: _Kind(free=False, problem=_not_text),
    REDACT: _Kind(free=True, problem=_not_yes_or_no),
    ONLY_REMOTES: _Kind(free=True, problem=_not_remotes),
}
_OURS = {key.partition(".")[0] for key in _KEYS}


def checked_url(value: object) -> str:
    """A web address that links can begin with, without its trailing slash."""
    text = value if isinstance(value, str) else ""
    if not text.strip():
        raise _bad_url("the base URL is empty")
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise _bad_url("the base URL holds a user or a password, and links are seen by everybody")
    if "?" in text or "#" in text:
        raise _bad_url(f"{text!r} has a query or a fragment, and a link continues with its own path")
    found = _URL.fullmatch(text)
    host = None if found is None else _HOST.fullmatch(found[2])
    if found is None or host is None or int(host[1] or 0) > 65535:
        raise _bad_url(f"{text!r} is no http or https address")
    return f"{found[1].lower()}://{found[2].lower()}{found[3].rstrip('/')}"


def _bad_url(reason: str) -> UsageError:
    return UsageError(reason, next=[INIT_STEP])
