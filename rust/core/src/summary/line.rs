//! Where things stand in a canonical event line, without reading what nobody asks for.
//!
//! A tool's output is most of a session and says little to a summary. The order of keys in a canonical line (attributes,
//! content, duration_ms, event_id, event_type, task_id, timestamp, type) lets it be read from both ends: a quote inside
//! a string is escaped, so `,"event_type":{` cannot stand in one. Whatever does not fit goes to the tape.

use memchr::memmem::FinderRev;

use crate::hail::model::{self, EventKind};
use crate::hail::time;
use crate::hail::Time;
use crate::json::{check, Tape, Value, MAX_DEPTH};

/// Reusable storage.
pub struct Finders {
    event_type: FinderRev<'static>,
    event_id: FinderRev<'static>,
    timestamp: FinderRev<'static>,
    pub tape: Tape,
}

impl Default for Finders {
    fn default() -> Finders {
        Finders {
            event_type: FinderRev::new(b",\"event_type\":{"),
            event_id: FinderRev::new(b",\"event_id\":\""),
            timestamp: FinderRev::new(b",\"timestamp\":\""),
            tape: Tape::new(),
        }
    }
}

/// One event line; offsets are those of the padded buffer `b`.
#[derive(Debug, Clone, Copy)]
pub struct Line<'b> {
    pub b: &'b [u8],
    pub kind: EventKind,
    /// The literal of the event type's name.
    pub name: &'b [u8],
    pub id: &'b [u8],
    pub time: Time,
    pub task: Option<&'b [u8]>,
    /// Where the attributes' brace stands.
    attributes: Option<usize>,
    /// Where the object behind `content` begins, if that is known already.
    content: Option<usize>,
    data: Option<usize>,
}

/// True if the event of this line says nothing to a summary, as its end shows: most of a session does not.
///
/// Exact: what is looked at stands directly before `timestamp`, so it is the line's own `event_type`.
pub fn is_silent(line: &[u8]) -> bool {
    let Some(body) = line.strip_suffix(b"\",\"type\":\"event\"}") else { return false };
    // No time is longer than 30 characters.
    let window = &body[body.len().saturating_sub(46)..];
    let Some(at) = memchr::memrchr(b'"', window) else { return false };
    let Some(head) = body[..body.len() - window.len() + at].strip_suffix(b",\"timestamp\":") else { return false };
    if head.ends_with(b",\"event_type\":{\"type\":\"Thinking\"}") {
        return true;
    }
    let Some(data) = head.strip_suffix(b"\"},\"type\":\"Custom\"}") else { return false };
    let Some(quote) = memchr::memrchr(b'"', data) else { return false };
    data[..quote].ends_with(b",\"event_type\":{\"data\":{\"kind\":") && &data[quote + 1..] != b"turn_aborted"
}

impl<'b> Line<'b> {
    /// Read the event line `start..end` (its LF not counted) of a padded buffer.
    pub fn read(b: &'b [u8], start: usize, end: usize, finders: &mut Finders) -> Option<Line<'b>> {
        Line::quick(b, start, end, finders).or_else(|| Line::slow(b, start, end, finders))
    }

    fn quick(b: &'b [u8], start: usize, end: usize, finders: &Finders) -> Option<Line<'b>> {
        let line = &b[..end];
        let body = line.strip_suffix(b",\"type\":\"event\"}")?;
        // The longest task id that is looked at here is no limit: a longer one goes to the tape.
        let window = start.max(body.len().saturating_sub(600));
        let timestamp = window + finders.timestamp.rfind(&body[window..])?;
        let (moment, after) = check::string(b, timestamp + 13)?;
        let (time, _) = time::parse(moment).filter(|_| after == body.len())?;
        let event_type = start + finders.event_type.rfind(&line[start..timestamp])?;
        let event_id = start + finders.event_id.rfind(&line[start..event_type])?;
        let (id, after) = check::string(b, event_id + 12)?;
        if after != event_type {
            return None;
        }
        let (mut name, mut data) = (None, None);
        let mut after = check::members(b, event_type + 15, MAX_DEPTH, &mut |key, from, to| {
            match key {
                b"type" => name = b[from..to].strip_prefix(b"\"").and_then(|n| n.strip_suffix(b"\"")),
                b"data" if b[from] == b'{' => data = Some(from),
                _ => {}
            }
            true
        })?;
        let mut task = None;
        if line[after..].starts_with(b",\"task_id\":") {
            let (text, end) = check::string(b, after + 11)?;
            (task, after) = (Some(text), end);
        }
        if after != timestamp {
            return None;
        }
        let (attributes, content) = match &line[start..] {
            l if l.starts_with(b"{\"attributes\":{") => (Some(start + 14), None),
            l if l.starts_with(b"{\"content\":{") => (None, Some(start + 11)),
            _ => return None,
        };
        let name = name?;
        let kind = model::event(name).0;
        Some(Line { b, kind, name, id, time, task, attributes, content, data })
    }

    #[cold]
    fn slow(b: &'b [u8], start: usize, end: usize, finders: &mut Finders) -> Option<Line<'b>> {
        finders.tape.clear();
        let (root, after) = finders.tape.parse(b, start, MAX_DEPTH).ok()?;
        if after > end {
            return None;
        }
        let line = finders.tape.value(b, root);
        if !line.get_str("type")?.is("event") {
            return None;
        }
        // A value is canonical, so its text in the buffer is its literal.
        let literal = |v: Value<'_>| &b[v.offset() + 1..v.offset() + 1 + v.literal().len()];
        let kind = line.get("event_type")?;
        let name = literal(kind.get_str("type")?);
        let content = line.get("content")?;
        Some(Line {
            b,
            kind: model::event(name).0,
            name,
            id: literal(line.get_str("event_id")?),
            time: time::parse(literal(line.get_str("timestamp")?))?.0,
            task: line.get_str("task_id").map(literal),
            attributes: line.get("attributes").filter(|a| a.is_object()).map(Value::offset),
            content: Some(content.offset()),
            data: kind.get("data").filter(|d| d.is_object()).map(Value::offset),
        })
    }

    /// Call `see` with every attribute (key and value as they stand) until it says that it has seen enough.
    pub fn attributes(&self, see: &mut impl FnMut(&'b [u8], &'b [u8]) -> bool) {
        if let Some(at) = self.attributes {
            let b = self.b;
            check::members(b, at + 1, MAX_DEPTH, &mut |key, from, to| see(key, &b[from..to]));
        }
    }

    /// The member of `data` whose value is a string, as a literal.
    pub fn text(&self, name: &[u8]) -> Option<&'b [u8]> {
        self.member(name)?.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }

    /// A member of `data` as it stands.
    pub fn member(&self, name: &[u8]) -> Option<&'b [u8]> {
        let (b, mut found) = (self.b, None);
        check::members(b, self.data? + 1, MAX_DEPTH, &mut |key, from, to| {
            if key == name {
                found = Some(&b[from..to]);
            }
            found.is_none()
        });
        found
    }

    /// Call `see` with every content block's type, its text (of a `Text` block) and its value until it has seen enough.
    pub fn blocks(&self, see: &mut impl FnMut(Block<'b>) -> bool) -> Option<()> {
        let b = self.b;
        let content = match (self.content, self.attributes) {
            (Some(content), _) => content,
            (None, at) => {
                let end = check::members(b, at? + 1, MAX_DEPTH, &mut |_, _, _| true)?;
                let member = b",\"content\":";
                if !b[end..].starts_with(member) {
                    return self.blocks_behind(end, see);
                }
                end + member.len()
            }
        };
        let mut at = None;
        if b[content..].starts_with(b"{\"blocks\":[") {
            at = Some(content + 10);
        } else {
            check::members(b, content + 1, MAX_DEPTH, &mut |key, from, _| {
                at = at.or((key == b"blocks").then_some(from));
                at.is_none()
            });
        }
        each_block(b, at?, see)
    }

    /// A member that nobody knows stands before the content.
    #[cold]
    fn blocks_behind(&self, end: usize, see: &mut impl FnMut(Block<'b>) -> bool) -> Option<()> {
        let (b, mut at) = (self.b, None);
        check::members(b, end + 1, MAX_DEPTH, &mut |key, from, _| {
            at = at.or((key == b"content").then_some(from));
            at.is_none()
        });
        Line { content: Some(at?), ..*self }.blocks(see)
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Block<'b> {
    pub kind: &'b [u8],
    /// The literal of a `Text` block's text.
    pub text: Option<&'b [u8]>,
    /// Where the `data` of a `Json` block begins.
    pub data: Option<usize>,
}

fn each_block<'b>(b: &'b [u8], at: usize, see: &mut impl FnMut(Block<'b>) -> bool) -> Option<()> {
    let mut i = at + 1;
    while b[i] == b'{' {
        let mut block = Block { kind: b"", text: None, data: None };
        i = check::members(b, i + 1, MAX_DEPTH, &mut |key, from, to| {
            let text = || b[from..to].strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\""));
            match key {
                b"type" => block.kind = text().unwrap_or_default(),
                b"text" => block.text = text(),
                b"data" => block.data = Some(from),
                _ => {}
            }
            true
        })?;
        if !see(block) {
            return Some(());
        }
        if b[i] == b',' {
            i += 1;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::canonical::canonicalize;
    use crate::json::scan::PAD;

    fn with_line(text: &str, f: impl Fn(&Line<'_>, bool)) {
        let mut b = canonicalize(text.as_bytes()).unwrap();
        let end = b.len();
        b.resize(end + PAD, 0);
        let mut finders = Finders::default();
        if let Some(line) = Line::quick(&b, 0, end, &finders) {
            f(&line, true);
        }
        f(&Line::slow(&b, 0, end, &mut finders).unwrap(), false);
    }

    fn texts(line: &Line<'_>) -> Vec<String> {
        let mut all = Vec::new();
        line.blocks(&mut |block| {
            all.extend(block.text.map(|t| String::from_utf8_lossy(t).into_owned()));
            true
        });
        all
    }

    #[test]
    fn both_ways_to_read_a_line_agree_even_where_members_look_like_those_of_the_line() {
        let hostile = r#"{"type":"event","event_id":"i\",\"event_type\":{","timestamp":"2026-02-14T00:00:01Z","task_id":"t",
            "event_type":{"type":"ToolResult","data":{"name":"n","is_error":true,"x":{"event_type":{"type":"Thinking"},"event_id":"no"}}},
            "attributes":{"semantic.call_id":"c","source.rest":{"event_id":"no","content":{"blocks":[{"type":"Text","text":"no"}]}}},
            "content":{"blocks":[{"type":"Text","text":"a"},{"type":"Json","data":{"event_id":"no"}},{"type":"Text","text":"b\"}"}]},
            "duration_ms":5}"#;
        with_line(&hostile.replace('\n', ""), |line, _| {
            assert_eq!(line.kind, EventKind::ToolResult);
            assert_eq!(line.id, br#"i\",\"event_type\":{"#);
            assert_eq!(line.task, Some(b"t".as_slice()));
            assert_eq!(line.text(b"name"), Some(b"n".as_slice()));
            assert_eq!(line.member(b"is_error"), Some(b"true".as_slice()));
            assert_eq!(texts(line), ["a", r#"b\"}"#]);
            let mut call = None;
            line.attributes(&mut |key, value| {
                call = call.or((key == b"semantic.call_id").then_some(value));
                true
            });
            assert_eq!(call, Some(b"\"c\"".as_slice()));
        });
    }

    #[test]
    fn a_silent_line_is_known_by_its_end() {
        let of = |kind: &str, more: &str| {
            let text = format!(
                r#"{{"type":"event","event_id":"e","timestamp":"2026-02-14T00:00:01Z","event_type":{kind},"content":{{"blocks":[]}}{more}}}"#
            );
            is_silent(&canonicalize(text.as_bytes()).unwrap())
        };
        assert!(of(r#"{"type":"Thinking"}"#, ""));
        assert!(of(r#"{"type":"Custom","data":{"kind":"progress"}}"#, ""));
        assert!(!of(r#"{"type":"Custom","data":{"kind":"turn_aborted"}}"#, ""));
        assert!(!of(r#"{"type":"UserMessage"}"#, ""));
        assert!(!of(r#"{"type":"UserMessage"}"#, r#","foo":{"a":1,"event_type":{"type":"Thinking"}}"#));
        assert!(!of(r#"{"type":"UserMessage"}"#, r#","event_typf":{"data":{"kind":"x"},"type":"Custom"}"#));
    }

    #[test]
    fn members_that_nobody_knows_are_no_obstacle() {
        let text = r#"{"aaa":1,"attributes":{"k":1},"bbb":{},"content":{"a":[],"blocks":[{"text":"x","type":"Text"}]},"event_id":"e","event_t":1,"event_type":{"type":"UserMessage"},"timestamp":"2026-02-14T00:00:01Z","type":"event","zzz":2}"#;
        with_line(text, |line, quick| {
            assert!(!quick);
            assert_eq!((line.kind, line.id), (EventKind::UserMessage, b"e".as_slice()));
            assert_eq!(texts(line), ["x"]);
        });
        let between = r#"{"attributes":{"k":1},"bbb":{},"content":{"blocks":[{"text":"x","type":"Text"}]},"event_id":"e","event_type":{"type":"UserMessage"},"timestamp":"2026-02-14T00:00:01Z","type":"event"}"#;
        with_line(between, |line, _| assert_eq!(texts(line), ["x"]));
    }
}
