//! Runs of base64, in the usual and in the alphabet for URLs, and the text that some of them hold.

use std::ops::Range;

/// Shorter runs are not looked at.
pub const SHORTEST: usize = 24;

/// Fewer bytes of text than this in a row are no text.
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

/// The texts that `run` holds, decoded; bytes around them that are none are decoded too, and are noise.
///
/// What stands before may have joined the run (`path/aGVsbG8…`), so each of the four ways to cut it into groups counts. A
/// byte of text has no top bit, and which bit of which letter that is, follows from the letter's place in its group: one
/// look at a letter tells for all four ways whether it may stand there. Random letters fail it within a few.
pub fn texts(run: &[u8], mut found: impl FnMut(&[u8])) {
    let mut decoded = Vec::new();
    let mut told = 0u8;
    for (k, block) in run.chunks_exact(BLOCK).enumerate() {
        let ways = block.iter().enumerate().fold(0b1111, |ways, (i, c)| ways & WAYS[i % 4][*c as usize]) & !told;
        for skip in (0..4).filter(|skip| ways >> skip & 1 == 1) {
            if text_around(run, k * BLOCK, skip) >= TEXT {
                decode(&run[skip..], &mut decoded);
                found(&decoded);
                told |= 1 << skip;
            }
        }
    }
}

/// Letters that are looked at together. The shortest text takes 22, and so fills at least one block.
const BLOCK: usize = 8;

/// Bytes of text in a row that the group at `at` belongs to, where groups begin `skip` letters after the run.
fn text_around(run: &[u8], at: usize, skip: usize) -> usize {
    // The first group that begins in the block.
    let at = at + (skip + 4 - at % 4) % 4;
    let whole = |group: &[u8]| bytes_of(group).iter().take(group.len() * 3 / 4).take_while(|c| is_text(**c)).count();
    let mut count = 0;
    for group in run[at..].chunks(4) {
        let text = whole(group);
        count += text;
        if text < group.len() * 3 / 4 || count >= TEXT {
            break;
        }
    }
    let mut start = at;
    while count < TEXT && start >= skip + 4 {
        let bytes = bytes_of(&run[start - 4..start]);
        let text = bytes.iter().rev().take_while(|c| is_text(**c)).count();
        count += text;
        if text < 3 {
            break;
        }
        start -= 4;
    }
    count
}

fn bytes_of(group: &[u8]) -> [u8; 3] {
    let bits = group.iter().fold(0u32, |bits, c| bits << 6 | u32::from(VALUES[*c as usize]));
    let [_, bytes @ ..] = (bits << (6 * (4 - group.len()))).to_be_bytes();
    bytes
}

fn decode(run: &[u8], out: &mut Vec<u8>) {
    out.clear();
    for group in run.chunks(4) {
        out.extend_from_slice(&bytes_of(group)[..group.len() * 3 / 4]);
    }
}

/// For the place of a letter in its block, modulo 4, and the letter: a bit for each way that it may be part of a text.
static WAYS: [[u8; 256]; 4] = {
    // The top bits of a group's three bytes: in its first letter, its second, its third; the fourth has none.
    let tops = [0b10_0000, 0b00_1000, 0b00_0010, 0];
    let mut table = [[0; 256]; 4];
    let values = values();
    let mut place = 0;
    while place < 4 {
        let mut c = 0;
        while c < 256 {
            let mut skip = 0;
            while skip < 4 {
                if values[c] != NONE && values[c] & tops[(place + 4 - skip) % 4] == 0 {
                    table[place][c] |= 1 << skip;
                }
                skip += 1;
            }
            c += 1;
        }
        place += 1;
    }
    table
};

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

    fn encode(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for group in bytes.chunks(3) {
            let bits = group.iter().fold(0u32, |bits, c| bits << 8 | u32::from(*c)) << (8 * (3 - group.len()));
            (0..=group.len()).for_each(|k| out.push(LETTERS[(bits >> (18 - 6 * k) & 63) as usize] as char));
        }
        out
    }

    fn decoded(run: &str) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        texts(run.as_bytes(), |text| all.push(text.to_vec()));
        all
    }

    #[test]
    fn text_is_found_whatever_stands_around_it() {
        let text = b"sixteen letters.";
        for before in ["", "a", "/b", "abc", "path", "path/", "/usr/share/some/folder/"] {
            for (noise, after) in [(0, 0), (1, 5), (2, 3), (3, 0), (30, 41), (64, 1)] {
                let bytes = [&vec![0xe9; noise], &text[..], &vec![0x80; after]].concat();
                let run = format!("{before}{}", encode(&bytes));
                let found = decoded(&run);
                assert!(found.iter().any(|d| d.windows(16).any(|w| w == text)), "{before} {noise} {after}");
            }
        }
    }

    #[test]
    fn what_holds_no_text_is_passed_over() {
        assert!(decoded("/usr/lib/python3/site-packages/example").is_empty());
        assert!(decoded(&encode(&[0; 90])).is_empty());
        assert!(decoded(&encode(b"only fifteen...")).is_empty());
        assert!(decoded("").is_empty());
        assert!(decoded("abc").is_empty());
    }
}
