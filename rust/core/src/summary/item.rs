//! What one event says to a summary: made from its line on any thread, folded in order later.

use std::collections::HashMap;
use std::sync::Arc;

use super::checks::{self, Says};
use super::command::{self, Command};
use super::keys::{Key, KeyMap};
use super::limits::*;
use super::line::{self, Finders, Line};
use super::plan::{self, Change};
use super::text::{collapsed, decoded, verbatim, Excerpt};
use crate::digest::short as digest;
use crate::hail::model::EventKind;
use crate::hail::Time;
use crate::json::{number, MAX_DEPTH};

/// An event that a claim can rest on.
#[derive(Debug, Clone)]
pub struct Cite {
    /// Empty if the id is longer than [`ID_BYTES`].
    pub id: Arc<str>,
    pub time: Time,
    /// The record's kind in the agent's log, else the event type.
    pub source: Arc<str>,
}

#[derive(Debug)]
pub struct Item {
    pub cite: Cite,
    pub task: Option<Box<str>>,
    pub what: What,
}

#[derive(Debug)]
pub enum What {
    /// A person's words.
    Typed(Box<str>),
    Agent(Option<Box<str>>),
    Interrupted(Option<Box<str>>),
    Call(Box<Call>),
    Result(Box<Outcome>),
    TaskStart(Option<Box<str>>),
    TaskEnd(Option<Box<str>>),
    /// Questions by id, as the Rust program marks them.
    Asked(Vec<(String, String)>),
    Answered(Vec<String>),
}

/// Something that an agent set out to do; how it went is in the [`Outcome`] of the same key.
#[derive(Debug)]
pub struct Call {
    pub key: Key,
    /// The log names the call, so there may be a result.
    pub named: bool,
    pub act: Act,
}

#[derive(Debug)]
pub enum Act {
    Shell { command: Box<Command>, exit_code: Option<i64> },
    File { path: Box<str>, op: Op, moved_to: Option<Box<str>> },
    Read { path: Box<str> },
    Plan(Change),
    Question(Vec<String>),
    Other { name: Arc<str> },
}

impl Act {
    pub fn hides_a_check(&self) -> bool {
        matches!(self, Act::Shell { command, .. } if command.hides_a_check())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Create,
    Edit,
    Delete,
}

#[derive(Debug)]
pub struct Outcome {
    pub key: Key,
    pub name: Arc<str>,
    pub is_error: bool,
    pub exit_code: Option<i64>,
    /// The exit code is not in the log; that nothing went wrong is.
    pub inferred: bool,
    /// The command still runs, or ended in a way that the log does not tell.
    pub open: bool,
    pub action: Option<Op>,
    /// The beginning of the text, where somebody needs it: of an error, of a plan's entry.
    pub text: Option<Box<str>>,
    /// A person's answer.
    pub answer: Option<Box<str>>,
    pub says: Says,
}

/// Questions that a result is spared because its call does not care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spared {
    /// A command whose exit code decides.
    Verdict,
    /// Nothing that runs.
    Both,
}

/// What a thread keeps from line to line.
#[derive(Default)]
pub struct Extractor {
    pub finders: Finders,
    /// What the results of the calls in the lines that are being read need not be asked; a call that is not here may need all.
    pub spared: KeyMap<Spared>,
    names: HashMap<Box<[u8]>, Arc<str>>,
}

#[derive(Default)]
struct Attributes<'b> {
    call: Option<&'b [u8]>,
    action: Option<&'b [u8]>,
    tool_kind: &'b [u8],
    source: &'b [u8],
    inferred: bool,
    origin: &'b [u8],
    raw_type: Option<&'b [u8]>,
    reason: Option<&'b [u8]>,
    moved_to: Option<&'b [u8]>,
    question_ids: Option<&'b [u8]>,
    question_meta: Option<&'b [u8]>,
    /// What the parser could not place, as it stands.
    rest: &'b [u8],
}

fn attributes<'b>(line: &Line<'b>, rest: bool) -> Attributes<'b> {
    let mut a = Attributes::default();
    line.attributes(&mut |key, value| {
        let text = || value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\""));
        match key {
            b"moved_to" => a.moved_to = text(),
            b"question_ids" => a.question_ids = Some(value),
            b"question_meta" => a.question_meta = Some(value),
            b"reason" => a.reason = text(),
            b"semantic.call_id" => a.call = text().map(trim).filter(|t| !t.is_empty()),
            b"semantic.file_action" => a.action = text(),
            b"semantic.tool_kind" => a.tool_kind = text().unwrap_or_default(),
            b"source" => a.source = text().unwrap_or_default(),
            b"source.exit_code" => a.inferred = text() == Some(b"inferred"),
            b"source.origin" => a.origin = text().unwrap_or_default(),
            b"source.raw_type" => {
                a.raw_type = text().map(trim).filter(|t| !t.is_empty());
                return rest;
            }
            b"source.rest" => a.rest = value,
            key => return key < b"source.rest".as_slice(),
        }
        true
    });
    a
}

fn trim(literal: &[u8]) -> &[u8] {
    literal.trim_ascii()
}

impl Extractor {
    /// What the event line `start..end` of a padded buffer says, if it says anything to a summary.
    pub fn item(&mut self, b: &[u8], start: usize, end: usize) -> Option<Item> {
        if line::is_silent(&b[start..end]) {
            return None;
        }
        let line = Line::read(b, start, end, &mut self.finders)?;
        use EventKind::*;
        match line.kind {
            Thinking | Unknown => return None,
            Custom if line.text(b"kind") != Some(b"turn_aborted") => return None,
            AgentMessage if !has_words(&line) => return None,
            _ => {}
        }
        let a = attributes(&line, false);
        let what = match line.kind {
            UserMessage => user(&line, &a),
            SystemMessage => system(&line, &a),
            AgentMessage => Some(What::Agent(None)),
            ToolResult => Some(self.result(&line, &a)),
            TaskStart => Some(What::TaskStart(line.text(b"title").map(|t| collapsed(t, TITLE).into()))),
            TaskEnd => Some(What::TaskEnd(line.text(b"summary").map(|t| collapsed(t, TASK_SUMMARY).into()))),
            Custom => Some(aborted(&line, &a)),
            _ => Some(self.call(&line, &a)),
        }?;
        Some(Item { cite: self.cite(&line, &a), task: task(&line), what })
    }

    fn cite(&mut self, line: &Line<'_>, a: &Attributes<'_>) -> Cite {
        let raw = a.raw_type.filter(|t| t.len() <= NAME).unwrap_or(line.name);
        let source = self.name(raw);
        let id = match std::str::from_utf8(line.id) {
            _ if line.id.len() > ID_BYTES => Arc::from(""),
            Ok(id) if !id.contains('\\') => Arc::from(id),
            _ => Arc::from(decoded(line.id)),
        };
        Cite { id, time: line.time, source }
    }

    /// A name that comes again and again, cut to [`NAME`] characters.
    fn name(&mut self, literal: &[u8]) -> Arc<str> {
        if let Some(name) = self.names.get(literal) {
            return name.clone();
        }
        if self.names.len() > 1_000 {
            self.names.clear();
        }
        let name: Arc<str> = collapsed(literal, NAME).into();
        if literal.len() <= ID_BYTES {
            self.names.insert(literal.into(), name.clone());
        }
        name
    }

    fn call(&mut self, line: &Line<'_>, a: &Attributes<'_>) -> What {
        let act = match line.kind {
            EventKind::ShellCommand => shell(line),
            EventKind::FileCreate => file(line, a, Op::Create),
            EventKind::FileEdit => file(line, a, Op::Edit),
            EventKind::FileDelete => file(line, a, Op::Delete),
            EventKind::FileRead => Act::Read { path: path(line.text(b"path").unwrap_or_default()) },
            EventKind::ToolCall => self.tool(line, a),
            _ => Act::Other { name: self.name(line.name) },
        };
        let key = digest(a.call.unwrap_or(line.id));
        if act.hides_a_check() {
            self.spared.remove(&key);
        } else if a.call.is_some() {
            let spared = if matches!(act, Act::Shell { .. }) { Spared::Verdict } else { Spared::Both };
            self.spared.insert(key, spared);
        }
        What::Call(Box::new(Call { key, named: a.call.is_some(), act }))
    }

    fn tool(&mut self, line: &Line<'_>, a: &Attributes<'_>) -> Act {
        let name = line.text(b"name").unwrap_or_default();
        let last = name.rsplit(|c| matches!(c, b'.' | b'/')).next().unwrap_or(name);
        let plan = a.tool_kind == b"plan" || plan::is_plan(last);
        let question = a.tool_kind == b"interactive"
            || matches!(last, b"AskUserQuestion" | b"request_user_input" | b"ask_followup_question");
        if plan || question {
            let mut data = None;
            line.blocks(&mut |block| {
                data = data.or(block.data);
                data.is_none()
            });
            if let Some(at) = data {
                self.finders.tape.clear();
                if let Ok((root, _)) = self.finders.tape.parse(line.b, at, MAX_DEPTH) {
                    let value = self.finders.tape.value(line.b, root);
                    if question {
                        return Act::Question(plan::questions(value));
                    }
                    if let Some(change) = plan::change(last, value) {
                        return Act::Plan(change);
                    }
                }
            }
        }
        Act::Other { name: self.name(name) }
    }

    fn result(&mut self, line: &Line<'_>, a: &Attributes<'_>) -> What {
        let name = line.text(b"name").unwrap_or_default();
        let key = digest(a.call.or_else(|| line.text(b"call_id").map(trim)).unwrap_or(line.id));
        let is_error = line.member(b"is_error") == Some(b"true");
        let exit_code = line.member(b"exit_code").and_then(number::as_i64);
        let action = match a.action {
            Some(b"created") => Some(Op::Create),
            Some(b"edited") => Some(Op::Edit),
            Some(b"deleted") => Some(Op::Delete),
            _ => None,
        };
        let mut outcome = Outcome {
            key,
            name: self.name(name),
            is_error,
            exit_code,
            inferred: a.inferred,
            open: false,
            action,
            text: None,
            answer: None,
            says: Says::Nothing,
        };
        if a.origin == b"typed" {
            outcome.answer = Some(words(line, USER_MESSAGE).into());
        }
        if is_error || exit_code.is_some_and(|c| c != 0) || matches!(name, b"TaskCreate") {
            let text: Box<str> = complaint(line).into();
            outcome.text = Some(text).filter(|t| !t.is_empty());
        }
        let spared = self.spared.remove(&key);
        if exit_code.is_none() && !is_error && spared != Some(Spared::Both) {
            outcome.open = still_open(line);
        }
        if spared.is_none() {
            outcome.says = verdict(line);
        }
        What::Result(Box::new(outcome))
    }
}

/// Bytes from the end of an output that are read for a verdict.
const VERDICT: usize = 1_536;

fn verdict(line: &Line<'_>) -> Says {
    let mut last: &[u8] = b"";
    line.blocks(&mut |block| {
        last = block.text.unwrap_or(last);
        true
    });
    checks::verdict(&last[last.len().saturating_sub(VERDICT)..])
}

/// The words of an event: its texts, one after the other.
pub fn words(line: &Line<'_>, most: usize) -> String {
    let mut excerpt = Excerpt::collapsed(most);
    each_text(line, &mut excerpt);
    excerpt.finish()
}

/// What an error says: the beginning and the end of the text, without what the tool itself writes before it.
fn complaint(line: &Line<'_>) -> String {
    let mut text = String::new();
    line.blocks(&mut |block| {
        if let (b"Text", Some(literal)) = (block.kind, block.text) {
            text.push_str(&decoded(literal));
            text.push('\n');
        }
        text.len() < COMPLAINT
    });
    let known = |l: &str| HEADERS.iter().any(|h| l.starts_with(h));
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once('\n').filter(|(first, _)| known(first)) {
        rest = after;
    }
    super::text::both_ends(rest, ERROR)
}

/// Text of an error that is looked at.
const COMPLAINT: usize = 256 << 10;

/// Lines before the output of a command.
const HEADERS: &[&str] = &[
    "Exit code",
    "Chunk ID: ",
    "Wall time: ",
    "Process exited with code ",
    "Original token count: ",
    "Total output lines: ",
    "Output:",
];

fn each_text(line: &Line<'_>, excerpt: &mut Excerpt) {
    line.blocks(&mut |block| {
        if let (b"Text", Some(text)) = (block.kind, block.text) {
            excerpt.separate();
            excerpt.literal(text);
        }
        !excerpt.is_full()
    });
}

/// At least one text says something.
fn has_words(line: &Line<'_>) -> bool {
    let mut excerpt = Excerpt::collapsed(1);
    line.blocks(&mut |block| {
        if let (b"Text", Some(text)) = (block.kind, block.text) {
            excerpt.literal(text);
        }
        excerpt.is_empty()
    });
    !excerpt.is_empty()
}

/// The message of an agent as it stands.
pub fn message(line: &Line<'_>) -> Option<Box<str>> {
    // Nearly always one text, and shorter than what is kept.
    let mut only = None;
    let mut more = 0;
    line.blocks(&mut |block| {
        more += 1;
        only = block.text;
        more < 2
    });
    if let Some(literal) = only.filter(|l| more == 1 && l.len() <= 8 * LAST_AGENT_MESSAGE) {
        return Some(super::text::short_verbatim(&decoded(literal), LAST_AGENT_MESSAGE).into());
    }
    let mut excerpt = Excerpt::verbatim(LAST_AGENT_MESSAGE);
    each_text(line, &mut excerpt);
    (!excerpt.is_empty()).then(|| excerpt.finish().into())
}

fn task(line: &Line<'_>) -> Option<Box<str>> {
    let task = trim(line.task?);
    (!task.is_empty() && task.len() <= ID_BYTES).then(|| decoded(task).into())
}

fn user(line: &Line<'_>, a: &Attributes<'_>) -> Option<What> {
    if a.source == b"interactive" {
        if let Some(ids) = a.question_ids {
            return Some(What::Answered(plan::ids(ids)));
        }
    }
    if !matches!(a.origin, b"" | b"typed") {
        return system(line, a);
    }
    let words = words(line, GOAL);
    (!words.is_empty()).then(|| What::Typed(words.into()))
}

/// What was said in a person's place: only questions and interruptions matter.
fn system(line: &Line<'_>, a: &Attributes<'_>) -> Option<What> {
    if a.source == b"interactive_question" {
        return Some(What::Asked(plan::asked(a.question_meta, a.question_ids)));
    }
    if a.origin == b"notification" && words(line, NAME).starts_with("[Request interrupted") {
        return Some(What::Interrupted(None));
    }
    None
}

fn aborted(line: &Line<'_>, a: &Attributes<'_>) -> What {
    let mut reason = a.reason.map(|r| collapsed(r, NAME));
    line.blocks(&mut |block| {
        if let (Some(at), true) = (block.data, reason.is_none()) {
            let mut tape = crate::json::Tape::new();
            if let Ok((root, _)) = tape.parse(line.b, at, MAX_DEPTH) {
                reason = tape.value(line.b, root).get_str("reason").map(|r| collapsed(r.literal(), NAME));
            }
        }
        reason.is_none()
    });
    What::Interrupted(reason.filter(|r| !r.is_empty()).map(Into::into))
}

fn shell(line: &Line<'_>) -> Act {
    let command = command::analyze(&decoded(line.text(b"command").unwrap_or_default()));
    let exit_code = line.member(b"exit_code").and_then(number::as_i64);
    Act::Shell { command: Box::new(command), exit_code }
}

fn file(line: &Line<'_>, a: &Attributes<'_>, op: Op) -> Act {
    let path_ = path(line.text(b"path").unwrap_or_default());
    Act::File { path: path_, op, moved_to: a.moved_to.map(path).filter(|p| !p.is_empty()) }
}

/// A path; a longer one than is followed becomes an excerpt, which meets no other path by mistake.
fn path(literal: &[u8]) -> Box<str> {
    if literal.len() <= PATH_LENGTH {
        decoded(literal).into()
    } else {
        verbatim(literal, PATH_LENGTH / 4).into()
    }
}

/// The result tells that the command went on, or ended in another way than by itself.
fn still_open(line: &Line<'_>) -> bool {
    let rest = attributes(line, true).rest;
    let has = |needle: &[u8]| memchr::memmem::find(rest, needle).is_some();
    let told = has(b"\"backgroundTaskId\":\"")
        || has(b"\"backgroundedByUser\":true")
        || has(b"\"interrupted\":true")
        || has(b"\"returnCodeInterpretation\":\"");
    told || {
        let begin = words(line, 400);
        begin.contains("Process running with session ID") || begin.contains("running in background with ID")
    }
}
