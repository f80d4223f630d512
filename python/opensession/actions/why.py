"""Tells why a line is there: its commit, the sessions that made it, the event that wrote it, and what was asked for.

Owns the order of the questions, and that what cannot be known is said rather than guessed. Must not know how the answer
is shown.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

from opensession.actions.handoff import recent
from opensession.actions.links import changes, fetching, origin
from opensession.actions.links.lines import bare, normal
from opensession.actions.links.paths import Whereabouts
from opensession.actions.links.reading import Links
from opensession.actions.log import Session, sessions_of
from opensession.errors import InputError, IntegrityError
from opensession.git.blame import blame
from opensession.git.history import commits, cut
from opensession.git.patches import read_patches
from opensession.light import NamedTuple
from opensession.session import Session as Events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opensession.actions.links.changes import Change
    from opensession.actions.links.clock import Clock
    from opensession.git.blame import Blamed
    from opensession.git.history import Commit
    from opensession.git.patchtext import Patch
    from opensession.git.repository import Repository
    from opensession.git.run import Git
    from opensession.store import Stores

_SESSIONS_READ = 8
"""Sessions of one commit that are searched for the line."""


class Prompt(NamedTuple):
    """What a person said before the line was written."""

    event_id: str
    ordinal: int
    timestamp: str
    text: str
    """The first line of it."""


class Wrote(NamedTuple):
    """The event that wrote the line."""

    event_id: str
    ordinal: int
    timestamp: str
    kind: str
    prompt: Prompt | None


class Answer(NamedTuple):
    """A session that may have written the line."""

    session: Session
    wrote: Wrote | None
    """None where no event of it has the line, or the session cannot be read here."""
    problem: str | None
    """Why the event is not known, where that is not because the session has none."""


class Why(NamedTuple):
    """Where a line is from."""

    path: str
    line: int
    text: str
    commit: Commit | None
    """None for a line that is not committed yet."""
    blamed: Blamed
    answers: tuple[Answer, ...]
    """Those first that wrote the line, then the surest."""
    left: int
    """Sessions that there was no time for."""
    cut: bool = False
    """The clone is shallow and ends with that commit: an older one may have the line."""


def why(
    stores: Stores,
    repository: Repository,
    path: str,
    line: int,
    *,
    revision: str | None,
    fetch: str | None = None,
    env: Mapping[str, str],
    clock: Clock,
) -> Why:
    """The origin of the line ``line`` of ``path``, a path from the top of the work tree.

    With ``fetch`` the ledgers of that remote are read as they are now, and the sessions of the commit brought here.
    """
    git = repository.git
    at = None if revision is None else repository.resolve(revision)
    if at is None and repository.worktree is None:
        at = repository.resolve("HEAD")
    blamed = blame(git, path, line, at)
    text = blamed.text.decode("utf-8", "replace")
    if blamed.oid is None:
        return Why(path, line, text, None, blamed, (), 0)
    [commit] = commits(git, blamed.oid, most=1)
    remote = None if fetch is None else fetching.fetch_links(repository, stores.write.root, fetch, env)
    with ExitStack() as stack:
        links = Links(repository, stores, stack)
        found = sessions_of(stores, repository, [commit], links, env=env, clock=clock)
        sessions = found.sessions[commit.oid]
        if remote is not None:
            theirs = [
                s.known.link.sha256 for s in sessions[:_SESSIONS_READ] if s.known.remote == remote.shown
            ]
            fetching.fetch_sessions(repository, stores.write.root, remote, links.missing(theirs), env)
        search = _Search(git, links, blamed, commit, recent.here(git.cwd, env).folders)
        answers = [search.answer(each, read=n < _SESSIONS_READ) for n, each in enumerate(sessions)]
    answers.sort(key=lambda answer: answer.wrote is None)  # stable: the surest stay first
    shallow = commit.oid in cut(repository.common_dir)
    return Why(path, line, text, commit, blamed, tuple(answers), found.left, shallow)


class _Search:
    """Looks for the event that wrote one line."""

    def __init__(self, git: Git, links: Links, blamed: Blamed, commit: Commit, tops: Sequence[str]) -> None:
        self._git = git
        self._links = links
        self._line = bare(blamed.text)
        self._long_enough = normal(blamed.text) is not None
        self._path = blamed.path
        self._commit = commit
        self._tops = tops
        self._names: set[str] | None = None

    def answer(self, session: Session, *, read: bool) -> Answer:
        """The session with its event, where it has one."""
        if session.known.link.confidence == 0:
            return Answer(session, None, None)
        if not self._long_enough:
            return Answer(session, None, "the line is too short to tell which event wrote it")
        if not read:
            return Answer(session, None, "the commit has too many sessions to read them all")
        try:
            with self._links.session(session.known.link.sha256) as fd:
                if fd is None:
                    return Answer(session, None, "the session is not here, only what a ledger says of it")
                return Answer(session, self._wrote(fd, session.known.link.sha256), None)
        except (InputError, IntegrityError) as error:
            return Answer(session, None, error.message)

    def _wrote(self, fd: int, sha256: str) -> Wrote | None:
        with Events.from_fd(os.dup(fd), sha256=sha256) as events:
            cwd = events.header.attributes.get("cwd")
            where = Whereabouts.of(cwd if isinstance(cwd, str) else None, self._tops)
            found = origin.wrote(
                changes.read(events.lines(), prompts=True),
                where,
                self._known_as(),
                self._line,
                self._commit.committer_time,
            )
        return None if found is None else _told(found)

    def _known_as(self) -> set[str]:
        """What the file was called in the commit and, where the commit moved it, before."""
        if self._names is None:
            moved: dict[bytes, bytes] = {}

            def take(patch: Patch) -> None:
                moved.update(patch.renamed)

            read_patches(self._git, [self._commit.oid], take)
            before = moved.get(os.fsencode(self._path))
            self._names = {self._path} | ({os.fsdecode(before)} if before else set())
        return self._names


def _told(change: Change) -> Wrote:
    prompt = None
    if change.prompt is not None:
        event_id, timestamp, text = changes.said(change.prompt)
        prompt = Prompt(event_id, change.prompt.ordinal, timestamp, text)
    kind = "FileCreate" if change.whole else "FileEdit"
    return Wrote(change.event_id, change.ordinal, change.timestamp, kind, prompt)
