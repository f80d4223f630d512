"""Finds agents' logs on the disk, the newest first.

Owns that nothing outside of the agents' own folders is opened: a link inside of them is never followed, a pipe or a
device never opened. What cannot be read is passed over and counted. Must not know what is done with a log.
"""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatchcase

from opensession.agents.clues import clue_in
from opensession.agents.known import AGENTS
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from opensession.agents.clues import Clue
    from opensession.agents.known import Agent

MOST_LOGS = 128
"""Logs that one search gives at most; more than a person writes in one repository between two looks."""
MOST_LOOKED_AT = 4096
"""Logs whose first lines are read at most."""
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_ZST = ".zst"


class Log(NamedTuple):
    """A log that was found."""

    agent: Agent
    path: str
    size: int
    mtime_ns: int
    folder: str | None
    """The working directory it names."""
    remote: str | None


class Discovery(NamedTuple):
    """What one search found."""

    logs: tuple[Log, ...]
    """The newest first."""
    looked_at: int
    unreadable: int
    """Files and folders that the system would not let be read, and links, which are not followed."""
    left_out: int
    """Logs that were not looked at, because there were more than the limit."""


class _Candidate(NamedTuple):
    mtime_ns: int
    size: int
    path: str
    agent: Agent


def discover(
    home: Path,
    env: Mapping[str, str],
    wanted: Callable[[Clue], bool],
    *,
    agents: Iterable[Agent] = AGENTS,
    most: int = MOST_LOGS,
    look: int = MOST_LOOKED_AT,
) -> Discovery:
    """The newest logs of which ``wanted`` says, by what their first lines tell, that they are."""
    found: list[_Candidate] = []
    refused: list[str] = []
    for agent in agents:
        for root in _roots(agent, home, env):
            for layout in agent.layouts:
                found += _matching(agent, root, layout.split("/"), refused)
    found = _current(found)
    logs: list[Log] = []
    looked_at = 0
    for candidate in found[:look]:
        looked_at += 1
        log = _look(candidate, refused)
        if log is not None and wanted(_clue_of(log)):
            logs.append(log)
            if len(logs) == most:
                break
    return Discovery(tuple(logs), looked_at, len(refused), len(found) - looked_at)


def _clue_of(log: Log) -> Clue:
    from opensession.agents.clues import Clue

    return Clue(log.folder, log.remote)


def open_log(log: Log) -> int:
    """A descriptor of the log; raises OSError where it cannot be opened or is no plain file any more."""
    return _open(log.path)


def _open(path: str) -> int:
    fd = os.open(path, _OPEN)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(f"{path!r} is no plain file")
    return fd


def homes(home: Path, env: Mapping[str, str], agents: Iterable[Agent] = AGENTS) -> list[tuple[str, Path]]:
    """The folders that are looked at, each with the label of its agent, whether they exist or not."""
    from pathlib import Path as Folder

    return [(agent.label, Folder(root)) for agent in agents for root in _roots(agent, home, env)]


def _roots(agent: Agent, home: Path, env: Mapping[str, str]) -> list[str]:
    """The agent's homes, each once. A home itself may be a link: that is how people keep it on another disk."""
    named = [name.strip() for name in env.get(agent.home.variable, "").split(",")]
    folders = [name for name in named if name.startswith("/")]
    folders += [str(home / usual) for usual in agent.home.usual]
    return list(dict.fromkeys(os.path.realpath(folder) for folder in folders))


def _matching(agent: Agent, folder: str, patterns: list[str], refused: list[str]) -> Iterator[_Candidate]:
    """The plain files below ``folder`` whose names fit, one pattern for each depth."""
    try:
        with os.scandir(folder) as listed:
            entries = [entry for entry in listed if fnmatchcase(entry.name, patterns[0])]
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        refused.append(folder)
        return
    for entry in entries:
        if entry.is_symlink():
            refused.append(entry.path)
        elif len(patterns) > 1:
            if entry.is_dir(follow_symlinks=False):
                yield from _matching(agent, entry.path, patterns[1:], refused)
        elif not any(fnmatchcase(entry.name, pattern) for pattern in agent.auxiliary):
            yield from _candidate(agent, entry, refused)


def _candidate(agent: Agent, entry: os.DirEntry[str], refused: list[str]) -> Iterator[_Candidate]:
    try:
        state = entry.stat(follow_symlinks=False)
    except OSError:
        refused.append(entry.path)
        return
    if stat.S_ISREG(state.st_mode):
        yield _Candidate(state.st_mtime_ns, state.st_size, entry.path, agent)


def _current(found: list[_Candidate]) -> list[_Candidate]:
    """The newest first; a compressed copy counts only where the log itself is gone."""
    names = {candidate.path for candidate in found}
    kept = [c for c in found if not (c.path.endswith(_ZST) and c.path.removesuffix(_ZST) in names)]
    return sorted(kept, key=lambda c: (-c.mtime_ns, c.path))


def _look(candidate: _Candidate, refused: list[str]) -> Log | None:
    try:
        fd = _open(candidate.path)
    except OSError:
        refused.append(candidate.path)
        return None
    try:
        clue = clue_in(candidate.agent, fd)
    except OSError:
        refused.append(candidate.path)
        return None
    finally:
        os.close(fd)
    return Log(candidate.agent, candidate.path, candidate.size, candidate.mtime_ns, clue.folder, clue.remote)
