//! Shell commands as lists of simple commands: the words of each, and what stands between them.
//!
//! POSIX word rules, as far as they can be told without running anything: quotes, escapes, comments, operators,
//! redirections and here-documents are understood; expansions are not carried out and stay in the word as written.

use std::borrow::Cow;

use super::limits::{SIMPLE_COMMANDS, WORDS};

/// Most words stand in the command as they are.
pub type Word<'t> = Cow<'t, str>;

/// What stands after a simple command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// `;`, a line end, `&`, or a bracket: the exit code of what stands before does not matter.
    Next,
    And,
    Or,
    Pipe,
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simple<'t> {
    /// Without assignments before it, redirections and words of the shell's grammar.
    pub words: Vec<Word<'t>>,
    pub then: Joint,
}

/// Words of the grammar that may stand before a command.
const GRAMMAR: &[&str] = &["if", "then", "elif", "else", "do", "while", "until", "!", "{", "time"];
/// Words after which no command follows.
const ENDINGS: &[&str] = &["fi", "done", "esac", "}", "for", "case", "select", "function", "in"];

/// The simple commands of a text, in order; at most [`SIMPLE_COMMANDS`].
pub fn split(text: &str) -> Vec<Simple<'_>> {
    let mut reader = Reader { text, at: 0, list: Vec::new(), words: Vec::new(), heredocs: Vec::new(), skip: false };
    reader.all();
    reader.list
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    list: Vec<Simple<'t>>,
    words: Vec<Word<'t>>,
    /// Delimiters whose documents begin after the line, and whether tabs before them are dropped.
    heredocs: Vec<(String, bool)>,
    /// The next word is the target of a redirection.
    skip: bool,
}

impl<'t> Reader<'t> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn all(&mut self) {
        while self.at < self.text.len() && self.list.len() < SIMPLE_COMMANDS {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.peek(1) == b'\n' => self.at += 2,
                b'#' => self.at = self.line_end(),
                b'\n' => self.newline(),
                b'&' if self.peek(1) == b'&' => self.operator(2, Joint::And),
                b'&' if self.peek(1) == b'>' => self.redirection(),
                b'|' if self.peek(1) == b'|' => self.operator(2, Joint::Or),
                b'|' if self.peek(1) == b'&' => self.operator(2, Joint::Pipe),
                b'|' => self.operator(1, Joint::Pipe),
                b';' | b'&' | b'(' | b')' => self.operator(1, Joint::Next),
                b'<' | b'>' => self.redirection(),
                c if c.is_ascii_digit() && self.is_descriptor() => self.redirection(),
                _ => self.word(),
            }
        }
        self.close(Joint::End);
        if let Some(last) = self.list.last_mut() {
            last.then = Joint::End;
        }
    }

    fn line_end(&self) -> usize {
        self.text[self.at..].find('\n').map_or(self.text.len(), |n| self.at + n)
    }

    fn operator(&mut self, width: usize, joint: Joint) {
        self.at += width;
        self.close(joint);
    }

    fn newline(&mut self) {
        self.at += 1;
        // A line that ends with an operator goes on in the next one.
        self.close(Joint::Next);
        for (delimiter, tabs) in std::mem::take(&mut self.heredocs) {
            while self.at < self.text.len() {
                let end = self.line_end();
                let line = &self.text[self.at..end];
                let line = if tabs { line.trim_start_matches('\t') } else { line };
                let found = line.strip_suffix('\r').unwrap_or(line) == delimiter;
                self.at = (end + 1).min(self.text.len());
                if found {
                    break;
                }
            }
        }
    }

    /// End the simple command that was read.
    fn close(&mut self, then: Joint) {
        self.skip = false;
        let words = std::mem::take(&mut self.words);
        let start = words.iter().position(|w| !GRAMMAR.contains(&w.as_ref()) && !is_assignment(w));
        let words: Vec<Word<'_>> = match start {
            Some(0) => words,
            Some(start) => words.into_iter().skip(start).collect(),
            None => Vec::new(),
        };
        match words.first() {
            Some(first) if !ENDINGS.contains(&first.as_ref()) => self.list.push(Simple { words, then }),
            // `a &&` at the end of a line, `cmd; }`: what stood before is joined by the first operator.
            _ => {}
        }
    }

    /// Digits directly before `<` or `>` name a descriptor.
    fn is_descriptor(&self) -> bool {
        let rest = self.text[self.at..].trim_start_matches(|c: char| c.is_ascii_digit());
        rest.starts_with(['<', '>'])
    }

    fn redirection(&mut self) {
        while self.peek(0).is_ascii_digit() || self.peek(0) == b'&' {
            self.at += 1;
        }
        let here = self.text[self.at..].starts_with("<<") && !self.text[self.at..].starts_with("<<<");
        while matches!(self.peek(0), b'<' | b'>' | b'|') {
            self.at += 1;
        }
        if here {
            let tabs = self.peek(0) == b'-';
            self.at += tabs as usize;
            while matches!(self.peek(0), b' ' | b'\t') {
                self.at += 1;
            }
            let delimiter = self.read_word();
            self.heredocs.push((delimiter.into_owned(), tabs));
            return;
        }
        // `>&1`, `<&-`: the target is part of the operator.
        if self.peek(0) == b'&' {
            self.at += 1;
        }
        // `<(…)` and `>(…)` are words of the command.
        self.skip = self.peek(0) != b'(';
    }

    fn word(&mut self) {
        let word = self.read_word();
        if std::mem::take(&mut self.skip) {
            return;
        }
        if self.words.len() < WORDS {
            self.words.push(word);
        }
    }

    fn read_word(&mut self) -> Word<'t> {
        let start = self.at;
        self.at += plain(&self.text[start..], SPECIAL);
        let begin = &self.text[start..self.at];
        if self.at == self.text.len() || ends_word(self.peek(0)) {
            return Cow::Borrowed(begin);
        }
        let mut word = begin.to_owned();
        while self.at < self.text.len() {
            match self.peek(0) {
                c if ends_word(c) => break,
                b'\'' => self.quoted(&mut word),
                b'"' => self.double_quoted(&mut word),
                b'\\' => {
                    self.at += 1;
                    match self.take_char() {
                        Some('\n') | None => {}
                        Some(c) => word.push(c),
                    }
                }
                b'$' | b'`' => self.expansion(&mut word),
                _ => self.take_plain(&mut word, SPECIAL),
            }
        }
        Cow::Owned(word)
    }

    fn take_plain(&mut self, word: &mut String, special: u8) {
        let end = self.at + plain(&self.text[self.at..], special);
        word.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    fn take_char(&mut self) -> Option<char> {
        let c = self.text[self.at..].chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn quoted(&mut self, word: &mut String) {
        let rest = &self.text[self.at + 1..];
        let end = rest.find('\'').unwrap_or(rest.len());
        word.push_str(&rest[..end]);
        self.at = (self.at + end + 2).min(self.text.len());
    }

    fn double_quoted(&mut self, word: &mut String) {
        self.at += 1;
        while self.at < self.text.len() {
            match self.peek(0) {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' if matches!(self.peek(1), b'"' | b'\\' | b'$' | b'`' | b'\n') => {
                    self.at += 1;
                    word.extend(self.take_char().filter(|c| *c != '\n'));
                }
                b'$' | b'`' => self.expansion(word),
                b'\\' => word.extend(self.take_char()),
                _ => self.take_plain(word, QUOTED),
            }
        }
    }

    /// `$(…)`, `${…}` and backquotes stay as they are, with all that is inside.
    fn expansion(&mut self, word: &mut String) {
        let start = self.at;
        match (self.peek(0), self.peek(1)) {
            (b'`', _) => {
                let rest = &self.text[self.at + 1..];
                let end = rest.find('`').map_or(rest.len(), |n| n + 1);
                self.at += 1 + end;
            }
            (_, b'(') => self.balanced(b'(', b')'),
            (_, b'{') => self.balanced(b'{', b'}'),
            _ => self.at += 1,
        }
        word.push_str(&self.text[start..self.at]);
    }

    /// Move over a bracket after `$` and what it holds. Quotes inside hide brackets.
    fn balanced(&mut self, open: u8, close: u8) {
        let bytes = self.text.as_bytes();
        let mut depth = 0;
        let mut i = self.at + 1;
        while i < bytes.len() {
            match bytes[i] {
                b'\\' => i += 1,
                b'<' if bytes[i..].starts_with(b"<<") => i = self.after_heredoc(i),
                b'\'' => i += 1 + bytes[i + 1..].iter().position(|&c| c == b'\'').unwrap_or(bytes.len() - i - 1),
                c if c == open => depth += 1,
                c if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        self.at = i + 1;
                        return;
                    }
                }
                _ => {}
            }
            i += 1;
        }
        self.at = bytes.len();
    }

    /// The last byte of a here-document that begins at `i` inside an expansion: an apostrophe in it is no quote.
    fn after_heredoc(&self, i: usize) -> usize {
        let rest = self.text[i + 2..].strip_prefix('-').unwrap_or(&self.text[i + 2..]);
        let name = rest.trim_start_matches([' ', '\t']).trim_start_matches(['\'', '"', '\\']);
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
        let (delimiter, body) = (&name[..end], &name[end..]);
        if delimiter.is_empty() {
            return i + 1;
        }
        let mut at = self.text.len() - body.len();
        while let Some(line) = self.text[at..].find('\n').map(|n| at + n + 1) {
            let text = &self.text[line..];
            let text = text.find('\n').map_or(text, |n| &text[..n]);
            if text.trim() == delimiter {
                return line + text.len() - 1;
            }
            at = line;
        }
        i + 1
    }
}

fn ends_word(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>')
}

/// Ends a plain run outside of quotes.
const SPECIAL: u8 = 1;
/// Ends a plain run inside of double quotes.
const QUOTED: u8 = 2;

const CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let ends = b" \t\r\n;&|()<>'\"\\$`";
    let mut k = 0;
    while k < ends.len() {
        table[ends[k] as usize] |= SPECIAL;
        k += 1;
    }
    let inside = b"\"\\$`";
    k = 0;
    while k < inside.len() {
        table[inside[k] as usize] |= QUOTED;
        k += 1;
    }
    table
};

/// Bytes up to the first of this class; all of those are ASCII.
fn plain(text: &str, class: u8) -> usize {
    text.bytes().position(|c| CLASSES[c as usize] & class != 0).unwrap_or(text.len())
}

fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        split(text).into_iter().map(|s| s.words.into_iter().map(Cow::into_owned).collect()).collect()
    }

    fn joints(text: &str) -> Vec<Joint> {
        split(text).into_iter().map(|s| s.then).collect()
    }

    #[test]
    fn quotes_escapes_and_expansions_make_words() {
        assert_eq!(words(r#"git commit -m 'a b'"c d"\ e"#), [["git", "commit", "-m", "a bc d e"]]);
        assert_eq!(words(r#"echo "$(git commit -a; ls "x")" b"#), [["echo", "$(git commit -a; ls \"x\")", "b"]]);
        assert_eq!(words("echo `git commit` ${A:-b c}"), [["echo", "`git commit`", "${A:-b c}"]]);
        assert_eq!(words("a\\\n b"), [["a", "b"]]);
        assert_eq!(words("echo 'git commit -a' # git add ."), [["echo", "git commit -a"]]);
    }

    #[test]
    fn operators_join_simple_commands() {
        assert_eq!(words("a && b || c | d; e & f\ng"), [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]]);
        use Joint::*;
        assert_eq!(joints("a && b || c | d; e & f\ng"), [And, Or, Pipe, Next, Next, Next, End]);
        assert_eq!(joints("a &&\nb"), [And, End]);
        assert_eq!(joints("(a; b) && c"), [Next, Next, End]);
    }

    #[test]
    fn redirections_assignments_and_grammar_are_no_words() {
        assert_eq!(words("A=1 B=2 make test 2>&1 >out.txt </dev/null -k"), [["make", "test", "-k"]]);
        assert_eq!(words("if make; then git push; fi"), [vec!["make"], vec!["git", "push"]]);
        assert_eq!(words("A=1"), Vec::<Vec<String>>::new());
        assert_eq!(words("cmd &> log"), [["cmd"]]);
    }

    #[test]
    fn a_here_document_is_no_command() {
        assert_eq!(
            words("cat <<'EOF' > x && git add x\ngit commit -a\nEOF\nls"),
            [vec!["cat"], vec!["git", "add", "x"], vec!["ls"]]
        );
        assert_eq!(words("cat <<-EOF\n\tx\n\tEOF\nls"), [["cat"], ["ls"]]);
        let commit = "git commit -m \"$(cat <<'EOF'\nfix: don't\n)\nEOF\n)\" && git push";
        assert_eq!(split(commit)[0].words[..3], ["git", "commit", "-m"]);
        assert_eq!(split(commit)[1].words, ["git", "push"]);
    }

    #[test]
    fn nothing_of_any_text_is_a_panic() {
        for text in [
            "'", "\"", "\\", "$(", "${", "`", "<<", "<<-", ">", "a|", "&&", "<<'", "é'é", "1>", "\"\\", "$", "$('",
            "\"$(é",
        ] {
            split(text);
        }
    }
}
