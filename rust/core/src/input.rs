//! Input as blocks of whole lines.
//!
//! Owns the only place where a line is cut: at byte 0x0A, nowhere else. It knows no JSON, but leaves room for the
//! scanner's padding behind every block. Buffers are used again; one that an exceptional line has grown is not.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Mutex};

use crate::json::scan::PAD;
use crate::{Code, Error, Result};

/// Text of one block, unless a single line is longer. Two of them (in and out) fit the second level cache of a core.
pub const BLOCK: usize = 512 << 10;

/// Longest line that is read where the caller names no limit.
pub const MAX_LINE: usize = 512 << 20;

/// No limit may exceed this: offsets inside a block are 32 bits wide.
const HARD_MAX_LINE: usize = 2 << 30;

/// After so many bytes without the end of a line the reader returns [`Next::Pending`], so that its caller can be asked
/// to stop.
const BREATH: usize = 16 << 20;

/// Buffers that wait to be used again, unless they are larger than usual. Clones share them.
#[derive(Debug, Clone)]
pub struct Buffers {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
    usual: usize,
}

impl Buffers {
    /// An own set of buffers for results of about the size of the reader's blocks.
    pub fn of<R>(reader: &BlockReader<'_, R>) -> Buffers {
        Buffers::new(reader.block)
    }

    fn new(block: usize) -> Buffers {
        Buffers { free: Arc::default(), usual: 2 * block + PAD }
    }

    /// A buffer with any content.
    pub fn take(&self) -> Vec<u8> {
        self.free.lock().ok().and_then(|mut free| free.pop()).unwrap_or_default()
    }

    pub fn give(&self, buffer: Vec<u8>) {
        if buffer.capacity() > 0 && buffer.capacity() <= self.usual {
            if let Ok(mut free) = self.free.lock() {
                free.push(buffer);
            }
        }
    }
}

/// Some whole lines of an input. The last line of the last block may lack its LF.
#[derive(Debug)]
pub struct Block {
    /// Number of the block, from 0.
    pub seq: u64,
    /// Offset of its first byte in the input.
    pub offset: u64,
    /// Number of its first line, from 1; 1 where nobody counts.
    pub first_line: u64,
    /// The text, and [`PAD`] zero bytes after it.
    pub data: Vec<u8>,
    /// Length of the text.
    pub len: usize,
    /// Nothing comes after it.
    pub last: bool,
    buffers: Option<Buffers>,
}

impl Block {
    /// A block of its own over `text`, for tests and for what is in memory already.
    pub fn of(text: &[u8]) -> Block {
        let mut data = text.to_vec();
        data.resize(text.len() + PAD, 0);
        Block { seq: 0, offset: 0, first_line: 1, data, len: text.len(), last: true, buffers: None }
    }

    pub fn text(&self) -> &[u8] {
        &self.data[..self.len]
    }

    /// The text followed by its padding.
    pub fn padded(&self) -> &[u8] {
        &self.data[..self.len + PAD]
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(buffers) = &self.buffers {
            buffers.give(std::mem::take(&mut self.data));
        }
    }
}

/// What [`BlockReader::next`] found.
#[derive(Debug)]
pub enum Next {
    Block(Block),
    /// Nothing yet: the source would block, was interrupted, or the line is very long. Ask again.
    Pending,
    End,
}

type Tap<'t> = Box<dyn FnMut(&[u8]) + Send + 't>;

/// Reads blocks of whole lines.
///
/// A source may return `WouldBlock` or `Interrupted`: the caller gets [`Next::Pending`] and may stop.
pub struct BlockReader<'t, R> {
    inner: R,
    tap: Option<Tap<'t>>,
    block: usize,
    max_line: usize,
    counts: bool,
    buffers: Buffers,
    /// All of it is initialized; the text is `..filled`.
    buffer: Vec<u8>,
    filled: usize,
    /// No LF stands in `..scanned`.
    scanned: usize,
    /// A finished block that waits for one more byte to be read, or the end: only then it is known whether it is the last.
    held: Option<Block>,
    eof: bool,
    seq: u64,
    offset: u64,
    line: u64,
}

impl<'t, R: Read> BlockReader<'t, R> {
    pub fn new(inner: R) -> BlockReader<'t, R> {
        BlockReader {
            inner,
            tap: None,
            block: BLOCK,
            max_line: MAX_LINE,
            counts: true,
            buffers: Buffers::new(BLOCK),
            buffer: Vec::new(),
            filled: 0,
            scanned: 0,
            held: None,
            eof: false,
            seq: 0,
            offset: 0,
            line: 1,
        }
    }

    /// Another size of blocks (tests: every size gives the same result).
    pub fn block_size(mut self, bytes: usize) -> Self {
        self.block = bytes.max(1);
        self.buffers = Buffers::new(self.block);
        self
    }

    /// A line of more bytes than this (its LF not counted) is an error.
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes.min(HARD_MAX_LINE);
        self
    }

    /// Do not count lines: who asks for this counts them while reading them, and knows the line of an error.
    pub fn do_not_count(&mut self) {
        self.counts = false;
    }

    /// `tap` sees the raw bytes of every block, in order.
    pub fn tap(mut self, tap: impl FnMut(&[u8]) + Send + 't) -> Self {
        self.tap = Some(Box::new(tap));
        self
    }

    /// The number that the next block will have.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The next block, the end, or a reason to ask again.
    #[allow(clippy::should_implement_trait)] // an iterator has no word for `Pending`
    pub fn next(&mut self) -> Result<Next> {
        let mut breath = 0;
        loop {
            if let Some(held) = self.held.take() {
                if self.eof || self.filled > 0 {
                    return Ok(Next::Block(self.deliver(held)));
                }
                self.held = Some(held);
            } else if self.eof || self.filled >= self.target() {
                match self.cut()? {
                    Some(block) => self.held = Some(block),
                    None if self.eof => return Ok(Next::End),
                    None => {}
                }
                continue;
            }
            if breath >= BREATH {
                return Ok(Next::Pending);
            }
            match self.fill() {
                Ok(n) => breath += n,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    return Ok(Next::Pending)
                }
                Err(e) => return Err(Error::read(e)),
            }
        }
    }

    /// How many bytes to have before looking for the end of a line.
    fn target(&self) -> usize {
        if self.scanned < self.block {
            self.block
        } else {
            self.scanned + self.block
        }
    }

    fn fill(&mut self) -> std::io::Result<usize> {
        let target = self.target();
        if self.buffer.len() < target {
            if self.buffer.capacity() < target {
                // A large allocation is grown by moving its pages, and what is not touched costs nothing: doubling is
                // fine, but only the part that is about to be filled may be written.
                self.buffer.reserve(target + PAD - self.buffer.len());
            }
            self.buffer.resize(target, 0);
        }
        let n = self.inner.read(&mut self.buffer[self.filled..target])?;
        self.filled += n;
        self.eof = n == 0;
        Ok(n)
    }

    /// Take the whole lines out of the buffer, if there are any.
    fn cut(&mut self) -> Result<Option<Block>> {
        let text = &self.buffer[..self.filled];
        let mut end = match memchr::memrchr(b'\n', &text[self.scanned..]) {
            _ if self.eof => self.filled,
            Some(at) => self.scanned + at + 1,
            None => {
                self.scanned = self.filled;
                if self.filled > self.max_line {
                    return Err(self.too_long());
                }
                return Ok(None);
            }
        };
        if end == 0 {
            return Ok(None);
        }
        if end > self.max_line {
            // The lines before one that is too long still count.
            match self.too_long_in(end) {
                Some(0) => return Err(self.too_long()),
                Some(start) => end = start,
                None => {}
            }
        }
        let mut next = self.buffers.take();
        let rest = self.filled - end;
        if next.len() < rest {
            next.resize(rest, 0);
        }
        next[..rest].copy_from_slice(&self.buffer[end..self.filled]);
        let mut data = std::mem::replace(&mut self.buffer, next);
        (self.filled, self.scanned) = (rest, 0);
        if data.len() < end + PAD {
            data.resize(end + PAD, 0);
        }
        data[end..end + PAD].fill(0);
        let buffers = Some(self.buffers.clone());
        Ok(Some(Block { seq: 0, offset: 0, first_line: 0, data, len: end, last: false, buffers }))
    }

    /// Where the first line begins that is too long.
    fn too_long_in(&self, end: usize) -> Option<usize> {
        let mut start = 0;
        for at in memchr::memchr_iter(b'\n', &self.buffer[..end]).chain([end]) {
            if at.saturating_sub(start) > self.max_line {
                return Some(start);
            }
            start = at + 1;
        }
        None
    }

    fn too_long(&self) -> Error {
        let message = format!("the line is longer than {} bytes", self.max_line);
        let error = Error::new(Code::LineTooLong, message);
        if self.counts {
            error.at(self.line, None)
        } else {
            error
        }
    }

    /// After an error: hand some more of the input to `see`, not cut into lines. False at the end.
    pub fn rest(&mut self, see: &mut dyn FnMut(&[u8])) -> Result<bool> {
        if self.filled > 0 {
            see(&self.buffer[..self.filled]);
            (self.filled, self.scanned) = (0, 0);
            return Ok(true);
        }
        match self.fill() {
            Err(e) if !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Err(Error::read(e)),
            _ => Ok(!self.eof),
        }
    }

    fn deliver(&mut self, mut block: Block) -> Block {
        block.seq = self.seq;
        block.offset = self.offset;
        block.first_line = self.line;
        block.last = self.eof && self.filled == 0;
        self.seq += 1;
        self.offset += block.len as u64;
        if self.counts {
            self.line += memchr::memchr_iter(b'\n', block.text()).count() as u64;
        }
        if let Some(tap) = &mut self.tap {
            tap(block.text());
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that gives one byte at a time and blocks between any two.
    struct Drip<'a>(&'a [u8], bool);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::WouldBlock.into());
            }
            let n = self.0.len().min(out.len()).min(1);
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn blocks(text: &[u8], size: usize) -> Vec<Block> {
        let mut reader = BlockReader::new(Drip(text, false)).block_size(size);
        let mut all = Vec::new();
        loop {
            match reader.next().unwrap() {
                Next::Block(b) => all.push(b),
                Next::Pending => {}
                Next::End => return all,
            }
        }
    }

    #[test]
    fn every_block_size_gives_whole_lines_and_all_bytes() {
        for text in ["", "a", "\n", "a\n", "a\nb", "aa\nbbbb\n\n\nc\n", "aaaaaaaaaaaaaaaaaaaaa\nb\n"] {
            for size in 1..12 {
                let all = blocks(text.as_bytes(), size);
                let joined: Vec<u8> = all.iter().flat_map(|b| b.text().to_vec()).collect();
                assert_eq!(joined, text.as_bytes(), "{text:?} in {size}");
                let mut line = 1;
                for (k, b) in all.iter().enumerate() {
                    assert_eq!((b.seq, b.first_line), (k as u64, line));
                    assert_eq!(b.last, k + 1 == all.len(), "{text:?} in {size}");
                    assert!(b.last || b.text().ends_with(b"\n"));
                    assert!(b.padded()[b.len..].iter().all(|&c| c == 0));
                    line += b.text().iter().filter(|&&c| c == b'\n').count() as u64;
                }
            }
        }
    }

    #[test]
    fn a_line_over_the_limit_is_named_wherever_it_stands() {
        for size in [1, 4, 100] {
            let mut reader = BlockReader::new(&b"aaa\nbbbb\nccccc\nd"[..]).block_size(size).max_line(4);
            let error = loop {
                match reader.next() {
                    Ok(Next::End) => panic!("accepted"),
                    Ok(_) => {}
                    Err(e) => break e,
                }
            };
            assert_eq!((error.code, error.line), (Code::LineTooLong, Some(3)), "block of {size}");
        }
    }

    #[test]
    fn the_tap_sees_all_bytes_in_order() {
        let mut seen = Vec::new();
        let mut reader = BlockReader::new(&b"a\nbb\nccc"[..]).block_size(3).tap(|b| seen.extend_from_slice(b));
        while !matches!(reader.next().unwrap(), Next::End) {}
        drop(reader);
        assert_eq!(seen, b"a\nbb\nccc");
    }
}
