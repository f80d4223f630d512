"""Claude Code: what each record becomes. A record loses what its events hold; what is left of it is returned."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import ClassVar

from .claude_head import ClaudeHead, origin_of
from .claude_results import add_structured, image_block, left_of, set_exit_code, take_shown
from .session import GONE, Calls, Draft, Envelope, event, json_block, put_back, take_text, text_block
from .text import Json, canonical_time, language, signed

BOOKKEEPING = {
    "summary": "summary",
    "custom-title": "customTitle",
    "ai-title": "aiTitle",
    "last-prompt": "lastPrompt",
    "queue-operation": "content",
    "mode": "",
}
# tool: (semantic.tool_kind, what its result needs to know, event, member that becomes the event's)
TOOLS = {
    "Bash": ("shell", "shell", "ShellCommand", "command"),
    "Read": ("file_read", "read", "FileRead", "file_path"),
    "Write": ("file_write", "write", "FileCreate", "file_path"),
    "Edit": ("file_write", "edit", "FileEdit", "file_path"),
    "Grep": ("search", "other", "CodeSearch", "pattern"),
    "Glob": ("search", "other", "FileSearch", "pattern"),
    "WebSearch": ("web", "other", "WebSearch", "query"),
    "WebFetch": ("web", "other", "WebFetch", "url"),
    "Task": ("task", "other", "", ""),
    "Agent": ("task", "other", "", ""),
    "TodoWrite": ("plan", "other", "", ""),
    "TaskCreate": ("plan", "other", "", ""),
    "TaskUpdate": ("plan", "other", "", ""),
}
MEMBERS = {
    "ShellCommand": "command",
    "CodeSearch": "query",
    "FileSearch": "pattern",
    "WebSearch": "query",
    "WebFetch": "url",
}
COUNTERS = (
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
    ("cache_read_input_tokens", "cache_read_tokens"),
    ("cache_creation_input_tokens", "cache_write_tokens"),
)
REMEMBERED = 1024
"""Message ids whose usage is known; an older one counts as new."""


class Claude:
    agent, form = "claude-code", "claude-jsonl"

    def __init__(self) -> None:
        self.head = ClaudeHead()
        self.envelope = Envelope(
            "sessionId cwd gitBranch version userType entrypoint slug isSidechain teamName agentId requestId effort "
            "attributionSkill parentToolUseID permissionMode promptId"
        )
        self.message_envelope = Envelope(
            "model type stop_reason stop_sequence stop_details container context_management diagnostics"
        )
        self.usage_envelope = Envelope("service_tier inference_geo speed server_tool_use")
        self.calls = Calls()
        self.usage: OrderedDict[str, list[int]] = OrderedDict()

    def record(self, record: Json) -> tuple[Draft, Json]:
        kind = record.get("type")
        draft = Draft(record.get("uuid"), canonical_time(record.get("timestamp")))
        agent = (
            record.get("agentId") if record.get("isSidechain") is True and not self.head.sub_agent else None
        )
        if kind not in self.KINDS and kind not in BOOKKEEPING:
            self.envelope.take(dict(record))
            draft.keep_whole(kind or "untyped", record)
            return draft, GONE
        call = record.get("parentToolUseID")
        self.envelope.take(record)
        del record["type"]
        record.pop("uuid", None)
        if draft.time is not None:
            del record["timestamp"]
        draft.raw_type = kind
        if kind == "progress":
            self.progress(record, call, draft)
        elif kind in self.KINDS:
            self.KINDS[kind](self, record, draft)
        else:
            text = take_text(record, BOOKKEEPING[kind])
            draft.events.append(event("Custom", {"kind": kind}, [text_block(text)] if text else None))
        if agent:
            for made in draft.events:
                made["task_id"] = agent
        return draft, record or GONE

    def assistant(self, record: Json, draft: Draft) -> None:
        message = record["message"]
        self.message_envelope.take(message)
        if message.get("role") == "assistant":
            del message["role"]
        group = take_text(message, "id")
        content = message.get("content")
        if isinstance(content, str):
            draft.events.append(event("AgentMessage", None, [text_block(message.pop("content"))]))
        elif content:
            put_back(message, "content", [self.assistant_block(block, draft) for block in content])
        if not draft.events:
            draft.events.append(event("Custom", {"kind": "assistant"}))
        for made in draft.events if group else ():
            made["attributes"]["semantic.group_id"] = group
        if "usage" in message:
            self.count(message, group, draft.events[0]["attributes"])
        if not message:
            del record["message"]

    def assistant_block(self, block: Json, draft: Draft) -> Json:
        kind = block.get("type")
        if kind == "text":
            draft.events.append(event("AgentMessage", None, [text_block(block.pop("text"))]))
        elif kind == "thinking":
            text, secret = block.pop("thinking", None), block.pop("signature", None)
            made = event("Thinking", None, [text_block(text)] if text else None)
            if secret is not None and not text:
                made["attributes"]["source.ciphertext_bytes"] = len(secret)
            draft.events.append(made)
        elif kind == "tool_use":
            self.call(block, draft)
        else:
            return draft.keep_block(kind or "untyped", block)
        del block["type"]
        return block or GONE

    def count(self, message: Json, group: str | None, attributes: Json) -> None:
        """What a message's usage adds to what its earlier lines said; the most of each counter is remembered."""
        usage = message["usage"]
        self.usage_envelope.take(usage)
        before = self.usage.get(group)
        most = before if before is not None else [0, 0, 0, 0]
        for n, (key, name) in enumerate(COUNTERS):
            count = usage.get(key)
            if type(count) is not int:
                continue
            added, most[n] = count - most[n], max(most[n], count)
            if before is None or added > 0:
                attributes[name] = count if before is None else added
            if before is None or most[n] == count:
                del usage[key]
        if before is None and group:
            if len(self.usage) == REMEMBERED:
                self.usage.popitem(last=False)
            self.usage[group] = most
        if not usage:
            del message["usage"]

    def call(self, block: Json, draft: Draft) -> None:
        name, given = block.get("name") or "unknown", block.get("input")
        fallback = ("mcp" if name.startswith("mcp__") else "other", "other", "", "")
        kind, what, type_, key = TOOLS.get(name, fallback)
        value = take_text(given, key) if key and isinstance(given, dict) else None
        if value is None:
            block.pop("name", None)
            block.pop("input", None)
            made = event("ToolCall", {"name": name}, [json_block(given)] if given is not None else None)
        else:
            made = event(type_, {MEMBERS.get(type_, "path"): value})
            if what == "shell" and given.get("run_in_background") is True:
                what = "background"
            self.arguments(made, type_, value, given)
            if not given:
                del block["input"]
        if own := take_text(block, "id"):
            self.calls.open[own] = (name, what)
            made["attributes"]["semantic.call_id"] = own
        made["attributes"]["semantic.tool_kind"] = kind
        draft.events.append(made)

    @staticmethod
    def arguments(made: Json, type_: str, value: str, given: Json) -> None:
        """What else of the arguments the event of a call holds."""
        blocks, data = made["content"]["blocks"], made["event_type"]["data"]
        if type_ == "ShellCommand":
            if text := take_text(given, "description"):
                blocks.append(text_block(text))
        elif type_ == "FileCreate" and isinstance(given.get("content"), str):
            code = {"type": "Code", "code": given.pop("content")}
            if named := language(value):
                code["language"] = named
            blocks.append(code)
        elif type_ == "FileEdit":
            diff = ""
            for sign, key in (("-", "old_string"), ("+", "new_string")):
                text = given.get(key)
                if isinstance(text, str):
                    diff += signed(sign, text)
                    if text and "\n" not in text:
                        del given[key]
            if diff:
                data["diff"] = diff

    def user(self, record: Json, draft: Draft) -> None:
        message, structured = record["message"], record.get("toolUseResult")
        content = message.get("content")
        if structured is not None:
            record["toolUseResult"] = left_of(structured, content)
        if message.get("role") == "user":
            del message["role"]
        self.message_envelope.take(message)
        if isinstance(content, str):
            self.words(message.pop("content"), record, draft)
        elif content:
            left = [self.user_block(block, record, structured, draft) for block in content]
            put_back(message, "content", left)
        if record.get("toolUseResult") is GONE:
            del record["toolUseResult"]
        if not draft.events:
            draft.events.append(event("Custom", {"kind": "user"}))
        if not message:
            del record["message"]

    def user_block(self, block: Json, record: Json, structured: Json, draft: Draft) -> Json:
        kind = block.get("type")
        if kind == "text":
            self.words(block.pop("text"), record, draft)
            del block["type"]
        elif kind == "tool_result":
            self.result(block, record, structured, draft)
            del block["type"]
        elif kind == "image":
            self.said(origin_of("", record), image_block(block), draft)
        else:
            return draft.keep_block(kind or "untyped", block)
        return block or GONE

    def words(self, text: str, record: Json, draft: Draft) -> None:
        origin = origin_of(text, record)
        self.said(origin, text_block(text), draft)
        if origin == "command":
            arguments = re.search(r"<command-args>(.*?)</command-args>", text, re.DOTALL)
            if arguments and (typed := arguments[1].strip(" \n\t\r\f")):
                self.said("typed", text_block(typed), draft)

    @staticmethod
    def said(origin: str, block: Json, draft: Draft) -> None:
        """Add a block to the message before it if that has the same origin, else begin a message."""
        kind = "UserMessage" if origin == "typed" else "SystemMessage"
        if draft.events:
            last = draft.events[-1]
            same = origin == "typed" or last["attributes"].get("source.origin") == origin
            if last["event_type"]["type"] == kind and same:
                last["content"]["blocks"].append(block)
                return
        made = event(kind, None, [block])
        if origin != "typed":
            made["attributes"]["source.origin"] = origin
        draft.events.append(made)

    def result(self, block: Json, record: Json, structured: Json, draft: Draft) -> None:
        if any(made["event_type"]["type"] == "ToolResult" for made in draft.events):
            structured = None
        call = take_text(block, "tool_use_id")
        name, what = self.calls.result_of(call)
        data: Json = {"name": name, "is_error": block.pop("is_error", None) is True}
        made = event("ToolResult", data)
        take_shown(block, made["content"]["blocks"], draft.unknown)
        if call:
            data["call_id"] = made["attributes"]["semantic.call_id"] = call
        if what in ("shell", "background"):
            set_exit_code(made, what, structured)
        if isinstance(structured, dict):
            add_structured(made, what, structured, record)
        draft.events.append(made)

    def attachment(self, record: Json, draft: Draft) -> None:
        attachment = record["attachment"]
        kind = attachment.get("type", "")
        draft.raw_type = f"attachment/{kind}"
        if kind == "queued_command" and isinstance(attachment.get("prompt"), str):
            text = attachment.pop("prompt")
            notice = attachment.get("commandMode") == "task-notification"
            self.said("notification" if notice else origin_of(text, attachment), text_block(text), draft)
            del attachment["type"]
            return
        del record["attachment"]
        made = event("Custom", {"kind": draft.raw_type}, [json_block(attachment)])
        reminder = "reminder" if kind.endswith("_reminder") else "context"
        made["attributes"]["source.origin"] = "hook" if kind.startswith("hook_") else reminder
        draft.events.append(made)

    def system(self, record: Json, draft: Draft) -> None:
        subtype = take_text(record, "subtype")
        draft.raw_type = f"system/{subtype}" if subtype else "system"
        if text := take_text(record, "content"):
            made = event("SystemMessage", None, [text_block(text)])
        else:
            made = event("Custom", {"kind": draft.raw_type})
        if subtype == "turn_duration" and type(record.get("durationMs")) is int:
            made["duration_ms"] = record.pop("durationMs")
        origins = {"local_command": "command", "stop_hook_summary": "hook"}
        made["attributes"]["source.origin"] = origins.get(subtype or "", "notification")
        draft.events.append(made)

    def progress(self, record: Json, call: str | None, draft: Draft) -> None:
        data = record.pop("data")
        draft.raw_type = f"progress/{data['type']}" if data.get("type") else "progress"
        inner = data.get("message")
        if isinstance(inner, dict) and isinstance(content := inner.get("message", {}).get("content"), list):
            for block in content:
                if block.get("type") == "thinking":
                    block.pop("signature", None)
        made = event("Custom", {"kind": draft.raw_type}, [json_block(data)])
        if self.calls.knows(call):
            record.pop("parentToolUseID", None)
            made["attributes"]["semantic.call_id"] = call
        draft.events.append(made)

    def snapshot(self, record: Json, draft: Draft) -> None:
        snapshot = record.pop("snapshot")
        draft.time = canonical_time(snapshot.get("timestamp")) or draft.time
        draft.events.append(event("Custom", {"kind": "file-history-snapshot"}, [json_block(snapshot)]))

    KINDS: ClassVar = {
        "assistant": assistant,
        "user": user,
        "attachment": attachment,
        "system": system,
        "progress": progress,
        "file-history-snapshot": snapshot,
    }
