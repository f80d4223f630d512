//! Is this text canonical? Answered without a tape and without a byte of memory.
//!
//! Canonical text is easier to check than JSON is to parse: no white space, ascending keys (so none stands twice), one
//! spelling of every string and number. The answer is yes or "not so": whoever wants a reason parses the text.

use std::cmp::Ordering;

use super::tape::compare;
use super::{number, string};

/// The literal of the canonical string at `i` of a padded buffer, and the offset after its closing quote.
#[inline(always)]
pub fn string(b: &[u8], i: usize) -> Option<(&[u8], usize)> {
    if b[i] != b'"' {
        return None;
    }
    let span = string::scan(b, i + 1).ok()?;
    if !span.canonical {
        return None;
    }
    Some((&b[i + 1..span.end], span.end + 1))
}

/// The offset after the canonical value at `i` of a padded buffer; containers may nest `depth` levels.
#[inline]
pub fn value(b: &[u8], i: usize, depth: usize) -> Option<usize> {
    match b[i] {
        b'"' => string(b, i).map(|(_, end)| end),
        b'{' => members(b, i + 1, depth.checked_sub(1)?, &mut |_, _, _| true),
        b'[' => array(b, i + 1, depth.checked_sub(1)?),
        _ => scalar(b, i),
    }
}

#[inline(always)]
fn scalar(b: &[u8], i: usize) -> Option<usize> {
    let word = |word: &[u8]| if b[i..].starts_with(word) { Some(i + word.len()) } else { None };
    match b[i] {
        b't' => word(b"true"),
        b'f' => word(b"false"),
        b'n' => word(b"null"),
        _ => number::scan(b, i).ok().filter(|n| n.canonical).map(|n| n.end),
    }
}

fn array(b: &[u8], mut i: usize, depth: usize) -> Option<usize> {
    if b[i] == b']' {
        return Some(i + 1);
    }
    loop {
        i = value(b, i, depth)?;
        match b[i] {
            b',' => i += 1,
            b']' => return Some(i + 1),
            _ => return None,
        }
    }
}

/// Check the members of an object whose brace stands before `i`; returns the offset after the closing one.
///
/// `see` gets every key's literal and the start and end of its value, and may say "not so".
#[inline(always)]
pub fn members<'b>(
    b: &'b [u8],
    mut i: usize,
    depth: usize,
    see: &mut impl FnMut(&'b [u8], usize, usize) -> bool,
) -> Option<usize> {
    if b[i] == b'}' {
        return Some(i + 1);
    }
    let mut before: Option<(&[u8], bool)> = None;
    loop {
        if b[i] != b'"' {
            return None;
        }
        let span = string::scan(b, i + 1).ok()?;
        let key = &b[i + 1..span.end];
        if !span.canonical || b[span.end + 1] != b':' {
            return None;
        }
        if let Some((before, escaped)) = before {
            // A key with an escape cannot be compared byte by byte.
            if compare(before, key, escaped | span.escaped) != Ordering::Less {
                return None;
            }
        }
        before = Some((key, span.escaped));
        let start = span.end + 2;
        i = value_of(b, start, depth)?;
        if !see(key, start, i) {
            return None;
        }
        match b[i] {
            b',' => i += 1,
            b'}' => return Some(i + 1),
            _ => return None,
        }
    }
}

/// [`value`], with the scalars inlined into the caller and only containers called.
#[inline(always)]
fn value_of(b: &[u8], i: usize, depth: usize) -> Option<usize> {
    match b[i] {
        b'"' => string(b, i).map(|(_, end)| end),
        b'{' | b'[' => container(b, i, depth),
        _ => scalar(b, i),
    }
}

#[inline(never)]
fn container(b: &[u8], i: usize, depth: usize) -> Option<usize> {
    value(b, i, depth)
}

#[cfg(test)]
mod tests {
    use super::super::scan::PAD;
    use super::super::{canonical, MAX_DEPTH};
    use super::*;

    fn padded(text: &[u8]) -> Vec<u8> {
        let mut b = text.to_vec();
        b.push(b'\n');
        b.extend([0; PAD]);
        b
    }

    fn is_canonical(text: &str) -> bool {
        value(&padded(text.as_bytes()), 0, MAX_DEPTH) == Some(text.len())
    }

    #[test]
    fn yes_exactly_where_canonicalizing_changes_nothing() {
        let texts = [
            r#"{"a":1,"b":[true,false,null,-1.5,"x\n\u0001"],"c":{}}"#,
            r#"{"b":1,"a":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"[1,2,]"#,
            r#"[1.0]"#,
            r#"[1e21]"#,
            r#"["\/"]"#,
            r#"["\u00e9"]"#,
            r#"["\ud83d"]"#,
            r#"{"\"":1,"a":2}"#,
            r#"{"a\"":1,"a0":2}"#,
            "{\"\u{1f600}\":1,\"\u{fb33}\":2}",
            "{\"\u{fb33}\":1,\"\u{1f600}\":2}",
            "[-0]",
            "tru",
            "",
        ];
        for text in texts {
            let same = canonical::canonicalize(text.as_bytes()).is_ok_and(|c| c == text.as_bytes());
            assert_eq!(is_canonical(text), same, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(is_canonical(&deep(128)));
        assert!(!is_canonical(&deep(129)));
    }
}
