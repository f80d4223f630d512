//! The index of evidence: one row for each sentence of a summary and event that it rests on.

use std::collections::HashMap;

use super::item::Cite;
use super::json::{Json, Object};
use crate::hail::Time;

#[derive(Debug, Default)]
pub struct Evidence {
    rows: Vec<Json>,
    known: HashMap<(String, String), usize>,
}

impl Evidence {
    /// The row of this claim and event; `None` if the event has no id that could be kept.
    pub fn cite(&mut self, label: &str, text: &str, cite: &Cite) -> Option<String> {
        if cite.id.is_empty() {
            return None;
        }
        let claim = format!("{label}: {text}");
        let next = self.rows.len() + 1;
        let number = *self.known.entry((claim.clone(), cite.id.to_string())).or_insert(next);
        if number == next {
            let row = Object::new()
                .set("id", format!("evidence-{number}"))
                .set("claim", claim)
                .set("event_id", &*cite.id)
                .set("timestamp", time(cite.time))
                .set("source_type", &*cite.source);
            self.rows.push(row.into());
        }
        Some(format!("evidence-{number}"))
    }

    /// The same for several events.
    pub fn cite_all<'c>(&mut self, label: &str, text: &str, cites: impl IntoIterator<Item = &'c Cite>) -> Vec<String> {
        let mut ids: Vec<String> = cites.into_iter().filter_map(|cite| self.cite(label, text, cite)).collect();
        ids.dedup();
        ids
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn rows(self) -> Json {
        Json::List(self.rows)
    }
}

/// A time as it stands in a session.
pub fn time(time: Time) -> String {
    let mut out = Vec::new();
    time.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
