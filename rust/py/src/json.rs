//! A JSON text as Python values.
//!
//! Python's own reader would do, but it brings `re` along, which takes longer to import than a small file to parse.

use opensession_core::json::scan::PAD;
use opensession_core::json::{Kind, Tape, Value, MAX_DEPTH};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

/// The value of a text that the core has checked.
pub fn loads<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut padded = Vec::with_capacity(text.len() + PAD);
    padded.extend_from_slice(text);
    padded.resize(text.len() + PAD, 0);
    let mut tape = Tape::new();
    let parsed = tape.parse_to_look(&padded, 0, MAX_DEPTH);
    let (root, _) = parsed.map_err(|fault| PyValueError::new_err(fault.kind.reason()))?;
    build(py, tape.value(&padded, root))
}

fn build<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value.kind() {
        Kind::Null => py.None().into_bound(py),
        kind @ (Kind::True | Kind::False) => PyBool::new(py, kind == Kind::True).to_owned().into_any(),
        Kind::String => text(py, value).into_any(),
        Kind::Number => number(py, value)?,
        Kind::Array => {
            let list = PyList::empty(py);
            for item in value.items() {
                list.append(build(py, item)?)?;
            }
            list.into_any()
        }
        Kind::Object => {
            let dict = PyDict::new(py);
            for (key, member) in value.members() {
                dict.set_item(text(py, key), build(py, member)?)?;
            }
            dict.into_any()
        }
    })
}

fn text<'py>(py: Python<'py>, value: Value<'_>) -> Bound<'py, PyString> {
    PyString::new(py, &value.string().unwrap_or_default())
}

/// Integers of any size stay exact.
fn number<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    if !value.is_integer() {
        return Ok(PyFloat::new(py, value.f64().unwrap_or_default()).into_any());
    }
    match value.i64() {
        Some(small) => Ok(small.into_pyobject(py)?.into_any()),
        None => py.get_type::<PyInt>().call1((String::from_utf8_lossy(value.raw()),)),
    }
}
