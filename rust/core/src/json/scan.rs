//! The byte scanner: where a string ends, and what stands between.
//!
//! Owns the only architecture-specific code of the core. It knows bytes, not JSON structure. All buffers it is given end
//! in [`PAD`] bytes of padding, so that a whole chunk can be read at any position of the text.
//!
//! Short strings are found by what every processor of the target has, inlined into the readers. Longer ones are worth a
//! call, and so a [`Build`] chosen at run time.

/// Bytes of padding every scanned buffer has after its text. The padding (and the LF before it) are control bytes, so
/// no scan runs past the end of a line.
pub const PAD: usize = 64;

/// What the bytes of a 64-byte chunk are, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Masks {
    pub quote: u64,
    pub backslash: u64,
    pub control: u64,
}

/// A way to look at 64 bytes at once. All ways give the same answers.
pub trait Build {
    fn masks(c: &[u8; 64]) -> Masks;

    /// The bytes at which [`special`] stops: quotes, backslashes and control bytes.
    fn stops(c: &[u8; 64]) -> u64;

    /// The letters whose escape is canonical (RFC 8785): `" \\ b f n r t`.
    fn simple(c: &[u8; 64]) -> u64;
}

/// Sixteen bytes that are compared at once.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Chunk(std::arch::x86_64::__m128i);

// SSE2 is part of every x86-64 processor: no run-time dispatch, and calls inline everywhere.
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

    /// One bit per byte that is one of `bytes`: joined first and gathered once.
    #[inline(always)]
    fn any<const N: usize>(self, bytes: [u8; N]) -> u32 {
        use std::arch::x86_64::*;
        unsafe {
            let mut all = _mm_setzero_si128();
            for byte in bytes {
                all = _mm_or_si128(all, _mm_cmpeq_epi8(self.0, _mm_set1_epi8(byte as i8)));
            }
            _mm_movemask_epi8(all) as u32
        }
    }

    /// One bit per byte that is a quote, a backslash or a control byte: every short string is found by this.
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
    fn any<const N: usize>(self, bytes: [u8; N]) -> u32 {
        bytes.into_iter().fold(0, |all, byte| all | self.zeros(|x| x ^ (Words::ONES * byte as u64)))
    }

    #[inline(always)]
    fn stops(self) -> u32 {
        self.any([b'"', b'\\']) | self.control()
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

/// One bit per byte of 64.
#[inline(always)]
fn each16(c: &[u8; 64], of: impl Fn(Chunk) -> u32) -> u64 {
    let part = |k: usize| of(Chunk::load(c[k..k + 16].try_into().expect("16 of 64 bytes"))) as u64;
    part(0) | part(16) << 16 | part(32) << 32 | part(48) << 48
}

/// What every processor of the target can do.
pub struct Plain;

impl Build for Plain {
    #[inline(always)]
    fn masks(c: &[u8; 64]) -> Masks {
        Masks {
            quote: each16(c, |v| v.any([b'"'])),
            backslash: each16(c, |v| v.any([b'\\'])),
            control: each16(c, Chunk::control),
        }
    }

    #[inline(always)]
    fn stops(c: &[u8; 64]) -> u64 {
        each16(c, Chunk::stops)
    }

    #[inline(always)]
    fn simple(c: &[u8; 64]) -> u64 {
        each16(c, |v| v.any(*b"\"\\bfnrt"))
    }
}

/// Processors with AVX2: thirty-two bytes at once. Only to be used where [`avx2`] says so.
#[cfg(target_arch = "x86_64")]
struct Avx2;

/// Two times thirty-two bytes. No closures here: what is not inlined by force is compiled without AVX2, and called.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Wide(std::arch::x86_64::__m256i, std::arch::x86_64::__m256i);

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
impl Wide {
    #[inline(always)]
    fn load(c: &[u8; 64]) -> Wide {
        use std::arch::x86_64::*;
        // SAFETY (here and below): who uses this build has asked the processor for AVX2; the loads read the 64 bytes of
        // `c`, from any address, and nothing else touches memory.
        unsafe { Wide(_mm256_loadu_si256(c.as_ptr().cast()), _mm256_loadu_si256(c.as_ptr().add(32).cast())) }
    }

    #[inline(always)]
    fn equal(self, byte: u8) -> Wide {
        use std::arch::x86_64::*;
        unsafe {
            let byte = _mm256_set1_epi8(byte as i8);
            Wide(_mm256_cmpeq_epi8(self.0, byte), _mm256_cmpeq_epi8(self.1, byte))
        }
    }

    #[inline(always)]
    fn control(self) -> Wide {
        use std::arch::x86_64::*;
        unsafe {
            let last = _mm256_set1_epi8(0x1f);
            Wide(
                _mm256_cmpeq_epi8(_mm256_min_epu8(self.0, last), self.0),
                _mm256_cmpeq_epi8(_mm256_min_epu8(self.1, last), self.1),
            )
        }
    }

    #[inline(always)]
    fn or(self, other: Wide) -> Wide {
        use std::arch::x86_64::*;
        unsafe { Wide(_mm256_or_si256(self.0, other.0), _mm256_or_si256(self.1, other.1)) }
    }

    /// A byte is simple where the table of its low half and that of its high half share a bit: 1 for `"` (0x22), 2 for
    /// `\` (0x5c), 4 for b f n (0x62 0x66 0x6e), 8 for r t (0x72 0x74). The shuffle gives 0 for bytes from 0x80 on.
    #[inline(always)]
    fn simple(self) -> Wide {
        use std::arch::x86_64::*;
        const LOW: [u8; 16] = [0, 0, 13, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 0];
        const HIGH: [u8; 16] = [0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        unsafe {
            let low = _mm256_broadcastsi128_si256(_mm_loadu_si128(LOW.as_ptr().cast()));
            let high = _mm256_broadcastsi128_si256(_mm_loadu_si128(HIGH.as_ptr().cast()));
            let (half, zero) = (_mm256_set1_epi8(0x0f), _mm256_setzero_si256());
            let halves = Wide(
                _mm256_and_si256(_mm256_srli_epi16(self.0, 4), half),
                _mm256_and_si256(_mm256_srli_epi16(self.1, 4), half),
            );
            let shared = Wide(
                _mm256_and_si256(_mm256_shuffle_epi8(low, self.0), _mm256_shuffle_epi8(high, halves.0)),
                _mm256_and_si256(_mm256_shuffle_epi8(low, self.1), _mm256_shuffle_epi8(high, halves.1)),
            );
            Wide(_mm256_cmpgt_epi8(shared.0, zero), _mm256_cmpgt_epi8(shared.1, zero))
        }
    }

    /// One bit per byte whose highest bit is set.
    #[inline(always)]
    fn bits(self) -> u64 {
        use std::arch::x86_64::*;
        unsafe { _mm256_movemask_epi8(self.0) as u32 as u64 | (_mm256_movemask_epi8(self.1) as u32 as u64) << 32 }
    }
}

#[cfg(target_arch = "x86_64")]
impl Build for Avx2 {
    #[inline(always)]
    fn masks(c: &[u8; 64]) -> Masks {
        let v = Wide::load(c);
        Masks { quote: v.equal(b'"').bits(), backslash: v.equal(b'\\').bits(), control: v.control().bits() }
    }

    #[inline(always)]
    fn stops(c: &[u8; 64]) -> u64 {
        let v = Wide::load(c);
        v.equal(b'"').or(v.equal(b'\\')).or(v.control()).bits()
    }

    #[inline(always)]
    fn simple(c: &[u8; 64]) -> u64 {
        Wide::load(c).simple().bits()
    }
}

/// The processor has what [`Avx2`] needs. Asked once; then this is one load.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
}

/// Work that is generic in the build that it uses.
pub trait Work {
    type Done;
    fn with<B: Build>(self) -> Self::Done;
}

/// Do `work` with the best build that this processor has. Not inlined: it is for what is worth a call.
#[inline(never)]
pub fn best<W: Work>(work: W) -> W::Done {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    {
        #[target_feature(enable = "avx2,bmi1,bmi2")]
        fn inner<W: Work>(work: W) -> W::Done {
            work.with::<Avx2>()
        }
        if avx2() {
            // SAFETY: the features that the function is compiled for were just found.
            return unsafe { inner(work) };
        }
    }
    work.with::<Plain>()
}

/// Ask for the line of the cache that `value` begins in, without waiting for it.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
pub fn fetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    // SAFETY: a hint; it reads nothing that the program could see, and SSE is in the baseline of the target.
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
}

/// The 64 bytes at `p`, or `None` where fewer are left.
#[inline(always)]
pub fn chunk64(b: &[u8], p: usize) -> Option<&[u8; 64]> {
    b.get(p..p + 64)?.try_into().ok()
}

/// The backslashes among 16 bytes, one bit each.
#[inline(always)]
pub fn backslashes(c: &[u8; 16]) -> u32 {
    Chunk::load(c).any([b'\\'])
}

#[inline(always)]
pub fn chunk16(b: &[u8], p: usize) -> Option<&[u8; 16]> {
    b.get(p..p + 16)?.try_into().ok()
}

/// The first position at or after `p` that holds a quote, a backslash or a control byte; `b.len()` if there is none.
#[inline(always)]
pub fn special(b: &[u8], p: usize) -> usize {
    let Some(c) = chunk16(b, p) else { return near_end(b, p) };
    let m = Chunk::load(c).stops();
    if m != 0 {
        return p + m.trailing_zeros() as usize;
    }
    // Of the strings that are longer most end soon.
    let Some(c) = chunk64(b, p + 16) else { return near_end(b, p + 16) };
    let m = Plain::stops(c);
    if m != 0 {
        return p + 16 + m.trailing_zeros() as usize;
    }
    best(Far { b, p: p + 80 })
}

/// [`special`] of a long string.
struct Far<'b> {
    b: &'b [u8],
    p: usize,
}

impl Work for Far<'_> {
    type Done = usize;

    #[inline(always)]
    fn with<B: Build>(self) -> usize {
        let Far { b, mut p } = self;
        while let Some(c) = chunk64(b, p) {
            let m = B::stops(c);
            if m != 0 {
                return p + m.trailing_zeros() as usize;
            }
            p += 64;
        }
        near_end(b, p)
    }
}

/// [`special`] where less than a chunk is left.
#[inline(never)]
fn near_end(b: &[u8], mut p: usize) -> usize {
    while p < b.len() && !matches!(b[p], b'"' | b'\\' | 0..=0x1f) {
        p += 1;
    }
    p
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rule, byte by byte.
    struct Rule;

    fn each(c: &[u8; 64], is: impl Fn(u8) -> bool) -> u64 {
        c.iter().enumerate().fold(0, |bits, (k, byte)| bits | (is(*byte) as u64) << k)
    }

    impl Build for Rule {
        fn masks(c: &[u8; 64]) -> Masks {
            Masks {
                quote: each(c, |byte| byte == b'"'),
                backslash: each(c, |byte| byte == b'\\'),
                control: each(c, |byte| byte < 0x20),
            }
        }

        fn stops(c: &[u8; 64]) -> u64 {
            each(c, |byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
        }

        fn simple(c: &[u8; 64]) -> u64 {
            each(c, |byte| b"\"\\bfnrt".contains(&byte))
        }
    }

    /// What other architectures use, on this one too.
    struct Swar;

    impl Swar {
        fn each(c: &[u8; 64], of: impl Fn(Words) -> u32) -> u64 {
            (0..4).fold(0, |all, k| {
                let part = c[16 * k..16 * k + 16].try_into().expect("16 of 64 bytes");
                all | (of(Words::load(part)) as u64) << (16 * k)
            })
        }
    }

    impl Build for Swar {
        fn masks(c: &[u8; 64]) -> Masks {
            Masks {
                quote: Swar::each(c, |v| v.any([b'"'])),
                backslash: Swar::each(c, |v| v.any([b'\\'])),
                control: Swar::each(c, Words::control),
            }
        }

        fn stops(c: &[u8; 64]) -> u64 {
            Swar::each(c, Words::stops)
        }

        fn simple(c: &[u8; 64]) -> u64 {
            Swar::each(c, |v| v.any(*b"\"\\bfnrt"))
        }
    }

    /// All that a build says of a chunk.
    struct Look([u8; 64]);

    impl Work for Look {
        type Done = (Masks, u64, u64);

        #[inline(always)]
        fn with<B: Build>(self) -> Self::Done {
            (B::masks(&self.0), B::stops(&self.0), B::simple(&self.0))
        }
    }

    fn all_builds_agree_on(c: [u8; 64]) {
        let want = Look(c).with::<Rule>();
        assert_eq!(Look(c).with::<Plain>(), want, "plain: {c:?}");
        assert_eq!(Look(c).with::<Swar>(), want, "words: {c:?}");
        assert_eq!(best(Look(c)), want, "the best of this processor: {c:?}");
    }

    #[test]
    fn every_byte_is_classified_alike_by_all_builds_and_by_the_rule() {
        for byte in 0..=255u8 {
            for at in 0..64 {
                let mut c = [b'a'; 64];
                c[at] = byte;
                all_builds_agree_on(c);
                all_builds_agree_on([byte; 64]);
            }
        }
    }

    proptest! {
        #[test]
        fn any_chunk_is_classified_alike_by_all_builds_and_by_the_rule(
            c in prop::array::uniform32(any::<u8>()),
            d in prop::array::uniform32(prop::sample::select(b"\"\\/ubfnrt\x00\x1f\x20\x7f\xa2\xdc".to_vec())),
        ) {
            let mut both = [0; 64];
            both[..32].copy_from_slice(&c);
            both[32..].copy_from_slice(&d);
            all_builds_agree_on(both);
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
