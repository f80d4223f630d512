"""The stores that a command line means. Owns the meeting of options, working directory and environment."""

from __future__ import annotations

import os

from opensession.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opensession.actions.inputs import Spool
    from opensession.actions.targets import Place
    from opensession.cli.command import Args
    from opensession.core import Input
    from opensession.store import Stores


def stores_of(args: Args) -> Stores:
    """The stores to read, the first of which is written to."""
    from opensession.store import Stores  # here: a command that looks at a file only needs no store

    return Stores.discover(_here(), os.environ, store=args.text("--store"))


def place_of(args: Args) -> Place:
    """From where the URI of a remote is read."""
    from opensession.actions.targets import Place

    return Place(_here(), os.environ, args.text("--remote"))


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist any more", next=["cd ~"]) from None


def spool_of(args: Args) -> Spool:
    """Where a pipe is copied to when it must be read twice: a private file of the store."""

    def spool(source: Input) -> AbstractContextManager[int]:
        return stores_of(args).write.spool(source)  # found only now: most inputs are files

    return spool
