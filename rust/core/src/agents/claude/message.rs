//! `assistant` and `user` records.

use super::super::event::{lit, Block, Draft, Event, EventType, Lit, Origin};
use super::super::text::{between_tags, trim};
use super::{origin, ClaudeMapper, Top};
use crate::json::Value;

impl ClaudeMapper {
    pub(super) fn assistant<'a>(&mut self, top: &Top<'a>, draft: &mut Draft<'a>) -> bool {
        draft.raw_type = Some(lit("assistant"));
        let Some(message) = top.message.filter(|m| m.is_object()) else {
            draft.push(Event::custom(lit("assistant")));
            return true;
        };
        self.message_envelope(message, draft);
        used_role(message, "assistant", draft);
        let group = draft.take_lit(message, "id");
        match message.get("content") {
            Some(content) if content.is_string() => self.assistant_text(content, draft),
            Some(content) => {
                for block in content.items() {
                    self.assistant_block(block, draft);
                }
            }
            None => {}
        }
        if draft.events.is_empty() {
            draft.push(Event::custom(lit("assistant")));
        }
        if let Some(group) = group {
            for event in &mut draft.events {
                event.attributes.push(("semantic.group_id", super::super::event::Attribute::Text(group.clone())));
            }
        }
        self.usage.count(message, draft);
        true
    }

    fn assistant_text<'a>(&mut self, text: Value<'a>, draft: &mut Draft<'a>) {
        draft.used(text);
        draft.push(Event::new(EventType::AgentMessage).block(Block::Text(text.canonical_literal())));
    }

    fn assistant_block<'a>(&mut self, block: Value<'a>, draft: &mut Draft<'a>) {
        let kind = block.get_str("type").map(|k| k.literal()).unwrap_or_default();
        match kind {
            b"text" => match block.get_str("text") {
                Some(text) => {
                    used_type(block, draft);
                    self.assistant_text(text, draft);
                }
                None => unknown_block(block, draft),
            },
            b"thinking" => {
                used_type(block, draft);
                let text = block.get_str("thinking").filter(|t| !t.literal().is_empty());
                thinking(text, block.get_str("signature"), draft);
                draft.take(block, "thinking");
            }
            b"redacted_thinking" => {
                used_type(block, draft);
                thinking(None, block.get_str("data"), draft);
            }
            b"tool_use" | b"server_tool_use" | b"mcp_tool_use" => self.call(block, draft),
            _ if kind.ends_with(b"_tool_result") => self.server_result(block, draft),
            _ => unknown_block(block, draft),
        }
    }

    pub(super) fn user<'a>(&mut self, top: &Top<'a>, draft: &mut Draft<'a>) -> bool {
        draft.raw_type = Some(lit("user"));
        if let Some(message) = top.message {
            if message.is_string() {
                draft.used(message);
                words(message.canonical_literal(), top, draft);
            } else {
                used_role(message, "user", draft);
                self.message_envelope(message, draft);
                self.user_content(message, top, draft);
            }
        }
        if draft.events.is_empty() {
            draft.push(Event::custom(lit("user")));
        }
        true
    }

    fn user_content<'a>(&mut self, message: Value<'a>, top: &Top<'a>, draft: &mut Draft<'a>) {
        let Some(content) = message.get("content") else { return };
        if content.is_string() {
            draft.used(content);
            words(content.canonical_literal(), top, draft);
            return;
        }
        for block in content.items() {
            if block.is_string() {
                draft.used(block);
                words(block.canonical_literal(), top, draft);
                continue;
            }
            let kind = block.get_str("type").map(|k| k.literal()).unwrap_or_default();
            match kind {
                b"text" => match block.get_str("text") {
                    Some(text) => {
                        used_type(block, draft);
                        draft.used(text);
                        words(text.canonical_literal(), top, draft);
                    }
                    None => unknown_block(block, draft),
                },
                b"tool_result" => self.result(block, top, draft),
                b"image" | b"document" => {
                    let media = media_block(block, draft);
                    said(origin::of_record(top), media, draft);
                }
                _ if kind.ends_with(b"_tool_result") => self.server_result(block, draft),
                _ => unknown_block(block, draft),
            }
        }
    }
}

/// The type of a block is told by the event's.
pub(super) fn used_type<'a>(block: Value<'a>, draft: &mut Draft<'a>) {
    draft.take(block, "type");
}

/// A role that repeats the record's type says nothing.
fn used_role<'a>(message: Value<'a>, role: &str, draft: &mut Draft<'a>) {
    if let Some(value) = message.get("role").filter(|v| v.is(role)) {
        draft.used(value);
    }
}

/// A reasoning block: its text, or only the size of what is encrypted.
fn thinking<'a>(text: Option<Value<'a>>, secret: Option<Value<'a>>, draft: &mut Draft<'a>) {
    let mut event = Event::new(EventType::Thinking);
    if let Some(text) = text {
        event = event.block(Block::Text(text.canonical_literal()));
    }
    if let Some(secret) = secret {
        // Ciphertext is on the closed list of what is not kept.
        draft.used(secret);
        if text.is_none() {
            event = event.count("source.ciphertext_bytes", secret.literal().len() as u64);
        }
    }
    draft.push(event);
}

/// A text in the place of the person's words.
fn words<'a>(text: Lit<'a>, top: &Top<'a>, draft: &mut Draft<'a>) {
    let origin = origin::of(&text, top);
    let arguments = match origin {
        Origin::Command => between_tags(&text, "command-args").map(trim).filter(|a| !a.is_empty()).map(<[u8]>::to_vec),
        _ => None,
    };
    said(origin, Block::Text(text), draft);
    if let Some(arguments) = arguments {
        // What follows the name of a slash command was typed by the person.
        said(Origin::Typed, Block::Text(Lit::Owned(arguments)), draft);
    }
}

/// Add a block to the message before it in this record if that has the same origin, else begin a message.
fn said<'a>(origin: Origin, block: Block<'a>, draft: &mut Draft<'a>) {
    let typed = origin == Origin::Typed;
    if let Some(last) = draft.events.last_mut() {
        let same = match (&last.kind, typed) {
            (EventType::UserMessage, true) => true,
            (EventType::SystemMessage, false) => last.attributes.iter().any(|(k, v)| {
                *k == "source.origin"
                    && matches!(v, super::super::event::Attribute::Text(t) if t.as_ref() == origin.as_str().as_bytes())
            }),
            _ => false,
        };
        if same {
            last.blocks.push(block);
            return;
        }
    }
    let event =
        if typed { Event::new(EventType::UserMessage) } else { Event::new(EventType::SystemMessage).origin(origin) };
    draft.push(event.block(block));
}

/// An image or a document: a data URL where the bytes stand in the log.
pub(super) fn media_block<'a>(block: Value<'a>, draft: &mut Draft<'a>) -> Block<'a> {
    let source = block.get("source");
    let mime = source.and_then(|s| s.get_str("media_type")).map(|m| m.canonical_literal());
    let data = source.and_then(|s| s.get_str("data"));
    let url = source.and_then(|s| s.get_str("url"));
    let is_image = block.get_str("type").is_some_and(|t| t.is("image"));
    match (mime, data, url) {
        (Some(mime), Some(data), _)
            if is_image && source.and_then(|s| s.get_str("type")).is_some_and(|t| t.is("base64")) =>
        {
            used_type(block, draft);
            let source = source.expect("it was found above");
            used_type(source, draft);
            draft.take(source, "media_type");
            draft.used(data);
            let literal = data.canonical_literal();
            let mut text = Vec::with_capacity(literal.len() + mime.len() + 16);
            text.extend_from_slice(b"data:");
            text.extend_from_slice(&mime);
            text.extend_from_slice(b";base64,");
            text.extend_from_slice(&literal);
            Block::Image { url: Lit::Owned(text), mime }
        }
        (mime, _, Some(url)) if is_image => {
            used_type(block, draft);
            draft.used(url);
            Block::Image { url: url.canonical_literal(), mime: mime.unwrap_or(lit("application/octet-stream")) }
        }
        _ => {
            draft.used(block);
            Block::Json(block)
        }
    }
}

/// A block of a kind that is not known: kept as it is, and counted.
pub(super) fn unknown_block<'a>(block: Value<'a>, draft: &mut Draft<'a>) {
    let kind =
        block.get_str("type").and_then(|k| k.string()).filter(|k| !k.is_empty()).unwrap_or_else(|| "untyped".into());
    draft.used(block);
    let name = block.get_str("type").map(|k| k.canonical_literal()).filter(|k| !k.is_empty()).unwrap_or(lit("untyped"));
    draft.push(Event::custom(name).block(Block::Json(block)));
    draft.unknown_blocks.push(kind);
}
