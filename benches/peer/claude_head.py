"""The header of a Claude Code session, and whose words a text is."""

from __future__ import annotations

from collections import deque

from .text import Json, canonical_time, title_of

INJECTED = (
    ("<system-reminder", "reminder"),
    ("<task-notification", "notification"),
    ("<teammate-message", "notification"),
    ("[Request interrupted by user", "notification"),
    ("<user-prompt-submit-hook", "hook"),
    ("<session-start-hook", "hook"),
    ("Stop hook feedback:", "hook"),
    ("<command-name>", "command"),
    ("<command-message>", "command"),
    ("<local-command-", "command"),
    ("<bash-input>", "command"),
    ("<bash-stdout>", "command"),
    ("<bash-stderr>", "command"),
    ("Caveat: The messages below", "command"),
    ("<ide_opened_file", "context"),
    ("<ide_selection", "context"),
    ("<ide_diagnostics", "context"),
    ("<fork-boilerplate", "context"),
    ("This session is being continued from", "context"),
    ("Base directory for this skill:", "context"),
)
PREFIXES = tuple(prefix for prefix, _ in INJECTED)
RECENT = 512
"""Records back that a `summary` may describe."""


def origin_of(text: str, record: Json) -> str:
    """Whose words a text of this record is; an image has none and counts as the empty text."""
    text = text.strip(" \n\t\r\f")
    if text.startswith(PREFIXES):
        return next(origin for prefix, origin in INJECTED if text.startswith(prefix))
    if record.get("isCompactSummary") is True or record.get("isMeta") is True:
        return "context"
    kind = (record.get("origin") or {}).get("kind")
    return "typed" if kind in (None, "human") else "notification"


class ClaudeHead:
    """What the records say about the whole session."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        self.related: list[str] = []
        self.recent: deque[str] = deque(maxlen=RECENT)
        self.pending: dict[str, str] = {}
        self.sub_agent: str | None = None

    def see(self, record: Json) -> str | None:
        """Note what the header needs; the record's time."""
        self.identity(record)
        kind = record.get("type")
        if kind == "assistant":
            model = record["message"].get("model")
            if "model" not in self.first and model and model != "<synthetic>":
                self.first["model"] = model
        elif kind == "user" or (kind == "attachment" and record["attachment"].get("commandMode") == "prompt"):
            if "prompt" not in self.titles:
                self.prompt(record)
        elif kind == "summary":
            self.summary(record["leafUuid"], record["summary"])
        elif kind == "custom-title":
            self.titles["custom"] = record["customTitle"] or self.titles.get("custom", "")
        elif kind == "file-history-snapshot" and "timestamp" in record["snapshot"]:
            return canonical_time(record["snapshot"]["timestamp"])
        return canonical_time(record.get("timestamp"))

    def identity(self, record: Json) -> None:
        first, session = self.first, record.get("sessionId")
        if session and "session" not in first:
            first["session"] = session
            self.sub_agent = record.get("agentId") if record.get("isSidechain") is True else None
        elif (
            session and session != first["session"] and session not in self.related and len(self.related) < 16
        ):
            self.related.append(session)
        if uuid := record.get("uuid"):
            if uuid in self.pending:
                self.titles["summary"] = self.pending.pop(uuid)
            self.recent.append(uuid)
        for key in ("cwd", "gitBranch", "version"):
            if key not in first and record.get(key):
                first[key] = record[key]

    def summary(self, leaf: str, text: str) -> None:
        if leaf in self.recent:
            self.titles["summary"] = text
        elif len(self.pending) < RECENT:
            self.pending[leaf] = text

    def prompt(self, record: Json) -> None:
        message = record.get("message")
        content = message.get("content") if message else record["attachment"].get("prompt")
        texts = (
            [content] if isinstance(content, str) else [block["text"] for block in content if "text" in block]
        )
        for text in texts:
            if origin_of(text, record) == "typed" and (title := title_of(text)):
                self.titles["prompt"] = title
                return

    def header(self) -> Json:
        first, titles = self.first, self.titles
        agent = {"model": first.get("model", "unknown"), "provider": "anthropic", "tool": "claude-code"}
        if "version" in first:
            agent["tool_version"] = first["version"]
        attributes: Json = {"session_role": "primary"}
        context: Json = {"attributes": attributes}
        title = next((titles[n] for n in ("custom", "summary", "prompt") if titles.get(n)), None)
        if title and (title := title_of(title)):
            context["title"] = title
        if "cwd" in first:
            attributes["cwd"] = first["cwd"]
        if "gitBranch" in first:
            attributes["git"] = {"branch": first["gitBranch"]}
        session, related = first["session"], self.related
        if self.sub_agent:
            attributes |= {"session_role": "auxiliary", "parent_session_id": session}
            related = [session, *related]
            session = f"{session}/agent-{self.sub_agent}"
        if related:
            context["related_session_ids"] = related
        return {"session_id": session, "agent": agent, "context": context}
