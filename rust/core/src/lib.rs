//! The core of opensession: streaming canonicalization, hashing, parsing and checking of AI coding sessions.
//!
//! Pure: it reads from `Read`, writes to `Write`, and knows no file name, no clock, no environment and no Python.

pub mod agents;
pub mod digest;
pub mod error;
pub mod hail;
pub mod input;
pub mod json;
pub mod pack;
pub mod pipeline;
pub mod redact;
pub mod summary;
pub mod unpack;

pub use error::{Code, Error, Result};
