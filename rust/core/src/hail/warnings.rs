//! What is worth telling but no reason to refuse: counted, with the first place.

use super::stats::Place;

/// Append-only, like the codes of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    TimeBackwards,
    UnknownEventType,
    UnknownBlockType,
    TokenAttribute,
}

impl Warning {
    pub const ALL: [Warning; 4] =
        [Warning::TimeBackwards, Warning::UnknownEventType, Warning::UnknownBlockType, Warning::TokenAttribute];

    pub fn code(self) -> &'static str {
        match self {
            Warning::TimeBackwards => "time_backwards",
            Warning::UnknownEventType => "unknown_event_type",
            Warning::UnknownBlockType => "unknown_block_type",
            Warning::TokenAttribute => "token_attribute",
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Warning::TimeBackwards => "the time of an event lies before that of the event before it",
            Warning::UnknownEventType => "an event has a type that this version does not know; it is kept",
            Warning::UnknownBlockType => "a content block has a type that this version does not know; it is kept",
            Warning::TokenAttribute => "a token attribute is no unsigned integer and counts as 0",
        }
    }
}

/// How often each was seen, and where first.
#[derive(Debug, Clone, Default)]
pub struct Warnings([(u64, Place); 4]);

impl Warnings {
    #[cold]
    pub fn add(&mut self, warning: Warning, place: Place) {
        self.add_many(warning, 1, place);
    }

    fn add_many(&mut self, warning: Warning, count: u64, place: Place) {
        let entry = &mut self.0[warning as usize];
        if entry.0 == 0 || place < entry.1 {
            entry.1 = place;
        }
        entry.0 += count;
    }

    /// Count the lines of the places from a later beginning: `lines` stand before it.
    pub fn shift(&mut self, lines: u64) {
        self.0.iter_mut().for_each(|(_, place)| place.0 += lines);
    }

    pub fn join(&mut self, other: &Warnings) {
        for (warning, count, place) in other.iter() {
            self.add_many(warning, count, place);
        }
    }

    /// Those that were seen: which, how often, and the first place.
    pub fn iter(&self) -> impl Iterator<Item = (Warning, u64, Place)> + '_ {
        Warning::ALL.into_iter().map(|w| (w, self.0[w as usize].0, self.0[w as usize].1)).filter(|(_, n, _)| *n > 0)
    }
}
