//! Bytes that are looked through, and what surrounds a place in them.
//!
//! The same code reads two kinds of text. *Raw* is the input as it stands, escapes and all: a look at it only has to
//! say where decoding is worth the trouble, so it may say yes too often and never no too often. Everything else is
//! decoded, at least once.

use super::quality::wordiness;

/// A text, and how it is meant.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    pub bytes: &'a [u8],
    pub raw: bool,
}

/// Longest token that is read after its first byte. It bounds the work on one place of hostile input.
pub const LONGEST: usize = 4096;

/// So many letters before a token tell whether it stands in the middle of random ones.
const NOISE: usize = 64;
/// Of the pairs of letters in random text fewer are those of words.
const RANDOM: f64 = 0.45;

pub fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

/// Bytes of the alphabets that tokens are written in.
#[inline]
pub fn is_token(c: u8) -> bool {
    TOKEN[c as usize]
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut c = 0u8;
    while c < 128 {
        table[c as usize] = c.is_ascii_alphanumeric()
            || matches!(c, b'_' | b'-' | b'+' | b'/' | b'=' | b'.' | b'~' | b'%' | b':' | b'|');
        c += 1;
    }
    table
};

impl<'a> Text<'a> {
    pub fn decoded(bytes: &'a [u8]) -> Text<'a> {
        Text { bytes, raw: false }
    }

    pub fn raw(bytes: &'a [u8]) -> Text<'a> {
        Text { bytes, raw: true }
    }

    pub fn at(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The text from `at` on, of a length that one look may cost.
    pub fn from(&self, at: usize) -> &'a [u8] {
        let at = at.min(self.bytes.len());
        &self.bytes[at..self.bytes.len().min(at + LONGEST)]
    }

    /// A token may begin at `at`: no word goes on there.
    pub fn left_edge(&self, at: usize) -> bool {
        if at == 0 || !is_word(self.bytes[at - 1]) {
            return true;
        }
        let before = &self.bytes[at.saturating_sub(12)..at];
        self.after_escape(before) || after_colour(before)
    }

    /// What stands before is an escape, whether or not it will be decoded: `\n` in JSON inside of text, `\u001b` in raw.
    fn after_escape(&self, before: &[u8]) -> bool {
        let n = before.len();
        if n >= 2 && before[n - 2] == b'\\' && matches!(before[n - 1], b'n' | b'r' | b't' | b'b' | b'f') {
            return true;
        }
        self.raw && before[n.saturating_sub(6)..].contains(&b'\\')
    }

    /// A token may end before `at`.
    pub fn right_edge(&self, at: usize) -> bool {
        // The full stop of a sentence ends a token; one inside of a dotted name does not.
        self.word_ends(at) && !(self.at(at) == b'.' && is_word(self.at(at + 1)))
    }

    /// No word goes on at `at`, of the kind that hyphens join.
    pub fn word_ends(&self, at: usize) -> bool {
        let c = self.at(at);
        !(is_word(c) || c == b'-')
    }

    /// Length of the run of token bytes before `at`, up to `most`.
    pub fn run_before(&self, at: usize, most: usize) -> usize {
        self.bytes[at.saturating_sub(most)..at].iter().rev().take_while(|c| is_word(**c) || **c == b'-').count()
    }

    /// A long run of random base64 goes on up to `at`. It holds every short prefix sooner or later, and some signs of its
    /// alphabet end words; folders in a path end in the same signs, but their names are words.
    pub fn is_noise_before(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(NOISE).map(|from| &self.bytes[from..at]) else { return false };
        let kinds: [fn(&u8) -> bool; 3] = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
        before.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'-' | b'_'))
            && kinds.iter().all(|kind| before.iter().any(kind))
            && wordiness(before) < RANDOM
    }

    /// An escape stands in the token that begins at `at`: only the decoded text can tell what it is.
    pub fn is_veiled(&self, at: usize) -> bool {
        if !self.raw {
            return false;
        }
        let text = self.from(at);
        let run = text.iter().take_while(|c| is_token(**c)).count();
        match &text[run..] {
            [b'\\', b'u' | b'/', ..] => true,
            [b'\\', b'\\', rest @ ..] => {
                let next = rest.iter().find(|c| **c != b'\\');
                matches!(next, Some(b'u' | b'/'))
            }
            _ => false,
        }
    }
}

/// A colour of the terminal (`ESC [ 1 ; 31 m`) ends before.
fn after_colour(before: &[u8]) -> bool {
    let Some((b'm', rest)) = before.split_last() else { return false };
    let digits = rest.iter().rev().take_while(|c| c.is_ascii_digit() || **c == b';').count();
    rest[..rest.len() - digits].last() == Some(&b'[')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_begins_after_anything_that_ends_a_word() {
        for (text, edge) in
            [("x", false), (" ", true), ("\"", true), ("\\n", true), ("\x1b[1;31m", true), ("_", false), ("m", false)]
        {
            let whole = format!("{text}TOKEN");
            assert_eq!(Text::decoded(whole.as_bytes()).left_edge(text.len()), edge, "{text:?}");
        }
        assert!(Text::raw(b"\\u001bTOKEN").left_edge(6));
        assert!(!Text::decoded(b"\\u001bTOKEN").left_edge(6));
    }

    #[test]
    fn random_letters_are_noise_and_the_folders_of_a_path_are_none() {
        let random = "q7Xz8Kw2vNpL4jRt9Yb3HsGm5Td6CfVe1QaWx0ZiUoPkBnMr/D8uJ2lSyF4hEgT7c+";
        assert!(Text::decoded(random.as_bytes()).is_noise_before(random.len()));
        let spaced = random.replace('/', " ");
        assert!(!Text::decoded(spaced.as_bytes()).is_noise_before(spaced.len()));
        assert!(!Text::decoded(random.as_bytes()).is_noise_before(50));
        let path = "/home/Ada/projects/toaster/source/components/settings/release-2024-01/";
        assert!(!Text::decoded(path.as_bytes()).is_noise_before(path.len()));
    }

    #[test]
    fn an_escape_inside_of_a_token_veils_it_in_raw_text_only() {
        assert!(Text::raw(b"abc\\/def").is_veiled(0));
        assert!(Text::raw(b"abc\\\\\\/def").is_veiled(0));
        assert!(Text::raw(b"abc\\u0064ef").is_veiled(0));
        assert!(!Text::raw(b"abc\\ndef").is_veiled(0));
        assert!(!Text::decoded(b"abc\\/def").is_veiled(0));
    }
}
