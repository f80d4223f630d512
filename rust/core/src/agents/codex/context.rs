//! What surrounds the conversation: the session's first line, the settings of each turn, compaction.

use super::super::event::{lit, Block, Draft, Event};
use super::items::ciphertext;
use super::{slot, CodexMapper};
use crate::json::Value;

/// Members of `turn_context` that stay the same over many turns: they are kept where they change.
pub const TURN_CONTEXT: &[&str] = &[
    "cwd",
    "model",
    "effort",
    "summary",
    "approval_policy",
    "sandbox_policy",
    "collaboration_mode",
    "developer_instructions",
    "user_instructions",
    "permission_profile",
    "workspace_roots",
    "timezone",
    "current_date",
    "personality",
    "comp_hash",
    "realtime_active",
    "multi_agent_version",
    "truncation_policy",
    "network",
    "final_output_json_schema",
    "approvals_reviewer",
    "service_tier",
    "file_system_sandbox_policy",
    "environments",
];

impl CodexMapper {
    pub(super) fn other<'a>(&mut self, name: &'static str, payload: Option<Value<'a>>, draft: &mut Draft<'a>) {
        match (name, payload) {
            ("turn_context", Some(payload)) => self.turn_context(payload, draft),
            ("session_meta", Some(payload)) => self.session_meta(payload, draft),
            ("compacted", Some(payload)) => return compacted(payload, draft),
            (_, Some(payload)) if payload.is_object() => {
                let mut event = Event::custom(lit(name));
                let left = payload.members().next().is_some();
                draft.used(payload);
                if left {
                    event = event.block(Block::Json(payload));
                }
                return draft.push(event);
            }
            _ => {}
        }
        draft.push(Event::custom(lit(name)));
    }

    fn turn_context<'a>(&mut self, payload: Value<'a>, draft: &mut Draft<'a>) {
        for (key, member) in payload.members() {
            let name = key.literal();
            if name == b"turn_id" {
                self.turn_is(Some(member).filter(|m| m.is_string()));
            } else if let Some(at) = TURN_CONTEXT.iter().position(|known| known.as_bytes() == name) {
                self.envelope.pass(slot::TURN_CONTEXT + at, member, draft);
            }
        }
    }

    /// A log that continues another repeats that one's first line, with instructions of some 20 KB.
    fn session_meta<'a>(&mut self, payload: Value<'a>, draft: &mut Draft<'a>) {
        for (slot, key) in [(slot::BASE_INSTRUCTIONS, "base_instructions"), (slot::INSTRUCTIONS, "instructions")] {
            if let Some(member) = payload.get(key) {
                self.envelope.pass(slot, member, draft);
            }
        }
    }
}

/// The items of `replacement_history` were events when they were written; here they are kept as they are.
fn compacted<'a>(payload: Value<'a>, draft: &mut Draft<'a>) {
    let mut event = Event::custom(lit("compacted"));
    if let Some(message) = draft.take_lit(payload, "message") {
        event = event.block(Block::Text(message));
    }
    if let Some(history) = payload.get("replacement_history").filter(|h| h.items().next().is_some()) {
        let bytes: u64 = history.items().filter_map(|item| ciphertext(item, draft)).sum();
        if bytes > 0 {
            event = event.count("source.ciphertext_bytes", bytes);
        }
        draft.used(history);
        event = event.block(Block::Json(history));
    }
    draft.push(event);
}
