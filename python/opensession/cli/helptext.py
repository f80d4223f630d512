"""Lays out help. Owns the shape of the text; must not know any command by name.

The width is fixed: help is the same on every terminal and in every Python version, so that a test can hold all of it.
"""

from __future__ import annotations

from opensession.cli.command import EXIT_CODES, PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opensession.cli.command import Argument, Command, Option

WIDTH = 96
_INDENT = 22


def command_help(command: Command) -> str:
    """The whole help of one command."""
    parts = [
        _usage(command),
        "",
        command.summary[0].upper() + command.summary[1:] + ".",
        "",
        command.description.strip(),
    ]
    if command.arguments:
        parts += [
            "",
            "Arguments:",
            *_rows((a.name + ("..." if a.many else ""), a.help) for a in command.arguments),
        ]
    parts += ["", "Options:", *_rows((_label(o), o.help) for o in command.options if not o.hidden)]
    parts += ["", "Examples:", *(f"  {example}" for example in command.examples)]
    parts += ["", "Exit codes:", *(f"  {code:<4}{EXIT_CODES[code]}" for code in command.exits)]
    return "\n".join(parts) + "\n"


def root_help(commands: Sequence[Command]) -> str:
    """The help of the program: every command with its summary, and where to begin."""
    rows = _rows((command.name, command.summary) for command in commands if not command.hidden)
    return "\n".join(
        [
            f"Usage: {PROGRAM} [--store PATH] COMMAND ...",
            "",
            "Turns any AI coding agent's log into one canonical session, stores it under the SHA-256 of its bytes,",
            "and proves at any time that they are still the same. Nothing leaves this machine unless you share it.",
            "",
            "Commands:",
            *rows,
            "",
            "Options:",
            *_rows(
                [
                    ("--store PATH", "use this store instead of the repository's and the global one"),
                    ("--version", "print the version"),
                    ("-h, --help", "show this help, or a command's after its name"),
                ]
            ),
            "",
            "First steps:",
            f"  {PROGRAM} docs quickstart",
            f"  {PROGRAM} parse --profile auto ./raw.jsonl --out ./session.hail.jsonl",
            f"  {PROGRAM} register ./session.hail.jsonl",
            "",
        ]
    )


def _usage(command: Command) -> str:
    words = [f"Usage: {PROGRAM} {command.name}"]
    words += [f"{o.name} {o.metavar}" for o in command.options if o.usual is not None]
    words += [_argument(a) for a in command.arguments]
    free = [o for o in command.options if o.usual is None and not o.hidden]
    words += [f"[{_spelled(o)}]{'...' if o.many else ''}" for o in free]
    return "\n".join(_wrap(words, len("Usage: ")))


def _argument(argument: Argument) -> str:
    name = argument.name + ("..." if argument.many else "")
    return f"[{name}]" if argument.optional else name


def _spelled(option: Option) -> str:
    if option.bare is not None:
        return f"{option.name}[={option.metavar}]"
    return f"{option.name} {option.metavar}" if option.metavar else option.name


def _label(option: Option) -> str:
    return f"{option.short}, {_spelled(option)}" if option.short else _spelled(option)


def _rows(rows: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for label, text in rows:
        first, *others = _wrap(text.split(), 0, WIDTH - _INDENT)
        if len(label) > _INDENT - 4:
            lines += [f"  {label}", " " * _INDENT + first]
        else:
            lines.append(f"  {label:<{_INDENT - 2}}{first}")
        lines += [" " * _INDENT + other for other in others]
    return lines


def _wrap(words: Sequence[str], hang: int, width: int = WIDTH) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append(" " * hang + word)
        else:
            lines[-1] += " " + word
    return lines
