"""Results of Claude Code's tools: what the model was shown, and the structured copy of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson
from blake3 import blake3

from .session import GONE, Event, json_block, put_back, text_block

if TYPE_CHECKING:
    from .text import Json

ORIGINALS = ("originalFile", "originalFileContents")
LONG = 32
"""Bytes from which on a part of a text counts as said; a short word stands in any text by chance."""
NUMBERED = re.compile(r" *[0-9]+(?:→|\t)")
EXIT = re.compile(r"Exit code ([+-]?\d+)\s*(?:\n|$)")
UNSURE = ("interrupted", "returnCodeInterpretation", "backgroundTaskId", "backgroundedByUser")
ACTIONS = {("write", "create"): "created", ("write", "update"): "edited"}


def image_block(block: Json) -> Json:
    source = block["source"]
    mime, data = source.pop("media_type"), source.pop("data")
    del source["type"], block["type"]
    if not source:
        del block["source"]
    return {"type": "Image", "mime": mime, "url": f"data:{mime};base64,{data}"}


def take_shown(block: Json, blocks: list[Json], unknown: list[str]) -> None:
    """Move what the model was shown from a `tool_result` to the blocks of its event."""
    content = block.get("content")
    if isinstance(content, str):
        blocks.append(text_block(block.pop("content")))
    elif content:
        put_back(block, "content", [take_item(item, blocks, unknown) for item in content])


def take_item(item: Json, blocks: list[Json], unknown: list[str]) -> Json:
    kind = item.get("type")
    if kind == "text":
        blocks.append(text_block(item.pop("text")))
        del item["type"]
    elif kind == "image":
        blocks.append(image_block(item))
    else:
        unknown.append(kind or "untyped")
        blocks.append(json_block(item))
        return GONE
    return item or GONE


def set_exit_code(made: Event, what: str, structured: Json) -> None:
    """The number that the log states; 0 where it says that nothing went wrong."""
    data = made["event_type"]["data"]
    text = next((block["text"] for block in made["content"]["blocks"] if block["type"] == "Text"), "")
    if stated := EXIT.match(text):
        data["exit_code"] = int(stated[1])
        return
    doubt = data["is_error"] or what == "background" or isinstance(structured, str)
    if isinstance(structured, dict):
        doubt = doubt or any(structured.get(key) not in (None, False, "") for key in UNSURE)
    if not doubt:
        data["exit_code"] = 0
        made["attributes"]["source.exit_code"] = "inferred"


def add_structured(made: Event, what: str, structured: Json, record: Json) -> None:
    """The patch of a structured result becomes a block; what it did to a file, an attribute."""
    patch = structured.get("structuredPatch")
    if patch:
        made["content"]["blocks"].append(json_block(patch))
        record["toolUseResult"].pop("structuredPatch")
        record["toolUseResult"] = record["toolUseResult"] or GONE
    action = ACTIONS.get((what, structured.get("type")))
    if what == "edit" and patch is not None:
        action = "edited"
    if action and not made["event_type"]["data"]["is_error"]:
        made["attributes"]["semantic.file_action"] = action


def left_of(structured: Json, content: Json) -> Json:
    """The structured copy without what the text of the result says; digests stand for whole copies of files."""
    left = without(structured, shown_texts(content))
    if isinstance(structured, dict):
        for key in ORIGINALS:
            if isinstance(structured.get(key), str):
                data = structured[key].encode()
                left = dict(left) if isinstance(left, dict) else {}
                left[key] = {"blake3": blake3(data).hexdigest(), "bytes": len(data)}
    return left


def shown_texts(content: Json) -> list[str]:
    results = [b for b in content if b.get("type") == "tool_result"] if isinstance(content, list) else []
    shown = results[0].get("content") if results else None
    if isinstance(shown, list):
        return [item["text"] for item in shown if isinstance(item.get("text"), str)]
    return [shown] if isinstance(shown, str) else []


def without(value: Json, texts: list[str]) -> Json:
    """The value less every string that one of the texts says; the value itself where that is nothing."""
    if isinstance(value, str):
        return GONE if any(repeats(text, value) for text in texts) else value
    if isinstance(value, list):
        items = [without(item, texts) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        kept = [None if item is GONE else item for item in items]
        return kept if any(item is not GONE for item in items) else GONE
    if isinstance(value, dict):
        kept, same = {}, True
        for key, member in value.items():
            new = member if key in ORIGINALS or key == "structuredPatch" else without(member, texts)
            same = same and new is member
            if new is not GONE:
                kept[key] = new
        return value if same else kept or GONE
    return value


def repeats(text: str, part: str) -> bool:
    if text == part:
        return bool(part)
    if part[:1] in ("{", "[") or (len(part) < LONG and len(orjson.dumps(part)) < LONG + 2):
        return False
    return part in text or numbered(text, part)


def numbered(text: str, part: str) -> bool:
    """`part` is what `text` says without the line numbers that a file viewer put before its lines."""
    wanted = part.split("\n")
    last = len(wanted) - 1
    lines = text.split("\n", last + 1)
    for n, want in enumerate(wanted):
        if n < len(lines):
            found = NUMBERED.match(lines[n])
            if found and lines[n][found.end() :] == want:
                continue
        return not want and n == last
    return True
