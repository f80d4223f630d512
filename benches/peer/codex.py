"""Codex: what each record becomes. A record loses what its events hold; what is left of it is returned."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .codex_calls import call_events, image_block, result_of
from .codex_head import CodexHead, is_injected
from .session import GONE, Calls, Draft, Envelope, event, json_block, put_back, take_text, text_block
from .text import canonical_time

if TYPE_CHECKING:
    from .text import Json

TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
TURN = (
    "cwd model effort summary approval_policy sandbox_policy collaboration_mode developer_instructions "
    "user_instructions permission_profile workspace_roots timezone current_date personality comp_hash "
    "realtime_active multi_agent_version truncation_policy network final_output_json_schema approvals_reviewer "
    "service_tier file_system_sandbox_policy environments"
)
ITEMS = ("message", "reasoning", "function_call", "custom_tool_call", "web_search_call")
OUTPUTS = ("function_call_output", "custom_tool_call_output")
MESSAGES = (
    "token_count",
    "user_message",
    "agent_message",
    "agent_reasoning",
    "task_started",
    "task_complete",
    "patch_apply_end",
    "web_search_end",
    "context_compacted",
    "turn_aborted",
)
OTHERS = ("session_meta", "turn_context", "compacted")
PASSTHROUGH = "internal_chat_message_metadata_passthrough"
STRIPPED = " \n\t\r\f"


class Twins:
    """Texts of one side and role that can still find their twin: the last 256, each once."""

    def __init__(self) -> None:
        self.order: deque[list[object]] = deque()
        self.free: dict[str, list[list[object]]] = {}

    def add(self, text: str, phase: int = 0) -> None:
        if len(self.order) == 256:
            self.take(self.order.popleft())
        entry: list[object] = [text, phase]
        self.order.append(entry)
        self.free.setdefault(text, []).append(entry)

    def take(self, entry: list[object]) -> None:
        """The entry cannot be found any more."""
        known = self.free.get(entry[0], [])
        at = next((n for n, other in enumerate(known) if other is entry), None)
        if at is not None:
            del known[at]
            if not known:
                del self.free[entry[0]]

    def absorb(self, text: str) -> list[object] | None:
        known = self.free.get(text)
        if not known:
            return None
        entry = known[-1]
        self.take(entry)
        return entry

    def absorb_all(self, texts: list[str]) -> list[list[object]] | None:
        used = []
        for text in texts:
            entry = self.absorb(text)
            if entry is None:
                for back in used:
                    self.free.setdefault(back[0], []).append(back)
                return None
            used.append(entry)
        return used or None


class Codex:
    agent, form = "codex", "rollout-jsonl"

    def __init__(self) -> None:
        self.head = CodexHead()
        self.turn = Envelope(TURN)
        self.limits = Envelope("rate_limits")
        self.window = Envelope("model_context_window")
        self.instructions = Envelope("base_instructions instructions")
        self.passthrough = Envelope(PASSTHROUGH)
        self.turn_id = ""
        self.last_usage: Json = None
        self.total: tuple[Json, ...] | None = None
        self.calls = Calls()
        self.twins = {
            (side, role): Twins() for side in ("item", "message") for role in ("user", "assistant", "thought")
        }

    def record(self, record: Json) -> tuple[Draft, Json]:
        kind, payload = record.get("type"), record.get("payload")
        draft = Draft(None, canonical_time(record.get("timestamp")))
        inner = payload.get("type") if isinstance(payload, dict) else None
        known = (
            (kind == "response_item" and (inner in ITEMS or inner in OUTPUTS))
            or (kind == "event_msg" and inner in MESSAGES)
            or kind in OTHERS
        )
        if not known:
            draft.raw_type = f"{kind}/{inner}" if inner else kind
            draft.keep_whole(inner or kind or "untyped", record)
            return draft, GONE
        del record["type"]
        if draft.time is not None:
            del record["timestamp"]
        if kind in OTHERS:
            draft.raw_type = kind
            self.other(kind, payload, draft)
        else:
            draft.raw_type = f"{kind}/{inner}"
            (self.item if kind == "response_item" else self.message)(inner, payload, draft)
            if draft.events:
                payload.pop("type", None)
        if not payload:
            del record["payload"]
        return draft, record or GONE

    # What surrounds the conversation.

    def other(self, kind: str, payload: Json, draft: Draft) -> None:
        made = event("Custom", {"kind": kind})
        if kind == "turn_context":
            self.turn_id = payload.get("turn_id") or self.turn_id
            self.turn.take(payload)
        elif kind == "session_meta":
            self.instructions.take(payload)
        else:
            if text := take_text(payload, "message"):
                made["content"]["blocks"].append(text_block(text))
            if payload.get("replacement_history"):
                made["content"]["blocks"].append(json_block(payload.pop("replacement_history")))
        draft.events.append(made)

    # The conversation with the model.

    def item(self, kind: str, item: Json, draft: Draft) -> None:
        if kind == "message":
            self.chat(item, draft)
        elif kind == "reasoning":
            self.reasoning(item, draft)
        elif kind in OUTPUTS:
            draft.events.append(result_of(item, self.calls))
        else:
            draft.events += call_events(kind, item, self.calls)
        draft.id = take_text(item, "id")
        if draft.events:
            self.passthrough.take(item)

    def chat(self, item: Json, draft: Draft) -> None:
        blocks = self.take_blocks(item, "content", draft)
        role = item.get("role")
        if role not in ("user", "assistant"):
            made = event("SystemMessage", None, blocks)
            made["attributes"]["source.origin"] = "context"
            draft.events.append(made)
            return
        self.said("item", role, item, blocks, draft)
        if draft.events and draft.events[0]["event_type"]["type"] in ("UserMessage", "AgentMessage"):
            item.pop("role", None)

    @staticmethod
    def take_blocks(holder: Json, key: str, draft: Draft) -> list[Json]:
        """The texts and images of a content list."""
        content, blocks, left = holder.get(key), [], []
        if not content or not isinstance(content, list):
            return blocks
        for item in content:
            kind = item.get("type")
            if kind in TEXTS and isinstance(item.get("text"), str):
                text = item.pop("text")
                del item["type"]
                if text:
                    blocks.append(text_block(text))
                left.append(item or GONE)
            elif kind == "input_image" and isinstance(item.get("image_url"), str):
                blocks.append(image_block(item.pop("image_url")))
                del item["type"]
                left.append(item or GONE)
            else:
                draft.unknown.append(kind or "untyped")
                blocks.append(json_block(item))
                left.append(GONE)
        put_back(holder, key, left)
        return blocks

    def said(self, side: str, role: str, record: Json, blocks: list[Json], draft: Draft) -> None:
        """A message becomes an event, or folds into its twin on the other side."""
        texts = [block["text"].strip(STRIPPED) for block in blocks if block["type"] == "Text"]
        phase = {None: 0, "commentary": 1, "final_answer": 2}.get(record.get("phase"), 3)
        other = "message" if side == "item" else "item"
        found = self.twins[other, role].absorb_all(texts)
        if found is None:
            for text in texts:
                self.twins[side, role].add(text, phase)
            draft.events.append(self.message_event(role, blocks))
            return
        same_phase = all(entry[1] == phase for entry in found)
        held = ("type", "id", "role", "content", "phase", "message", "images", "kind")
        more = any(
            key not in held and value not in (None, [], {}, "") and not self.is_turn(key, value)
            for key, value in record.items()
        )
        more = more or ("phase" in record and (phase == 3 or not same_phase))
        left = [block for block in blocks if block["type"] != "Text"]
        if more or left:
            name = (
                "message" if side == "item" else {"user": "user_message", "assistant": "agent_message"}[role]
            )
            draft.events.append(event("Custom", {"kind": name}, left))

    def is_turn(self, key: str, value: Json) -> bool:
        """The member names the turn that is going on, and nothing else."""
        return key == PASSTHROUGH and value == {"turn_id": self.turn_id}

    @staticmethod
    def message_event(role: str, blocks: list[Json]) -> Json:
        if role == "assistant":
            return event("AgentMessage", None, blocks)
        first = next((block["text"] for block in blocks if block["type"] == "Text"), "")
        if is_injected(first):
            made = event("SystemMessage", None, blocks)
            made["attributes"]["source.origin"] = "context"
            return made
        return event("UserMessage", None, blocks)

    def seen(self, side: str, text: str) -> bool:
        """A thought was said on the other side already; else it is remembered."""
        text = text.strip(STRIPPED)
        if self.twins["message" if side == "item" else "item", "thought"].absorb(text) is not None:
            return True
        self.twins[side, "thought"].add(text)
        return False

    def reasoning(self, item: Json, draft: Draft) -> None:
        blocks = self.take_blocks(item, "summary", draft) + self.take_blocks(item, "content", draft)
        for key in ("summary", "content"):
            if key in item and item[key] in (None, []):
                del item[key]
        cipher = item.pop("encrypted_content") if isinstance(item.get("encrypted_content"), str) else None
        kept = [b for b in blocks if b["type"] != "Text" or not self.seen("item", b["text"])]
        if blocks and not kept:
            return
        made = event("Thinking", None, kept)
        if cipher is not None:
            made["attributes"]["source.ciphertext_bytes"] = len(cipher)
        draft.events.append(made)

    # What was shown on the screen.

    def message(self, kind: str, message: Json, draft: Draft) -> None:
        if kind == "token_count":
            self.tokens(message, draft)
        elif kind in ("user_message", "agent_message"):
            blocks = [text_block(text)] if (text := message.pop("message")) else []
            self.said("message", kind.partition("_")[0].replace("agent", "assistant"), message, blocks, draft)
        elif kind == "agent_reasoning":
            if not self.seen("message", text := message.pop("text")):
                draft.events.append(event("Thinking", None, [text_block(text)] if text else None))
        elif kind == "task_started":
            made = event("TaskStart", {})
            if turn := take_text(message, "turn_id"):
                made["task_id"] = self.turn_id = turn
            self.window.take(message)
            draft.events.append(made)
        elif kind == "task_complete":
            summary = take_text(message, "last_agent_message")
            made = event("TaskEnd", {"summary": summary} if summary else {})
            if turn := take_text(message, "turn_id"):
                made["task_id"] = turn
            if type(message.get("duration_ms")) is int:
                made["duration_ms"] = message.pop("duration_ms")
            draft.events.append(made)
        else:
            self.other_message(kind, message, draft)

    @staticmethod
    def other_message(kind: str, message: Json, draft: Draft) -> None:
        made = event("Custom", {"kind": kind})
        if call := take_text(message, "call_id"):
            made["attributes"]["semantic.call_id"] = call
        if kind == "turn_aborted" and (turn := take_text(message, "turn_id")):
            made["task_id"] = turn
        if type(message.get("duration_ms")) is int:
            made["duration_ms"] = message.pop("duration_ms")
        del message["type"]
        if message:
            made["content"]["blocks"].append(json_block(dict(message)))
            message.clear()
        draft.events.append(made)

    def tokens(self, message: Json, draft: Draft) -> None:
        made = event("Custom", {"kind": "token_count"})
        attributes, info = made["attributes"], message.get("info")
        if isinstance(info, dict):
            total, last = info.get("total_token_usage") or {}, info.get("last_token_usage") or {}
            key = (total.get("input_tokens"), total.get("output_tokens"), total.get("total_tokens"))
            if self.total == key:
                attributes |= {"input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0}
                if last == self.last_usage:
                    del info["last_token_usage"]
                self.last_usage = last
            else:
                self.last_usage = dict(last)
                drop_sum(last)
                take_count(attributes, "input_tokens", last, "input_tokens")
                take_count(attributes, "output_tokens", last, "output_tokens")
                take_count(attributes, "cache_read_tokens", last, "cached_input_tokens")
                take_count(attributes, "reasoning_tokens", last, "reasoning_output_tokens")
            self.total = key
            drop_sum(total)
            take_count(attributes, "input_tokens_total", total, "input_tokens")
            take_count(attributes, "output_tokens_total", total, "output_tokens")
            for name in ("total_token_usage", "last_token_usage"):
                if info.get(name) == {}:
                    del info[name]
            self.window.take(info)
            if not info:
                del message["info"]
        self.limits.take(message)
        draft.events.append(made)


def take_count(attributes: Json, name: str, usage: Json, key: str) -> None:
    if type(usage.get(key)) is int:
        attributes[name] = usage.pop(key)


def drop_sum(usage: Json) -> None:
    """The sum says nothing that its parts do not."""
    parts = (usage.get("input_tokens"), usage.get("output_tokens"), usage.get("total_tokens"))
    if None not in parts and parts[0] + parts[1] == parts[2]:
        del usage["total_tokens"]
