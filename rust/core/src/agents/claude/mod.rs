//! Claude Code: `projects/<folder>/<session>.jsonl`, one record a line, append-only.
//!
//! The facts of the format, and what each kind of record becomes, are in `docs/agents.md`.

mod attachment;
mod message;
mod origin;
mod other;
mod result;
mod scout;
mod tools;
mod usage;

#[cfg(test)]
mod tests;

use super::calls::Calls;
use super::envelope::Envelope;
use super::event::{Block, Draft, Event, Lit};
use super::parser::{Agent, Head, Mapper};
use crate::json::Value;
use usage::Usage;

pub static AGENT: Agent = Agent {
    id: "claude-code",
    label: "Claude Code",
    tool: "claude-code",
    provider: "anthropic",
    version: 1,
    format: "claude-jsonl",
    prefix_law: true,
    scout: |name| Box::new(scout::ClaudeScout::new(name)),
    mapper: |head| Box::new(ClaudeMapper::new(head)),
    prepare: result::prepare,
    recognize: scout::recognize,
};

/// Members that stand on most records with the same value.
const ENVELOPE: &[&str] = &[
    "sessionId",
    "cwd",
    "gitBranch",
    "version",
    "userType",
    "entrypoint",
    "slug",
    "isSidechain",
    "teamName",
    "agentId",
    "requestId",
    "effort",
    "attributionSkill",
    "parentToolUseID",
    "permissionMode",
    "promptId",
];

/// The same inside `message`, and inside `message.usage`.
const MESSAGE: &[&str] = &[
    "model",
    "type",
    "stop_reason",
    "stop_sequence",
    "stop_details",
    "container",
    "context_management",
    "diagnostics",
];
const USAGE: &[&str] = &["service_tier", "inference_geo", "speed", "server_tool_use"];

/// Which of the names a key is. Few are as long and begin alike.
#[inline(always)]
fn slot(names: &[&str], key: &[u8]) -> Option<usize> {
    let likely = |name: &[u8]| name.len() == key.len() && name.first() == key.first();
    names.iter().position(|name| likely(name.as_bytes()) && name.as_bytes() == key)
}

pub struct ClaudeMapper {
    envelope: Envelope,
    calls: Calls,
    usage: Usage,
    /// The session is a sub-agent's own: its `agentId` is no task of it.
    own_agent: bool,
}

/// The members of a record that decide what it becomes.
#[derive(Default)]
struct Top<'a> {
    kind: Option<Value<'a>>,
    message: Option<Value<'a>>,
    result: Option<Value<'a>>,
    meta: bool,
    summary: bool,
    sidechain: bool,
    agent: Option<Value<'a>>,
    origin: Option<Value<'a>>,
}

impl ClaudeMapper {
    fn new(head: &Head) -> ClaudeMapper {
        ClaudeMapper {
            envelope: Envelope::new(ENVELOPE.len() + MESSAGE.len() + USAGE.len()),
            calls: Calls::default(),
            usage: Usage::default(),
            own_agent: head.auxiliary,
        }
    }

    /// Look at all members once: what is kept by the envelope, and what decides.
    fn top<'a>(&mut self, value: Value<'a>, draft: &mut Draft<'a>) -> Top<'a> {
        let mut top = Top::default();
        for (key, member) in value.members() {
            let key = key.literal();
            match key {
                b"type" if member.is_string() => {
                    top.kind = Some(member);
                    draft.used(member);
                }
                b"uuid" if member.is_string() && !member.literal().is_empty() => {
                    draft.id = Some(member.canonical_literal());
                    draft.used(member);
                }
                b"timestamp" => {
                    // A time that HAIL does not know stays in the rest.
                    if draft.timed(member) {
                        draft.used(member);
                    }
                }
                b"message" => top.message = Some(member),
                b"toolUseResult" => top.result = Some(member),
                b"isMeta" => top.meta = member.bool() == Some(true),
                b"isCompactSummary" => top.summary = member.bool() == Some(true),
                b"origin" => top.origin = Some(member),
                _ => {
                    if let Some(slot) = slot(ENVELOPE, key) {
                        match key {
                            b"isSidechain" => top.sidechain = member.bool() == Some(true),
                            b"agentId" if member.is_string() => top.agent = Some(member),
                            _ => {}
                        }
                        self.envelope.pass(slot, member, draft);
                    }
                }
            }
        }
        top
    }

    /// Leave out of `message` what equals the message before.
    fn message_envelope<'a>(&mut self, message: Value<'a>, draft: &mut Draft<'a>) {
        for (key, member) in message.members() {
            let key = key.literal();
            if let Some(slot) = slot(MESSAGE, key) {
                self.envelope.pass(ENVELOPE.len() + slot, member, draft);
            } else if key == b"usage" {
                for (key, member) in member.members() {
                    if let Some(slot) = slot(USAGE, key.literal()) {
                        self.envelope.pass(ENVELOPE.len() + MESSAGE.len() + slot, member, draft);
                    }
                }
            }
        }
    }
}

impl Mapper for ClaudeMapper {
    fn record<'a>(&mut self, value: Value<'a>) -> Draft<'a> {
        let mut draft = Draft::default();
        if !value.is_object() {
            return opaque(value, draft, Lit::Borrowed(b"value"));
        }
        let top = self.top(value, &mut draft);
        let Some(kind) = top.kind else { return opaque(value, Draft::default(), Lit::Borrowed(b"untyped")) };
        let known = match kind.literal() {
            b"assistant" => self.assistant(&top, &mut draft),
            b"user" => self.user(&top, &mut draft),
            b"attachment" => attachment::record(value, &mut draft),
            name => other::record(name, value, &self.calls, &mut draft),
        };
        if !known {
            let id = draft.id.take();
            let time = draft.time.take();
            let name =
                if kind.literal().is_empty() { Lit::Borrowed(b"untyped".as_slice()) } else { kind.canonical_literal() };
            return opaque(value, Draft { id, time, ..Draft::default() }, name);
        }
        if top.sidechain && !self.own_agent {
            if let Some(agent) = top.agent.filter(|a| !a.literal().is_empty()) {
                for event in &mut draft.events {
                    event.task_id = Some(agent.canonical_literal());
                }
            }
        }
        draft
    }
}

/// A record of a kind that is not known: kept whole.
fn opaque<'a>(value: Value<'a>, mut draft: Draft<'a>, kind: Lit<'a>) -> Draft<'a> {
    draft.used(value);
    draft.opaque = true;
    draft.events.push(Event::custom(kind).block(Block::Json(value)));
    draft
}
