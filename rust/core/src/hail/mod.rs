//! HAIL: reading, canonicalizing, checking and summing up sessions (docs/hail.md is the specification).
//!
//! Three readers share the tables of `model.rs`: `check.rs` is quick and knows only canonical lines, `direct.rs` is nearly
//! as quick and knows the usual lines, `read.rs` knows all lines and gives reasons. `lines.rs` works on blocks on any
//! thread, `session.rs` puts the results in order.

mod canonicalize;
pub mod check;
mod direct;
pub mod ids;
mod lines;
pub mod model;
mod read;
mod report;
mod session;
pub mod stats;
#[cfg(test)]
mod tests;
pub mod time;
mod verify;
mod warnings;
mod write;

pub use canonicalize::{canonicalize, Target};
pub use ids::Ids;
pub use report::{Header, SessionInfo, Verified};
pub use stats::{write_stats_line, Facts, Literal, Numbers, Stats, Tally};
pub use time::Time;
pub use verify::{verify, verify_with, Watch};
pub use warnings::{Warning, Warnings};
