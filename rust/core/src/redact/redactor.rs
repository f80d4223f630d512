//! From a session to one without its secrets.
//!
//! A reader that stands between the input and the canonicalizer: it puts placeholders where secrets stand, takes out
//! what would let somebody find them again, and writes into the stats line what it did. What it hands on need not be
//! canonical; that is the next one's work. Memory holds one block, and 16 bytes for each value that was seen.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;

use super::detect::Detector;
use super::layers::{self, placeholder, Found};
use super::scan::{each_line, Policy};
use crate::digest::short;
use crate::hail::{self, SessionInfo, Target};
use crate::input::{Block, BlockReader, Next};
use crate::json::{string, Tape, Value, MAX_DEPTH};
use crate::{Code, Error, Result};

/// A line is looked at again until nothing is found in it. Each look replaces at least one secret by a placeholder, which is
/// none, so a line that is not clean after so many is a bug of ours.
const LOOKS: usize = 64;

/// The session that was written, and what was taken out of it.
#[derive(Debug)]
pub struct Redaction {
    pub session: SessionInfo,
    /// How often each rule was applied.
    pub rules: BTreeMap<String, u64>,
    /// How many different values there were.
    pub values: u64,
}

/// Write `reader`'s one session without its secrets to what `open` gives.
pub fn redact<'w, R: Read + Send>(
    reader: BlockReader<'_, R>,
    jobs: usize,
    max_line: usize,
    policy: &Policy,
    open: &mut dyn FnMut() -> Result<Target<'w>>,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Redaction> {
    let mut redactor = Redactor::new(reader, policy);
    // Placeholders may be longer than what they stand for, so the second reader allows for longer lines.
    let mut lines = BlockReader::new(&mut redactor).max_line(max_line.saturating_mul(2));
    let mut sessions = hail::canonicalize(&mut lines, jobs, open, tick)?;
    drop(lines);
    match (sessions.pop(), sessions.is_empty()) {
        (Some(session), true) => Ok(Redaction { session, rules: redactor.rules, values: redactor.values.len() as u64 }),
        _ => Err(Error::new(Code::Internal, "more than one session came out of one")),
    }
}

struct Redactor<'t, 'p, R> {
    reader: BlockReader<'t, R>,
    policy: &'p Policy,
    detector: &'static Detector,
    /// What was made of the last block, and how much of it was handed on.
    out: Vec<u8>,
    sent: usize,
    ended: bool,
    headers: u64,
    stats: bool,
    /// The number of each value, by the digest of the value.
    values: HashMap<[u8; 16], u64>,
    rules: BTreeMap<String, u64>,
    tape: Tape,
}

impl<R: Read> Read for Redactor<'_, '_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.sent == self.out.len() {
            if self.ended {
                return Ok(0);
            }
            self.out.clear();
            self.sent = 0;
            match self.reader.next().map_err(io::Error::other)? {
                Next::Block(block) => self.block(&block).map_err(io::Error::other)?,
                Next::Pending => return Err(ErrorKind::WouldBlock.into()),
                Next::End => self.end(),
            }
        }
        let n = to.len().min(self.out.len() - self.sent);
        to[..n].copy_from_slice(&self.out[self.sent..self.sent + n]);
        self.sent += n;
        Ok(n)
    }
}

impl<'t, 'p, R: Read> Redactor<'t, 'p, R> {
    fn new(reader: BlockReader<'t, R>, policy: &'p Policy) -> Redactor<'t, 'p, R> {
        Redactor {
            reader,
            policy,
            detector: Detector::get(),
            out: Vec::new(),
            sent: 0,
            ended: false,
            headers: 0,
            stats: false,
            values: HashMap::new(),
            rules: BTreeMap::new(),
            tape: Tape::new(),
        }
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        let text = block.text();
        let mut touched: Vec<(Range<usize>, Vec<usize>)> = Vec::new();
        let base = text.as_ptr() as usize;
        each_line(self.detector, text, &mut Vec::new(), |_, line, candidates| {
            let start = line.as_ptr() as usize - base;
            touched.push((start..start + line.len(), candidates.to_vec()));
        });
        let (mut done, mut number, mut counted) = (0, block.first_line, 0);
        let mut secrets = touched.into_iter().peekable();
        for line in lines(text) {
            let candidates = match secrets.peek() {
                Some((range, _)) if range.start == line.start => secrets.next().map(|s| s.1),
                _ => None,
            };
            if candidates.is_none() && !is_special(&text[line.clone()]) {
                continue;
            }
            self.out.extend_from_slice(&text[done..line.start]);
            number += memchr::memchr_iter(b'\n', &text[counted..line.start]).count() as u64;
            counted = line.start;
            let clean = self.line(&text[line.clone()], candidates.as_deref().unwrap_or_default());
            let clean = clean.map_err(|e| e.at(number, None))?;
            self.out.extend_from_slice(&clean);
            done = line.end;
        }
        self.out.extend_from_slice(&text[done..]);
        Ok(())
    }

    /// The input has ended: a session without a stats line gets one, because the record stands there.
    fn end(&mut self) {
        self.ended = true;
        if self.headers > 0 && !self.stats {
            self.out.extend_from_slice(b"\n{\"type\":\"stats\",\"source\":");
            let source = self.source(None);
            self.out.extend_from_slice(&source);
            self.out.extend_from_slice(b"}\n");
        }
    }

    /// One line without its secrets, and without the copies of its raw bytes.
    fn line(&mut self, line: &[u8], candidates: &[usize]) -> Result<Vec<u8>> {
        let block = Block::of(line);
        let mut tape = Tape::new();
        let Ok((root, _)) = tape.parse(block.padded(), 0, MAX_DEPTH) else {
            // No JSON: the canonicalizer will say so, and where.
            return Ok(line.to_vec());
        };
        let root = tape.value(block.padded(), root);
        let kind = root.get_str("type").and_then(Value::string).unwrap_or_default();
        if kind == "header" {
            self.headers += 1;
            if self.headers > 1 {
                return Err(Error::new(
                    Code::HailSchema,
                    "a second session begins here; only one can be redacted at a time",
                ));
            }
        }
        let raw = without_raw(root, line);
        // Where bytes were taken out, the places of the candidates are no longer known.
        let mut clean = match raw {
            Some(shorter) => self.clean(shorter, None)?,
            None => self.clean(line.to_vec(), Some(candidates))?,
        };
        if kind == "stats" {
            self.stats = true;
            clean = self.stats_line(&clean);
        }
        Ok(clean)
    }

    fn clean(&mut self, mut line: Vec<u8>, mut candidates: Option<&[usize]>) -> Result<Vec<u8>> {
        for _ in 0..LOOKS {
            let all: Vec<usize>;
            let places = match candidates.take() {
                Some(places) => places,
                None => {
                    let mut found = Vec::new();
                    self.detector.candidates(&line, &mut found);
                    found.sort_unstable();
                    all = found;
                    &all
                }
            };
            // The line was JSON when it came, and placeholders stand inside of strings only.
            let mut found = layers::of_json(self.detector, &line, places, &mut self.tape).unwrap_or_default();
            found.retain(|f| !self.policy.allows(self.detector.rules[f.rule].id, &f.value));
            if found.is_empty() {
                return Ok(line);
            }
            line = self.replace(&line, &found);
        }
        Err(Error::new(Code::Internal, "a line still holds a secret after it was redacted; this is a bug"))
    }

    fn replace(&mut self, line: &[u8], found: &[Found]) -> Vec<u8> {
        let mut out = Vec::with_capacity(line.len());
        let mut at = 0;
        for f in found {
            let rule = self.detector.rules[f.rule].id;
            let next = self.values.len() as u64 + 1;
            let number = *self.values.entry(short(&f.value)).or_insert(next);
            *self.rules.entry(rule.to_owned()).or_default() += 1;
            out.extend_from_slice(&line[at..f.raw.start]);
            let quote: &[u8] = if f.bare { b"\"" } else { b"" };
            out.extend_from_slice(quote);
            out.extend_from_slice(&placeholder(rule, number));
            out.extend_from_slice(quote);
            at = f.raw.end;
        }
        out.extend_from_slice(&line[at..]);
        out
    }

    /// The stats line with the record. Its numbers are computed again by the canonicalizer.
    fn stats_line(&mut self, line: &[u8]) -> Vec<u8> {
        let block = Block::of(line);
        let mut tape = Tape::new();
        let Ok((root, _)) = tape.parse(block.padded(), 0, MAX_DEPTH) else { return line.to_vec() };
        let source = tape.value(block.padded(), root).get_some("source");
        if source.is_some_and(|s| !s.is_object()) {
            return line.to_vec();
        }
        let mut out = b"{\"type\":\"stats\",\"source\":".to_vec();
        out.extend_from_slice(&self.source(source));
        out.push(b'}');
        out
    }

    /// `stats.source` without the hashes of what was parsed: they would let a guess at a secret be checked.
    fn source(&mut self, source: Option<Value<'_>>) -> Vec<u8> {
        let mut out = b"{".to_vec();
        for (key, value) in source.iter().flat_map(|s| s.members()) {
            if key.is("blake3") {
                continue;
            }
            if key.is("redacted") {
                self.add_record(value);
                continue;
            }
            out.extend_from_slice(key.raw());
            out.push(b':');
            if key.is("parts") {
                without_hashes(value, &mut out)
            } else {
                out.extend_from_slice(value.raw())
            }
            out.push(b',');
        }
        out.extend_from_slice(b"\"redacted\":{\"rules\":{");
        for (k, (rule, count)) in self.rules.iter().enumerate() {
            if k > 0 {
                out.push(b',');
            }
            string::write(rule.as_bytes(), &mut out);
            out.extend_from_slice(format!(":{count}").as_bytes());
        }
        out.extend_from_slice(b"}}}");
        out
    }

    /// What an earlier redaction did stays on record.
    fn add_record(&mut self, record: Value<'_>) {
        for (rule, count) in record.get("rules").iter().flat_map(|r| r.members()) {
            let (Some(rule), Some(count)) = (rule.string(), count.u64()) else { continue };
            let sum = self.rules.entry(rule).or_default();
            *sum = sum.saturating_add(count);
        }
    }
}

/// The lines of a block, without their LF.
fn lines(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    memchr::memchr_iter(b'\n', text).chain((!text.ends_with(b"\n") && !text.is_empty()).then_some(text.len())).map(
        move |end| {
            let line = start..end;
            start = end + 1;
            line
        },
    )
}

/// A line that has to be read whatever it holds: the first and the last of a session, and those with copies of raw bytes.
/// Names that are spelled with escapes make the line a candidate already.
fn is_special(line: &[u8]) -> bool {
    let head = |word: &[u8]| memchr::memmem::find(line, word).is_some();
    head(b"\"stats\"") || head(b"\"header\"") || head(b"source.raw")
}

/// The line without `source.raw` and `source.raw_encoding`; `None` if it has none.
fn without_raw(root: Value<'_>, line: &[u8]) -> Option<Vec<u8>> {
    let attributes = root.get("attributes").filter(|a| a.is_object())?;
    let raw = |key: Value<'_>| key.is("source.raw") || key.is("source.raw_encoding");
    if !attributes.members().any(|(key, _)| raw(key)) {
        return None;
    }
    let mut out = line[..attributes.offset()].to_vec();
    out.push(b'{');
    let mut comma = false;
    for (key, value) in attributes.members().filter(|(key, _)| !raw(*key)) {
        if std::mem::replace(&mut comma, true) {
            out.push(b',');
        }
        out.extend_from_slice(key.raw());
        out.push(b':');
        out.extend_from_slice(value.raw());
    }
    out.push(b'}');
    out.extend_from_slice(&line[attributes.offset() + attributes.raw().len()..]);
    Some(out)
}

/// The list of side files without their hashes.
fn without_hashes(parts: Value<'_>, out: &mut Vec<u8>) {
    if !parts.is_array() {
        out.extend_from_slice(parts.raw());
        return;
    }
    out.push(b'[');
    for (k, part) in parts.items().enumerate() {
        if k > 0 {
            out.push(b',');
        }
        if !part.is_object() {
            out.extend_from_slice(part.raw());
            continue;
        }
        out.push(b'{');
        for (n, (key, value)) in part.members().filter(|(key, _)| !key.is("blake3")).enumerate() {
            if n > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key.raw());
            out.push(b':');
            out.extend_from_slice(value.raw());
        }
        out.push(b'}');
    }
    out.push(b']');
}
