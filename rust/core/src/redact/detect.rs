//! What one text holds: all keywords in one pass, then a closer look at each place.

use std::ops::Range;
use std::sync::OnceLock;

use super::assigned::{assigned, Assigned};
use super::keywords::Keywords;
use super::quality::is_idle;
use super::rule::{Edges, How, Idle, Rule};
use super::text::{is_token, Text};
use super::{base64, rules};

/// A secret in a text: the rule and the bytes of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Position of the rule in [`Detector::rules`].
    pub rule: usize,
    pub span: Range<usize>,
}

/// Texts inside of texts are followed so far: a base64 text in a base64 text in the text.
const LAYERS: usize = 3;

/// Tokens in the middle of a run of this many letters are chance: long runs hold every short word.
const LONG_RUN: usize = 24;

/// All rules, ready to be used. There is one, and threads share it.
pub struct Detector {
    pub rules: Vec<Rule>,
    keywords: Keywords,
    /// For each keyword the rules that have it.
    owners: Vec<Owners>,
}

#[derive(Default)]
struct Owners {
    word: &'static str,
    tokens: Vec<usize>,
    assigned: Vec<usize>,
    codes: Vec<usize>,
}

/// Escapes of printable ASCII, which can hide any keyword, and slashes that need none.
const ESCAPE: &str = "\\u00";
const SLASH: &str = "\\/";

impl Detector {
    pub fn get() -> &'static Detector {
        static DETECTOR: OnceLock<Detector> = OnceLock::new();
        DETECTOR.get_or_init(Detector::new)
    }

    fn new() -> Detector {
        let rules = rules::all();
        let mut owners: Vec<Owners> = Vec::new();
        for word in [ESCAPE, SLASH] {
            owners.push(Owners { word, ..Owners::default() });
        }
        for (number, rule) in rules.iter().enumerate() {
            for word in rule.keywords {
                let at = owners.iter().position(|o| o.word == *word).unwrap_or_else(|| {
                    owners.push(Owners { word, ..Owners::default() });
                    owners.len() - 1
                });
                match rule.how {
                    How::Token { .. } => owners[at].tokens.push(number),
                    How::Assigned { .. } => owners[at].assigned.push(number),
                    How::Code { .. } => owners[at].codes.push(number),
                }
            }
        }
        let keywords = Keywords::new(&owners.iter().map(|o| o.word).collect::<Vec<_>>());
        Detector { rules, keywords, owners }
    }

    /// The secrets in a decoded text, in order, none inside of another.
    pub fn find(&self, text: &[u8]) -> Vec<Match> {
        self.find_in_layer(text, 0)
    }

    fn find_in_layer(&self, bytes: &[u8], layer: usize) -> Vec<Match> {
        let text = Text::decoded(bytes);
        let mut found = Vec::new();
        self.keywords.each(bytes, |keyword, end| {
            let owners = &self.owners[keyword];
            self.look(text, owners, end - owners.word.len()..end, &mut |rule, span| {
                found.push((Match { rule, span }, false))
            });
        });
        if layer < LAYERS {
            self.find_in_base64(bytes, layer, &mut found);
        }
        found.retain(|(m, _)| !is_placeholder(bytes, &m.span));
        settle(found)
    }

    /// Some keyword stands in the text.
    pub fn mentions(&self, text: &[u8]) -> bool {
        let mut any = false;
        self.keywords.each(text, |keyword, _| any |= keyword > 1);
        any
    }

    /// A run that holds a secret is one as a whole: half of it would be no base64 any more.
    fn find_in_base64(&self, bytes: &[u8], layer: usize, found: &mut Vec<(Match, bool)>) {
        base64::runs(bytes, |run| {
            base64::texts(&bytes[run.clone()], |inner| {
                if let Some(first) = self.find_in_layer(inner, layer + 1).first() {
                    let padding = bytes[run.end..].iter().take(2).take_while(|c| **c == b'=').count();
                    found.push((Match { rule: first.rule, span: run.start..run.end + padding }, true));
                }
            });
        });
    }

    /// The places of raw text that are worth decoding, in no order.
    pub fn candidates(&self, bytes: &[u8], out: &mut Vec<usize>) {
        let text = Text::raw(bytes);
        self.keywords.each(bytes, |keyword, end| {
            let owners = &self.owners[keyword];
            let start = end - owners.word.len();
            match owners.word {
                ESCAPE => {
                    if matches!(text.at(end), b'2'..=b'7') {
                        out.push(start);
                    }
                }
                SLASH => {
                    // Only a run that goes on behind the slash could be cut by it.
                    let before = start > 0 && bytes[start - 1].is_ascii_alphanumeric();
                    if (before || bytes[..start].ends_with(b"\\"))
                        && text.at(end).is_ascii_alphanumeric()
                        && base64_like(text, start, end)
                    {
                        out.push(start);
                    }
                }
                _ => self.look(text, owners, start..end, &mut |_, span| out.extend([start, span.start])),
            }
        });
        base64::runs(bytes, |run| {
            base64::texts(&bytes[run.clone()], |inner| {
                if !self.find_in_layer(inner, 1).is_empty() {
                    out.push(run.start);
                }
            });
        });
    }

    /// Try the rules of one keyword at its place.
    #[inline]
    fn look(&self, text: Text<'_>, owners: &Owners, at: Range<usize>, found: &mut dyn FnMut(usize, Range<usize>)) {
        for number in &owners.tokens {
            if let Some(span) = token(&self.rules[*number], text, owners.word, at.clone()) {
                found(*number, span);
            }
        }
        for number in &owners.codes {
            if let How::Code { find, .. } = &self.rules[*number].how {
                if let Some(span) = find(text, at.clone()) {
                    found(*number, span);
                }
            }
        }
        if owners.assigned.is_empty() {
            return;
        }
        if let Some(given) = assigned(text, at.start, at.end) {
            for number in &owners.assigned {
                if let Some(span) = value(&self.rules[*number], text, &given) {
                    found(*number, span);
                }
            }
        }
    }
}

/// At least [`base64::SHORTEST`] letters stand around an escaped slash.
fn base64_like(text: Text<'_>, start: usize, end: usize) -> bool {
    let letter = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'\\' | b'-' | b'_');
    let before = text.bytes[start.saturating_sub(32)..start].iter().rev().take_while(|c| letter(c)).count();
    let after = text.from(end).iter().take(32).take_while(|c| letter(c)).count();
    before + after >= base64::SHORTEST
}

fn token(rule: &Rule, text: Text<'_>, word: &str, at: Range<usize>) -> Option<Range<usize>> {
    let How::Token { pattern, back, edges, idle } = &rule.how else { return None };
    // What can be told from a few bytes is told first: most hits end here.
    let run = text.bytes[at.end..].iter().take(6).take_while(|c| is_token(**c)).count();
    if *edges != Edges::None && run < 6 && back.1 == 0 && !matches!(text.at(at.end + run), b'\\' | b'"') {
        return None;
    }
    for back in (back.0..=back.1).rev() {
        let Some(start) = at.start.checked_sub(back) else { continue };
        let edge = match edges {
            Edges::Both | Edges::Words => text.left_edge(start),
            Edges::None => text.left_edge(start) || text.run_before(start, LONG_RUN) < LONG_RUN,
        };
        if !edge {
            continue;
        }
        if back == 0 && !word.is_empty() && text.is_veiled(start) {
            return Some(at);
        }
        let Some((value, end)) = pattern.prefix(text.from(start)) else { continue };
        let value = start + value.start..start + value.end;
        let ends = match edges {
            Edges::Both => text.right_edge(start + end),
            Edges::Words => text.word_ends(start + end),
            Edges::None => true,
        };
        if !ends {
            continue;
        }
        let body = body(&text.bytes[value.clone()], if back == 0 && value.start == start { word.len() } else { 0 });
        if *idle == Idle::Refused && is_idle_token(body) || text.is_noise_before(start) {
            continue;
        }
        return Some(value);
    }
    None
}

/// What the machine made of a token: all but the prefix, and the word that says which of the vendor's worlds it is for.
fn body(value: &[u8], prefix: usize) -> &[u8] {
    let mut body = value.get(prefix..).filter(|b| b.len() >= 8).unwrap_or(value);
    for world in [&b"test_"[..], b"live_", b"prod_", b"test-", b"live-"] {
        let at = body.windows(world.len()).take(12).position(|w| w.eq_ignore_ascii_case(world));
        body = at.map_or(body, |at| &body[at + world.len()..]);
    }
    body
}

/// The format says already that it is no word; only stand-ins are left to tell apart.
fn is_idle_token(body: &[u8]) -> bool {
    super::quality::is_stand_in(body)
        || (body.iter().all(|c| !c.is_ascii_digit()) && super::quality::wordiness(body) > 0.6)
}

fn value(rule: &Rule, text: Text<'_>, given: &Assigned) -> Option<Range<usize>> {
    let How::Assigned { pattern, idle } = &rule.how else { return None };
    if text.is_veiled(given.value) {
        return Some(given.value..given.value);
    }
    let (span, end) = pattern.prefix(text.from(given.value))?;
    let span = given.value + span.start..given.value + span.end;
    let whole = text.right_edge(given.value + end);
    (whole && (*idle == Idle::Allowed || !is_idle(&text.bytes[span.clone()]))).then_some(span)
}

/// What a redaction has put there.
pub const PLACEHOLDER: &[u8] = b"[REDACTED:";

fn is_placeholder(bytes: &[u8], span: &Range<usize>) -> bool {
    let before = &bytes[..span.start];
    let after = &bytes[span.start..];
    after.starts_with(PLACEHOLDER)
        || before.ends_with(b"[") && after.starts_with(b"REDACTED:")
        || before.ends_with(PLACEHOLDER)
}

/// Keep one match for each place, that of the earlier rule: it knows more than one that only knows a name. A run of base64
/// stays whole.
fn settle(mut found: Vec<(Match, bool)>) -> Vec<Match> {
    found.sort_by_key(|(m, _)| (m.rule, m.span.start, usize::MAX - m.span.end));
    let mut kept: Vec<Match> = Vec::new();
    for (m, whole) in found {
        let overlaps = |k: &&mut Match| m.span.start < k.span.end && k.span.start < m.span.end;
        match kept.iter_mut().find(overlaps) {
            Some(k) if whole => k.span = k.span.start.min(m.span.start)..k.span.end.max(m.span.end),
            Some(_) => {}
            None => kept.push(m),
        }
    }
    kept.sort_by_key(|m| m.span.start);
    // A run that grew may have reached the next match.
    kept.dedup_by(|next, k| {
        let meets = next.span.start < k.span.end;
        if meets {
            k.span.end = k.span.end.max(next.span.end);
        }
        meets
    });
    kept
}
