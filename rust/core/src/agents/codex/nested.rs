//! JSON that stands inside a string of a record: a call's arguments, an old shell's output.

use crate::json::canonical::canonicalize;
use crate::json::scan::PAD;
use crate::json::{string, Tape, Value};

/// Deepest nesting that still fits below the members of an event line; what is deeper stays a string.
const DEPTH: usize = 96;

/// Longer strings stay strings: with the copies that opening takes, memory would grow past what a line may take.
pub const LONGEST: usize = 32 << 20;

/// Storage above this size is given back after an exceptional string.
const KEPT: usize = 1 << 20;

/// Reusable storage for one value that stood inside a string.
#[derive(Debug, Default)]
pub struct Nested {
    tape: Tape,
    text: Vec<u8>,
}

impl Nested {
    /// The object that the string `value` spells; `None` for any other string.
    pub fn object(&mut self, value: Value<'_>) -> Option<Value<'_>> {
        let literal = value.literal();
        // Only what begins like an object is decoded.
        let start = literal.iter().position(|&c| c != b' ')?;
        let begins = |with: &[u8]| literal[start..].starts_with(with);
        if literal.len() > LONGEST {
            return None;
        }
        if !begins(b"{") && !begins(b"\\n") && !begins(b"\\r") && !begins(b"\\t") {
            return None;
        }
        self.text.clear();
        if self.text.capacity() > KEPT {
            self.text = Vec::new();
            self.tape = Tape::new();
        }
        string::decode_into(literal, &mut self.text);
        if memchr::memchr(b'\n', &self.text).is_some() {
            // White space between values may be LF, which the scanner of lines does not skip.
            self.text = canonicalize(&self.text).ok()?;
        }
        let len = self.text.len();
        self.text.resize(len + PAD, 0);
        self.tape.clear();
        let (root, end) = self.tape.parse(&self.text, 0, DEPTH).ok()?;
        if self.tape.duplicate.is_some() || self.text[end..len].iter().any(|c| !matches!(c, b' ' | b'\t' | b'\r')) {
            return None;
        }
        Some(self.tape.value(&self.text, root)).filter(|v| v.is_object())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_object(inner: &str) -> bool {
        let mut literal = Vec::new();
        string::write(inner.as_bytes(), &mut literal);
        literal.extend([0; PAD]);
        let mut tape = Tape::new();
        let (root, _) = tape.parse(&literal, 0, 8).unwrap();
        Nested::default().object(tape.value(&literal, root)).is_some()
    }

    #[test]
    fn only_whole_strict_objects_count() {
        for text in [r#"{"a":1}"#, " {}\t", "{\n \"a\": [\n1]\n}\n"] {
            assert!(is_object(text), "{text}");
        }
        for text in
            ["", "ls", "[1]", r#"{"a":1}{"#, r#"{"a":1,"a":2}"#, r#"{"a":"\ud83d"}"#, "{\"a\":\"\n\"}", "{'a':1}"]
        {
            assert!(!is_object(text), "{text}");
        }
        let deep = |n: usize| format!("{}{}", "{\"a\":".repeat(n), "1".to_owned() + &"}".repeat(n));
        assert!(is_object(&deep(DEPTH)) && !is_object(&deep(DEPTH + 1)));
    }
}
