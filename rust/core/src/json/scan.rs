//! The byte scanner: where a string ends, and what stands between.
//!
//! Owns the only architecture-specific code of the core. It knows bytes, not JSON structure. All buffers it is given end
//! in [`PAD`] bytes of padding, so that a whole chunk can be read at any position of the text.

/// Bytes of padding every scanned buffer has after its text. The padding (and the LF before it) are control bytes, so
/// no scan runs past the end of a line.
pub const PAD: usize = 64;

/// Sixteen bytes that are compared at once.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Chunk(std::arch::x86_64::__m128i);

// SSE2 is part of every x86-64 processor: no run-time dispatch, and calls inline everywhere. AVX2 and AVX-512 were
// measured to bring 5-12 % of the scan, which is not the bottleneck beside SHA-256.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, unused_unsafe)]
impl Chunk {
    #[inline(always)]
    fn load(c: &[u8; 16]) -> Chunk {
        let lo = u64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]);
        let hi = u64::from_le_bytes([c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15]]);
        // SAFETY (here and below): SSE2 is in the baseline of the target, so these instructions always exist; no memory
        // is touched.
        Chunk(unsafe { std::arch::x86_64::_mm_set_epi64x(hi as i64, lo as i64) })
    }

    /// One bit per byte that is `byte`.
    #[inline(always)]
    fn equal(self, byte: u8) -> u32 {
        use std::arch::x86_64::*;
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.0, _mm_set1_epi8(byte as i8))) as u32 }
    }

    /// One bit per byte that is a quote, a backslash or a control byte: joined first and gathered once, because every
    /// short string is found by this.
    #[inline(always)]
    fn stops(self) -> u32 {
        use std::arch::x86_64::*;
        unsafe {
            let quote = _mm_cmpeq_epi8(self.0, _mm_set1_epi8(b'"' as i8));
            let backslash = _mm_cmpeq_epi8(self.0, _mm_set1_epi8(b'\\' as i8));
            let control = _mm_cmpeq_epi8(_mm_min_epu8(self.0, _mm_set1_epi8(0x1f)), self.0);
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)) as u32
        }
    }

    /// One bit per byte below 0x20.
    #[inline(always)]
    fn control(self) -> u32 {
        use std::arch::x86_64::*;
        unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(self.0, _mm_set1_epi8(0x1f)), self.0)) as u32 }
    }
}

#[cfg(not(target_arch = "x86_64"))]
use Words as Chunk;

/// The same in plain arithmetic on eight bytes at a time, for every other architecture (and for the test of the first).
#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
#[derive(Clone, Copy)]
struct Words([u64; 2]);

#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
impl Words {
    const ONES: u64 = 0x0101_0101_0101_0101;

    #[inline(always)]
    fn load(c: &[u8; 16]) -> Words {
        let word = |at: usize| {
            u64::from_le_bytes([c[at], c[at + 1], c[at + 2], c[at + 3], c[at + 4], c[at + 5], c[at + 6], c[at + 7]])
        };
        Words([word(0), word(8)])
    }

    #[inline(always)]
    fn equal(self, byte: u8) -> u32 {
        self.zeros(|x| x ^ (Words::ONES * byte as u64))
    }

    #[inline(always)]
    fn stops(self) -> u32 {
        self.equal(b'"') | self.equal(b'\\') | self.control()
    }

    #[inline(always)]
    fn control(self) -> u32 {
        self.zeros(|x| x & (Words::ONES * 0xe0))
    }

    /// One bit per byte that `change` makes zero.
    #[inline(always)]
    fn zeros(self, change: impl Fn(u64) -> u64) -> u32 {
        const LOW7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        let half = |x: u64| {
            // The high bit of each byte that is zero; exact per byte, because no carry leaves a byte.
            let hit = !(((x & LOW7) + LOW7) | x | LOW7);
            // Gather the eight high bits into one byte.
            ((hit >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
        };
        half(change(self.0[0])) | half(change(self.0[1])) << 8
    }
}

/// What the bytes of a 64-byte chunk are, one bit each.
#[derive(Debug, Clone, Copy)]
pub struct Masks {
    pub quote: u64,
    pub backslash: u64,
    pub control: u64,
}

/// Which bytes of a 64-byte chunk may follow a backslash, one bit each.
#[derive(Debug, Clone, Copy)]
pub struct Followers {
    /// One of the letters whose escape is canonical (RFC 8785): `" \\ b f n r t`.
    pub simple: u64,
    pub slash: u64,
    pub u: u64,
}

/// One bit per byte of 64.
#[inline(always)]
fn each16(c: &[u8; 64], of: impl Fn(Chunk) -> u32) -> u64 {
    let part = |k: usize| of(Chunk::load(c[k..k + 16].try_into().expect("16 of 64 bytes"))) as u64;
    part(0) | part(16) << 16 | part(32) << 32 | part(48) << 48
}

/// The 64 bytes at `p`, or `None` where fewer are left.
#[inline(always)]
pub fn chunk64(b: &[u8], p: usize) -> Option<&[u8; 64]> {
    b.get(p..p + 64)?.try_into().ok()
}

#[inline(always)]
pub fn masks(c: &[u8; 64]) -> Masks {
    Masks {
        quote: each16(c, |v| v.equal(b'"')),
        backslash: each16(c, |v| v.equal(b'\\')),
        control: each16(c, Chunk::control),
    }
}

#[inline(always)]
pub fn followers(c: &[u8; 64]) -> Followers {
    let simple = |v: Chunk| {
        v.equal(b'"') | v.equal(b'\\') | v.equal(b'n') | v.equal(b't') | v.equal(b'r') | v.equal(b'b') | v.equal(b'f')
    };
    Followers { simple: each16(c, simple), slash: each16(c, |v| v.equal(b'/')), u: each16(c, |v| v.equal(b'u')) }
}

#[inline(always)]
fn chunk16(b: &[u8], p: usize) -> Option<&[u8; 16]> {
    b.get(p..p + 16)?.try_into().ok()
}

/// The first position at or after `p` that holds a quote, a backslash or a control byte; `b.len()` if there is none.
#[inline(always)]
pub fn special(b: &[u8], mut p: usize) -> usize {
    if let Some(c) = chunk16(b, p) {
        let m = Chunk::load(c).stops();
        if m != 0 {
            return p + m.trailing_zeros() as usize;
        }
        p += 16;
    }
    while let Some(c) = chunk64(b, p) {
        let m = each16(c, Chunk::stops);
        if m != 0 {
            return p + m.trailing_zeros() as usize;
        }
        p += 64;
    }
    while p < b.len() && !matches!(b[p], b'"' | b'\\' | 0..=0x1f) {
        p += 1;
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_value_is_classified_alike_by_both_masks_and_by_the_plain_rule() {
        for byte in 0..=255u8 {
            for at in 0..16 {
                let mut c = [b'a'; 16];
                c[at] = byte;
                let want = if matches!(byte, b'"' | b'\\' | 0..=0x1f) { 1 << at } else { 0 };
                assert_eq!(Chunk::load(&c).stops(), want, "byte {byte} at {at}");
                let words = Words::load(&c);
                assert_eq!(words.stops(), want, "byte {byte} at {at}");
                assert_eq!(words.equal(byte), Chunk::load(&c).equal(byte), "byte {byte} at {at}");
            }
        }
    }

    #[test]
    fn special_finds_the_first_hit_at_any_distance() {
        for n in 0..200 {
            let mut b = vec![b'x'; n];
            b.push(b'"');
            b.extend([0; PAD]);
            assert_eq!(special(&b, 0), n);
        }
        assert_eq!(special(b"abc", 0), 3);
    }
}
