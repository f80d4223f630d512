//! The tape: one JSON value as a flat list of spans over its text.
//!
//! Nodes stand in document order; a container is followed by its children (an object's: key, value, key, value …) and
//! knows the node after them. A node that is canonical as a whole is copied, never looked into again.

use std::borrow::Cow;

use super::string::{self, Span};
use super::{number, Fault, FaultKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    String,
    Number,
    True,
    False,
    Null,
    Object,
    Array,
}

const CANONICAL: u8 = 1;
const ESCAPED: u8 = 2;
const INTEGER: u8 = 4;
/// An object whose keys stand in canonical order already (its members need not be canonical).
const SORTED: u8 = 8;

/// 16 bytes: offsets into the scanned buffer, the node after this value, what it is.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    next: u32,
    kind: Kind,
    flags: u8,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    node: u32,
    /// The key before, `u32::MAX` at the first.
    previous_key: u32,
    /// Where this object's key hashes begin in `Tape::hashes`.
    hashes: u32,
    flags: u8,
    object: bool,
    /// One bit for each key hash so far: most new keys are told from all others by it.
    seen: u64,
}

/// Objects of more keys than this look for duplicates by sorting, not by comparing hashes one by one.
const FEW_KEYS: usize = 48;

/// Reusable storage for the nodes of one or many values of one buffer.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    frames: Vec<Frame>,
    hashes: Vec<u32>,
    /// Offset of the second of two equal keys, the first time that happened in the value parsed last.
    pub duplicate: Option<usize>,
}

impl Tape {
    pub fn new() -> Tape {
        Tape::default()
    }

    /// Forget all values, and give back the storage that an exceptional line took.
    pub fn clear(&mut self) {
        self.nodes.clear();
        if self.nodes.capacity() > 1 << 20 {
            self.nodes.shrink_to(1 << 16);
        }
        self.duplicate = None;
    }

    /// How many nodes the tape holds; a mark for [`Tape::truncate`].
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Forget the values that were added since `len` was taken.
    pub fn truncate(&mut self, len: usize) {
        self.nodes.truncate(len);
    }

    #[inline(always)]
    fn push(&mut self, kind: Kind, start: usize, end: usize, flags: u8) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { start: start as u32, end: end as u32, next, kind, flags });
    }

    /// Add the value at `at` of a padded buffer (leading white space allowed); returns its node and the offset after it.
    ///
    /// Duplicate keys are no error here: [`Tape::duplicate`] names the first, because HAIL refuses them and a log's
    /// record is repaired. After an error the tape holds an unfinished value: truncate it.
    pub fn parse(&mut self, b: &[u8], at: usize, max_depth: usize) -> Result<(u32, usize), Fault> {
        self.parse_as::<true>(b, at, max_depth)
    }

    /// The same for a value that is only looked into, not written: its keys are not compared, so nothing is known of
    /// their order and of duplicates.
    pub fn parse_to_look(&mut self, b: &[u8], at: usize, max_depth: usize) -> Result<(u32, usize), Fault> {
        self.parse_as::<false>(b, at, max_depth)
    }

    #[inline(always)]
    fn parse_as<const KEYS: bool>(&mut self, b: &[u8], at: usize, max_depth: usize) -> Result<(u32, usize), Fault> {
        self.duplicate = None;
        self.frames.clear();
        self.hashes.clear();
        let root = self.nodes.len() as u32;
        let mut i = at;
        skip(b, &mut i);
        'value: loop {
            // A value begins at i.
            let mut flags = CANONICAL;
            match b[i] {
                b'"' => {
                    let s = string::scan(b, i + 1)?;
                    flags = string_flags(&s);
                    self.push(Kind::String, i, s.end + 1, flags);
                    i = s.end + 1;
                }
                open @ (b'{' | b'[') => {
                    if self.frames.len() >= max_depth {
                        return Err(Fault::new(FaultKind::Depth, i));
                    }
                    let object = open == b'{';
                    let node = self.nodes.len() as u32;
                    self.push(if object { Kind::Object } else { Kind::Array }, i, i, 0);
                    let hashes = self.hashes.len() as u32;
                    let mut frame =
                        Frame { node, previous_key: u32::MAX, hashes, flags: CANONICAL | SORTED, object, seen: 0 };
                    i += 1;
                    if skip(b, &mut i) {
                        frame.flags &= !CANONICAL;
                    }
                    self.frames.push(frame);
                    if b[i] != open + 2 {
                        if object {
                            i = self.key::<KEYS>(b, i)?;
                        }
                        continue 'value;
                    }
                    flags = self.close(b, i)?;
                    i += 1;
                }
                b't' => i = self.word(b, i, b"true", Kind::True)?,
                b'f' => i = self.word(b, i, b"false", Kind::False)?,
                b'n' => i = self.word(b, i, b"null", Kind::Null)?,
                _ => {
                    let n = number::scan(b, i)?;
                    flags = n.canonical as u8 * CANONICAL | n.integer as u8 * INTEGER;
                    self.push(Kind::Number, i, n.end, flags);
                    i = n.end;
                }
            }
            // A value has ended before i.
            loop {
                let Some(frame) = self.frames.last_mut() else { return Ok((root, i)) };
                frame.flags &= flags | !CANONICAL;
                if b[i] <= b' ' && skip(b, &mut i) {
                    frame.flags &= !CANONICAL;
                }
                match b[i] {
                    b',' => {
                        i += 1;
                        if b[i] <= b' ' && skip(b, &mut i) {
                            frame.flags &= !CANONICAL;
                        }
                        if frame.object {
                            i = self.key::<KEYS>(b, i)?;
                        }
                        continue 'value;
                    }
                    c if c == if frame.object { b'}' } else { b']' } => {
                        flags = self.close(b, i)?;
                        i += 1;
                    }
                    // The end of the line inside a value is the same fault inside and outside of strings.
                    c => {
                        let kind = if c < b' ' { FaultKind::Control } else { FaultKind::Syntax };
                        return Err(Fault::new(kind, i));
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn word(&mut self, b: &[u8], i: usize, word: &[u8], kind: Kind) -> Result<usize, Fault> {
        let end = i + word.len();
        if b.get(i..end) != Some(word) {
            return Err(Fault::new(FaultKind::Syntax, i));
        }
        self.push(kind, i, end, CANONICAL);
        Ok(end)
    }

    /// Read the key at `i` and the colon; returns where its value begins.
    #[inline(always)]
    fn key<const KEYS: bool>(&mut self, b: &[u8], i: usize) -> Result<usize, Fault> {
        if b[i] != b'"' {
            return Err(Fault::new(FaultKind::Syntax, i));
        }
        let s = string::scan(b, i + 1)?;
        let me = self.nodes.len() as u32;
        let mut flags = string_flags(&s);
        self.push(Kind::String, i, s.end + 1, flags);
        if KEYS {
            self.compare_key(b, i, &s, me);
        }
        let mut i = s.end + 1;
        flags = 0;
        if skip(b, &mut i) {
            flags = 1;
        }
        if b[i] != b':' {
            return Err(Fault::new(if b[i] < b' ' { FaultKind::Control } else { FaultKind::Syntax }, i));
        }
        i += 1;
        if skip(b, &mut i) || flags == 1 {
            self.frames.last_mut().expect("a key stands in an object").flags &= !CANONICAL;
        }
        Ok(i)
    }

    /// Compare a key with those before it.
    #[inline(always)]
    fn compare_key(&mut self, b: &[u8], i: usize, s: &Span, me: u32) {
        let flags = string_flags(s);
        let frame = self.frames.last_mut().expect("a key stands in an object");
        let previous = std::mem::replace(&mut frame.previous_key, me);
        frame.flags &= flags | !CANONICAL;
        let hash = key_hash(b, i + 1, s.end, s.escaped);
        let bit = 1 << (hash >> 26);
        let maybe = frame.seen & bit != 0;
        frame.seen |= bit;
        if previous != u32::MAX {
            let before = self.nodes[previous as usize];
            let escaped = s.escaped | (before.flags & ESCAPED != 0);
            let order = compare(&b[before.start as usize + 1..before.end as usize - 1], &b[i + 1..s.end], escaped);
            if order != std::cmp::Ordering::Less {
                frame.flags &= !(CANONICAL | SORTED);
            }
            if frame.flags & SORTED == 0 {
                // The hashes before are only looked at where the keys are out of order: ascending keys differ.
                let base = frame.hashes as usize;
                let seen = &self.hashes[base..];
                if maybe && seen.len() <= FEW_KEYS && seen.contains(&hash) {
                    let object = frame.node;
                    self.find_duplicate(b, object, me);
                }
            }
        }
        self.hashes.push(hash);
    }

    /// Compare key `me` with all keys before it in the unfinished object.
    #[cold]
    fn find_duplicate(&mut self, b: &[u8], object: u32, me: u32) {
        if self.duplicate.is_some() {
            return;
        }
        let text = |n: u32| {
            let node = self.nodes[n as usize];
            string::decode(&b[node.start as usize + 1..node.end as usize - 1])
        };
        let mine = text(me);
        let mut key = object + 1;
        while key < me {
            if text(key) == mine {
                self.duplicate = Some(self.nodes[me as usize].start as usize);
                return;
            }
            key = self.nodes[key as usize + 1].next;
        }
    }

    /// Finish the innermost container, whose closing byte is at `i`; returns its flags.
    #[inline(always)]
    fn close(&mut self, b: &[u8], i: usize) -> Result<u8, Fault> {
        let frame = self.frames.pop().expect("a container is open");
        let keys = self.hashes.len() - frame.hashes as usize;
        self.hashes.truncate(frame.hashes as usize);
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[frame.node as usize];
        node.end = i as u32 + 1;
        node.next = next;
        node.flags = frame.flags;
        if keys > FEW_KEYS && frame.flags & SORTED == 0 {
            self.sort_for_duplicates(b, frame.node);
        }
        Ok(frame.flags)
    }

    #[cold]
    fn sort_for_duplicates(&mut self, b: &[u8], object: u32) {
        if self.duplicate.is_some() {
            return;
        }
        let mut keys: Vec<(Cow<'_, [u8]>, u32)> =
            self.value(b, object).members().map(|(k, _)| (string::decode(k.literal()), k.node().start)).collect();
        keys.sort();
        let twice = keys.windows(2).filter(|w| w[0].0 == w[1].0).map(|w| w[1].1 as usize).min();
        self.duplicate = twice;
    }

    /// A view of node `node` over the buffer it was parsed from.
    #[inline(always)]
    pub fn value<'a>(&'a self, text: &'a [u8], node: u32) -> Value<'a> {
        Value { tape: self, text, node }
    }
}

#[inline(always)]
fn string_flags(s: &Span) -> u8 {
    s.canonical as u8 * CANONICAL | s.escaped as u8 * ESCAPED
}

/// Skip white space; true if there was any. LF ends a line and is never skipped.
#[inline(always)]
pub(super) fn skip(b: &[u8], i: &mut usize) -> bool {
    let from = *i;
    while matches!(b[*i], b' ' | b'\t' | b'\r') {
        *i += 1;
    }
    *i != from
}

/// A cheap hash of a key: equal keys have equal hashes, however they are escaped.
#[inline(always)]
fn key_hash(b: &[u8], start: usize, end: usize, escaped: bool) -> u32 {
    if escaped {
        let text = string::decode(&b[start..end]).into_owned();
        let n = text.len();
        let mut padded = text;
        padded.extend([0; 8]);
        return key_hash(&padded, 0, n, false);
    }
    let n = end - start;
    // Eight bytes from the front and eight that end with the key; the padding makes both readable.
    let word = |at: usize| u64::from_le_bytes(b[at..at + 8].try_into().expect("eight bytes"));
    let mask = if n >= 8 { u64::MAX } else { (1u64 << (n * 8)) - 1 };
    let front = word(start) & mask;
    let back = if n >= 8 { word(end - 8) } else { front };
    let mixed = (front ^ back.rotate_left(29)).wrapping_add(n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

/// Order of two keys (literals) by UTF-16 code units (RFC 8785, 3.2.3).
#[inline(always)]
pub(super) fn compare(a: &[u8], b: &[u8], escaped: bool) -> std::cmp::Ordering {
    if escaped {
        return compare_decoded(a, b);
    }
    if let (Some(x), Some(y)) = (a.first(), b.first()) {
        // Nearly all keys differ in their first byte, which is ASCII.
        if x != y && (x | y) & 0x80 == 0 {
            return x.cmp(y);
        }
    }
    // UTF-8 order is UTF-16 order, but for U+E000..U+FFFF (lead bytes EE, EF) against U+10000 and above (F0..F4).
    let n = a.len().min(b.len());
    for k in 0..n {
        if a[k] != b[k] {
            if a[k] >= 0xee && b[k] >= 0xee {
                return compare_decoded(a, b);
            }
            return a[k].cmp(&b[k]);
        }
    }
    a.len().cmp(&b.len())
}

#[cold]
#[inline(never)]
fn compare_decoded(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let (a, b) = (string::decode(a), string::decode(b));
    String::from_utf8_lossy(&a).encode_utf16().cmp(String::from_utf8_lossy(&b).encode_utf16())
}

/// One value of a tape together with its text. Copied freely: three words.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    tape: &'a Tape,
    text: &'a [u8],
    node: u32,
}

impl<'a> Value<'a> {
    #[inline(always)]
    fn node(self) -> &'a Node {
        &self.tape.nodes[self.node as usize]
    }

    #[inline(always)]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The text is the value's canonical form.
    #[inline(always)]
    pub fn is_canonical(self) -> bool {
        self.node().flags & CANONICAL != 0
    }

    /// An object whose keys stand in canonical order.
    #[inline(always)]
    pub fn is_sorted(self) -> bool {
        self.node().flags & SORTED != 0
    }

    /// A string that holds a backslash.
    #[inline(always)]
    pub fn is_escaped(self) -> bool {
        self.node().flags & ESCAPED != 0
    }

    /// A number without fraction and exponent.
    #[inline(always)]
    pub fn is_integer(self) -> bool {
        self.node().flags & INTEGER != 0
    }

    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    pub fn is_string(self) -> bool {
        self.kind() == Kind::String
    }

    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The value exactly as it stands in the text.
    #[inline(always)]
    pub fn raw(self) -> &'a [u8] {
        let n = self.node();
        &self.text[n.start as usize..n.end as usize]
    }

    /// Offset of the value in its buffer.
    pub fn offset(self) -> usize {
        self.node().start as usize
    }

    /// A string's text between the quotes, escapes as they stand. Empty for anything else.
    #[inline(always)]
    pub fn literal(self) -> &'a [u8] {
        let n = self.node();
        if n.kind != Kind::String {
            return b"";
        }
        &self.text[n.start as usize + 1..n.end as usize - 1]
    }

    /// A string's canonical literal (no quotes).
    #[inline(always)]
    pub fn canonical_literal(self) -> Cow<'a, [u8]> {
        if self.is_canonical() {
            return Cow::Borrowed(self.literal());
        }
        let mut out = Vec::with_capacity(self.literal().len());
        string::recode_into(self.literal(), &mut out);
        Cow::Owned(out)
    }

    /// A string's text, decoded; `None` for anything else.
    pub fn text(self) -> Option<Cow<'a, [u8]>> {
        if self.kind() != Kind::String {
            return None;
        }
        if !self.is_escaped() {
            return Some(Cow::Borrowed(self.literal()));
        }
        Some(string::decode(self.literal()))
    }

    /// A string's text as `String`; `None` for anything else.
    pub fn string(self) -> Option<String> {
        self.text().map(|t| String::from_utf8_lossy(&t).into_owned())
    }

    /// True for a string that stands for exactly `text`.
    #[inline(always)]
    pub fn is(self, text: &str) -> bool {
        if self.kind() != Kind::String {
            return false;
        }
        if !self.is_escaped() {
            return self.literal() == text.as_bytes();
        }
        string::decode(self.literal()).as_ref() == text.as_bytes()
    }

    pub fn bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// An integer literal 0..2^64-1.
    pub fn u64(self) -> Option<u64> {
        if self.kind() == Kind::Number && self.is_integer() {
            number::as_u64(self.raw())
        } else {
            None
        }
    }

    /// An integer literal -2^63..2^63-1.
    pub fn i64(self) -> Option<i64> {
        if self.kind() == Kind::Number && self.is_integer() {
            number::as_i64(self.raw())
        } else {
            None
        }
    }

    /// Any number, as binary64.
    pub fn f64(self) -> Option<f64> {
        if self.kind() == Kind::Number {
            std::str::from_utf8(self.raw()).ok()?.parse().ok()
        } else {
            None
        }
    }

    /// Another node of the same tape.
    #[inline(always)]
    pub(crate) fn at(self, node: u32) -> Value<'a> {
        Value { node, ..self }
    }

    /// The members of an object in the order of the text; nothing for anything else.
    #[inline(always)]
    pub fn members(self) -> Members<'a> {
        let n = self.node();
        let end = if n.kind == Kind::Object { n.next } else { self.node + 1 };
        Members { value: self.at(self.node + 1), end }
    }

    /// The items of an array; nothing for anything else.
    #[inline(always)]
    pub fn items(self) -> Items<'a> {
        let n = self.node();
        let end = if n.kind == Kind::Array { n.next } else { self.node + 1 };
        Items { value: self.at(self.node + 1), end }
    }

    /// The member `key` of an object. Where a key stands twice (no value that is kept has that) it is the first.
    #[inline]
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        let n = self.node();
        if n.kind != Kind::Object {
            return None;
        }
        let wanted = key.as_bytes();
        let (prefix, mask) = (word(wanted, 0), low(wanted));
        let nodes = &self.tape.nodes[..n.next as usize];
        let mut at = self.node as usize + 1;
        while let Some([name, value]) = nodes.get(at..at + 2) {
            // Few keys of one length begin alike, so hardly a key is compared in vain.
            let (from, to) = (name.start as usize + 1, name.end as usize - 1);
            if to - from == wanted.len() && word(self.text, from) & mask == prefix && self.text[from..to] == *wanted {
                return Some(self.at(at as u32 + 1));
            }
            if name.flags & ESCAPED != 0 && self.at(at as u32).is(key) {
                return Some(self.at(at as u32 + 1));
            }
            at = value.next as usize;
        }
        None
    }

    /// The member at the end of a path of keys.
    pub fn at_path(self, path: &[&str]) -> Option<Value<'a>> {
        path.iter().try_fold(self, |v, key| v.get(key))
    }

    /// The same member, `None` too where it is `null`.
    pub fn get_some(self, key: &str) -> Option<Value<'a>> {
        self.get(key).filter(|v| !v.is_null())
    }

    /// The member `key` if it is a string.
    pub fn get_str(self, key: &str) -> Option<Value<'a>> {
        self.get(key).filter(|v| v.is_string())
    }

    /// Identity of the node, for sets of values that were used.
    #[inline(always)]
    pub fn id(self) -> u32 {
        self.node
    }

    /// The value is node `id` or holds it.
    #[inline(always)]
    pub fn holds(self, id: u32) -> bool {
        self.node <= id && id < self.node().next
    }
}

/// Eight bytes of a text, zeros behind its end.
#[inline(always)]
fn word(text: &[u8], at: usize) -> u64 {
    match text.get(at..at + 8) {
        Some(bytes) => u64::from_le_bytes(bytes.try_into().expect("eight bytes")),
        None => text[at..].iter().rev().fold(0, |word, byte| word << 8 | *byte as u64),
    }
}

/// The bits of [`word`] that a text of this length fills.
#[inline(always)]
fn low(text: &[u8]) -> u64 {
    match text.len() {
        n @ 0..=7 => (1 << (8 * n)) - 1,
        _ => u64::MAX,
    }
}

#[derive(Debug, Clone)]
pub struct Members<'a> {
    value: Value<'a>,
    end: u32,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Value<'a>, Value<'a>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.value.node >= self.end {
            return None;
        }
        let key = self.value;
        let value = key.at(key.node + 1);
        self.value = key.at(value.node().next);
        Some((key, value))
    }
}

#[derive(Debug, Clone)]
pub struct Items<'a> {
    value: Value<'a>,
    end: u32,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Value<'a>> {
        if self.value.node >= self.end {
            return None;
        }
        let item = self.value;
        self.value = item.at(item.node().next);
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::PAD;
    use super::*;

    pub fn padded(text: &str) -> Vec<u8> {
        let mut b = text.as_bytes().to_vec();
        b.extend([0; PAD]);
        b
    }

    fn duplicate(text: &str) -> bool {
        let b = padded(text);
        let mut t = Tape::new();
        t.parse(&b, 0, 128).unwrap();
        t.duplicate.is_some()
    }

    #[test]
    fn duplicates_are_found_sorted_unsorted_escaped_and_among_many() {
        assert!(duplicate(r#"{"a":1,"a":2}"#));
        assert!(duplicate(r#"{"b":1,"a":{"b":2},"b":2}"#));
        assert!(duplicate(r#"{"b":1,"a":2,"\u0062":2}"#));
        assert!(!duplicate(r#"{"b":1,"a":{"b":2,"a":3},"c":[{"b":1}]}"#));
        let many: Vec<String> = (0..100).rev().map(|k| format!("\"k{k}\":0")).collect();
        assert!(!duplicate(&format!("{{{}}}", many.join(","))));
        assert!(duplicate(&format!("{{{},\"k50\":1}}", many.join(","))));
    }

    #[test]
    fn canonical_is_known_for_every_part() {
        let b = padded(r#"{"a":[1,2.5,"x"],"b": 1,"c":{"z":1,"a":2}}"#);
        let mut t = Tape::new();
        let (root, end) = t.parse(&b, 0, 128).unwrap();
        assert_eq!(end, b.len() - PAD);
        let v = t.value(&b, root);
        assert!(!v.is_canonical() && v.is_sorted());
        assert!(v.get("a").unwrap().is_canonical());
        let c = v.get("c").unwrap();
        assert!(!c.is_canonical() && !c.is_sorted());
        assert_eq!(c.get("a").unwrap().u64(), Some(2));
    }

    #[test]
    fn depth_is_counted_from_one() {
        let deep = |n: usize| padded(&format!("{}{}", "[".repeat(n), "]".repeat(n)));
        assert!(Tape::new().parse(&deep(128), 0, 128).is_ok());
        assert_eq!(Tape::new().parse(&deep(129), 0, 128).unwrap_err().kind, FaultKind::Depth);
    }
}
