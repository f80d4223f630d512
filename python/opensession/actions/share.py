"""Puts a session into a ledger of the repository and, where it is asked for, sends the ledger to a remote.

Owns the order: everything that can be refused is refused before a byte is written, the door comes before git, git comes
before the network, and what is written stays when the network fails. Must not know terminals: who may be asked for
consent comes in as a function.
"""

from __future__ import annotations

from opensession import core
from opensession.actions.consent import Consent
from opensession.actions.release import Door
from opensession.actions.share_plan import Plan, checked_ledger, plan
from opensession.errors import CODES, NotFoundError, OpensessionError, RefusedError
from opensession.git.ledger import Changes, Ledger, meta_of
from opensession.git.refs import NAMESPACE, branch_of, refuse_clash
from opensession.git.remotes import remote_of
from opensession.light import NamedTuple
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opensession.actions.parse import Progress
    from opensession.actions.release import Passed
    from opensession.config import Config
    from opensession.core import SessionInfo
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository
    from opensession.store import Store, Stores
    from opensession.store.reading import StoredObject

    Ask = Callable[[Plan], bool]


PATH, REF, BRANCH = "--path", "--ref", "the name of the branch"
"""What a refusal calls names that hold a secret."""
_SHORTEST = 16
"""Characters of a name that may hold a token."""


class Wish(NamedTuple):
    """What a person asked for."""

    remote: str
    """A name, a URL or a path."""
    ref: str | None = None
    path: str | None = None
    push: bool = False
    quick: bool = False
    """Pushing hangs on consent, which ``push`` gives and which is remembered."""
    redact: bool = False
    allow: Sequence[str] = ()


class Shared(NamedTuple):
    """What was done."""

    plan: Plan
    source: str
    """The address that was asked for; that of the plan is another one where it was redacted."""
    rules: Mapping[str, int]
    """How often each rule of redaction was applied."""
    pushed: bool
    quick: bool
    consent: bool
    """Whether this repository pushes to this remote without being asked again."""
    failure: OpensessionError | None
    """Why it was not pushed though it was to be; what is written here stays."""


def share(
    stores: Stores,
    repository: Repository,
    config: Config,
    named: str,
    wish: Wish,
    *,
    ask: Ask | None = None,
    progress: Progress | None = None,
) -> Shared:
    """Share the session that ``named`` means, as ``wish`` says and ``config`` allows.

    ``ask`` is there where a person can be asked whether to push.
    """
    remote = remote_of(repository, wish.remote)
    refuse_remote(config, remote)
    ref = repository.ledger_ref() if wish.ref is None else _free_ledger(repository, wish.ref)
    store, sha256 = stores.find(named)
    draft = plan(sha256, remote, ref, wish.path, wish.allow)
    consent = Consent(repository, remote)
    push = wish.push or (wish.quick and may_push(consent, draft, ask))
    names = {PATH: wish.path or "", BRANCH if wish.ref is None else REF: branch_of(ref) or ref}
    passed = _through_the_door(stores, store, sha256, names, wish, config, progress)
    final = plan(passed.sha256, remote, ref, wish.path, wish.allow)
    _record(stores, repository, final)
    failure = _push(stores, repository, final, progress) if push else None
    pushed = push and failure is None
    if pushed and wish.quick:
        failure = _remember(consent)
    agreed = wish.quick and consent.given()
    return Shared(final, sha256, passed.rules, pushed, wish.quick, agreed, failure)


def _free_ledger(repository: Repository, typed: str) -> str:
    """The ledger that a person named, where git can have it."""
    ref, there = checked_ledger(typed), repository.refs(NAMESPACE)
    if ref not in there:
        refuse_clash(ref, there)
    return ref


def _remember(consent: Consent) -> OpensessionError | None:
    """Write the consent down; where that fails the session is shared all the same."""
    try:
        consent.give()
    except OpensessionError as error:
        return error
    return None


def refuse_remote(config: Config, remote: Remote) -> None:
    """Refuse a remote that the repository's configuration does not let sessions go to."""
    for place in (remote, *remote.destinations()):
        reason = config.refusal_of_remote(place.normal)
        if reason is not None:
            raise RefusedError(
                f"nothing is shared with {remote.shown!r}: {reason}",
                next=["opensession config show", f"cat -n {quoted(config.path)}"],
            )


def may_push(consent: Consent, draft: Plan, ask: Ask | None) -> bool:
    """Whether a quick share may push; a person who says no has nothing written at all."""
    if consent.given():
        return True
    if ask is None:
        return False
    if ask(draft):
        return True
    raise RefusedError(
        f"nothing was written and nothing was sent: {draft.remote.shown!r} was not agreed to",
        next=[draft.record_cmd, draft.merge_cmd],
    )


def _through_the_door(
    stores: Stores,
    holder: Store,
    sha256: str,
    names: Mapping[str, str],
    wish: Wish,
    config: Config,
    progress: Progress | None,
) -> Passed:
    door = Door(
        stores.write,
        holders=[holder],
        allow=wish.allow,
        redact=wish.redact or config.redact,
        progress=progress,
    )
    passed = door.session(sha256)
    for named, text in names.items():
        if len(text) >= _SHORTEST:
            door.text(named, text)
            # Part by part too: letters that go on behind a dot are no key for some rules.
            door.text(named, text.replace("/", "\n").replace(".", "\n"))
    door.settle()
    return passed


def _record(stores: Stores, repository: Repository, final: Plan) -> None:
    """Write the session into the ledger; durable when it returns."""
    holder = next(store for store in stores if store.has(final.sha256))
    with holder.open(final.sha256) as stored, _ledger(repository, final.ref) as ledger:
        if ledger.is_gone(final.sha256):
            raise _taken_back(final)
        extra = {}
        if final.placed is not None:
            extra[final.placed] = ledger.objects.blob_of(stored.fd)
            _refuse_taken(ledger, final.placed, extra[final.placed])
        stored.rewind()
        meta = meta_of(_session_in(stored))
        changes = Changes(sessions=[(final.sha256, stored.fd, meta)], extra=extra)
        if final.sha256 in ledger.record(changes, f"share {final.sha256}").left_out:
            raise _taken_back(final)


def _session_in(stored: StoredObject) -> SessionInfo:
    """What an object says of itself; an older program may have stored what is no session."""
    report = core.verify(stored.fd)
    problem = report["error"]
    if problem is not None:
        raise CODES[problem["code"]](
            problem["message"], line=problem["line"], next=[f"opensession verify {stored.sha256}"]
        )
    return report["sessions"][0]


def _push(
    stores: Stores, repository: Repository, final: Plan, progress: Progress | None
) -> OpensessionError | None:
    """Send the ledger; what went wrong is an answer, because what was written here stays."""
    from opensession.actions.setup import outgoing
    from opensession.git.push import push_ledger

    try:
        ledger = _ledger(repository, final.ref)
        # The push sends the whole ledger, not only what was just put there; and what was looked at, nothing newer.
        tip = ledger.tip()
        if tip is None:
            raise NotFoundError(
                f"the ledger {final.ref} is gone", next=["git for-each-ref refs/opensession/"]
            )
        for place in final.remote.destinations():
            outgoing.check(repository, stores, ledger, tip, place, progress=progress)
        push_ledger(repository, stores.write.root, final.ref, final.remote, tip=tip)
        if final.placed is not None:
            _refuse_lost(stores.write, repository, final, final.placed)
    except OpensessionError as error:
        return error
    return None


def _refuse_lost(store: Store, repository: Repository, final: Plan, path: str) -> None:
    """Say so where the remote has another session at the path, which the union of both ledgers kept."""
    from opensession.git.mirror import mirror_of
    from opensession.git.state import State

    for place in final.remote.destinations():
        with mirror_of(repository, store.root, place) as mirror, mirror.git.batch() as batch:
            there = State.of(batch, mirror.copy_of(final.ref), repository.object_format)
            if there.file(path) != there.find(final.sha256):
                raise RefusedError(
                    f"the session was sent, but {final.remote.shown} has another one at {path!r}, which stays there",
                    next=["opensession share --help"],
                )


def _ledger(repository: Repository, ref: str) -> Ledger:
    return Ledger(
        repository.git, ref, common_dir=repository.common_dir, object_format=repository.object_format
    )


def _refuse_taken(ledger: Ledger, path: str, oid: str) -> None:
    """Refuse a path that something else stands at: an address that was handed out must stay readable."""
    for entry in ledger.sessions():
        if entry.path == path and entry.oid != oid:
            raise RefusedError(
                f"another session stands at {path!r} in {ledger.ref}: its address must stay readable"
            )
        if entry.path.startswith(path + "/") or path.startswith(entry.path + "/"):
            raise RefusedError(f"{entry.path!r} in {ledger.ref} leaves no room for {path!r}")


def _taken_back(final: Plan) -> RefusedError:
    return RefusedError(
        f"the session {final.sha256} was taken back from {final.ref}, and whoever has that ledger removes it again",
        next=["opensession share --help", "opensession unshare --help"],
    )
