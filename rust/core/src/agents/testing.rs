//! For tests: run a log that is written in the test through the driver, and look at the session as JSON.

use std::io::Read;

use serde_json::Value;

use super::{agent, parse, Options};
use crate::digest::Out;
use crate::Result;

/// A session, each line as JSON.
#[derive(Debug)]
pub struct Session {
    pub bytes: Vec<u8>,
    pub header: Value,
    pub events: Vec<Value>,
    pub stats: Value,
}

impl Session {
    /// The event types, `Custom` ones as their kind.
    pub fn kinds(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|e| match e["event_type"]["type"].as_str().unwrap() {
                "Custom" => e["event_type"]["data"]["kind"].as_str().unwrap().to_string(),
                kind => kind.to_string(),
            })
            .collect()
    }

    pub fn ids(&self) -> Vec<&str> {
        self.events.iter().map(|e| e["event_id"].as_str().unwrap()).collect()
    }

    pub fn source(&self) -> &Value {
        &self.stats["source"]
    }

    /// `attributes` of event `n`.
    pub fn attributes(&self, n: usize) -> &Value {
        &self.events[n]["attributes"]
    }

    pub fn rest(&self, n: usize) -> &Value {
        &self.events[n]["attributes"]["source.rest"]
    }

    pub fn data(&self, n: usize) -> &Value {
        &self.events[n]["event_type"]["data"]
    }

    pub fn blocks(&self, n: usize) -> &Value {
        &self.events[n]["content"]["blocks"]
    }
}

/// Parse `log` and check what every session promises: each line canonical, the whole valid, the ledger balanced, the same
/// bytes from two threads.
pub fn session(profile: &str, log: impl AsRef<[u8]>) -> Session {
    let log = log.as_ref();
    let bytes = bytes(profile, log, 1, false).unwrap();
    assert_eq!(bytes, self::bytes(profile, log, 2, false).unwrap());
    check(&bytes);
    read(bytes)
}

/// The canonical bytes, or the error.
pub fn bytes(profile: &str, log: &[u8], jobs: usize, is_final: bool) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let options = Options { source_name: "", is_final, jobs, max_line: 1 << 20 };
    let mut open = || Ok(Box::new(std::io::Cursor::new(log.to_vec())) as Box<dyn Read + Send>);
    parse(agent(profile).unwrap(), &mut open, Out::new(Some(Box::new(&mut out))), &options, &mut |_| Ok(()))?;
    Ok(out)
}

pub fn read(bytes: Vec<u8>) -> Session {
    let mut lines: Vec<Value> =
        bytes.split(|&c| c == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect();
    let stats = lines.pop().unwrap();
    let header = lines.remove(0);
    Session { bytes, header, events: lines, stats }
}

fn check(bytes: &[u8]) {
    let mut reader = crate::input::BlockReader::new(bytes);
    let report = crate::hail::verify(&mut reader, 1, &mut |_| Ok(())).unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(report.first_difference, None);
    let source = report.sessions[0].source.as_ref().unwrap();
    let records = &serde_json::from_slice::<Value>(source).unwrap()["records"];
    let sum: u64 =
        ["blank", "damaged", "folded", "mapped", "opaque"].iter().map(|k| records[k].as_u64().unwrap()).sum();
    assert_eq!(records["read"].as_u64(), Some(sum));
}
