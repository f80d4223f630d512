//! What was tried and failed, and what took its place: a later success of the same kind.
//!
//! Each failure waits under the keys of its kind; a success takes all that wait there, so the work is linear.

use std::collections::VecDeque;

use super::item::Cite;
use super::keys::{Key, KeyMap};
use super::limits::{ATTEMPTS, OPEN_FAILURES};
use super::lists::Ends;

#[derive(Debug, Clone)]
pub struct Attempt {
    pub text: Box<str>,
    /// `command`, `edit`, `read` or `tool`.
    pub kind: &'static str,
    pub exit_code: Option<i64>,
    pub error: Option<Box<str>>,
    /// How often it failed in a row.
    pub count: u64,
    pub first: Cite,
    pub last: Cite,
    pub result: Option<Cite>,
    pub replaced_by: Option<Success>,
}

#[derive(Debug, Clone)]
pub struct Success {
    pub text: Box<str>,
    pub cite: Cite,
}

/// Under which keys an attempt is known.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// Exactly this.
    pub same: Key,
    pub kind: Key,
    /// Another sign that it is the same thing.
    pub other: Option<Key>,
}

#[derive(Debug)]
pub struct Attempts {
    pub list: Ends<Attempt>,
    same: KeyMap<u64>,
    waiting: KeyMap<VecDeque<u64>>,
    /// All that wait, the oldest first.
    order: VecDeque<(u64, Keys)>,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts {
            list: Ends::new(ATTEMPTS),
            same: KeyMap::default(),
            waiting: KeyMap::default(),
            order: VecDeque::new(),
        }
    }
}

impl Attempts {
    pub fn failed(&mut self, keys: Keys, attempt: Attempt) {
        if let Some(known) = self.same.get(&keys.same).and_then(|number| self.list.get_mut(*number)) {
            if known.replaced_by.is_none() {
                known.count += 1;
                known.last = attempt.last;
                known.exit_code = attempt.exit_code;
                known.error = attempt.error;
                known.result = attempt.result;
                return;
            }
        }
        let number = self.list.push(attempt);
        self.same.insert(keys.same, number);
        for key in [Some(keys.kind), keys.other].into_iter().flatten() {
            self.waiting.entry(key).or_default().push_back(number);
        }
        // The first ones are listed for ever, so they wait for ever.
        if number >= ATTEMPTS.0 as u64 {
            self.order.push_back((number, keys));
        }
        if self.order.len() > OPEN_FAILURES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((number, keys)) = self.order.pop_front() else { return };
        if self.same.get(&keys.same) == Some(&number) {
            self.same.remove(&keys.same);
        }
        for key in [Some(keys.kind), keys.other].into_iter().flatten() {
            if let Some(queue) = self.waiting.get_mut(&key) {
                // Only those that wait for ever stand before the oldest.
                if let Some(at) = queue.iter().take(ATTEMPTS.0 + 1).position(|n| *n == number) {
                    queue.remove(at);
                }
                if queue.is_empty() {
                    self.waiting.remove(&key);
                }
            }
        }
    }

    pub fn anybody_waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub fn succeeded(&mut self, keys: [Option<Key>; 2], text: &str, cite: &Cite) {
        for key in keys.into_iter().flatten() {
            for number in self.waiting.remove(&key).unwrap_or_default() {
                if let Some(attempt) = self.list.get_mut(number).filter(|a| a.replaced_by.is_none()) {
                    attempt.replaced_by = Some(Success { text: text.into(), cite: cite.clone() });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hail::Time;

    fn cite(id: u64) -> Cite {
        Cite { id: id.to_string().into(), time: Time::EPOCH, source: "x".into() }
    }

    fn keys(same: u8, kind: u8) -> Keys {
        Keys { same: [same; 16], kind: [100 + kind; 16], other: None }
    }

    fn attempt(id: u64) -> Attempt {
        Attempt {
            text: "t".into(),
            kind: "command",
            exit_code: Some(1),
            error: None,
            count: 1,
            first: cite(id),
            last: cite(id),
            result: None,
            replaced_by: None,
        }
    }

    #[test]
    fn a_success_of_the_same_kind_takes_the_place_of_all_failures_before_it() {
        let mut all = Attempts::default();
        all.failed(keys(1, 1), attempt(1));
        all.failed(keys(1, 1), attempt(2));
        all.failed(keys(2, 1), attempt(3));
        all.failed(keys(3, 2), attempt(4));
        all.succeeded([Some(keys(9, 1).kind), None], "ok", &cite(5));
        all.failed(keys(1, 1), attempt(6));
        let list: Vec<_> =
            all.list.iter().map(|(_, a)| (a.count, a.replaced_by.as_ref().map(|s| s.cite.id.to_string()))).collect();
        assert_eq!(list, [(2, Some("5".into())), (1, Some("5".into())), (1, None), (1, None)]);
    }

    #[test]
    fn a_million_different_failures_take_linear_time_and_bounded_memory() {
        let mut all = Attempts::default();
        for k in 0..1_000_000u64 {
            let mut same = [0; 16];
            same[..8].copy_from_slice(&k.to_le_bytes());
            all.failed(Keys { same, kind: [1; 16], other: Some(same) }, attempt(k));
        }
        let most = OPEN_FAILURES + ATTEMPTS.0;
        assert!(all.same.len() <= most && all.order.len() <= OPEN_FAILURES && all.waiting.len() <= most + 1);
        assert_eq!(all.waiting[&[1; 16]].len(), most);
        assert_eq!(all.list.iter().count(), ATTEMPTS.0 + ATTEMPTS.1);
    }
}
