//! Every other kind of record: the system's own lines, progress, titles, bookkeeping.

use super::super::calls::Calls;
use super::super::event::{lit, Attribute, Block, Draft, Event, EventType, Lit, Origin};
use super::result::original_files;
use crate::json::Value;

/// Kinds that are kept as `Custom` events, and the member that holds their text, if any.
const BOOKKEEPING: &[(&str, &str)] = &[
    ("summary", "summary"),
    ("custom-title", "customTitle"),
    ("ai-title", "aiTitle"),
    ("agent-name", "agentName"),
    ("agent-color", ""),
    ("agent-setting", ""),
    ("last-prompt", "lastPrompt"),
    ("queue-operation", "content"),
    ("tag", "tag"),
    ("mode", ""),
    ("permission-mode", ""),
    ("pr-link", ""),
    ("worktree-state", ""),
    ("relocated", ""),
    ("content-replacement", ""),
    ("marble-origami-commit", ""),
    ("marble-origami-snapshot", ""),
    ("speculation-accept", ""),
    ("attribution-snapshot", ""),
    ("task-summary", "summary"),
    ("result", "result"),
    ("started", ""),
    ("bridge-session", ""),
    ("fork-context-ref", ""),
    ("frame-link", ""),
];

/// The kind is one that `record` knows.
pub fn is_known(kind: &[u8]) -> bool {
    matches!(kind, b"system" | b"progress" | b"file-history-snapshot")
        || BOOKKEEPING.iter().any(|(k, _)| k.as_bytes() == kind)
}

pub fn record<'a>(kind: &'a [u8], value: Value<'a>, calls: &Calls, draft: &mut Draft<'a>) -> bool {
    match kind {
        b"system" => system(value, draft),
        b"progress" => progress(value, calls, draft),
        b"file-history-snapshot" => snapshot(value, draft),
        _ => {
            let Some((name, text)) = BOOKKEEPING.iter().find(|(name, _)| name.as_bytes() == kind) else { return false };
            let mut event = Event::custom(lit(name));
            if let Some(text) = draft.take_lit(value, text) {
                event = event.block(Block::Text(text));
            }
            draft.raw_type = Some(lit(name));
            draft.push(event);
        }
    }
    true
}

/// `<group>/<subtype>`; the subtype counts as held.
fn name<'a>(group: &str, subtype: Option<Value<'a>>, draft: &mut Draft<'a>) -> Lit<'a> {
    let mut name = group.as_bytes().to_vec();
    if let Some(subtype) = subtype.filter(|s| !s.literal().is_empty()) {
        name.push(b'/');
        name.extend_from_slice(&subtype.canonical_literal());
        draft.used(subtype);
    }
    draft.raw_type = Some(Lit::Owned(name.clone()));
    Lit::Owned(name)
}

fn system<'a>(value: Value<'a>, draft: &mut Draft<'a>) {
    let subtype = value.get_str("subtype");
    let name = name("system", subtype, draft);
    let origin = match subtype.map(|s| s.literal()).unwrap_or_default() {
        b"local_command" => Origin::Command,
        b"stop_hook_summary" => Origin::Hook,
        _ => Origin::Notification,
    };
    let mut event = match draft.take_lit(value, "content") {
        Some(text) => Event::new(EventType::SystemMessage).block(Block::Text(text)),
        None => Event::custom(name),
    };
    if let Some(ms) = value.get("durationMs").filter(|_| subtype.is_some_and(|s| s.is("turn_duration"))) {
        if let Some(duration) = ms.u64() {
            draft.used(ms);
            event.duration_ms = Some(duration);
        }
    }
    draft.push(event.origin(origin));
}

fn progress<'a>(value: Value<'a>, calls: &Calls, draft: &mut Draft<'a>) {
    let data = value.get("data").filter(|d| d.is_object());
    // The type stays inside the block too: the data is kept as one piece.
    let mut name = b"progress".to_vec();
    if let Some(kind) = data.and_then(|d| d.get_str("type")).filter(|k| !k.literal().is_empty()) {
        name.push(b'/');
        name.extend_from_slice(&kind.canonical_literal());
    }
    draft.raw_type = Some(Lit::Owned(name.clone()));
    let mut event = Event::custom(Lit::Owned(name));
    if let Some(data) = data {
        draft.used(data);
        // A sub-agent's record inside: ciphertext and whole copies of files are on the closed list there too.
        if let Some(inner) = data.get("message") {
            closed_list(inner, draft);
        }
        event = event.block(Block::Json(data));
    }
    // Hooks that run for no tool carry an id of their own there.
    let parent = value.get_str("parentToolUseID").map(|id| id.canonical_literal());
    if let Some(id) = parent.filter(|id| calls.knows(id)) {
        draft.take(value, "parentToolUseID");
        event.attributes.push(("semantic.call_id", Attribute::Text(id)));
    }
    draft.push(event);
}

fn closed_list<'a>(record: Value<'a>, draft: &mut Draft<'a>) {
    if let Some(structured) = record.get("toolUseResult") {
        original_files(structured, &mut draft.marks);
    }
    let Some(content) = record.at_path(&["message", "content"]) else { return };
    for block in content.items() {
        let kind = block.get_str("type");
        if kind.is_some_and(|k| k.is("thinking")) {
            draft.take(block, "signature");
        } else if kind.is_some_and(|k| k.is("redacted_thinking")) {
            draft.take(block, "data");
        }
    }
}

fn snapshot<'a>(value: Value<'a>, draft: &mut Draft<'a>) {
    draft.raw_type = Some(lit("file-history-snapshot"));
    let mut event = Event::custom(lit("file-history-snapshot"));
    if let Some(snapshot) = value.get("snapshot").filter(|s| s.is_object()) {
        // Its own time, not that of the record, which has none.
        if let Some(time) = snapshot.get_str("timestamp") {
            draft.time = Some(time);
        }
        draft.used(snapshot);
        event = event.block(Block::Json(snapshot));
    }
    draft.push(event);
}
