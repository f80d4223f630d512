//! A value that a secret's name is given: `API_KEY=…`, `"password": "…"`, `--token …`.
//!
//! Nothing is known of the value but that a machine made it, so here the measures of `quality.rs` decide. The
//! thresholds were set on logs of real sessions (docs/secrets.md, "Values without a format").

use std::ops::Range;

use crate::redact::assigned::{assigned, Assigned, By};
use crate::redact::quality::{entropy, is_hex, is_stand_in, is_uuid, wordiness, Kinds};
use crate::redact::rule::Rule;
use crate::redact::text::Text;

pub fn rules() -> Vec<Rule> {
    vec![
    Rule::code(
        "generic-password",
        "password",
        &["passw", "passphrase", "pwd"],
        "a value of at least 8 letters of several kinds, given to a name with password, passwd, passphrase or pwd in it",
        password,
    )
    .covers(&["hashicorp-tf-password"]),
    Rule::code(
        "generic-api-key",
        "key, token or secret without a format of its own",
        &[
            "secret", "token", "apikey", "api_key", "api-key", "accesskey", "access_key", "access-key", "privatekey",
            "private_key", "authkey", "auth_key", "credential", "encryption_key", "signing_key", "master_key", "_auth",
            "access", "auth", "api key", "apitoken", "_key", "-key", "key",
        ],
        "a random value of at least 16 letters, given to a name with key, token, secret or credential in it",
        key,
    ),
    ]
}

fn is_value(c: u8) -> bool {
    c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'`' | b'\\' | b',' | b';' | b'<' | b'>')
}

/// The value of an assignment, whole: what follows it is no part of an expression.
fn value(text: Text<'_>, found: &Assigned) -> Option<Range<usize>> {
    let rest = text.from(found.value);
    let mut run = rest.iter().take_while(|c| is_value(**c)).count();
    // Brackets of what stands around.
    while run > 0 && matches!(rest[run - 1], b')' | b']' | b'}') {
        run -= 1;
    }
    // The full stop or the ampersand after it.
    if !found.quoted {
        run = rest[..run].iter().position(|c| matches!(c, b'&' | b'|')).unwrap_or(run);
        while run > 0 && matches!(rest[run - 1], b'.' | b':' | b'!' | b'?') {
            run -= 1;
        }
    }
    (run > 0).then_some(found.value..found.value + run)
}

/// Raw JSON that may give a name its value in another member, or an option its value in the next argument.
fn pair(text: Text<'_>, found: &Assigned) -> bool {
    let value = text.from(found.value);
    text.raw && (value.len() > 5 && value[..5].eq_ignore_ascii_case(b"value") || text.at(found.name.0) == b'-')
}

fn password(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let found = assigned(text, at.start, at.end)?;
    if found.by == By::Weak {
        return pair(text, &found).then_some(at);
    }
    let range = value(text, &found)?;
    if text.is_veiled(range.start) {
        return Some(range);
    }
    let value = &text.bytes[range.clone()];
    let name = &text.bytes[found.name.0..found.name.1];
    (is_password(value, found.quoted, name)).then_some(range)
}

fn is_password(value: &[u8], quoted: bool, name: &[u8]) -> bool {
    if !(8..=64).contains(&value.len()) || is_expression(value) || is_stand_in(value) || is_hash_name(name) {
        return false;
    }
    let kinds = Kinds::of(value);
    let letters = kinds.lower + kinds.upper;
    let sorts = [kinds.lower, kinds.upper, kinds.digit, kinds.other].iter().filter(|n| **n > 0).count();
    if letters == 0 || kinds.digit == 0 || holds_uuid(value) || is_path(value) {
        return false;
    }
    let chosen = sorts >= 4 && quoted;
    let made = sorts >= 2 && entropy(value) >= 2.75 && wordiness(value) < 0.5 && !is_name(value);
    chosen || made
}

/// `PASSWORD_HASH`, `password_field`: names of something else.
fn is_hash_name(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    [
        &b"hash"[..],
        b"digest",
        b"checksum",
        b"_id",
        b"url",
        b"path",
        b"file",
        b"name",
        b"count",
        b"field",
        b"type",
        b"uri",
    ]
    .iter()
    .any(|w| memchr::memmem::find(&name, w).is_some())
}

/// Code that makes a value, not a value.
fn is_expression(value: &[u8]) -> bool {
    let first = value[0];
    matches!(
        first,
        b'$' | b'{' | b'[' | b'(' | b'%' | b'*' | b'&' | b'/' | b'~' | b'|' | b'#' | b'!' | b'?' | b':' | b'='
    ) || value.iter().any(|c| matches!(c, b'(' | b')' | b'{' | b'}' | b'[' | b']'))
        || memchr::memmem::find(value, b"...").is_some()
        || memchr::memmem::find(value, b"::").is_some()
        || memchr::memmem::find(value, b"->").is_some()
        || memchr::memmem::find(value, b"==").is_some_and(|at| at + 2 < value.len())
}

/// `a/b/c.d`, `https://…`
fn is_path(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"://").is_some()
        || value.starts_with(b"./")
        || value.iter().filter(|c| **c == b'/').count() >= 2 && wordiness(value) > 0.42
}

/// Words and numbers between separators, as names, versions and dates have them: `max-tokens-4096`, `v1.2.3`.
fn is_name(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|c| matches!(c, b'_' | b'-' | b'.' | b':' | b'/' | b'@' | b'+')).collect();
    parts.len() > 1
        && parts.iter().all(|part| {
            part.iter().all(u8::is_ascii_digit) || part.iter().all(u8::is_ascii_alphabetic) || part.len() < 4
        })
}

/// Ids are made by machines too, but nobody keeps them secret.
fn holds_uuid(value: &[u8]) -> bool {
    value.windows(36).any(is_uuid)
}

fn key(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let found = assigned(text, at.start, at.end)?;
    if found.by == By::Weak {
        return pair(text, &found).then_some(at);
    }
    let range = value(text, &found)?;
    if text.is_veiled(range.start) {
        return Some(range);
    }
    let value = &text.bytes[range.clone()];
    let name = text.bytes[found.name.0..found.name.1].to_ascii_lowercase();
    is_key(value, &name).then_some(range)
}

fn is_key(value: &[u8], name: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(name, word).is_some();
    if !(16..=256).contains(&value.len()) || is_expression(value) || is_stand_in(value) || is_hash_name(name) {
        return false;
    }
    if !value.iter().all(|c| {
        c.is_ascii_alphanumeric()
            || matches!(
                c,
                b'_' | b'-' | b'+' | b'/' | b'=' | b'.' | b'~' | b':' | b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'*'
            )
    }) {
        return false;
    }
    // Not secret: counted, public, or the handle of a page.
    if [
        &b"public"[..],
        b"page",
        b"next",
        b"tokens",
        b"tokenizer",
        b"cursor",
        b"continu",
        b"csrf",
        b"accessib",
        b"usage",
        b"cache",
    ]
    .iter()
    .any(|w| has(w))
    {
        return false;
    }
    let kinds = Kinds::of(value);
    let letters = kinds.lower + kinds.upper;
    if letters < 3 || kinds.digit < 2 || holds_uuid(value) || is_path(value) || is_name(value) {
        return false;
    }
    if is_hex(value) && matches!(value.len(), 16 | 20 | 32 | 40 | 64 | 96 | 128) {
        // A hash stands beside many names; beside these it is a key.
        return has(b"secret") || has(b"api") || has(b"access") || has(b"auth");
    }
    let least = if value.len() >= 20 { 3.5 } else { 3.2 };
    let weak_name = !(has(b"key") || has(b"secret") || has(b"token") || has(b"credential"));
    let strict = weak_name && (value.len() < 20 || kinds.upper == 0 || kinds.lower == 0);
    entropy(value) >= least && wordiness(value) < 0.45 && !strict
}
