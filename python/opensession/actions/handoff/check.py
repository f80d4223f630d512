"""Checks an artifact against its sources: one pass over each, one line a check.

Owns which checks there are, what each may say and the exit code that follows. Where the bytes come from is a
`Holder`'s to say: a store here, a bundle in `bundle`. Must not repair anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from opensession import core
from opensession.actions.handoff.artifact import Artifact, Foreign, Source, read
from opensession.errors import IntegrityError, LossesError, NotFoundError
from opensession.exactjson import loads
from opensession.uri import ArtifactUri, format_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from opensession.actions.parse import Progress
    from opensession.core import SessionInfo, SummaryReport

    Holder = Callable[[Source], AbstractContextManager["Opened | None"]]
    """Opens the bytes of a source; None where there is no such source."""

OK = "ok"
FAILED = "failed"
MISSING = "missing"
NOT_CHECKED = "not checked"


class Opened(NamedTuple):
    """The bytes of a source, to be read once."""

    fd: int
    length: int | None
    """How many of what the descriptor gives belong to it; None for all."""


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    """``artifact hash``, ``source present``, ``summary follows``, ...; append-only, as error codes are."""
    source: str | None
    """Address of the source it is about."""
    status: str
    detail: str


class Verified(NamedTuple):
    """Everything that was checked about one artifact."""

    sha256: str
    checks: tuple[Check, ...]
    sessions: tuple[SessionInfo, ...]
    """The sources that are what they should be, in the artifact's order."""

    @property
    def uri(self) -> str:
        return str(ArtifactUri(self.sha256))

    @property
    def ok(self) -> bool:
        """Every check was made, and holds."""
        return all(check.status == OK for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0, or that of the gravest answer: wrong bytes, then a missing source, then what could not be checked."""
        found = {check.status for check in self.checks}
        for status, error in ((FAILED, IntegrityError), (MISSING, NotFoundError), (NOT_CHECKED, LossesError)):
            if status in found:
                return error.exit_code
        return 0


def verify(
    data: bytes,
    address: str,
    holder: Holder,
    *,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> Verified:
    """Check the artifact in ``data``, which should have this address, and every source that it names."""
    made: list[SummaryReport] = []
    checks = tuple(_checks(data, address, holder, made, jobs, progress))
    return Verified(address, checks, tuple(report["sessions"][0] for report in made))


def _checks(
    data: bytes,
    address: str,
    holder: Holder,
    made: list[SummaryReport],
    jobs: int,
    progress: Progress | None,
) -> Iterator[Check]:
    actual, length = core.copy(data)
    right = actual == address
    said = f"{length} bytes" if right else f"its {length} bytes hash to {actual}"
    yield Check("artifact hash", None, OK if right else FAILED, said)
    try:
        artifact = read(data)
    except IntegrityError as error:
        yield Check("artifact form", None, FAILED, error.message)
        return
    if isinstance(artifact, Foreign):
        yield Check("artifact form", None, NOT_CHECKED, f"needs {artifact.needs}")
        return
    yield Check("artifact form", None, OK, f"{len(artifact.lines)} canonical lines")
    for number, source in enumerate(artifact.sources):
        with holder(source) as opened:
            if opened is None:
                said = f"there is no {format_local(source.sha256)}"
                yield Check("source present", source.sha256, MISSING, said)
                continue
            report = core.summarize(
                opened.fd, length=opened.length, rules=artifact.summarizer, jobs=jobs, progress=progress
            )
        yield Check("source present", source.sha256, OK, "")
        yield from _source(source, report)
        if report["summary"] is not None and report["sha256"] == source.sha256:
            made.append(report)
            yield from _follows(artifact, number, source, report)
    yield _whole(data, artifact, made)


def _source(source: Source, report: SummaryReport) -> Iterator[Check]:
    def check(name: str, holds: bool, good: str, bad: str) -> Check:
        return Check(name, source.sha256, OK if holds else FAILED, good if holds else bad)

    size, actual = report["bytes"], report["sha256"]
    yield check("source hash", actual == source.sha256, f"{size} bytes", f"its {size} bytes hash to {actual}")
    yield check(
        "source canonical",
        report["canonical"],
        "",
        "not canonical"
        if report["first_difference"] is None
        else f"differs from its canonical form from byte {report['first_difference']} on",
    )
    problem = report["error"]
    yield check("source valid", problem is None, "", "" if problem is None else _place(problem))


def _place(problem: Any) -> str:  # noqa: ANN401  a Problem of the core
    column = "" if problem["column"] is None else f", column {problem['column']}"
    return f"{problem['message']} (line {problem['line']}{column})"


def _follows(artifact: Artifact, number: int, source: Source, report: SummaryReport) -> Iterator[Check]:
    """Whether the two lines of this source are what the rules make of it."""
    (session,) = report["sessions"]
    derived = (
        ("source counts", _stated(source), _stated(Source(
            source.sha256, report["bytes"], session["session_id"], session["stats"]["event_count"]
        ))),
        ("summary follows", artifact.lines[1 + number], report["summary"]),
        ("report follows", artifact.lines[1 + len(artifact.sources) + number], report["report"]),
    )  # fmt: skip
    for name, stands, right in derived:
        if stands == right:
            yield Check(name, source.sha256, OK, "")
        else:
            field = first_difference(
                loads(stands) if isinstance(stands, bytes) else stands,
                loads(right) if isinstance(right, bytes) else right,
            )
            yield Check(name, source.sha256, FAILED, f"{field} does not follow from the source")


def _stated(source: Source) -> dict[str, Any]:
    return source._asdict()


def first_difference(stands: object, right: object, path: str = "") -> str:
    """The first field, in the order of the keys, in which two values differ."""
    if isinstance(stands, dict) and isinstance(right, dict):
        for key in sorted(stands.keys() | right.keys()):
            below = f"{path}.{key}" if path else key
            if key not in stands or key not in right:
                return below
            if not _same(stands[key], right[key]):
                return first_difference(stands[key], right[key], below)
    if isinstance(stands, list) and isinstance(right, list):
        for at, (a, b) in enumerate(zip(stands, right, strict=False)):
            if not _same(a, b):
                return first_difference(a, b, f"{path}[{at}]")
        return f"{path}[{min(len(stands), len(right))}]"
    return path or "the line"


def _same(a: object, b: object) -> bool:
    """Equal as JSON: 1 and true are two things."""
    return type(a) is type(b) and a == b if isinstance(a, bool) or isinstance(b, bool) else a == b


def _whole(data: bytes, artifact: Artifact, made: list[SummaryReport]) -> Check:
    if len(made) != len(artifact.sources):
        return Check("artifact follows", None, NOT_CHECKED, "needs every source")
    again, sha256 = core.artifact(made)
    if again == data:
        return Check("artifact follows", None, OK, "")
    return Check("artifact follows", None, FAILED, f"the sources give {ArtifactUri(sha256)}")
