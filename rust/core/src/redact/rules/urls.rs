//! Passwords in URLs and connection strings.

use std::ops::Range;

use crate::redact::quality::{is_stand_in, wordiness, Kinds};
use crate::redact::rule::Rule;
use crate::redact::text::Text;

pub fn rules() -> Vec<Rule> {
    vec![
        Rule::code(
            "sidekiq-sensitive-url",
            "Sidekiq credentials in a URL",
            &["contribsys"],
            r"https?://[a-f0-9]{8}:[a-f0-9]{8}@(?:gems|enterprise)\.contribsys\.com",
            sidekiq,
        ),
        Rule::code(
            "password-in-url",
            "password in a URL or connection string",
            &["://", ":\\/"],
            "SCHEME://USER:PASSWORD@HOST",
            url,
        ),
    ]
}

/// Users and passwords are not longer than this.
const LONGEST: usize = 200;

/// `USER:PASSWORD@` at `at`: where the password stands, and where its `@` is.
fn userinfo(text: Text<'_>, at: usize) -> Option<Range<usize>> {
    let b = text.bytes;
    let rest = &b[at..b.len().min(at + LONGEST)];
    let end = rest
        .iter()
        .position(|c| matches!(c, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'@' | 0..=b' '))?;
    if rest[end] != b'@' {
        return None;
    }
    let colon = memchr::memchr(b':', &rest[..end])?;
    Some(at + colon + 1..at + end)
}

fn url(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let b = text.bytes;
    if b[at.end - 1] == b'/' && b[at.end - 2] == b'\\' {
        // Slashes are escaped here. What stands behind them is for the decoded text to say.
        let rest = &b[at.end..b.len().min(at.end + LONGEST)];
        return (text.raw && memchr::memchr(b'@', rest).is_some()).then_some(at);
    }
    let password = userinfo(text, at.end)?;
    if text.raw && b[at.end..password.end].contains(&b'%') {
        return Some(password);
    }
    let user = &b[at.end..password.start - 1];
    let value = &b[password.clone()];
    let after = &b[password.end + 1..b.len().min(password.end + 60)];
    (is_real(user, value) && !is_nobodys(after)).then_some(password)
}

fn is_real(user: &[u8], value: &[u8]) -> bool {
    let kinds = Kinds::of(value);
    let words = kinds.digit == 0 && kinds.upper == 0 && kinds.other == 0;
    let expression = matches!(value.first(), Some(b'$' | b'<' | b'{' | b'%' | b'*' | b'[' | b'('));
    value.len() >= 6
        && value != user
        && !words
        && !expression
        && !is_stand_in(value)
        && wordiness(value) < 0.75
        && !value.contains(&b'{')
}

/// Hosts that only manuals and a developer's own machine have.
fn is_nobodys(host: &[u8]) -> bool {
    let name_end =
        host.iter().position(|c| !(c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-'))).unwrap_or(host.len());
    let name = host[..name_end].to_ascii_lowercase();
    name.starts_with(b"localhost")
        || name.starts_with(b"127.0.0.1")
        || name.is_empty()
        || name.windows(7).any(|w| w == b"example")
        || name == b"host"
        || name.ends_with(b".test")
        || name.ends_with(b".invalid")
}

fn sidekiq(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let before = &text.bytes[at.start.saturating_sub(40)..at.start];
    let scheme = memchr::memmem::rfind(before, b"//")?;
    let info = &before[scheme + 2..];
    let credentials = info.get(..17)?;
    let hex = |part: &[u8]| part.len() == 8 && part.iter().all(u8::is_ascii_hexdigit);
    let start = at.start - before.len() + scheme + 2;
    (hex(&credentials[..8]) && credentials[8] == b':' && hex(&credentials[9..]) && info.get(17) == Some(&b'@'))
        .then_some(start..start + 17)
}
