//! `pack` and `unpack`.

use std::io::{ErrorKind, Read, Write};

use opensession_core::digest::Out;
use opensession_core::pack::{unpacked, Packer};
use opensession_core::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::call::{self, Context};
use crate::out;
use crate::source::{Opened, Source};

const BLOCK: usize = 256 << 10;

/// Give every byte of `reader` to `to`.
fn pump(
    reader: &mut dyn Read,
    done: &mut u64,
    context: &mut Context,
    to: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(n) => {
                to(&block[..n])?;
                *done += n as u64;
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(e) => return Err(Error::read(e)),
        }
        context.tick(*done)?;
    }
}

/// Compress the parts, one after another, into one frame; returns the SHA-256 and length of each.
#[pyfunction]
#[pyo3(signature = (parts, out, *, total=0, progress=None))]
pub fn pack(
    py: Python<'_>,
    parts: Bound<'_, PyAny>,
    out: i32,
    total: u64,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<(String, u64)>> {
    let parts: Py<PyIterator> = parts.try_iter()?.unbind();
    call::run(py, progress, move |context| {
        context.set_total(total);
        let mut packer = Packer::new(out::open(out, &context.signals)?)?;
        let (mut packed, mut done) = (Vec::new(), 0);
        loop {
            let next = Python::attach(|py| parts.bind(py).clone().next().map(|p| p?.extract::<Source>()).transpose());
            let Some(source) = next.map_err(|e: PyErr| context.signals.stop(e))? else { break };
            let mut reader = Opened::open(source)?.raw()?;
            // The hash of the part as it is; the frame takes the same bytes.
            let mut hash = Out::new(None);
            pump(&mut *reader, &mut done, context, &mut |bytes| {
                hash.put(bytes)?;
                packer.write_all(bytes).map_err(Error::write)
            })?;
            let (digest, bytes) = hash.finish()?;
            packed.push((digest.to_string(), bytes));
        }
        packer.finish()?;
        Ok(packed)
    })
}

/// Write what a frame holds to `out`; returns the number of bytes.
#[pyfunction]
#[pyo3(signature = (source, out, *, progress=None))]
pub fn unpack(py: Python<'_>, source: Source, out: i32, progress: Option<Py<PyAny>>) -> PyResult<u64> {
    call::run(py, progress, move |context| {
        let mut reader = unpacked(Opened::open(source)?.raw()?)?;
        let mut to = out::open(out, &context.signals)?;
        let mut done = 0;
        pump(&mut reader, &mut done, context, &mut |bytes| to.write_all(bytes).map_err(Error::write))?;
        Ok(done)
    })
}
