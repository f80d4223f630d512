//! A set of digests for sessions of any size.
//!
//! Many small tables: one of them grows at a time, so no moment holds two copies of a large one. A table keeps its
//! digests in the order they came, and an index with open addressing that holds 32 bits of each: a new digest is told
//! from the others by the index alone, and that of a large session still fits the cache. At most 25 bytes a digest.

use crate::json::scan::fetch;

/// Number of tables.
const TABLES: usize = 256;

/// Tags that stand in one line of the cache, and are looked at together.
const TOGETHER: usize = 16;

/// Digests whose places in the index are fetched together.
const GROUP: usize = 16;

/// Up to so many digests a table doubles: all tables of that size together take a few MiB.
const DOUBLING: usize = 1024;

/// A set of 128-bit digests.
#[derive(Debug, Default)]
pub struct Ids {
    tables: Vec<Table>,
    len: u64,
}

#[derive(Debug, Default, Clone)]
struct Table {
    digests: Vec<u128>,
    index: Vec<Bucket>,
}

/// One line of the cache. Zero marks a free place; the free ones come last.
#[derive(Debug, Default, Clone, Copy)]
#[repr(align(64))]
struct Bucket([u32; TOGETHER]);

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
        let digest = u128::from_le_bytes(digest);
        if self.tables.is_empty() {
            self.tables.resize(TABLES, Table::default());
        }
        let new = self.tables[digest as usize % TABLES].insert(digest);
        self.len += new as u64;
        new
    }

    /// Insert all; the position of the first that was there already.
    pub fn insert_all(&mut self, digests: &[[u8; 16]]) -> Result<(), usize> {
        for (n, group) in digests.chunks(GROUP).enumerate() {
            // Most tables are not in the nearest cache: fetching the places of a whole group first lets the processor
            // wait for all of them at once.
            group.iter().for_each(|digest| self.expect(*digest));
            for (at, digest) in group.iter().enumerate() {
                if !self.insert(*digest) {
                    return Err(n * GROUP + at);
                }
            }
        }
        Ok(())
    }

    /// The digest will be inserted soon: fetch what that needs.
    #[inline(always)]
    pub fn expect(&self, digest: [u8; 16]) {
        let digest = u128::from_le_bytes(digest);
        let Some(table) = self.tables.get(digest as usize % TABLES) else { return };
        if let Some(bucket) = table.index.get(home(tag(digest), table.index.len())) {
            fetch(bucket);
        }
        if let Some(last) = table.digests.last() {
            fetch(last);
        }
    }
}

impl Table {
    #[inline(always)]
    fn insert(&mut self, digest: u128) -> bool {
        if self.digests.len() * 5 >= self.index.len() * TOGETHER * 4 {
            self.grow_index();
        }
        let tag = tag(digest);
        let mut at = home(tag, self.index.len());
        loop {
            let places = &mut self.index[at].0;
            // Without a branch for each place: which one it is cannot be foreseen.
            let met = places.iter().fold(false, |met, place| met | (*place == tag));
            let used = places.iter().fold(0, |used, place| used + (*place != 0) as usize);
            if met && self.digests.contains(&digest) {
                return false;
            }
            if let Some(place) = places.get_mut(used) {
                *place = tag;
                break;
            }
            at = after(at, self.index.len());
        }
        if self.digests.len() == self.digests.capacity() {
            self.grow_digests();
        }
        self.digests.push(digest);
        true
    }

    #[cold]
    fn grow_index(&mut self) {
        let now = self.index.len();
        let more = if now * TOGETHER < DOUBLING { (now * 2).max(1) } else { now * 5 / 4 };
        let old = std::mem::replace(&mut self.index, vec![Bucket::default(); more]);
        let mut used = vec![0; more];
        // In the order of their homes: the new index is written from its beginning to its end.
        for bucket in &old {
            for tag in bucket.0.into_iter().take_while(|tag| *tag != 0) {
                let mut at = home(tag, more);
                while used[at] as usize == TOGETHER {
                    at = after(at, more);
                }
                self.index[at].0[used[at] as usize] = tag;
                used[at] += 1u8;
            }
        }
    }

    #[cold]
    fn grow_digests(&mut self) {
        let now = self.digests.len();
        self.digests.reserve_exact(if now < DOUBLING { now.max(4) } else { now / 8 });
    }
}

/// The bits of a digest that stand in the index; they do not choose the table.
#[inline(always)]
fn tag(digest: u128) -> u32 {
    ((digest >> 96) as u32).max(1)
}

/// The bucket where a tag would like to stand.
#[inline(always)]
fn home(tag: u32, buckets: usize) -> usize {
    ((tag as u64 * buckets as u64) >> 32) as usize
}

#[inline(always)]
fn after(at: usize, buckets: usize) -> usize {
    if at + 1 == buckets {
        0
    } else {
        at + 1
    }
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
        let bytes: usize = ids.tables.iter().map(|t| t.index.capacity() * 64 + t.digests.capacity() * 16).sum();
        assert!(bytes as u64 <= 25 * n, "{} bytes a digest", bytes as u64 / n);
    }

    #[test]
    fn the_zero_digest_is_a_digest() {
        let mut ids = Ids::new();
        assert!(ids.insert([0; 16]));
        assert!(!ids.insert([0; 16]));
    }

    #[test]
    fn digests_that_share_all_bits_of_the_index_are_told_apart() {
        let mut ids = Ids::new();
        let digest = |k: u128| ((7 << 96 | k << 8) | 3).to_le_bytes();
        let all: Vec<[u8; 16]> = (0..500).map(digest).collect();
        assert_eq!(ids.insert_all(&all), Ok(()));
        assert_eq!(ids.len(), 500);
        for (k, again) in all.iter().enumerate() {
            assert_eq!(ids.insert_all(&[digest(1000 + k as u128), *again]), Err(1), "{k}");
        }
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn the_first_digest_that_comes_again_is_named_wherever_it_stands() {
        let all: Vec<[u8; 16]> = (0..100u64).map(|k| short(&k.to_le_bytes())).collect();
        for at in 0..100 {
            let mut ids = Ids::new();
            assert!(ids.insert(all[at]));
            assert_eq!(ids.insert_all(&all), Err(at));
        }
    }
}
