//! The pure work on one block: from lines to pieces, each in canonical form, with what they say.
//!
//! It knows nothing of the lines before and after: whether a header may stand here is for `session.rs` to say.

use std::ops::Range;

use super::report::Header;
use super::stats::{Place, Tally};
use super::write::Edits;
use super::{check, direct, read};
use crate::input::{Block, Buffers};
use crate::json::canonical::{write_with, Sorter};
use crate::json::rewrite::Storage;
use crate::json::scan::PAD;
use crate::json::{Fault, FaultKind, Tape, Value, MAX_DEPTH};
use crate::{Code, Error, Result};

#[cfg(test)]
thread_local! {
    /// Tests turn the quick readers off with it, to compare them with the full one (on the thread that starts the work).
    pub(super) static FULL: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// What a thread keeps from block to block.
#[derive(Default)]
pub struct Scratch {
    tape: Tape,
    sorter: Sorter,
    edits: Edits,
    storage: Storage,
    line: Vec<u8>,
}

/// Lines of one kind that follow each other.
pub(super) struct Piece {
    /// The lines as they stand, in the block.
    pub raw: Range<usize>,
    /// Their canonical form, in [`Part::text`]. Empty for stats: those are written by who knows all events.
    pub text: Range<usize>,
    /// Offset in the block of the first byte that is not canonical.
    pub difference: Option<usize>,
    /// Number of the first line, in the block until the blocks before it are known.
    pub line: u64,
    /// Which of its events is the first with an id that stands in the session already; known once the ids were folded.
    pub repeated: Option<usize>,
    pub what: What,
}

pub(super) enum What {
    Header(Box<Header>),
    Events(Box<Tally>),
    /// The `source` of a stats line, canonical.
    Stats(Option<Vec<u8>>),
    Blank,
}

/// A block that was worked on.
pub(super) struct Part {
    pub block: Block,
    /// The canonical form where it differs from the block, and its padding.
    changed: Option<Vec<u8>>,
    pub pieces: Vec<Piece>,
    /// How many lines there are, where none is wrong.
    pub lines: u64,
    /// Why the work ended before the end of the block.
    pub error: Option<Error>,
    buffers: Buffers,
}

impl Part {
    /// Lines that nobody looks at any more.
    pub fn unread(block: Block, buffers: &Buffers) -> Part {
        Part { block, changed: None, pieces: Vec::new(), lines: 0, error: None, buffers: buffers.clone() }
    }

    pub fn new(block: Block, scratch: &mut Scratch, buffers: &Buffers) -> Part {
        let mut maker = Maker { block: &block, pieces: Vec::new(), out: None, line: 1, buffers };
        let error = maker.all(scratch).err();
        let (pieces, mut changed, lines) = (maker.pieces, maker.out, maker.line - 1);
        if let Some(text) = &mut changed {
            text.resize(text.len() + PAD, 0);
        }
        Part { block, changed, pieces, lines, error, buffers: buffers.clone() }
    }

    /// So many lines stand before the block.
    pub fn shift(&mut self, lines: u64) {
        for piece in &mut self.pieces {
            piece.line += lines;
            if let What::Events(tally) = &mut piece.what {
                tally.shift(lines);
            }
        }
        if let Some(Error { line: Some(line), .. }) = &mut self.error {
            *line += lines;
        }
    }

    /// The canonical text that the pieces' ranges mean.
    pub fn text(&self) -> &[u8] {
        match &self.changed {
            Some(padded) => &padded[..padded.len() - PAD],
            None => self.block.text(),
        }
    }

    /// The same with its padding.
    pub fn padded(&self) -> &[u8] {
        self.changed.as_deref().unwrap_or(self.block.padded())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(out) = self.changed.take() {
            self.buffers.give(out);
        }
    }
}

struct Maker<'b> {
    block: &'b Block,
    pieces: Vec<Piece>,
    /// The canonical text of the block, as soon as it differs from the block.
    out: Option<Vec<u8>>,
    line: u64,
    buffers: &'b Buffers,
}

impl<'b> Maker<'b> {
    fn all(&mut self, scratch: &mut Scratch) -> Result<()> {
        let text = self.block.text();
        let valid = match simdutf8::basic::from_utf8(text) {
            Ok(_) => text.len(),
            Err(_) => simdutf8::compat::from_utf8(text).map_or_else(|e| e.valid_up_to(), str::len),
        };
        if valid == text.len() {
            return self.lines(0, valid, scratch);
        }
        // The lines before the bad one are what they are: an error there comes first.
        let start = memchr::memrchr(b'\n', &text[..valid]).map_or(0, |at| at + 1);
        self.lines(0, start, scratch)?;
        Err(self.fault(start, Fault::new(FaultKind::InvalidUtf8, valid)))
    }

    fn lines(&mut self, mut i: usize, end: usize, scratch: &mut Scratch) -> Result<()> {
        let b = self.block.padded();
        #[cfg(test)]
        while i < end && FULL.get() {
            i = self.other(i, scratch)?;
            self.line += 1;
        }
        while i < end {
            match check::event(b, i) {
                Some((facts, after)) if after < end && b[after] == b'\n' => {
                    let place = (self.line, (facts.time_at - i + 1) as u64);
                    self.tally(i, after + 1).add(&facts, place);
                    self.keep(i..after + 1);
                    i = after + 1;
                }
                _ => {
                    i = match self.rewritten(i, end, &mut scratch.storage) {
                        Some(next) => next,
                        None => self.other(i, scratch)?,
                    }
                }
            }
            self.line += 1;
        }
        Ok(())
    }

    /// An event that is not canonical, but usual. Returns where the next line begins.
    #[inline(always)]
    fn rewritten(&mut self, start: usize, end: usize, storage: &mut Storage) -> Option<usize> {
        let b = self.block.padded();
        let mut out = self.out.take().unwrap_or_else(|| self.so_far(start));
        let from = out.len();
        let mut next = None;
        // The facts stay where they are made: moving them about would cost as much as reading some of them.
        if let Some((facts, mut after)) = direct::event(b, start, storage, &mut out) {
            while matches!(b[after], b' ' | b'\t' | b'\r') {
                after += 1;
            }
            if after >= end || b[after] == b'\n' {
                let end = (after + 1).min(end);
                out.push(b'\n');
                let place = (self.line, (facts.time_at - start + 1) as u64);
                self.tally_at(start, end, from).add(&facts, place);
                next = Some(end);
            }
        }
        if next.is_none() {
            out.truncate(from);
        } else if let Some(piece) = self.pieces.last_mut() {
            piece.text.end = out.len();
            piece.difference.get_or_insert_with(|| start + common(&b[start..self.block.len], &out[from..]));
        }
        self.out = Some(out);
        next
    }

    /// Any line that the quick reader does not know. Returns where the next one begins.
    #[inline(never)]
    fn other(&mut self, start: usize, scratch: &mut Scratch) -> Result<usize> {
        let text = self.block.text();
        let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at);
        let next = (end + 1).min(text.len());
        if text[start..end].iter().all(|c| matches!(c, b' ' | b'\t' | b'\r')) {
            self.blank(start..next);
            return Ok(next);
        }
        let Scratch { tape, sorter, edits, line: out, .. } = scratch;
        tape.clear();
        edits.clear();
        let root = self.parse(start, end, tape)?;
        self.one(root, start..next, edits, out, sorter)?;
        trim(out);
        Ok(next)
    }

    fn parse<'t>(&self, start: usize, end: usize, tape: &'t mut Tape) -> Result<Value<'t>>
    where
        'b: 't,
    {
        let b = self.block.padded();
        let (root, mut after) = tape.parse(b, start, MAX_DEPTH).map_err(|f| self.fault(start, f))?;
        while after < end && matches!(b[after], b' ' | b'\t' | b'\r') {
            after += 1;
        }
        if after != end {
            return Err(self.fault(start, Fault::new(FaultKind::Syntax, after)));
        }
        if let Some(at) = tape.duplicate {
            return Err(self.fault(start, Fault::new(FaultKind::DuplicateKey, at)));
        }
        Ok(tape.value(b, root))
    }

    /// One line of any type from its tape.
    fn one(
        &mut self,
        line: Value<'_>,
        raw: Range<usize>,
        edits: &mut Edits,
        out: &mut Vec<u8>,
        sorter: &mut Sorter,
    ) -> Result<()> {
        let start = raw.start;
        let refused = |maker: &Self, r: read::Refusal| maker.refusal(start, r);
        let Some(kind) = line.get_str("type") else {
            let at = line.get("type").map_or(line.offset(), Value::offset);
            let reason = if line.is_object() { "`type` must be a string" } else { "a line must be an object" };
            return Err(self.refusal(start, read::Refusal { code: Code::HailSchema, at, reason: reason.to_owned() }));
        };
        if kind.is("event") {
            let number = self.line;
            let tally = self.tally(start, raw.end);
            let place = |at: usize| -> Place { (number, (at - start + 1) as u64) };
            let facts = read::event(line, edits, &mut |w, at| tally.warnings.add(w, place(at)));
            match facts {
                Ok(facts) => tally.add(&facts, place(facts.time_at)),
                Err(r) => {
                    self.forget(start);
                    return Err(refused(self, r));
                }
            }
        } else if kind.is("header") {
            let header = read::header(line, edits).map_err(|r| refused(self, r))?;
            self.push(raw.clone(), self.at(start), What::Header(Box::new(header)));
        } else if kind.is("stats") {
            let source = read::stats(line).map_err(|r| refused(self, r))?;
            self.push(raw.clone(), self.at(start), What::Stats(source));
            // Not part of the text: whoever has seen all events writes it.
            self.replace(raw, b"");
            return Ok(());
        } else {
            let reason = "`type` must be \"header\", \"event\" or \"stats\"".to_owned();
            return Err(refused(self, read::Refusal { code: Code::HailSchema, at: kind.offset(), reason }));
        }
        self.write(line, raw, edits, out, sorter);
        Ok(())
    }

    fn write(&mut self, line: Value<'_>, raw: Range<usize>, edits: &mut Edits, out: &mut Vec<u8>, sorter: &mut Sorter) {
        let text = self.block.text();
        if edits.is_empty() && line.is_canonical() && text[raw.clone()].len() == line.raw().len() + 1 {
            self.keep(raw);
            return;
        }
        out.clear();
        if edits.is_empty() {
            write_with(line, out, sorter);
        } else {
            edits.write(line, out, sorter);
        }
        out.push(b'\n');
        self.changed(raw, out);
    }

    /// The canonical form of the line `raw` is `line`, another text.
    fn changed(&mut self, raw: Range<usize>, line: &[u8]) {
        let text = &self.block.data[raw.start..self.block.len];
        if let Some(Piece { difference: difference @ None, .. }) = self.pieces.last_mut() {
            *difference = Some(raw.start + common(text, line));
        }
        self.replace(raw, line);
    }

    fn blank(&mut self, raw: Range<usize>) {
        match self.pieces.last_mut() {
            Some(piece) if matches!(piece.what, What::Events(_)) => piece.raw.end = raw.end,
            _ => self.push(raw.clone(), self.at(raw.start), What::Blank),
        }
        self.difference(raw.start);
        self.replace(raw, b"");
    }

    /// The piece of events that the line `start..end` belongs to.
    #[inline(always)]
    fn tally(&mut self, start: usize, end: usize) -> &mut Tally {
        let at = self.at(start);
        self.tally_at(start, end, at)
    }

    /// The same, where the line's canonical form begins at `at`.
    #[inline(always)]
    fn tally_at(&mut self, start: usize, end: usize, at: usize) -> &mut Tally {
        if !matches!(self.pieces.last(), Some(Piece { what: What::Events(_), .. })) {
            self.push(start..end, at, What::Events(Box::default()));
        }
        match self.pieces.last_mut() {
            Some(Piece { what: What::Events(tally), raw, .. }) => {
                raw.end = end;
                tally
            }
            _ => unreachable!("a piece of events was pushed"),
        }
    }

    /// Take the line from `start` on out of the last piece: it was refused.
    fn forget(&mut self, start: usize) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.raw.end = start;
            if piece.raw.is_empty() {
                self.pieces.pop();
            }
        }
    }

    fn push(&mut self, raw: Range<usize>, at: usize, what: What) {
        self.pieces.push(Piece { raw, text: at..at, difference: None, line: self.line, repeated: None, what });
    }

    /// Where the canonical form of the line at `start` begins.
    #[inline(always)]
    fn at(&self, start: usize) -> usize {
        self.out.as_ref().map_or(start, Vec::len)
    }

    /// The canonical form of the lines before `start`, which has not differed from them so far; so offsets stay what
    /// they were.
    fn so_far(&self, start: usize) -> Vec<u8> {
        let mut out = self.buffers.take();
        out.clear();
        out.extend_from_slice(&self.block.data[..start]);
        out
    }

    fn difference(&mut self, at: usize) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.difference.get_or_insert(at);
        }
    }

    /// The line is canonical as it stands.
    #[inline(always)]
    fn keep(&mut self, raw: Range<usize>) {
        let mut end = raw.end;
        if let Some(out) = &mut self.out {
            out.extend_from_slice(&self.block.data[raw]);
            end = out.len();
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.text.end = end;
        }
    }

    /// The canonical form has `text` where `raw` stands.
    fn replace(&mut self, raw: Range<usize>, text: &[u8]) {
        let mut out = self.out.take().unwrap_or_else(|| self.so_far(raw.start));
        out.extend_from_slice(text);
        if let Some(piece) = self.pieces.last_mut() {
            piece.text.end = out.len();
        }
        self.out = Some(out);
    }

    #[cold]
    fn fault(&self, start: usize, fault: Fault) -> Error {
        let bom = fault.at == start && self.block.text()[start..].starts_with("\u{feff}".as_bytes());
        let reason = if bom { "a byte order mark is not allowed" } else { fault.kind.reason() };
        self.error(start, Code::HailSyntax, fault.at, reason.to_owned())
    }

    #[cold]
    fn refusal(&self, start: usize, r: read::Refusal) -> Error {
        self.error(start, r.code, r.at, r.reason)
    }

    fn error(&self, start: usize, code: Code, at: usize, reason: String) -> Error {
        Error::new(code, reason).at(self.line, Some((at - start + 1) as u64))
    }
}

/// Give back what an exceptional line took.
fn trim(line: &mut Vec<u8>) {
    if line.capacity() > 1 << 20 {
        *line = Vec::new();
    }
}

/// Length of the longest common prefix.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}
