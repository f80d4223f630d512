//! Token usage: Claude Code repeats a message's usage, growing, on each record it writes the message in.

use std::collections::{HashMap, VecDeque};

use super::super::event::{Draft, Event};
use crate::json::Value;

/// Message ids whose usage is remembered (docs/agents.md); an older one counts as new.
const REMEMBERED: usize = 1024;

/// Member of `usage`, attribute of the event.
const COUNTERS: [(&str, &str); 4] = [
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
    ("cache_read_input_tokens", "cache_read_tokens"),
    ("cache_creation_input_tokens", "cache_write_tokens"),
];

#[derive(Debug, Default)]
pub struct Usage {
    seen: HashMap<Vec<u8>, [u64; 4]>,
    order: VecDeque<Vec<u8>>,
}

impl Usage {
    /// What a record's usage adds, as attributes of its first event.
    pub fn count<'a>(&mut self, message: Value<'a>, draft: &mut Draft<'a>) {
        let Some(usage) = message.get("usage") else { return };
        let mut now = [None; 4];
        for (key, value) in usage.members() {
            if let Some(n) = COUNTERS.iter().position(|(name, _)| name.as_bytes() == key.literal()) {
                now[n] = value.u64().map(|count| (count, value));
            }
        }
        let id = message.get_str("id").map(|id| id.literal().to_vec()).filter(|id| !id.is_empty());
        let before = id.as_ref().and_then(|id| self.seen.get(id)).copied();
        let Some(first) = draft.events.first_mut() else { return };
        let mut most = before.unwrap_or_default();
        let mut held = Vec::new();
        for (n, found) in now.iter().enumerate() {
            let Some((count, value)) = found else { continue };
            let added = count.saturating_sub(most[n]);
            most[n] = most[n].max(*count);
            if before.is_none() {
                add(first, COUNTERS[n].1, *count);
                held.push(*value);
            } else {
                if added > 0 {
                    add(first, COUNTERS[n].1, added);
                }
                // The sum of what was added says the same number again, unless it went down.
                if most[n] == *count {
                    held.push(*value);
                }
            }
        }
        held.into_iter().for_each(|value| draft.used(value));
        if let Some(id) = id {
            self.remember(id, most);
        }
    }

    fn remember(&mut self, id: Vec<u8>, counts: [u64; 4]) {
        if let Some(known) = self.seen.get_mut(&id) {
            *known = counts;
            return;
        }
        if self.order.len() == REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.seen.remove(&oldest);
            }
        }
        self.order.push_back(id.clone());
        self.seen.insert(id, counts);
    }
}

fn add(event: &mut Event<'_>, key: &'static str, count: u64) {
    event.attributes.push((key, super::super::event::Attribute::Number(count)));
}
