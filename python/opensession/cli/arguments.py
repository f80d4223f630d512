"""Reads a command line by a command's table.

Owns the syntax: options anywhere, ``--name value`` or ``--name=value``, ``--`` ends options, ``-`` is an argument.
It must not know what any option means. ``argparse`` would cost 14 ms on every start and lays its help out
differently in each Python version; a property test compares the two (tests/unit/test_cli_arguments.py).
"""

from __future__ import annotations

import os

from opensession.cli.command import PROGRAM, Args, Option
from opensession.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from opensession.cli.command import Command


def read(
    command: Command, argv: Sequence[str], start: int = 0, *, defaults: dict[str, list[str]] | None = None
) -> Args:
    """The values in ``argv[start:]``; ``argv`` is the whole command line, for the next steps of an error."""
    by_name = {name: option for option in command.options for name in (option.name, option.short) if name}
    values: dict[str, list[str]] = dict(defaults or {})
    positional: list[int] = []
    at = start
    while at < len(argv):
        word = argv[at]
        if word == "--":
            positional += range(at + 1, len(argv))
            break
        if word == "-" or not word.startswith("-"):
            positional.append(at)
            at += 1
            continue
        name, has_value, value = word.partition("=")
        option = by_name.get(name)
        if option is None:
            raise _unknown_option(command, argv, at, name, list(by_name))
        if option.metavar is None:
            if has_value:
                raise UsageError(f"{name} takes no value and got {word!r}", next=[again(argv, {at: name})])
            values.setdefault(option.name, [])
        else:
            if not has_value and option.bare is not None:
                value = option.bare
            elif not has_value:
                at += 1
                value = _following(command, argv, at, option)
            _check_number(option, value)
            # The last one counts, as everywhere, unless the option takes several.
            values[option.name] = [*values.get(option.name, ()), value] if option.many else [value]
        at += 1
    if not values.keys() & {"--help"}:
        _place(command, argv, positional, values)
    return Args(argv, values)


def _following(command: Command, argv: Sequence[str], at: int, option: Option) -> str:
    """The word after an option that needs a value."""
    if at == len(argv) or argv[at].startswith("--"):
        given = argv[at - 1]
        raise UsageError(f"{given} needs a value: {given} {option.metavar}", next=[help_step(command)])
    return argv[at]


def _place(
    command: Command, argv: Sequence[str], positional: list[int], values: dict[str, list[str]]
) -> None:
    """Give the words at the places ``positional`` to the command's arguments, and see that nothing required is
    missing.
    """
    for option in command.options:
        if option.usual is not None and option.name not in values:
            raise UsageError(
                f"'{PROGRAM} {command.name}' needs {option.name} {option.metavar}",
                next=[again([*argv, option.name, option.usual], {}), help_step(command)],
            )
    rest = positional
    for argument in command.arguments:
        if not rest and not argument.optional:
            raise UsageError(f"'{PROGRAM} {command.name}' needs {argument.name}", next=[help_step(command)])
        take = len(rest) if argument.many else 1
        values[argument.name], rest = [argv[at] for at in rest[:take]], rest[take:]
    if rest:
        fewer = [word for at, word in enumerate(argv) if at not in rest]
        raise UsageError(
            f"'{PROGRAM} {command.name}' takes no argument {argv[rest[0]]!r}",
            next=[again(fewer, {}), help_step(command)],
        )


def _check_number(option: Option, value: str) -> None:
    if option.number is None:
        return
    low, high = option.number
    # isdecimal alone also accepts the digits of other scripts, and int() an underscore.
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and low <= int(value) <= high):
        raise UsageError(f"{option.name} takes a whole number from {low} to {high}, not {value!r}")


def _unknown_option(
    command: Command, argv: Sequence[str], at: int, name: str, known: list[str]
) -> UsageError:
    if command.arguments and os.path.lexists(argv[at]):
        return UsageError(
            f"'{PROGRAM} {command.name}' has no option {name!r}; the file of that name is {as_file(argv[at])!r}",
            next=[again(argv, {at: as_file(argv[at])}), help_step(command)],
        )
    near = nearest(name, known)
    if near is None:
        return UsageError(f"'{PROGRAM} {command.name}' has no option {name!r}", next=[help_step(command)])
    right = near + argv[at][len(name) :]
    return UsageError(
        f"'{PROGRAM} {command.name}' has no option {name!r}; did you mean {near!r}?",
        next=[again(argv, {at: right}), help_step(command)],
    )


def nearest(word: str, known: Sequence[str], *, likeness: float = 0.6) -> str | None:
    """The known word that ``word`` is a near miss of, or None."""
    import difflib

    # Without the dashes of an option: two that all options share say nothing of what was meant.
    bare = {k.lstrip("-"): k for k in reversed(known)}
    found = difflib.get_close_matches(word.lstrip("-").lower(), list(bare), n=1, cutoff=likeness)
    if found:
        return bare[found[0]]
    # `claude` for `claude-code`, `--val` for `--validate`: a beginning that fits only one is a near miss too.
    begins = [k for k in known if len(word.strip("-")) > 1 and k.startswith(word.lower())]
    return begins[0] if len(begins) == 1 else None


def again(argv: Sequence[str], replaced: dict[int, str]) -> str:
    """The same command line with some words replaced, as it can be pasted into a shell."""
    return quoted(PROGRAM, *(replaced.get(at, word) for at, word in enumerate(argv)))


def quoted(*words: str) -> str:
    """Words as they can be pasted into a shell."""
    from opensession import settings

    return settings.quoted_words(*words)


def as_file(file: str) -> str:
    """A file's name as an argument: one that begins like an option needs its folder before it."""
    return f"./{file}" if file.startswith("-") and file != "-" else file


def help_step(command: Command) -> str:
    """The step that shows a command's help."""
    return f"{PROGRAM} {command.name} --help"
