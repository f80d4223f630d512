//! The artifact: the first line that binds the sources, then all summaries, then all reports.

use super::json::{Json, Object};
use super::RULES;
use crate::digest::{Digest, Sha256};
use crate::{Code, Error, Result};

/// The version of the artifact's form.
pub const VERSION: &str = "handoff-1.0.0";

/// One source: which bytes, and what `summarize` made of them.
#[derive(Debug, Clone)]
pub struct Source {
    /// Lower-case hex.
    pub sha256: String,
    pub bytes: u64,
    pub session_id: String,
    pub event_count: u64,
    /// Canonical lines with their LF.
    pub summary: Vec<u8>,
    pub report: Vec<u8>,
}

/// The bytes of the artifact over these sources, in whatever order and how often they are given, and its address.
pub fn assemble(mut sources: Vec<Source>) -> Result<(Vec<u8>, Digest)> {
    sources.sort_by(|a, b| (a.session_id.as_bytes(), &a.sha256).cmp(&(b.session_id.as_bytes(), &b.sha256)));
    sources.dedup_by(|a, b| a.sha256 == b.sha256);
    if sources.is_empty() {
        return Err(Error::new(Code::HailEmpty, "an artifact needs at least one source"));
    }
    let list = sources.iter().map(|s| {
        Object::new()
            .set("sha256", s.sha256.as_str())
            .set("bytes", s.bytes)
            .set("session_id", s.session_id.as_str())
            .set("event_count", s.event_count)
    });
    let first = Object::new()
        .set("type", "artifact")
        .set("version", VERSION)
        .set("summarizer", RULES)
        .set("parameters", Object::new())
        .set("sources", list.collect::<Vec<_>>());
    let mut out = Json::from(first).line();
    sources.iter().for_each(|s| out.extend_from_slice(&s.summary));
    sources.iter().for_each(|s| out.extend_from_slice(&s.report));
    let mut sha256 = Sha256::new();
    sha256.update(&out);
    Ok((out, sha256.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(id: &str, sha: char) -> Source {
        let text = |kind: &str| format!("{{\"type\":\"{kind}\",\"id\":\"{id}{sha}\"}}\n").into_bytes();
        Source {
            sha256: sha.to_string().repeat(64),
            bytes: 1,
            session_id: id.into(),
            event_count: 2,
            summary: text("summary"),
            report: text("report"),
        }
    }

    #[test]
    fn order_and_repetition_of_the_sources_change_nothing() {
        let (a, b, c) = (source("é", 'a'), source("z", 'c'), source("z", 'b'));
        let (bytes, digest) = assemble(vec![a.clone(), b.clone(), c.clone()]).unwrap();
        assert_eq!(assemble(vec![b.clone(), c, a.clone(), a, b]).unwrap().1, digest);
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7);
        assert!(lines[0]
            .starts_with(r#"{"parameters":{},"sources":[{"bytes":1,"event_count":2,"session_id":"z","sha256":"bbb"#));
        assert!(lines[1].contains("\"zb\"") && lines[2].contains("\"zc\"") && lines[3].contains("\"éa\""));
        assert!(lines[4].contains("report") && lines[6].contains("\"éa\""));
        assert!(assemble(Vec::new()).is_err());
    }
}
