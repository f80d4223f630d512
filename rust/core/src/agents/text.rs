//! Work on canonical literals without decoding them: lines, diffs, what one text holds of another.
//!
//! In a canonical literal a newline is the two bytes `\n`, so lines are cut at escapes and every piece is a literal again.

use memchr::memmem;

use super::event::Lit;

/// The lines of a literal, without their newlines. A trailing newline gives one more, empty line.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: Option<&'a [u8]>,
}

pub fn lines(literal: &[u8]) -> Lines<'_> {
    Lines { rest: Some(literal) }
}

impl<'a> Lines<'a> {
    /// What has not been given out yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest.unwrap_or_default()
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'\\', &rest[from..]) {
            let at = from + at;
            if rest.get(at + 1) == Some(&b'n') {
                self.rest = Some(&rest[at + 2..]);
                return Some(&rest[..at]);
            }
            from = at + 2;
        }
        self.rest = None;
        Some(rest)
    }
}

/// Append every line of `literal` with `sign` before it and a newline after it. A last newline ends a line, it does not
/// begin another.
pub fn signed_lines(sign: u8, literal: &[u8], out: &mut Vec<u8>) {
    if literal.is_empty() {
        return;
    }
    let mut all = lines(literal).peekable();
    while let Some(line) = all.next() {
        if line.is_empty() && all.peek().is_none() {
            return;
        }
        out.push(sign);
        out.extend_from_slice(line);
        out.extend_from_slice(b"\\n");
    }
}

/// A literal without white space at both ends (escapes of white space included).
pub fn trim(literal: &[u8]) -> &[u8] {
    let mut text = literal;
    loop {
        let before = text.len();
        while let [b' ', rest @ ..] = text {
            text = rest;
        }
        if let [b'\\', b'n' | b't' | b'r' | b'f', rest @ ..] = text {
            text = rest;
        }
        if text.len() == before {
            break;
        }
    }
    loop {
        let before = text.len();
        while let [rest @ .., b' '] = text {
            text = rest;
        }
        if let [rest @ .., b'\\', b'n' | b't' | b'r' | b'f'] = text {
            if !ends_in_escape(rest) {
                text = rest;
            }
        }
        if text.len() == before {
            return text;
        }
    }
}

/// The literal ends in an odd number of backslashes: the next byte would belong to an escape.
fn ends_in_escape(literal: &[u8]) -> bool {
    literal.iter().rev().take_while(|&&c| c == b'\\').count() % 2 == 1
}

/// How much of a text is searched for before all of it is compared: preparing a search costs as much as the needle is long.
const NEEDLE: usize = 24;

/// `part` stands in `whole` (both literals), not only byte for byte but as text.
pub fn contains(whole: &[u8], part: &[u8]) -> bool {
    if part.len() >= whole.len() {
        return part == whole;
    }
    if whole.starts_with(part) {
        return true;
    }
    let last = whole.len() - part.len();
    let finder = memmem::Finder::new(&part[..part.len().min(NEEDLE)]);
    // Matches of the beginning alone are few in any real text; a made-up one must not cost more than this.
    for at in finder.find_iter(whole).take(32) {
        if at > last {
            return false;
        }
        if whole[at..].starts_with(part) && !inside_escape(whole, at) {
            return true;
        }
    }
    false
}

/// The byte at `at` is not the first of its escape: text that begins there is no text.
fn inside_escape(literal: &[u8], at: usize) -> bool {
    (1..=5.min(at)).any(|back| {
        let begins = literal[at - back] == b'\\' && ends_in_escape(&literal[..at - back + 1]);
        begins && back < if literal[at - back + 1] == b'u' { 6 } else { 2 }
    })
}

/// `part` is what `whole` says without the line numbers that a file viewer put before its lines.
pub fn contains_numbered(whole: &[u8], part: &[u8]) -> bool {
    let mut numbered = lines(whole);
    let mut plain = lines(part).peekable();
    while let Some(want) = plain.next() {
        match numbered.next().map(without_number) {
            Some(Some(line)) if line == want => {}
            // A newline at the end of the file opens no numbered line.
            _ => return want.is_empty() && plain.peek().is_none(),
        }
    }
    true
}

/// The line behind `   12→` or `   12<tab>`; `None` where there is no number.
fn without_number(line: &[u8]) -> Option<&[u8]> {
    let blanks = line.iter().take_while(|&&c| c == b' ').count();
    let digits = line[blanks..].iter().take_while(|c| c.is_ascii_digit()).count();
    let rest = &line[blanks + digits..];
    if digits == 0 {
        return None;
    }
    rest.strip_prefix("\u{2192}".as_bytes()).or_else(|| rest.strip_prefix(b"\\t"))
}

/// The number after `before` at the beginning of a literal, if a number stands there and nothing else follows on its line.
pub fn leading_number(literal: &[u8], before: &str) -> Option<i64> {
    let rest = literal.strip_prefix(before.as_bytes())?;
    let first = lines(rest).next()?;
    std::str::from_utf8(first).ok()?.trim().parse().ok()
}

/// The text between `<tag>` and `</tag>`, if it stands in the literal.
pub fn between_tags<'a>(literal: &'a [u8], tag: &str) -> Option<&'a [u8]> {
    let open = format!("<{tag}>");
    let from = memmem::find(literal, open.as_bytes())? + open.len();
    let len = memmem::find(&literal[from..], format!("</{tag}>").as_bytes())?;
    Some(&literal[from..from + len])
}

/// At most `most` characters of a text on one line, white space folded; longer ones end in `…`.
pub fn title(text: &str, most: usize) -> String {
    let folded: Vec<&str> = text.split_whitespace().take(most).collect();
    let folded = folded.join(" ");
    if folded.chars().count() <= most {
        return folded;
    }
    let cut: String = folded.chars().take(most - 1).collect();
    format!("{}…", cut.trim_end())
}

/// The language of a file by the end of its name, for the `language` of a `Code` block.
pub fn language(path: &Lit<'_>) -> Option<&'static str> {
    const BY_ENDING: &[(&str, &str)] = &[
        ("c", "c"),
        ("cc", "cpp"),
        ("cpp", "cpp"),
        ("cs", "csharp"),
        ("css", "css"),
        ("go", "go"),
        ("h", "c"),
        ("hpp", "cpp"),
        ("html", "html"),
        ("java", "java"),
        ("js", "javascript"),
        ("json", "json"),
        ("jsx", "jsx"),
        ("kt", "kotlin"),
        ("lua", "lua"),
        ("md", "markdown"),
        ("php", "php"),
        ("py", "python"),
        ("rb", "ruby"),
        ("rs", "rust"),
        ("scss", "scss"),
        ("sh", "bash"),
        ("sql", "sql"),
        ("svelte", "svelte"),
        ("swift", "swift"),
        ("toml", "toml"),
        ("ts", "typescript"),
        ("tsx", "tsx"),
        ("vue", "vue"),
        ("xml", "xml"),
        ("yaml", "yaml"),
        ("yml", "yaml"),
    ];
    let name = path.rsplit(|&c| c == b'/' || c == b'\\').next()?;
    let dot = name.iter().rposition(|&c| c == b'.')?;
    let ending = name[dot + 1..].to_ascii_lowercase();
    BY_ENDING.iter().find(|(e, _)| e.as_bytes() == ending).map(|(_, l)| *l)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_newline_escapes_only() {
        let all: Vec<&[u8]> = lines(br"a\\nb\nc\n").collect();
        assert_eq!(all, [br"a\\nb".as_slice(), b"c", b""]);
    }

    #[test]
    fn a_diff_has_a_sign_on_every_line() {
        let mut out = Vec::new();
        signed_lines(b'-', br"a\n\nb\n", &mut out);
        signed_lines(b'+', b"", &mut out);
        signed_lines(b'+', b"c", &mut out);
        assert_eq!(out, br"-a\n-\n-b\n+c\n");
    }

    #[test]
    fn containment_respects_escapes() {
        assert!(contains(br"x\ny", b"y"));
        assert!(!contains(br"x\ny", b"ny"));
        assert!(contains(br"x\\ny", b"ny"));
        assert!(!contains(br"x\u001b[0m", b"1b[0m"));
        assert!(contains(br"x\u001b[0m", b"[0m"));
        assert!(contains(br"x\\u001b[0m", b"1b[0m"));
        assert!(contains_numbered(br"     1\ta\n     2\tb\n\n<system-reminder>", br"a\nb\n"));
        assert!(!contains_numbered(br"     1\ta\n     2\tb", br"a\nc"));
    }

    #[test]
    fn trimming_knows_escaped_white_space() {
        assert_eq!(trim(br" \n\t a \\n \n"), br"a \\n");
    }
}
