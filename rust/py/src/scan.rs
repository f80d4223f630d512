//! `scan`, `redact`, `secret_rules`.

use std::collections::HashSet;

use opensession_core::digest::Digest;
use opensession_core::input::BlockReader;
use opensession_core::redact::{self as secrets, Detector, Finding, Policy};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::source::{Opened, Source};
use crate::{call, out, report};

/// 64 hexadecimal digits.
fn digest(text: &str) -> PyResult<Digest> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return Err(PyValueError::new_err("a fingerprint has 64 hexadecimal digits"));
    }
    for (k, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * k..2 * k + 2], 16)
            .map_err(|_| PyValueError::new_err("a fingerprint has 64 hexadecimal digits"))?;
    }
    Ok(Digest(bytes))
}

fn policy(key: Option<Vec<u8>>, allow: Option<Bound<'_, PyAny>>, limit: usize) -> PyResult<Policy> {
    let mut digests = HashSet::new();
    if let Some(allow) = allow {
        for text in allow.try_iter()? {
            digests.insert(digest(&text?.extract::<String>()?)?);
        }
    }
    if key.is_none() && !digests.is_empty() {
        return Err(PyValueError::new_err("fingerprints can be allowed only with the key they were made with"));
    }
    Ok(Policy { key, allow: digests, limit })
}

fn finding<'py>(py: Python<'py>, found: &Finding) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("rule", found.rule)?;
    dict.set_item("line", found.line)?;
    dict.set_item("event_id", &found.event_id)?;
    dict.set_item("pointer", &found.pointer)?;
    dict.set_item("start", found.start)?;
    dict.set_item("len", found.len)?;
    dict.set_item("fingerprint", found.fingerprint.map(|f| f.to_string()))?;
    Ok(dict)
}

/// The secrets of an input.
#[pyfunction]
#[pyo3(signature = (source, *, key=None, allow=None, limit=0, jobs=2, max_line=536_870_912, progress=None))]
#[allow(clippy::too_many_arguments)] // the options of one call, by name
pub fn scan<'py>(
    py: Python<'py>,
    source: Source,
    key: Option<Vec<u8>>,
    allow: Option<Bound<'py, PyAny>>,
    limit: usize,
    jobs: usize,
    max_line: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let policy = policy(key, allow, limit)?;
    let found = call::run(py, progress, move |context| {
        let opened = Opened::open(source)?;
        context.set_total(opened.total());
        let mut reader = BlockReader::new(opened.stream()?).max_line(max_line);
        secrets::scan(&mut reader, jobs, &policy, &mut |done| context.tick(done))
    })?;
    let list = PyList::empty(py);
    for one in &found {
        list.append(finding(py, one)?)?;
    }
    Ok(list)
}

/// A session without its secrets.
#[pyfunction]
#[pyo3(signature = (source, out=None, *, key=None, allow=None, jobs=2, max_line=536_870_912, progress=None))]
#[allow(clippy::too_many_arguments)] // the options of one call, by name
pub fn redact<'py>(
    py: Python<'py>,
    source: Source,
    out: Option<i32>,
    key: Option<Vec<u8>>,
    allow: Option<Bound<'py, PyAny>>,
    jobs: usize,
    max_line: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let policy = policy(key, allow, 0)?;
    let done = call::run(py, progress, move |context| {
        let opened = Opened::open(source)?;
        context.set_total(opened.total());
        let reader = BlockReader::new(opened.stream()?).max_line(max_line);
        let signals = context.signals.clone();
        let mut open = || out.map(|number| out::open(number, &signals)).transpose();
        secrets::redact(reader, jobs, max_line, &policy, &mut open, &mut |done| context.tick(done))
    })?;
    let dict = PyDict::new(py);
    dict.set_item("session", report::session(py, &done.session)?)?;
    let rules = PyDict::new(py);
    for (rule, count) in &done.rules {
        rules.set_item(rule, count)?;
    }
    dict.set_item("rules", rules)?;
    dict.set_item("values", done.values)?;
    Ok(dict)
}

/// What the scanner knows, as a table.
#[pyfunction]
pub fn secret_rules(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for rule in &Detector::get().rules {
        let dict = PyDict::new(py);
        dict.set_item("id", rule.id)?;
        dict.set_item("title", rule.title)?;
        dict.set_item("kind", rule.kind())?;
        dict.set_item("keywords", rule.keywords)?;
        dict.set_item("shape", rule.shape())?;
        dict.set_item("covers", rule.covered())?;
        list.append(dict)?;
    }
    Ok(list)
}
