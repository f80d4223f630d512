//! Outputs: descriptors of Python, written from their current offset, never closed and never fsynced.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

use opensession_core::{Error, Result};

use crate::call::Signals;
use crate::fd;

/// Writes to a descriptor, and asks between two writes that did not get through whether to stop.
pub struct FdWriter {
    file: File,
    signals: Signals,
}

/// A writer for descriptor `number`.
pub fn open(number: i32, signals: &Signals) -> Result<Box<dyn Write>> {
    let file = fd::duplicate(number).map_err(Error::write)?;
    Ok(Box::new(FdWriter { file, signals: signals.clone() }))
}

impl Write for FdWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.file.write(bytes) {
                Ok(n) => {
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
