//! From any HAIL to its canonical form.

use std::io::{Read, Write};

use super::lines::{Part, Scratch};
use super::report::SessionInfo;
use super::session::{Before, Output, Sessions};
use crate::digest::{Digest, Out};
use crate::input::{BlockReader, Buffers};
use crate::{pipeline, Code, Error, Result};

/// Where the bytes of one session go; `None`: they are only hashed.
pub type Target<'w> = Option<Box<dyn Write + 'w>>;

/// Read HAIL, write the canonical form of every session to what `open` gives at its start.
pub fn canonicalize<'w, R: Read + Send>(
    reader: &mut BlockReader<'_, R>,
    jobs: usize,
    open: &mut dyn FnMut() -> Result<Target<'w>>,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Vec<SessionInfo>> {
    let buffers = Buffers::of(reader);
    reader.do_not_count();
    let mut sessions = Sessions::new(Writing { open, out: None });
    let mut before = Before::default();
    pipeline::run_folding(
        reader,
        jobs,
        Scratch::default,
        |scratch, block| Part::new(block, scratch, &buffers),
        |part| before.look(part),
        |part| sessions.take(part),
        tick,
    )
    .map_err(|e| before.place(e))?;
    sessions.close()?;
    Ok(sessions.done)
}

struct Writing<'o, 'w> {
    open: &'o mut dyn FnMut() -> Result<Target<'w>>,
    out: Option<Out<'w>>,
}

impl Output for Writing<'_, '_> {
    fn begin(&mut self) -> Result<()> {
        self.out = Some(Out::new((self.open)()?));
        Ok(())
    }

    fn put(&mut self, _: &[u8], text: &[u8], _: bool) -> Result<()> {
        self.out.as_mut().map_or(Ok(()), |out| out.put(text))
    }

    fn outside(&mut self, _: &[u8]) {}

    fn end(&mut self) -> Result<Digest> {
        match self.out.take() {
            Some(out) => Ok(out.finish()?.0),
            None => Err(Error::new(Code::Internal, "a session ended that had not begun")),
        }
    }
}
