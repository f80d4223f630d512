"""What sharing a session would do, before any of it is done: the place in git, the URI, the commands.

Owns the rules for a path and a ref that a person names. Pure: it is handed the facts and touches nothing.
"""

from __future__ import annotations

import re

from opensession.errors import RefusedError, UsageError
from opensession.git.entries import checked_path as fits_ledger
from opensession.git.entries import session_path
from opensession.git.refs import NAMESPACE, checked_ref
from opensession.git.trees import DEEPEST
from opensession.light import NamedTuple
from opensession.settings import quoted, quoted_words
from opensession.uri import format_local, remote_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from opensession.git.remotes import Remote
    from opensession.uri import GithubUri, GitlabUri, GitUri

_NAMED_BY_HASH = re.compile(r"([0-9a-f]{64})\.jsonl")
_UNFIT = re.compile(r"[\\\x00-\x1f\x7f-\x9f]")
# What git refuses in a tree, as a folder in any case, and what file systems that ignore case, dots, streams, long names
# or letters without a width take for it.
_DOT_GIT = re.compile(
    r"(?:\.git(?:modules|attributes|ignore)?|\.mailmap|gi[a-z0-9]*~[0-9]+)[. ]*(?::.*)?",
    re.IGNORECASE | re.DOTALL,
)
_NO_WIDTH = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_LONGEST = 255
"""Bytes of a file's name in every common file system."""


class Plan(NamedTuple):
    """Where a session goes and what it will be called."""

    uri: GithubUri | GitlabUri | GitUri
    sha256: str
    """The address of the bytes that leave."""
    ref: str
    path: str
    """Where the URI points to in the ref's tree."""
    remote: Remote
    allow: tuple[str, ...] = ()
    """Fingerprints that were let pass, which every later try has to name again."""

    @property
    def placed(self) -> str | None:
        """The path that a person asked for, beside the ledger's own; None where that is enough."""
        return None if self.path == session_path(self.sha256) else self.path

    @property
    def private(self) -> bool:
        """Whether the URI names a folder of this machine, which nobody else can read."""
        return self.remote.normal.startswith("file:")

    @property
    def target(self) -> str:
        """What commands call the remote: a folder by its whole name, since git and a shell differ about others."""
        return self.remote.url if self.remote.name is None and self.private else self.remote.shown

    @property
    def push_cmd(self) -> str:
        """What a person can paste to send the ref, as long as the remote has no ledger of its own there."""
        return f"git push {quoted(self.target)} {self.ref}:{self.ref}"

    @property
    def record_cmd(self) -> str:
        """What a person can paste to do all but the push."""
        words = [
            "opensession",
            "share",
            format_local(self.sha256),
            "--git",
            "--remote",
            self.target,
            "--ref",
            self.ref,
        ]
        if self.placed is not None:
            words += ["--path", self.placed]
        for fingerprint in self.allow:
            words += ["--allow-secret", fingerprint]
        return quoted_words(*words)

    @property
    def merge_cmd(self) -> str:
        """What sends it in any case: where the remote's ledger has gone its own way it is merged."""
        return f"{self.record_cmd} --push"


def plan(sha256: str, remote: Remote, ref: str, path: str | None, allow: Sequence[str] = ()) -> Plan:
    """The plan for one session; raises before anything is written where no URI could name the result."""
    where = session_path(sha256) if path is None else checked_path(path, sha256)
    return Plan(remote_uri(remote.normal, ref, where), sha256, ref, where, remote, tuple(allow))


def checked_ledger(ref: str) -> str:
    """A ref that a person named, where sessions may be kept: below ``refs/opensession/``, never a branch or a tag."""
    if not checked_ref(ref).startswith(NAMESPACE):
        raise RefusedError(
            f"{ref!r} holds notes, not sessions: only refs below {NAMESPACE} are ledgers",
            next=["git for-each-ref refs/opensession/"],
        )
    return ref


def checked_path(path: str, sha256: str) -> str:
    """A path that a person named, where it can stand in a ledger and in a URI."""
    reason = _problem(path, sha256)
    if reason is not None:
        raise UsageError(f"--path {path!r} cannot be used: {reason}")
    return fits_ledger(path)


def _problem(path: str, sha256: str) -> str | None:
    segments = path.split("/")
    if path.startswith("/"):
        return "it must be relative to the top of the ledger"
    if len(segments) > DEEPEST:
        return f"it has more than {DEEPEST} folders"
    for segment in segments:
        if segment in ("", ".", ".."):
            return f"it has the segment {segment!r}"
        if _UNFIT.search(segment):
            return "it holds a backslash or a control character"
        if _DOT_GIT.fullmatch(_NO_WIDTH.sub("", segment)):
            return f"git does not allow {segment!r} in a tree"
        if len(segment.encode("utf-8", "surrogateescape")) > _LONGEST:
            return f"a segment of it is longer than {_LONGEST} bytes"
    if path != path.encode("utf-8", "replace").decode("utf-8"):
        return "it is not Unicode text"
    if segments[0] in ("v1", "v2"):
        return f"{segments[0]}/ has a layout of its own; give it another first folder"
    if not path.endswith(".jsonl"):
        # A union of two ledgers keeps files of this name only (docs/git.md).
        return "it must end with .jsonl"
    named = _NAMED_BY_HASH.fullmatch(segments[-1])
    if named is not None and named[1] != sha256:
        return "a file named by a hash must hold the session of that hash"
    return None
