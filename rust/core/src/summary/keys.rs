//! Keys that are digests already: tables take their first bytes as the hash.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A digest that stands for a text.
pub type Key = [u8; 16];
pub type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<First>>;
pub type KeySet = HashSet<Key, BuildHasherDefault<First>>;

#[derive(Debug, Default, Clone, Copy)]
pub struct First(u64);

impl Hasher for First {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(Ok(word)) = bytes.get(..8).map(<[u8; 8]>::try_from) {
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}
