//! What the driver asks of an agent's parser, and what the header of a session needs to know.
//!
//! A parser is a pure function of the records it was shown, in order. It never sees files, clocks or other sessions.

use super::event::{Draft, Marks};
use crate::json::Value;

/// The first pass: what the header says about the whole log.
pub trait Scout {
    /// See one record. `number` counts as the ledger does, from 1.
    fn see(&mut self, value: Value<'_>);

    /// The member that holds this record's time.
    fn time<'a>(&self, value: Value<'a>) -> Option<Value<'a>>;

    fn head(self: Box<Self>) -> Head;
}

/// The second pass: records become events.
pub trait Mapper {
    fn record<'a>(&mut self, value: Value<'a>) -> Draft<'a>;
}

/// An agent, as data.
#[derive(Debug)]
pub struct Agent {
    /// The word after `--profile`.
    pub id: &'static str,
    pub label: &'static str,
    /// `stats.source.agent`, and the part of `stats.source.parser` before the slash.
    pub tool: &'static str,
    pub provider: &'static str,
    /// Raised whenever the output for any input changes.
    pub version: u32,
    /// `stats.source.format`.
    pub format: &'static str,
    pub prefix_law: bool,
    pub scout: fn(&str) -> Box<dyn Scout + Send>,
    pub mapper: fn(&Head) -> Box<dyn Mapper + Send>,
    /// What can be told of a record without those before it, done on any thread: marks for its draft.
    pub prepare: fn(Value<'_>) -> Marks,
    /// How well the first records fit: 0 to 100, and why.
    pub recognize: fn(&[Value<'_>]) -> (u32, Vec<String>),
}

/// What a header says, as plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Empty where the log names none.
    pub session_id: String,
    /// Empty: the agent's own.
    pub provider: String,
    /// Empty: `unknown`.
    pub model: String,
    pub tool_version: Option<String>,
    pub title: Option<String>,
    pub cwd: Option<String>,
    pub git: Git,
    pub auxiliary: bool,
    pub parent_session_id: Option<String>,
    pub related_session_ids: Vec<String>,
    /// Records of a kind that belongs to this agent.
    pub recognized: u64,
}

/// `context.attributes.git`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Git {
    pub branch: Option<String>,
    pub commit: Option<String>,
    pub remote: Option<String>,
}
