//! What is known of one event, and the eleven numbers of a session.
//!
//! [`Facts`] borrow from the line they were read from. A [`Tally`] adds the facts of some events anywhere (a worker
//! thread); [`Stats`] joins tallies in the order of the events and knows what is distinct.

use std::borrow::Cow;

use super::ids::Ids;
use super::model::{EventKind, TokenKey};
use super::time::Time;
use super::warnings::{Warning, Warnings};
use crate::digest::short;
use crate::json::{number, string};

/// A string as it stands in the text, between its quotes.
#[derive(Debug, Clone, Copy)]
pub struct Literal<'a> {
    pub raw: &'a [u8],
    pub canonical: bool,
}

impl Literal<'_> {
    /// Stands for the text in a set: equal texts have equal digests, however they are escaped.
    pub fn digest(&self) -> [u8; 16] {
        if self.canonical {
            return short(self.raw);
        }
        let mut text = Vec::with_capacity(self.raw.len());
        string::recode_into(self.raw, &mut text);
        short(&text)
    }

    pub fn text(&self) -> Cow<'_, [u8]> {
        string::decode(self.raw)
    }
}

/// What the stats, the set of ids and the warnings need to know of one event.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub kind: EventKind,
    pub id: Literal<'a>,
    pub time: Time,
    /// Offset of the timestamp in the text that was read.
    pub time_at: usize,
    pub task: Option<Literal<'a>>,
    /// The path of a FileEdit, FileCreate or FileDelete.
    pub path: Option<Literal<'a>>,
    /// The diff of a FileEdit.
    pub diff: Option<Literal<'a>>,
    /// The summary of a TaskEnd.
    pub summary: Option<Literal<'a>>,
    pub tokens: Tokens,
}

/// The token attributes of one event. Those that are no unsigned integers are not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub input_total: Option<u64>,
    pub output_total: Option<u64>,
}

impl Tokens {
    /// Take the attribute `key`, whose value is the canonical text `value`; false if that is no unsigned integer.
    ///
    /// It is the canonical text that counts: `5.0` is 5, because the next reader finds `5` there.
    #[inline]
    pub fn take(&mut self, key: TokenKey, value: &[u8]) -> bool {
        let value = number::as_u64(value);
        match key {
            TokenKey::Input => self.input = value,
            TokenKey::Output => self.output = value,
            TokenKey::InputTotal => self.input_total = value,
            TokenKey::OutputTotal => self.output_total = value,
            TokenKey::Other => {}
        }
        value.is_some()
    }
}

/// A sum that saturates, and the greatest running total where there is one.
#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    sum: u64,
    total: Option<u64>,
}

impl Counter {
    fn add(&mut self, one: Option<u64>, total: Option<u64>) {
        self.sum = self.sum.saturating_add(one.unwrap_or(0));
        self.total = self.total.max(total);
    }

    fn value(self) -> u64 {
        self.total.unwrap_or(self.sum)
    }
}

/// The part of the stats that is a sum, a minimum or a maximum.
#[derive(Debug, Clone, Default)]
struct Counts {
    events: u64,
    messages: u64,
    tool_calls: u64,
    user_messages: u64,
    added: u64,
    removed: u64,
    input: Counter,
    output: Counter,
    earliest: Option<Time>,
    latest: Option<Time>,
}

impl Counts {
    #[inline]
    fn add(&mut self, facts: &Facts<'_>) {
        use EventKind::*;
        self.events += 1;
        match facts.kind {
            UserMessage => {
                self.user_messages += 1;
                self.messages += 1;
            }
            AgentMessage => self.messages += 1,
            TaskEnd => self.messages += facts.summary.is_some_and(|s| says_something(s.raw)) as u64,
            ToolCall | FileRead | CodeSearch | FileSearch => self.tool_calls += 1,
            _ => {}
        }
        if let Some(diff) = facts.diff {
            let (added, removed) = diff_lines(&diff.text());
            self.added += added;
            self.removed += removed;
        }
        let t = &facts.tokens;
        self.input.add(t.input, t.input_total);
        self.output.add(t.output, t.output_total);
        self.earliest = Some(self.earliest.map_or(facts.time, |e| e.min(facts.time)));
        self.latest = self.latest.max(Some(facts.time));
    }

    fn join(&mut self, other: &Counts) {
        self.events += other.events;
        self.messages += other.messages;
        self.tool_calls += other.tool_calls;
        self.user_messages += other.user_messages;
        self.added += other.added;
        self.removed += other.removed;
        self.input.add(Some(other.input.sum), other.input.total);
        self.output.add(Some(other.output.sum), other.output.total);
        self.earliest = self.earliest.into_iter().chain(other.earliest).min();
        self.latest = self.latest.max(other.latest);
    }
}

/// The facts of some events that follow each other, added up without knowing the others.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Counts,
    /// One digest an event, in order.
    pub ids: Vec<[u8; 16]>,
    tasks: Vec<[u8; 16]>,
    paths: Vec<[u8; 16]>,
    first: Option<(Time, Place)>,
    last: Option<Time>,
    pub warnings: Warnings,
}

/// Line and column, from 1.
pub type Place = (u64, u64);

impl Tally {
    /// Add one event; `time_at` is the place of its timestamp.
    #[inline]
    pub fn add(&mut self, facts: &Facts<'_>, time_at: Place) {
        self.counts.add(facts);
        self.ids.push(facts.id.digest());
        match self.last {
            Some(last) if facts.time < last => self.warnings.add(Warning::TimeBackwards, time_at),
            Some(_) => {}
            None => self.first = Some((facts.time, time_at)),
        }
        self.last = Some(facts.time);
        if let Some(task) = facts.task {
            add_new(&mut self.tasks, task.digest());
        }
        if let Some(path) = facts.path {
            add_new(&mut self.paths, path.digest());
        }
    }

    /// So many lines stand before those that were counted.
    pub fn shift(&mut self, lines: u64) {
        if let Some((_, place)) = &mut self.first {
            place.0 += lines;
        }
        self.warnings.shift(lines);
    }
}

/// The same task or file often comes several times in a row.
fn add_new(list: &mut Vec<[u8; 16]>, digest: [u8; 16]) {
    if list.last() != Some(&digest) {
        list.push(digest);
    }
}

/// The stats of a session while its events pass.
#[derive(Debug, Default)]
pub struct Stats {
    counts: Counts,
    tasks: Ids,
    paths: Ids,
    last: Option<Time>,
    pub warnings: Warnings,
}

impl Stats {
    pub fn new() -> Stats {
        Stats::default()
    }

    /// Add one event; true if its time lies before that of the event before it.
    pub fn add(&mut self, facts: &Facts<'_>) -> bool {
        self.counts.add(facts);
        let backwards = self.last.is_some_and(|last| facts.time < last);
        self.last = Some(facts.time);
        if let Some(task) = facts.task {
            self.tasks.insert(task.digest());
        }
        if let Some(path) = facts.path {
            self.paths.insert(path.digest());
        }
        backwards
    }

    /// Add the events that come next.
    pub fn join(&mut self, tally: &Tally) {
        self.counts.join(&tally.counts);
        for task in &tally.tasks {
            self.tasks.insert(*task);
        }
        for path in &tally.paths {
            self.paths.insert(*path);
        }
        if let (Some(last), Some((first, place))) = (self.last, tally.first) {
            if first < last {
                self.warnings.add(Warning::TimeBackwards, place);
            }
        }
        self.warnings.join(&tally.warnings);
        self.last = tally.last.or(self.last);
    }

    pub fn numbers(&self) -> Numbers {
        let c = &self.counts;
        let duration = match (c.earliest, c.latest) {
            (Some(earliest), Some(latest)) => latest.seconds_since(earliest),
            _ => 0,
        };
        Numbers {
            duration_seconds: duration,
            event_count: c.events,
            files_changed: self.paths.len(),
            lines_added: c.added,
            lines_removed: c.removed,
            message_count: c.messages,
            task_count: self.tasks.len(),
            tool_call_count: c.tool_calls,
            total_input_tokens: c.input.value(),
            total_output_tokens: c.output.value(),
            user_message_count: c.user_messages,
        }
    }
}

/// The numbers of a stats line, in canonical order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    pub duration_seconds: u64,
    pub event_count: u64,
    pub files_changed: u64,
    pub lines_added: u64,
    pub lines_removed: u64,
    pub message_count: u64,
    pub task_count: u64,
    pub tool_call_count: u64,
    pub total_input_tokens: u64,
    pub total_output_tokens: u64,
    pub user_message_count: u64,
}

impl Numbers {
    /// Name and value of each, in canonical order.
    pub fn list(&self) -> [(&'static str, u64); 11] {
        [
            ("duration_seconds", self.duration_seconds),
            ("event_count", self.event_count),
            ("files_changed", self.files_changed),
            ("lines_added", self.lines_added),
            ("lines_removed", self.lines_removed),
            ("message_count", self.message_count),
            ("task_count", self.task_count),
            ("tool_call_count", self.tool_call_count),
            ("total_input_tokens", self.total_input_tokens),
            ("total_output_tokens", self.total_output_tokens),
            ("user_message_count", self.user_message_count),
        ]
    }

    /// Append the stats line with its LF. `source` is canonical JSON.
    pub fn write_line(&self, source: Option<&[u8]>, out: &mut Vec<u8>) {
        out.push(b'{');
        for (name, value) in self.list() {
            if let (Some(source), "task_count") = (source, name) {
                out.extend_from_slice(b"\"source\":");
                out.extend_from_slice(source);
                out.push(b',');
            }
            if name == "user_message_count" {
                out.extend_from_slice(b"\"type\":\"stats\",");
            }
            let comma = if name == "user_message_count" { "" } else { "," };
            out.extend_from_slice(format!("\"{name}\":{value}{comma}").as_bytes());
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Append the stats line with its LF. `source` is canonical JSON.
pub fn write_stats_line(stats: &Stats, source: Option<&[u8]>, out: &mut Vec<u8>) {
    stats.numbers().write_line(source, out);
}

/// The literal holds a character that is not White_Space.
fn says_something(literal: &[u8]) -> bool {
    match literal.first() {
        None => false,
        Some(c) if c.is_ascii_graphic() && *c != b'\\' => true,
        Some(_) => String::from_utf8_lossy(&string::decode(literal)).chars().any(|c| !c.is_whitespace()),
    }
}

/// Lines that a unified diff adds and removes.
pub fn diff_lines(diff: &[u8]) -> (u64, u64) {
    let (mut added, mut removed) = (0, 0);
    // Lines of the old and the new text that the hunk's header still promises.
    let (mut old, mut new) = (0i64, 0i64);
    let mut rest = Some(diff);
    while let Some(line) = next_line(&mut rest) {
        let sign = line.first().copied().unwrap_or(b' ');
        if old > 0 || new > 0 {
            match sign {
                b'+' => (added, new) = (added + 1, new - 1),
                b'-' => (removed, old) = (removed + 1, old - 1),
                b'\\' => {}
                _ => (old, new) = (old - 1, new - 1),
            }
        } else if let Some(counts) = hunk(line) {
            (old, new) = counts;
        } else if line.starts_with(b"--- ") && rest.is_some_and(|next| next.starts_with(b"+++ ")) {
            next_line(&mut rest);
        } else if sign == b'+' {
            added += 1;
        } else if sign == b'-' {
            removed += 1;
        }
    }
    (added, removed)
}

/// The line that `rest` begins with; `None` after the last one.
#[inline(always)]
fn next_line<'a>(rest: &mut Option<&'a [u8]>) -> Option<&'a [u8]> {
    let text = (*rest)?;
    match memchr::memchr(b'\n', text) {
        Some(at) => {
            *rest = Some(&text[at + 1..]);
            Some(&text[..at])
        }
        None => rest.take(),
    }
}

/// The two counts of `@@ -a,b +c,d @@`; a count that is left out is 1.
fn hunk(line: &[u8]) -> Option<(i64, i64)> {
    let (old, rest) = range(line.strip_prefix(b"@@ -")?)?;
    let (new, rest) = range(rest.strip_prefix(b" +")?)?;
    rest.starts_with(b" @@").then_some((old, new))
}

fn range(text: &[u8]) -> Option<(i64, &[u8])> {
    let (_, rest) = digits(text)?;
    match rest.strip_prefix(b",") {
        Some(rest) => digits(rest),
        None => Some((1, rest)),
    }
}

fn digits(text: &[u8]) -> Option<(i64, &[u8])> {
    let n = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let value = text[..n].iter().fold(0i64, |v, c| v.saturating_mul(10).saturating_add((c - b'0') as i64));
    (n > 0).then_some((value, &text[n..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_lines_follow_the_hunks_and_know_file_headers() {
        for (diff, want) in [
            ("", (0, 0)),
            ("--- a\n+++ b\n-old\n+new\n+more\n", (2, 1)),
            ("--- a\n+++ b\n@@ -1,2 +1,2 @@\n--- x\n+++ y\n z\n", (1, 1)),
            ("@@ -1 +1 @@\n-a\n+b\n+c", (2, 1)),
            ("--- not a header\n-b", (0, 2)),
            ("+++ not a header", (1, 0)),
            ("@@ -1,1 +1,1 @@ fn x()\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file", (1, 1)),
            ("@@ -0,0 +1,99999999999999999999999 @@\n+a\n--- b\n+++ c", (2, 1)),
            ("@@ bad @@\n+a\r\n-b\r\n", (1, 1)),
        ] {
            assert_eq!(diff_lines(diff.as_bytes()), want, "{diff:?}");
        }
    }

    #[test]
    fn a_summary_of_white_space_says_nothing() {
        for (literal, want) in [
            ("", false),
            (" \\t\\n", false),
            ("\u{a0}\u{2003}\u{3000}\\u0085", false),
            (" x", true),
            ("\u{200b}", true),
            ("\\\\", true),
        ] {
            assert_eq!(says_something(literal.as_bytes()), want, "{literal:?}");
        }
    }

    #[test]
    fn tokens_saturate_and_a_total_replaces_the_sum() {
        let mut c = Counter::default();
        c.add(Some(u64::MAX), None);
        c.add(Some(5), None);
        assert_eq!(c.value(), u64::MAX);
        c.add(None, Some(7));
        c.add(None, Some(3));
        assert_eq!(c.value(), 7);
    }

    #[test]
    fn the_stats_line_is_canonical_with_and_without_source() {
        for source in [None, Some(&br#"{"agent":"x"}"#[..])] {
            let mut line = Vec::new();
            Numbers { event_count: 3, ..Numbers::default() }.write_line(source, &mut line);
            let text = line.strip_suffix(b"\n").unwrap();
            assert_eq!(crate::json::canonical::canonicalize(text).unwrap(), text);
        }
    }
}
