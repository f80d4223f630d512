//! From text to canonical text in one pass, without a tape: the quick way for what is well formed.
//!
//! Text that is canonical already is not touched: it waits in the source until something must change, and is then copied
//! at once. An object whose keys are out of order is written as it stands and put in order afterwards. Every fault,
//! duplicate keys too, is answered with `None`: whoever wants a reason parses the text.

use std::cmp::Ordering;

use super::tape::{compare, skip};
use super::{number, string};

/// Storage that outlives the texts.
#[derive(Debug, Default)]
pub struct Storage {
    out: Vec<u8>,
    members: Vec<Member>,
    copy: Vec<u8>,
}

/// What is kept of an exceptional text's storage.
const USUAL: usize = 1 << 20;

/// A member of an unfinished object.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// The first eight bytes of the key.
    prefix: u64,
    /// The key's literal in the source.
    key: (usize, usize),
    escaped: bool,
    /// Where the member begins in the output, and after sorting where it ends.
    start: usize,
    end: usize,
}

/// A text that is being rewritten. Positions in the output count what still waits in the source.
pub struct Rewriter<'b, 's> {
    b: &'b [u8],
    /// The source from here on is not in the output yet.
    from: usize,
    start: usize,
    s: &'s mut Storage,
}

/// A string as it stands in the source. Small enough to travel in registers.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    start: u32,
    end: u32,
    /// The literal is canonical, so two strings with the same text have the same literal.
    pub canonical: bool,
    /// The literal holds a backslash.
    pub escaped: bool,
}

impl Span {
    /// Where the literal begins and ends.
    #[inline(always)]
    pub fn place(self) -> (usize, usize) {
        (self.start as usize, self.end as usize)
    }

    #[inline(always)]
    pub fn literal(self, b: &[u8]) -> &[u8] {
        &b[self.start as usize..self.end as usize]
    }

    /// The offset after the closing quote.
    #[inline(always)]
    pub fn after(self) -> usize {
        self.end as usize + 1
    }
}

impl<'b, 's> Rewriter<'b, 's> {
    /// Begin at offset `at` of a padded buffer.
    #[inline]
    pub fn new(b: &'b [u8], at: usize, s: &'s mut Storage) -> Rewriter<'b, 's> {
        s.out.clear();
        s.members.clear();
        if s.out.capacity() > USUAL || s.copy.capacity() > USUAL || s.members.capacity() > USUAL >> 4 {
            *s = Storage::default();
        }
        Rewriter { b, from: at, start: at, s }
    }

    /// The position in the output that stands for offset `i` of the source.
    #[inline(always)]
    pub fn at(&self, i: usize) -> usize {
        self.s.out.len() + (i - self.from)
    }

    /// The output between two positions. The source before `i` was taken in.
    #[inline(always)]
    pub fn text(&mut self, i: usize) -> Text<'_> {
        if self.s.out.is_empty() && self.from == self.start {
            return Text(&self.b[self.start..i]);
        }
        self.flush(i);
        Text(&self.s.out)
    }

    #[inline(always)]
    fn flush(&mut self, to: usize) {
        self.s.out.extend_from_slice(&self.b[self.from..to]);
        self.from = to;
    }

    /// Write `text` in place of the source from `from` to `to`.
    #[inline(always)]
    pub fn replace(&mut self, from: usize, to: usize, text: &[u8]) {
        self.flush(from);
        self.s.out.extend_from_slice(text);
        self.from = to;
    }

    /// Skip white space, which is left out of the output. LF ends a line and is never skipped.
    #[inline(always)]
    pub fn skip(&mut self, i: usize) -> usize {
        let mut j = i;
        if self.b[i] <= b' ' && skip(self.b, &mut j) {
            self.flush(i);
            self.from = j;
        }
        j
    }

    /// The string at `i`.
    // Called from many places; inlined into all of them the readers would not fit the instruction cache.
    #[inline(never)]
    pub fn string(&mut self, i: usize) -> Option<Span> {
        if self.b[i] != b'"' {
            return None;
        }
        let span = string::scan(self.b, i + 1).ok()?;
        if !span.canonical {
            self.flush(i + 1);
            string::recode_into(&self.b[i + 1..span.end], &mut self.s.out);
            self.from = span.end;
        }
        let (start, end) = (i as u32 + 1, span.end as u32);
        Some(Span { start, end, canonical: span.canonical, escaped: span.escaped })
    }

    /// The value at `i`; containers may nest `depth` levels. Returns the offset after it.
    #[inline]
    pub fn value(&mut self, i: usize, depth: usize) -> Option<usize> {
        match self.b[i] {
            b'"' => self.string(i).map(Span::after),
            b'{' | b'[' => self.container(i, depth),
            _ => self.scalar(i),
        }
    }

    #[inline(never)]
    fn container(&mut self, i: usize, depth: usize) -> Option<usize> {
        let depth = depth.checked_sub(1)?;
        if self.b[i] == b'{' {
            return self.object(i, &mut |w, _, i| w.value(i, depth));
        }
        self.array(i, &mut |w, i| w.value(i, depth))
    }

    #[inline(always)]
    fn scalar(&mut self, i: usize) -> Option<usize> {
        let word = |word: &[u8]| if self.b[i..].starts_with(word) { Some(i + word.len()) } else { None };
        match self.b[i] {
            b't' => word(b"true"),
            b'f' => word(b"false"),
            b'n' => word(b"null"),
            _ => {
                let n = number::scan(self.b, i).ok()?;
                if !n.canonical {
                    self.flush(i);
                    number::write(&self.b[i..n.end], &mut self.s.out);
                    self.from = n.end;
                }
                Some(n.end)
            }
        }
    }

    /// The array at `i`; `item` reads each value and returns the offset after it.
    #[inline(always)]
    pub fn array(&mut self, i: usize, item: &mut impl FnMut(&mut Self, usize) -> Option<usize>) -> Option<usize> {
        let mut i = self.skip(i + 1);
        if self.b[i] == b']' {
            return Some(i + 1);
        }
        loop {
            i = item(self, i)?;
            i = self.skip(i);
            match self.b[i] {
                b',' => i = self.skip(i + 1),
                b']' => return Some(i + 1),
                _ => return None,
            }
        }
    }

    /// The members of the object at `i`, in the order of the source and left in it; `member` gets the offset of every
    /// key, and returns the offset after the value. The caller writes them in order and refuses duplicates.
    #[inline(always)]
    pub fn members(&mut self, i: usize, member: &mut impl FnMut(&mut Self, usize) -> Option<usize>) -> Option<usize> {
        if self.b[i] != b'{' {
            return None;
        }
        let mut i = self.skip(i + 1);
        if self.b[i] == b'}' {
            return Some(i + 1);
        }
        loop {
            i = member(self, i)?;
            i = self.skip(i);
            match self.b[i] {
                b',' => i = self.skip(i + 1),
                b'}' => return Some(i + 1),
                _ => return None,
            }
        }
    }

    /// The key at `i` and the offset of its value.
    #[inline(always)]
    pub fn key(&mut self, i: usize) -> Option<(Span, usize)> {
        let key = self.string(i)?;
        Some((key, self.colon(key.after())?))
    }

    #[inline(always)]
    fn colon(&mut self, i: usize) -> Option<usize> {
        let i = self.skip(i);
        if self.b[i] == b':' {
            Some(self.skip(i + 1))
        } else {
            None
        }
    }

    /// The object at `i`, put in order; `member` gets every key and the offset of its value, and returns the
    /// offset after it.
    #[inline(always)]
    pub fn object(
        &mut self,
        i: usize,
        member: &mut impl FnMut(&mut Self, Span, usize) -> Option<usize>,
    ) -> Option<usize> {
        if self.b[i] != b'{' {
            return None;
        }
        let mut i = self.skip(i + 1);
        if self.b[i] == b'}' {
            return Some(i + 1);
        }
        let base = self.s.members.len();
        let mut sorted = true;
        loop {
            if self.b[i] != b'"' {
                return None;
            }
            let start = self.at(i);
            let (key, value) = self.key(i)?;
            let prefix = prefix(self.b, key.place());
            let new = Member { prefix, key: key.place(), escaped: key.escaped, start, end: 0 };
            if let (true, Some(last)) = (sorted && self.s.members.len() > base, self.s.members.last()) {
                sorted = order(self.b, last, &new) == Ordering::Less;
            }
            self.s.members.push(new);
            i = member(self, key, value)?;
            i = self.skip(i);
            match self.b[i] {
                b',' => i = self.skip(i + 1),
                b'}' => break,
                _ => return None,
            }
        }
        if !sorted {
            self.put_in_order(base, i)?;
        }
        self.s.members.truncate(base);
        Some(i + 1)
    }

    /// Sort the members from `base` on; the object's closing brace is at `i`.
    #[inline(never)]
    fn put_in_order(&mut self, base: usize, i: usize) -> Option<()> {
        self.flush(i);
        let Storage { out, members, copy } = &mut *self.s;
        let members = &mut members[base..];
        let begin = members[0].start;
        for k in 1..members.len() {
            // One comma stands between two members.
            members[k - 1].end = members[k].start - 1;
        }
        members.last_mut()?.end = out.len();
        sort(self.b, members);
        if members.windows(2).any(|w| order(self.b, &w[0], &w[1]) != Ordering::Less) {
            return None;
        }
        copy.clear();
        copy.extend_from_slice(&out[begin..]);
        out.truncate(begin);
        for (k, member) in members.iter().enumerate() {
            if k > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&copy[member.start - begin..member.end - begin]);
        }
        if copy.capacity() > USUAL {
            *copy = Vec::new();
        }
        Some(())
    }
}

/// Output of a [`Rewriter`].
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    #[inline(always)]
    pub fn get(self, range: (usize, usize)) -> &'a [u8] {
        &self.0[range.0..range.1]
    }
}

fn sort(b: &[u8], members: &mut [Member]) {
    if members.len() > 24 {
        members.sort_by(|x, y| order(b, x, y));
        return;
    }
    for i in 1..members.len() {
        let mut j = i;
        while j > 0 && order(b, &members[j], &members[j - 1]) == Ordering::Less {
            members.swap(j, j - 1);
            j -= 1;
        }
    }
}

#[inline(always)]
fn order(b: &[u8], x: &Member, y: &Member) -> Ordering {
    // Eight bytes decide most pairs, unless an escape or a character from U+E000 on makes bytes misleading.
    let misleading = x.escaped | y.escaped;
    let high = (x.prefix | y.prefix) & 0x8080_8080_8080_8080 != 0;
    if x.prefix != y.prefix && !misleading && !high {
        return x.prefix.cmp(&y.prefix);
    }
    compare(&b[x.key.0..x.key.1], &b[y.key.0..y.key.1], misleading)
}

/// The first eight bytes of a key of a padded buffer, zeros after a shorter one.
#[inline(always)]
fn prefix(b: &[u8], key: (usize, usize)) -> u64 {
    let word = u64::from_be_bytes(b[key.0..key.0 + 8].try_into().expect("eight bytes"));
    match key.1 - key.0 {
        0 => 0,
        n @ 1..=7 => word & (u64::MAX << (64 - 8 * n)),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::PAD;
    use super::super::{canonical, MAX_DEPTH};
    use super::*;

    fn rewrite(text: &str) -> Option<String> {
        let mut b = text.as_bytes().to_vec();
        b.push(b'\n');
        b.extend([0; PAD]);
        let mut storage = Storage::default();
        let mut w = Rewriter::new(&b, 0, &mut storage);
        let i = w.skip(0);
        let start = w.at(i);
        let after = w.value(i, MAX_DEPTH)?;
        let end = w.at(after);
        let last = w.skip(after);
        if b[last] != b'\n' {
            return None;
        }
        let text = w.text(last).get((start, end)).to_vec();
        Some(String::from_utf8(text).unwrap())
    }

    #[test]
    fn it_writes_what_the_tape_writes_and_refuses_what_the_tape_refuses() {
        for text in [
            r#"{"a":1,"b":[true,false,null,-1.5,"x\n\u0001"],"c":{}}"#,
            r#" { "b" : 1 , "a" : [ 1 , 2.0 , -0 ] } "#,
            r#"{"b":{"d":1,"c":{"z":0,"y":[{"q":1,"p":2}]}},"a":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"b":1,"a":1,"b":2}"#,
            r#"{"b":1,"a":1,"\u0062":2}"#,
            r#"{"\u0062":1,"a":"\u00e9\/","\n":0,"\"":1}"#,
            "{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\u{fb33}a\":3}",
            r#"[[],[[]],{},{"a":{}}]"#,
            "[1,]",
            "{,}",
            "[1 2]",
            "{\"a\" 1}",
            "\"\\ud83d\"",
            "1e400",
            "tru",
            "",
            "[",
            "{\"a\":",
            "1.0",
            " 1e21 ",
            "\"\\u0061\"",
        ] {
            let want = canonical::canonicalize(text.as_bytes()).ok().map(|t| String::from_utf8(t).unwrap());
            assert_eq!(rewrite(text), want, "{text}");
        }
        let many: Vec<String> = (0..100).rev().map(|k| format!("\"k{k}\":{{\"b\":{k},\"a\":0}}")).collect();
        let many = format!("{{{}}}", many.join(","));
        assert_eq!(rewrite(&many).unwrap().as_bytes(), canonical::canonicalize(many.as_bytes()).unwrap());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(rewrite(&deep(128)).is_some());
        assert!(rewrite(&deep(129)).is_none());
    }
}
