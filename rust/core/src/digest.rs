//! Digests: the two that are shown to people, and the small one behind sets of ids.
//!
//! Owns the choice of hash crates: nobody else names them. SHA-256 uses the processor's instructions where it has them
//! (found at run time) and then runs at the speed of OpenSSL.

use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};

use sha2::Digest as _;

use crate::{Error, Result};

/// A finished SHA-256 or BLAKE3 digest; prints as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SHA-256 of a stream. A clone goes on from the same state.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    pub fn new() -> Sha256 {
        Sha256::default()
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// BLAKE3 of a stream.
#[derive(Clone, Default)]
pub struct Blake3(blake3::Hasher);

impl Blake3 {
    pub fn new() -> Blake3 {
        Blake3::default()
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(&self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// 128 bits that stand for a short text in a set.
///
/// The first half of its SHA-256: nobody can make two texts meet. Computed on the compression function directly, because
/// the ids of a large session are many and nearly all fit one block.
pub fn short(text: &[u8]) -> [u8; 16] {
    const INITIAL: [u32; 8] =
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
    let mut out = [0; 16];
    if text.len() > 55 {
        out.copy_from_slice(&sha2::Sha256::digest(text)[..16]);
        return out;
    }
    let mut block = [0; 64];
    block[..text.len()].copy_from_slice(text);
    block[text.len()] = 0x80;
    block[56..].copy_from_slice(&(text.len() as u64 * 8).to_be_bytes());
    let mut state = INITIAL;
    sha2::block_api::compress256(&mut state, &[block]);
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// An output that hashes what passes, and writes it on where there is somewhere to write.
pub struct Out<'w> {
    hash: Sha256,
    bytes: u64,
    to: Option<Box<dyn Write + 'w>>,
}

impl<'w> Out<'w> {
    /// With no `to` the bytes are only hashed.
    pub fn new(to: Option<Box<dyn Write + 'w>>) -> Out<'w> {
        Out { hash: Sha256::new(), bytes: 0, to }
    }

    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        // In slices that stay in the cache between hash and write.
        for part in bytes.chunks(256 << 10) {
            self.hash.update(part);
            if let Some(to) = &mut self.to {
                to.write_all(part).map_err(Error::write)?;
            }
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Write without hashing: somebody else does that.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(to) = &mut self.to {
            to.write_all(bytes).map_err(Error::write)?;
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Flush, and tell the digest and the number of bytes.
    pub fn finish(mut self) -> Result<(Digest, u64)> {
        if let Some(to) = &mut self.to {
            to.flush().map_err(Error::write)?;
        }
        Ok((self.hash.finish(), self.bytes))
    }
}

/// An output whose hash is computed by whichever thread has time: pieces wait in order until one takes them.
pub struct SharedOut<'w> {
    out: Out<'w>,
    hashing: Arc<Hashing>,
    alone: bool,
}

/// What waits to be hashed, and the hash so far. Only who holds the hash takes pieces, so their order stays.
#[derive(Default)]
pub struct Hashing {
    hash: Mutex<Sha256>,
    waiting: Mutex<VecDeque<Vec<u8>>>,
    free: Mutex<Vec<Vec<u8>>>,
}

/// Pieces that may wait; then the writer hashes too.
const WAITING: usize = 8;

/// What a helper hashes before it goes back to its own work: about what one block of input becomes. More would let the
/// writer run out of input meanwhile.
const HELP: usize = 640 << 10;

/// A larger piece does not wait: it would hold its memory.
const LARGE: usize = 2 << 20;

impl Hashing {
    /// Hash some of what waits, unless another thread is at it.
    pub fn help(&self) {
        if let Ok(mut hash) = self.hash.try_lock() {
            let mut done = 0;
            while done < HELP {
                match self.one(&mut hash) {
                    Some(bytes) => done += bytes,
                    None => return,
                }
            }
        }
    }

    fn drain(&self, hash: &mut Sha256) {
        while self.one(hash).is_some() {}
    }

    /// Hash the piece that has waited longest, and tell its length.
    fn one(&self, hash: &mut Sha256) -> Option<usize> {
        let mut piece = lock(&self.waiting).pop_front()?;
        let bytes = piece.len();
        hash.update(&piece);
        piece.clear();
        lock(&self.free).push(piece);
        Some(bytes)
    }
}

/// A lock is only poisoned by a panic, which ends the work anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

impl<'w> SharedOut<'w> {
    /// `alone`: no other thread will help.
    pub fn new(out: Out<'w>, alone: bool) -> SharedOut<'w> {
        SharedOut { out, hashing: Arc::default(), alone }
    }

    /// For the threads that help.
    pub fn hashing(&self) -> Arc<Hashing> {
        self.hashing.clone()
    }

    /// Write a piece; returns an empty buffer for the next one.
    pub fn put(&mut self, mut piece: Vec<u8>) -> Result<Vec<u8>> {
        if self.alone || piece.len() > LARGE {
            let mut hash = lock(&self.hashing.hash);
            self.hashing.drain(&mut hash);
            hash.update(&piece);
            self.out.write(&piece)?;
            piece.clear();
            return Ok(if piece.capacity() > LARGE { Vec::new() } else { piece });
        }
        self.out.write(&piece)?;
        let waiting = {
            let mut waiting = lock(&self.hashing.waiting);
            waiting.push_back(piece);
            waiting.len()
        };
        if waiting > WAITING {
            // Where another thread is at it already, there is no need to wait for that yet.
            match self.hashing.hash.try_lock() {
                Ok(mut hash) => _ = self.hashing.one(&mut hash),
                Err(_) if waiting > 2 * WAITING => _ = self.hashing.one(&mut lock(&self.hashing.hash)),
                Err(_) => {}
            }
        }
        Ok(lock(&self.hashing.free).pop().unwrap_or_default())
    }

    /// Flush, and tell the digest and the number of bytes.
    pub fn finish(mut self) -> Result<(Digest, u64)> {
        let mut hash = lock(&self.hashing.hash);
        self.hashing.drain(&mut hash);
        self.out.hash = hash.clone();
        drop(hash);
        self.out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_and_blake3_match_their_published_vectors() {
        let mut sha = Sha256::new();
        sha.update(b"a");
        sha.update(b"bc");
        let text = sha.finish().to_string();
        assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let empty = Blake3::new().finish().to_string();
        assert_eq!(empty, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }

    #[test]
    fn the_short_digest_is_the_first_half_of_sha256_at_every_length() {
        for n in 0..200 {
            let text = vec![b'x'; n];
            let mut whole = Sha256::new();
            whole.update(&text);
            assert_eq!(short(&text), whole.finish().0[..16], "{n} bytes");
        }
    }

    #[test]
    fn out_hashes_and_writes_the_same_bytes() {
        let mut written = Vec::new();
        let mut out = Out::new(Some(Box::new(&mut written)));
        out.put(b"abc").unwrap();
        out.put(&[7; 600_000]).unwrap();
        let (digest, bytes) = out.finish().unwrap();
        assert_eq!(bytes, 600_003);
        let mut again = Sha256::new();
        again.update(&written);
        assert_eq!(again.finish(), digest);
    }
}
