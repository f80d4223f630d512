//! `verify`.

use opensession_core::hail;
use opensession_core::input::BlockReader;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call;
use crate::report;
use crate::source::{Opened, Source};

/// Hash the bytes, check that they are canonical, check that they are valid HAIL; all in one pass.
#[pyfunction]
#[pyo3(signature = (source, *, jobs=2, max_line=536_870_912, progress=None))]
pub fn verify<'py>(
    py: Python<'py>,
    source: Source,
    jobs: usize,
    max_line: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let verified = call::run(py, progress, move |context| {
        let opened = Opened::open(source)?;
        context.set_total(opened.total());
        // The bytes as they are: an address is that of what stands in the file, not of what could be made of it.
        let mut reader = BlockReader::new(opened.raw()?).max_line(max_line);
        hail::verify(&mut reader, jobs, &mut |done| context.tick(done))
    })?;
    report::verified(py, &verified)
}
