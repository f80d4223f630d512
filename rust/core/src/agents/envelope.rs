//! Members that stand on every record: they are kept where they change.

use super::event::Draft;
use crate::json::Value;

/// The last value of each of a fixed set of members.
#[derive(Debug)]
pub struct Envelope {
    last: Vec<Option<Vec<u8>>>,
}

impl Envelope {
    pub fn new(members: usize) -> Envelope {
        Envelope { last: vec![None; members] }
    }

    /// Leave `value` out if it equals what member `slot` was before; remember it otherwise.
    pub fn pass<'a>(&mut self, slot: usize, value: Value<'a>, draft: &mut Draft<'a>) {
        match &mut self.last[slot] {
            Some(last) if last == value.raw() => draft.used(value),
            _ => self.remember(slot, value),
        }
    }

    /// Member `slot` is `value` from here on, and stands somewhere else in the event.
    pub fn remember(&mut self, slot: usize, value: Value<'_>) {
        let last = self.last[slot].get_or_insert_default();
        last.clear();
        last.extend_from_slice(value.raw());
    }
}
