//! `response_item`: the conversation with the model.

use super::super::event::{lit, Attribute, Block, Draft, Event, EventType, Lit, Origin};
use super::content;
use super::origin::{is_injected, phase};
use super::shape::says_nothing;
use super::twins::{key, Key, Role, Side};
use super::{slot, CodexMapper};
use crate::json::{Kind, Value};

/// A message of either side, on its way to an event or to its twin.
pub struct Said<'a> {
    pub side: Side,
    pub role: Role,
    /// The record kind: what is left of a folded record stands in a `Custom` event of this name.
    pub name: &'static str,
    pub phase: Option<Value<'a>>,
    pub blocks: Vec<Block<'a>>,
    /// The record says something that its texts and images do not.
    pub more: bool,
}

impl CodexMapper {
    pub(super) fn item<'a>(&mut self, name: &'static str, item: Value<'a>, draft: &mut Draft<'a>) {
        match name {
            "message" => self.chat(item, draft),
            "reasoning" => self.reasoning(item, draft),
            "function_call" => self.function_call(item, draft),
            "custom_tool_call" => self.custom_call(item, draft),
            "local_shell_call" => self.local_shell_call(item, draft),
            "tool_search_call" => self.tool_search_call(item, draft),
            "web_search_call" => self.web_search_call(item, draft),
            "image_generation_call" => image_generation(item, draft),
            "function_call_output"
            | "custom_tool_call_output"
            | "local_shell_call_output"
            | "mcp_tool_call_output"
            | "tool_search_output" => self.output(item, draft),
            _ => self.other_item(name, item, draft),
        }
        // A folded record is named too, on the event that follows it.
        if let Some(id) = item.get_str("id").filter(|id| !id.literal().is_empty()) {
            draft.id = Some(id.canonical_literal());
            draft.used(id);
        }
        if draft.events.is_empty() {
            return;
        }
        draft.take(item, "type");
        for (slot, key) in
            [(slot::PASSTHROUGH, "internal_chat_message_metadata_passthrough"), (slot::METADATA, "metadata")]
        {
            if let Some(member) = item.get(key) {
                self.envelope.pass(slot, member, draft);
            }
        }
    }

    fn chat<'a>(&mut self, item: Value<'a>, draft: &mut Draft<'a>) {
        let blocks = item.get("content").map(|c| content::blocks(c, draft)).unwrap_or_default();
        let role = match item.get_str("role").map(|r| r.literal()) {
            Some(b"user") => Role::User,
            Some(b"assistant") => Role::Assistant,
            // Developer and system messages have no twin, and their role stays in the rest.
            _ => return draft.push(Event::new(EventType::SystemMessage).origin(Origin::Context).blocks(blocks)),
        };
        let more = self.says_more(item, draft);
        self.said(Said { side: Side::Item, role, name: "message", phase: item.get_str("phase"), blocks, more }, draft);
        if draft.events.iter().any(|e| matches!(e.kind, EventType::UserMessage | EventType::AgentMessage)) {
            draft.take(item, "role");
        }
    }

    /// A message becomes an event, or folds into its twin; what the twin does not say becomes an event of its own.
    pub(super) fn said<'a>(&mut self, said: Said<'a>, draft: &mut Draft<'a>) {
        let Said { side, role, name, phase: step, blocks, mut more } = said;
        let keys = content::keys(&blocks);
        let step_code = phase(step.map(|s| s.canonical_literal()));
        // Images are compared on their own where there are texts too.
        let by_image = !keys.is_empty() && !blocks.iter().any(|b| matches!(b, Block::Text(_)));
        let by = if by_image { Role::Image } else { role };
        match self.twins.absorb_all(side, by, &keys, step_code) {
            None => {
                self.remember(side, role, &blocks, &keys, by_image, step_code);
                draft.push(message_event(role, blocks));
            }
            Some(found) => {
                more |= step.is_some() && (step_code == 3 || !found.same_phase);
                let mut left = Vec::new();
                for block in blocks {
                    match &block {
                        Block::Text(_) => {}
                        Block::Image { url, .. } if by_image || self.twins.absorb(side, Role::Image, key(url)) => {}
                        _ => left.push(block),
                    }
                }
                if more || !left.is_empty() {
                    draft.push(Event::custom(lit(name)).blocks(left));
                }
            }
        }
    }

    fn remember(&mut self, side: Side, role: Role, blocks: &[Block<'_>], keys: &[Key], by_image: bool, step: u8) {
        if !by_image {
            keys.iter().for_each(|key| self.twins.add(side, role, *key, step));
        }
        for (_, key) in content::images(blocks) {
            self.twins.add(side, Role::Image, key, step);
        }
    }

    /// A record that is to be folded says something that neither its events' marks nor the session know yet.
    pub(super) fn says_more(&self, payload: Value<'_>, draft: &Draft<'_>) -> bool {
        self.beside
            || payload.members().any(|(key, member)| match key.literal() {
                // The closed list: identity and ciphertext of what is told already.
                b"type" | b"id" | b"timestamp" => !member.is_string() && !says_nothing(member),
                // Said by the twin's own event (its phase is compared on its own).
                b"role" | b"phase" if member.is_string() => false,
                b"kind" => {
                    !matches!(member.literal(), b"plain" | b"user_instructions" | b"environment_context")
                        && !says_nothing(member)
                }
                b"internal_chat_message_metadata_passthrough" | b"metadata" if self.is_turn(member) => false,
                _ => has_more(member, draft),
            })
    }

    /// The member says the id of the turn only, and that is known.
    fn is_turn(&self, member: Value<'_>) -> bool {
        let mut members = member.members();
        let one =
            members.next().is_some_and(|(key, id)| key.is("turn_id") && id.is_string() && id.literal() == self.turn);
        one && members.next().is_none()
    }

    /// Texts that were said before fold one by one; an item that has no others folds as a whole.
    fn reasoning<'a>(&mut self, item: Value<'a>, draft: &mut Draft<'a>) {
        let mut blocks = Vec::new();
        for key in ["summary", "content"] {
            if let Some(list) = item.get(key) {
                if matches!(list.raw(), b"[]" | b"null") {
                    draft.used(list);
                }
                blocks.extend(content::blocks(list, draft));
            }
        }
        let ciphertext = ciphertext(item, draft);
        let more = self.says_more(item, draft);
        let any = !blocks.is_empty();
        blocks.retain(|block| match block {
            Block::Text(text) => !self.seen(Side::Item, text),
            _ => true,
        });
        if any && blocks.is_empty() && !more {
            return;
        }
        let mut event = Event::new(EventType::Thinking).blocks(blocks);
        if let Some(bytes) = ciphertext {
            event = event.count("source.ciphertext_bytes", bytes);
        }
        draft.push(event);
    }

    /// A thought was said on the other side already; else it is remembered.
    pub(super) fn seen(&mut self, side: Side, text: &Lit<'_>) -> bool {
        let key = key(text);
        let seen = self.twins.absorb(side, Role::Reasoning, key);
        if !seen {
            self.twins.add(side, Role::Reasoning, key, 0);
        }
        seen
    }

    /// An item that is no message, call or result: its members become one block.
    fn other_item<'a>(&mut self, name: &'static str, item: Value<'a>, draft: &mut Draft<'a>) {
        draft.take(item, "id");
        let mut event = Event::custom(lit(name));
        if let Some(bytes) = ciphertext(item, draft) {
            event = event.count("source.ciphertext_bytes", bytes);
        }
        if let Some(call_id) = draft.take_lit(item, "call_id") {
            event = event.with("semantic.call_id", call_id);
        }
        if let Some(block) = self.payload_block(item, draft) {
            event = event.block(block);
        }
        draft.push(event);
    }
}

/// Some part of the value holds something, and is not held by an event.
fn has_more(value: Value<'_>, draft: &Draft<'_>) -> bool {
    if draft.marks.is_out(value) || says_nothing(value) {
        return false;
    }
    match value.kind() {
        Kind::Object => value.members().any(|(_, member)| has_more(member, draft)),
        Kind::Array => value.items().any(|item| has_more(item, draft)),
        _ => true,
    }
}

fn message_event<'a>(role: Role, blocks: Vec<Block<'a>>) -> Event<'a> {
    let first = blocks.iter().find_map(|b| match b {
        Block::Text(text) => Some(text),
        _ => None,
    });
    let event = match role {
        Role::Assistant => Event::new(EventType::AgentMessage),
        _ if first.is_some_and(|text| is_injected(text)) => {
            Event::new(EventType::SystemMessage).origin(Origin::Context)
        }
        _ => Event::new(EventType::UserMessage),
    };
    event.blocks(blocks)
}

/// Leave out ciphertext, which is on the closed list; returns how many bytes it has.
pub fn ciphertext<'a>(item: Value<'a>, draft: &mut Draft<'a>) -> Option<u64> {
    let text = item.get_str("encrypted_content")?;
    draft.used(text);
    Some(text.literal().len() as u64)
}

/// The prompt of an image is the one that the model was given in the end.
fn image_generation<'a>(item: Value<'a>, draft: &mut Draft<'a>) {
    let kind = match draft.take_lit(item, "revised_prompt") {
        Some(prompt) => EventType::ImageGenerate { prompt },
        None => EventType::ToolCall { name: lit("image_generation") },
    };
    let mut event = Event::new(kind).tag("semantic.tool_kind", "other");
    if let Some(id) = item.get_str("id").filter(|id| !id.literal().is_empty()) {
        event.attributes.push(("semantic.call_id", Attribute::Text(id.canonical_literal())));
    }
    if let Some(data) = draft.take_lit(item, "result") {
        let url = if data.starts_with(b"data:") {
            data
        } else {
            Lit::Owned([b"data:image/png;base64,", data.as_ref()].concat())
        };
        event = event.block(Block::Image { url, mime: lit("image/png") });
    }
    draft.push(event);
}
