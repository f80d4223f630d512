"""Completion scripts for bash, zsh and fish, made from the commands' tables.

Owns the three dialects. The scripts are static text: completing a word must not start Python. Must not know any command
by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensession.cli.command import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opensession.cli.command import Command, Option

Values = dict[str, list[str]]
"""The words that can stand for each kind of value that is a closed list (``profile``, ``shell``)."""


def script(shell: str, commands: Sequence[Command], values: Values) -> str:
    """The completion script for ``shell``, one of :data:`SHELLS`."""
    return SHELLS[shell](commands, values)


def _words(commands: Sequence[Command]) -> dict[str, list[Command]]:
    """First word of the command to the commands that begin with it."""
    found: dict[str, list[Command]] = {}
    for command in commands:
        found.setdefault(command.name.split()[0], []).append(command)
    return found


def _flags(command: Command) -> list[str]:
    return [name for option in command.options for name in (option.name, option.short) if name]


def _bash(commands: Sequence[Command], values: Values) -> str:
    lines = [
        f"# bash completion for {PROGRAM}. Install:",
        f"#   {PROGRAM} docs completion bash > ~/.local/share/bash-completion/completions/{PROGRAM}",
        f"_{PROGRAM}() {{",
        '    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" name="" i',
        "    COMPREPLY=()",
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        '        case "${COMP_WORDS[i]}" in',
        "            --store) ((i++)) ;;",
        "            -*) ;;",
        '            *) name="${COMP_WORDS[i]}"; break ;;',
        "        esac",
        "    done",
        '    case "$prev" in',
    ]
    seen = set()
    for option in (o for command in commands for o in command.options if o.metavar):
        if option.name in seen:
            continue
        seen.add(option.name)
        if option.values in values:
            reply = f'COMPREPLY=($(compgen -W "{" ".join(values[option.values])}" -- "$cur"))'
        elif option.values:
            reply = f'COMPREPLY=($(compgen -{"d" if option.values == "folder" else "f"} -- "$cur"))'
        else:
            reply = ":"
        lines.append(f"        {option.name}) {reply}; return ;;")
    lines += ["    esac", '    case "$name" in']
    words = _words(commands)
    first = " ".join([*words, "--store", "--version", "--help"])
    lines.append(f'        "") COMPREPLY=($(compgen -W "{first}" -- "$cur")) ;;')
    for word, group in words.items():
        flags = sorted({flag for command in group for flag in _flags(command)})
        more = [command.name.split()[1] for command in group if " " in command.name]
        more += [v for command in group for a in command.arguments for v in values.get(a.values, [])]
        files = any(a.values == "file" for command in group for a in command.arguments)
        lines += [
            f"        {word})",
            '            if [[ "$cur" == -* ]]; then',
            f'                COMPREPLY=($(compgen -W "{" ".join(flags)}" -- "$cur"))',
            "            else",
            f'                COMPREPLY=($(compgen {"-f " if files else ""}-W "{" ".join(more)}" -- "$cur"))',
            "            fi ;;",
        ]
    lines += ["    esac", "}", f"complete -o filenames -F _{PROGRAM} {PROGRAM}", ""]
    return "\n".join(lines)


def _zsh_text(text: str) -> str:
    """Text inside a single-quoted specification of ``_arguments`` or ``_describe``."""
    for character in "\\[]:":
        text = text.replace(character, "\\" + character)
    return text.replace("'", "'\\''")


def _zsh_option(option: Option, values: Values) -> str:
    value = f":{option.metavar}:{_zsh_values(option.values, values)}" if option.metavar else ""
    return f"'{option.name}[{_zsh_text(option.help)}]{value}'"


def _zsh_values(kind: str, values: Values) -> str:
    if kind in values:
        return f"({' '.join(values[kind])})"
    return {"file": "_files", "folder": "_files -/"}.get(kind, "")


def _zsh(commands: Sequence[Command], values: Values) -> str:
    lines = [
        f"#compdef {PROGRAM}",
        f"# zsh completion for {PROGRAM}. Install it as _{PROGRAM} in a folder of $fpath:",
        f"#   {PROGRAM} docs completion zsh > ~/.zfunc/_{PROGRAM}",
        f"_{PROGRAM}() {{",
        "    local state line",
        "    _arguments -C '--store[use this store]:PATH:_files -/' '--version[print the version]' \\",
        "        '--help[show help]' \\",
        "        '1:command:->command' '*::argument:->argument'",
        '    case "$state" in',
        "        command)",
        "            local -a commands",
        "            commands=(",
    ]
    words = _words(commands)
    for word, group in words.items():
        summary = (
            group[0].summary if len(group) == 1 else ", ".join(command.name.split()[1] for command in group)
        )
        lines.append(f"                '{word}:{_zsh_text(summary)}'")
    lines += [
        "            )",
        "            _describe command commands ;;",
        "        argument)",
        '            case "$words[1]" in',
    ]
    for word, group in words.items():
        lines.append(f"                {word})")
        if len(group) > 1:
            names = [command.name.split()[1] for command in group]
            shells = [v for command in group for a in command.arguments for v in values.get(a.values, [])]
            lines.append(
                f"                    _arguments '1:what:({' '.join(names)})' '2:value:({' '.join(shells)})' ;;"
            )
            continue
        options = [_zsh_option(option, values) for option in group[0].options]
        options += [
            f"'{'*' if a.many else ''}{'' if a.many else '1'}:{a.name}:{_zsh_values(a.values, values)}'"
            for a in group[0].arguments
        ]
        lines.append(
            "                    _arguments " + " \\\n                        ".join(options) + " ;;"
        )
    lines += [
        "            esac ;;",
        "    esac",
        "}",
        f'if [ "$funcstack[1]" = "_{PROGRAM}" ]; then',
        f'    _{PROGRAM} "$@"',
    ]
    lines += ["else", f"    compdef _{PROGRAM} {PROGRAM}", "fi", ""]
    return "\n".join(lines)


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish(commands: Sequence[Command], values: Values) -> str:
    words = _words(commands)
    none = f"not __fish_seen_subcommand_from {' '.join(words)}"
    lines = [
        f"# fish completion for {PROGRAM}. Install:",
        f"#   {PROGRAM} docs completion fish > ~/.config/fish/completions/{PROGRAM}.fish",
        f"complete -c {PROGRAM} -n '{none}' -l store -r -F -d 'use this store'",
        f"complete -c {PROGRAM} -n '{none}' -l version -d 'print the version'",
    ]
    for word, group in words.items():
        summary = (
            group[0].summary if len(group) == 1 else ", ".join(command.name.split()[1] for command in group)
        )
        seen = f"__fish_seen_subcommand_from {word}"
        lines.append(f"complete -c {PROGRAM} -f -n '{none}' -a {word} -d {_fish_quote(summary)}")
        if len(group) > 1:
            more = [command.name.split()[1] for command in group]
            more += [v for command in group for a in command.arguments for v in values.get(a.values, [])]
            lines.append(f"complete -c {PROGRAM} -f -n '{seen}' -a '{' '.join(more)}'")
        done = set()
        for option in (o for command in group for o in command.options):
            if option.name not in done:
                done.add(option.name)
                lines.append(_fish_option(option, seen, values))
    return "\n".join([*lines, ""])


def _fish_option(option: Option, seen: str, values: Values) -> str:
    line = f"complete -c {PROGRAM} -n '{seen}' -l {option.name[2:]} -d {_fish_quote(option.help)}"
    if option.short:
        line += f" -s {option.short[1:]}"
    if option.values in values:
        return f"{line} -x -a '{' '.join(values[option.values])}'"
    if option.metavar:
        return line + (" -r -F" if option.values else " -x")
    return line


SHELLS: Mapping[str, Callable[[Sequence[Command], Values], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
