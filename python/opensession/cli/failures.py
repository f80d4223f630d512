"""The next steps of a failure: commands that can be pasted and that lead on from here.

Owns what a person can do about a failed input, output or address. Must not know how a failure is found; the layers
below say what happened, this says what to type. Steps that a lower layer gave are kept.
"""

from __future__ import annotations

import os

from opensession.actions import inputs, parse
from opensession.cli.arguments import again, as_file, nearest, quoted
from opensession.cli.command import PROGRAM
from opensession.errors import (
    CODES,
    BadUriError,
    HailError,
    HailInvalidError,
    HailVersionError,
    InputChangedError,
    InputError,
    InputMissingError,
    IntegrityError,
    LineTooLongError,
    NoEventsError,
    NotFoundError,
    OpensessionError,
    RefusedError,
    UnknownProfileError,
    UnreadableError,
    WriteFailedError,
)
from opensession.light import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opensession.actions.verify import Verified

HAIL_OUT = "./session.hail.jsonl"
_FILE_LIKENESS = 0.8
"""Logs share their suffix, so that all of them look somewhat alike."""


@contextmanager
def guided(
    command: str, argv: Sequence[str], named: str | None = None, profile: str | None = None
) -> Iterator[None]:
    """Add the next steps for ``opensession command`` about the input or address ``named``."""
    try:
        yield
    except OpensessionError as error:
        steps = (
            _respelled(error, argv, named)
            or error.next
            or tuple(_steps(error, command, argv, named, profile))
        )
        if isinstance(error, NotFoundError) and error.meant is not None and _option_value(argv, "--remote"):
            steps = (_with_option(argv, "--remote", error.meant), *steps)
        if isinstance(error, RefusedError) and error.remote is not None:
            steps = (*steps[:-1], _adding(argv, "--remote", error.remote))
        if isinstance(error, InputError) and named is not None and named not in error.message:
            error.message = f"{'standard input' if named == inputs.STDIN else repr(named)}: {error.message}"
        error.next = steps
        raise


def _respelled(error: OpensessionError, argv: Sequence[str], named: str | None) -> tuple[str, ...]:
    """The command line with the one right spelling of an address."""
    spelling = error.spelling if isinstance(error, BadUriError) else None
    if spelling is None:
        return ()
    return (again(argv, {at: spelling for at, word in enumerate(argv) if word == named}),)


def after_verify(verified: Verified, code: int) -> list[str]:
    """What to do about a target that was read and is not as it should be."""
    target, named = verified.target, as_file(verified.target.named)
    if code == 0:
        return []
    if verified.address is False:
        return ["opensession fsck --repair"] if target.store else [quoted("sha256sum", named)]
    problem = verified.report["error"]
    if problem is not None and target.store is None:
        error = CODES[problem["code"]](problem["message"], line=problem["line"])
        return [*_other_reading(error, "verify", named, None), *_look_inside(error, named)]
    if problem is not None:
        return [quoted("opensession", "cat", named) + f" | sed -n {problem['line']}p | cut -c1-300 | cat -v"]
    if target.store is not None:
        return [quoted("opensession", "cat", named) + " | opensession register -"]
    return [quoted("opensession", "parse", "--profile", parse.HAIL, named, "--out", HAIL_OUT)]


def _steps(
    error: OpensessionError, command: str, argv: Sequence[str], named: str | None, profile: str | None
) -> list[str]:
    help_step = f"opensession {command} --help"
    if isinstance(error, UnknownProfileError):
        return _unknown_profile(error, argv, profile, help_step)
    if isinstance(error, InputMissingError):
        return _missing(error, argv, named, help_step)
    named = None if named is None else as_file(named)
    if isinstance(error, UnreadableError | InputChangedError):
        return [*_look_at(named), help_step]
    if isinstance(error, NoEventsError | HailError | LineTooLongError):
        return [*_other_reading(error, command, named, profile), *_look_inside(error, named), help_step]
    if isinstance(error, IntegrityError) and named is not None and os.path.isfile(named):
        return [quoted("sha256sum", named), help_step]
    if isinstance(error, IntegrityError):
        return ["opensession fsck --repair", "opensession ls"]
    if isinstance(error, NotFoundError | BadUriError):
        return ["opensession ls", help_step]
    if isinstance(error, WriteFailedError):
        return _unwritable(argv)
    return []


def _unknown_profile(
    error: OpensessionError, argv: Sequence[str], profile: str | None, help_step: str
) -> list[str]:
    if profile is None:
        return [help_step]
    known = [parse.AUTO, *parse.profile_ids()]
    near = nearest(profile, known)
    if near is None:
        error.message += f"; known are {', '.join(known)}"
        return [_with_option(argv, "--profile", parse.AUTO), help_step]
    error.message += f"; did you mean {near!r}?"
    return [_with_option(argv, "--profile", near), help_step]


def _missing(error: OpensessionError, argv: Sequence[str], named: str | None, help_step: str) -> list[str]:
    """A file of nearly this name beside it, else the nearest folder that exists."""
    folder = os.path.dirname(named or "") or "."
    if not os.path.isdir(folder):
        while folder not in ("", "/") and not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        return [quoted("ls", "-la", folder or "."), help_step]
    try:
        near = nearest(os.path.basename(named or ""), os.listdir(folder), likeness=_FILE_LIKENESS)
    except OSError:
        near = None
    if near is None or named is None:
        return [quoted("ls", "-la", folder), help_step]
    right = as_file(os.path.join(os.path.dirname(named), near))
    error.message += f"; did you mean {right!r}?"
    return [again(argv, {at: right for at, word in enumerate(argv) if word == named}), help_step]


def _other_reading(
    error: OpensessionError, command: str, named: str | None, profile: str | None
) -> list[str]:
    """What the input looks like, if it is something else than it was read as."""
    if named is None or _no_file(named) or isinstance(error, LineTooLongError | HailVersionError):
        return []
    found = _looks_like(named)
    if found is None or found == (profile or parse.HAIL):
        return []
    if found == parse.HAIL:
        return [quoted("opensession", "inspect", named), quoted("opensession", "register", named)]
    steps = [quoted("opensession", "parse", "--profile", found, named, "--out", HAIL_OUT)]
    if command == "parse":
        return steps
    if command == "register":
        return [
            *steps,
            f"opensession register {HAIL_OUT}",
            quoted("opensession", "register", "--profile", found, named),
        ]
    return [*steps, quoted("opensession", command, HAIL_OUT)]


def _looks_like(named: str) -> str | None:
    try:
        fd = os.open(named, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return parse.looks_like(fd, os.path.basename(named))
    finally:
        os.close(fd)


def _look_inside(error: OpensessionError, named: str | None) -> list[str]:
    """Show the place: the line that is wrong, else the beginning of what is no log."""
    if named is None or _no_file(named):
        return []
    if error.line is None or isinstance(error, HailVersionError):
        return [f"{quoted('head', '-c', '300', named)} | cat -v"]
    if isinstance(error, HailInvalidError | HailError | LineTooLongError):
        # `cat -v`, because the line is somebody else's and the terminal would obey it.
        return [f"{quoted('sed', '-n', f'{error.line}p', named)} | cut -c1-300 | cat -v"]
    return []


def _no_file(named: str) -> bool:
    """Whether there is no file to look into: it came through a pipe, or is an address."""
    return named == inputs.STDIN or named.startswith("os:")


def _look_at(named: str | None) -> list[str]:
    return [] if named is None or named == inputs.STDIN else [quoted("ls", "-ld", named)]


def _unwritable(argv: Sequence[str]) -> list[str]:
    out = _option_value(argv, "--out")
    if out is None:
        return ["df -h ."]
    if os.path.isdir(out):
        return [_with_option(argv, "--out", os.path.join(out, os.path.basename(HAIL_OUT)))]
    folder = os.path.dirname(out) or "."
    if not os.path.isdir(folder) and not os.path.exists(folder):
        return [quoted("mkdir", "-p", as_file(folder)), again(argv, {})]
    return [
        quoted("ls", "-ld", as_file(folder)),
        quoted("df", "-h", as_file(folder)),
        _without_option(argv, "--out") + " | head -n 1",
    ]


def _option_value(argv: Sequence[str], name: str) -> str | None:
    for at, word in enumerate(argv):
        if word == name and at + 1 < len(argv):
            return argv[at + 1]
        if word.startswith(name + "="):
            return word.partition("=")[2]
    return None


def _with_option(argv: Sequence[str], name: str, value: str) -> str:
    """The command line with another value for an option that it has."""
    replaced = {}
    for at, word in enumerate(argv):
        if word == name:
            replaced[at + 1] = value
        elif word.startswith(name + "="):
            replaced[at] = f"{name}={value}"
    return again(argv, replaced)


def _adding(argv: Sequence[str], name: str, value: str) -> str:
    """The command line with an option that it does not have, before the words that can be none."""
    at = argv.index("--") if "--" in argv else len(argv)
    return quoted(PROGRAM, *argv[:at], name, value, *argv[at:])


def _without_option(argv: Sequence[str], name: str) -> str:
    kept = []
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word == name:
            skip = True
        elif not word.startswith(name + "="):
            kept.append(word)
    return again(kept, {})
