"""What a command is: data from which parsing, help, completion and "did you mean" are derived.

Owns the shapes and the words that several commands share. Plain classes with slots, because this module is imported on
every start (``dataclasses`` and ``typing`` together would cost as much as the whole rest of it).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROGRAM = "opensession"

EXIT_CODES: dict[int, str] = {
    0: "done",
    1: "a bug in opensession",
    2: "the command line is wrong",
    3: "the input is not acceptable",
    4: "not found",
    5: "bytes do not match their address",
    6: "refused for safety",
    7: "a remote failed, local work is kept",
    8: "local storage or the output failed",
    9: "busy after waiting",
    10: "done, with losses (--strict)",
    130: "interrupted",
    143: "terminated",
}


class Argument:
    """A positional argument. ``many`` takes one or more, ``optional`` none too; only the last argument may."""

    __slots__ = ("help", "many", "name", "optional", "values")

    def __init__(
        self, name: str, help: str, *, many: bool = False, optional: bool = False, values: str = "file"
    ) -> None:
        self.name = name
        self.help = help
        self.many = many
        self.optional = optional
        self.values = values
        """What a shell should complete: ``file``, ``shell``, or nothing (empty)."""


class Option:
    """An option. Without ``metavar`` it is a flag."""

    __slots__ = ("bare", "help", "hidden", "many", "metavar", "name", "number", "short", "usual", "values")

    def __init__(
        self,
        name: str,
        help: str,
        *,
        metavar: str | None = None,
        short: str | None = None,
        usual: str | None = None,
        number: tuple[int, int] | None = None,
        bare: str | None = None,
        many: bool = False,
        values: str = "",
        hidden: bool = False,
    ) -> None:
        self.name = name
        self.help = help
        self.metavar = metavar
        self.short = short
        self.usual = usual
        """For an option that must be given: the value to suggest where it is missing."""
        self.number = number
        """Smallest and largest accepted value, where the option takes a whole number."""
        self.bare = bare
        """The value of the option where it stands alone; another one then follows a ``=``, never a space."""
        self.many = many
        """Whether every value counts, not only the last one."""
        self.values = values
        """What a shell should complete: ``file``, ``folder``, ``profile``, or nothing (empty)."""
        self.hidden = hidden
        """For programs of ours, such as the git hook: it is in no help and no completion."""


class Command:
    """A command, whole: its help text is this, laid out."""

    __slots__ = (
        "arguments",
        "bytes_unless",
        "description",
        "examples",
        "exits",
        "hidden",
        "name",
        "options",
        "summary",
    )

    def __init__(
        self,
        name: str,
        summary: str,
        description: str,
        *,
        arguments: Sequence[Argument] = (),
        options: Sequence[Option] = (),
        examples: Sequence[str] = (),
        exits: Sequence[int] = (),
        bytes_unless: str | None = None,
        hidden: bool = False,
    ) -> None:
        self.name = name
        self.summary = summary
        self.description = description
        self.arguments = tuple(arguments)
        self.options = (*options, HELP)
        self.examples = tuple(examples)
        self.exits = (0, 2, *exits, 130, 143)
        self.bytes_unless = bytes_unless
        """The option without which standard output carries a session's bytes, so that JSON must go elsewhere."""
        self.hidden = hidden
        """It can be called, and is in no list of commands: there is a better name for what it does."""


class Args:
    """The values that one command line gave to a command, by the names in its table."""

    __slots__ = ("_values", "argv")

    def __init__(self, argv: Sequence[str], values: dict[str, list[str]]) -> None:
        self.argv = tuple(argv)
        """The whole command line as typed, without the program: what an error's next step is made of."""
        self._values = values

    def flag(self, name: str) -> bool:
        """Whether the flag was given."""
        return name in self._values

    def text(self, name: str) -> str | None:
        """The value of an option (the last one given) or of a single argument."""
        values = self._values.get(name)
        return values[-1] if values else None

    def one(self, name: str) -> str:
        """The value of something that the table requires."""
        return self._values[name][-1]

    def many(self, name: str) -> list[str]:
        """All values of an argument or option that takes several."""
        return list(self._values.get(name, ()))

    def number(self, name: str, default: int) -> int:
        """The value of an option that takes a whole number; its bounds were checked."""
        value = self.text(name)
        return default if value is None else int(value)


HELP = Option("--help", "show this help", short="-h")
JSON = Option("--json", "print one JSON document (2 spaces, sorted keys) instead of text")
STORE = Option(
    "--store",
    "use this store instead of the repository's and the global one",
    metavar="PATH",
    values="folder",
)
REMOTE = Option(
    "--remote",
    "read os://src/gh|gl|git/… through this remote; it must be the repository that the URI names",
    metavar="NAME|URL|PATH",
)
JOBS = Option(
    "--jobs", "threads to use; the output is the same for any number [2]", metavar="N", number=(1, 64)
)

if TYPE_CHECKING:
    from opensession.cli.report import Report

    Run = Callable[[Args, Report], int]
