"""The user's repository: where it is, what it is made of, which branch is checked out, its configuration.

Owns the questions that are about the repository itself. It changes nothing in it but keys of its local configuration
that it is told to. Must not know ledgers' contents, remotes or the store.
"""

from __future__ import annotations

import os

from opensession import settings
from opensession.errors import NotFoundError, RefusedError, UsageError
from opensession.git.environment import refuse_old, version_of
from opensession.git.refs import BRANCHES, branch_of, ledger_ref
from opensession.git.run import Git
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opensession.git.ledger import Ledger
    from opensession.settings import AnyPath

_HEADS = "refs/heads/"
_REFTABLE_HEAD = "refs/heads/.invalid"
"""What the file HEAD says where refs are kept in a table: only git knows the real one."""


class Repository:
    """A repository that git itself agrees to work in."""

    def __init__(self, found: settings.Repository, env: Mapping[str, str], object_format: str) -> None:
        self._found = found
        self.object_format = object_format
        """``sha1`` or ``sha256``."""
        self.git = Git(found.git, worktree=found.top, env=env)
        self._config: dict[str, list[str]] | None = None

    @property
    def common_dir(self) -> Path:
        """What is shared by all linked worktrees: objects, refs, hooks."""
        return self._found.common_dir

    @property
    def git_dir(self) -> Path:
        """This worktree's own: index, HEAD."""
        return self._found.git_dir

    @property
    def worktree(self) -> Path | None:
        """The top of the working tree; None in a bare repository."""
        return self._found.worktree

    @classmethod
    def discover(cls, cwd: AnyPath, env: Mapping[str, str]) -> Repository:
        """The repository around ``cwd``.

        Git is asked once whether it would work here, by its own search: it refuses what another user owns, and it
        would not look if it were told where the repository is.
        """
        found = settings.find_repository(cwd, env)
        if found is None:
            raise NotFoundError(
                f"{str(cwd)!r} is not in a git repository",
                next=[f"git init {quoted(cwd)}"],
            )
        git = Git(found.git if env.get("GIT_DIR") else None, env=env, cwd=cwd)
        # Both at once: each takes a few milliseconds, nearly all of it starting up.
        version = git.begin("version", doing="say its version")
        try:
            answer = git.text("rev-parse", "--show-object-format", "--absolute-git-dir")
            refuse_old(git.program(), version_of(version.end().out))
        finally:
            version.kill()
        object_format, _, git_dir = answer.partition("\n")
        if not os.path.samefile(git_dir, found.git):
            # It was asked about another one than it would be used in.
            raise RefusedError(
                f"git takes {git_dir!r} for the repository around {str(cwd)!r}, and not {found.git!r}",
                next=["git rev-parse --git-dir"],
            )
        return cls(found, env, object_format)

    @property
    def zero(self) -> str:
        """The id that stands for no object: as many digits as the repository's ids have."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    def branch(self) -> str | None:
        """The branch that is checked out, also one without a commit; None where HEAD is detached."""
        ref = self._head()
        return None if ref is None else ref.removeprefix(_HEADS)

    def _head(self) -> str | None:
        try:
            with open(os.path.join(self._found.git, "HEAD"), "rb") as file:
                text = os.fsdecode(file.readline()).partition("\n")[0]
        except OSError:
            text = ""
        ref = text.removeprefix("ref:").strip()
        if text.startswith("ref:") and ref.startswith(_HEADS) and ref != _REFTABLE_HEAD:
            return ref
        done = self.git.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1), doing="read HEAD")
        return os.fsdecode(done.out).rstrip("\n") if done.code == 0 else None

    def ledger_branch(self) -> str:
        """The name under which sessions of the present checkout are kept."""
        return self.branch() or f"detached@{self.resolve('HEAD')[:8]}"

    def ledger_ref(self, branch: str | None = None) -> str:
        """The ref of a branch's ledger, mindful of those that are there already."""
        return ledger_ref(branch or self.ledger_branch(), self.refs(BRANCHES))

    def ledger(self, ref: str) -> Ledger:
        """The ledger at a ref, which need not exist yet."""
        from opensession.git.ledger import Ledger

        return Ledger(self.git, ref, common_dir=self.common_dir, object_format=self.object_format)

    def ledgers(self) -> dict[str, str | None]:
        """All ledgers of this repository: ref to branch, None for one whose name is only known as a hash."""
        return {ref: branch_of(ref) for ref in self.refs(BRANCHES)}

    def refs(self, prefix: str) -> dict[str, str]:
        """The refs that begin with ``prefix``, which ends with a slash, and what they point to."""
        listed = self.git.text("for-each-ref", "--format=%(objectname) %(refname)", "--", prefix)
        return {ref: oid for oid, _, ref in (line.partition(" ") for line in listed.splitlines())}

    def resolve(self, rev: str, kind: str = "commit") -> str:
        """The id of the object of this kind that a revision means."""
        if rev.startswith("-") or any(c in rev for c in "\0\n"):
            raise UsageError(f"{rev!r} is no revision")
        done = self.git.run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{{kind}}}", ok=(0, 1, 128)
        )
        if done.code != 0:
            raise NotFoundError(f"{rev!r} names no {kind} of this repository", next=["git log --oneline -5"])
        return done.out.decode().strip()

    def config_get(self, key: str, kind: str | None = None) -> str | None:
        """The last value of a key from all of the user's configuration; ``kind`` is one of ``git config --type``."""
        if kind is None:
            values = self.config_get_all(key)
            return values[-1] if values else None
        done = self._configured("--type", kind, "--get", key, ok=(0, 1))
        return os.fsdecode(done).removesuffix("\n") if done else None

    def config_get_all(self, key: str) -> list[str]:
        """All values of a key, the most local last."""
        if self._config is None:
            self._config = {}
            for entry in os.fsdecode(self._configured("--list", "-z")).split("\0"):
                name, is_set, value = entry.partition("\n")
                # A key without a value means true, as git has it.
                self._config.setdefault(name, []).append(value if is_set else "true")
        return list(self._config.get(_canonical(key), ()))

    def config_set(self, key: str, value: str) -> None:
        """Set a key of the repository's own configuration to one value."""
        self._change("--replace-all", key, value)

    def config_add(self, key: str, value: str) -> None:
        """Add a value to a key of the repository's own configuration."""
        self._change("--add", key, value)

    def config_unset(self, key: str, value: str | None = None) -> bool:
        """Remove a key, or one value of it, from the repository's own configuration; whether it was there."""
        which = () if value is None else ("--fixed-value", value)
        words = ("--unset-all", *which[:1], key, *which[1:])
        done = self.git.run(
            "config", "--local", *words, ok=(0, 5), doing=f"change {key!r} in its configuration"
        )
        self._config = None
        return done.code == 0

    def _change(self, *words: str) -> None:
        self.git.run("config", "--local", *words, doing=f"change {words[1]!r} in its configuration")
        self._config = None

    def _configured(self, *words: str, ok: tuple[int, ...] = (0,)) -> bytes:
        return self.git.with_(options=None).run("config", *words, ok=ok, doing="read its configuration").out


def _canonical(key: str) -> str:
    """A key as git lists it: the section and the name in lower case, what is between them as it is."""
    section, _, rest = key.partition(".")
    subsection, dot, name = rest.rpartition(".")
    return f"{section.lower()}.{subsection}{dot}{name.lower()}"
