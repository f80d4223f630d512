//! Codex: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, one record a line, append-only.
//!
//! The facts of the format, and what each kind of record becomes, are in `docs/agents.md`.

mod calls;
mod content;
mod context;
mod items;
mod messages;
mod nested;
mod origin;
mod outputs;
mod patch;
mod scout;
mod shape;
mod shell;
#[cfg(test)]
mod tests;
mod tools;
mod twins;
mod usage;

use super::calls::Calls;
use super::envelope::Envelope;
use super::event::{lit, Block, Draft, Event, Lit, Marks};
use super::parser::{Agent, Mapper};
use crate::json::canonical::Sorter;
use crate::json::Value;
use nested::Nested;
use shape::{Record, Shape};
use twins::Twins;
use usage::Usage;

pub static AGENT: Agent = Agent {
    id: "codex",
    label: "OpenAI Codex",
    tool: "codex",
    provider: "openai",
    version: 1,
    format: "rollout-jsonl",
    prefix_law: true,
    scout: |_| Box::new(scout::CodexScout::default()),
    mapper: |_| Box::new(CodexMapper::default()),
    prepare: |_| Marks::default(),
    recognize: scout::recognize,
};

/// Where the envelope keeps which member; `turn_context`'s members come after these.
mod slot {
    pub const PASSTHROUGH: usize = 0;
    pub const METADATA: usize = 1;
    pub const CITATION: usize = 2;
    pub const LIMITS: usize = 3;
    pub const WINDOW: usize = 4;
    pub const BASE_INSTRUCTIONS: usize = 5;
    pub const INSTRUCTIONS: usize = 6;
    pub const LAST_USAGE: usize = 7;
    pub const TURN_CONTEXT: usize = 8;
}

pub struct CodexMapper {
    envelope: Envelope,
    calls: Calls,
    twins: Twins,
    usage: Usage,
    nested: Nested,
    sorter: Sorter,
    /// Literal of the id of the turn that was named last.
    turn: Vec<u8>,
    /// The record at hand says something outside of its payload: it does not fold without a trace.
    beside: bool,
}

impl Default for CodexMapper {
    fn default() -> CodexMapper {
        CodexMapper {
            envelope: Envelope::new(slot::TURN_CONTEXT + context::TURN_CONTEXT.len()),
            calls: Calls::default(),
            twins: Twins::default(),
            usage: Usage::default(),
            nested: Nested::default(),
            sorter: Sorter::new(),
            turn: Vec::new(),
            beside: false,
        }
    }
}

impl Mapper for CodexMapper {
    fn record<'a>(&mut self, value: Value<'a>) -> Draft<'a> {
        let record = shape::record(value);
        let mut draft = Draft::default();
        self.beside = record.beside;
        match record.time {
            Some(time) if draft.timed(time) => draft.used(time),
            // A time that HAIL does not know stays in the rest.
            Some(_) => self.beside = true,
            None => {}
        }
        if let Some(kind) = record.kind {
            draft.used(kind);
        }
        match record.shape {
            Shape::Item((name, raw), item) => {
                draft.raw_type = Some(lit(raw));
                self.item(name, item, &mut draft);
            }
            Shape::Message((name, raw), message) => {
                draft.raw_type = Some(lit(raw));
                self.message(name, message, &mut draft);
            }
            Shape::Other((name, raw), payload) => {
                draft.raw_type = Some(lit(raw));
                self.other(name, payload, &mut draft);
            }
            Shape::Header => {
                draft.raw_type = Some(lit("header"));
                self.other("session_meta", Some(value), &mut draft);
            }
            Shape::State => {
                draft.raw_type = Some(lit("state"));
                draft.take(value, "record_type");
                draft.push(Event::custom(lit("state")));
            }
            Shape::Unknown(kind, inner) => return unknown(value, &record, kind, inner),
        }
        draft
    }
}

/// A record of a kind that is not known: kept whole.
fn unknown<'a>(value: Value<'a>, record: &Record<'a>, kind: Option<Value<'a>>, inner: Option<Value<'a>>) -> Draft<'a> {
    let literal = |v: Option<Value<'a>>| v.map(|v| v.canonical_literal()).filter(|l| !l.is_empty());
    let (kind, inner) = (literal(kind), literal(inner));
    let raw_type = match (&kind, &inner) {
        (Some(kind), Some(inner)) => Some(Lit::Owned([kind, b"/".as_slice(), inner].concat())),
        _ => kind.clone(),
    };
    let name = inner.or(kind).unwrap_or(lit("untyped"));
    let mut draft = Draft { time: record.time, opaque: true, raw_type, ..Draft::default() };
    if record.kind.is_some_and(|k| k.is("response_item")) {
        draft.id = value.at_path(&["payload", "id"]).map(|id| id.canonical_literal()).filter(|id| !id.is_empty());
    }
    draft.used(value);
    draft.push(Event::custom(name).block(Block::Json(value)));
    draft
}
