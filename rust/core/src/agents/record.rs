//! From lines to records: the pure part of parsing, done for each block of lines on any thread.

use std::ops::Range;

use crate::json::salvage::{self, Mended, Outcome, Repairs, RECORD_DEPTH};
use crate::json::{Tape, Value};

/// One unit of the ledger: a JSON value, or a line without one.
#[derive(Debug)]
pub enum Record {
    /// A clean line: its value on the tape of the batch.
    Clean(u32),
    /// A value that was mended. `line` is where all of its line stands, for the first value of a line only.
    Mended { value: Box<Mended>, line: Option<Range<usize>> },
    /// A value nested too deeply, as text.
    Deep { text: Vec<u8>, repairs: Repairs, line: Range<usize> },
    Damaged { line: Range<usize> },
    Blank,
}

/// The records of one block of lines.
#[derive(Debug)]
pub struct Batch {
    pub text: Vec<u8>,
    pub tape: Tape,
    pub records: Vec<Record>,
    /// Repairs that belong to lines, not to records.
    pub line_repairs: Repairs,
    /// Offset of an unfinished last line that is left for the next read.
    pub tail: Option<usize>,
}

impl Batch {
    pub fn value(&self, node: u32) -> Value<'_> {
        self.tape.value(&self.text, node)
    }
}

/// How the last line of the input is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The input begins with this block: a byte order mark may stand there.
    pub first: bool,
    /// A last line without LF counts even if it is no complete value.
    pub is_final: bool,
}

/// Split `text[..len]` (padded) into records. Every line but a last one ends in LF.
pub fn read(text: Vec<u8>, len: usize, mut tape: Tape, how: Reading) -> Batch {
    tape.clear();
    let mut batch = Batch { text, tape, records: Vec::new(), line_repairs: Repairs::default(), tail: None };
    let mut at = 0;
    if how.first && batch.text[..len].starts_with(b"\xef\xbb\xbf") {
        batch.line_repairs.bom += 1;
        at = 3;
    }
    while at < len {
        let end = memchr::memchr(b'\n', &batch.text[at..len]).map(|n| at + n);
        let line = at..end.unwrap_or(len);
        if line.end > line.start && batch.text[line.end - 1] == b'\r' {
            batch.line_repairs.crlf += 1;
        }
        at = end.map_or(len, |n| n + 1);
        read_line(&mut batch, line, end.is_some(), how.is_final);
    }
    batch
}

fn read_line(batch: &mut Batch, line: Range<usize>, finished: bool, is_final: bool) {
    let mark = batch.tape.len();
    match batch.tape.parse(&batch.text, line.start, RECORD_DEPTH) {
        Ok((root, end)) if batch.tape.duplicate.is_none() && blank(&batch.text[end.min(line.end)..line.end]) => {
            if simdutf8::basic::from_utf8(&batch.text[line.clone()]).is_ok() {
                batch.records.push(Record::Clean(root));
                return;
            }
        }
        _ => {}
    }
    batch.tape.truncate(mark);
    if blank(&batch.text[line.clone()]) {
        batch.records.push(Record::Blank);
        return;
    }
    let whole = !finished && !is_final;
    match salvage::recover(&batch.text[line.clone()], whole) {
        Outcome::Values(values) => {
            for (n, value) in values.into_iter().enumerate() {
                let line = (n == 0).then(|| line.clone());
                batch.records.push(Record::Mended { value: Box::new(value), line });
            }
        }
        Outcome::Deep(text, repairs) => batch.records.push(Record::Deep { text, repairs, line }),
        Outcome::Damaged(_) if whole => {
            batch.line_repairs.tail_incomplete += (line.end - line.start) as u64;
            batch.tail = Some(line.start);
        }
        Outcome::Damaged(_) => batch.records.push(Record::Damaged { line }),
    }
}

fn blank(line: &[u8]) -> bool {
    line.iter().all(|c| matches!(c, b' ' | b'\t' | b'\r'))
}
