//! From lines to records: the pure part of parsing, done for each block of lines on any thread.

use std::ops::Range;

use super::event::Marks;
use crate::input::Block;
use crate::json::salvage::{self, Mended, Outcome, Repairs, RECORD_DEPTH};
use crate::json::{Tape, Value};

/// One unit of the ledger: a JSON value, or a line without one.
#[derive(Debug)]
pub enum Record {
    /// A clean line: its value on the tape of the batch, and what was prepared of it.
    Clean(u32, Marks),
    /// A value that was mended. `line` is where all of its line stands, for the first value of a line only.
    Mended {
        value: Box<Mended>,
        line: Option<Range<usize>>,
    },
    /// A value nested too deeply, as text.
    Deep {
        text: Vec<u8>,
        repairs: Repairs,
        line: Range<usize>,
    },
    Damaged {
        line: Range<usize>,
    },
    Blank,
}

/// The records of one block of lines.
#[derive(Debug)]
pub struct Batch {
    pub block: Block,
    pub tape: Tape,
    pub records: Vec<Record>,
    /// How many lines end in it.
    pub lines: u64,
    /// Repairs that belong to lines, not to records.
    pub line_repairs: Repairs,
    /// Offset of an unfinished last line that is left for the next read.
    pub tail: Option<usize>,
}

impl Batch {
    pub fn value(&self, node: u32) -> Value<'_> {
        self.tape.value(&self.block.data, node)
    }

    /// Do for each clean record what does not need those before it.
    pub fn prepare(&mut self, prepare: fn(Value<'_>) -> Marks) {
        let Batch { block, tape, records, .. } = self;
        for record in records {
            if let Record::Clean(node, marks) = record {
                *marks = prepare(tape.value(&block.data, *node));
            }
        }
    }

    pub fn line(&self, line: &Range<usize>) -> &[u8] {
        &self.block.data[line.clone()]
    }
}

/// What the records are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// The header: values are looked into, so a key that stands twice and bytes that are no UTF-8 need no repair.
    Looking,
    Writing,
}

/// Split a block into records. `is_final`: a last line without LF counts even if it is no complete value.
pub fn read(block: Block, mut tape: Tape, is_final: bool, purpose: For) -> Batch {
    tape.clear();
    let len = block.len;
    let utf8 = purpose == For::Looking || simdutf8::basic::from_utf8(block.text()).is_ok();
    let mut batch = Batch { block, tape, records: Vec::new(), lines: 0, line_repairs: Repairs::default(), tail: None };
    let mut at = 0;
    while at < len {
        // Files that were joined have a byte order mark in the middle too, before a record.
        let marked = batch.block.data[at..].starts_with(b"\xef\xbb\xbf");
        if marked && (batch.block.seq == 0 && at == 0 || batch.block.data[at + 3] == b'{') {
            batch.line_repairs.bom += 1;
            at += 3;
        }
        let end = match read_clean(&mut batch, at, utf8, purpose) {
            Some(end) => end,
            None => {
                let end = memchr::memchr(b'\n', &batch.block.data[at..len]).map_or(len, |n| at + n);
                read_other(&mut batch, at..end, end == len && !is_final);
                end
            }
        };
        if end > at && batch.block.data[end - 1] == b'\r' {
            batch.line_repairs.crlf += 1;
        }
        batch.lines += (end < len) as u64;
        at = end + 1;
    }
    batch
}

/// Read a line that is one value and nothing else; returns where it ends. It is not searched for its end before: the
/// value leads there.
#[inline(always)]
fn read_clean(batch: &mut Batch, start: usize, utf8: bool, purpose: For) -> Option<usize> {
    let mark = batch.tape.len();
    let text = &batch.block.data;
    let parsed = match purpose {
        For::Looking => batch.tape.parse_to_look(text, start, RECORD_DEPTH),
        For::Writing => batch.tape.parse(text, start, RECORD_DEPTH),
    };
    if let Ok((root, mut end)) = parsed {
        while end < batch.block.len && is_blank(text[end]) {
            end += 1;
        }
        let alone = (end == batch.block.len || text[end] == b'\n') && batch.tape.duplicate.is_none();
        if alone && (utf8 || simdutf8::basic::from_utf8(&text[start..end]).is_ok()) {
            batch.records.push(Record::Clean(root, Marks::default()));
            return Some(end);
        }
    }
    batch.tape.truncate(mark);
    None
}

/// `whole`: the line may still be written.
fn read_other(batch: &mut Batch, line: Range<usize>, whole: bool) {
    let text = &batch.block.data;
    if blank(&text[line.clone()]) {
        batch.records.push(Record::Blank);
        return;
    }
    match salvage::recover(&text[line.clone()], whole) {
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
    line.iter().all(|c| is_blank(*c))
}

#[inline(always)]
fn is_blank(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r')
}
