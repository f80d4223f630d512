"""The header of a Codex session, and which user texts no person typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .text import canonical_time, title_of

if TYPE_CHECKING:
    from .text import Json

INJECTED = (
    "<environment_context>",
    "<user_instructions>",
    "# agents.md instructions",
    "<instructions>",
    "<turn_aborted>",
    "<skill>",
    "<skills_instructions>",
    "<subagent_notification",
    "<subagents>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<personality_spec>",
    "<model_switch>",
    "<user_shell_command>",
    "<user_action>",
    "<app-context>",
    "<apps_instructions>",
    "<plugins_instructions>",
    "<realtime_conversation>",
    "<codex_internal_context",
    "<goal_context>",
    "<hook_prompt",
    "<recommended_plugins>",
    "<environments_instructions>",
    "<additional_context>",
    "<extension_context>",
    "<external_",
    "warning: apply_patch was requested via ",
    "warning: the maximum number of unified exec processes",
    "warning: your account was flagged for ",
)


def is_injected(text: str) -> bool:
    text = text.strip(" \n\t\r\f")
    return text[:1] in "<#Ww" and text[:64].lower().startswith(INJECTED)


class CodexHead:
    """What the records say about the whole session."""

    def __init__(self) -> None:
        self.meta: Json = None
        self.model = ""
        self.cwd = ""
        self.title: str | None = None
        self.related: list[str] = []

    def see(self, record: Json) -> str | None:
        """Note what the header needs; the record's time."""
        kind, payload = record.get("type"), record.get("payload")
        if kind == "session_meta":
            if self.meta is None:
                self.meta = {key: value for key, value in payload.items() if key != "base_instructions"}
            elif payload["id"] not in (self.meta["id"], *self.related) and len(self.related) < 16:
                self.related.append(payload["id"])
        elif kind == "turn_context":
            if not self.model:
                self.model = payload.get("model") or ""
                self.cwd = self.cwd or payload.get("cwd") or ""
        elif self.title is None and kind in ("event_msg", "response_item"):
            self.prompt(payload)
        return canonical_time(record.get("timestamp"))

    def prompt(self, payload: Json) -> None:
        text = ""
        if payload["type"] == "user_message":
            text = payload.get("message") or ""
        elif payload["type"] == "message" and payload.get("role") == "user":
            text = next((item["text"] for item in payload["content"] if item.get("text")), "")
        if text and not is_injected(text):
            mark = "## My request for Codex:"
            if text.lstrip().startswith("# Context from my IDE setup:") and mark in text:
                text = text.partition(mark)[2]
            self.title = title_of(text)

    def header(self) -> Json:
        meta = self.meta
        agent = {
            "model": self.model or "unknown",
            "provider": meta.get("model_provider") or "openai",
            "tool": "codex",
        }
        if meta.get("cli_version"):
            agent["tool_version"] = meta["cli_version"]
        attributes: Json = {"session_role": "primary"}
        if cwd := meta.get("cwd") or self.cwd:
            attributes["cwd"] = cwd
        git = meta.get("git") or {}
        names = (("branch", "branch"), ("commit", "commit_hash"), ("remote", "repository_url"))
        if said := {name: git[key] for name, key in names if git.get(key)}:
            attributes["git"] = said
        context: Json = {"attributes": attributes}
        if self.title:
            context["title"] = self.title
        if self.related:
            context["related_session_ids"] = self.related
        return {"session_id": meta["id"], "agent": agent, "context": context}
