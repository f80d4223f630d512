"""Every error the project raises on purpose: one class a code, with its exit code and HTTP status.

This module owns the codes and what they mean to a caller. It must not know where an error comes from (core,
store, terminal), prints nothing and imports nothing of the project. The tree, with exit codes:

    OpensessionError
    ├── UsageError 2 ── UnknownProfileError, AmbiguousError, BadUriError, BadConfigError
    ├── InputError 3 (also ValueError)
    │   ├── NoEventsError, LineTooLongError, InputChangedError, UnreadableError
    │   └── HailError ── HailSyntaxError, HailSchemaError, HailInvalidError, HailVersionError, HailEmptyError
    ├── NotFoundError 4 (also LookupError) ── InputMissingError
    ├── IntegrityError 5
    ├── RefusedError 6 ── SecretsFoundError
    ├── RemoteFailedError 7
    ├── StorageFailedError 8 ── WriteFailedError
    ├── BusyError 9
    ├── LossesError 10
    └── InternalError 1

Codes are append-only: scripts match them. An error text never holds session content.
"""

from __future__ import annotations

import errno as _errno

TYPE_CHECKING = False  # not typing's: that import alone would double the start time of the package
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import ClassVar


class OpensessionError(Exception):
    """What happened, in the user's nouns, with steps that can be pasted (``next``)."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    message: str
    line: int | None
    """Line of the input, from 1."""
    column: int | None
    """Byte offset in that line, from 1."""
    next: tuple[str, ...]
    errno: int | None
    """The operating system's number, where it was the one who refused."""

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        next: Iterable[str] = (),  # noqa: A002  the name it has in every JSON answer
        errno: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.next = tuple(next)
        self.errno = errno

    def __str__(self) -> str:
        return self.message

    @property
    def hint(self) -> str | None:
        """The first of the next steps."""
        return self.next[0] if self.next else None

    def as_dict(self) -> dict[str, object]:
        """The value under ``"error"`` in every ``--json`` answer."""
        return {"code": self.code, "message": self.message, "line": self.line, "next": list(self.next)}

    def with_next(self, *steps: str) -> OpensessionError:
        """The same error with other steps: the layer that knows the command line knows better ones."""
        self.next = steps
        return self


class InternalError(OpensessionError):
    """Our bug."""

    code = "internal"


class UsageError(OpensessionError):
    """The question was put wrongly: a bad option, name or combination."""

    code = "usage"
    exit_code = 2
    http_status = 400


class UnknownProfileError(UsageError):
    """No profile has this name."""

    code = "unknown_profile"


class AmbiguousError(UsageError):
    """A short name fits more than one thing."""

    code = "ambiguous"


class BadUriError(UsageError):
    """Text that is meant as an ``os://`` URI and is not spelled in the one right way."""

    code = "bad_uri"

    def __init__(self, message: str, *, spelling: str | None = None, next: Iterable[str] = ()) -> None:  # noqa: A002
        super().__init__(message, next=next)
        self.spelling = spelling
        """The right spelling, where it can be told."""


class BadConfigError(UsageError):
    """A configuration file says something that cannot be meant."""

    code = "bad_config"


class InputError(OpensessionError, ValueError):
    """The input cannot be accepted as it is. Never raised itself: its children carry the codes."""

    exit_code = 3
    http_status = 422


class NoEventsError(InputError):
    """The input is no log of the agent it was read as."""

    code = "no_events"


class LineTooLongError(InputError):
    """A line is longer than the limit."""

    code = "line_too_long"


class InputChangedError(InputError):
    """The input got shorter or was replaced while it was read."""

    code = "input_changed"


class UnreadableError(InputError):
    """The operating system would not let the input be read."""

    code = "unreadable"


class HailError(InputError):
    """The input is not acceptable HAIL. Never raised itself."""


class HailSyntaxError(HailError):
    """No JSON that HAIL allows."""

    code = "hail_syntax"


class HailSchemaError(HailError):
    """JSON, but no HAIL."""

    code = "hail_schema"


class HailInvalidError(HailError):
    """HAIL, but against a rule of validity."""

    code = "hail_invalid"


class HailVersionError(HailError):
    """A version of HAIL that this program does not interpret."""

    code = "hail_version"


class HailEmptyError(HailError):
    """Nothing where a session should be."""

    code = "hail_empty"


class NotFoundError(OpensessionError, LookupError):
    """A name that is spelled well and names nothing here."""

    code = "not_found"
    exit_code = 4
    http_status = 404

    meant: str | None = None
    """The name of something that there is, of which the one that was typed is a near miss."""


class InputMissingError(NotFoundError):
    """The file named as input does not exist."""

    code = "input_missing"


class IntegrityError(OpensessionError):
    """Bytes do not hash to their address."""

    code = "integrity"
    exit_code = 5
    http_status = 500


class RefusedError(OpensessionError):
    """Possible, but against a rule of safety or policy."""

    code = "refused"
    exit_code = 6
    http_status = 403

    remote: str | None = None
    """The repository that would be read if it were typed; its step is the last one."""


class SecretsFoundError(RefusedError):
    """What was to leave holds secrets. It names rules and places, never a value."""

    code = "secrets_found"

    findings: tuple[dict[str, object], ...] = ()
    """The places that are told, each with ``rule``, ``in``, ``line``, ``event_id``, ``pointer`` and ``fingerprint``."""
    fingerprints: tuple[str, ...] = ()
    """The different secrets among all places; empty where there are too many to be allowed one by one."""
    total: int = 0
    """How many places there are."""

    def as_dict(self) -> dict[str, object]:
        return super().as_dict() | {"findings": list(self.findings), "total": self.total}


class RemoteFailedError(OpensessionError):
    """A remote did not take part; what was done locally is kept."""

    code = "remote_failed"
    exit_code = 7
    http_status = 502

    reason: str = "other"
    """``auth``, ``permission``, ``network``, ``declined``, ``hung``, ``full``, ``missing`` or ``other``."""


class StorageFailedError(OpensessionError):
    """The local store could not be read or written; nothing that was not acknowledged may be relied on."""

    code = "storage_failed"
    exit_code = 8
    http_status = 507


class WriteFailedError(StorageFailedError):
    """An output outside the store could not be written."""

    code = "write_failed"


class BusyError(OpensessionError):
    """Somebody else held a lock for longer than it is sensible to wait."""

    code = "busy"
    exit_code = 9
    http_status = 503


class LossesError(OpensessionError):
    """Done, but not without loss, and ``--strict`` was asked for."""

    code = "losses"
    exit_code = 10
    http_status = 422


def _classes(base: type[OpensessionError]) -> dict[str, type[OpensessionError]]:
    """Code to class, for ``base`` and all below it; a class without a code of its own is only a group."""
    found = {base.code: base} if "code" in vars(base) and base is not OpensessionError else {}
    for child in base.__subclasses__():
        found.update(_classes(child))
    return found


CODES: dict[str, type[OpensessionError]] = _classes(OpensessionError)
"""Every code with its class."""


def from_core(
    code: str,
    message: str,
    line: int | None = None,
    column: int | None = None,
    errno: int | None = None,
) -> Exception:
    """The exception for an error of the compiled core; the binding calls this and raises what it gets.

    A closed pipe is no failure of ours and no news to the user, so it stays the built-in ``BrokenPipeError``.
    """
    if errno == _errno.EPIPE:
        return BrokenPipeError(errno, message)
    if code == "unreadable" and errno == _errno.ENOENT:
        code = "input_missing"
    kind = CODES.get(code)
    if kind is None:
        return InternalError(
            f"the core reported an unknown error code {code!r}: {message}", line=line, column=column
        )
    return kind(message, line=line, column=column, errno=errno)
