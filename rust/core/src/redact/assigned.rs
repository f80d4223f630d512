//! `NAME = value` in all the ways that programs, settings, shells, logs and JSON write it.

use super::text::{is_word, Text};

/// A value that is given to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// First byte of the value.
    pub value: usize,
    /// Where the name begins and ends; the keyword stands somewhere in it.
    pub name: (usize, usize),
    /// What stood between the name and the value.
    pub by: By,
    /// The value stands in quotes.
    pub quoted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `=` `:` `:=` `=>`: what everybody reads as an assignment.
    Sign,
    /// `,` `>` `||`: only together with the exact shape of a vendor's value.
    Weak,
    /// White space after `--name`.
    Option,
}

/// Bytes of the name that may follow the keyword.
const NAME_AFTER: usize = 40;
const NAME_BEFORE: usize = 60;

/// What is given to the name that has a keyword at `start..end`.
pub fn assigned(text: Text<'_>, start: usize, end: usize) -> Option<Assigned> {
    let b = text.bytes;
    let mut i = end;
    while i < b.len() && i - end < NAME_AFTER && (is_word(b[i]) || matches!(b[i], b'-' | b'.')) {
        i += 1;
    }
    let mut name = (name_start(b, start), i);
    // A name of several words, as in `Adafruit IO key: …`.
    while i < b.len() && i - end < NAME_AFTER && (is_word(b[i]) || matches!(b[i], b'-' | b'.' | b' ' | b'\t')) {
        i += 1;
    }
    let words = i;
    // Escapes of raw text make two to four bytes of one.
    let (before, after) = if text.raw { (64, 64) } else { (16, 16) };
    i = separators(b, i, before, b"'\"`]) \t\r\n");
    let (mut by, mut next) = match operator(b, i) {
        Some(found) => found,
        None => {
            let option = b[name.0..].starts_with(b"--") && name.1 < i;
            if !option {
                return None;
            }
            name.1 = name.1.min(words);
            let value = separators(b, name.1, after, b"'\"` \t");
            return Some(Assigned { value, name, by: By::Option, quoted: is_quoted(b, value) });
        }
    };
    let mut value = separators(b, next, after, b"'\"`=( \t\r\n");
    // `name: str = value`
    if by == By::Sign && b[next - 1] == b':' {
        let ty = b[value..]
            .iter()
            .take(40)
            .take_while(|c| is_word(**c) || matches!(c, b'.' | b'[' | b']' | b'|' | b'?'))
            .count();
        let sign = separators(b, value + ty, 4, b" \t");
        if ty > 0 && b.get(sign) == Some(&b'=') && !matches!(b.get(sign + 1), Some(b'=')) && sign > value + ty {
            (by, next) = (By::Sign, sign + 1);
            value = separators(b, next, after, b"'\"` \t\r\n");
        }
    }
    Some(Assigned { value, name, by, quoted: is_quoted(b, value) })
}

fn name_start(b: &[u8], keyword: usize) -> usize {
    let from = keyword.saturating_sub(NAME_BEFORE);
    let mut start =
        keyword - b[from..keyword].iter().rev().take_while(|c| is_word(**c) || matches!(c, b'-' | b'.')).count();
    // The letter of an escape belongs to no name.
    if start > 0 && start < keyword && b[start - 1] == b'\\' && matches!(b[start], b'n' | b't' | b'r') {
        start += 1;
    }
    start
}

fn is_quoted(b: &[u8], value: usize) -> bool {
    value > 0 && matches!(b[value - 1], b'"' | b'\'' | b'`')
}

/// Skip at most `most` bytes of `set`, and the escapes of quotes and white space among them.
fn separators(b: &[u8], mut i: usize, most: usize, set: &[u8]) -> usize {
    let from = i;
    while i < b.len() && i - from < most {
        if set.contains(&b[i]) {
            i += 1;
        } else if b[i] == b'\\' {
            match b.get(i + 1) {
                Some(b'\\') => i += 1,
                Some(b'"' | b'\'' | b'n' | b'r' | b't') => i += 2,
                _ => break,
            }
        } else {
            break;
        }
    }
    i
}

/// The operator at `i`, and where it ends.
fn operator(b: &[u8], i: usize) -> Option<(By, usize)> {
    let rest = &b[i.min(b.len())..];
    let (by, n) = match rest {
        [b':', b':', b':', b'=', ..] => (By::Sign, 4),
        [b':', b':', b'=', ..] => (By::Sign, 3),
        // A comparison or a path of modules gives nothing to anybody.
        [b'=', b'=', ..] => (By::Weak, 2),
        [b'=', b'>', ..] | [b':', b'=', ..] | [b'?', b'=', ..] => (By::Sign, 2),
        [b':', b':', ..] => return None,
        [b'=', ..] | [b':', ..] => (By::Sign, 1),
        [b'|', b'|', ..] => (By::Weak, 2),
        [b',', ..] | [b'>', ..] => (By::Weak, 1),
        _ => return None,
    };
    Some((by, i + n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, keyword: &str) -> Option<(String, By)> {
        let at = text.find(keyword).unwrap();
        let found = assigned(Text::decoded(text.as_bytes()), at, at + keyword.len())?;
        Some((text[found.value..].to_owned(), found.by))
    }

    #[test]
    fn every_way_to_assign_is_read() {
        for text in [
            "TOKEN=v",
            "TOKEN = v",
            "TOKEN: v",
            "\"TOKEN\": \"v",
            "TOKEN := v",
            "TOKEN => 'v",
            "env[\"TOKEN\"] = \"v",
            "TOKEN: str = \"v",
            "\\\"TOKEN\\\": \\\"v",
            "MY_TOKEN_V2=v",
            "TOKEN\n= v",
            "TOKEN: Optional[str] = v",
        ] {
            assert_eq!(value(text, "TOKEN"), Some(("v".to_owned(), By::Sign)), "{text}");
        }
        for text in ["TOKEN, v", "<TOKEN>v", "TOKEN||v", "TOKEN == v"] {
            assert_eq!(value(text, "TOKEN"), Some(("v".to_owned(), By::Weak)), "{text}");
        }
        assert_eq!(value("run --auth-TOKEN v", "TOKEN"), Some(("v".to_owned(), By::Option)));
        for text in ["TOKEN v", "TOKEN::v", "a TOKEN (v)"] {
            assert_eq!(value(text, "TOKEN"), None, "{text}");
        }
    }

    #[test]
    fn the_name_is_known_to_both_sides() {
        let text = "x\\nDB_PASSWORD_2=v";
        let found = assigned(Text::decoded(text.as_bytes()), 6, 14).unwrap();
        assert_eq!(&text[found.name.0..found.name.1], "DB_PASSWORD_2");
    }
}
