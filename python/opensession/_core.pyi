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

from collections.abc import Callable
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

    What is wrong with the content stands in the report; only I/O raises (``unreadable``).
    """

def copy(
    source: Source,
    out: int | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[str, int]:
    """Copy bytes unchanged to ``out`` and return ``(sha256, length)``. Nothing is decompressed.

    >>> copy(b"opensession")
    ('f9a2fe35d5e0700b552c63f8dfeb0b0853c5ab051d980b102f15254486c3c2ee', 11)
    """

def canonical_json(data: bytes) -> bytes:
    r"""One JSON value in the canonical form of docs/hail.md (RFC 8785 with exact integers), strict about its input.

    >>> canonical_json(b'{"b": 1.0, "a": "\\u00e9"}')
    b'{"a":"\xc3\xa9","b":1}'

    Errors: ``hail_syntax`` with ``column``.
    """
