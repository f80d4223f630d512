//! `profiles`, `detect` and `parse`.

use std::io::Read;

use opensession_core::agents::{self, Options, LOOKED_AT};
use opensession_core::digest::Out;
use opensession_core::{Code, Error, Result};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::call;
use crate::source::{Opened, Source};
use crate::{out, report};

/// All profiles in the order of their ids.
#[pyfunction]
pub fn profiles(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let mut all: Vec<(&str, &str, String, bool)> =
        agents::AGENTS.iter().map(|a| (a.id, a.label, format!("{}/{}", a.tool, a.version), a.prefix_law)).collect();
    all.push(("hail", "HAIL", String::new(), true));
    all.sort();
    let list = PyList::empty(py);
    for (id, label, parser, prefix_law) in all {
        let dict = PyDict::new(py);
        dict.set_item("id", id)?;
        dict.set_item("label", label)?;
        dict.set_item("parser", parser)?;
        dict.set_item("prefix_law", prefix_law)?;
        list.append(dict)?;
    }
    Ok(list)
}

/// Which agent wrote this log, best first.
#[pyfunction]
#[pyo3(signature = (source, *, source_name=""))]
pub fn detect<'py>(py: Python<'py>, source: Source, source_name: &str) -> PyResult<Bound<'py, PyList>> {
    // No agent of today hides what it is in the name of the file.
    let _ = source_name;
    let found = call::run(py, None, |_| {
        let opened = Opened::open(source)?;
        let mut head = Vec::new();
        let read = opened.stream()?.take(LOOKED_AT as u64 + 1).read_to_end(&mut head).map_err(Error::read);
        opened.rewind()?;
        read?;
        let complete = head.len() <= LOOKED_AT;
        head.truncate(LOOKED_AT);
        Ok(agents::detect(&head, complete))
    })?;
    let list = PyList::empty(py);
    for candidate in found {
        let dict = PyDict::new(py);
        dict.set_item("profile", candidate.profile)?;
        dict.set_item("confidence", candidate.confidence)?;
        dict.set_item("reasons", candidate.reasons)?;
        list.append(dict)?;
    }
    Ok(list)
}

/// Turn an agent's log into one canonical session.
#[pyfunction]
#[pyo3(signature = (source, out=None, *, profile, source_name="", r#final=false, jobs=2, max_line=536_870_912, progress=None))]
#[allow(clippy::too_many_arguments)]
pub fn parse<'py>(
    py: Python<'py>,
    source: Source,
    out: Option<i32>,
    profile: &str,
    source_name: &str,
    r#final: bool,
    jobs: usize,
    max_line: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let parsed = call::run(py, progress, |context| -> Result<_> {
        let agent = agents::agent(profile)
            .ok_or_else(|| Error::new(Code::UnknownProfile, format!("there is no profile {profile:?}")))?;
        let opened = Opened::open(source)?;
        context.set_total(2 * opened.total());
        let to = out.map(|number| out::open(number, &context.signals)).transpose()?;
        let options = Options { source_name, is_final: r#final, jobs, max_line };
        let mut open = || opened.again();
        let parsed = agents::parse(agent, &mut open, Out::new(to), &options, &mut |done| context.tick(done))?;
        opened.check_unchanged()?;
        Ok(parsed)
    })?;
    let dict = report::session(py, &parsed.info)?;
    let warnings = PyList::empty(py);
    for (code, count, first) in parsed.warnings {
        warnings.append(report::problem(py, code, agents::warning(code), first, None, count)?)?;
    }
    dict.set_item("warnings", warnings)?;
    Ok(dict)
}
