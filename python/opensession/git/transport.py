"""How bytes travel to and from a remote: under which settings and within which limits.

Owns what a private repository of ours takes over from the user's configuration (credentials, proxies, ssh commands),
which hooks folder a push obeys, and when a transfer is given up. Must not know which objects travel, or why.
"""

from __future__ import annotations

import os
import re

from opensession.errors import RemoteFailedError
from opensession.git import process
from opensession.git.failures import failure, timed_out
from opensession.git.process import Done, TimedOut
from opensession.git.run import Git, Trust
from opensession.light import NamedTuple
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from opensession.errors import OpensessionError
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository

PEER = "opensession-peer"
"""What our private repositories call the remote. Its URL comes with each call and is never written down: it may hold a
password."""

_TAKEN_OVER = ("credential.", "http.", "ssh.")
_TAKEN_OVER_WHOLE = ("core.sshcommand", "core.gitproxy", "protocol.version")
_SAFE = "safe."
_NOT_LOCAL = ("system", "global", "command")

INTERNAL_PUSH = "OPENSESSION_INTERNAL_PUSH"
"""Tells our own hook that this push is ours, so that it does not start another one."""

FETCH_OPTIONS = (
    "transfer.fsckObjects=true",
    "transfer.bundleURI=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    # What the user's other branches are is nobody's business: they are not offered as common history.
    "core.alternateRefsPrefixes=refs/opensession/",
)


# Against a server that counts for minutes what it got, and says so every five seconds in five bytes.
_PATIENT = ("http.lowSpeedLimit=1", "http.lowSpeedTime=60")
_PROGRESS = re.compile(r"(?:remote: )?[A-Z][A-Za-z ]+: +[0-9]+(?:%|[ ,]).*|remote: Total [0-9]+ .*")
_OTHER_FORMAT = ("mismatched algorithms", "hash algorithm", "unexpected capabilities^{}")
_USER_PART = re.compile(r"(?P<scheme>[^:/]+)://(?P<user>[^/:]*)(?::(?P<password>[^/]*))?@")
_SHORTEST_SECRET = 6
"""Bytes. A shorter one is a part of ordinary words, which would tell where it stood."""
_MOVED = re.compile(r"returned error: 30[12378]")


class Limits(NamedTuple):
    """When a transfer is given up."""

    idle: float = 30.0
    """Seconds without a sign of life; git tells its progress about once a second."""
    total: float = 86_400.0
    """Seconds in all: what makes progress is not stopped for being large."""
    bytes: int = 4 << 30
    """Size of what is received."""
    server: float = 120.0
    """Seconds without a sign of life while the server looks through what it got."""
    hooks: float = 600.0
    """The same while a hook of the user's may be at work."""


class Setting(NamedTuple):
    """One line of a configuration."""

    scope: str
    """``system``, ``global``, ``local``, ``worktree`` or ``command`` (the environment)."""
    key: str
    value: str | None


def settings_of(repository: Repository) -> list[Setting]:
    """The whole configuration that is in force in the repository, the most local last."""
    git = repository.git.with_(options=None)
    fields = os.fsdecode(
        git.run("config", "--list", "-z", "--show-scope", doing="read its configuration").out
    )
    words = fields.split("\0")
    found = []
    for scope, line in zip(words[::2], words[1::2], strict=False):
        key, is_set, value = line.partition("\n")
        found.append(Setting(scope, key, value if is_set else None))
    return found


def hooks_folder(repository: Repository, settings: Iterable[Setting]) -> str:
    """The folder whose hooks git runs for the user."""
    chosen = [s.value for s in settings if s.key == "core.hookspath" and s.value]
    return chosen[-1] if chosen else str(repository.common_dir / "hooks")


def variables(settings: Iterable[tuple[str, str | None]], env: Mapping[str, str]) -> dict[str, str]:
    """Variables that give git these settings on top of those that ``env`` gives it already.

    Settings travel this way because others can read a command line.
    """
    given = env.get("GIT_CONFIG_COUNT", "")
    count = int(given) if given.isdecimal() else 0
    added = {}
    for key, value in settings:
        added[f"GIT_CONFIG_KEY_{count}"] = key
        added[f"GIT_CONFIG_VALUE_{count}"] = "true" if value is None else value
        count += 1
    return {**added, "GIT_CONFIG_COUNT": str(count)}


def private(git_dir: Path, settings: Iterable[Setting], remote: Remote | None, env: Mapping[str, str]) -> Git:
    """Git in a private repository, as the user's own settings for transfers have it.

    With ``remote`` as its peer, which promises what is missing there; without one, for work that stays on this machine.
    """
    given = [(s.key, s.value) for s in settings if _is_taken_over(s)]
    given += [] if remote is None else _peer(remote)
    clean = {name: value for name, value in env.items() if not name.startswith("GIT_CONFIG")}
    clean |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    clean |= variables(given, {})
    protocols = () if remote is None else (remote.protocol,)
    return Git(git_dir, env=clean, protocols=protocols, options=FETCH_OPTIONS)


def strangers(
    git_dir: Path, remote: Remote | None, env: Mapping[str, str], options: Sequence[str] = ()
) -> Git:
    """The same for an address that came from somebody else: no settings, no credentials, https only.

    ``options`` are those that hold git to the host's addresses (addresses.py).
    """
    if remote is None:
        return Git(git_dir, env=env, trust=Trust.STRANGER, options=FETCH_OPTIONS)
    given = [f"{key}={value}" for key, value in _peer(remote)]
    return Git(
        git_dir,
        env=env,
        trust=Trust.STRANGER,
        protocols=("https",),
        options=(*FETCH_OPTIONS, *given, "transfer.credentialsInUrl=die", *options),
    )


def _peer(remote: Remote) -> list[tuple[str, str]]:
    """The remote as git's configuration has it; given with each call, so that git writes nothing of it down."""
    return [
        (f"remote.{PEER}.url", remote.url),
        (f"remote.{PEER}.promisor", "true"),
        (f"remote.{PEER}.partialCloneFilter", "blob:none"),
    ]


def transfer(
    git: Git,
    *words: str,
    remote: Remote,
    doing: str,
    limits: Limits,
    ok: Sequence[int] = (0,),
    stdin: bytes | None = None,
    watch: Callable[[], None] | None = None,
) -> Done:
    """Run a command that talks to the remote; one that shows no progress is killed with all its children."""
    child = git.start(*words, stdin=process.DEVNULL if stdin is None else process.PIPE, stdout=process.PIPE)
    try:
        done = process.finish(child, stdin=stdin, timeout=limits.total, idle=limits.idle, watch=watch)
    except TimedOut:
        raise timed_out(doing, min(limits.idle, limits.total), remote.shown) from None
    done = done._replace(
        out=_without_password(done.out, remote), err=_without_password(_without_progress(done.err), remote)
    )
    if done.code not in ok:
        raise failed(git, done, doing, remote)
    return done


def serving(git: Git, remote: Remote) -> list[str]:
    """Words for a fetch from a repository on this machine: there we are the server, and can leave sessions out."""
    if remote.protocol != "file":
        return []
    own = f"{quoted(git.program())} -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true"
    return [f"--upload-pack={own} upload-pack"]


def failed(git: Git, done: Done, doing: str, remote: Remote) -> OpensessionError:
    """The error that a failed transfer means."""
    git.check_version(done)
    said = done.err.decode("utf-8", "replace")
    if any(sign in said for sign in _OTHER_FORMAT):
        return _other_format(doing, remote)
    if _MOVED.search(said):
        return _moved(doing, remote)
    return failure(done, cwd=git.cwd, doing=doing, remote=remote.shown)


def _moved(doing: str, remote: Remote) -> RemoteFailedError:
    error = RemoteFailedError(
        f"git could not {doing}: {remote.shown} sends visitors to another address, and that is not followed; often "
        "the address only lacks its .git",
        next=["git remote -v"],
    )
    error.reason = "missing"
    return error


def _other_format(doing: str, remote: Remote) -> RemoteFailedError:
    error = RemoteFailedError(
        f"git could not {doing}: {remote.shown} keeps its objects in another format (SHA-1 or SHA-256) than this "
        "repository, and git cannot move them from one to the other",
        next=["git rev-parse --show-object-format", "git init --bare --object-format=sha256 ../sessions.git"],
    )
    error.reason = "format"
    return error


def _without_password(said: bytes, remote: Remote) -> bytes:
    """What was said without the passwords and tokens of the remote: a server may repeat what it was given."""
    for url in (remote.url, *remote.push_urls):
        found = _USER_PART.match(url)
        if found is not None:
            # Of a web address the user may be a token; the user of an ssh address is a name.
            typed = found["password"] or ("" if found["scheme"].lower().endswith("ssh") else found["user"])
            for secret in _spellings(typed):
                said = said.replace(secret, b"***") if len(secret) >= _SHORTEST_SECRET else said
    return said


def _spellings(password: str) -> list[bytes]:
    from urllib.parse import unquote_to_bytes  # here: most remotes have none

    typed = os.fsencode(password)
    return [typed, unquote_to_bytes(typed)]


def _without_progress(err: bytes) -> bytes:
    """What was said without the lines that only count."""
    lines = err.decode("utf-8", "surrogateescape").replace("\r", "\n").split("\n")
    kept = [line for line in lines if not _PROGRESS.fullmatch(line.rstrip())]
    return "\n".join(kept).encode("utf-8", "surrogateescape")


class Pushing(Git):
    """Git in the user's repository that sees the objects of a private one as well.

    Nothing is written there: the repository is only where the user's hooks, settings and objects are.
    """

    def __init__(
        self,
        repository: Repository,
        remote: Remote,
        objects: Path,
        *,
        hooks: str | None,
        shallow: Path | None,
    ) -> None:
        """``hooks`` is the folder of hooks to obey, None for none.

        ``shallow`` is an empty file for a push whose commit does not descend from the one that it replaces. Git then
        sends what its tree holds even where the server has it, unless it thinks that it works in a shallow clone: only
        there does it look through the tree of the commit that is replaced.
        """
        # The address was resolved already; rewritten a second time it would be another one. Git takes the rule with
        # the longest prefix, and none is longer than the whole address.
        url = remote.push_urls[0]
        given = [
            (f"url.{url}.insteadOf", url),
            (f"url.{url}.pushInsteadOf", url),
            (f"remote.{PEER}.url", url),
        ]
        env = repository.git.environment()
        super().__init__(
            repository.git_dir,
            worktree=repository.worktree,
            env={**env, **variables(given, env), INTERNAL_PUSH: "1"},
            protocols=(remote.protocol,),
            hooks=hooks is not None,
            options=_PATIENT if hooks is None else (*_PATIENT, f"core.hooksPath={hooks}"),
        )
        self.hooks = hooks is not None
        self.hooked = hooks is not None and _has_hook(hooks, repository)
        """Whether there is a hook, as far as can be seen."""
        self._objects = objects
        self._shallow = None if (repository.common_dir / "shallow").exists() else shallow

    def environment(self) -> dict[str, str]:
        """The usual environment and the further objects; what is missing is not fetched to be pushed."""
        env = super().environment() | {
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _listed(self._objects),
            "GIT_NO_LAZY_FETCH": "1",
        }
        if self._shallow is not None:
            env["GIT_SHALLOW_FILE"] = str(self._shallow)
        env.pop("GIT_LITERAL_PATHSPECS")  # the hooks' own git commands may use magic ones
        return env


def _has_hook(folder: str, repository: Repository) -> bool:
    path = os.path.expanduser(folder)
    return os.path.exists(os.path.join(repository.worktree or repository.git_dir, path, "pre-push"))


def _listed(folder: Path) -> str:
    """A folder as an entry of git's list, in which a colon separates and quotes protect."""
    text = str(folder)
    if ":" not in text and not text.startswith('"'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_taken_over(setting: Setting) -> bool:
    if setting.key.startswith(_SAFE):
        # Git obeys these only from outside of repositories, and so does who passes them on.
        return setting.scope in _NOT_LOCAL
    return setting.key.startswith(_TAKEN_OVER) or setting.key in _TAKEN_OVER_WHOLE
