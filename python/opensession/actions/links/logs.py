"""Registers the logs of agents that belong to a repository, so that their sessions can be linked.

Owns that a log which has not changed is not parsed again, and that a log which cannot be read now is passed over and
told. Must not know commits.
"""

from __future__ import annotations

import os

from opensession import core
from opensession.actions.links.candidates import belongs
from opensession.actions.links.clock import Clock, OutOfTime
from opensession.actions.register import register
from opensession.agents.discovery import discover, open_log
from opensession.errors import InputError
from opensession.light import NamedTuple
from opensession.settings import home
from opensession.store import linking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensession.actions.handoff.recent import Here
    from opensession.agents.discovery import Log
    from opensession.store import Store


class Registered(NamedTuple):
    """What became of the logs that belong to the repository."""

    sessions: tuple[str, ...]
    """The addresses, the newest log first."""
    skipped: tuple[tuple[str, str], ...]
    """Logs that could not be read, each with the reason."""
    unreadable: int
    """Files and folders of agents that could not be looked at at all."""
    in_time: bool
    """False where time ran out before the last log."""


def register_logs(store: Store, place: Here, env: Mapping[str, str], clock: Clock) -> Registered:
    """Store the sessions of the logs that were written in ``place``."""
    found = discover(home(env), env, lambda clue: belongs(clue, place))
    parsers = {profile["id"]: profile["parser"] for profile in core.profiles()}
    sessions: list[str] = []
    skipped: list[tuple[str, str]] = []
    for log in found.logs:
        try:
            sessions.append(_session(store, log, parsers[log.agent.name], clock))
        except OutOfTime:
            return Registered(tuple(sessions), tuple(skipped), found.unreadable, in_time=False)
        except InputError as error:
            skipped.append((log.path, error.message))
        except OSError as error:
            skipped.append((log.path, error.strerror or "it is no plain file any more"))
    return Registered(tuple(sessions), tuple(skipped), found.unreadable, in_time=True)


def _session(store: Store, log: Log, parser: str, clock: Clock) -> str:
    known = linking.session_of(store, log.path, log.size, log.mtime_ns, parser)
    if known is not None:
        return known
    clock.check()
    fd = open_log(log)
    try:
        state = os.fstat(fd)
        [stored] = register(
            store,
            fd,
            profile=log.agent.name,
            source_name=os.path.basename(log.path),
            progress=lambda _done, _total: clock.check(),
        )
    finally:
        os.close(fd)
    # As it was before it was read: what was written to it meanwhile is not in the session.
    linking.became(store, log.path, state.st_size, state.st_mtime_ns, parser, stored.sha256)
    return stored.sha256
