//! `canonicalize`.

use opensession_core::hail::{self, Target};
use opensession_core::input::BlockReader;
use opensession_core::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::call::{self, Signals};
use crate::source::{Opened, Source};
use crate::{out, report};

/// Where the sessions go.
enum To {
    Nowhere,
    Fd(i32),
    /// Called at the start of each session.
    Ask(Py<PyAny>),
}

impl To {
    fn of(value: Option<Bound<'_, PyAny>>) -> PyResult<To> {
        Ok(match value {
            None => To::Nowhere,
            Some(value) if value.is_callable() => To::Ask(value.unbind()),
            Some(value) => To::Fd(value.extract()?),
        })
    }

    fn open(&self, signals: &Signals) -> Result<Target<'static>> {
        let number = match self {
            To::Nowhere => return Ok(None),
            To::Fd(number) => *number,
            To::Ask(ask) => Python::attach(|py| ask.call0(py)?.extract(py)).map_err(|e: PyErr| signals.stop(e))?,
        };
        out::open(number, signals).map(Some)
    }
}

/// Read HAIL, write its canonical form; one entry a session.
#[pyfunction]
#[pyo3(signature = (source, out=None, *, jobs=2, max_line=536_870_912, progress=None))]
pub fn canonicalize<'py>(
    py: Python<'py>,
    source: Source,
    out: Option<Bound<'py, PyAny>>,
    jobs: usize,
    max_line: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let to = To::of(out)?;
    let sessions = call::run(py, progress, move |context| -> std::result::Result<_, Error> {
        let opened = Opened::open(source)?;
        context.set_total(opened.total());
        let mut reader = BlockReader::new(opened.stream()?).max_line(max_line);
        let signals = context.signals.clone();
        hail::canonicalize(&mut reader, jobs, &mut || to.open(&signals), &mut |done| context.tick(done))
    })?;
    report::sessions(py, &sessions)
}
