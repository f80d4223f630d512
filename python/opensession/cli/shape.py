"""How a session, its ledger and its warnings look in text and in JSON, the same for every command.

Owns the keys. Must not know where a session came from.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opensession.core import Problem, SessionInfo

STATS = (
    "event_count",
    "message_count",
    "user_message_count",
    "tool_call_count",
    "task_count",
    "duration_seconds",
    "total_input_tokens",
    "total_output_tokens",
    "files_changed",
    "lines_added",
    "lines_removed",
)
"""The eleven numbers of a stats line, in the order in which people want them."""

_HEADER = (
    "session_id",
    "provider",
    "model",
    "tool",
    "tool_version",
    "title",
    "created_at",
    "updated_at",
    "cwd",
)
_CLASSES = ("mapped", "folded", "opaque", "damaged", "blank")


def session_row(info: SessionInfo) -> dict[str, object]:
    """A session for ``--json``: the header, the eleven stats, the ledger."""
    row: dict[str, object] = {key: info[key] for key in _HEADER}  # type: ignore[literal-required]
    row |= info["stats"]
    row |= {key: info[key] for key in ("version", "session_role", "parent_session_id", "source", "canonical")}
    row["warnings"] = list(info["warnings"])
    return row


def session_lines(info: SessionInfo) -> list[str]:
    """A session for people."""
    stats = info["stats"]
    lines = [f"{key}: {info[key]}" for key in _HEADER if info[key] is not None]  # type: ignore[literal-required]
    if info["session_role"] is not None:
        lines.append(f"session_role: {info['session_role']}")
    if info["parent_session_id"] is not None:
        lines.append(f"parent_session_id: {info['parent_session_id']}")
    for key in STATS:
        if key == "total_input_tokens":
            lines.append(f"total_tokens: in={stats['total_input_tokens']} out={stats['total_output_tokens']}")
        elif key != "total_output_tokens":
            lines.append(f"{key}: {stats[key]}")  # type: ignore[literal-required]
    return lines + ledger_lines(info["source"]) + warning_lines(info["warnings"])


def ledger_lines(source: Mapping[str, object] | None) -> list[str]:
    """The coverage ledger for people: what was read, and what became of it."""
    if source is None:
        return ["source: none recorded"]
    agent, log, count, parser = (source.get(key) for key in ("agent", "format", "bytes", "parser"))
    lines = [f"source: {agent} {log}, {count} bytes, parser {parser}"]
    records = source.get("records")
    if isinstance(records, dict):
        classes = ", ".join(f"{name} {records.get(name, 0)}" for name in _CLASSES)
        lines.append(f"records: read {records.get('read')} = {classes}")
    return lines + [f"{key}: {_counts(source.get(key))}" for key in ("repairs", "unknown_blocks")]


def _counts(table: object) -> str:
    if not isinstance(table, dict) or not table:
        return "none"
    return ", ".join(f"{name} {count}" for name, count in sorted(table.items()))


def warning_lines(warnings: Iterable[Problem]) -> list[str]:
    """Warnings for people, one line each."""
    lines = [f"- {w['message']}: {w['count']} in all, first at line {w['line']}" for w in warnings]
    return ["warnings:", *lines] if lines else []
