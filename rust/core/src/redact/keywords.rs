//! All keywords in one pass over a text, at the speed of memory.
//!
//! The automaton is Aho-Corasick's, laid out for one question: is this state the end of a keyword? One walk through it
//! waits for a load at every byte; several walks through several parts of the text wait together.

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind};

/// Texts shorter than this are walked through once.
const SHORT: usize = 1024;
const LANES: usize = 6;
/// Bytes that every lane takes between two looks at the length.
const STRIDE: usize = 64;
/// Classes of bytes there is room for: letters, digits, some signs, and all the rest in one.
const ROW: usize = 64;
/// Entries of the table: one for each state and class that the two types can hold, so that no look into it needs a check
/// of bounds. Pages that no state uses are never touched, and cost nothing.
const TABLE: usize = (u16::MAX as usize) * ROW + 256;
/// States from this one on end at least one keyword: one bit tells it of all lanes at once.
const END: u16 = 0x8000;

pub struct Keywords {
    /// Row by row the next state for each class of bytes.
    table: Box<[u16; TABLE]>,
    classes: [u8; 256],
    /// For each of those the keywords.
    ends: Vec<Vec<u16>>,
    longest: usize,
}

impl Keywords {
    /// The case of letters in `words` and in texts is ignored.
    pub fn new(words: &[&str]) -> Keywords {
        let dfa = DFA::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(words)
            .expect("a few hundred short words make an automaton");
        let start = dfa.start_state(Anchored::No).expect("it was built for searches anywhere");
        let next = |state, byte| dfa.next_state(Anchored::No, state, byte);
        // States in the order they are reached, those that end a keyword last.
        let (mut plain, mut ends) = (vec![start], Vec::new());
        let mut known = std::collections::HashSet::from([start]);
        let mut queue = vec![start];
        while let Some(state) = queue.pop() {
            for byte in 0..=255 {
                let to = next(state, byte);
                if known.insert(to) {
                    queue.push(to);
                    if dfa.is_match(to) {
                        ends.push(to)
                    } else {
                        plain.push(to)
                    }
                }
            }
        }
        let (classes, samples) = classes(words);
        let most = plain.len().max(ends.len());
        assert!(samples.len() <= ROW && most < END as usize, "the keywords need a larger table");
        let plain_numbers = plain.iter().zip(0..END);
        let number: std::collections::HashMap<_, u16> =
            plain_numbers.chain(ends.iter().zip(END..)).map(|(state, number)| (*state, number)).collect();
        let mut table = vec![0; TABLE];
        for (state, row) in &number {
            for (class, byte) in samples.iter().enumerate() {
                table[*row as usize * ROW + class] = number[&next(*state, *byte)];
            }
        }
        let patterns = |s: &_| (0..dfa.match_len(*s)).map(|k| dfa.match_pattern(*s, k).as_usize() as u16).collect();
        Keywords {
            table: table.into_boxed_slice().try_into().expect("it was made of this size"),
            classes,
            ends: ends.iter().map(patterns).collect(),
            longest: words.iter().map(|w| w.len()).max().unwrap_or(0),
        }
    }

    #[inline(always)]
    fn step(&self, state: u16, byte: u8) -> u16 {
        self.table[state as usize * ROW + self.classes[byte as usize] as usize]
    }

    #[inline(always)]
    fn tell(&self, state: u16, end: usize, hit: &mut impl FnMut(usize, usize)) {
        for word in &self.ends[(state - END) as usize] {
            hit(*word as usize, end);
        }
    }

    #[inline(never)]
    fn tell_all(&self, states: [u16; LANES], part: usize, end: usize, hit: &mut impl FnMut(usize, usize)) {
        for (k, state) in states.into_iter().enumerate().filter(|(_, s)| *s >= END) {
            self.tell(state, k * part + end, hit);
        }
    }

    /// Call `hit` with the number of every keyword and where it ends. Long texts: in no order.
    #[inline]
    pub fn each(&self, text: &[u8], mut hit: impl FnMut(usize, usize)) {
        if text.len() < SHORT {
            self.walk(text, 0, 0, text.len(), &mut hit);
            return;
        }
        let part = text.len() / LANES / STRIDE * STRIDE;
        let mut states: [u16; LANES] = std::array::from_fn(|k| self.warm(text, k * part));
        for at in (0..part).step_by(STRIDE) {
            let chunks: [&[u8; STRIDE]; LANES] =
                std::array::from_fn(|k| text[k * part + at..][..STRIDE].try_into().expect("a chunk has this length"));
            for i in 0..STRIDE {
                for (state, chunk) in states.iter_mut().zip(chunks) {
                    *state = self.step(*state, chunk[i]);
                }
                if states.iter().fold(0, |all, s| all | s) >= END {
                    // A copy, so that the states themselves stay in registers.
                    self.tell_all(states, part, at + i + 1, &mut hit);
                }
            }
        }
        self.walk(text, states[LANES - 1], LANES * part, text.len(), &mut hit);
    }

    fn walk(&self, text: &[u8], mut state: u16, from: usize, to: usize, hit: &mut impl FnMut(usize, usize)) {
        for (at, byte) in text[from..to].iter().enumerate() {
            state = self.step(state, *byte);
            if state >= END {
                self.tell(state, from + at + 1, hit);
            }
        }
    }

    /// The state at `at`: no keyword is longer than what is looked at.
    fn warm(&self, text: &[u8], at: usize) -> u16 {
        text[at.saturating_sub(self.longest)..at].iter().fold(0, |state, byte| self.step(state, *byte))
    }
}

/// Bytes that no keyword tells apart share a class: the class of each byte, and a byte of each class.
fn classes(words: &[&str]) -> ([u8; 256], Vec<u8>) {
    let mut used = [false; 256];
    words.iter().flat_map(|w| w.bytes()).for_each(|c| used[c.to_ascii_lowercase() as usize] = true);
    let other = (0..=255u8).find(|c| !used[c.to_ascii_lowercase() as usize]).unwrap_or(0);
    let (mut classes, mut samples) = ([0; 256], vec![other]);
    for byte in 0..=255u8 {
        let lower = byte.to_ascii_lowercase();
        if used[lower as usize] && byte == lower {
            classes[byte as usize] = samples.len() as u8;
            samples.push(byte);
        }
    }
    for byte in b'A'..=b'Z' {
        classes[byte as usize] = classes[byte.to_ascii_lowercase() as usize];
    }
    (classes, samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_wherever_it_stands_in_whatever_case() {
        let words = ["token", "secret", "ok", "secretoken", "a|"];
        let keywords = Keywords::new(&words);
        for n in [0, 1, 7, 255, 1000, 1023, 1024, 1500, 4096] {
            let text = format!("{}SecreToken x OK a| {}token", ".".repeat(n), "-".repeat(5000 - n));
            let mut found = Vec::new();
            keywords.each(text.as_bytes(), |word, end| found.push((words[word], end - words[word].len())));
            found.sort_unstable();
            let lower = text.to_lowercase();
            let mut want: Vec<(&str, usize)> =
                words.iter().flat_map(|w| lower.match_indices(w).map(|(at, _)| (*w, at)).collect::<Vec<_>>()).collect();
            want.sort_unstable();
            assert_eq!(found, want, "{n}");
        }
    }
}
