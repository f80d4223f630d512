//! Secrets: what they look like, where a session holds them, and how they are taken out.
//!
//! Nothing here says a value aloud: findings carry the rule, the place, and a keyed fingerprint. `detect.rs` looks at
//! one text, `layers.rs` at all texts of a line, `scan.rs` and `redactor.rs` at streams.

mod assigned;
mod base64;
mod detect;
mod fingerprint;
mod keywords;
mod layers;
mod quality;
mod redactor;
mod rule;
mod rules;
mod scan;
#[cfg(test)]
mod tests;
mod text;

pub use detect::Detector;
pub use redactor::{redact, Redaction};
pub use rule::Rule;
pub use scan::{scan, Finding, Policy};
