"""The two options of every command that lets something out, and the next steps when the door stays shut.

Owns those words. Must not know what leaves.
"""

from __future__ import annotations

from opensession.cli.arguments import quoted
from opensession.cli.command import PROGRAM, Option
from opensession.errors import SecretsFoundError
from opensession.light import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opensession.cli.command import Args

REDACT = Option("--redact", "put placeholders where secrets stand, in a copy that leaves instead")
ALLOW_SECRET = Option(
    "--allow-secret",
    "let the secret of this fingerprint pass; repeatable, and noted in the store",
    metavar="FINGERPRINT",
    many=True,
)


@contextmanager
def door_steps(args: Args, *, redactable: bool = True) -> Iterator[None]:
    """Add to a refusal the same command line with each of the ways through."""
    try:
        yield
    except SecretsFoundError as error:
        steps = [with_words(args.argv, "--redact")] if redactable and not args.flag("--redact") else []
        if error.fingerprints:
            words = [word for each in error.fingerprints for word in ("--allow-secret", each)]
            steps.append(with_words(args.argv, *words))
        error.next = (*steps, *error.next)
        raise


def redacted_lines(uri: str, rules: Mapping[str, int]) -> list[str]:
    """What a redaction made and how often each rule was applied; nothing where nothing was redacted."""
    if not rules:
        return []
    counted = ", ".join(f"{rule} {count}" for rule, count in sorted(rules.items()))
    return [f"redacted: {counted}", f"what left is {uri}"]


def with_words(argv: Sequence[str], *words: str) -> str:
    """The command line with some options more, before a ``--`` that ends the options."""
    at = list(argv).index("--") if "--" in argv else len(argv)
    return quoted(PROGRAM, *argv[:at], *words, *argv[at:])
