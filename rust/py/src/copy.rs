//! `copy`.

use std::io::{ErrorKind, Read};

use opensession_core::digest::Out;
use opensession_core::Error;
use pyo3::prelude::*;

use crate::source::{Opened, Source};
use crate::{call, out};

/// Small enough that a block stays in the cache between reading, hashing and writing.
const BLOCK: usize = 256 << 10;

/// Copy bytes unchanged to `out` and return their SHA-256 and their number.
#[pyfunction]
#[pyo3(signature = (source, out=None, *, length=None, progress=None))]
pub fn copy(
    py: Python<'_>,
    source: Source,
    out: Option<i32>,
    length: Option<u64>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(String, u64)> {
    call::run(py, progress, move |context| {
        let opened = Opened::open(source)?;
        context.set_total(length.unwrap_or_else(|| opened.size()));
        let mut reader = opened.part(length)?;
        let mut to = Out::new(out.map(|number| out::open(number, &context.signals)).transpose()?);
        let mut block = vec![0; BLOCK];
        let mut done = 0;
        loop {
            match reader.read(&mut block) {
                Ok(0) => break,
                Ok(n) => {
                    to.put(&block[..n])?;
                    done += n as u64;
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(e) => return Err(Error::read(e)),
            }
            context.tick(done)?;
        }
        let (digest, bytes) = to.finish()?;
        Ok((digest.to_string(), bytes))
    })
}
