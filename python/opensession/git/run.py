"""How git is started: one object for one repository, whose calls all end, in time, with an answer or a typed error.

Owns the ways to run a command: to its end, beside others, as a stream, as one process for many questions. What git may
see and do is environment.py, what a failure means failures.py. Must not know ledgers.
"""

from __future__ import annotations

import os

from opensession.errors import NotFoundError, StorageFailedError
from opensession.git import process, scratch
from opensession.git.environment import Trust, environment, find_git, options, refuse_old, version_of
from opensession.git.process import ANSWER_LIMIT, Done, TimedOut, TooMuch
from opensession.light import NamedTuple, contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeVar

    from opensession.errors import OpensessionError
    from opensession.git.batch import Batch
    from opensession.git.process import Child
    from opensession.settings import AnyPath

    T = TypeVar("T")

__all__ = ["Done", "Git", "Running", "Trust", "find_git"]

_SECONDS = 60.0
_PIECE = 1 << 16
_PIPE, _DEVNULL = process.PIPE, process.DEVNULL


class Git:
    """The git program, bound to one repository."""

    def __init__(
        self,
        git_dir: AnyPath | None,
        *,
        worktree: AnyPath | None = None,
        env: Mapping[str, str],
        trust: Trust = Trust.USER,
        protocols: tuple[str, ...] = (),
        cwd: AnyPath | None = None,
        hooks: bool = False,
        options: tuple[str, ...] | None = (),
    ) -> None:
        """Bind to ``git_dir``; without one, git looks for a repository from ``cwd``.

        ``protocols`` are the transports that a call may use: none, unless they are named. ``hooks`` lets the user's
        own hooks run, which is right only for a push that the user asked for. ``options`` are further ``-c`` options;
        None leaves out our own as well, which is for reading the configuration: it would show them.
        """
        self.git_dir = git_dir
        self.worktree = worktree
        self.trust = trust
        self.protocols = protocols
        self.folder = os.fspath(cwd or worktree or git_dir or "/")
        """Where git runs."""
        self._given = dict(env)
        self._hooks = hooks
        self._more = options
        self._program: str | None = None

    @property
    def cwd(self) -> Path:
        """Where git runs, as a path."""
        from pathlib import Path

        return Path(self.folder)

    def with_(
        self,
        *,
        protocols: tuple[str, ...] | None = None,
        hooks: bool | None = None,
        options: tuple[str, ...] | None = (),
        env: Mapping[str, str] | None = None,
    ) -> Git:
        """The same repository with other permissions; ``env`` adds variables of the user's environment."""
        return Git(
            self.git_dir,
            worktree=self.worktree,
            env={**self._given, **(env or {})},
            trust=self.trust,
            protocols=self.protocols if protocols is None else protocols,
            cwd=self.folder,
            hooks=self._hooks if hooks is None else hooks,
            options=None if options is None or self._more is None else (*self._more, *options),
        )

    def run(
        self,
        *words: str,
        stdin: bytes | int | None = None,
        stdout: int | None = None,
        timeout: float = _SECONDS,
        ok: Sequence[int] = (0,),
        remote: str | None = None,
        doing: str | None = None,
        limit: int = ANSWER_LIMIT,
    ) -> Done:
        """Run one command to its end; a code that is not in ``ok`` is raised as the error it means.

        ``remote`` is the remote as it may be shown, where one takes part; ``doing`` completes "git could not …".
        """
        begun = self.begin(
            *words, stdin=stdin, stdout=stdout, timeout=timeout, remote=remote, doing=doing, limit=limit
        )
        return begun.end(ok)

    def begin(
        self,
        *words: str,
        stdin: bytes | int | None = None,
        stdout: int | None = None,
        timeout: float = _SECONDS,
        remote: str | None = None,
        doing: str | None = None,
        limit: int = ANSWER_LIMIT,
    ) -> Running:
        """Start one command; the same as :meth:`run` after its ``end``, or gone after its ``kill``."""
        feed = stdin if isinstance(stdin, bytes) else None
        given = _DEVNULL if stdin is None or isinstance(stdin, bytes) else stdin
        child = self.start(
            *words, stdin=given if feed is None else _PIPE, stdout=_PIPE if stdout is None else stdout
        )
        return Running(self, child, feed, timeout, remote, doing or f"run {words[0]!r}", limit)

    def text(self, *words: str, ok: Sequence[int] = (0,)) -> str:
        """The answer of a command as text without its last line end; bytes that are no UTF-8 are kept."""
        return os.fsdecode(self.run(*words, ok=ok).out).removesuffix("\n")

    def pipe(self, *words: str, into: Callable[[int], T], doing: str) -> T:
        """Hand a command's answer to ``into`` as a descriptor; what that returns counts if the command succeeds."""
        with self._streaming(words, doing) as child:
            assert child.stdout is not None
            return into(child.stdout)

    def records(self, *words: str, doing: str, stdin: int = _DEVNULL) -> Iterator[bytes]:
        """A command's answer, cut at each NUL, of any length; ``stdin`` is a file that it may read."""
        with self._streaming(words, doing, stdin) as child:
            assert child.stdout is not None
            rest = b""
            while piece := os.read(child.stdout, _PIECE):
                *whole, rest = (rest + piece).split(b"\0")
                yield from whole

    @contextmanager
    def _streaming(self, words: Sequence[str], doing: str, stdin: int = _DEVNULL) -> Iterator[Child]:
        from opensession.git.failures import failure, timed_out

        said = scratch.file()
        try:
            child = self.start(*words, stdin=stdin, stdout=_PIPE, stderr=said)
            try:
                yield child
                # Its answer has been read to the end, or it would now be told that nobody listens.
                code = child.wait(_SECONDS)
            except TimedOut:
                raise timed_out(doing, _SECONDS, None) from None
            finally:
                child.kill()
            if code != 0:
                raise failure(Done(code, b"", os.pread(said, _PIECE, 0)), cwd=self.cwd, doing=doing)
        finally:
            os.close(said)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """One process that answers for any number of objects."""
        from opensession.git.batch import Batch

        batch = Batch(self)
        try:
            yield batch
        finally:
            batch.close()

    def start(
        self,
        *words: str,
        stdin: int,
        stdout: int,
        stderr: int = _PIPE,
    ) -> Child:
        """Start a command and hand it over; the caller ends it (process.py)."""
        if not os.path.isdir(self.folder):
            raise NotFoundError(f"the folder {self.folder!r} does not exist any more", next=["pwd"])
        try:
            return process.start(*self.command(*words), stdin=stdin, stdout=stdout, stderr=stderr)
        except OSError as error:
            raise StorageFailedError(
                f"git could not be started: {error.strerror}", errno=error.errno
            ) from error

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """The whole command and its environment."""
        return [self.program(), "-C", self.folder, *self._configuration(), *words], self.environment()

    def environment(self) -> dict[str, str]:
        """The whole environment of a call."""
        return environment(
            self._given,
            trust=self.trust,
            protocols=self.protocols,
            git_dir=self.git_dir,
            worktree=self.worktree,
        )

    def _configuration(self) -> list[str]:
        if self._more is None:
            return []
        rules = options(trust=self.trust, protocols=self.protocols, hooks=self._hooks)
        return [word for option in (*rules, *self._more) for word in ("-c", option)]

    def program(self) -> str:
        """The program that is run."""
        if self._program is None:
            self._program = find_git(self._given)
        return self._program

    def version(self) -> tuple[int, ...]:
        """The version of the git program."""
        return version_of(self.run("version", doing="say its version").out)

    def check_version(self, done: Done | None = None) -> None:
        """Refuse a git that is too old; given a failed command, only where it did not know a word of it."""
        unknown = done is not None and (done.code == 129 or b"not a git command" in done.err)
        if done is None or unknown:
            refuse_old(self.program(), version_of(Git(None, env=self._given).run("version").out))


class Running(NamedTuple):
    """A command that was started."""

    git: Git
    child: Child
    feed: bytes | None
    timeout: float
    remote: str | None
    doing: str
    limit: int

    def end(self, ok: Sequence[int] = (0,)) -> Done:
        """Wait for its end; a code that is not in ``ok`` is raised as the error it means."""
        try:
            done = process.finish(self.child, stdin=self.feed, timeout=self.timeout, limit=self.limit)
        except (TimedOut, TooMuch) as stopped:
            raise self._stopped(stopped) from None
        if done.code not in ok:
            from opensession.git.failures import failure

            self.git.check_version(done)
            raise failure(done, cwd=self.git.cwd, doing=self.doing, remote=self.remote)
        return done

    def _stopped(self, why: TimedOut | TooMuch) -> OpensessionError:
        from opensession.git.failures import timed_out, too_much

        if isinstance(why, TimedOut):
            return timed_out(self.doing, self.timeout, self.remote)
        return too_much(self.doing, self.limit, self.remote)

    def kill(self) -> None:
        """Stop it, if it has not ended."""
        self.child.kill()
