//! What can be saved from a line of a log that is no clean JSON value.
//!
//! Logs are damaged in a few known ways: two records glued on one line, a record that was cut by the next one, runs of
//! NUL after a crash, half surrogate pairs, bytes that are no UTF-8, numbers out of range, keys that stand twice. Each is
//! mended into strict JSON and counted; what has no value in it is reported as damaged. Work is linear in the line.

use super::scan::PAD;
use super::string::{hex4, write as write_string};
use super::tape::{skip, Kind, Tape, Value};
use super::{number, FaultKind};

/// Greatest nesting of a record: inside an event it stands four levels deeper, and HAIL ends at 128.
pub const RECORD_DEPTH: usize = 124;

/// How often each kind of repair was made (docs/hail.md, coverage ledger).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repairs {
    pub bom: u64,
    pub crlf: u64,
    pub depth: u64,
    pub duplicate_key: u64,
    pub glued: u64,
    pub invalid_utf8: u64,
    pub lone_surrogate: u64,
    pub nul_run: u64,
    pub number_overflow: u64,
    pub spliced: u64,
    /// Bytes of a last line that is no complete value yet.
    pub tail_incomplete: u64,
    pub transcoded: u64,
}

impl Repairs {
    /// All counts with their names in the ledger, sorted by name.
    pub fn named(&self) -> [(&'static str, u64); 12] {
        [
            ("bom", self.bom),
            ("crlf", self.crlf),
            ("depth", self.depth),
            ("duplicate_key", self.duplicate_key),
            ("glued", self.glued),
            ("invalid_utf8", self.invalid_utf8),
            ("lone_surrogate", self.lone_surrogate),
            ("nul_run", self.nul_run),
            ("number_overflow", self.number_overflow),
            ("spliced", self.spliced),
            ("tail_incomplete", self.tail_incomplete),
            ("transcoded", self.transcoded),
        ]
    }

    pub fn add(&mut self, other: &Repairs) {
        self.bom += other.bom;
        self.crlf += other.crlf;
        self.depth += other.depth;
        self.duplicate_key += other.duplicate_key;
        self.glued += other.glued;
        self.invalid_utf8 += other.invalid_utf8;
        self.lone_surrogate += other.lone_surrogate;
        self.nul_run += other.nul_run;
        self.number_overflow += other.number_overflow;
        self.spliced += other.spliced;
        self.tail_incomplete += other.tail_incomplete;
        self.transcoded += other.transcoded;
    }

    /// Something was lost: the record's bytes must be kept beside its events.
    pub fn lossy(&self) -> bool {
        self.depth
            + self.duplicate_key
            + self.invalid_utf8
            + self.lone_surrogate
            + self.nul_run
            + self.number_overflow
            + self.spliced
            > 0
    }
}

/// A value that was mended, with a text and a tape of its own.
#[derive(Debug)]
pub struct Mended {
    text: Vec<u8>,
    tape: Tape,
    node: u32,
    pub repairs: Repairs,
}

impl Mended {
    pub fn value(&self) -> Value<'_> {
        self.tape.value(&self.text, self.node)
    }
}

#[derive(Debug)]
pub enum Outcome {
    /// One value or several that stood on the line.
    Values(Vec<Mended>),
    /// A value that is nested deeper than [`RECORD_DEPTH`], as text.
    Deep(Vec<u8>, Repairs),
    /// No value.
    Damaged(Repairs),
}

/// Recover what one line (without its LF, not blank) holds. `whole`: the line may still be written, so only a complete
/// value counts; nothing is cut out of it.
pub fn recover(line: &[u8], whole: bool) -> Outcome {
    let mut repairs = Repairs::default();
    let text = clean_bytes(line, &mut repairs);
    let text = clean_tokens(text, &mut repairs);
    let n = text.len();
    let mut b = text;
    b.resize(n + PAD, 0);
    let values = split(&b, n, whole, &mut repairs);
    if !values.is_empty() {
        let several = values.len();
        let mut mended: Vec<Mended> = values.into_iter().map(|(at, end)| mend(&b[at..end])).collect();
        if several > 1 {
            repairs.glued += several as u64 - 1;
        }
        // What was done to the line is told once, by its first value; duplicate keys belong to their own value.
        let own = std::mem::take(&mut mended[0].repairs);
        mended[0].repairs = repairs;
        mended[0].repairs.add(&own);
        return Outcome::Values(mended);
    }
    if too_deep(&b, n) {
        repairs.depth += 1;
        b.truncate(n);
        return Outcome::Deep(b, repairs);
    }
    Outcome::Damaged(Repairs::default())
}

/// Remove runs of NUL and replace what is no UTF-8.
fn clean_bytes(line: &[u8], repairs: &mut Repairs) -> Vec<u8> {
    let mut text = Vec::with_capacity(line.len() + PAD);
    let mut rest = line;
    // A crash leaves runs of NUL; one alone is a byte of something else, and damage.
    while let Some(at) = memchr::memmem::find(rest, &[0; 2]) {
        text.extend_from_slice(&rest[..at]);
        let run = rest[at..].iter().take_while(|&&c| c == 0).count();
        repairs.nul_run += 1;
        rest = &rest[at + run..];
    }
    text.extend_from_slice(rest);
    if simdutf8::basic::from_utf8(&text).is_ok() {
        return text;
    }
    let mut clean = Vec::with_capacity(text.len() + PAD);
    for chunk in text.utf8_chunks() {
        clean.extend_from_slice(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            repairs.invalid_utf8 += 1;
            clean.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    clean
}

/// Replace half surrogate pairs inside strings and numbers out of range outside of them.
fn clean_tokens(text: Vec<u8>, repairs: &mut Repairs) -> Vec<u8> {
    let n = text.len();
    let mut b = text;
    b.resize(n + PAD, 0);
    let mut out = Vec::with_capacity(n + PAD);
    let (mut i, mut copied, mut quoted) = (0, 0, false);
    while i < n {
        match b[i] {
            b'"' => {
                quoted = !quoted;
                i += 1;
            }
            b'\\' if quoted => match b[i + 1] {
                b'u' => {
                    let width = surrogate(&b[..n], i);
                    if let Some(6) = width.lone {
                        out.extend_from_slice(&b[copied..i]);
                        out.extend_from_slice(b"\\ufffd");
                        repairs.lone_surrogate += 1;
                        copied = i + 6;
                    }
                    i += width.step;
                }
                _ => i += 2,
            },
            b'-' | b'0'..=b'9' if !quoted => match number::scan(&b, i) {
                Ok(found) => i = found.end.max(i + 1),
                Err(fault) if matches!(fault.kind, FaultKind::NumberOverflow | FaultKind::NumberLength) => {
                    let end = i + b[i..n]
                        .iter()
                        .take_while(|c| matches!(c, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                        .count();
                    let mut after = end;
                    skip(&b, &mut after);
                    // A number where a key should stand is damage.
                    if b[after] != b':' {
                        out.extend_from_slice(&b[copied..i]);
                        write_string(&b[i..end], &mut out);
                        repairs.number_overflow += 1;
                        copied = end;
                    }
                    i = end;
                }
                Err(_) => i += 1,
            },
            _ => i += 1,
        }
    }
    if copied == 0 {
        b.truncate(n);
        return b;
    }
    out.extend_from_slice(&b[copied.min(n)..n]);
    out
}

struct Width {
    step: usize,
    /// The escape is half a pair: its width.
    lone: Option<usize>,
}

fn surrogate(b: &[u8], at: usize) -> Width {
    match hex4(b, at + 2) {
        Some(0xd800..=0xdbff) => {
            let low = if b[at + 6..].starts_with(b"\\u") { hex4(b, at + 8) } else { None };
            match low {
                Some(0xdc00..=0xdfff) => Width { step: 12, lone: None },
                _ => Width { step: 6, lone: Some(6) },
            }
        }
        Some(0xdc00..=0xdfff) => Width { step: 6, lone: Some(6) },
        _ => Width { step: 2, lone: None },
    }
}

/// Where the values of a line stand. All of it must be values, or objects must be cut out of it.
fn split(b: &[u8], n: usize, whole: bool, repairs: &mut Repairs) -> Vec<(usize, usize)> {
    let mut tape = Tape::new();
    let mut found = Vec::new();
    let mut i = 0;
    let mut lost = false;
    // An attempt that fails has read at most to where it failed; this bounds what all of them together may read.
    let mut budget = 8 * n + 4096;
    loop {
        skip(b, &mut i);
        if i >= n {
            break;
        }
        tape.clear();
        let attempt = tape.parse(b, i, RECORD_DEPTH);
        match attempt {
            Ok((root, end)) => {
                let value = tape.value(b, root);
                let alone = found.is_empty() && rest_is_blank(b, end, n);
                let ends = value.is_object() && (!lost || is_record(value)) && ends_value(b, end, n);
                // A whole record before any loss is one, whatever stands behind it.
                if alone || ends || (!whole && !lost && is_record(value)) {
                    found.push((i, end));
                    i = end;
                    continue;
                }
                budget = budget.saturating_sub(end - i);
            }
            Err(fault) => budget = budget.saturating_sub(fault.at.saturating_sub(i)),
        }
        if whole || budget == 0 {
            return Vec::new();
        }
        // Something stands here that is no value: look for the next object that reads as a record to the line's end
        // or to another one.
        lost = true;
        match memchr::memmem::find(&b[i + 1..n], b"{\"") {
            Some(next) => i += 1 + next,
            None => break,
        }
    }
    if lost {
        let mut tape = Tape::new();
        found.retain(|&(at, _)| {
            tape.clear();
            tape.parse(b, at, RECORD_DEPTH).is_ok_and(|(root, _)| is_record(tape.value(b, root)))
        });
        if !found.is_empty() {
            repairs.spliced += 1;
        }
    }
    found
}

fn rest_is_blank(b: &[u8], mut end: usize, n: usize) -> bool {
    skip(b, &mut end);
    end >= n
}

/// After a value comes the end of the line or the next object; anything else means that it was part of something.
fn ends_value(b: &[u8], mut end: usize, n: usize) -> bool {
    skip(b, &mut end);
    end >= n || b[end] == b'{'
}

/// An object cut out of other text counts only if it looks like a record of a log, not like a part of one.
fn is_record(value: Value<'_>) -> bool {
    value.is_object()
        && (value.get_str("type").is_some() || value.get("record_type").is_some())
        && (value.get("timestamp").is_some()
            || value.get("uuid").is_some()
            || value.get("sessionId").is_some()
            || value.get("payload").is_some())
}

/// Make a value of the cleaned line strict: its keys are made unique, the last one of a name wins.
fn mend(text: &[u8]) -> Mended {
    let mut repairs = Repairs::default();
    let mut text = text.to_vec();
    let n = text.len();
    text.resize(n + PAD, 0);
    let mut tape = Tape::new();
    // It was parsed before: this cannot fail.
    let mut node = tape.parse(&text, 0, RECORD_DEPTH).map(|(root, _)| root).unwrap_or(0);
    if tape.duplicate.is_some() {
        let mut unique = Vec::with_capacity(n + PAD);
        write_unique(tape.value(&text, node), &mut unique, &mut repairs.duplicate_key);
        unique.resize(unique.len() + PAD, 0);
        tape = Tape::new();
        node = tape.parse(&unique, 0, RECORD_DEPTH).map(|(root, _)| root).unwrap_or(0);
        text = unique;
    }
    Mended { text, tape, node, repairs }
}

fn write_unique(value: Value<'_>, out: &mut Vec<u8>, dropped: &mut u64) {
    match value.kind() {
        Kind::Object => {
            let members: Vec<_> = value.members().collect();
            let mut last = std::collections::HashMap::new();
            for (n, (key, _)) in members.iter().enumerate() {
                last.insert(super::string::decode(key.literal()), n);
            }
            *dropped += (members.len() - last.len()) as u64;
            out.push(b'{');
            let mut first = true;
            for (n, (key, member)) in members.iter().enumerate() {
                if last[&super::string::decode(key.literal())] != n {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                out.extend_from_slice(key.raw());
                out.push(b':');
                write_unique(*member, out, dropped);
            }
            out.push(b'}');
        }
        Kind::Array => {
            out.push(b'[');
            for (n, item) in value.items().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write_unique(item, out, dropped);
            }
            out.push(b']');
        }
        _ => out.extend_from_slice(value.raw()),
    }
}

/// The line is one JSON value, only nested too deeply for a tape.
fn too_deep(b: &[u8], n: usize) -> bool {
    // A bit more than the tape's own grammar would be needed to accept what is wrong elsewhere, so the value is cut down:
    // every container below the limit is replaced by `null` while brackets are matched, and the rest must parse.
    let mut open = Vec::new();
    let mut flat = Vec::with_capacity(n.min(1 << 20));
    let (mut i, mut quoted, mut deepest) = (0, false, 0);
    while i < n {
        let c = b[i];
        let shallow = open.len() < RECORD_DEPTH;
        if quoted {
            if shallow {
                flat.push(c);
            }
            if c == b'\\' {
                i += 1;
                if shallow && i < n {
                    flat.push(b[i]);
                }
            } else if c == b'"' {
                quoted = false;
            }
            i += 1;
            continue;
        }
        match c {
            b'"' => quoted = true,
            b'{' | b'[' => {
                if open.len() + 1 == RECORD_DEPTH {
                    flat.extend_from_slice(b"null");
                }
                open.push(c);
                deepest = deepest.max(open.len());
            }
            b'}' | b']' if open.pop() != Some(c - 2) => return false,
            _ => {}
        }
        if shallow && open.len() < RECORD_DEPTH {
            flat.push(c);
        }
        i += 1;
    }
    if deepest <= RECORD_DEPTH || !open.is_empty() || quoted {
        return false;
    }
    let len = flat.len();
    flat.resize(len + PAD, 0);
    Tape::new().parse(&flat, 0, RECORD_DEPTH).is_ok_and(|(_, end)| rest_is_blank(&flat, end, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &[u8]) -> (Vec<String>, Repairs) {
        match recover(line, false) {
            Outcome::Values(v) => {
                let mut all = Repairs::default();
                let texts = v.iter().map(|m| String::from_utf8(m.value().raw().to_vec()).unwrap()).collect();
                v.iter().for_each(|m| all.add(&m.repairs));
                (texts, all)
            }
            Outcome::Deep(_, r) => (vec!["deep".into()], r),
            Outcome::Damaged(r) => (vec![], r),
        }
    }

    #[test]
    fn glued_objects_are_two_values_and_lose_nothing() {
        let (v, r) = values(br#"{"a":1} {"b":2}"#);
        assert_eq!(v, [r#"{"a":1}"#, r#"{"b":2}"#]);
        assert_eq!(r, Repairs { glued: 1, ..Default::default() });
        assert!(!r.lossy());
    }

    #[test]
    fn a_record_cut_by_the_next_gives_the_next() {
        let line = br#"{"type":"user","message":{"role":"user","content":"ab{"type":"user","uuid":"u2","x":{"y":1}}"#;
        let (v, r) = values(line);
        assert_eq!(v, [r#"{"type":"user","uuid":"u2","x":{"y":1}}"#]);
        assert!(r.spliced == 1 && r.lossy());
    }

    #[test]
    fn a_record_before_and_one_behind_the_damage_are_both_kept() {
        let a = r#"{"type":"user","uuid":"a"}"#;
        let b = r#"{"type":"user","uuid":"b"}"#;
        let (v, r) = values(format!("{a}junk{b}").as_bytes());
        assert_eq!(v, [a, b]);
        assert_eq!((r.spliced, r.glued), (1, 1));
        let (v, r) = values(format!("{a} and then nothing").as_bytes());
        assert_eq!((v, r.spliced), (vec![a.to_string()], 1));
    }

    #[test]
    fn a_part_of_a_broken_record_is_no_record() {
        assert_eq!(values(br#"{"type":"user","message":{"type":"x"},"#).0, Vec::<String>::new());
        assert_eq!(values(br#"{"a":true}x"#).0, Vec::<String>::new());
        assert_eq!(values(b"[1][2]").0, Vec::<String>::new());
    }

    #[test]
    fn nul_surrogates_bytes_numbers_and_keys_are_mended_and_counted() {
        assert_eq!(
            values(b"\0\0\0{\"a\":1}"),
            (vec![r#"{"a":1}"#.into()], Repairs { nul_run: 1, ..Default::default() })
        );
        let (v, r) = values(br#"{"a":"\ud83d x \ud83d\ude00 \\ud83d"}"#);
        assert_eq!(v, [r#"{"a":"\ufffd x \ud83d\ude00 \\ud83d"}"#]);
        assert_eq!(r.lone_surrogate, 1);
        let (v, r) = values(b"{\"a\":\"x\xff\xfey\"}");
        assert_eq!((v[0].as_str(), r.invalid_utf8), ("{\"a\":\"x\u{fffd}\u{fffd}y\"}", 2));
        let (v, r) = values(br#"{"a":[1e999,-1e999]}"#);
        assert_eq!((v[0].as_str(), r.number_overflow), (r#"{"a":["1e999","-1e999"]}"#, 2));
        let (v, r) = values(br#"{"a":1,"b":{"c":1,"c":2},"a":2}"#);
        assert_eq!((v[0].as_str(), r.duplicate_key), (r#"{"b":{"c":2},"a":2}"#, 2));
    }

    #[test]
    fn too_deep_is_told_from_damaged() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(values(deep.as_bytes()).0, ["deep"]);
        let cut = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(199));
        assert_eq!(values(cut.as_bytes()).0, Vec::<String>::new());
    }

    #[test]
    fn an_unfinished_line_gives_only_a_complete_value() {
        assert!(matches!(recover(br#"{"type":"user","uuid":"a"}{"type":"#, true), Outcome::Damaged(_)));
        assert!(matches!(recover(br#"{"a":"\ud83d"}"#, true), Outcome::Values(_)));
    }
}
