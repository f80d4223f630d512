//! Strings: escapes in and out.
//!
//! A *literal* is the text between the quotes. *Canonical* means the escapes of RFC 8785: `\"` `\\` `\b \f \n \r \t`,
//! `\u00xx` in lower case for the other control characters, and nothing else escaped.

use std::borrow::Cow;

use super::scan::{backslashes, best, chunk16, chunk64, special, Build, Work};
use super::{Fault, FaultKind};

/// Where a string ends and what it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Offset of the closing quote.
    pub end: usize,
    pub canonical: bool,
    /// The literal holds at least one backslash.
    pub escaped: bool,
}

/// Find the end of the string whose first byte after the quote is at `from`.
#[inline(always)]
pub fn scan(b: &[u8], from: usize) -> Result<Span, Fault> {
    let p = special(b, from);
    if p < b.len() && b[p] == b'"' {
        return Ok(Span { end: p, canonical: true, escaped: false });
    }
    scan_escaped(b, p)
}

#[inline(always)]
fn scan_escaped(b: &[u8], from: usize) -> Result<Span, Fault> {
    best(Escaped { b, from })
}

/// The rest of a string from its first backslash (or its fault) on.
struct Escaped<'b> {
    b: &'b [u8],
    from: usize,
}

impl Work for Escaped<'_> {
    type Done = Result<Span, Fault>;

    /// Chunk by chunk, without a branch for each escape: texts of programs have one every forty bytes.
    #[inline(always)]
    fn with<B: Build>(self) -> Result<Span, Fault> {
        let Escaped { b, from: mut p } = self;
        let mut canonical = true;
        // The first byte of the chunk is escaped by the last one of the chunk before.
        let mut carried = 0;
        // End of the last surrogate pair: its second half was read with the first.
        let mut read_to = 0;
        loop {
            let Some(c) = chunk64(b, p) else { return Err(Fault::new(FaultKind::Control, p.min(b.len()))) };
            let m = B::masks(c);
            let escaped =
                if m.backslash == 0 { std::mem::take(&mut carried) } else { escaped(m.backslash, &mut carried) };
            let end = m.quote & !escaped | m.control;
            // The bits below the end of the string, all of them if it does not end here.
            let inside = (end & end.wrapping_neg()).wrapping_sub(1);
            let escapes = escaped & inside;
            if escapes != 0 {
                let rare = escapes & !B::simple(c);
                if rare != 0 {
                    canonical &= rare_escapes(b, p, rare, &mut read_to)?;
                }
            }
            if end != 0 {
                let at = p + end.trailing_zeros() as usize;
                if m.control & (end & end.wrapping_neg()) != 0 {
                    return Err(Fault::new(FaultKind::Control, at));
                }
                return Ok(Span { end: at, canonical, escaped: true });
            }
            p += 64;
        }
    }
}

/// Check the escapes of the chunk at `p` whose second bytes are the bits of `rare`: `\/` and `\u` are fine, others are
/// not. True if all are canonical.
#[inline(never)]
fn rare_escapes(b: &[u8], p: usize, mut rare: u64, read_to: &mut usize) -> Result<bool, Fault> {
    let mut canonical = true;
    while rare != 0 {
        let at = p + rare.trailing_zeros() as usize - 1;
        rare &= rare - 1;
        match b[at + 1] {
            b'/' => canonical = false,
            b'u' if at < *read_to => {}
            b'u' => {
                let (width, same) = unicode(b, at)?;
                canonical &= same;
                *read_to = at + width;
            }
            _ => return Err(Fault::new(FaultKind::Escape, at)),
        }
    }
    Ok(canonical)
}

/// The bytes that a backslash stands before, counted in runs: of `\\\\n` the first escapes the second, the third `n`. The
/// run may begin in the chunk before (`carried`) and go on in the next.
#[inline(always)]
fn escaped(backslash: u64, carried: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let starts = backslash & !*carried;
    let follows = starts << 1 | *carried;
    // A run that begins at an odd position is carried to behind its end by the addition.
    let odd_starts = starts & !EVEN & !follows;
    let (from_even, over) = odd_starts.overflowing_add(starts);
    *carried = over as u64;
    (EVEN ^ from_even << 1) & follows
}

/// The value of four hexadecimal digits at `at`.
pub fn hex4(b: &[u8], at: usize) -> Option<u32> {
    let mut v = 0;
    for &c in b.get(at..at + 4)? {
        v = v << 4 | (c as char).to_digit(16)?;
    }
    Some(v)
}

/// Width of the `\u` escape at `at`, and whether it is the canonical spelling of its character.
#[cold]
fn unicode(b: &[u8], at: usize) -> Result<(usize, bool), Fault> {
    let v = hex4(b, at + 2).ok_or(Fault::new(FaultKind::Escape, at))?;
    match v {
        0..=0x1f => {
            let lower = !b[at + 2..at + 6].iter().any(u8::is_ascii_uppercase);
            Ok((6, lower && !matches!(v, 8 | 9 | 10 | 12 | 13)))
        }
        0xd800..=0xdbff => {
            let low = if b[at + 6..].starts_with(b"\\u") { hex4(b, at + 8) } else { None };
            match low {
                Some(0xdc00..=0xdfff) => Ok((12, false)),
                _ => Err(Fault::new(FaultKind::LoneSurrogate, at)),
            }
        }
        0xdc00..=0xdfff => Err(Fault::new(FaultKind::LoneSurrogate, at)),
        _ => Ok((6, false)),
    }
}

/// Append the text that a (valid) literal stands for.
pub fn decode_into(literal: &[u8], out: &mut Vec<u8>) {
    let from = out.len();
    // No text is longer than its literal; the rest is for what stands in place of half an escape at the end.
    out.resize(from + literal.len() + 4, 0);
    let length = decode_to(literal, &mut out[from..]);
    out.truncate(from + length);
}

/// The same into a place that is four bytes longer than the literal; returns the length of the text.
fn decode_to(literal: &[u8], out: &mut [u8]) -> usize {
    let (mut i, mut o) = (0, 0);
    loop {
        // Sixteen bytes are copied whether they are text or not: what comes next is written over the rest.
        while let (Some(c), Some(place)) = (chunk16(literal, i), out.get_mut(o..o + 16)) {
            place.copy_from_slice(c);
            let escapes = backslashes(c);
            if escapes != 0 {
                i += escapes.trailing_zeros() as usize;
                o += escapes.trailing_zeros() as usize;
                break;
            }
            (i, o) = (i + 16, o + 16);
        }
        while i < literal.len() && literal[i] != b'\\' {
            out[o] = literal[i];
            (i, o) = (i + 1, o + 1);
        }
        let Some(&c) = literal.get(i + 1) else { return o };
        let plain = match c {
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'f' => 12,
            b'r' => 13,
            b'u' => {
                let (c, width) = unicode_text(literal, i);
                o += c.encode_utf8(&mut out[o..]).len();
                i = (i + width).min(literal.len());
                continue;
            }
            c => c,
        };
        out[o] = plain;
        (i, o) = (i + 2, o + 1);
    }
}

/// The character that the `\u` escape at `at` of a (valid) literal stands for, and the bytes it takes.
fn unicode_text(literal: &[u8], at: usize) -> (char, usize) {
    let v = hex4(literal, at + 2).unwrap_or(0xfffd);
    if !(0xd800..0xdc00).contains(&v) {
        return (char::from_u32(v).unwrap_or('\u{fffd}'), 6);
    }
    let low = hex4(literal, at + 8).unwrap_or(0xdc00);
    let v = 0x10000 + ((v - 0xd800) << 10) + (low & 0x3ff);
    (char::from_u32(v).unwrap_or('\u{fffd}'), 12)
}

/// Pieces of a text that are handed on at once: large enough for a hash, small enough for the nearest cache.
const PIECE: usize = 16 << 10;

/// Hand on the text that a (valid) literal stands for, piece by piece, without holding all of it.
pub fn decode_pieces(literal: &[u8], mut take: impl FnMut(&[u8])) {
    let mut piece = Vec::with_capacity(2 * PIECE);
    let mut rest = literal;
    while rest.len() > PIECE {
        // Cut where no escape is cut: behind an ordinary byte that no escape of up to twelve bytes reaches.
        let window = &rest[PIECE - 12..PIECE];
        let cut = match memchr::memrchr(b'\\', window) {
            None => PIECE,
            Some(_) => cut_before_escape(rest),
        };
        piece.clear();
        decode_into(&rest[..cut], &mut piece);
        take(&piece);
        rest = &rest[cut..];
    }
    piece.clear();
    decode_into(rest, &mut piece);
    take(&piece);
}

/// A place near [`PIECE`] between two escapes.
fn cut_before_escape(literal: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let next = memchr::memchr(b'\\', &literal[at..]).map_or(literal.len(), |n| at + n);
        if next >= PIECE - 12 {
            return next.min(PIECE);
        }
        at = next + escape_width(&literal[next..]);
    }
}

/// Bytes of the escape that a (valid) literal begins with; both halves of a pair are one.
fn escape_width(literal: &[u8]) -> usize {
    match literal.get(1) {
        Some(b'u') if matches!(hex4(literal, 2), Some(0xd800..=0xdbff)) => 12,
        Some(b'u') => 6,
        _ => 2,
    }
}

/// The text that a (valid) literal stands for.
pub fn decode(literal: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', literal).is_none() {
        return Cow::Borrowed(literal);
    }
    let mut out = Vec::with_capacity(literal.len());
    decode_into(literal, &mut out);
    Cow::Owned(out)
}

/// Append the canonical literal of `text` (no quotes).
pub fn encode_into(text: &[u8], out: &mut Vec<u8>) {
    let mut from = 0;
    while from < text.len() {
        let at = special(text, from);
        out.extend_from_slice(&text[from..at]);
        let Some(&c) = text.get(at) else { return };
        escape(c, out);
        from = at + 1;
    }
}

fn escape(c: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match c {
        b'"' => b'"',
        b'\\' => b'\\',
        8 => b'b',
        9 => b't',
        10 => b'n',
        12 => b'f',
        13 => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend([HEX[(c >> 4) as usize], HEX[(c & 15) as usize]]);
            return;
        }
    };
    out.extend([b'\\', short]);
}

/// Append `text` as a canonical JSON string, quotes included.
pub fn write(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    encode_into(text, out);
    out.push(b'"');
}

/// The canonical spelling of a (valid) literal.
pub fn recode_into(literal: &[u8], out: &mut Vec<u8>) {
    encode_into(&decode(literal), out);
}

#[cfg(test)]
mod tests {
    use super::super::scan::Plain;
    use super::*;

    /// The grammar, byte by byte.
    fn plainly(b: &[u8], from: usize) -> Result<(usize, bool), Fault> {
        let (mut p, mut canonical) = (from, true);
        loop {
            match b[p] {
                b'"' => return Ok((p, canonical)),
                0..=0x1f => return Err(Fault::new(FaultKind::Control, p)),
                b'\\' => match b[p + 1] {
                    b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => p += 2,
                    b'/' => (p, canonical) = (p + 2, false),
                    b'u' => {
                        let (width, same) = unicode(b, p)?;
                        (p, canonical) = (p + width, canonical & same);
                    }
                    0..=0x1f => return Err(Fault::new(FaultKind::Control, p + 1)),
                    _ => return Err(Fault::new(FaultKind::Escape, p)),
                },
                _ => p += 1,
            }
        }
    }

    #[test]
    fn strings_end_where_the_grammar_says_at_any_offset() {
        // Pieces that make runs of backslashes, pairs and faults meet the borders of chunks in every way.
        let pieces: [&[u8]; 14] = [
            b"a",
            b"\\\\",
            b"\\n",
            b"\\\"",
            b"\\/",
            b"\\u001f",
            b"\\u00e9",
            b"\\ud83d\\ude00",
            b"\\ud83d",
            b"\\x",
            b"\n",
            b"\"",
            b"a long piece without any escape in it, longer than half",
            b"\\",
        ];
        let mut seed = 7u64;
        let mut next = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as usize
        };
        for _ in 0..40_000 {
            let mut text = vec![b'z'; next() % 70];
            let common = next() % 13;
            for _ in 0..next() % 90 {
                // Faults are rare, so that most strings are long.
                let piece = if next() % 60 == 0 { next() % pieces.len() } else { common.min(7) * (next() % 2) };
                text.extend_from_slice(pieces[piece]);
            }
            text.push(b'"');
            text.extend([0; super::super::scan::PAD]);
            let want = plainly(&text, 0);
            let shown = String::from_utf8_lossy(&text);
            assert_eq!(scan(&text, 0).map(|s| (s.end, s.canonical)), want, "{shown:?}");
            let plain = Escaped { b: &text, from: 0 }.with::<Plain>();
            assert_eq!(plain.map(|s| (s.end, s.canonical)), want, "{shown:?}");
        }
    }

    /// What a literal stands for, escape by escape.
    fn decoded_plainly(literal: &str) -> String {
        serde_json::from_str(&format!("\"{literal}\"")).unwrap()
    }

    #[test]
    fn texts_are_decoded_as_another_reader_does_wherever_escapes_stand() {
        let units = ["x", r"\n", r"\\", r#"\""#, r"\/", r"\u00e9", r"\u001b", r"\ud83d\ude00", "é", "sixteen bytes !!"];
        for first in units {
            for second in units {
                for shift in 0..35 {
                    let literal = "z".repeat(shift) + first + second + &"y".repeat(shift % 19) + second;
                    let mut out = b"before".to_vec();
                    decode_into(literal.as_bytes(), &mut out);
                    let want = "before".to_owned() + &decoded_plainly(&literal);
                    assert_eq!(String::from_utf8(out).unwrap(), want, "{literal}");
                }
            }
        }
    }

    #[test]
    fn half_an_escape_at_the_end_is_no_reason_to_fail() {
        for (literal, want) in
            [(r"a\", "a"), (r"a\u", "a\u{fffd}"), (r"a\u12", "a\u{fffd}"), (r"a\ud83d", "a\u{1f400}")]
        {
            let mut out = Vec::new();
            decode_into(literal.as_bytes(), &mut out);
            assert_eq!(out, want.as_bytes(), "{literal}");
        }
    }

    #[test]
    fn pieces_join_to_the_text_wherever_escapes_stand() {
        for unit in ["x", r"\n", r"ab\\", r"\u001b[0m", r"\ud83d\ude00y"] {
            for shift in 0..14 {
                let literal = "z".repeat(shift) + &unit.repeat(3 * PIECE / unit.len() + 7);
                let mut joined = Vec::new();
                decode_pieces(literal.as_bytes(), |text| joined.extend_from_slice(text));
                assert_eq!(joined, decode(literal.as_bytes()).as_ref(), "{unit} {shift}");
            }
        }
    }
}
