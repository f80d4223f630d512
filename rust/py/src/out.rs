//! Outputs: descriptors of Python, written from their current offset, never closed and never fsynced.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::MetadataExt;

use opensession_core::{Error, Result};

use crate::call::Signals;
use crate::fd;

/// So many bytes are written before the disk begins with them: whoever syncs the file waits for the last of them only.
const BEHIND: u64 = 4 << 20;

/// Writes to a descriptor, and asks between two writes that did not get through whether to stop.
pub struct FdWriter {
    file: File,
    signals: Signals,
    /// Offset of the next byte, and of the first that the disk has not begun with; `None` if it is no file that stays.
    behind: Option<(u64, u64)>,
}

/// A writer for descriptor `number`.
pub fn open(number: i32, signals: &Signals) -> Result<Box<dyn Write>> {
    let mut file = fd::duplicate(number).map_err(Error::write)?;
    let stays = file.metadata().is_ok_and(|m| m.is_file() && m.nlink() > 0);
    let behind = if stays { file.stream_position().ok().map(|at| (at, at)) } else { None };
    Ok(Box::new(FdWriter { file, signals: signals.clone(), behind }))
}

impl FdWriter {
    fn wrote(&mut self, n: usize) {
        if let Some((next, begun)) = &mut self.behind {
            *next += n as u64;
            if *next - *begun >= BEHIND {
                fd::begin_write_back(&self.file, *begun, *next - *begun);
                *begun = *next;
            }
        }
    }
}

impl Write for FdWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.file.write(bytes) {
                Ok(n) => {
                    self.wrote(n);
                    // A signal can end a write that waits for a pipe's reader early; the next one would wait again.
                    if n < bytes.len() {
                        self.signals.check().map_err(io::Error::other)?;
                    }
                    return Ok(n);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    fd::writable(&self.file).ok();
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
            self.signals.check().map_err(io::Error::other)?;
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
