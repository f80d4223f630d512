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
pub fn runs(text: &[u8], mut found: impl FnMut(Range<usize>)) {
    let mut start = 0;
    'window: while start + SHORTEST <= text.len() {
        // From the back: most windows hold a byte that is no letter, and then everything before it is done with.
        for at in (start..start + SHORTEST).rev() {
            if VALUES[text[at] as usize] == NONE {
                start = at + 1;
                continue 'window;
            }
        }
        let mut end = start + SHORTEST;
        while end < text.len() && VALUES[text[end] as usize] != NONE {
            end += 1;
        }
        found(start..end);
        start = end + 1;
    }
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
