//! `opensession._core`: opens, lets go of the GIL, calls the core, converts, raises; nothing else.
//!
//! The manual is `python/opensession/_core.pyi`. One operation, one file.

mod call;
mod canonical_json;
mod canonicalize;
mod copy;
mod fd;
mod json;
mod out;
mod pack;
mod parse;
mod report;
mod scan;
mod source;
mod summary;
mod verify;

use opensession_core::Code;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    // An interrupt is raised as what it is; it is no error of ours.
    let codes = Code::ALL.iter().filter(|c| **c != Code::Interrupted).map(|c| c.as_str());
    module.add("ERROR_CODES", PyTuple::new(module.py(), codes.collect::<Vec<_>>())?)?;
    module.add_function(wrap_pyfunction!(canonicalize::canonicalize, module)?)?;
    module.add_function(wrap_pyfunction!(verify::verify, module)?)?;
    module.add("SUMMARIZERS", PyTuple::new(module.py(), [opensession_core::summary::RULES])?)?;
    module.add_function(wrap_pyfunction!(summary::summarize, module)?)?;
    module.add_function(wrap_pyfunction!(summary::artifact, module)?)?;
    module.add_function(wrap_pyfunction!(copy::copy, module)?)?;
    module.add_function(wrap_pyfunction!(pack::pack, module)?)?;
    module.add_function(wrap_pyfunction!(pack::unpack, module)?)?;
    module.add_function(wrap_pyfunction!(canonical_json::canonical_json, module)?)?;
    module.add_function(wrap_pyfunction!(parse::profiles, module)?)?;
    module.add_function(wrap_pyfunction!(parse::detect, module)?)?;
    module.add_function(wrap_pyfunction!(parse::parse, module)?)?;
    module.add_function(wrap_pyfunction!(scan::scan, module)?)?;
    module.add_function(wrap_pyfunction!(scan::redact, module)?)?;
    module.add_function(wrap_pyfunction!(scan::secret_rules, module)?)?;
    Ok(())
}
