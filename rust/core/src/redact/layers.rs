//! All texts of one line: its strings and keys, the JSON that some strings hold, and the pairs that a name and a value make.
//!
//! A secret is found where it is deepest, and its place is told in bytes of the line: whoever puts something else there
//! leaves every string around it what it was.

use std::ops::Range;

use super::detect::{Detector, PLACEHOLDER};
use crate::json::scan::PAD;
use crate::json::{string, Tape, Value, MAX_DEPTH};

/// A string of the line is depth 1. While it holds JSON it is decoded again, three times at most.
const DEPTH: usize = 4;

/// So much of a value is looked at together with its name.
const PAIRED: usize = 4096;

/// A secret in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub rule: usize,
    /// JSON Pointer (RFC 6901) to the string; a `#` and another pointer follow where the string holds JSON.
    pub pointer: String,
    /// Where the value stands in the decoded string.
    pub start: usize,
    /// The value. It never leaves this crate.
    pub value: Vec<u8>,
    /// Where it stands in the line, escapes and all.
    pub raw: Range<usize>,
    /// It is no string, so that what stands for it needs quotes.
    pub bare: bool,
}

/// The secrets of a line that is one JSON value; `None` if it is none.
///
/// `candidates` are offsets in the line; strings that hold none of them are passed over.
pub fn of_json(detector: &Detector, line: &[u8], candidates: &[usize], tape: &mut Tape) -> Option<Vec<Found>> {
    std::str::from_utf8(line).ok()?;
    let mut padded = line.to_vec();
    padded.resize(line.len() + PAD, 0);
    tape.clear();
    let (root, end) = tape.parse(&padded, 0, MAX_DEPTH).ok()?;
    if !padded[end..line.len()].iter().all(|c| matches!(c, b' ' | b'\t' | b'\r')) {
        return None;
    }
    let mut walk = Walk {
        detector,
        candidates: Some(candidates),
        depth: 1,
        path: Vec::new(),
        prefix: String::new(),
        found: Vec::new(),
    };
    walk.value(tape.value(&padded, root), None);
    walk.across(line, tape.value(&padded, root));
    let mut found = walk.found;
    found.sort_by_key(|f| (f.raw.start, f.rule));
    found.dedup_by(|b, a| b.raw.start < a.raw.end);
    Some(found)
}

/// The secrets of a line that is anything else.
pub fn of_text(detector: &Detector, line: &[u8]) -> Vec<Found> {
    let found = detector.find(line).into_iter();
    found
        .map(|m| Found {
            rule: m.rule,
            pointer: String::new(),
            start: m.span.start,
            value: line[m.span.clone()].to_vec(),
            raw: m.span,
            bare: false,
        })
        .collect()
}

enum Step<'t> {
    Key(Value<'t>),
    Item(usize),
}

struct Walk<'d, 't> {
    detector: &'d Detector,
    /// Where to look; everywhere if `None`.
    candidates: Option<&'d [usize]>,
    depth: usize,
    path: Vec<Step<'t>>,
    /// The pointer to the string that this value stands in.
    prefix: String,
    found: Vec<Found>,
}

impl<'t> Walk<'_, 't> {
    fn wanted(&self, value: Value<'_>) -> bool {
        let Some(candidates) = self.candidates else { return true };
        let (start, end) = (value.offset(), value.offset() + value.raw().len());
        let first = candidates.partition_point(|c| *c < start);
        candidates.get(first).is_some_and(|c| *c < end)
    }

    /// `name` is what the value is given to: its key, or the option before it in a list of arguments.
    fn value(&mut self, value: Value<'t>, name: Option<Value<'t>>) {
        if value.is_string() {
            let named = name.is_some_and(|n| self.wanted(n));
            if named || self.wanted(value) {
                self.string(value, name);
            }
        } else if value.is_object() {
            if self.wanted(value) {
                self.object(value);
            }
        } else if value.is_array() && self.wanted(value) {
            let mut before: Option<Value<'t>> = None;
            for (at, item) in value.items().enumerate() {
                self.path.push(Step::Item(at));
                self.value(item, before.filter(|b| b.literal().starts_with(b"-")));
                self.path.pop();
                before = Some(item).filter(|i| i.is_string());
            }
        }
    }

    /// What only the bytes of the line as they are show: a name and a value that are items of one list, a value that is a
    /// number.
    fn across(&mut self, line: &[u8], root: Value<'t>) {
        let rest: Vec<_> = self.detector.find(line).into_iter().filter(|m| !self.covers(&m.span)).collect();
        for m in rest {
            self.pieces(root, m.rule, &m.span, &line[m.span.clone()]);
        }
    }

    fn covers(&self, span: &Range<usize>) -> bool {
        self.found.iter().any(|f| f.raw.start < span.end && span.start < f.raw.end)
    }

    /// Each string and number of `value` that a part of the secret stands in.
    fn pieces(&mut self, value: Value<'t>, rule: usize, span: &Range<usize>, secret: &[u8]) {
        let here = value.offset()..value.offset() + value.raw().len();
        if here.end <= span.start || span.end <= here.start {
            return;
        }
        if value.is_object() {
            for (key, member) in value.members() {
                self.path.push(Step::Key(key));
                self.pieces(key, rule, span, secret);
                self.pieces(member, rule, span, secret);
                self.path.pop();
            }
        } else if value.is_array() {
            for (at, item) in value.items().enumerate() {
                self.path.push(Step::Item(at));
                self.pieces(item, rule, span, secret);
                self.path.pop();
            }
        } else {
            let bare = !value.is_string();
            let inside = if bare { here.clone() } else { here.start + 1..here.end - 1 };
            let part = inside.start.max(span.start)..inside.end.min(span.end);
            if part.is_empty() {
                return;
            }
            // Half an escape would be none.
            let whole = bare || value.is_escaped();
            let (start, raw) = if whole { (0, inside) } else { (part.start - inside.start, part) };
            let pointer = self.pointer(value);
            self.found.push(Found { rule, pointer, start, value: secret.to_vec(), raw, bare });
        }
    }

    fn object(&mut self, object: Value<'t>) {
        let (mut named, mut valued) = (None, None);
        for (key, member) in object.members() {
            self.path.push(Step::Key(key));
            if self.wanted(key) {
                self.string(key, None);
            }
            self.value(member, Some(key));
            self.path.pop();
            if member.is_string() {
                match key.literal() {
                    b"name" | b"key" | b"Name" | b"Key" => named = Some(member),
                    b"value" | b"Value" => valued = Some((key, member)),
                    _ => {}
                }
            }
        }
        // `{"name": "TOKEN", "value": "…"}`, as headers and environments are often written.
        if let (Some(name), Some((key, member))) = (named, valued) {
            if self.wanted(name) {
                self.path.push(Step::Key(key));
                self.pair(name, member, &member.text().unwrap_or_default());
                self.path.pop();
            }
        }
    }

    fn string(&mut self, value: Value<'t>, name: Option<Value<'t>>) {
        let text = value.text().unwrap_or_default();
        if self.depth < DEPTH && self.nested(value, &text) {
            return;
        }
        for m in self.detector.find(&text) {
            self.add(m.rule, value, &text, m.span);
        }
        if let Some(name) = name {
            self.pair(name, value, &text);
        }
    }

    /// What only the name says of the value.
    fn pair(&mut self, name: Value<'t>, value: Value<'t>, text: &[u8]) {
        let mut both = name.text().unwrap_or_default().into_owned();
        if !self.detector.mentions(&both) {
            return;
        }
        let option = both.starts_with(b"-");
        both.extend_from_slice(if option { b" " } else { b"=\"" });
        let from = both.len();
        both.extend_from_slice(&text[..text.len().min(PAIRED)]);
        for m in self.detector.find(&both) {
            if m.span.start < from {
                continue;
            }
            let span = m.span.start - from..m.span.end - from;
            let raw = self.locate(value, span.clone());
            if !self.found.iter().any(|f| f.raw.start < raw.end && raw.start < f.raw.end) {
                self.add(m.rule, value, text, span);
            }
        }
    }

    /// True if the string holds JSON: then its strings were looked at instead.
    fn nested(&mut self, outer: Value<'t>, text: &[u8]) -> bool {
        let first = text.iter().find(|c| !matches!(c, b' ' | b'\t' | b'\r' | b'\n'));
        if !matches!(first, Some(b'{' | b'[' | b'"')) {
            return false;
        }
        let mut padded = text.to_vec();
        // The scanner knows lines; here LF is white space.
        blank_newlines(&mut padded);
        let len = padded.len();
        padded.resize(len + PAD, 0);
        let mut tape = Tape::new();
        let Ok((root, end)) = tape.parse(&padded, 0, MAX_DEPTH) else { return false };
        if !padded[end..len].iter().all(|c| matches!(c, b' ' | b'\t' | b'\r')) {
            return false;
        }
        let mut prefix = self.pointer(outer);
        prefix.push('#');
        let mut inner = Walk {
            detector: self.detector,
            candidates: None,
            depth: self.depth + 1,
            path: Vec::new(),
            prefix,
            found: Vec::new(),
        };
        inner.value(tape.value(&padded, root), None);
        let found = inner.found;
        for f in found {
            let raw = self.locate(outer, f.raw.clone());
            self.found.push(Found { raw, ..f });
        }
        true
    }

    fn add(&mut self, rule: usize, value: Value<'t>, text: &[u8], span: Range<usize>) {
        let raw = self.locate(value, span.clone());
        let pointer = self.pointer(value);
        self.found.push(Found { rule, pointer, start: span.start, value: text[span].to_vec(), raw, bare: false });
    }

    /// From bytes of the decoded string to bytes of the text it stands in.
    fn locate(&self, value: Value<'_>, span: Range<usize>) -> Range<usize> {
        let from = value.offset() + 1;
        if !value.is_escaped() {
            return from + span.start..from + span.end;
        }
        let range = in_literal(value.literal(), span);
        from + range.start..from + range.end
    }

    /// The pointer to where the walk is now. A key that holds a secret is not spelled out.
    fn pointer(&self, _: Value<'_>) -> String {
        let mut out = self.prefix.clone();
        for step in &self.path {
            out.push('/');
            match step {
                Step::Item(at) => out.push_str(&at.to_string()),
                Step::Key(key) => {
                    let text = key.text().unwrap_or_default();
                    match self.detector.find(&text).first() {
                        Some(m) => out.push_str(&format!("[REDACTED:{}]", self.detector.rules[m.rule].id)),
                        None => out.push_str(&String::from_utf8_lossy(&text).replace('~', "~0").replace('/', "~1")),
                    }
                }
            }
        }
        out
    }
}

/// Where bytes of the decoded text stand in its literal.
fn in_literal(literal: &[u8], span: Range<usize>) -> Range<usize> {
    let (mut at, mut decoded) = (0, 0);
    let mut start = None;
    while at < literal.len() && decoded < span.end {
        if decoded >= span.start && start.is_none() {
            start = Some(at);
        }
        let (width, bytes) = match literal[at] {
            b'\\' if literal.get(at + 1) == Some(&b'u') => escape(literal, at),
            b'\\' => (2, 1),
            _ => (1, 1),
        };
        at += width;
        decoded += bytes;
    }
    let at = at.min(literal.len());
    start.unwrap_or(at)..at
}

/// Width of the `\u` escape at `at`, and of what it stands for.
fn escape(literal: &[u8], at: usize) -> (usize, usize) {
    match string::hex4(literal, at + 2) {
        Some(0..=0x7f) => (6, 1),
        Some(0x80..=0x7ff) => (6, 2),
        Some(0xd800..=0xdbff) => (12, 4),
        _ => (6, 3),
    }
}

/// LF outside of strings becomes a blank; inside of one it stays the fault it is.
fn blank_newlines(text: &mut [u8]) {
    let mut quoted = false;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => quoted = !quoted,
            b'\\' if quoted => at += 1,
            b'\n' if !quoted => text[at] = b' ',
            _ => {}
        }
        at += 1;
    }
}

/// The placeholder that stands for a value of this rule from now on.
pub fn placeholder(rule: &str, number: u64) -> Vec<u8> {
    let mut out = PLACEHOLDER.to_vec();
    out.extend_from_slice(format!("{rule}:{number}]").as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_the_text_are_found_in_the_literal() {
        let literal = br#"a\n\u00e9\ud83d\ude00b\"c"#;
        let text = string::decode(literal).into_owned();
        for at in 0..text.len() {
            if text[at].is_ascii() {
                let raw = in_literal(literal, at..at + 1);
                assert_eq!(string::decode(&literal[raw]).as_ref(), &text[at..at + 1], "{at}");
            }
        }
    }
}
