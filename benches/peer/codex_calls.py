"""Codex's tools: which events a call becomes, and what its output says about how it went."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import orjson

from .session import GONE, event, json_block, put_back, take_text, text_block
from .text import plain

if TYPE_CHECKING:
    from .session import Calls, Event
    from .text import Json

# tool: (semantic.tool_kind, what its result needs to know)
TOOLS = {
    "shell": ("shell", "shell"),
    "exec_command": ("shell", "shell"),
    "shell_command": ("shell", "shell"),
    "write_stdin": ("shell", "shell"),
    "apply_patch": ("file_write", "edit"),
    "update_plan": ("plan", "other"),
}
COMMANDS = ("shell", "exec_command", "shell_command")
SCRIPT = re.compile(r"-[a-z]*c")
HEADER = re.compile(
    r"(?:Process exited with code |Exit code: )(?P<code>.*)$|Wall time: (?P<time>.*?)(?:seconds?)?$"
    r"|(?:Chunk ID: |Process running with session ID |Original token count: |Total output lines: ).*$",
    re.MULTILINE,
)
FAILURES = (
    "failed in sandbox",
    "sandbox error",
    "sandbox denied",
    "execution error:",
    "exec command rejected",
    "exec_command failed",
    "write_stdin failed",
    "rejected by user",
    "patch rejected",
    "apply_patch verification failed",
    "apply_patch handler received",
    "failed to parse function arguments",
    "failed to parse exec",
    "unsupported call:",
    "unsupported custom tool call:",
    "unable to locate image",
    "aborted",
    "command blocked",
    "user cancelled",
    "user rejected",
    "tool call error:",
    "tool call failed",
    "err: ",
)
ACTIONS = {"A": "created", "M": "edited", "D": "deleted"}


def inner_object(text: str) -> Json:
    """The object that a string spells; None for any other string."""
    if text.lstrip(" ")[:1] not in ("{", "\n", "\r", "\t"):
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict):
        return None
    return plain(value) if ".0" in text else value


def image_block(url: str) -> Json:
    mime = re.match(r"data:([^;,]{1,63})[;,]", url)
    return {"type": "Image", "url": url, "mime": mime[1] if mime else "image/png"}


def call_events(kind: str, item: Json, calls: Calls) -> list[Event]:
    if kind == "web_search_call":
        return [web_search(item)]
    name = item.get("name") or "unknown"
    tool, what = TOOLS.get(name, ("mcp" if name.startswith("mcp__") else "other", "other"))
    if kind == "function_call":
        events = function_call(name, item)
    else:
        events = patch_events(item["input"]) if name == "apply_patch" else None
        events = events or [event("ToolCall", {"name": name}, [text_block(item.pop("input"))])]
    call = take_text(item, "call_id")
    if call:
        calls.open[call] = (name, what)
    if any(made["event_type"]["type"] == "ToolCall" for made in events):
        item.pop("name", None)
    for made in events:
        made["attributes"]["semantic.tool_kind"] = tool
        if call:
            made["attributes"]["semantic.call_id"] = call
    return events


def function_call(name: str, item: Json) -> list[Event]:
    """Arguments are JSON inside a string; what the event does not hold of them stands in its place as JSON."""
    given = inner_object(item["arguments"])
    if given is None:
        return [event("ToolCall", {"name": name}, [text_block(item.pop("arguments"))])]
    command = take_command(given) if name in COMMANDS else None
    if command is None:
        del item["arguments"]
        return [event("ToolCall", {"name": name}, [json_block(given)])]
    item["arguments"] = given
    if not given:
        del item["arguments"]
    return [event("ShellCommand", {"command": command})]


def take_command(given: Json) -> str | None:
    key = next((key for key in ("cmd", "command", "script") if isinstance(given.get(key), (str, list))), None)
    if key is None:
        return None
    command = given[key]
    if isinstance(command, str):
        return given.pop(key) if command.strip() else None
    if (
        len(command) == 3
        and command[0].rpartition("/")[2] in ("bash", "sh", "zsh")
        and SCRIPT.fullmatch(command[1])
    ):
        put_back(given, key, [*command[:2], GONE])
        return command[2]
    return None


def web_search(item: Json) -> Event:
    action = item["action"]
    made = event("WebSearch", {"query": action.pop("query")})
    if not action:
        del item["action"]
    made["attributes"]["semantic.tool_kind"] = "web"
    if item.get("id"):
        made["attributes"]["semantic.call_id"] = item["id"]
    return made


def patch_events(text: str) -> list[Event] | None:
    """One event for each file that a patch updates; the patch itself stays in the rest, for they hold it in parts."""
    first, *lines = text.strip(" \n\t\r\f").split("\n")
    if first.strip() != "*** Begin Patch":
        return None
    events: list[Event] = []
    for line in lines:
        if line.startswith("*** "):
            marker = line[4:].strip()
            if marker == "End Patch":
                break
            if marker.startswith("Update File:"):
                events.append(event("FileEdit", {"path": marker[12:].strip(), "diff": ""}))
        elif events:
            events[-1]["event_type"]["data"]["diff"] += line + "\n"
    return events or None


def result_of(item: Json, calls: Calls) -> Event:
    call = take_text(item, "call_id")
    name, what = calls.result_of(call)
    known = name != "unknown" or what != "other"
    data: Json = {"name": name, "is_error": False}
    made = event("ToolResult", data)
    output = item["output"]
    inner = inner_object(output)
    metadata = inner.get("metadata") if inner else None
    if isinstance(metadata, dict) and isinstance(inner.get("output"), str):
        text = inner.pop("output")
        item["output"] = inner
        if type(metadata.get("exit_code")) is int:
            data["exit_code"] = metadata["exit_code"]
        set_duration(made, metadata.get("duration_seconds"))
        failed = False
    else:
        text = item.pop("output")
        failed = read_header(text, made, what, known=known)
    data["is_error"] = failed or data.get("exit_code", 0) != 0
    if text:
        made["content"]["blocks"].append(text_block(text))
    if call:
        data["call_id"] = made["attributes"]["semantic.call_id"] = call
    if what == "edit" and not data["is_error"] and (action := action_of(text)):
        made["attributes"]["semantic.file_action"] = action
    return made


def read_header(text: str, made: Event, what: str, *, known: bool) -> bool:
    """Exit code and duration from the first lines of an output; true if it says that the call failed."""
    data, start = made["event_type"]["data"], 0
    while found := HEADER.match(text, start):
        if found["code"] is not None:
            code = found["code"].strip()
            data.pop("exit_code", None)
            if re.fullmatch(r"[+-]?\d+", code):
                data["exit_code"] = int(code)
        elif found["time"] is not None:
            set_duration(made, float(found["time"]))
        start = min(len(text), found.end() + 1)
        if start == len(text):
            break
    if known and what not in ("shell", "edit"):
        data.pop("exit_code", None)
    if "exit_code" in data:
        return False
    begins = text[start : start + 200].lstrip(" \n\t\r\f").lower()
    return begins.startswith(FAILURES) or (
        start == 0 and what in ("shell", "edit") and begins.startswith("error: ")
    )


def set_duration(made: Event, seconds: Json) -> None:
    if isinstance(seconds, (int, float)):
        made["duration_ms"] = math.floor(seconds * 1000 + 0.5)


def action_of(text: str) -> str | None:
    """`A`, `M` or `D` before each file that a patch changed; an action only if it is the same for all."""
    lines = iter(text.split("\n"))
    if not any(line.startswith("Success. Updated ") for line in lines):
        return None
    actions = set()
    for line in lines:
        if line[1:2] != " " or line[:1] not in ACTIONS or len(line) < 3:
            break
        actions.add(ACTIONS[line[0]])
    return actions.pop() if len(actions) == 1 else None
