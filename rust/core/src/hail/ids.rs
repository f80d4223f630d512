//! A set of digests for sessions of any size.
//!
//! Many small tables with open addressing: one of them grows at a time, so no moment holds two copies of a large table,
//! and a grown table is at least 57 % full. Together at most 29 bytes a digest.

/// Number of tables, and the shift that makes a table's number of a digest's first half.
const TABLES: usize = 256;

/// Slots that are fetched together.
const GROUP: usize = 16;

/// A set of 128-bit digests.
#[derive(Debug, Default)]
pub struct Ids {
    tables: Vec<Table>,
    len: u64,
}

#[derive(Debug, Default, Clone)]
struct Table {
    slots: Vec<u128>,
    used: usize,
}

impl Ids {
    pub fn new() -> Ids {
        Ids::default()
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// True if the digest was not there yet.
    #[inline]
    pub fn insert(&mut self, digest: [u8; 16]) -> bool {
        let key = key(digest);
        if self.tables.is_empty() {
            self.tables.resize(TABLES, Table::default());
        }
        let new = self.tables[key as usize % TABLES].insert(key);
        self.len += new as u64;
        new
    }

    /// Insert all; the position of the first that was there already.
    pub fn insert_all(&mut self, digests: &[[u8; 16]]) -> Result<(), usize> {
        for (n, group) in digests.chunks(GROUP).enumerate() {
            // Most tables are not in the cache: fetching the slots of a whole group first lets the processor wait for
            // all of them at once.
            let fetched = group.iter().fold(0, |all, digest| all ^ self.peek(*digest));
            std::hint::black_box(fetched);
            for (at, digest) in group.iter().enumerate() {
                if !self.insert(*digest) {
                    return Err(n * GROUP + at);
                }
            }
        }
        Ok(())
    }

    /// Whatever stands where the digest would like to stand.
    #[inline(always)]
    fn peek(&self, digest: [u8; 16]) -> u64 {
        let key = key(digest);
        let Some(table) = self.tables.get(key as usize % TABLES) else { return 0 };
        table.slots.get(home(key, table.slots.len())).map_or(0, |slot| *slot as u64)
    }
}

impl Table {
    #[inline]
    fn insert(&mut self, key: u128) -> bool {
        if self.used * 5 >= self.slots.len() * 4 {
            self.grow();
        }
        let mut at = home(key, self.slots.len());
        loop {
            let slot = self.slots[at];
            if slot == key {
                return false;
            }
            if slot == 0 {
                self.slots[at] = key;
                self.used += 1;
                return true;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let more = (self.slots.len() * 7 / 5).max(8);
        let old = std::mem::replace(&mut self.slots, vec![0; more]);
        for key in old {
            if key != 0 {
                let mut at = home(key, more);
                while self.slots[at] != 0 {
                    at = (at + 1) % more;
                }
                self.slots[at] = key;
            }
        }
    }
}

#[inline(always)]
fn key(digest: [u8; 16]) -> u128 {
    // Zero marks a free slot.
    u128::from_le_bytes(digest).max(1)
}

/// Where a key would like to stand. The bits used here do not choose the table.
#[inline(always)]
fn home(key: u128, slots: usize) -> usize {
    (((key >> 96) as u64 * slots as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::short;

    #[test]
    fn every_digest_is_new_once_and_memory_stays_bounded() {
        let mut ids = Ids::new();
        let n = 200_000u64;
        for k in 0..n {
            assert!(ids.insert(short(&k.to_le_bytes())));
        }
        for k in (0..n).step_by(7) {
            assert!(!ids.insert(short(&k.to_le_bytes())));
        }
        assert_eq!(ids.len(), n);
        let bytes: usize = ids.tables.iter().map(|t| t.slots.capacity() * 16).sum();
        assert!(bytes as u64 <= 29 * n, "{} bytes a digest", bytes as u64 / n);
    }

    #[test]
    fn the_zero_digest_is_a_digest() {
        let mut ids = Ids::new();
        assert!(ids.insert([0; 16]));
        assert!(!ids.insert([0; 16]));
    }
}
