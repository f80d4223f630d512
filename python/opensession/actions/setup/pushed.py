"""What happens beside a push: what is pushed is looked through for secrets, and ledgers go to remotes agreed to.

Owns the order, what is said, and that one thing's failure does not keep the next from being tried. The user's push is
not ours to stop: the answer is a code, and the hook decides. Must not know the terminal.
"""

from __future__ import annotations

import time

from opensession.actions.setup import consent, history, outgoing
from opensession.actions.setup.ownkeys import own_values
from opensession.errors import OpensessionError, RefusedError, RemoteFailedError
from opensession.git import remotes as git_remotes
from opensession.git.ledger import Ledger
from opensession.git.push import push_ledger
from opensession.git.refs import BRANCHES, NOTES, checked_ref
from opensession.light import NamedTuple
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opensession.config import Config
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository
    from opensession.store import Stores

_FOR_HISTORY = 0.5
"""The share of the time that looking through the history may take; the rest is for sending."""
_HIDDEN = ("refs/opensession/", NOTES)


class PushedRef(NamedTuple):
    """One line of what git tells a pre-push hook."""

    local_ref: str
    local_oid: str
    remote_ref: str
    remote_oid: str

    @property
    def deletes(self) -> bool:
        """Whether the ref is taken away; the zero has 40 digits or 64."""
        return not self.local_oid.strip("0")


class Push(NamedTuple):
    """The user's push."""

    remote: str
    """The remote's name, or its address where none was used."""
    url: str
    """Where it goes. May hold a password: it is never shown."""
    refs: tuple[PushedRef, ...]


def parse(text: str) -> tuple[PushedRef, ...]:
    """The lines that git writes; what stands first was typed and may hold spaces."""
    lines = (line.rsplit(" ", 3) for line in text.splitlines())
    return tuple(PushedRef(*fields) for fields in lines if len(fields) == 4)


class Beside:
    """One run beside one push."""

    def __init__(
        self,
        repository: Repository,
        stores: Stores,
        push: Push,
        config: Config | OpensessionError,
        *,
        deadline: float,
        say: Callable[[str], None],
    ) -> None:
        self._repository = repository
        self._stores = stores
        self._push = push
        self._config = config
        self._deadline = deadline
        self._say = say
        self._name: str | None = None
        """The remote's name, where the push is to one that has a name."""
        self.code = 0
        """The exit code of the first failure."""

    def run(self, ledgers: Sequence[str], mode: str) -> int:
        """Do all of it; 0 where nothing was found and nothing failed."""
        if self._push.remote in git_remotes.names_of(self._repository):
            self._name = self._push.remote
        self._attempt(self._look_through)
        # Where an address was typed, nobody agreed to anything.
        remote = self._destination(self._name) if self._name is not None and ledgers else None
        if remote is not None:
            for ref in ledgers:
                self._attempt(lambda ref=ref: self._send(ref, remote, notes=mode == "git_notes"))  # type: ignore[misc]
        return self.code

    def _attempt(self, what: Callable[[], None]) -> None:
        try:
            what()
        except OpensessionError as error:
            self._failed(error)

    def _failed(self, error: OpensessionError) -> None:
        self.code = self.code or error.exit_code
        self._say("\n".join([error.message, *(f"  {step}" for step in error.next)]))

    def _look_through(self) -> None:
        """Say which of the commits that the remote gets hold a secret: by rule, commit and file, never the line."""
        refs = [ref for ref in self._push.refs if not ref.deletes and not ref.remote_ref.startswith(_HIDDEN)]
        until = time.monotonic() + _FOR_HISTORY * max(0.0, self._deadline - time.monotonic())
        looked = history.look(self._repository, self._name, refs, until)
        if looked.left:
            self._say(
                f"{looked.left} of {looked.left + looked.seen} new commits were not scanned for secrets"
            )
        if looked.secrets:
            self.code = self.code or RefusedError.exit_code
            lines = [
                f"  {each.rule} in {each.path}, commit {each.commit[:12]}"
                for each in looked.secrets[: history.SHOWN]
            ]
            more = len(looked.secrets) - history.SHOWN
            lines += [f"  and {more} more"] if more > 0 else []
            self._say("\n".join(["what is pushed looks as if it held secrets:", *lines]))

    def _destination(self, name: str) -> Remote | None:
        """The remote that ledgers may go to now, or None."""
        values = own_values(self._repository, consent.KEY)
        base = str(self._repository.worktree or self._repository.git_dir)
        normal = consent.normal_of(self._push.url, base)
        if not consent.is_granted(name, normal, values):
            if any((grant := consent.grant_of(value)) is not None and grant.name == name for value in values):
                self._say(
                    f"the remote {name!r} has another address than the one that was agreed to: no session was sent\n"
                    f"  opensession doctor --fix --fanout-remote {quoted(name)}"
                )
            return None
        refusal = self._refusal(normal)
        if refusal is not None:
            self._say(f"no session was sent: {refusal}")
            return None
        try:
            places = git_remotes.configured(self._repository, name).destinations()
        except OpensessionError as error:
            self._failed(error)
            return None
        return next((place for place in places if place.normal == normal), None)

    def _refusal(self, normal: str | None) -> str | None:
        if isinstance(self._config, OpensessionError):
            return self._config.message
        return None if normal is None else self._config.refusal_of_remote(normal)

    def _send(self, ref: str, remote: Remote, *, notes: bool) -> None:
        """Send one ledger, if there is one and nothing in it holds a secret."""
        if not checked_ref(ref).startswith(BRANCHES):
            raise RefusedError(f"{ref!r} is no ledger", next=["git for-each-ref refs/opensession/"])
        repository = self._repository
        ledger = Ledger(
            repository.git, ref, common_dir=repository.common_dir, object_format=repository.object_format
        )
        tip = ledger.tip()
        if tip is None:
            return
        if not outgoing.check(repository, self._stores, ledger, tip, remote, deadline=self._deadline):
            return
        root = self._stores.write.root
        push_ledger(repository, root, ref, remote, timeout=self._left(), hooks=False, tip=tip)
        if notes and history.note(repository, ledger, self._name, self._push.refs, remote):
            push_ledger(repository, root, NOTES, remote, timeout=self._left(), hooks=False)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise RemoteFailedError("there was no time left to send sessions; the next push sends them")
        return left
