//! Tests of HAIL as a whole: the rules one by one, and the laws on random sessions.

mod laws;
mod rules;
mod sessions;

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use super::lines::Scratch;
use super::{canonicalize, verify, SessionInfo, Verified};
use crate::input::BlockReader;
use crate::{Error, Result};

/// The canonical header line of all sessions here.
pub const HEAD: &str = concat!(
    r#"{"agent":{"model":"m","provider":"p","tool":"t"},"context":{"created_at":"2026-02-14T00:00:00Z","tags":[],"#,
    r#""updated_at":"2026-02-14T00:00:00Z"},"session_id":"s","type":"header","version":"hail-1.0.0"}"#,
    "\n"
);

/// How an input is read: by how many threads, in blocks of which size, and by which readers.
#[derive(Debug, Clone, Copy)]
pub struct How {
    pub jobs: usize,
    pub block: usize,
    /// Only the full reader.
    pub full: bool,
}

pub const USUAL: How = How { jobs: 1, block: 1 << 20, full: false };

#[derive(Clone, Default)]
struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The canonical bytes of all sessions, and what is known of them.
pub fn canonical_of(text: &[u8], how: How) -> Result<(Vec<u8>, Vec<SessionInfo>)> {
    let out = Bytes::default();
    let mut reader = BlockReader::new(text).block_size(how.block);
    super::lines::FULL.with(|full| full.set(how.full));
    let infos = canonicalize(&mut reader, how.jobs, &mut || Ok(Some(Box::new(out.clone()))), &mut |_| Ok(()))?;
    let bytes = out.0.take();
    Ok((bytes, infos))
}

pub fn verified(text: &[u8], how: How) -> Verified {
    let mut reader = BlockReader::new(text).block_size(how.block);
    super::lines::FULL.with(|full| full.set(how.full));
    verify(&mut reader, how.jobs, &mut |_| Ok(())).unwrap()
}

/// The canonical text of one session.
pub fn canon(text: &str) -> Result<String> {
    canonical_of(text.as_bytes(), USUAL).map(|(bytes, _)| String::from_utf8(bytes).unwrap())
}

/// Code, line and column of an error.
pub fn place(e: &Error) -> (&'static str, Option<u64>, Option<u64>) {
    (e.code.as_str(), e.line, e.column)
}

#[test]
fn scratch_is_small() {
    assert!(std::mem::size_of::<Scratch>() < 1024);
}
