//! From tape to canonical text (RFC 8785 with exact integers).

use super::tape::{compare, Kind, Tape, Value};
use super::{number, string, Fault, FaultKind, MAX_DEPTH};
use crate::json::scan::PAD;

/// Reusable storage for the order of objects' members. It holds nodes, not values, so it outlives any text.
#[derive(Debug, Default)]
pub struct Sorter {
    members: Vec<Member>,
}

/// The first eight bytes of the key, the key's node, the value's node.
type Member = (u64, u32, u32);

/// Append the canonical text of `value`. Its objects must be free of duplicate keys.
#[inline]
pub fn write(value: Value<'_>, out: &mut Vec<u8>) {
    if value.is_canonical() {
        out.extend_from_slice(value.raw());
    } else {
        write_changed(value, out, &mut Sorter::default());
    }
}

/// Append the canonical text of `value` with the storage of a caller that writes many.
#[inline]
pub fn write_with(value: Value<'_>, out: &mut Vec<u8>, sorter: &mut Sorter) {
    if value.is_canonical() {
        out.extend_from_slice(value.raw());
    } else {
        write_changed(value, out, sorter);
    }
}

fn write_changed(value: Value<'_>, out: &mut Vec<u8>, sorter: &mut Sorter) {
    match value.kind() {
        Kind::String => {
            out.push(b'"');
            string::recode_into(value.literal(), out);
            out.push(b'"');
        }
        Kind::Number => number::write(value.raw(), out),
        Kind::Object => write_object(value, out, sorter),
        Kind::Array => {
            out.push(b'[');
            for (n, item) in value.items().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write_with(item, out, sorter);
            }
            out.push(b']');
        }
        Kind::True | Kind::False | Kind::Null => out.extend_from_slice(value.raw()),
    }
}

fn write_object(value: Value<'_>, out: &mut Vec<u8>, sorter: &mut Sorter) {
    out.push(b'{');
    let mut first = true;
    sorter.each(value, |sorter, key, member| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_with(key, out, sorter);
        out.push(b':');
        write_with(member, out, sorter);
    });
    out.push(b'}');
}

impl Sorter {
    pub fn new() -> Sorter {
        Sorter::default()
    }

    /// Call `f` for each member of an object, in canonical order.
    #[inline]
    pub fn each<'a>(&mut self, object: Value<'a>, f: impl FnMut(&mut Sorter, Value<'a>, Value<'a>)) {
        self.each_of(object, |_| true, f);
    }

    /// The same for the members that `keep` keeps; the others cost no sorting.
    #[inline]
    pub fn each_of<'a>(
        &mut self,
        object: Value<'a>,
        keep: impl Fn(Value<'a>) -> bool,
        mut f: impl FnMut(&mut Sorter, Value<'a>, Value<'a>),
    ) {
        if object.is_sorted() {
            for (key, member) in object.members().filter(|(_, member)| keep(*member)) {
                f(self, key, member);
            }
            return;
        }
        let base = self.members.len();
        self.sort(object, base, keep);
        for k in base..self.members.len() {
            let (_, key, member) = self.members[k];
            f(self, object.at(key), object.at(member));
        }
        self.members.truncate(base);
    }

    /// Append the members of `object` in canonical order from `base` on.
    fn sort<'a>(&mut self, object: Value<'a>, base: usize, keep: impl Fn(Value<'a>) -> bool) {
        let kept = object.members().filter(|(_, member)| keep(*member));
        self.members.extend(kept.map(|(k, v)| (prefix(k.literal()), k.id(), v.id())));
        let members = &mut self.members[base..];
        // Records of a log have some twenty keys: insertion beats a general sort there.
        if members.len() <= 24 {
            for i in 1..members.len() {
                let mut j = i;
                while j > 0 && order(object, &members[j], &members[j - 1]) == std::cmp::Ordering::Less {
                    members.swap(j, j - 1);
                    j -= 1;
                }
            }
        } else {
            members.sort_by(|a, b| order(object, a, b));
        }
    }
}

#[inline(always)]
fn order(object: Value<'_>, a: &Member, b: &Member) -> std::cmp::Ordering {
    let (x, y) = (object.at(a.1), object.at(b.1));
    // Eight bytes decide most pairs, unless an escape or a character from U+E000 on makes bytes misleading.
    let misleading = x.is_escaped() | y.is_escaped();
    let high = (a.0 | b.0) & 0x8080_8080_8080_8080 != 0;
    if a.0 != b.0 && !misleading && !high {
        return a.0.cmp(&b.0);
    }
    compare(x.literal(), y.literal(), misleading)
}

#[inline(always)]
fn prefix(key: &[u8]) -> u64 {
    let mut word = [0; 8];
    let n = key.len().min(8);
    word[..n].copy_from_slice(&key[..n]);
    u64::from_be_bytes(word)
}

/// One JSON value in canonical form. Strict: white space around it is allowed, LF too; duplicate keys are not.
pub fn canonicalize(text: &[u8]) -> Result<Vec<u8>, Fault> {
    if let Err(e) = simdutf8::compat::from_utf8(text) {
        return Err(Fault::new(FaultKind::InvalidUtf8, e.valid_up_to()));
    }
    // LF is white space in a text of its own; the scanner stops at it, so it becomes a blank. Inside a string a raw LF
    // stays a fault because only those outside of strings are replaced.
    let mut b = Vec::with_capacity(text.len() + PAD);
    b.extend_from_slice(text);
    blank_newlines(&mut b);
    let n = b.len();
    b.resize(n + PAD, 0);
    let mut tape = Tape::new();
    let (root, mut end) = tape.parse(&b, 0, MAX_DEPTH)?;
    while end < n && matches!(b[end], b' ' | b'\t' | b'\r') {
        end += 1;
    }
    if end != n {
        return Err(Fault::new(FaultKind::Syntax, end));
    }
    if let Some(at) = tape.duplicate {
        return Err(Fault::new(FaultKind::DuplicateKey, at));
    }
    let mut out = Vec::with_capacity(n);
    write(tape.value(&b, root), &mut out);
    Ok(out)
}

fn blank_newlines(b: &mut [u8]) {
    let mut quoted = false;
    let mut i = 0;
    while i < b.len() {
        match b[i] {
            b'"' => quoted = !quoted,
            b'\\' if quoted => i += 1,
            b'\n' if !quoted => b[i] = b' ',
            _ => {}
        }
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canon(text: &str) -> String {
        String::from_utf8(canonicalize(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn keys_sort_by_utf16_code_units() {
        // U+1F600 is D83D DE00 in UTF-16 and so stands before U+FB33, although its UTF-8 bytes are greater.
        let text = "{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\\u20ac\":3,\"\\r\":4,\"1\":5}";
        assert_eq!(canon(text), "{\"\\r\":4,\"1\":5,\"\u{20ac}\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn integers_keep_all_digits_and_the_rest_is_binary64() {
        assert_eq!(
            canon("[-0,9007199254740993,1.0,1e21,-0.0,1E400]".replace("1E400", "0").as_str()),
            "[0,9007199254740993,1,1e+21,0,0]"
        );
        assert_eq!(canonicalize(b"1e400").unwrap_err().kind, FaultKind::NumberOverflow);
        let long = "1".repeat(4097);
        assert_eq!(canonicalize(long.as_bytes()).unwrap_err().kind, FaultKind::NumberLength);
    }

    #[test]
    fn faults_carry_the_offset() {
        assert_eq!(canonicalize(br#"{"a":1,"a":2}"#), Err(Fault::new(FaultKind::DuplicateKey, 7)));
        assert_eq!(canonicalize(br#"["\ud83d"]"#), Err(Fault::new(FaultKind::LoneSurrogate, 2)));
        assert_eq!(canonicalize(b"[\"\xff\"]"), Err(Fault::new(FaultKind::InvalidUtf8, 2)));
    }

    #[test]
    fn canonical_text_is_a_fixed_point() {
        for text in [r#"{"b":[1,{"d":"\u00e9\/","c":null}],"a":"\u001F"}"#, "[ ]", "{ \"a\" : { } }"] {
            let once = canon(text);
            assert_eq!(canon(&once), once);
        }
    }
}
