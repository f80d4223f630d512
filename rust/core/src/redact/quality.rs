//! Is it a value that a machine made, or a word that a person wrote?
//!
//! Formats that say what they are need little of this; the rules that know only a name and a value live by it. The
//! numbers were set on real logs: docs/secrets.md says how.

/// Shannon entropy of the bytes, in bits a byte.
pub fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    value.iter().for_each(|c| counts[*c as usize] += 1);
    let n = value.len().max(1) as f64;
    -counts.iter().filter(|c| **c > 0).map(|c| f64::from(*c) / n).map(|p| p * p.log2()).sum::<f64>()
}

/// The pairs of letters that make up some four fifths of the pairs in English words and in the names of programs, but
/// only some fifth of the pairs in random letters.
const COMMON_PAIRS: &[u8] = b"thheinerreonanatndenesntedortitostarouisaritteasseetheveleofngalhaiometeasmeconelihidecedaelmaroselicachiolorarinearilraomueceoetllsuiacoiepeplspouryurdiciaflemifidigeultacpatabfoprssboppatabepouturactnakesyktrshgrecttmutivngeakeabwogethwigicdtooldasuckeswhublpruspdexfiolkeokwaayabunotitvaoyblwertuctpeadsimystoxuvisumbacaagattavecuogobkidostmplpdrshcowngnscrsccoafilpavimploaudfudumobmppuotrogspa";

const fn pair_table() -> [u32; 26] {
    let mut table = [0u32; 26];
    let mut k = 0;
    while k + 1 < COMMON_PAIRS.len() {
        table[(COMMON_PAIRS[k] - b'a') as usize] |= 1 << (COMMON_PAIRS[k + 1] - b'a');
        k += 2;
    }
    table
}

static PAIRS: [u32; 26] = pair_table();

/// Share of the pairs of letters that words are made of; 0 where there are fewer than four.
pub fn wordiness(value: &[u8]) -> f64 {
    let (mut all, mut common) = (0u32, 0u32);
    for pair in value.windows(2) {
        if let [a, b] = pair {
            if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() {
                let (a, b) = (a.to_ascii_lowercase() - b'a', b.to_ascii_lowercase() - b'a');
                all += 1;
                common += PAIRS[a as usize] >> b & 1;
            }
        }
    }
    if all < 4 {
        0.0
    } else {
        f64::from(common) / f64::from(all)
    }
}

/// Share of neighbours that follow each other in the alphabet.
fn orderliness(value: &[u8]) -> f64 {
    let steps = value.windows(2).filter(|w| matches!(i16::from(w[1]) - i16::from(w[0]), 1 | -1)).count();
    steps as f64 / (value.len().max(2) - 1) as f64
}

const STAND_INS: &[&[u8]] = &[
    b"example",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"replace",
    b"your",
    b"dummy",
    b"redacted",
    b"sample",
    b"xxxx",
    b"fake",
    b"mock",
    b"insert",
    b"_here",
    b"-here",
    b"....",
    b"****",
    b"12345678",
    b"abcdefgh",
    b"deadbeef",
    b"not-a-",
    b"not_a_",
    b"notreal",
    b"secret",
    b"password",
    b"test-",
    b"test_",
    b"-test",
    b"_test",
    b"testing",
];

fn contains_ignoring_case(value: &[u8], word: &[u8]) -> bool {
    value.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word))
}

/// A value that stands where a secret would: `xxxxxxxx`, `your-token-here`, `abcdef123456`, the keys of manuals.
pub fn is_stand_in(value: &[u8]) -> bool {
    let most = (b'a'..=b'z').map(|c| value.iter().filter(|v| v.to_ascii_lowercase() == c).count()).max().unwrap_or(0);
    // Random letters follow each other in one pair of ten, random digits in one of five; in more than half (three quarters) of
    // all pairs it is somebody's finger on the keyboard.
    let ordered = if value.iter().all(u8::is_ascii_digit) { 0.75 } else { 0.5 };
    most * 5 > value.len() * 2
        || orderliness(value) > ordered
        || STAND_INS.iter().any(|w| contains_ignoring_case(value, w))
}

/// A value of a known vendor's shape that the vendor's machine did not make: words, or a stand-in.
///
/// Nothing is said about entropy here. Where name and shape both fit, a weak value is a secret too.
pub fn is_idle(value: &[u8]) -> bool {
    let kinds = Kinds::of(value);
    // Names of things are spelled, or in one case; short values that a machine made without a digit are neither.
    let plain = kinds.lower == 0 || kinds.upper == 0 || wordiness(value) > 0.4;
    let words = kinds.digit == 0 && value.len() < 40 && plain;
    // Among as many digits as letters a few pairs of letters say nothing.
    let spelled =
        kinds.digit < kinds.lower + kinds.upper && !is_uuid(value) && !is_hex(value) && wordiness(value) > 0.66;
    words || spelled || is_stand_in(value)
}

/// The characters that show: letters of both kinds, digits, others.
#[derive(Debug, Default, Clone, Copy)]
pub struct Kinds {
    pub lower: usize,
    pub upper: usize,
    pub digit: usize,
    pub other: usize,
}

impl Kinds {
    pub fn of(value: &[u8]) -> Kinds {
        let mut kinds = Kinds::default();
        for c in value {
            match c {
                b'a'..=b'z' => kinds.lower += 1,
                b'A'..=b'Z' => kinds.upper += 1,
                b'0'..=b'9' => kinds.digit += 1,
                _ => kinds.other += 1,
            }
        }
        kinds
    }
}

/// `8-4-4-4-12` hexadecimal digits.
pub fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(k, c)| match k {
            8 | 13 | 18 | 23 => *c == b'-',
            _ => c.is_ascii_hexdigit(),
        })
}

pub fn is_hex(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_zero_for_one_letter_and_eight_for_all_bytes() {
        assert_eq!(entropy(b"aaaa").abs(), 0.0);
        assert_eq!(entropy(&(0..=255).collect::<Vec<u8>>()), 8.0);
    }

    #[test]
    fn words_have_common_pairs_and_random_letters_have_not() {
        for words in [
            "getTokenFromHeader",
            "application-configuration-value",
            "process.environment.variable",
            "someServiceAccount",
        ] {
            assert!(wordiness(words.as_bytes()) > 0.6, "{words}: {}", wordiness(words.as_bytes()));
        }
        for random in ["qXz8Kw2vNpL4jRt7", "xkqjzvwpfgbhyd", "Zk4Qm9Xw2Jv7Hn5Tb8"] {
            assert!(wordiness(random.as_bytes()) < 0.45, "{random}: {}", wordiness(random.as_bytes()));
        }
    }

    #[test]
    fn stand_ins_are_known() {
        for value in [
            "xxxxxxxxxxxx",
            "your-api-key-here",
            "abcdefghijklmnop",
            "1234567890",
            "AKIAIOSFODNN7EXAMPLE",
            "aaaaaaaaaa",
        ] {
            assert!(is_stand_in(value.as_bytes()), "{value}");
        }
        assert!(!is_stand_in(b"q7Xz8Kw2vNpL4jRt"));
    }
}
