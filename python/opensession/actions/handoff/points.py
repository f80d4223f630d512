"""What there is to say about one source, in the order in which it helps the next reader most.

Owns which fields of a summary are told under which title, and which event ids each claim rests on. How it looks is
`markdown`'s and `prompt`'s to say. Every text that stands in a `Quote` is from the log: nobody may obey it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from opensession.uri import format_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opensession.actions.handoff.artifact import Source

SEEN = "as far as this log shows"
_REFERENCE = re.compile(r"evidence-[1-9][0-9]*")


class Quote(NamedTuple):
    """Words of the log."""

    text: str
    block: bool = False
    """They may have several lines, which stay."""


class Point(NamedTuple):
    """One claim: our words and quotations, and the events that say so."""

    parts: tuple[str | Quote, ...]
    events: tuple[str, ...] = ()


class Section(NamedTuple):
    """Points of one kind, in the order of the log or of their weight."""

    title: str
    points: tuple[Point, ...]
    otherwise: str = ""
    """What to say where there are none; nothing is said where this is empty."""
    log_order: bool = True
    """The oldest first: where there is not room for all, the last ones count most. Else the first ones do."""


class Told(NamedTuple):
    """One source."""

    head: tuple[Point, ...]
    """Which session it is, and what was asked first: whoever reads nothing else reads this."""
    sections: tuple[Section, ...]


def told(source: Source, summary: dict[str, Any], report: dict[str, Any]) -> Told:
    """Everything about one source."""
    evidence = _Evidence(summary.get("evidence", []))
    sections = (*_first(summary, report, evidence), *_then(summary, evidence))
    return Told(
        tuple(_head(source, summary, evidence)), tuple(s for s in sections if s.points or s.otherwise)
    )


def _first(summary: dict[str, Any], report: dict[str, Any], evidence: _Evidence) -> Iterator[Section]:
    """What the next one needs to go on."""
    actions = summary["execution_contract"]["next_actions"]
    uncommitted = summary["not_seen_committed"]
    yield Section("Asked", tuple(_goals(summary)))
    yield Section(
        "State", tuple(_state(report)), f"Nothing is known to be unfinished, {SEEN}.", log_order=False
    )
    yield Section(
        "Next actions",
        tuple(evidence.sentences("next_action", actions)),
        "None follow from the log.",
        log_order=False,
    )
    yield Section("Open", tuple(_open(summary, evidence)), f"Nothing is open, {SEEN}.", log_order=False)
    yield Section("Last answer of the agent", tuple(_last_answer(summary)))
    yield Section("Failed attempts", tuple(_attempts(summary)), "None.")
    yield Section("Files changed, net effect", tuple(_files(summary)), "None.", log_order=False)
    yield Section(
        f"Not seen committed, {SEEN}",
        tuple(evidence.quoted("not_seen_committed", uncommitted)),
        log_order=False,
    )


def _then(summary: dict[str, Any], evidence: _Evidence) -> Iterator[Section]:
    """What it helps to know beside that."""
    contract = summary["execution_contract"]
    assumptions = summary["uncertainty"]["assumptions"]
    yield Section("Checks run", tuple(_checks(summary["verification"])), "None.")
    yield Section(
        "Done", tuple(evidence.sentences("done", contract["done_definition"])), "Nothing is stated."
    )
    yield Section("Last commands", tuple(_commands(summary["last_commands"])), "None.")
    yield Section("Conversation", tuple(_conversation(summary)))
    yield Section(
        "Results that the agent stated", tuple(evidence.quoted("task_done", summary["task_summaries"]))
    )
    yield Section("Errors", tuple(evidence.quoted("error", summary["errors"])))
    yield Section("Other messages of the person", tuple(_messages(summary, evidence)))
    yield Section("Files read", tuple(evidence.quoted("file_read", summary["files_read"])))
    yield Section("Taken for granted", tuple(Point((text,)) for text in assumptions))
    yield Section("Rollback", tuple(_rollback(contract, evidence)))
    yield Section("Not known", tuple(_undefined(summary)))
    yield Section("Left out of this summary", tuple(_omitted(summary)))


class _Evidence:
    """The rows of evidence, by claim and by id."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._by_claim: dict[str, list[str]] = {}
        self._by_id: dict[str, dict[str, Any]] = {}
        for row in rows:
            events = self._by_claim.setdefault(row["claim"], [])
            if row["event_id"] not in events:
                events.append(row["event_id"])
            self._by_id[row["id"]] = row

    def events(self, label: str, text: str) -> tuple[str, ...]:
        return tuple(self._by_claim.get(f"{label}: {text}", ()))

    def quoted(self, label: str, texts: Iterable[str]) -> Iterator[Point]:
        """Texts of the log."""
        for text in texts:
            yield Point((Quote(text),), self.events(label, text))

    def sentences(self, label: str, texts: Iterable[str]) -> Iterator[Point]:
        """Sentences that may quote the log, each followed by what it refers to."""
        for text in texts:
            yield Point((Quote(text),), self.events(label, text))
            for name in dict.fromkeys(_REFERENCE.findall(text)):
                if (row := self._by_id.get(name)) is not None:
                    yield Point((f"{name} is ", Quote(row["claim"])), (row["event_id"],))


def _head(source: Source, summary: dict[str, Any], evidence: _Evidence) -> Iterator[Point]:
    yield Point(("Session ", Quote(source.session_id), f" = {format_local(source.sha256)}"))
    where = (" in ", Quote(summary["cwd"])) if "cwd" in summary else ()
    yield Point(
        (
            "Agent ", Quote(summary["tool"]), ", model ", Quote(summary["model"]), *where,
            f", {summary['started_at']} to {summary['updated_at']}, {source.event_count} events",
        )
    )  # fmt: skip
    if "objective" in summary:
        asked = summary["objective"]
        yield Point(("Objective: ", Quote(asked)), evidence.events("objective", asked))
    else:
        yield Point(("Objective: not known",))


def _goals(summary: dict[str, Any]) -> Iterator[Point]:
    for goal in summary["goals"]:
        yield Point((f"{goal['timestamp']} ", Quote(goal["text"], block=True)), tuple(goal["event_ids"]))


def _state(report: dict[str, Any]) -> Iterator[Point]:
    for finding in report["findings"]:
        yield Point(
            (f"{finding['severity']} {finding['code']}: {finding['message']}",), tuple(finding["event_ids"])
        )


def _open(summary: dict[str, Any], evidence: _Evidence) -> Iterator[Point]:
    for todo in summary["open_todos"]:
        yield Point(("Plan, ", Quote(todo["status"]), ": ", Quote(todo["text"])), tuple(todo["event_ids"]))
    uncertainty, missing = summary["uncertainty"], summary["verification"]["required_checks_missing"]
    told_below = {*missing, *(f"Resolve open question: {text}" for text in uncertainty["open_questions"])}
    decisions = [text for text in uncertainty["decision_required"] if text not in told_below]
    for label, words, texts in (
        ("open_question", "Question: ", uncertainty["open_questions"]),
        ("decision_required", "To decide: ", decisions),
        ("check_missing", "Check: ", missing),
    ):
        for text in texts:
            yield Point((words, Quote(text)), evidence.events(label, text))


def _last_answer(summary: dict[str, Any]) -> Iterator[Point]:
    if (last := summary.get("last_agent_message")) is not None:
        yield Point((Quote(last["text"], block=True),), tuple(last["event_ids"]))


def _attempts(summary: dict[str, Any]) -> Iterator[Point]:
    for one in summary["failed_attempts"]:
        parts: list[str | Quote] = [f"{one['kind']} ", Quote(one["attempt"]), _code(one)]
        if one["count"] > 1:
            parts.append(f", {one['count']} times")
        if "error" in one:
            parts += [", error ", Quote(one["error"])]
        events = list(one["event_ids"])
        if (after := one.get("replaced_by")) is not None:
            parts += ["; replaced by ", Quote(after["attempt"])]
            events += [event for event in after["event_ids"] if event not in events]
        else:
            parts.append("; nothing replaced it, " + SEEN)
        yield Point(tuple(parts), tuple(events))


def _code(row: dict[str, Any]) -> str:
    return f", exit code {row['exit_code']}" if "exit_code" in row else ", no exit code"


def _files(summary: dict[str, Any]) -> Iterator[Point]:
    for file in summary["files_modified"]:
        doubt = " (no result of the last change stands in the log)" if file.get("unconfirmed") else ""
        action = file.get("action", "changed")
        yield Point((f"{action} ", Quote(file["path"]), doubt), tuple(file["event_ids"]))


def _checks(verification: dict[str, Any]) -> Iterator[Point]:
    for run in verification["checks_run"]:
        judged = ", judged by its output" if run.get("judged_by") == "output" else ""
        fixed = ", settled by a later run" if "fixed_by" in run else ""
        keys = ("event_id", "result_event_id", "fixed_by")
        events = tuple(dict.fromkeys(run[key] for key in keys if key in run))
        kinds = ", ".join(run["kinds"])
        yield Point(
            (f"{run['status']} ({kinds}) ", Quote(run["command"]), _code(run) + judged + fixed), events
        )


def _commands(rows: list[dict[str, Any]]) -> Iterator[Point]:
    for row in rows:
        yield Point((Quote(row["command"]), _code(row)), tuple(row["event_ids"]))


def _conversation(summary: dict[str, Any]) -> Iterator[Point]:
    for pair in summary["key_conversations"]:
        yield Point(
            ("asked ", Quote(pair["user"]), " answered ", Quote(pair["agent"])), tuple(pair["event_ids"])
        )


def _messages(summary: dict[str, Any], evidence: _Evidence) -> Iterator[Point]:
    """What the person typed and is not told under "Asked" already."""
    told_already = {event for goal in summary["goals"] for event in goal["event_ids"]}
    for point in evidence.quoted("user_message", summary["user_messages"]):
        if not point.events or not told_already.issuperset(point.events):
            yield point


def _rollback(contract: dict[str, Any], evidence: _Evidence) -> Iterator[Point]:
    if (hint := contract.get("rollback_hint")) is not None:
        yield Point((Quote(hint),), evidence.events("rollback_hint", hint))


def _undefined(summary: dict[str, Any]) -> Iterator[Point]:
    for row in summary["undefined_fields"]:
        yield Point((f"{row['path']}: {row['undefined_reason']}",))


def _omitted(summary: dict[str, Any]) -> Iterator[Point]:
    for field, count in summary.get("omitted", {}).items():
        yield Point((f"{field}: {count} more in the session",))
