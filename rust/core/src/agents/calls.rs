//! Which tool a result answers: the calls that are open, and the last ones that were answered.

use std::collections::{HashMap, VecDeque};

use super::event::Lit;
use crate::digest::short;

/// Answered calls that are still known, for results that come twice.
const REMEMBERED: usize = 1024;

/// What is known of a call until its result comes.
#[derive(Debug, Clone)]
pub struct Call {
    /// Number of the tool's name in `Calls::names`.
    name: u32,
    pub kind: CallKind,
}

/// What a result needs to know of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    Shell,
    /// A shell command whose result comes before it ends.
    Background,
    Read,
    Write,
    Edit,
    Question,
    Other,
}

#[derive(Debug, Default)]
pub struct Calls {
    names: Vec<Vec<u8>>,
    numbers: HashMap<Vec<u8>, u32>,
    open: HashMap<[u8; 16], Call>,
    answered: VecDeque<([u8; 16], Call)>,
}

impl Calls {
    pub fn opened(&mut self, id: &[u8], name: &[u8], kind: CallKind) {
        let next = self.names.len() as u32;
        let name = *self.numbers.entry(name.to_vec()).or_insert_with(|| {
            self.names.push(name.to_vec());
            next
        });
        self.open.insert(short(id), Call { name, kind });
    }

    /// A call of this id was seen, and not too long ago.
    pub fn knows(&self, id: &[u8]) -> bool {
        let key = short(id);
        self.open.contains_key(&key) || self.answered.iter().any(|(k, _)| *k == key)
    }

    /// The call of a result: its tool's name and kind. `None` for a result without an earlier call.
    pub fn answered(&mut self, id: &[u8]) -> Option<(Lit<'static>, CallKind)> {
        let key = short(id);
        let call = match self.open.remove(&key) {
            Some(call) => {
                if self.answered.len() == REMEMBERED {
                    self.answered.pop_front();
                }
                self.answered.push_back((key, call.clone()));
                call
            }
            None => self.answered.iter().find(|(k, _)| *k == key)?.1.clone(),
        };
        Some((Lit::Owned(self.names[call.name as usize].clone()), call.kind))
    }
}
