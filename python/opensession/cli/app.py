"""The console script: finds the command word, loads that command's module, runs it, turns errors into exit codes.

Owns the list of commands, the options before the command word, signals and the mapping of every failure to an exit
code. It must not know what a command does. Only the module of the command that was asked for is imported.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, ModuleType
    from typing import NoReturn

    from opensession.cli.report import Report
    from opensession.errors import OpensessionError

COMMANDS = {
    "parse": "parse",
    "register": "register",
    "cat": "cat",
    "inspect": "inspect",
    "verify": "verify",
    "ls": "ls",
    "rm": "rm",
    "fsck": "fsck",
    "gc": "gc",
    "scan": "scan",
    "redact": "redact",
    "handoff build": "handoff_build",
    "handoff artifacts list": "handoff_list",
    "handoff artifacts get": "handoff_get",
    "handoff artifacts verify": "handoff_verify",
    "handoff artifacts pin": "handoff_pin",
    "handoff artifacts unpin": "handoff_unpin",
    "handoff artifacts rm": "handoff_rm",
    "handoff artifacts export": "handoff_export",
    "handoff artifacts import": "handoff_import",
    "share": "share",
    "unshare": "unshare",
    "link": "link",
    "log": "log",
    "why": "why",
    "doctor": "doctor",
    "setup": "setup",
    "config init": "config_init",
    "config show": "config_show",
    "config trust": "config_trust",
    "docs quickstart": "docs_quickstart",
    "docs completion": "docs_completion",
}
"""Every command word with its module in ``cli.commands``, in the order of the help."""
_LONGEST = 3
"""Words of the longest name."""


_BEFORE_OUTPUT = (
    "usage",
    "unknown_profile",
    "ambiguous",
    "bad_uri",
    "input_missing",
    "not_found",
    "no_events",
)
"""Failures that are known before a session's first byte is written."""


class _Terminated(BaseException):
    """SIGTERM, as an exception: temporary files are removed on the way out."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; without ``argv`` the process ends with it."""
    code = _run(list(sys.argv[1:] if argv is None else argv))
    if argv is None:
        import gc

        gc.freeze()  # else the interpreter, on its way out, looks through all that was loaded for garbage
    return code


def _run(words: list[str]) -> int:
    from opensession.cli.report import Report

    report = Report(json="--json" in words)
    try:
        _guard_standard_streams()
        if words[:1] in (["--version"], ["-V"]):
            return _version(report)
        _speak_utf8()
        _exit_on_sigterm()
        return _dispatch(words, report)
    except BrokenPipeError:
        # The reader had enough (`| head`): that is its right, and no failure of this command.
        _forget_standard_output()
        return 0
    except KeyboardInterrupt:
        return 130
    except _Terminated:
        return 143
    except Exception as error:  # noqa: BLE001 - the one place that turns what is left into an exit code
        return _fail(_with_steps(_as_ours(error, words), words), report)


def _dispatch(words: list[str], report: Report) -> int:
    store, at = _leading_options(words)
    name, start = _command_word(words, at)
    if name is None:
        return _help_of_all(report, asked=any(word in ("--help", "-h", "help") for word in words))
    module = load(name)
    command = module.COMMAND
    report.json_to_stderr = command.bytes_unless is not None and not _given(words, command.bytes_unless)
    from opensession.cli.arguments import read

    args = read(command, words, start, defaults={} if store is None else {"--store": [store]})
    report.store = args.text("--store")
    if args.flag("--help"):
        from opensession.cli.helptext import command_help

        report.out(command_help(command).rstrip("\n"))
        return 0
    result: int = module.run(args, report)
    return result


def load(name: str) -> ModuleType:
    """The module of a command."""
    import importlib

    return importlib.import_module(f"opensession.cli.commands.{COMMANDS[name]}")


def _leading_options(words: list[str]) -> tuple[str | None, int]:
    """The value of a ``--store`` before the command word, and where that word is."""
    store, at = None, 0
    while at < len(words) and words[at].startswith("--store"):
        name, has_value, value = words[at].partition("=")
        if name != "--store":
            break
        if not has_value:
            at += 1
            if at == len(words):
                _usage("--store needs a value: --store PATH", ["opensession --help"])
            value = words[at]
        store, at = value, at + 1
    return store, at


def _command_word(words: list[str], at: int) -> tuple[str | None, int]:
    """The name of the command in ``words[at:]`` and where its own words begin; None where help is wanted."""
    if at < len(words) and words[at] == "help" and at + 1 < len(words):
        words[at:] = [*words[at + 1 :], "--help"]
    rest = words[at:]
    if not rest or rest[0] in ("--help", "-h", "help"):
        return None, at
    for count in range(_LONGEST, 0, -1):
        if (name := " ".join(rest[:count])) in COMMANDS:
            return name, at + count
    for count in range(_LONGEST - 1, 0, -1):
        prefix = " ".join(rest[:count])
        group = [name for name in COMMANDS if name.startswith(prefix + " ")]
        if len(rest) >= count and group:
            return _unknown_in_group(words, at + count, prefix, group)
    return _unknown_command(words, at)


def _unknown_in_group(words: list[str], at: int, prefix: str, group: list[str]) -> NoReturn:
    """Answer a line whose words before ``at`` are the beginning ``prefix`` of several commands."""
    from opensession.cli.arguments import nearest, quoted

    given = next((word for word in words[at:] if not word.startswith("-")), None)
    first = {name.removeprefix(prefix + " ").split()[0]: name for name in reversed(group)}
    choices = list(reversed(first))
    steps = [f"opensession {first[choice]} --help" for choice in choices]
    if given is None:
        _usage(f"'opensession {prefix}' needs one of: {', '.join(choices)}", steps)
    near = nearest(given, choices)
    if near is None:
        _usage(f"there is no command {prefix + ' ' + given!r}", steps)
    fixed = [*words[:at], *(near if word == given else word for word in words[at:])]
    _usage(
        f"there is no command {prefix + ' ' + given!r}; did you mean {near!r}?",
        [quoted("opensession", *fixed)],
    )


def _unknown_command(words: list[str], at: int) -> NoReturn:
    from opensession.cli.arguments import again, nearest

    kind = "option" if words[at].startswith("-") else "command"
    near = nearest(words[at], ["--help", "--version", "--store"] if kind == "option" else list(COMMANDS))
    if near is None:
        _usage(f"there is no {kind} {words[at]!r}", ["opensession --help"])
    _usage(
        f"there is no {kind} {words[at]!r}; did you mean {near!r}?",
        [again(words, {at: near}), "opensession --help"],
    )


def _usage(message: str, steps: list[str]) -> NoReturn:
    from opensession.errors import UsageError

    raise UsageError(message, next=steps)


def _help_of_all(report: Report, *, asked: bool) -> int:
    from opensession.cli.helptext import root_help

    text = root_help([load(name).COMMAND for name in COMMANDS]).rstrip("\n")
    if asked:
        report.out(text)
        return 0
    report.say(text)
    return 2


def _given(words: list[str], option: str) -> bool:
    return any(word == option or word.startswith(option + "=") for word in words)


def _version(report: Report) -> int:
    from opensession.core import version

    report.out(f"opensession {version}")
    return 0


def _fail(error: OpensessionError, report: Report) -> int:
    from opensession.errors import OpensessionError, WriteFailedError

    if _debugging():
        import traceback

        traceback.print_exception(error.__cause__ or error)
    if error.code in _BEFORE_OUTPUT:
        report.json_to_stderr = False  # nothing else stands on standard output, so the document belongs there
    if report.json:
        try:
            report.error_document(error)
        except (OSError, OpensessionError):
            report.json_to_stderr = False  # standard output is what failed: say it in words
    if not (report.json and report.json_to_stderr):
        report.error(error)
    if isinstance(error, WriteFailedError):
        _forget_standard_output()
    return error.exit_code


def _with_steps(error: OpensessionError, words: list[str]) -> OpensessionError:
    """Every failure ends in a step: where no layer knew one, the room on the disk or the help of the command."""
    from opensession.errors import WriteFailedError

    if not error.next:
        name = next((" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in COMMANDS), None)
        help_of = f"opensession {name} --help" if name else "opensession --help"
        error.next = ("df -h .",) if isinstance(error, WriteFailedError) else (help_of,)
    return error


def _as_ours(error: Exception, words: list[str]) -> OpensessionError:
    """What the project raises on purpose stays; the rest is storage that failed, or a bug of ours."""
    from opensession.errors import InternalError, OpensessionError, StorageFailedError

    if isinstance(error, OpensessionError):
        return error
    ours: OpensessionError
    if isinstance(error, OSError) and error.errno is not None:
        where = f" ({error.filename!r})" if error.filename else ""
        ours = StorageFailedError(f"the system refused: {os.strerror(error.errno)}{where}", errno=error.errno)
    else:
        from opensession.cli.arguments import again

        # Only the kind of the exception: its text may quote a session.
        ours = InternalError(
            f"this is a bug in opensession ({type(error).__name__})",
            next=["OPENSESSION_DEBUG=1 " + again(words, {})],
        )
    ours.__cause__ = error
    return ours


def _debugging() -> bool:
    return os.environ.get("OPENSESSION_DEBUG", "").lower() in ("1", "true", "yes", "on")


def _guard_standard_streams() -> None:
    """Give a closed stream's number to something harmless.

    Else the next file that is opened gets the number 1, and results would be written into an object of the store. It is
    opened for reading, so that a write there fails and is reported.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)


def _speak_utf8() -> None:
    """Write UTF-8 whatever the locale says: sessions are UTF-8, and JSON is by definition.

    What cannot be written (bytes of a file name that are no text) is escaped, which is valid in a JSON string too.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a caller has put something else in its place
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _forget_standard_output() -> None:
    """Send what a full disk or a closed pipe did not take nowhere; the interpreter flushes once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _exit_on_sigterm() -> None:
    # What `signal` puts enumerations around: they take longer to import than a small file takes to verify.
    import _signal  # type: ignore[import-not-found]

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Terminated

    try:
        _signal.signal(_signal.SIGTERM, stop)
    except ValueError:
        return  # a caller's thread: signals arrive in the main one
