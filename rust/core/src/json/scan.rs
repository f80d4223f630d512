//! The byte scanner: where a string ends, and what stands between.
//!
//! Owns the only architecture-specific code of the core. It knows bytes, not JSON structure. All buffers it is given end
//! in [`PAD`] bytes of padding, so that a whole chunk can be read at any position of the text.

/// Bytes of padding every scanned buffer has after its text. The padding (and the LF before it) are control bytes, so
/// no scan runs past the end of a line.
pub const PAD: usize = 64;

/// One bit per byte of a 16-byte chunk: set where the byte is a quote, a backslash or a control byte.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn mask16(c: &[u8; 16]) -> u32 {
    // SSE2 is part of every x86-64 processor: no run-time dispatch, and calls inline everywhere. AVX2 and AVX-512 were
    // measured to bring 5-12 % of the scan, which is not the bottleneck beside SHA-256.
    use std::arch::x86_64::*;
    let lo = u64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]);
    let hi = u64::from_le_bytes([c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15]]);
    // SAFETY: SSE2 is in the baseline of the target, so these instructions always exist; no memory is touched.
    #[allow(unsafe_code, unused_unsafe)]
    unsafe {
        let v = _mm_set_epi64x(hi as i64, lo as i64);
        let quote = _mm_cmpeq_epi8(v, _mm_set1_epi8(b'"' as i8));
        let slash = _mm_cmpeq_epi8(v, _mm_set1_epi8(b'\\' as i8));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control)) as u32
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn mask16(c: &[u8; 16]) -> u32 {
    swar16(c)
}

/// The same in plain arithmetic on eight bytes at a time, for every other architecture (and for the test of the first).
#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
#[inline(always)]
fn swar16(c: &[u8; 16]) -> u32 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // The high bit of each byte that is zero; exact per byte, because no carry leaves a byte.
    let zero = |x: u64| !(((x & LOW7) + LOW7) | x | LOW7);
    let mut mask = 0;
    for half in 0..2 {
        let mut word = [0; 8];
        word.copy_from_slice(&c[half * 8..half * 8 + 8]);
        let x = u64::from_le_bytes(word);
        let hit = zero(x ^ (ONES * b'"' as u64)) | zero(x ^ (ONES * b'\\' as u64)) | zero(x & (ONES * 0xe0));
        // Gather the eight high bits into one byte.
        let bits = ((hit >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32;
        mask |= bits << (half * 8);
    }
    mask
}

#[inline(always)]
fn chunk16(b: &[u8], p: usize) -> Option<&[u8; 16]> {
    b.get(p..p + 16)?.try_into().ok()
}

/// The first position at or after `p` that holds a quote, a backslash or a control byte; `b.len()` if there is none.
#[inline(always)]
pub fn special(b: &[u8], mut p: usize) -> usize {
    if let Some(c) = chunk16(b, p) {
        let m = mask16(c);
        if m != 0 {
            return p + m.trailing_zeros() as usize;
        }
        p += 16;
    }
    loop {
        let Some(c) = b.get(p..p + 64) else { break };
        let part = |k: usize| mask16(c[k..k + 16].try_into().expect("16 of 64 bytes")) as u64;
        let m = part(0) | part(16) << 16 | part(32) << 32 | part(48) << 48;
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

/// The mask of the 64 bytes at `p` (quote, backslash, control), or `None` where fewer are left.
#[inline(always)]
pub fn mask64(b: &[u8], p: usize) -> Option<u64> {
    let c = b.get(p..p + 64)?;
    let part = |k: usize| mask16(c[k..k + 16].try_into().expect("16 of 64 bytes")) as u64;
    Some(part(0) | part(16) << 16 | part(32) << 32 | part(48) << 48)
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
                assert_eq!(mask16(&c), want, "byte {byte} at {at}");
                assert_eq!(swar16(&c), want, "byte {byte} at {at}");
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
