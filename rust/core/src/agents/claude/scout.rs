//! The header of a Claude Code session, and how such a log is recognized.

use std::collections::VecDeque;

use super::super::event::Origin;
use super::super::parser::{Head, Scout};
use super::super::text::title;
use super::{origin, other, Top};
use crate::json::Value;

/// Characters of a title that is taken from the first prompt.
const TITLE: usize = 80;

/// Records back that a `summary` may describe; one that describes a record of another file is no title of this one.
const RECENT: usize = 512;

#[derive(Default)]
pub struct ClaudeScout {
    head: Head,
    first_session: Option<String>,
    /// What the first record of the conversation says of whose it is: `Some(None)` is the main thread.
    first_agent: Option<Option<String>>,
    custom_title: Option<String>,
    ai_title: Option<String>,
    summary: Option<String>,
    /// Summaries whose leaf has not been seen: leaf, text.
    pending: VecDeque<(String, String)>,
    recent: VecDeque<Vec<u8>>,
    prompt: Option<String>,
    /// Messages of Claude Code, and records of another agent that took over the envelope.
    messages: u64,
    foreign: u64,
}

impl ClaudeScout {
    pub fn new(_source_name: &str) -> ClaudeScout {
        ClaudeScout::default()
    }

    fn summary(&mut self, value: Value<'_>) {
        let (Some(text), Some(leaf)) = (string(value, "summary"), string(value, "leafUuid")) else { return };
        if self.recent.iter().any(|uuid| uuid == leaf.as_bytes()) {
            self.summary = Some(text);
        } else if self.pending.len() < RECENT {
            self.pending.push_back((leaf, text));
        }
    }

    fn uuid(&mut self, value: Value<'_>) {
        let Some(uuid) = value.get_str("uuid").map(|u| u.literal()) else { return };
        if let Some(at) = self.pending.iter().position(|(leaf, _)| leaf.as_bytes() == uuid) {
            self.summary = self.pending.remove(at).map(|(_, text)| text);
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(uuid.to_vec());
    }

    fn session(&mut self, value: Value<'_>) {
        if self.first_agent.is_none() && value.get("uuid").is_some() {
            let aside = value.get("isSidechain").and_then(|v| v.bool()) == Some(true);
            self.first_agent = Some(string(value, "agentId").filter(|_| aside));
        }
        let Some(id) = value.get_str("sessionId").filter(|id| !id.literal().is_empty()) else { return };
        match &self.first_session {
            None => self.first_session = id.string(),
            Some(first) if !id.is(first) && self.head.related_session_ids.len() < 16 => {
                let other = id.string().unwrap_or_default();
                if !self.head.related_session_ids.contains(&other) {
                    self.head.related_session_ids.push(other);
                }
            }
            Some(_) => {}
        }
    }

    fn prompt(&mut self, value: Value<'_>) {
        let top = Top {
            meta: value.get("isMeta").and_then(|v| v.bool()) == Some(true),
            summary: value.get("isCompactSummary").and_then(|v| v.bool()) == Some(true),
            origin: value.get("origin"),
            ..Top::default()
        };
        let content = value.at_path(&["message", "content"]).or_else(|| value.at_path(&["attachment", "prompt"]));
        let Some(content) = content else { return };
        let texts = std::iter::once(content).chain(content.items().filter_map(|b| b.get_str("text")));
        for text in texts.filter(|t| t.is_string()) {
            let literal = text.canonical_literal();
            let typed = match origin::of(&literal, &top) {
                Origin::Typed => text.string(),
                _ => None,
            };
            self.prompt = typed.map(|t| title(&t, TITLE)).filter(|t| !t.is_empty());
            if self.prompt.is_some() {
                return;
            }
        }
    }
}

fn is_queued_prompt(value: Value<'_>) -> bool {
    value.at_path(&["attachment", "commandMode"]).is_some_and(|m| m.is("prompt"))
}

fn string(value: Value<'_>, key: &str) -> Option<String> {
    value.get_str(key)?.string().filter(|s| !s.is_empty())
}

impl Scout for ClaudeScout {
    fn see(&mut self, value: Value<'_>) {
        if is_own(value) {
            self.head.recognized += 1;
        }
        self.messages += is_message(value) as u64;
        self.foreign += is_foreign(value) as u64;
        let kind = value.get_str("type").map(|k| k.literal()).unwrap_or_default();
        self.session(value);
        self.uuid(value);
        for (slot, key) in [
            (&mut self.head.cwd, "cwd"),
            (&mut self.head.git.branch, "gitBranch"),
            (&mut self.head.tool_version, "version"),
        ] {
            if slot.is_none() {
                *slot = string(value, key);
            }
        }
        match kind {
            b"assistant" if self.head.model.is_empty() => {
                let model = value.get("message").and_then(|m| string(m, "model")).filter(|m| m != "<synthetic>");
                self.head.model = model.unwrap_or_default();
            }
            b"user" if self.prompt.is_none() => self.prompt(value),
            b"attachment" if self.prompt.is_none() && is_queued_prompt(value) => self.prompt(value),
            b"summary" => self.summary(value),
            b"custom-title" => self.custom_title = string(value, "customTitle").or(self.custom_title.take()),
            b"ai-title" => self.ai_title = string(value, "aiTitle").or(self.ai_title.take()),
            _ => {}
        }
    }

    fn time<'a>(&self, value: Value<'a>) -> Option<Value<'a>> {
        if value.get_str("type").is_some_and(|k| k.is("file-history-snapshot")) {
            if let Some(time) = value.at_path(&["snapshot", "timestamp"]) {
                return Some(time);
            }
        }
        value.get("timestamp")
    }

    fn head(self: Box<Self>) -> Head {
        let mut head = self.head;
        if self.foreign > self.messages {
            head.recognized = 0;
        }
        head.title = self
            .custom_title
            .or(self.ai_title)
            .or(self.summary)
            .or(self.prompt)
            .map(|t| title(&t, TITLE))
            .filter(|t| !t.is_empty());
        let agent = self.first_agent.flatten();
        head.auxiliary = agent.is_some();
        head.session_id = match (self.first_session, agent) {
            (Some(session), Some(agent)) => {
                head.related_session_ids.insert(0, session.clone());
                head.parent_session_id = Some(session.clone());
                format!("{session}/agent-{agent}")
            }
            (session, _) => session.unwrap_or_default(),
        };
        head
    }
}

/// A record that only Claude Code writes.
fn is_own(value: Value<'_>) -> bool {
    let kind = value.get_str("type").map(|k| k.literal()).unwrap_or_default();
    let has = |key: &str| value.get(key).is_some();
    match kind {
        b"user" | b"assistant" => is_message(value),
        b"attachment" | b"system" | b"progress" => has("uuid") && (has("sessionId") || has("parentUuid")),
        b"summary" => has("leafUuid"),
        b"file-history-snapshot" => has("snapshot"),
        b"" => false,
        kind => other::is_known(kind) && has("sessionId"),
    }
}

fn is_message(value: Value<'_>) -> bool {
    value.get_str("type").is_some_and(|t| t.is("user") || t.is("assistant"))
        && (value.get("uuid").is_some() || value.get("sessionId").is_some())
        && value.get("message").is_some_and(|m| m.get("content").is_some() || m.is_string())
}

/// Qwen Code writes the same envelope around messages of another shape.
fn is_foreign(value: Value<'_>) -> bool {
    value.get("systemPayload").is_some() || value.at_path(&["message", "parts"]).is_some()
}

/// iFlow writes records of Claude Code's shape, and names its sessions `session-<uuid>`. They can be read as such, but
/// only if somebody says so.
fn is_iflow(value: Value<'_>) -> bool {
    value.get_str("sessionId").is_some_and(|id| id.literal().starts_with(b"session-"))
}

/// How well the first records of a log fit.
pub fn recognize(values: &[Value<'_>]) -> (u32, Vec<String>) {
    let count = |is: fn(Value<'_>) -> bool| values.iter().filter(|v| is(**v)).count();
    if count(is_foreign) > count(is_message) || values.iter().any(|v| is_iflow(*v)) {
        return (0, Vec::new());
    }
    let own = values.iter().filter(|v| is_own(**v)).count();
    let reason = format!(
        "{own} of the first {} records have the keys of Claude Code (type, uuid, sessionId, message)",
        values.len()
    );
    match own {
        0 => (0, Vec::new()),
        1 => (90, vec![reason]),
        _ => (95, vec![reason]),
    }
}
