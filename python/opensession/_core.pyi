"""The compiled core: what crosses the boundary between Rust and Python, and nothing more.

Every function that reads or writes a log releases the GIL while it works, streams (memory never grows with the
file, only with its longest line), answers ``KeyboardInterrupt`` within 100 ms and raises a subclass of
``opensession.errors.OpensessionError`` whose ``code`` is one of ``ERROR_CODES``. No error text holds session content.

A *source* is a path (``str``), an open file descriptor (``int``, read from its current offset; not closed) or
``bytes``. Where a function reads its input twice (``parse``), a descriptor must be seekable: spool pipes first
with :func:`copy`. Input that starts with a zstd or gzip magic number is decompressed while it is read.

An *output* is a file descriptor (``int``, written from its current offset; not closed, not fsynced) or ``None``:
then the bytes are only hashed.

``progress`` is called from the calling thread at most ten times a second with ``(done, total)`` in input bytes;
``total`` is 0 where it is unknown.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypedDict

__version__: Final[str]
ERROR_CODES: Final[tuple[str, ...]]
"""Append-only. ``opensession.errors`` has exactly one class for each; a test compares the two."""

type Source = str | int | bytes
type Progress = Callable[[int, int], None]

class Problem(TypedDict):
    """One place in an input and what is wrong there. ``column`` is the byte offset in the line, from 1."""

    code: str
    message: str
    line: int
    column: int | None
    count: int
    """How often it was seen in all; ``line`` and ``column`` are the first place (warnings are counted, errors are 1)."""

class Stats(TypedDict):
    """The eleven numbers of a stats line (docs/hail.md, "Stats")."""

    event_count: int
    message_count: int
    tool_call_count: int
    task_count: int
    duration_seconds: int
    total_input_tokens: int
    total_output_tokens: int
    user_message_count: int
    files_changed: int
    lines_added: int
    lines_removed: int

class SessionInfo(TypedDict):
    """What one pass over one session knows."""

    sha256: str
    """Lower-case hex SHA-256 of the canonical form: the session's address."""
    bytes: int
    """Length of the canonical form."""
    input_bytes: int
    """Bytes of input this session took (decompressed)."""
    version: str
    session_id: str
    provider: str
    model: str
    tool: str
    tool_version: str | None
    title: str | None
    created_at: str
    updated_at: str
    cwd: str | None
    session_role: str | None
    parent_session_id: str | None
    stats: Stats
    source: dict[str, Any] | None
    """``stats.source``, the coverage ledger; None where the session carries none."""
    canonical: bool
    """The input bytes of this session equal its canonical form."""
    first_difference: int | None
    """Offset (from 0, from the start of this session's input) of the first byte that differs; None if canonical."""
    warnings: list[Problem]

class VerifyReport(TypedDict):
    sha256: str
    """SHA-256 of the input's bytes exactly as they are."""
    bytes: int
    sessions: list[SessionInfo]
    """The sessions up to the first error."""
    canonical: bool
    first_difference: int | None
    """Offset from the start of the input; where ``error`` is set: the first difference before the error, if any."""
    valid: bool
    error: Problem | None
    """The first error; the scan stops there, the hash goes on to the end."""
    warnings: list[Problem]

class Candidate(TypedDict):
    profile: str
    confidence: int
    """0 to 100."""
    reasons: list[str]

class ProfileInfo(TypedDict):
    id: str
    """The word after ``--profile``: ``hail``, ``claude-code``, ``codex``."""
    label: str
    """The product's name, for people."""
    parser: str
    """``<agent>/<integer>`` as written into ``stats.source.parser``; empty for ``hail``."""
    prefix_law: bool
    """The format is append-only, so every prefix of a log gives a prefix of the events."""

def profiles() -> list[ProfileInfo]:
    """All profiles in the order of their ids.

    >>> [p["id"] for p in profiles()]
    ['claude-code', 'codex', 'hail']
    """

def detect(source: Source, *, source_name: str = "") -> list[Candidate]:
    """Which agent wrote this log, best first; empty when nothing fits.

    Reads at most the first 1 MiB of complete lines and decides on parsed keys, never on substrings. A seekable
    descriptor is put back to where it was.
    """

def parse(
    source: Source,
    out: int | None = None,
    *,
    profile: str,
    source_name: str = "",
    final: bool = False,
    jobs: int = 2,
    max_line: int = 536_870_912,
    progress: Progress | None = None,
) -> SessionInfo:
    """Turn an agent's log into one canonical session, written to ``out`` and hashed.

    ``profile`` is an id of :func:`profiles` other than ``hail``. ``final`` keeps a cut last line as a damaged record
    instead of leaving it for the next read. ``source_name`` is the file's name, for agents that hide facts in it.
    Output is the same for every ``jobs``. ``total`` of ``progress`` counts the input twice (two passes).

    Errors: ``no_events`` (text, garbage, another agent's log, an empty file), ``line_too_long``, ``input_changed``,
    ``unknown_profile``, ``unreadable``, ``write_failed``.
    """

def canonicalize(
    source: Source,
    out: int | Callable[[], int] | None = None,
    *,
    jobs: int = 2,
    max_line: int = 536_870_912,
    progress: Progress | None = None,
) -> list[SessionInfo]:
    """Read HAIL, write its canonical form; one entry a session (a stream is split after each stats line).

    ``out`` may be a callable: it is called once at the start of each session and returns the descriptor to write
    that session to.

    Errors: ``hail_syntax`` (no JSON that HAIL allows), ``hail_schema`` (JSON, but no HAIL), ``hail_invalid`` (HAIL, but
    against a rule of validity), ``hail_version``, ``hail_empty``, ``line_too_long``, ``unreadable``, ``write_failed``;
    with ``line`` and ``column`` where there is a place.
    """

def verify(
    source: Source,
    *,
    jobs: int = 2,
    max_line: int = 536_870_912,
    progress: Progress | None = None,
) -> VerifyReport:
    """Hash the bytes, check that they are canonical, check that they are valid HAIL; all in one pass.

    The bytes are taken as they are: nothing is decompressed, because an address is that of what stands in the file.

    What is wrong with the content stands in the report; only I/O raises (``unreadable``).
    """

class SummaryReport(VerifyReport):
    """What :func:`verify` says, and the lines of a handoff artifact."""

    summary: bytes | None
    """The canonical ``summary`` line with its LF; None where the source is not exactly one valid session."""
    report: bytes | None
    """The canonical ``report`` line, likewise."""

SUMMARIZERS: Final[tuple[str, ...]]
"""The rules that this program knows; a published name never leaves it (docs/handoff.md)."""

def summarize(
    source: Source,
    *,
    rules: str = "rules-1",
    length: int | None = None,
    jobs: int = 2,
    max_line: int = 536_870_912,
    progress: Progress | None = None,
) -> SummaryReport:
    """Verify one session and sum it up for a handoff, in one pass and bounded memory.

    Nothing is decompressed; with ``length`` exactly that many bytes are read, from a pipe too (fewer are
    ``input_changed``). The lines depend on the canonical bytes and on ``rules`` alone. A source of several sessions is not valid here
    (``hail_schema``): each has a summary of its own. Ask :data:`SUMMARIZERS` first; other ``rules`` are a ``ValueError``.

    What is wrong with the content stands in the report; only I/O raises (``unreadable``).
    """

def artifact(sources: list[tuple[str, int, str, int, bytes, bytes]]) -> tuple[bytes, str]:
    """The bytes of a handoff artifact and their SHA-256.

    A source is its ``sha256`` (lower-case hex), ``bytes``, ``session_id``, ``event_count``, ``summary`` and ``report``. Their order,
    and whether one is given twice, changes nothing.

    Errors: ``hail_empty`` (no source).
    """

def copy(
    source: Source,
    out: int | None = None,
    *,
    length: int | None = None,
    progress: Progress | None = None,
) -> tuple[str, int]:
    """Copy bytes unchanged to ``out`` and return ``(sha256, length)``. Nothing is decompressed.

    With ``length`` exactly that many are read, from a pipe too; fewer are ``input_changed``.

    >>> copy(b"opensession")
    ('f9a2fe35d5e0700b552c63f8dfeb0b0853c5ab051d980b102f15254486c3c2ee', 11)
    """

def pack(
    parts: Iterable[Source],
    out: int,
    *,
    total: int = 0,
    progress: Progress | None = None,
) -> list[tuple[str, int]]:
    """Compress the parts, one after another, into one zstd frame; ``(sha256, length)`` of each as it was.

    ``parts`` is asked for the next one when the one before is done, so that it can close what it opened.
    """

def unpack(source: Source, out: int, *, progress: Progress | None = None) -> int:
    """Write what a zstd frame holds to ``out`` and return the number of bytes; its window is at most 8 MiB."""

def canonical_json(data: bytes) -> bytes:
    r"""One JSON value in the canonical form of docs/hail.md (RFC 8785 with exact integers), strict about its input.

    >>> canonical_json(b'{"b": 1.0, "a": "\\u00e9"}')
    b'{"a":"\xc3\xa9","b":1}'

    Errors: ``hail_syntax`` with ``column``.
    """

class Finding(TypedDict):
    """A place that holds a secret. The value itself never crosses the boundary."""

    rule: str
    line: int
    """Line of the input, from 1."""
    event_id: str | None
    """Of the event that the line is; None for other lines, and where the id itself holds a secret."""
    pointer: str
    """JSON Pointer to the string; ``#`` and another pointer follow where that string holds JSON. Keys that hold a
    secret are shown as ``[REDACTED:rule]``. Empty for a line that is no JSON."""
    start: int
    """Where the value begins in the decoded string, in bytes."""
    len: int
    fingerprint: str | None
    """HMAC-SHA256 of rule and value with ``key``, in hex; None without a key."""

class Redaction(TypedDict):
    session: SessionInfo
    """The session that was written."""
    rules: dict[str, int]
    """How often each rule was applied, earlier redactions of the same session included."""
    values: int
    """How many different values were replaced now."""

class SecretRule(TypedDict):
    id: str
    title: str
    kind: str
    """``token`` (the value says what it is), ``assigned`` (a vendor's name stands beside it) or ``code``."""
    keywords: list[str]
    shape: str
    """A regular expression (kinds ``token`` and ``assigned``) or words."""
    covers: list[str]
    """The names under which other scanners know these secrets."""

def scan(
    source: Source,
    *,
    key: bytes | None = None,
    allow: Iterable[str] | None = None,
    limit: int = 0,
    jobs: int = 2,
    max_line: int = 536_870_912,
    progress: Progress | None = None,
) -> list[Finding]:
    """Look for secrets in every line and every string of it (docs/secrets.md), in the order of the input.

    ``allow`` are fingerprints made with ``key``; what they name is left out. ``limit`` ends the list early; 0 is no limit.

    >>> scan(b"nothing here")
    []

    Errors: ``line_too_long``, ``unreadable``.
    """

def redact(
    source: Source,
    out: int | None = None,
    *,
    key: bytes | None = None,
    allow: Iterable[str] | None = None,
    jobs: int = 2,
    max_line: int = 536_870_912,
    progress: Progress | None = None,
) -> Redaction:
    """Read one HAIL session, write it in canonical form with ``[REDACTED:rule:n]`` where secrets stand.

    ``n`` counts different values by their first appearance. ``source.raw``, ``source.raw_encoding`` and the hashes in
    ``stats.source`` are left out; ``stats.source.redacted.rules`` says how often each rule was applied.

    Errors: those of :func:`canonicalize`; ``hail_schema`` also for a second session.
    """

def secret_rules() -> list[SecretRule]:
    """All rules of :func:`scan`, the most telling first."""
