//! One call from Python: work without the GIL, progress, signals, errors, panics.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opensession_core::{Code, Error, Result};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Signals are looked at this often: `KeyboardInterrupt` is answered within 100 ms.
const SIGNALS: Duration = Duration::from_millis(50);
/// Progress is told this often.
const PROGRESS: Duration = Duration::from_millis(100);

/// Asks Python whether a signal arrived, and keeps the exception that its handler raised.
#[derive(Clone, Default)]
pub struct Signals(Arc<Mutex<Option<PyErr>>>);

impl Signals {
    /// An error if the work is to stop.
    pub fn check(&self) -> Result<()> {
        Python::attach(|py| py.check_signals()).map_err(|e| self.stop(e))
    }

    /// Keep a Python exception, and get the error that carries it through the core.
    pub fn stop(&self, error: PyErr) -> Error {
        if let Ok(mut slot) = self.0.lock() {
            *slot = Some(error);
        }
        Error::new(Code::Interrupted, "the caller asked to stop")
    }
}

/// What work gets to know from its caller.
pub struct Context {
    pub signals: Signals,
    progress: Option<Py<PyAny>>,
    total: u64,
    asked: Instant,
    told: Instant,
}

impl Context {
    /// How much there is to do; 0 if that is unknown.
    pub fn set_total(&mut self, total: u64) {
        self.total = total;
    }

    /// Called by the core after every block.
    pub fn tick(&mut self, done: u64) -> Result<()> {
        let now = Instant::now();
        if now.duration_since(self.asked) < SIGNALS {
            return Ok(());
        }
        self.asked = now;
        let tell = now.duration_since(self.told) >= PROGRESS;
        let asked = Python::attach(|py| {
            py.check_signals()?;
            if let (true, Some(progress)) = (tell, &self.progress) {
                progress.call1(py, (done, self.total))?;
            }
            Ok(())
        });
        if tell {
            self.told = now;
        }
        asked.map_err(|e| self.signals.stop(e))
    }
}

/// Do `work` without the GIL.
pub fn run<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&mut Context) -> Result<T> + Send,
) -> PyResult<T> {
    let signals = Signals::default();
    let now = Instant::now();
    let mut context = Context { signals: signals.clone(), progress, total: 0, asked: now, told: now };
    let result = py.detach(|| catch_unwind(AssertUnwindSafe(|| work(&mut context))));
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(e)) => Err(raise(py, e, &signals)),
        Err(_) => Err(raise(py, Error::new(Code::Internal, "the core panicked; this is a bug"), &signals)),
    }
}

/// The Python exception for an error of the core.
fn raise(py: Python<'_>, error: Error, signals: &Signals) -> PyErr {
    if error.code == Code::Interrupted {
        if let Some(e) = signals.0.lock().ok().and_then(|mut slot| slot.take()) {
            return e;
        }
    }
    exception(py, &error).unwrap_or_else(|e| {
        let missing = PyRuntimeError::new_err(error.to_string());
        missing.set_cause(py, Some(e));
        missing
    })
}

/// Ask `opensession.errors` for the exception: the classes live there.
pub fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let errno = error.io.as_ref().and_then(std::io::Error::raw_os_error);
    let arguments = (error.code.as_str(), error.to_string(), error.line, error.column, errno);
    let made = py.import("opensession.errors")?.getattr("from_core")?.call1(arguments)?;
    Ok(PyErr::from_value(made))
}
