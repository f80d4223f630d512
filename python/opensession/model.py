"""What a session is made of, as Python values: header, event, block, stats.

Owns the field names of HAIL as attributes. Knows neither files nor the store nor the compiled core: it is
handed parsed JSON. Unknown fields stay reachable (``fields``), because a newer agent's session must not lose
them here.
"""

from __future__ import annotations

from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    JsonObject = dict[str, Any]


class Block:
    """One content block: ``Text``, ``Code``, ``Image``, ``Video``, ``Audio``, ``File``, ``Json``,
    ``Reference`` or newer.
    """

    __slots__ = ("fields", "type")

    type: str
    fields: Mapping[str, Any]
    """All members of the block, ``type`` included."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields
        self.type = fields["type"]

    @property
    def text(self) -> str | None:
        """What a person would read in it: the text, the code or the file's content."""
        for name in ("text", "code", "content"):
            value = self.fields.get(name)
            if isinstance(value, str):
                return value
        return None

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  JSON is any
        return self.fields[name]

    def get(self, name: str, default: object = None) -> Any:  # noqa: ANN401
        return self.fields.get(name, default)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Block) and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]  # holds mutable JSON

    def __repr__(self) -> str:
        return f"Block({self.type!r})"


class Event:
    """One event of a session."""

    __slots__ = (
        "attributes",
        "blocks",
        "data",
        "duration_ms",
        "fields",
        "id",
        "ordinal",
        "raw",
        "task_id",
        "timestamp",
        "type",
    )

    id: str
    ordinal: int
    """Position in the session, from 0."""
    timestamp: str
    """The log's own time, UTC, as it stands in the session (up to nanoseconds; :attr:`time` cuts them)."""
    type: str
    """The event type, for example ``UserMessage`` or ``ToolCall``."""
    data: Mapping[str, Any]
    """The members that go with the type; empty where there are none."""
    task_id: str | None
    blocks: tuple[Block, ...]
    duration_ms: int | None
    attributes: Mapping[str, Any]
    fields: Mapping[str, Any]
    """The whole event as parsed, unknown members included."""
    raw: bytes
    """The event's canonical line, without its LF."""

    def __init__(self, fields: Mapping[str, Any], ordinal: int, raw: bytes) -> None:
        kind = fields["event_type"]
        self.id = fields["event_id"]
        self.ordinal = ordinal
        self.timestamp = fields["timestamp"]
        self.type = kind["type"]
        self.data = kind.get("data") or {}
        self.task_id = fields.get("task_id")
        self.blocks = tuple(Block(b) for b in fields["content"]["blocks"])
        self.duration_ms = fields.get("duration_ms")
        self.attributes = fields.get("attributes") or {}
        self.fields = fields
        self.raw = raw

    @property
    def time(self) -> datetime:
        """:attr:`timestamp` as an aware datetime, cut to microseconds. Year 0000 has none and raises
        ValueError.
        """
        return to_datetime(self.timestamp)

    @property
    def text(self) -> str:
        """The readable text of all blocks, joined by LF."""
        return "\n".join(t for t in (b.text for b in self.blocks) if t is not None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"Event({self.ordinal}, {self.type!r}, id={self.id!r})"


class Header(NamedTuple):
    """The first line of a session."""

    version: str
    session_id: str
    provider: str
    model: str
    tool: str
    tool_version: str | None
    title: str | None
    description: str | None
    tags: tuple[str, ...]
    created_at: str
    updated_at: str
    related_session_ids: tuple[str, ...]
    attributes: Mapping[str, Any]
    fields: Mapping[str, Any]
    """The whole header as parsed."""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Header:
        agent, context = fields["agent"], fields["context"]
        return cls(
            version=fields["version"],
            session_id=fields["session_id"],
            provider=agent["provider"],
            model=agent["model"],
            tool=agent["tool"],
            tool_version=agent.get("tool_version"),
            title=context.get("title"),
            description=context.get("description"),
            tags=tuple(context.get("tags") or ()),
            created_at=context["created_at"],
            updated_at=context["updated_at"],
            related_session_ids=tuple(context.get("related_session_ids") or ()),
            attributes=context.get("attributes") or {},
            fields=fields,
        )


class Stats(NamedTuple):
    """The last line of a session: eleven numbers, a function of its events, and where it came from."""

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
    source: Mapping[str, Any] | None
    """The coverage ledger; None where the session carries none."""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Stats:
        return cls._make((*(fields[name] for name in cls._fields[:-1]), fields.get("source")))


def to_datetime(timestamp: str) -> datetime:
    """A canonical HAIL time as an aware datetime, cut to microseconds."""
    from datetime import UTC, datetime

    whole, _, fraction = timestamp.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return moment.replace(microsecond=int(fraction[:6].ljust(6, "0"))) if fraction else moment


def time_key(timestamp: str) -> tuple[str, str]:
    """A canonical HAIL time as a sort key: its text alone does not sort (``…00Z`` is before ``…00.5Z``)."""
    whole, _, fraction = timestamp.removesuffix("Z").partition(".")
    return whole, fraction
