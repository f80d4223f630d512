//! The order of lines: sessions begin with a header, end with stats, and no id comes twice.
//!
//! Gets the pieces of all blocks in order on one thread, and hands their bytes to an [`Output`].

use super::ids::Ids;
use super::lines::{common, Part, Piece, What};
use super::report::{Header, SessionInfo};
use super::stats::{Stats, Tally};
use crate::digest::Digest;
use crate::json::{Tape, MAX_DEPTH};
use crate::{Code, Error, Result};

/// Where the bytes of sessions go.
pub(super) trait Output {
    /// A session begins.
    fn begin(&mut self) -> Result<()>;
    /// Bytes of the session: as they stand, and their canonical form. `same` says that the two are equal.
    fn put(&mut self, raw: &[u8], text: &[u8], same: bool) -> Result<()>;
    /// Bytes that are part of no session, or of a damaged one.
    fn outside(&mut self, raw: &[u8]);
    /// The session ends: the digest of its canonical form.
    fn end(&mut self) -> Result<Digest>;
}

/// The session that has begun and not ended.
struct Open {
    header: Header,
    stats: Stats,
    /// Offset of its first byte in the input.
    start: u64,
    first_difference: Option<u64>,
    /// Length of its canonical form so far.
    bytes: u64,
}

impl Open {
    fn difference(&mut self, at: u64) {
        self.first_difference.get_or_insert(at - self.start);
    }
}

/// What depends on the blocks before, but not on a thread: the numbers of lines, and the ids of the session that is open.
/// Sees the blocks in order too, before [`Sessions`] does.
#[derive(Default)]
pub(super) struct Before {
    /// Lines that were seen.
    lines: u64,
    ids: Option<Ids>,
}

impl Before {
    /// Number the lines of a block, and find its ids that are not new.
    pub fn look(&mut self, part: &mut Part) {
        part.shift(self.lines);
        self.lines += part.lines;
        for piece in &mut part.pieces {
            match &piece.what {
                What::Header(_) => self.ids = Some(Ids::new()),
                What::Events(tally) => {
                    // Events outside of a session are refused for that.
                    let Some(ids) = &mut self.ids else { continue };
                    piece.repeated = ids.insert_all(&tally.ids).err();
                    if piece.repeated.is_some() {
                        self.ids = None;
                    }
                }
                What::Stats(_) => self.ids = None,
                What::Blank => {}
            }
        }
    }

    /// An error of the reader, which does not count lines: it is about the one after those that were seen.
    pub fn place(&self, error: Error) -> Error {
        match error.code {
            Code::LineTooLong => error.at(self.lines + 1, None),
            _ => error,
        }
    }
}

pub(super) struct Sessions<O> {
    pub output: O,
    pub done: Vec<SessionInfo>,
    open: Option<Open>,
    /// Where blank lines began that precede a header.
    blank: Option<u64>,
    /// Offset after the last byte that was taken.
    end: u64,
}

impl<O: Output> Sessions<O> {
    pub fn new(output: O) -> Sessions<O> {
        Sessions { output, done: Vec::new(), open: None, blank: None, end: 0 }
    }

    /// Take the next block. After an error the rest of the block has gone to [`Output::outside`].
    pub fn take(&mut self, mut part: Part) -> Result<()> {
        let pieces = std::mem::take(&mut part.pieces);
        let mut at = 0;
        for piece in pieces {
            at = piece.raw.start;
            let end = piece.raw.end;
            if let Err(e) = self.piece(&part, piece) {
                self.output.outside(&part.block.text()[at..]);
                return Err(e);
            }
            at = end;
        }
        self.end = part.block.offset + at as u64;
        self.output.outside(&part.block.text()[at..]);
        part.error.take().map_or(Ok(()), Err)
    }

    fn piece(&mut self, part: &Part, piece: Piece) -> Result<()> {
        let offset = part.block.offset;
        let at = offset + piece.raw.start as u64;
        let raw = &part.block.text()[piece.raw.clone()];
        let text = &part.text()[piece.text.clone()];
        match piece.what {
            What::Blank => return self.blank(at, raw),
            What::Header(header) => self.begin(*header, at, piece.line)?,
            What::Events(tally) => {
                let repeated = piece.repeated.map(|nth| repeated_id(raw, piece.line, nth));
                self.events(&tally, piece.line, repeated)?
            }
            What::Stats(source) => {
                self.expect_session(piece.line)?;
                return self.finish(at, raw, source);
            }
        }
        let open = self.open.as_mut().expect("a session is open");
        if let Some(difference) = piece.difference {
            open.difference(offset + difference as u64);
        }
        open.bytes += text.len() as u64;
        self.output.put(raw, text, piece.difference.is_none())
    }

    fn begin(&mut self, header: Header, at: u64, line: u64) -> Result<()> {
        if self.open.is_some() {
            return Err(schema("a header stands inside a session (a stats line ends one)", line));
        }
        let blank = self.blank.take();
        self.output.begin()?;
        self.open = Some(Open {
            header,
            stats: Stats::new(),
            start: blank.unwrap_or(at),
            first_difference: blank.map(|_| 0),
            bytes: 0,
        });
        Ok(())
    }

    fn events(&mut self, tally: &Tally, line: u64, repeated: Option<Error>) -> Result<()> {
        self.expect_session(line)?;
        if let Some(error) = repeated {
            return Err(error);
        }
        let open = self.open.as_mut().expect("a session is open");
        open.stats.join(tally);
        Ok(())
    }

    fn expect_session(&self, line: u64) -> Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        let reason = match self.done.is_empty() {
            true => "a session begins with a header",
            false => "only a header may follow a stats line",
        };
        Err(schema(reason, line))
    }

    fn blank(&mut self, at: u64, raw: &[u8]) -> Result<()> {
        if let Some(open) = &mut self.open {
            open.difference(at);
            return self.output.put(raw, b"", false);
        }
        match self.done.last_mut() {
            // After a session's end they are its own.
            Some(last) => {
                last.first_difference.get_or_insert(last.input_bytes);
                last.input_bytes += raw.len() as u64;
            }
            None => {
                self.blank.get_or_insert(at);
            }
        }
        self.output.outside(raw);
        Ok(())
    }

    /// Write the stats line, which stands as `raw` in the input, and end the session.
    fn finish(&mut self, at: u64, raw: &[u8], source: Option<Vec<u8>>) -> Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let numbers = open.stats.numbers();
        let mut line = Vec::new();
        numbers.write_line(source.as_deref(), &mut line);
        if line != raw {
            open.difference(at + common(raw, &line) as u64);
        }
        self.output.put(raw, &line, line == raw)?;
        self.done.push(SessionInfo {
            sha256: self.output.end()?,
            bytes: open.bytes + line.len() as u64,
            input_bytes: at + raw.len() as u64 - open.start,
            header: open.header,
            stats: numbers,
            source,
            first_difference: open.first_difference,
            warnings: open.stats.warnings,
        });
        Ok(())
    }

    /// The input has ended. A session without a stats line gets one.
    pub fn close(&mut self) -> Result<()> {
        if self.open.is_some() {
            self.finish(self.end, b"", None)?;
        }
        if self.done.is_empty() {
            return Err(Error::new(Code::HailEmpty, "the input holds no session"));
        }
        Ok(())
    }

    /// Offset in the input of the first byte that differs from the canonical form.
    pub fn first_difference(&self) -> Option<u64> {
        let mut start = 0;
        for session in &self.done {
            if let Some(at) = session.first_difference {
                return Some(start + at);
            }
            start += session.input_bytes;
        }
        let open = self.open.as_ref()?;
        open.first_difference.map(|at| open.start + at)
    }
}

fn schema(reason: &str, line: u64) -> Error {
    Error::new(Code::HailSchema, reason).at(line, Some(1))
}

/// The place of the id of the `nth` event of a piece that begins with `line`.
#[cold]
fn repeated_id(raw: &[u8], line: u64, nth: usize) -> Error {
    let error = Error::new(Code::HailInvalid, "`event_id` stands in an earlier event of this session already");
    let blank = |l: &[u8]| l.iter().all(|c| matches!(c, b' ' | b'\t' | b'\r'));
    let found = raw.split(|&c| c == b'\n').enumerate().filter(|(_, l)| !blank(l)).nth(nth);
    let Some((at, text)) = found else { return error.at(line, None) };
    let block = crate::input::Block::of(text);
    let mut tape = Tape::new();
    let column = tape.parse(block.padded(), 0, MAX_DEPTH).ok().and_then(|(root, _)| {
        let id = tape.value(block.padded(), root).get("event_id")?;
        Some(id.offset() as u64 + 1)
    });
    error.at(line + at as u64, column)
}
