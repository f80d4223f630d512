//! Hash the bytes, check that they are canonical, check that they are valid; all in one pass.

use std::io::Read;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::lines::{Part, Scratch, What};
use super::report::{Header, Verified};
use super::session::{Before, Output, Sessions};
use crate::digest::{Digest, Sha256};
use crate::input::{BlockReader, Buffers};
use crate::{pipeline, Code, Error, Result};

/// Somebody who looks at the sessions in the same pass.
pub trait Watch: Sync {
    /// What a thread keeps from block to block.
    type Scratch: Default;
    /// What it finds in some event lines.
    type Found: Send;
    /// Look at the canonical event lines in `range` of a padded buffer, on any thread.
    fn look(scratch: &mut Self::Scratch, padded: &[u8], range: Range<usize>) -> Self::Found;
    /// A session begins. In order, on the caller's thread, like `take`.
    fn begin(&mut self, header: &Header);
    fn take(&mut self, found: Self::Found);
}

/// Nobody looks.
struct Nobody;

impl Watch for Nobody {
    type Scratch = ();
    type Found = ();
    fn look(_: &mut (), _: &[u8], _: Range<usize>) {}
    fn begin(&mut self, _: &Header) {}
    fn take(&mut self, _: ()) {}
}

/// Verify the whole input. What is wrong with the content stands in the answer; only reading fails.
pub fn verify<R: Read + Send>(
    reader: &mut BlockReader<'_, R>,
    jobs: usize,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Verified> {
    verify_with(reader, jobs, &mut Nobody, tick)
}

/// The same while somebody watches; what was found up to an error has been handed over by then.
pub fn verify_with<R: Read + Send, W: Watch>(
    reader: &mut BlockReader<'_, R>,
    jobs: usize,
    watch: &mut W,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Verified> {
    let buffers = Buffers::of(reader);
    reader.do_not_count();
    let mut sessions = Sessions::new(Hashing::default());
    let mut error = None;
    // After the first error nobody looks at lines any more, but the hash goes on to the end.
    let failed = AtomicBool::new(false);
    let mut before = Before::default();
    let result = pipeline::run_folding(
        reader,
        jobs,
        || (Scratch::default(), W::Scratch::default()),
        |(scratch, looking), block| match failed.load(Ordering::Relaxed) {
            true => (Part::unread(block, &buffers), Vec::new()),
            false => {
                let part = Part::new(block, scratch, &buffers);
                let found = look::<W>(looking, &part);
                (part, found)
            }
        },
        |(part, _)| before.look(part),
        |(mut part, found)| {
            if error.is_some() {
                part.pieces.clear();
                part.error = None;
            }
            tell(watch, &part, found);
            if let Err(e) = sessions.take(part) {
                failed.store(true, Ordering::Relaxed);
                error = Some(e);
            }
            Ok(())
        },
        tick,
    );
    match result {
        Ok(()) => {}
        Err(e) if e.code == Code::LineTooLong => {
            let error = error.get_or_insert(before.place(e));
            let mut done = sessions.output.bytes;
            while reader.rest(&mut |bytes| sessions.output.outside(bytes)).map_err(|e| replace(error, e))? {
                done = done.max(sessions.output.bytes);
                tick(done)?;
            }
        }
        Err(e) => return Err(e),
    }
    if error.is_none() {
        error = sessions.close().err();
    }
    let first_difference = sessions.first_difference();
    let Hashing { raw, bytes, .. } = sessions.output;
    Ok(Verified { sha256: raw.finish(), bytes, sessions: sessions.done, first_difference, error })
}

/// What is found in the events of a block: one answer for each piece of them.
fn look<W: Watch>(scratch: &mut W::Scratch, part: &Part) -> Vec<W::Found> {
    let padded = part.padded();
    let events = part.pieces.iter().filter(|piece| matches!(piece.what, What::Events(_)));
    events.map(|piece| W::look(scratch, padded, piece.text.clone())).collect()
}

fn tell<W: Watch>(watch: &mut W, part: &Part, found: Vec<W::Found>) {
    let mut found = found.into_iter();
    for piece in &part.pieces {
        match &piece.what {
            What::Header(header) => watch.begin(header),
            What::Events(_) => found.next().into_iter().for_each(|f| watch.take(f)),
            What::Stats(_) | What::Blank => {}
        }
    }
}

/// A failure to read hides what was wrong with the content.
fn replace(_: &Error, reading: Error) -> Error {
    reading
}

/// Hashes the input, and beside it the canonical form, as soon as that is another text.
#[derive(Default)]
struct Hashing {
    raw: Sha256,
    bytes: u64,
    /// `None` while the session is the whole input so far, byte by byte: one hash is enough then.
    canonical: Option<Sha256>,
}

impl Output for Hashing {
    fn begin(&mut self) -> Result<()> {
        self.canonical = (self.bytes > 0).then(Sha256::new);
        Ok(())
    }

    fn put(&mut self, raw: &[u8], text: &[u8], same: bool) -> Result<()> {
        if !same && self.canonical.is_none() {
            self.canonical = Some(self.raw.clone());
        }
        if let Some(canonical) = &mut self.canonical {
            canonical.update(text);
        }
        self.outside(raw);
        Ok(())
    }

    fn outside(&mut self, raw: &[u8]) {
        self.raw.update(raw);
        self.bytes += raw.len() as u64;
    }

    fn end(&mut self) -> Result<Digest> {
        Ok(self.canonical.take().unwrap_or_else(|| self.raw.clone()).finish())
    }
}
