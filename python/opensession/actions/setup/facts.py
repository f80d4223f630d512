"""What is seen of a clone before anything is judged or changed.

Owns the questions to git about the clone itself. Everything found is data; a question that fails is a fact too.
Must not judge, change anything or know the terminal; the machine around the clone is machine.py.
"""

from __future__ import annotations

import os

from opensession.actions.setup import consent, files, place
from opensession.actions.setup.modes import MODE_KEY
from opensession.actions.setup.ownkeys import own_values
from opensession.errors import NotFoundError, OpensessionError, RefusedError
from opensession.git import remotes as git_remotes
from opensession.git.refs import BRANCHES, NOTES
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opensession.actions.setup.place import Place
    from opensession.git.repository import Repository

_RAW = ".opensession"
_IGNORED_PROBE = f"{_RAW}/objects/sha256/probe"
EXCLUDE_LINES = (
    "# opensession: sessions of older programs stay out of commits, the configuration does not",
    "/.opensession/*",
    "!/.opensession/config.toml",
)


class RemoteFact(NamedTuple):
    """A configured remote."""

    name: str
    normal: tuple[str, ...]
    """Where it is pushed to, in normal form."""
    mirror: bool
    """Every push to it sends all refs."""
    problem: str | None
    """Why it cannot be used."""


class RefFacts(NamedTuple):
    """What refs there are."""

    ledgers: int
    notes: bool
    tracked: int
    """Copies of remotes' ledgers that a fetch put below ``refs/remotes``."""
    mirrored: int
    """Copies of remotes' ledgers in the store's own mirror."""
    branches: tuple[str, ...]


class CloneFacts(NamedTuple):
    """A clone."""

    root: Path
    """The top of the working tree, or the git directory of a bare repository."""
    common_dir: Path
    bare: bool
    mode: str | None
    """The value of ``opensession.fanout-mode``, as it stands."""
    own_modes: tuple[str, ...]
    """Its values in the clone's own configuration."""
    grants: tuple[str, ...]
    """The values of ``opensession.fanout-remote`` in the clone's own configuration."""
    remotes: tuple[RemoteFact, ...]
    hook: Place | OpensessionError
    branch: str | None
    ledger_branch: str | None
    """None where HEAD is detached and has no commit."""
    ledger_ref: str | None
    refs: RefFacts
    ignores_case: bool
    ignored: bool
    """``.opensession`` stays out of commits."""
    raw: bool
    """There is something of that name."""
    exclude: Path
    exclude_data: bytes

    def standing(self, remote: RemoteFact) -> consent.Standing:
        """How the remote stands to what was agreed to."""
        return consent.standing(remote.name, remote.normal, self.grants)


def gather(repository: Repository, env: Mapping[str, str], store_root: Path) -> CloneFacts:
    """Look at a clone."""
    ledger_branch = _ledger_branch(repository)
    listed = _listed(repository)
    exclude = repository.common_dir / "info" / "exclude"
    found = files.read(exclude)
    return CloneFacts(
        repository.worktree or repository.git_dir,
        repository.common_dir,
        repository.worktree is None,
        repository.config_get(MODE_KEY),
        own_values(repository, MODE_KEY),
        own_values(repository, consent.KEY),
        tuple(_remote(repository, name) for name in git_remotes.names_of(repository)),
        _hook(repository, env),
        repository.branch(),
        ledger_branch,
        None if ledger_branch is None else repository.ledger_ref(ledger_branch),
        _refs(listed, _mirrored(repository, store_root)),
        repository.config_get("core.ignorecase") == "true",
        repository.worktree is None or _ignored(repository),
        repository.worktree is not None and os.path.lexists(repository.worktree / _RAW),
        exclude,
        b"" if found is None else found.data,
    )


def remote_fact(repository: Repository, name: str) -> RemoteFact:
    """A remote that was asked for by name; raises NotFoundError where there is none."""
    git_remotes.refuse(name)
    names = git_remotes.names_of(repository)
    if name not in names:
        known = f"known are {', '.join(map(repr, names))}" if names else "none is configured here"
        raise NotFoundError(f"there is no remote {name!r}; {known}", next=["git remote -v"])
    fact = _remote(repository, name)
    if fact.problem is not None:
        raise RefusedError(
            f"nothing can be sent to the remote {name!r}: {fact.problem}", next=["git remote -v"]
        )
    return fact


def _remote(repository: Repository, name: str) -> RemoteFact:
    mirror = repository.config_get(f"remote.{name}.mirror") == "true"
    try:
        configured = git_remotes.configured(repository, name)
        normal = tuple(dict.fromkeys(each.normal for each in configured.destinations()))
    except (RefusedError, NotFoundError) as error:
        return RemoteFact(name, (), mirror, error.message)
    return RemoteFact(name, normal, mirror, None)


def _hook(repository: Repository, env: Mapping[str, str]) -> Place | OpensessionError:
    try:
        return place.find(repository, env)
    except OpensessionError as error:
        return error


def _ledger_branch(repository: Repository) -> str | None:
    try:
        return repository.ledger_branch()
    except NotFoundError:
        return None


def _listed(repository: Repository) -> list[str]:
    return repository.git.text("for-each-ref", "--format=%(refname)").splitlines()


def _refs(listed: list[str], mirrored: int) -> RefFacts:
    tracked = [ref for ref in listed if ref.startswith("refs/remotes/") and "/opensession/branches/" in ref]
    return RefFacts(
        sum(ref.startswith(BRANCHES) for ref in listed),
        NOTES in listed,
        len(tracked),
        mirrored,
        tuple(ref.removeprefix("refs/heads/") for ref in listed if ref.startswith("refs/heads/")),
    )


def _mirrored(repository: Repository, store_root: Path) -> int:
    """Ledgers of remotes that the store's own copies hold."""
    from opensession.git.mirror import held

    places = [place for remote in git_remotes.every(repository) for place in remote.destinations()]
    return sum(held(repository, store_root, place) for place in places)


def _ignored(repository: Repository) -> bool:
    # The command refuses to run where pathspecs are literal; nothing in the probe could be a pattern.
    done = repository.git.run(
        "--no-literal-pathspecs",
        *("check-ignore", "--quiet", "--no-index", "--", _IGNORED_PROBE),
        ok=(0, 1),
        doing="say what it ignores",
    )
    return done.code == 0
