//! Texts in a summary: decoded from canonical literals, cut by characters, never inside one.

use std::borrow::Cow;

/// What stands where the rest of a text was left out.
const MORE: char = '…';

/// Takes texts one after another, and keeps the first `most` characters.
#[derive(Debug)]
pub struct Excerpt {
    out: String,
    left: usize,
    /// Runs of white space become one space; else line ends and indents stay.
    collapse: bool,
    /// White space that is written as soon as something follows it.
    gap: String,
    /// Something did not fit.
    over: bool,
}

impl Excerpt {
    /// White space runs become one space.
    pub fn collapsed(most: usize) -> Excerpt {
        Excerpt { out: String::new(), left: most, collapse: true, gap: String::new(), over: false }
    }

    /// White space stays, except at both ends.
    pub fn verbatim(most: usize) -> Excerpt {
        Excerpt { collapse: false, ..Excerpt::collapsed(most) }
    }

    /// No more characters are taken.
    pub fn is_full(&self) -> bool {
        self.over
    }

    fn put(&mut self, c: char) {
        if c.is_whitespace() {
            // White space at the end of a text that was never followed by anything costs nothing.
            if !self.out.is_empty() && self.gap.len() <= self.left {
                self.gap.push(c);
            }
            return;
        }
        let gap = if self.gap.is_empty() {
            0
        } else if self.collapse {
            1
        } else {
            self.gap.chars().count()
        };
        if gap + 1 > self.left {
            self.over = true;
            return;
        }
        if self.collapse && gap == 1 {
            self.out.push(' ');
        } else {
            self.out.push_str(&self.gap);
        }
        self.gap.clear();
        self.out.push(c);
        self.left -= gap + 1;
    }

    /// Take the text of a canonical literal.
    pub fn literal(&mut self, literal: &[u8]) {
        let mut at = 0;
        while !self.over {
            at += self.plain(&literal[at..]);
            match next_char(literal, &mut at) {
                Some(c) => self.put(c),
                None => return,
            }
        }
    }

    pub fn text(&mut self, text: &str) {
        let mut at = 0;
        while !self.over {
            at += self.plain(&text.as_bytes()[at..]);
            match text[at..].chars().next() {
                Some(c) => self.put(c),
                None => return,
            }
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }

    /// Take letters, digits and signs of ASCII in one go, after the first of a word; returns how many.
    fn plain(&mut self, text: &[u8]) -> usize {
        if !self.gap.is_empty() {
            return 0;
        }
        let run = text.iter().take(self.left).take_while(|c| c.is_ascii_graphic() && **c != b'\\').count();
        if let Ok(run) = std::str::from_utf8(&text[..run]) {
            self.out.push_str(run);
        }
        self.left -= run;
        run
    }

    /// What comes next is another text.
    pub fn separate(&mut self) {
        if !self.out.is_empty() {
            self.put('\n');
        }
    }

    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The excerpt; its last character says whether there was more.
    pub fn finish(mut self) -> String {
        if self.over {
            if self.left == 0 {
                self.out.pop();
            }
            self.out.push(MORE);
        }
        self.out
    }
}

/// The character of a canonical literal at `at`, which moves on.
fn next_char(literal: &[u8], at: &mut usize) -> Option<char> {
    let &first = literal.get(*at)?;
    if first == b'\\' {
        let (c, width) = match literal.get(*at + 1)? {
            b'b' => ('\u{8}', 2),
            b't' => ('\t', 2),
            b'n' => ('\n', 2),
            b'f' => ('\u{c}', 2),
            b'r' => ('\r', 2),
            b'u' => {
                let v = crate::json::string::hex4(literal, *at + 2)?;
                (char::from_u32(v).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
            }
            c => (*c as char, 2),
        };
        *at += width;
        return Some(c);
    }
    if first < 0x80 {
        *at += 1;
        return Some(first as char);
    }
    let width = match first {
        0xf0.. => 4,
        0xe0.. => 3,
        _ => 2,
    };
    let bytes = literal.get(*at..*at + width)?;
    *at += width;
    std::str::from_utf8(bytes).ok()?.chars().next()
}

/// The first `most` characters of a literal, white space collapsed.
pub fn collapsed(literal: &[u8], most: usize) -> String {
    let mut excerpt = Excerpt::collapsed(most);
    excerpt.literal(literal);
    excerpt.finish()
}

/// The first `most` characters of a literal as they stand.
pub fn verbatim(literal: &[u8], most: usize) -> String {
    let mut excerpt = Excerpt::verbatim(most);
    excerpt.literal(literal);
    excerpt.finish()
}

/// The first `most` characters of a text, white space collapsed.
pub fn short(text: &str, most: usize) -> String {
    let mut excerpt = Excerpt::collapsed(most);
    excerpt.text(text);
    excerpt.finish()
}

/// The first `most` characters of a text as they stand.
pub fn short_verbatim(text: &str, most: usize) -> String {
    let text = text.trim();
    if text.len() <= most || text.char_indices().nth(most).is_none() {
        return text.to_owned();
    }
    let cut = text.char_indices().nth(most.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    format!("{}{MORE}", text[..cut].trim_end())
}

/// At most `most` characters from the beginning and the end of a text, white space collapsed.
pub fn both_ends(text: &str, most: usize) -> String {
    let whole = short(text, most);
    if !whole.ends_with(MORE) {
        return whole;
    }
    let half = most / 2;
    let from = text.trim_end().char_indices().rev().nth(half - 1).map_or(0, |(at, _)| at);
    let end = short(&text[from..], half);
    format!("{} {end}", short(text, most - half - 1))
}

/// A whole literal, decoded.
pub fn decoded(literal: &[u8]) -> String {
    match crate::json::string::decode(literal) {
        Cow::Borrowed(text) => String::from_utf8_lossy(text).into_owned(),
        Cow::Owned(text) => {
            String::from_utf8(text).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!(short("가나다라마", 3), "가나…");
        assert_eq!(short("가나다", 3), "가나다");
        assert_eq!(short("  a \n\t b  ", 9), "a b");
        assert_eq!(short("ab cd", 3), "ab…");
        assert_eq!(short("ab   ", 2), "ab");
    }

    #[test]
    fn literals_are_decoded_while_they_are_cut() {
        assert_eq!(collapsed(br#"a\n\"b\"\u001b\\c"#, 20), "a \"b\"\u{1b}\\c");
        assert_eq!(verbatim(br"\n a\n\n  b\n", 20), "a\n\n  b");
        assert_eq!(verbatim("😀é\\né".as_bytes(), 3), "😀é…");
    }

    #[test]
    fn texts_are_joined_with_white_space_between_them() {
        let mut excerpt = Excerpt::collapsed(10);
        excerpt.literal(b"one");
        excerpt.separate();
        excerpt.literal(b"two");
        assert_eq!(excerpt.finish(), "one two");
    }

    #[test]
    fn a_long_text_shows_both_ends() {
        assert_eq!(both_ends("short text", 20), "short text");
        let text = format!("begin {} the end", "x".repeat(100));
        let cut = both_ends(&text, 30);
        assert!(cut.starts_with("begin xxxxxx") && cut.ends_with("the end") && cut.chars().count() <= 31, "{cut}");
    }

    #[test]
    fn endless_white_space_takes_no_memory() {
        let mut excerpt = Excerpt::verbatim(5);
        excerpt.text("a");
        excerpt.text(&" ".repeat(1000));
        assert!(excerpt.gap.len() < 10);
        excerpt.text("b");
        assert_eq!(excerpt.finish(), "a…");
    }
}
