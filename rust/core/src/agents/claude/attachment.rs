//! `attachment` records: what Claude Code put beside the conversation, and prompts that were typed while it was busy.

use super::super::event::{lit, Block, Draft, Event, EventType, Lit, Origin};
use super::message::media_block;
use super::{origin, Top};
use crate::json::Value;

pub fn record<'a>(value: Value<'a>, draft: &mut Draft<'a>) -> bool {
    let Some(attachment) = value.get("attachment").filter(|a| a.is_object()) else { return false };
    let kind = attachment.get_str("type").map(|k| k.canonical_literal()).unwrap_or_default();
    let mut name = b"attachment/".to_vec();
    name.extend_from_slice(&kind);
    draft.raw_type = Some(Lit::Owned(name.clone()));
    if kind.as_ref() == b"queued_command" && queued(attachment, draft) {
        return true;
    }
    draft.used(attachment);
    let event = Event::custom(Lit::Owned(name)).block(Block::Json(attachment));
    draft.push(event.origin(origin_of(&kind)));
    true
}

fn origin_of(kind: &[u8]) -> Origin {
    if kind.starts_with(b"hook_") {
        Origin::Hook
    } else if kind.ends_with(b"_reminder") || kind == b"auto_mode" {
        Origin::Reminder
    } else {
        Origin::Context
    }
}

/// A queued prompt: a person's words, unless it is a notice that was queued.
fn queued<'a>(attachment: Value<'a>, draft: &mut Draft<'a>) -> bool {
    let Some(prompt) = attachment.get("prompt") else { return false };
    let notice = attachment.get_str("commandMode").is_some_and(|m| m.is("task-notification"));
    let top = Top { origin: attachment.get("origin"), ..Top::default() };
    let mut blocks = Vec::new();
    let mut origin = if notice { Origin::Notification } else { origin::of_record(&top) };
    if prompt.is_string() {
        let text = prompt.canonical_literal();
        if !notice {
            origin = origin::of(&text, &top);
        }
        draft.used(prompt);
        blocks.push(Block::Text(text));
    }
    for item in prompt.items() {
        match item.get_str("text") {
            Some(text) => {
                draft.used(text);
                draft.take(item, "type");
                blocks.push(Block::Text(text.canonical_literal()));
            }
            None => blocks.push(media_block(item, draft)),
        }
    }
    if blocks.is_empty() {
        return false;
    }
    draft.take(attachment, "type");
    let event = match origin {
        Origin::Typed => Event::new(EventType::UserMessage),
        other => Event::new(EventType::SystemMessage).origin(other),
    };
    draft.raw_type = Some(lit("attachment/queued_command"));
    draft.push(event.blocks(blocks));
    true
}
