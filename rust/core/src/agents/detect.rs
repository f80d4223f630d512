//! Which agent wrote a log, decided on parsed keys of its first records.

use super::record::{self, For, Record};
use super::AGENTS;
use crate::input::Block;
use crate::json::{Tape, Value};

/// Bytes of the input that are looked at.
pub const LOOKED_AT: usize = 1 << 20;

/// Records that are looked at.
const RECORDS: usize = 64;

/// One answer. Certainty goes from 1 to 100.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub profile: &'static str,
    pub confidence: u32,
    pub reasons: Vec<String>,
}

/// Judge the beginning of an input. `complete`: it is all of the input, so a last line without LF counts.
pub fn detect(head: &[u8], complete: bool) -> Vec<Candidate> {
    let end = if complete { head.len() } else { memchr::memrchr(b'\n', head).map_or(0, |at| at + 1) };
    let batch = record::read(Block::of(&head[..end]), Tape::new(), true, For::Writing);
    let values: Vec<Value<'_>> = batch
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Clean(node, _) => Some(batch.value(*node)),
            Record::Mended { value, .. } => Some(value.value()),
            _ => None,
        })
        .take(RECORDS)
        .collect();
    let mut found: Vec<Candidate> = AGENTS
        .iter()
        .map(|agent| {
            let (confidence, reasons) = (agent.recognize)(&values);
            Candidate { profile: agent.id, confidence, reasons }
        })
        .chain([hail(&values)])
        .filter(|c| c.confidence > 0)
        .collect();
    found.sort_by(|a, b| b.confidence.cmp(&a.confidence).then(a.profile.cmp(b.profile)));
    found
}

fn hail(values: &[Value<'_>]) -> Candidate {
    let header = values.first().filter(|v| v.get_str("type").is_some_and(|t| t.is("header")));
    let version = header.and_then(|h| h.get_str("version")).filter(|v| v.literal().starts_with(b"hail-"));
    match version {
        Some(_) => {
            Candidate { profile: "hail", confidence: 100, reasons: vec!["the first line is a HAIL header".into()] }
        }
        None => Candidate { profile: "hail", confidence: 0, reasons: Vec::new() },
    }
}
