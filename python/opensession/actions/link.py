"""Decides which session made which commit (docs/links.md).

Owns the rules: content alone makes a link, and its share is the confidence; a stored patch id carries links over to the
commit that a rebase, an amend or a cherry-pick made of theirs; time and folder together make a weak link, of confidence
0, where nobody has the commit's content and it was made in this repository. Pure: what git, the store and the ledger
say is handed in.
"""

from __future__ import annotations

from opensession.git.links import Link
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opensession.actions.links.candidates import Candidate
    from opensession.actions.links.evidence import Share
    from opensession.git.history import Commit

CONTENT, CWD, TIME, HINT, PATCH_ID = "content", "cwd", "time", "hint", "patch_id"
HINT_SECONDS = 6 * 3600.0
"""A commit that is being pushed may have been made this long before or after the session."""
_SECOND = 1.0
"""Git cuts its times to whole seconds."""


class Made(NamedTuple):
    """What is known about where commits were made."""

    here: Mapping[str, int] | None
    """Commit to time, by the reflogs; None where there are none."""
    email: str | None
    """The committer of this repository, who stands in for the reflogs where there are none."""
    hinted: str | None = None
    """A commit that is known to be this user's: the tip of a push."""

    def when(self, commit: Commit) -> float | None:
        """When the commit was made in this repository; None where it was not, or nobody can tell."""
        if self.here is not None:
            at = self.here.get(commit.oid)
            return None if at is None else float(at)
        if self.email and commit.committer_email == self.email:
            return float(commit.committer_time)
        return None


def by_content(
    commit: Commit, shares: Mapping[str, Share], sessions: Mapping[str, Candidate]
) -> Iterator[Link]:
    """A link for each session that wrote some of the commit's lines."""
    for sha256, share in sorted(shares.items()):
        session = sessions[sha256]
        during = any(_during(time, session) for time in (commit.author_time, commit.committer_time))
        reasons = (CONTENT, *((CWD,) if session.here else ()), *((TIME,) if during else ()))
        yield Link(commit.oid, sha256, reasons, share.value)


def carried_over(commit: Commit, stored: Iterable[Link]) -> Iterator[Link]:
    """The links of other commits with the same patch, for this one."""
    seen: set[str] = set()
    for link in stored:
        if link.commit != commit.oid and link.sha256 not in seen:
            seen.add(link.sha256)
            reasons = (*(reason for reason in link.reasons if reason != PATCH_ID), PATCH_ID)
            yield Link(commit.oid, link.sha256, reasons, link.confidence, link.patch_id)


def is_carried(link: Link) -> bool:
    """Whether the link was found again by its patch id; its session is in the ledger then."""
    return PATCH_ID in link.reasons


def by_time(commits: Iterable[Commit], sessions: Iterable[Candidate], made: Made) -> Iterator[Link]:
    """A weak link for each session that ran here while a commit was made here."""
    running = sorted((each for each in sessions if each.here), key=lambda each: each.created)
    own = [commit for commit in commits if len(commit.parents) < 2]
    for commit, during in _meetings(own, running, made):
        for session in during:
            yield Link(commit.oid, session.sha256, (CWD, TIME), 0.0)
        if commit.oid == made.hinted:
            for session in running:
                if session not in during and _during(commit.committer_time, session, HINT_SECONDS):
                    yield Link(commit.oid, session.sha256, (CWD, HINT), 0.0)


def _meetings(
    commits: Iterable[Commit], running: Sequence[Candidate], made: Made
) -> Iterator[tuple[Commit, list[Candidate]]]:
    """Each commit with the sessions during which it was made; both are gone through once, in the order of time."""
    timed = [(made.when(commit), commit) for commit in commits]
    here = sorted(((at, c) for at, c in timed if at is not None), key=lambda each: (each[0], each[1].oid))
    during: list[Candidate] = []
    begun = 0
    for at, commit in here:
        while begun < len(running) and running[begun].created - _SECOND <= at:
            during.append(running[begun])
            begun += 1
        during = [session for session in during if at <= session.updated + _SECOND]
        yield commit, sorted(during, key=lambda each: each.sha256)
    yield from ((commit, []) for at, commit in timed if at is None and commit.oid == made.hinted)


def _during(time: float, session: Candidate, beside: float = _SECOND) -> bool:
    return session.created - beside <= time <= session.updated + beside
