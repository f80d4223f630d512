//! What a rule is.
//!
//! A rule is data: its name, the keywords that must stand in the text before anything is looked at, and the shape of
//! the value. The tables in `rules/` hold nothing else; how they are applied stands in `detect.rs`.

use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::text::Text;

/// One kind of secret.
pub struct Rule {
    /// Kebab case; it stands in findings, in placeholders and in fingerprints, so it never changes its meaning.
    pub id: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// In lower case; at least one stands in every text the rule finds something in.
    pub keywords: &'static [&'static str],
    pub how: How,
    /// See [`Rule::covered`].
    pub covers: &'static [&'static str],
}

/// How a rule looks at the place of a keyword.
pub enum How {
    /// The value says itself what it is: `pattern` matches from the keyword on, or from up to `back` bytes before it.
    Token { pattern: Pattern, back: (usize, usize), edges: Edges, idle: Idle },
    /// The keyword stands in a name, and a value of this shape is given to it.
    Assigned { pattern: Pattern, idle: Idle },
    /// Anything else.
    Code { find: fn(Text<'_>, Range<usize>) -> Option<Range<usize>>, shape: &'static str },
}

/// What may stand beside a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// No word may go on on either side, and no dotted name behind it.
    Both,
    /// No word may go on on either side. The value has one length and no name is like it, so that a dot ends it.
    Words,
    /// Nobody writes this prefix by chance: whatever stands beside, except in the middle of a long run.
    None,
}

/// Whether a value is tried for being a stand-in or words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    Refused,
    Allowed,
}

/// A regular expression, compiled when it is first needed. The engine is linear in the text for every pattern.
pub struct Pattern {
    pub text: &'static str,
    pub ignore_case: bool,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub const fn new(text: &'static str, ignore_case: bool) -> Pattern {
        Pattern { text, ignore_case, compiled: OnceLock::new() }
    }

    /// The match that begins with `text`; the value is group 1 where the pattern has one.
    pub fn prefix(&self, text: &[u8]) -> Option<(Range<usize>, usize)> {
        let regex = self.compiled.get_or_init(|| self.compile().ok()).as_ref()?;
        if regex.captures_len() == 1 {
            let found = regex.find(text)?;
            return Some((found.range(), found.end()));
        }
        let groups = regex.captures(text)?;
        let value = groups.get(1)?.range();
        Some((value, groups.get(0)?.end()))
    }

    pub fn compile(&self) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&format!(r"\A(?:{})", self.text))
            .unicode(false)
            .case_insensitive(self.ignore_case)
            .size_limit(16 << 20)
            .build()
    }
}

impl Rule {
    pub fn token(
        id: &'static str,
        title: &'static str,
        keywords: &'static [&'static str],
        pattern: &'static str,
    ) -> Rule {
        let pattern = Pattern::new(pattern, false);
        let how = How::Token { pattern, back: (0, 0), edges: Edges::Both, idle: Idle::Refused };
        Rule { id, title, keywords, how, covers: &[] }
    }

    /// A token whose prefix nobody writes by chance, in whatever case it came to stand in a text.
    pub fn loud(
        id: &'static str,
        title: &'static str,
        keywords: &'static [&'static str],
        pattern: &'static str,
    ) -> Rule {
        let pattern = Pattern::new(pattern, true);
        let how = How::Token { pattern, back: (0, 0), edges: Edges::None, idle: Idle::Refused };
        Rule { id, title, keywords, how, covers: &[] }
    }

    /// A token whose keyword stands `back` bytes after its beginning.
    pub fn inner(
        id: &'static str,
        title: &'static str,
        keywords: &'static [&'static str],
        pattern: &'static str,
        back: (usize, usize),
    ) -> Rule {
        let pattern = Pattern::new(pattern, true);
        let how = How::Token { pattern, back, edges: Edges::Both, idle: Idle::Refused };
        Rule { id, title, keywords, how, covers: &[] }
    }

    pub fn assigned(
        id: &'static str,
        title: &'static str,
        keywords: &'static [&'static str],
        pattern: &'static str,
    ) -> Rule {
        let how = How::Assigned { pattern: Pattern::new(pattern, true), idle: Idle::Refused };
        Rule { id, title, keywords, how, covers: &[] }
    }

    /// `shape` says in words or as a pattern what is found.
    pub fn code(
        id: &'static str,
        title: &'static str,
        keywords: &'static [&'static str],
        shape: &'static str,
        find: fn(Text<'_>, Range<usize>) -> Option<Range<usize>>,
    ) -> Rule {
        Rule { id, title, keywords, how: How::Code { find, shape }, covers: &[] }
    }

    /// The same, whatever the case of letters.
    pub fn any_case(mut self) -> Rule {
        if let How::Token { pattern, .. } = &mut self.how {
            pattern.ignore_case = true;
        }
        self
    }

    /// The same, whatever stands beside.
    pub fn anywhere(mut self) -> Rule {
        if let How::Token { edges, .. } = &mut self.how {
            *edges = Edges::None;
        }
        self
    }

    /// The same, though a dot and a word stand behind it.
    pub fn dotted(mut self) -> Rule {
        if let How::Token { edges, .. } = &mut self.how {
            *edges = Edges::Words;
        }
        self
    }

    /// The same, but only where no word goes on beside it.
    pub fn apart(mut self) -> Rule {
        if let How::Token { edges, .. } = &mut self.how {
            *edges = Edges::Both;
        }
        self
    }

    pub fn covers(mut self, names: &'static [&'static str]) -> Rule {
        self.covers = names;
        self
    }

    /// What the value looks like, for the manual.
    pub fn shape(&self) -> String {
        match &self.how {
            How::Token { pattern, .. } | How::Assigned { pattern, .. } if pattern.ignore_case => {
                format!("(?i){}", pattern.text)
            }
            How::Token { pattern, .. } | How::Assigned { pattern, .. } => pattern.text.to_owned(),
            How::Code { shape, .. } => (*shape).to_owned(),
        }
    }

    /// The names under which other scanners know what this rule finds: its own where it says nothing else.
    pub fn covered(&self) -> Vec<&'static str> {
        if self.covers.is_empty() {
            vec![self.id]
        } else {
            self.covers.to_vec()
        }
    }

    /// `token`, `assigned` or `code`.
    pub fn kind(&self) -> &'static str {
        match self.how {
            How::Token { .. } => "token",
            How::Assigned { .. } => "assigned",
            How::Code { .. } => "code",
        }
    }
}
