//! Reports of the core as the dictionaries that `_core.pyi` describes.

use opensession_core::hail::{Numbers, SessionInfo, Time, Verified, Warnings};
use opensession_core::Error;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::json;

fn time(time: Time) -> String {
    let mut out = Vec::new();
    time.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn stats<'py>(py: Python<'py>, numbers: &Numbers) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in numbers.list() {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

pub fn problem<'py>(
    py: Python<'py>,
    code: &str,
    message: &str,
    line: u64,
    column: Option<u64>,
    count: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("code", code)?;
    dict.set_item("message", message)?;
    dict.set_item("line", line)?;
    dict.set_item("column", column)?;
    dict.set_item("count", count)?;
    Ok(dict)
}

fn warnings<'py>(py: Python<'py>, warnings: &Warnings) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (warning, count, (line, column)) in warnings.iter() {
        list.append(problem(py, warning.code(), warning.message(), line, Some(column), count)?)?;
    }
    Ok(list)
}

/// `SessionInfo`.
pub fn session<'py>(py: Python<'py>, info: &SessionInfo) -> PyResult<Bound<'py, PyDict>> {
    let header = &info.header;
    let dict = PyDict::new(py);
    dict.set_item("sha256", info.sha256.to_string())?;
    dict.set_item("bytes", info.bytes)?;
    dict.set_item("input_bytes", info.input_bytes)?;
    dict.set_item("version", &header.version)?;
    dict.set_item("session_id", &header.session_id)?;
    dict.set_item("provider", &header.provider)?;
    dict.set_item("model", &header.model)?;
    dict.set_item("tool", &header.tool)?;
    dict.set_item("tool_version", &header.tool_version)?;
    dict.set_item("title", &header.title)?;
    dict.set_item("created_at", time(header.created_at))?;
    dict.set_item("updated_at", time(header.updated_at))?;
    dict.set_item("cwd", &header.cwd)?;
    dict.set_item("session_role", &header.session_role)?;
    dict.set_item("parent_session_id", &header.parent_session_id)?;
    dict.set_item("stats", stats(py, &info.stats)?)?;
    dict.set_item("source", info.source.as_deref().map(|text| json::loads(py, text)).transpose()?)?;
    dict.set_item("canonical", info.first_difference.is_none())?;
    dict.set_item("first_difference", info.first_difference)?;
    dict.set_item("warnings", warnings(py, &info.warnings)?)?;
    Ok(dict)
}

pub fn sessions<'py>(py: Python<'py>, list: &[SessionInfo]) -> PyResult<Bound<'py, PyList>> {
    let out = PyList::empty(py);
    for info in list {
        out.append(session(py, info)?)?;
    }
    Ok(out)
}

fn error<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyDict>> {
    problem(py, error.code.as_str(), &error.message, error.line.unwrap_or(1), error.column, 1)
}

/// `VerifyReport`.
pub fn verified<'py>(py: Python<'py>, report: &Verified) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("sha256", report.sha256.to_string())?;
    dict.set_item("bytes", report.bytes)?;
    dict.set_item("sessions", sessions(py, &report.sessions)?)?;
    dict.set_item("canonical", report.canonical())?;
    dict.set_item("first_difference", report.first_difference)?;
    dict.set_item("valid", report.error.is_none())?;
    dict.set_item("error", report.error.as_ref().map(|e| error(py, e)).transpose()?)?;
    dict.set_item("warnings", warnings(py, &report.warnings())?)?;
    Ok(dict)
}
