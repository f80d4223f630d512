//! What a parser says about one event; how it becomes a line is the builder's business.

use std::borrow::Cow;

use crate::hail::model::EventKind;
use crate::hail::time::{self, Time};
use crate::json::Value;

/// The canonical literal of a string: what stands between the quotes in the output.
pub type Lit<'a> = Cow<'a, [u8]>;

/// A literal of a constant that needs no escapes.
pub fn lit(text: &'static str) -> Lit<'static> {
    Cow::Borrowed(text.as_bytes())
}

/// The event types that parsers make (docs/hail.md, event types).
#[derive(Debug, Clone)]
pub enum EventType<'a> {
    UserMessage,
    AgentMessage,
    SystemMessage,
    Thinking,
    ToolCall { name: Lit<'a> },
    ToolResult { name: Lit<'a>, is_error: bool, call_id: Option<Lit<'a>>, exit_code: Option<i64> },
    FileRead { path: Lit<'a> },
    FileCreate { path: Lit<'a> },
    FileDelete { path: Lit<'a> },
    FileEdit { path: Lit<'a>, diff: Option<Lit<'a>> },
    CodeSearch { query: Lit<'a> },
    FileSearch { pattern: Lit<'a> },
    ShellCommand { command: Lit<'a> },
    ImageGenerate { prompt: Lit<'a> },
    WebSearch { query: Lit<'a> },
    WebFetch { url: Lit<'a> },
    TaskStart { title: Option<Lit<'a>> },
    TaskEnd { summary: Option<Lit<'a>> },
    Custom { kind: Lit<'a> },
}

impl EventType<'_> {
    /// The event type without its data.
    pub fn kind(&self) -> EventKind {
        match self {
            EventType::UserMessage => EventKind::UserMessage,
            EventType::AgentMessage => EventKind::AgentMessage,
            EventType::SystemMessage => EventKind::SystemMessage,
            EventType::Thinking => EventKind::Thinking,
            EventType::ToolCall { .. } => EventKind::ToolCall,
            EventType::ToolResult { .. } => EventKind::ToolResult,
            EventType::FileRead { .. } => EventKind::FileRead,
            EventType::FileCreate { .. } => EventKind::FileCreate,
            EventType::FileDelete { .. } => EventKind::FileDelete,
            EventType::FileEdit { .. } => EventKind::FileEdit,
            EventType::CodeSearch { .. } => EventKind::CodeSearch,
            EventType::FileSearch { .. } => EventKind::FileSearch,
            EventType::ShellCommand { .. } => EventKind::ShellCommand,
            EventType::ImageGenerate { .. } => EventKind::Generate,
            EventType::WebSearch { .. } => EventKind::WebSearch,
            EventType::WebFetch { .. } => EventKind::WebFetch,
            EventType::TaskStart { .. } => EventKind::TaskStart,
            EventType::TaskEnd { .. } => EventKind::TaskEnd,
            EventType::Custom { .. } => EventKind::Custom,
        }
    }
}

/// A content block.
#[derive(Debug, Clone)]
pub enum Block<'a> {
    Text(Lit<'a>),
    Code {
        code: Lit<'a>,
        language: Option<&'static str>,
        start_line: Option<u64>,
    },
    Image {
        url: Lit<'a>,
        mime: Lit<'a>,
    },
    File {
        path: Lit<'a>,
        content: Option<Lit<'a>>,
    },
    /// Any value, less what the record's marks leave out inside of it.
    Json(Value<'a>),
    /// Canonical text of a value that does not stand in the record as JSON (it stood inside a string, say).
    OwnedJson(Vec<u8>),
}

/// The value of an attribute.
#[derive(Debug, Clone)]
pub enum Attribute<'a> {
    Text(Lit<'a>),
    Number(u64),
}

/// One event of a record. `attributes` hold what is the event's own; the builder adds what belongs to the record.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    pub kind: EventType<'a>,
    pub blocks: Vec<Block<'a>>,
    pub task_id: Option<Lit<'a>>,
    pub duration_ms: Option<u64>,
    pub attributes: Vec<(&'static str, Attribute<'a>)>,
}

impl<'a> Event<'a> {
    pub fn new(kind: EventType<'a>) -> Event<'a> {
        Event { kind, blocks: Vec::new(), task_id: None, duration_ms: None, attributes: Vec::new() }
    }

    pub fn custom(kind: Lit<'a>) -> Event<'a> {
        Event::new(EventType::Custom { kind })
    }

    pub fn block(mut self, block: Block<'a>) -> Event<'a> {
        self.blocks.push(block);
        self
    }

    pub fn blocks(mut self, blocks: Vec<Block<'a>>) -> Event<'a> {
        self.blocks.extend(blocks);
        self
    }

    /// Set an attribute to a string.
    pub fn with(mut self, key: &'static str, value: Lit<'a>) -> Event<'a> {
        self.attributes.push((key, Attribute::Text(value)));
        self
    }

    /// Set an attribute to a constant.
    pub fn tag(self, key: &'static str, value: &'static str) -> Event<'a> {
        self.with(key, lit(value))
    }

    /// Set an attribute to a number.
    pub fn count(mut self, key: &'static str, value: u64) -> Event<'a> {
        self.attributes.push((key, Attribute::Number(value)));
        self
    }

    /// Whose words these are (`source.origin`).
    pub fn origin(self, origin: Origin) -> Event<'a> {
        self.tag("source.origin", origin.as_str())
    }
}

/// `source.origin` (docs/hail.md, attributes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Typed,
    Command,
    Context,
    Hook,
    Reminder,
    Notification,
    Tool,
    Model,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Typed => "typed",
            Origin::Command => "command",
            Origin::Context => "context",
            Origin::Hook => "hook",
            Origin::Reminder => "reminder",
            Origin::Notification => "notification",
            Origin::Tool => "tool",
            Origin::Model => "model",
        }
    }
}

/// The time that a value states, and whether it is spelled canonically.
pub fn moment(value: Value<'_>) -> Option<(Time, bool)> {
    let (time, canonical) = time::parse(&value.text()?)?;
    Some((time, canonical && value.is_canonical()))
}

/// Everything one record becomes.
#[derive(Debug, Default)]
pub struct Draft<'a> {
    pub events: Vec<Event<'a>>,
    /// Values that the events hold, or that are left out on purpose: they do not stand in `source.rest`.
    pub marks: Marks,
    /// The record's own id (canonical literal).
    pub id: Option<Lit<'a>>,
    /// The digest of the id, where it was computed ahead.
    pub digest: Option<[u8; 16]>,
    /// The record's time.
    pub time: Option<Value<'a>>,
    /// What that says, and whether it is spelled canonically; `None` too where nobody has read it yet.
    pub moment: Option<(Time, bool)>,
    /// A kind the parser does not know.
    pub opaque: bool,
    /// Blocks of unknown kind inside this record, by kind.
    pub unknown_blocks: Vec<String>,
    /// `source.raw_type` of its events.
    pub raw_type: Option<Lit<'a>>,
}

impl<'a> Draft<'a> {
    pub fn push(&mut self, event: Event<'a>) {
        self.events.push(event);
    }

    /// `value` is the record's time; false if HAIL does not know such a time.
    pub fn timed(&mut self, value: Value<'a>) -> bool {
        self.time = Some(value);
        self.moment = moment(value);
        self.moment.is_some()
    }

    /// The events hold this value.
    pub fn used(&mut self, value: Value<'a>) {
        self.marks.leave_out(value.id());
    }

    /// The same for a member, if there is one; returns it.
    pub fn take(&mut self, object: Value<'a>, key: &str) -> Option<Value<'a>> {
        let value = object.get(key)?;
        self.used(value);
        Some(value)
    }

    /// The canonical literal of a member that is a non-empty string; the value counts as held.
    pub fn take_lit(&mut self, object: Value<'a>, key: &str) -> Option<Lit<'a>> {
        let value = object.get_str(key)?;
        if value.literal().is_empty() {
            return None;
        }
        self.used(value);
        Some(value.canonical_literal())
    }
}

/// Which values of a record are not written again, and what stands in their place.
#[derive(Debug, Default)]
pub struct Marks {
    out: Vec<u32>,
    instead: Vec<(u32, Vec<u8>)>,
}

impl Marks {
    pub fn leave_out(&mut self, id: u32) {
        if self.out.capacity() == 0 {
            // Records of a log have some twenty members, and most are held.
            self.out.reserve(24);
        }
        self.out.push(id);
    }

    /// The value itself is left out. (Works before `finish` too.)
    pub fn is_out(&self, value: Value<'_>) -> bool {
        self.out.contains(&value.id())
    }

    /// Write `json` (canonical) where the value stood.
    pub fn replace(&mut self, id: u32, json: Vec<u8>) {
        self.instead.push((id, json));
    }

    /// Take over the marks of another look at the same record.
    pub fn join(&mut self, other: Marks) {
        if self.out.is_empty() && self.instead.is_empty() {
            *self = other;
        } else {
            self.out.extend(other.out);
            self.instead.extend(other.instead);
        }
    }

    pub fn finish(&mut self) {
        self.out.sort_unstable();
        self.instead.sort_unstable_by_key(|r| r.0);
    }

    /// What is to be done about the value itself.
    #[inline]
    pub fn of(&self, value: Value<'_>) -> Mark<'_> {
        if self.out.binary_search(&value.id()).is_ok() {
            return Mark::Out;
        }
        match self.instead.binary_search_by_key(&value.id(), |r| r.0) {
            Ok(k) => Mark::Instead(&self.instead[k].1),
            Err(_) => Mark::None,
        }
    }

    /// Something inside the value (not the value itself) is marked.
    #[inline]
    pub fn inside(&self, value: Value<'_>) -> bool {
        let after = self.out.partition_point(|&id| id <= value.id());
        if self.out.get(after).is_some_and(|&id| value.holds(id)) {
            return true;
        }
        let after = self.instead.partition_point(|r| r.0 <= value.id());
        self.instead.get(after).is_some_and(|r| value.holds(r.0))
    }
}

#[derive(Debug)]
pub enum Mark<'m> {
    None,
    Out,
    Instead(&'m [u8]),
}
