//! Numbers: the grammar of RFC 8259, and the canonical text.
//!
//! A literal with neither fraction nor exponent is an integer and keeps all its digits; every other is a binary64,
//! printed as ECMAScript prints it (RFC 8785, 3.2.2.3).

use super::{Fault, FaultKind};

/// Longest integer that is accepted; bounds the work that one literal can ask for.
pub const MAX_DIGITS: usize = 4096;

/// A number literal that was found to be well formed.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    pub end: usize,
    pub integer: bool,
    pub canonical: bool,
}

/// Read the literal at `at` of a padded buffer.
#[inline(always)]
pub fn scan(b: &[u8], at: usize) -> Result<Number, Fault> {
    let negative = b[at] == b'-';
    let first = at + negative as usize;
    let mut p = first;
    if b[p] == b'0' {
        p += 1;
    } else {
        while b[p].is_ascii_digit() {
            p += 1;
        }
        if p == first {
            return Err(Fault::new(FaultKind::Syntax, p));
        }
    }
    if !matches!(b[p], b'.' | b'e' | b'E') {
        if p - first > MAX_DIGITS {
            return Err(Fault::new(FaultKind::NumberLength, at));
        }
        let minus_zero = negative && b[first] == b'0';
        return Ok(Number { end: p, integer: true, canonical: !minus_zero });
    }
    fraction(b, at, p)
}

#[inline(never)]
fn fraction(b: &[u8], at: usize, mut p: usize) -> Result<Number, Fault> {
    if b[p] == b'.' {
        p += 1;
        p = digits(b, p)?;
    }
    if matches!(b[p], b'e' | b'E') {
        p += 1;
        if matches!(b[p], b'+' | b'-') {
            p += 1;
        }
        p = digits(b, p)?;
    }
    let text = std::str::from_utf8(&b[at..p]).map_err(|_| Fault::new(FaultKind::Syntax, at))?;
    let value: f64 = text.parse().map_err(|_| Fault::new(FaultKind::Syntax, at))?;
    if !value.is_finite() {
        return Err(Fault::new(FaultKind::NumberOverflow, at));
    }
    let canonical = ryu_js::Buffer::new().format_finite(value) == text;
    Ok(Number { end: p, integer: false, canonical })
}

fn digits(b: &[u8], from: usize) -> Result<usize, Fault> {
    let mut p = from;
    while b[p].is_ascii_digit() {
        p += 1;
    }
    if p == from {
        return Err(Fault::new(FaultKind::Syntax, p));
    }
    Ok(p)
}

/// Write the canonical text of a well-formed literal.
pub fn write(literal: &[u8], out: &mut Vec<u8>) {
    if !literal.iter().any(|c| matches!(c, b'.' | b'e' | b'E')) {
        // `-0` is the only integer with two spellings.
        out.extend_from_slice(if literal == b"-0" { b"0" } else { literal });
        return;
    }
    let value: f64 = std::str::from_utf8(literal).ok().and_then(|t| t.parse().ok()).unwrap_or(0.0);
    out.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
}

/// An integer literal as `u64`, if it is one (`-0` is 0).
pub fn as_u64(literal: &[u8]) -> Option<u64> {
    if literal == b"-0" {
        return Some(0);
    }
    if literal.is_empty() || literal.len() > 20 {
        return None;
    }
    // Nineteen digits always fit, and most numbers have fewer.
    let (head, last) = literal.split_at(literal.len().min(19));
    let (mut v, mut digits) = (0u64, true);
    for c in head {
        let digit = c.wrapping_sub(b'0');
        digits &= digit <= 9;
        v = v.wrapping_mul(10).wrapping_add(digit as u64);
    }
    for c in last {
        digits &= c.is_ascii_digit();
        v = v.checked_mul(10)?.checked_add(c.wrapping_sub(b'0') as u64)?;
    }
    digits.then_some(v)
}

/// An integer literal as `i64`, if it is one.
pub fn as_i64(literal: &[u8]) -> Option<i64> {
    std::str::from_utf8(literal).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_integers_are_read_as_the_standard_library_reads_them() {
        let max = u64::MAX.to_string();
        for text in [
            "0",
            "7",
            "10",
            "9999999999999999999",
            "10000000000000000000",
            "18446744073709551616",
            "18446744073709551609",
            "99999999999999999999",
            "184467440737095516150",
            "1844674407370955161a",
            "a",
            "1a",
            ":",
            "/",
            "",
            "1.0",
            "1e3",
            "-1",
            " 1",
            "0000000000000000000000001",
            &max,
        ] {
            let plain = text.len() <= 20 && text.bytes().all(|c| c.is_ascii_digit());
            let want = if plain { text.parse().ok() } else { None };
            assert_eq!(as_u64(text.as_bytes()), want, "{text}");
        }
        assert_eq!(as_u64(b"-0"), Some(0));
    }
}
