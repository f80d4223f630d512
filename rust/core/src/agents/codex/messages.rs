//! `event_msg`: what was shown on the screen, and the course of the turns.

use super::super::event::{lit, Block, Draft, Event, EventType};
use super::content::image_block;
use super::items::Said;
use super::twins::{Role, Side};
use super::{slot, CodexMapper};
use crate::json::Value;

impl CodexMapper {
    pub(super) fn message<'a>(&mut self, name: &'static str, message: Value<'a>, draft: &mut Draft<'a>) {
        match name {
            "token_count" => self.token_count(message, draft),
            "user_message" => self.spoken(name, Role::User, message, draft),
            "agent_message" => self.spoken(name, Role::Assistant, message, draft),
            "agent_reasoning" | "agent_reasoning_raw_content" => self.thought(name, message, draft),
            "task_started" | "turn_started" => self.task_start(message, draft),
            "task_complete" | "turn_complete" | "task_completed" | "task_finished" => task_end(message, draft),
            _ => self.other_message(name, message, draft),
        }
        if !draft.events.is_empty() {
            draft.take(message, "type");
        }
    }

    fn spoken<'a>(&mut self, name: &'static str, role: Role, message: Value<'a>, draft: &mut Draft<'a>) {
        let Some(text) = first_text(message, &["message", "text"]) else {
            return self.other_message(name, message, draft);
        };
        draft.used(text);
        let mut blocks = Vec::new();
        if !text.literal().is_empty() {
            blocks.push(Block::Text(text.canonical_literal()));
        }
        for image in message.get("images").into_iter().flat_map(|i| i.items()).filter(|i| !i.literal().is_empty()) {
            draft.used(image);
            blocks.push(image_block(image));
        }
        let more = self.says_more(message, draft);
        self.said(Said { side: Side::Message, role, name, phase: message.get_str("phase"), blocks, more }, draft);
        if let (false, Some(citation)) = (draft.events.is_empty(), message.get("memory_citation")) {
            self.envelope.pass(slot::CITATION, citation, draft);
        }
    }

    fn thought<'a>(&mut self, name: &'static str, message: Value<'a>, draft: &mut Draft<'a>) {
        let Some(text) = first_text(message, &["text", "message"]) else {
            return self.other_message(name, message, draft);
        };
        draft.used(text);
        let literal = text.canonical_literal();
        let mut event = Event::new(EventType::Thinking);
        if !literal.is_empty() {
            if !self.seen(Side::Message, &literal) {
                event = event.block(Block::Text(literal));
            } else if !self.says_more(message, draft) {
                return;
            }
        }
        draft.push(event);
    }

    fn task_start<'a>(&mut self, message: Value<'a>, draft: &mut Draft<'a>) {
        let mut event = Event::new(EventType::TaskStart { title: draft.take_lit(message, "title") });
        event.task_id = draft.take_lit(message, "turn_id").or_else(|| draft.take_lit(message, "task_id"));
        self.turn_is(message.get_str("turn_id"));
        if let Some(window) = message.get("model_context_window") {
            self.envelope.pass(slot::WINDOW, window, draft);
        }
        draft.push(event);
    }

    /// Remember which turn is going on.
    pub(super) fn turn_is(&mut self, id: Option<Value<'_>>) {
        if let Some(id) = id {
            self.turn.clear();
            self.turn.extend_from_slice(id.literal());
        }
    }

    /// Everything else: one event that holds the members in one block.
    pub(super) fn other_message<'a>(&mut self, name: &'static str, message: Value<'a>, draft: &mut Draft<'a>) {
        let mut event = Event::custom(lit(name));
        if let Some(call_id) = draft.take_lit(message, "call_id") {
            event = event.with("semantic.call_id", call_id);
        }
        if name == "turn_aborted" {
            event.task_id = draft.take_lit(message, "turn_id");
        }
        event.duration_ms = duration(message, draft);
        if let Some(block) = self.payload_block(message, draft) {
            event = event.block(block);
        }
        draft.push(event);
    }
}

fn task_end<'a>(message: Value<'a>, draft: &mut Draft<'a>) {
    let summary = ["last_agent_message", "summary", "message"].iter().find_map(|key| draft.take_lit(message, key));
    let mut event = Event::new(EventType::TaskEnd { summary });
    event.task_id = draft.take_lit(message, "turn_id").or_else(|| draft.take_lit(message, "task_id"));
    event.duration_ms = duration(message, draft);
    draft.push(event);
}

/// `duration_ms`, or what `duration` says in seconds and nanoseconds; the latter stays where it is.
fn duration<'a>(message: Value<'a>, draft: &mut Draft<'a>) -> Option<u64> {
    if let Some(ms) = message.get("duration_ms") {
        let number = ms.u64()?;
        draft.used(ms);
        return Some(number);
    }
    let duration = message.get("duration")?;
    let (secs, nanos) = (duration.get("secs")?.u64()?, duration.get("nanos")?.u64()?);
    secs.checked_mul(1000)?.checked_add(nanos / 1_000_000)
}

/// The first of these members that is a string.
fn first_text<'a>(message: Value<'a>, keys: &[&str]) -> Option<Value<'a>> {
    keys.iter().find_map(|key| message.get_str(key))
}
