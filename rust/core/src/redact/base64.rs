//! Runs of base64, in the usual and in the alphabet for URLs, and the text that some of them hold.

use std::ops::Range;

/// Shorter runs are not looked at.
pub const SHORTEST: usize = 24;

/// Fewer bytes of text than this in front of the first byte that is none are no text.
const TEXT: usize = 16;

const NONE: u8 = 0xff;

const fn values() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut k = 0u8;
    while k < 26 {
        table[(b'A' + k) as usize] = k;
        table[(b'a' + k) as usize] = 26 + k;
        k += 1;
    }
    k = 0;
    while k < 10 {
        table[(b'0' + k) as usize] = 52 + k;
        k += 1;
    }
    table[b'+' as usize] = 62;
    table[b'-' as usize] = 62;
    table[b'/' as usize] = 63;
    table[b'_' as usize] = 63;
    table
}

static VALUES: [u8; 256] = values();

/// The maximal runs of at least [`SHORTEST`] letters of base64; padding is not part of them.
///
/// A run of 24 letters fills at least two words of eight bytes that stand side by side. So whole chunks are classed
/// without a branch, and only where two such words meet is a run followed byte by byte.
pub fn runs(text: &[u8], mut found: impl FnMut(Range<usize>)) {
    let mut chunks = text.chunks_exact(CHUNK);
    let (mut base, mut done, mut full) = (0, 0, false);
    for chunk in &mut chunks {
        let words = words(chunk.try_into().expect("a chunk has this length"));
        // Two words side by side, or the last one of the chunk before and the first one of this.
        if words.iter().fold((false, full), |(any, before), w| (any | (before & w), *w)).0 {
            let mut before = full;
            for (k, word) in words.iter().enumerate() {
                let at = base + k * WORD;
                if before && *word && at >= done {
                    done = follow(text, at, done, &mut found);
                }
                before = *word;
            }
        }
        full = words[CHUNK / WORD - 1];
        base += CHUNK;
    }
    // What is left is short: it is looked at from the last place where a run can begin.
    let mut at = base.saturating_sub(SHORTEST).max(done);
    while at < text.len() {
        if is_letter(text[at]) {
            at = follow(text, at, done, &mut found);
        }
        at += 1;
    }
}

const WORD: usize = 8;
const CHUNK: usize = 64;

/// Tell the run around `at`, if it is long enough and not told yet; returns where it ends.
fn follow(text: &[u8], at: usize, done: usize, found: &mut impl FnMut(Range<usize>)) -> usize {
    let start = at - text[done.min(at)..at].iter().rev().take_while(|c| is_letter(**c)).count();
    let end = at + text[at..].iter().take_while(|c| is_letter(**c)).count();
    if end - start >= SHORTEST {
        found(start..end);
    }
    end
}

fn is_letter(c: u8) -> bool {
    VALUES[c as usize] != NONE
}

/// For each word whether all of its bytes are letters. Written so that the compiler can use wide registers.
fn words(chunk: &[u8; CHUNK]) -> [bool; CHUNK / WORD] {
    let mut letters = [0u8; CHUNK];
    for (letter, c) in letters.iter_mut().zip(chunk) {
        let letter_of = (c | 0x20).wrapping_sub(b'a') < 26;
        // `/` stands before the digits.
        let digit = c.wrapping_sub(b'/') < 11;
        *letter = if letter_of | digit | (*c == b'+') | (*c == b'-') | (*c == b'_') { 0xff } else { 0 };
    }
    std::array::from_fn(|k| letters[k * WORD..][..WORD] == [0xff; WORD])
}

/// The text that `run` holds, decoded from `out`'s start; false if it holds none.
///
/// What stands before may have joined the run (`path/aGVsbG8…`), so each of the four ways to cut it into groups is tried.
pub fn text(run: &[u8], out: &mut Vec<u8>) -> bool {
    (0..4.min(run.len())).any(|skip| {
        out.clear();
        decode(&run[skip..], out);
        out.len() >= TEXT
    })
}

/// Decode up to the first group that is no text.
fn decode(run: &[u8], out: &mut Vec<u8>) {
    for group in run.chunks(4) {
        let bits = group.iter().fold(0u32, |bits, c| bits << 6 | u32::from(VALUES[*c as usize]));
        let bits = bits << (6 * (4 - group.len()));
        let bytes = &bits.to_be_bytes()[1..];
        let whole = group.len() * 3 / 4;
        if !bytes[..whole].iter().all(|c| is_text(*c)) {
            return;
        }
        out.extend_from_slice(&bytes[..whole]);
    }
}

/// Bytes from 0x80 on may be UTF-8, but the secrets that are looked for hold none, and random bytes do.
fn is_text(c: u8) -> bool {
    matches!(c, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        runs(text.as_bytes(), |r| found.push(text[r].to_owned()));
        found
    }

    #[test]
    fn runs_are_maximal_and_at_least_24_long() {
        let long = "a".repeat(24);
        assert_eq!(all(&format!("x {long} y")), [long.as_str()]);
        assert_eq!(all(&format!("{long}b==,{long}+/-_")), [format!("{long}b"), format!("{long}+/-_")]);
        assert!(all(&format!("x {} y", "a".repeat(23))).is_empty());
        for n in 0..60 {
            let text = format!("{} {long}", "b".repeat(n));
            assert_eq!(all(&text).last(), Some(&long), "{n}");
        }
    }

    #[test]
    fn runs_are_those_of_a_byte_by_byte_look_wherever_they_stand() {
        let mut dice = 7u32;
        let mut next = || {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            dice >> 16
        };
        for _ in 0..4000 {
            let length = next() % 300;
            // Mostly letters, so that runs of all lengths stand at all places.
            let text: Vec<u8> = (0..length)
                .map(|_| match next() % 40 {
                    0 => b' ',
                    1 => b'=',
                    _ => b"aZ09+/-_"[next() as usize % 8],
                })
                .collect();
            let (mut want, mut start) = (Vec::new(), 0);
            for at in 0..=text.len() {
                if at == text.len() || !is_letter(text[at]) {
                    if at - start >= SHORTEST {
                        want.push(start..at);
                    }
                    start = at + 1;
                }
            }
            let mut found = Vec::new();
            runs(&text, |r| found.push(r));
            assert_eq!(found, want, "{:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn every_byte_is_a_letter_of_the_table_exactly_if_the_wide_look_says_so() {
        for c in 0..=255u8 {
            assert_eq!(words(&[c; CHUNK]), [is_letter(c); CHUNK / WORD], "{c}");
        }
    }

    #[test]
    fn text_is_found_whatever_stands_before_it() {
        let encoded = "cGFzc3dvcmQgPSAiaHVudGVyMiI7IGVuZA";
        for before in ["", "a", "/b", "abc", "path/"] {
            let mut out = Vec::new();
            assert!(text(format!("{before}{encoded}").as_bytes(), &mut out) || before.len() > 4);
            if before.is_empty() {
                assert_eq!(out, b"password = \"hunter2\"; end");
            }
        }
        assert!(!text(b"/usr/lib/python3/site-packages/example", &mut Vec::new()));
    }
}
