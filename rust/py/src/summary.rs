//! `summarize` and `artifact`.

use opensession_core::input::BlockReader;
use opensession_core::summary::{self, Lines, Source as Part};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::call;
use crate::report;
use crate::source::{Opened, Source};

/// Verify one session and sum it up, in one pass.
#[pyfunction]
#[pyo3(signature = (source, *, rules="rules-1", length=None, jobs=2, max_line=536_870_912, progress=None))]
pub fn summarize<'py>(
    py: Python<'py>,
    source: Source,
    rules: &str,
    length: Option<u64>,
    jobs: usize,
    max_line: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    if rules != summary::RULES {
        return Err(PyValueError::new_err("these rules are none of SUMMARIZERS"));
    }
    let found = call::run(py, progress, move |context| {
        let opened = Opened::open(source)?;
        context.set_total(length.unwrap_or_else(|| opened.total()));
        let mut reader = BlockReader::new(opened.part(length)?).max_line(max_line);
        summary::summarize(&mut reader, jobs, &mut |done| context.tick(done))
    })?;
    let dict = report::verified(py, &found.verified)?;
    let line = |pick: fn(&Lines) -> &[u8]| found.lines.as_ref().map(|lines| PyBytes::new(py, pick(lines)));
    dict.set_item("summary", line(|lines| &lines.summary))?;
    dict.set_item("report", line(|lines| &lines.report))?;
    Ok(dict)
}

type Parts = Vec<(String, u64, String, u64, Vec<u8>, Vec<u8>)>;

/// The bytes of the artifact over these sources, and their SHA-256.
#[pyfunction]
pub fn artifact(py: Python<'_>, sources: Parts) -> PyResult<(Bound<'_, PyBytes>, String)> {
    let (bytes, digest) = call::run(py, None, move |_| {
        let part = |(sha256, bytes, session_id, event_count, summary, report)| Part {
            sha256,
            bytes,
            session_id,
            event_count,
            summary,
            report,
        };
        summary::assemble(sources.into_iter().map(part).collect())
    })?;
    Ok((PyBytes::new(py, &bytes), digest.to_string()))
}
