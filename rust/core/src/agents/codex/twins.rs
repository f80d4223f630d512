//! One thing that is written as two record kinds: an item of the conversation and a message to the screen.
//!
//! The first of the two makes the event. A later one of the other side folds into it if all of its texts were said
//! there and have not been used up by an earlier twin. Looks back only, over a fixed number of texts.

use super::super::text::trim;

/// Texts of each side and role that can still find their twin (docs/agents.md).
const REMEMBERED: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Item,
    Message,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
    Reasoning,
    /// The addresses of images that a user message holds.
    Image,
}

/// What stands for a text: equal texts, white space at the ends aside, have equal keys.
pub type Key = u128;

pub fn key(literal: &[u8]) -> Key {
    let hash = blake3::hash(trim(literal));
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    Key::from_le_bytes(half)
}

#[derive(Debug, Clone, Copy)]
struct Said {
    key: Key,
    phase: u8,
    free: bool,
}

/// The last texts of one side and role.
#[derive(Debug, Default)]
struct Ring {
    said: Vec<Said>,
    /// Where the next text goes once all places are taken.
    next: usize,
}

impl Ring {
    fn add(&mut self, said: Said) {
        if self.said.len() < REMEMBERED {
            self.said.push(said);
        } else {
            self.said[self.next] = said;
            self.next = (self.next + 1) % REMEMBERED;
        }
    }

    /// Use up the newest free text of this key.
    fn absorb(&mut self, key: Key) -> Option<usize> {
        let (old, new) = self.said.split_at(self.next);
        let back = |part: &[Said]| part.iter().rposition(|s| s.key == key && s.free);
        // Texts before `next` are newer than those from it on.
        let at = match back(old) {
            Some(at) => at,
            None => self.next + back(new)?,
        };
        self.said[at].free = false;
        Some(at)
    }
}

#[derive(Debug, Default)]
pub struct Twins {
    rings: [[Ring; 4]; 2],
}

/// How the texts of a record stand to those of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Every one of its twins was said in the same phase of the answer.
    pub same_phase: bool,
}

impl Twins {
    fn other(&mut self, side: Side, role: Role) -> &mut Ring {
        &mut self.rings[1 - side as usize][role as usize]
    }

    /// Remember a text that made an event.
    pub fn add(&mut self, side: Side, role: Role, key: Key, phase: u8) {
        self.rings[side as usize][role as usize].add(Said { key, phase, free: true });
    }

    /// Use up a twin for every key, or for none of them.
    pub fn absorb_all(&mut self, side: Side, role: Role, keys: &[Key], phase: u8) -> Option<Found> {
        let ring = self.other(side, role);
        let mut used = Vec::with_capacity(keys.len());
        for key in keys {
            match ring.absorb(*key) {
                Some(at) => used.push(at),
                None => {
                    for at in used {
                        ring.said[at].free = true;
                    }
                    return None;
                }
            }
        }
        let same_phase = used.iter().all(|&at| ring.said[at].phase == phase);
        (!used.is_empty()).then_some(Found { same_phase })
    }

    /// Use up a twin of one text.
    pub fn absorb(&mut self, side: Side, role: Role, key: Key) -> bool {
        self.other(side, role).absorb(key).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_absorbs_one_twin_of_the_other_side() {
        let mut twins = Twins::default();
        twins.add(Side::Message, Role::Assistant, key(b"a"), 1);
        assert!(!twins.absorb(Side::Message, Role::Assistant, key(b"a")));
        assert!(!twins.absorb(Side::Item, Role::User, key(b"a")));
        assert!(twins.absorb(Side::Item, Role::Assistant, key(br" a\n")));
        assert!(!twins.absorb(Side::Item, Role::Assistant, key(b"a")));
    }

    #[test]
    fn all_texts_find_twins_or_none_is_used_up() {
        let mut twins = Twins::default();
        twins.add(Side::Message, Role::Reasoning, key(b"a"), 0);
        let both = [key(b"a"), key(b"b")];
        assert_eq!(twins.absorb_all(Side::Item, Role::Reasoning, &both, 0), None);
        twins.add(Side::Message, Role::Reasoning, key(b"b"), 2);
        assert_eq!(twins.absorb_all(Side::Item, Role::Reasoning, &both, 0), Some(Found { same_phase: false }));
        assert_eq!(twins.absorb_all(Side::Item, Role::Reasoning, &[], 0), None);
    }

    #[test]
    fn a_text_is_forgotten_after_256_others() {
        for (others, found) in [(255, true), (256, false)] {
            let mut twins = Twins::default();
            for k in 0..300 {
                twins.add(Side::Item, Role::User, key(format!("before {k}").as_bytes()), 0);
            }
            twins.add(Side::Item, Role::User, key(b"x"), 0);
            for k in 0..others {
                twins.add(Side::Item, Role::User, key(format!("after {k}").as_bytes()), 0);
            }
            assert_eq!(twins.absorb(Side::Message, Role::User, key(b"x")), found, "{others} others");
        }
    }
}
