//! The scan of a stream: what it finds, never what it found.

use std::collections::HashSet;
use std::io::Read;

use super::detect::Detector;
use super::fingerprint::fingerprint;
use super::layers::{self, Found};
use crate::digest::Digest;
use crate::input::{Block, BlockReader};
use crate::json::{Kind, Tape, MAX_DEPTH};
use crate::{pipeline, Result};

/// How to treat what is found.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The store's key; without one there are no fingerprints.
    pub key: Option<Vec<u8>>,
    /// Fingerprints of values that may stay.
    pub allow: HashSet<Digest>,
    /// Stop after so many findings; 0 means never.
    pub limit: usize,
}

impl Policy {
    pub(super) fn fingerprint(&self, rule: &str, value: &[u8]) -> Option<Digest> {
        self.key.as_ref().map(|key| fingerprint(key, rule, value))
    }

    pub(super) fn allows(&self, rule: &str, value: &[u8]) -> bool {
        !self.allow.is_empty() && self.fingerprint(rule, value).is_some_and(|f| self.allow.contains(&f))
    }
}

/// A place that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    /// Line of the input, from 1.
    pub line: u64,
    /// Of the event that the line is, if it is one (and if its id holds no secret).
    pub event_id: Option<String>,
    pub pointer: String,
    /// Where the value begins in the decoded string, and its length, in bytes.
    pub start: usize,
    pub len: usize,
    pub fingerprint: Option<Digest>,
}

/// The secrets of an input, in its order.
pub fn scan<R: Read + Send>(
    reader: &mut BlockReader<'_, R>,
    jobs: usize,
    policy: &Policy,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Vec<Finding>> {
    let detector = Detector::get();
    let mut all = Vec::new();
    pipeline::run(
        reader,
        jobs,
        Scratch::default,
        |scratch, block| block_findings(detector, policy, &block, scratch),
        |found: Vec<Finding>| {
            if policy.limit == 0 || all.len() < policy.limit {
                all.extend(found);
            }
            Ok(())
        },
        tick,
    )?;
    if policy.limit > 0 {
        all.truncate(policy.limit);
    }
    Ok(all)
}

/// What a thread keeps from block to block.
#[derive(Default)]
pub(super) struct Scratch {
    candidates: Vec<usize>,
    tape: Tape,
}

fn block_findings(detector: &Detector, policy: &Policy, block: &Block, scratch: &mut Scratch) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Scratch { candidates, tape } = scratch;
    let text = block.text();
    each_line(detector, text, candidates, |number, line, candidates| {
        let (found, event_id) = line_secrets(detector, text, line, candidates, tape);
        for f in found {
            let rule = detector.rules[f.rule].id;
            if policy.allows(rule, &f.value) {
                continue;
            }
            findings.push(Finding {
                rule,
                line: block.first_line + number,
                event_id: event_id.clone(),
                pointer: f.pointer,
                start: f.start,
                len: f.value.len(),
                fingerprint: policy.fingerprint(rule, &f.value),
            });
        }
    });
    findings
}

/// Call `see` for every line that has candidates: its number in the block, its text, the offsets in it.
pub(super) fn each_line(
    detector: &Detector,
    text: &[u8],
    candidates: &mut Vec<usize>,
    mut see: impl FnMut(u64, &[u8], &[usize]),
) {
    candidates.clear();
    detector.candidates(text, candidates);
    candidates.sort_unstable();
    candidates.dedup();
    let (mut rest, mut counted, mut number) = (&candidates[..], 0, 0);
    while let Some(first) = rest.first() {
        let start = memchr::memrchr(b'\n', &text[..*first]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at);
        number += memchr::memchr_iter(b'\n', &text[counted..start]).count() as u64;
        counted = start;
        let here = rest.partition_point(|c| *c <= end);
        let offsets: Vec<usize> = rest[..here].iter().map(|c| c - start).collect();
        see(number, &text[start..end], &offsets);
        rest = &rest[here..];
    }
}

/// Of a text that is no JSON so much is looked at with each line: a private key takes many.
const SPREAD: usize = 32 << 10;

/// The secrets of one line of `text`, and the id of the event that it is.
pub(super) fn line_secrets(
    detector: &Detector,
    text: &[u8],
    line: &[u8],
    candidates: &[usize],
    tape: &mut Tape,
) -> (Vec<Found>, Option<String>) {
    match layers::of_json(detector, line, candidates, tape) {
        Some(found) if found.is_empty() => (found, None),
        Some(found) => {
            let id = event_id(line).filter(|id| detector.find(id.as_bytes()).is_empty());
            (found, id)
        }
        None => {
            let start = line.as_ptr() as usize - text.as_ptr() as usize;
            let spread = &text[start..text.len().min(start + line.len() + SPREAD)];
            let mut found = layers::of_text(detector, spread);
            found.retain(|f| f.start < line.len());
            (found, None)
        }
    }
}

fn event_id(line: &[u8]) -> Option<String> {
    let block = Block::of(line);
    let mut tape = Tape::new();
    let (root, _) = tape.parse(block.padded(), 0, MAX_DEPTH).ok()?;
    let id = tape.value(block.padded(), root).get("event_id")?;
    if id.kind() == Kind::String {
        id.string()
    } else {
        None
    }
}
