//! A set of digests for sessions of any size.
//!
//! Many small tables with open addressing: one of them grows at a time, so no moment holds two copies of a large table.
//! A table of some size grows by a quarter and is then 64 % full: at most 25 bytes a digest.

/// Number of tables.
const TABLES: usize = 256;

/// Slots that stand in one line of the cache, and are looked at together.
const TOGETHER: usize = 4;

/// Digests whose slots are fetched together.
const GROUP: usize = 16;

/// Up to so many buckets a table doubles: all tables of that size together take 16 MiB.
const DOUBLING: usize = 1024;

/// A set of 128-bit digests.
#[derive(Debug, Default)]
pub struct Ids {
    tables: Vec<Table>,
    len: u64,
}

#[derive(Debug, Default, Clone)]
struct Table {
    buckets: Vec<Bucket>,
    used: usize,
}

/// One line of the cache. Zero marks a free slot; the free ones come last.
#[derive(Debug, Default, Clone, Copy)]
#[repr(align(64))]
struct Bucket([u128; TOGETHER]);

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
        table.buckets.get(home(key, table.buckets.len())).map_or(0, |bucket| bucket.0[0] as u64)
    }
}

impl Table {
    #[inline(always)]
    fn insert(&mut self, key: u128) -> bool {
        if self.used * 5 >= self.buckets.len() * TOGETHER * 4 {
            self.grow();
        }
        let new = put(&mut self.buckets, key);
        self.used += new as usize;
        new
    }

    #[cold]
    fn grow(&mut self) {
        let now = self.buckets.len();
        let more = if now < DOUBLING { (now * 2).max(2) } else { now * 5 / 4 };
        let old = std::mem::replace(&mut self.buckets, vec![Bucket::default(); more]);
        for key in old.iter().flat_map(|bucket| bucket.0).filter(|key| *key != 0) {
            put(&mut self.buckets, key);
        }
    }
}

/// Put `key` into the first bucket from its home on that has room; false if it was met on the way.
#[inline(always)]
fn put(buckets: &mut [Bucket], key: u128) -> bool {
    let mut at = home(key, buckets.len());
    loop {
        let slots = &mut buckets[at].0;
        // Without a branch for each slot: which one it is cannot be foreseen.
        let met = slots.iter().fold(false, |met, slot| met | (*slot == key));
        let used = slots.iter().fold(0, |used, slot| used + (*slot != 0) as usize);
        if met {
            return false;
        }
        if let Some(slot) = slots.get_mut(used) {
            *slot = key;
            return true;
        }
        at += 1;
        if at == buckets.len() {
            at = 0;
        }
    }
}

#[inline(always)]
fn key(digest: [u8; 16]) -> u128 {
    u128::from_le_bytes(digest).max(1)
}

/// The bucket where a key would like to stand. The bits used here do not choose the table.
#[inline(always)]
fn home(key: u128, buckets: usize) -> usize {
    (((key >> 96) as u64 * buckets as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::short;

    #[test]
    fn every_digest_is_new_once_and_memory_stays_bounded() {
        let mut ids = Ids::new();
        let n = 1_500_000u64;
        for k in 0..n {
            assert!(ids.insert(short(&k.to_le_bytes())));
        }
        for k in (0..n).step_by(7) {
            assert!(!ids.insert(short(&k.to_le_bytes())));
        }
        assert_eq!(ids.len(), n);
        let bytes: usize = ids.tables.iter().map(|t| t.buckets.capacity() * 64).sum();
        assert!(bytes as u64 <= 25 * n, "{} bytes a digest", bytes as u64 / n);
    }

    #[test]
    fn the_zero_digest_is_a_digest() {
        let mut ids = Ids::new();
        assert!(ids.insert([0; 16]));
        assert!(!ids.insert([0; 16]));
    }
}
