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


def _summary(group: list[Command]) -> str:
    return group[0].summary if len(group) == 1 else ", ".join(_words_at(group, 1))


def _words_at(group: list[Command], depth: int) -> list[str]:
    """The words that stand at this place in the names of the group, each once."""
    names = [command.name.split() for command in group]
    return list(dict.fromkeys(name[depth] for name in names if len(name) > depth))


def _flags(command: Command) -> list[str]:
    return [name for option in command.options for name in (option.name, option.short) if name]


_BASH = """\
# bash completion for {program}. Install:
#   {program} docs completion bash > ~/.local/share/bash-completion/completions/{program}
_{program}() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}" name="" i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "${{COMP_WORDS[i]}}" in
            --store) ((i++)) ;;
            -*) ;;
            *) name="${{COMP_WORDS[i]}}"; break ;;
        esac
    done
    case "$prev" in
{options}
    esac
    case "$name" in
        "") COMPREPLY=($(compgen -W "{words}" -- "$cur")) ;;
{commands}
    esac
}}
complete -o filenames -F _{program} {program}
"""


def _bash(commands: Sequence[Command], values: Values) -> str:
    words = _words(commands)
    with_value = {o.name: o for command in commands for o in command.options if o.metavar and o.bare is None}
    return _BASH.format(
        program=PROGRAM,
        options="\n".join(
            f"        {o.name}) {_bash_value(o, values)}; return ;;" for o in with_value.values()
        ),
        words=" ".join([*words, "--store", "--version", "--help"]),
        commands="\n".join(_bash_command(word, group, values) for word, group in words.items()),
    )


def _bash_value(option: Option, values: Values) -> str:
    if option.values in values:
        return f'COMPREPLY=($(compgen -W "{" ".join(values[option.values])}" -- "$cur"))'
    if option.values:
        return f'COMPREPLY=($(compgen -{"d" if option.values == "folder" else "f"} -- "$cur"))'
    return ":"


def _bash_command(word: str, group: list[Command], values: Values) -> str:
    flags = " ".join(sorted({flag for command in group for flag in _flags(command)}))
    files = "-f " if any(a.values == "file" for command in group for a in command.arguments) else ""
    return f"""\
        {word})
            if [[ "$cur" == -* ]]; then
                COMPREPLY=($(compgen -W "{flags}" -- "$cur"))
            else
                COMPREPLY=($(compgen {files}-W "{" ".join(_closed_words(group, values))}" -- "$cur"))
            fi ;;"""


def _closed_words(group: list[Command], values: Values) -> list[str]:
    """The words that can follow the first one: further words of commands, and arguments that are a closed list."""
    further = [*_words_at(group, 1), *_words_at(group, 2)]
    return further + [v for command in group for a in command.arguments for v in values.get(a.values, [])]


def _zsh_text(text: str) -> str:
    """Text inside a single-quoted specification of ``_arguments`` or ``_describe``."""
    for character in "\\[]:":
        text = text.replace(character, "\\" + character)
    return text.replace("'", "'\\''")


def _zsh_option(option: Option, values: Values) -> str:
    value = f":{option.metavar}:{_zsh_values(option.values, values)}" if option.metavar else ""
    if option.bare is not None:
        return f"'{option.name}=-[{_zsh_text(option.help)}]:{value}'"
    return f"'{'*' if option.many else ''}{option.name}[{_zsh_text(option.help)}]{value}'"


def _zsh_values(kind: str, values: Values) -> str:
    if kind in values:
        return f"({' '.join(values[kind])})"
    return {"file": "_files", "folder": "_files -/"}.get(kind, "")


_ZSH = """\
#compdef {program}
# zsh completion for {program}. Install it as _{program} in a folder of $fpath:
#   {program} docs completion zsh > ~/.zfunc/_{program}
_{program}() {{
    local state line
    _arguments -C '--store[use this store]:PATH:_files -/' '--version[print the version]' \\
        '--help[show help]' \\
        '1:command:->command' '*::argument:->argument'
    case "$state" in
        command)
            local -a commands
            commands=(
{words}
            )
            _describe command commands ;;
        argument)
            case "$words[1]" in
{commands}
            esac ;;
    esac
}}
if [ "$funcstack[1]" = "_{program}" ]; then
    _{program} "$@"
else
    compdef _{program} {program}
fi
"""


def _zsh(commands: Sequence[Command], values: Values) -> str:
    words = _words(commands)
    return _ZSH.format(
        program=PROGRAM,
        words="\n".join(
            f"                '{word}:{_zsh_text(_summary(group))}'" for word, group in words.items()
        ),
        commands="\n".join(_zsh_command(word, group, values) for word, group in words.items()),
    )


def _zsh_command(word: str, group: list[Command], values: Values) -> str:
    head = f"                {word})\n                    _arguments "
    if len(group) > 1:
        names = _words_at(group, 1)
        second = [w for w in _closed_words(group, values) if w not in names]
        options = {option.name: option for command in group for option in command.options}
        lines = [f"'1:what:({' '.join(names)})' '2:value:({' '.join(second)})' '*:file:_files'"]
        lines += [_zsh_option(option, values) for option in options.values()]
        return head + " \\\n                        ".join(lines) + " ;;"
    specifications = [_zsh_option(option, values) for option in group[0].options]
    specifications += [
        f"'{'*' if a.many else '1'}:{a.name}:{_zsh_values(a.values, values)}'" for a in group[0].arguments
    ]
    return head + " \\\n                        ".join(specifications) + " ;;"


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
        seen = f"__fish_seen_subcommand_from {word}"
        lines.append(f"complete -c {PROGRAM} -f -n '{none}' -a {word} -d {_fish_quote(_summary(group))}")
        if len(group) > 1:
            lines.append(
                f"complete -c {PROGRAM} -f -n '{seen}' -a '{' '.join(_closed_words(group, values))}'"
            )
        options = {option.name: option for command in group for option in command.options}
        lines += [_fish_option(option, seen, values) for option in options.values()]
    return "\n".join([*lines, ""])


def _fish_option(option: Option, seen: str, values: Values) -> str:
    line = f"complete -c {PROGRAM} -n '{seen}' -l {option.name[2:]} -d {_fish_quote(option.help)}"
    if option.short:
        line += f" -s {option.short[1:]}"
    if option.values in values:
        return f"{line} -x -a '{' '.join(values[option.values])}'"
    if option.metavar and option.bare is None:
        return line + (" -r -F" if option.values else " -x")
    return line


SHELLS: Mapping[str, Callable[[Sequence[Command], Values], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
