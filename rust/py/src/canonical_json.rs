//! `canonical_json`.

use opensession_core::json::canonical;
use opensession_core::{Code, Error};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::call;

/// One JSON value in canonical form.
#[pyfunction]
pub fn canonical_json<'py>(py: Python<'py>, data: Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyBytes>> {
    let data = PyBackedBytes::from(data);
    let text = call::run(py, None, move |_| {
        canonical::canonicalize(&data).map_err(|fault| {
            let mut error = Error::new(Code::HailSyntax, fault.kind.reason());
            error.column = Some(fault.at as u64 + 1);
            error
        })
    })?;
    Ok(PyBytes::new(py, &text))
}
