"""How git is started: argument lists, a clean environment, the same options for every call.

Owns what git may see of the user's environment, what it may do (no hooks, no prompts, no transport but those asked
for, everything synced), and which program it is. What a failure means is failures.py. Must not know ledgers.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from opensession import core
from opensession.errors import NotFoundError, StorageFailedError
from opensession.git import process
from opensession.git.failures import failure, timed_out
from opensession.git.process import ANSWER_LIMIT, Done, TimedOut, TooMuch

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opensession.git.batch import Batch

T = TypeVar("T")

MINIMUM = (2, 39)
"""The oldest git with ``core.fsync`` for all components, ``cat-file --batch-command`` and today's ownership checks in
a distribution that still mends it."""

_SECONDS = 60.0
_PIECE = 1 << 16
_PIPE, _DEVNULL = process.PIPE, process.DEVNULL

# Of git's own variables only these are the user's wishes about programs, networks and configuration. All others name
# folders and files, which a hook inherits from the git that runs it, or would mix a trace into an answer.
_KEPT = re.compile(
    r"GIT_(?:SSH_COMMAND|SSH_VARIANT|SSL_\w+|HTTP_\w+|PROXY_SSL_\w+|EXEC_PATH|CEILING_DIRECTORIES"
    r"|DISCOVERY_ACROSS_FILESYSTEM|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|TEST_\w+)"
)
_ALWAYS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_ADVICE": "0",
    "LC_ALL": "C",
    "LANGUAGE": "",
}
_OPTIONS = (
    "core.fsync=all",
    "core.fsyncMethod=fsync",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.quotePath=true",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=20",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "transfer.credentialsInUrl=warn",
)
_NO_HOOKS = "core.hooksPath=/dev/null"
_STRANGERS_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=10",
}
_STRANGERS_OPTIONS = (
    "transfer.fsckObjects=true",
    "transfer.bundleURI=false",
    "fetch.recurseSubmodules=false",
    "credential.helper=",
)


class Trust(Enum):
    """Whose settings a call obeys."""

    USER = "user"
    """The user's own configuration: a remote that is set up here, a repository of this machine."""
    STRANGER = "stranger"
    """None: an address that came from somebody else. No credentials, no configuration."""


class Git:
    """The git program, bound to one repository."""

    def __init__(
        self,
        git_dir: Path | None,
        *,
        worktree: Path | None = None,
        env: Mapping[str, str],
        trust: Trust = Trust.USER,
        protocols: tuple[str, ...] = (),
        cwd: Path | None = None,
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
        self.cwd = cwd or worktree or git_dir or Path("/")
        self._given = dict(env)
        self._hooks = hooks
        self._more = options
        self._program: str | None = None

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
            cwd=self.cwd,
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
        doing = doing or f"run {words[0]!r}"
        feed = stdin if isinstance(stdin, bytes) else None
        child = self.start(
            *words,
            stdin=_PIPE if feed is not None else _DEVNULL if stdin is None else stdin,  # type: ignore[arg-type]
            stdout=_PIPE if stdout is None else stdout,
        )
        try:
            done = process.finish(child, stdin=feed, timeout=timeout, limit=limit)
        except TimedOut:
            raise timed_out(doing, timeout, remote) from None
        except TooMuch:
            raise StorageFailedError(
                f"git could not {doing}: its answer is longer than {limit >> 20} MiB", next=["git gc"]
            ) from None
        if done.code not in ok:
            self.check_version(done)
            raise failure(done, cwd=self.cwd, doing=doing, remote=remote)
        return done

    def text(self, *words: str, ok: Sequence[int] = (0,)) -> str:
        """The answer of a command as text without its last line end; bytes that are no UTF-8 are kept."""
        return os.fsdecode(self.run(*words, ok=ok).out).removesuffix("\n")

    def pipe(self, *words: str, into: Callable[[int], T], doing: str) -> T:
        """Hand a command's answer to ``into`` as a descriptor; what that returns counts if the command succeeds."""
        with self._streaming(words, doing) as child:
            assert child.stdout is not None
            return into(child.stdout.fileno())

    def records(self, *words: str, doing: str) -> Iterator[bytes]:
        """A command's answer, cut at each NUL, of any length."""
        with self._streaming(words, doing) as child:
            assert child.stdout is not None
            rest = b""
            while piece := os.read(child.stdout.fileno(), _PIECE):
                *whole, rest = (rest + piece).split(b"\0")
                yield from whole

    @contextmanager
    def _streaming(self, words: Sequence[str], doing: str) -> Iterator[subprocess.Popen[bytes]]:
        with core.temporary_file() as said:
            child = self.start(*words, stdin=_DEVNULL, stdout=_PIPE, stderr=said)
            try:
                yield child
                # Its answer has been read to the end, or it would now be told that nobody listens.
                code = child.wait(_SECONDS)
            finally:
                process.kill(child)
            if code != 0:
                raise failure(Done(code, b"", os.pread(said, _PIECE, 0)), cwd=self.cwd, doing=doing)

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
    ) -> subprocess.Popen[bytes]:
        """Start a command and hand it over; the caller ends it (process.py)."""
        try:
            return process.start(*self.command(*words), stdin=stdin, stdout=stdout, stderr=stderr)
        except FileNotFoundError:
            raise NotFoundError(
                f"the folder {str(self.cwd)!r} does not exist any more", next=["pwd"]
            ) from None
        except OSError as error:
            raise StorageFailedError(
                f"git could not be started: {error.strerror}", errno=error.errno
            ) from error

    def command(self, *words: str) -> tuple[list[str], dict[str, str], Path]:
        """The whole command, its environment and its folder."""
        return [self.program(), *self._configuration(), *words], self.environment(), self.cwd

    def environment(self) -> dict[str, str]:
        """The whole environment of a call."""
        env = {
            name: value
            for name, value in self._given.items()
            if not name.startswith(("GIT_", "LC_")) or _KEPT.fullmatch(name)
        }
        if self.trust is Trust.STRANGER:
            env = {name: value for name, value in env.items() if not name.startswith("GIT_CONFIG")}
            env |= _STRANGERS_ENVIRONMENT
        env |= _ALWAYS
        env["GIT_ALLOW_PROTOCOL"] = ":".join(self.protocols)
        if not self.protocols:
            env["GIT_NO_LAZY_FETCH"] = (
                "1"  # a partial clone would fetch what is missing, from anywhere it likes
            )
        if self.git_dir is not None:
            env["GIT_DIR"] = str(self.git_dir)
            if self.worktree is not None:
                env["GIT_WORK_TREE"] = str(self.worktree)
        return env

    def _configuration(self) -> list[str]:
        if self._more is None:
            return []
        chosen = [*_OPTIONS, *(f"protocol.{name}.allow=always" for name in self.protocols)]
        if not self._hooks:
            chosen.append(_NO_HOOKS)
        if self.trust is Trust.STRANGER:
            chosen += _STRANGERS_OPTIONS
        return [word for option in (*chosen, *self._more) for word in ("-c", option)]

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


def find_git(env: Mapping[str, str]) -> str:
    """The git program of this ``PATH``; a folder that is not absolute is left out, since a repository may be it."""
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        program = os.path.join(folder, "git")
        if os.path.isabs(folder) and os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    raise NotFoundError(
        "the program git is not installed, or not on PATH: sharing works through it",
        next=["git --version", "opensession doctor"],
    )


def version_of(answer: bytes) -> tuple[int, ...]:
    """The numbers in what ``git version`` says; empty where it says something else."""
    found = re.match(rb"git version (\d+)\.(\d+)(?:\.(\d+))?", answer)
    return () if found is None else tuple(int(n) for n in found.groups() if n is not None)


def refuse_old(program: str, version: tuple[int, ...]) -> None:
    """Refuse a git that would not do what is asked of it: an unknown ``core.fsync`` is ignored, not refused."""
    if version[:2] < MINIMUM:
        shown = ".".join(map(str, version)) or "an unknown version"
        raise NotFoundError(
            f"{program!r} is git {shown}, and sharing needs {MINIMUM[0]}.{MINIMUM[1]} or newer",
            next=["git --version", "opensession doctor"],
        )
