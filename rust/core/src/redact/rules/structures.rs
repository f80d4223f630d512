//! Secrets with a structure of their own: keys between two lines, signed tokens, headers, manifests.

use std::ops::Range;

use crate::redact::quality::{entropy, is_stand_in, wordiness};
use crate::redact::rule::{Edges, How, Idle, Pattern, Rule};
use crate::redact::text::{is_word, Text};

pub fn rules() -> Vec<Rule> {
    vec![
        Rule::code(
            "private-key",
            "private key between BEGIN and END lines",
            &["-----begin"],
            "-----BEGIN … PRIVATE KEY----- and at least 64 bytes of key",
            private_key,
        ),
        Rule::code(
            "jwt",
            "JSON Web Token",
            &[".ey"],
            "ey….ey….…, each part base64url, the first of at least 19 letters",
            jwt,
        ),
        Rule::token("jwt-base64", "JSON Web Token in base64", &["zxlk"], r"ZXlK[A-Za-z0-9/_+\\-]{40,}={0,2}")
            .anywhere(),
        Rule::code(
            "kubernetes-secret-yaml",
            "data of a Kubernetes Secret",
            &["kind"],
            "kind: Secret, and in its data a value in base64",
            kubernetes_secret,
        ),
        Rule {
            id: "nuget-config-password",
            title: "password in a NuGet configuration",
            keywords: &["<add key="],
            how: How::Token {
                pattern: Pattern::new(
                    r#"<add key=\\*"(?:ClearText)?Password\\*"\s*value=\\*"([^"\\]{8,})\\*"\s*/>"#,
                    true,
                ),
                back: (0, 0),
                edges: Edges::None,
                idle: Idle::Allowed,
            },
            covers: &[],
        },
        Rule::code(
            "authorization-header",
            "credential in an HTTP header",
            &["authorization", "x-api-key", "x-auth-token", "api-key:", "apikey:", "x-token"],
            "Authorization: SCHEME value, X-…-Key: value, X-…-Token: value",
            header,
        )
        .covers(&["curl-auth-header"]),
        Rule::code("bearer-token", "bearer token", &["bearer "], "Bearer and a token of at least 20 letters", bearer),
        Rule::code(
            "curl-auth-user",
            "user and password of a curl command",
            &["curl"],
            "curl … -u USER:PASSWORD",
            curl_user,
        ),
        Rule::code(
            "netrc-password",
            "password in a netrc line",
            &["machine "],
            "machine HOST login USER password VALUE",
            netrc,
        ),
    ]
}

/// Bytes of a PEM block that are looked at; an RSA key of 16,384 bits takes 13,000.
const LONGEST_KEY: usize = 32 << 10;

fn private_key(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let b = text.bytes;
    let line = &b[at.end..b.len().min(at.end + 140)];
    let label = find(line, b"-----")?;
    let words = line[..label].to_ascii_uppercase();
    if find(&words, b"PRIVATE KEY").is_none() || words.contains(&b'\n') {
        return None;
    }
    let body = at.end + label + 5;
    let rest = &b[body..b.len().min(body + LONGEST_KEY)];
    // An end that names no key is some other block's.
    let end = find(rest, b"KEY-----").map(|n| n + 8).or_else(|| find_end(rest));
    if text.raw {
        return Some(at.start..body);
    }
    let key = &rest[..end.unwrap_or(rest.len())];
    let inner = &key[..key.len().saturating_sub(if end.is_some() { 8 } else { 0 })];
    let letters = key_letters(inner);
    let real = match end {
        // Words and code stand between the two lines too, where somebody writes about keys.
        Some(_) => {
            inner.len() >= 64 && entropy(inner) >= 4.6 && wordiness(inner) < 0.45 || letters >= 64 || only_zeros(inner)
        }
        None => letters >= 64,
    };
    real.then(|| at.start..body + key.len() - if end.is_some() { 0 } else { key.len() - last_letters(key) })
}

fn find_end(rest: &[u8]) -> Option<usize> {
    let upper = |w: &[u8]| w.eq_ignore_ascii_case(b"KEY-----") || w.eq_ignore_ascii_case(b"KEY BLOCK-----");
    let at = (0..rest.len().saturating_sub(7))
        .find(|k| upper(&rest[*k..k + 8]) || rest.len() >= k + 14 && upper(&rest[*k..k + 14]))?;
    let n = if upper(&rest[at..at + 8]) { 8 } else { 14 };
    Some(at + n)
}

/// A block that only stands for a key still has the shape of one.
fn only_zeros(body: &[u8]) -> bool {
    body.len() >= 64 && body.iter().filter(|c| **c == b'0').count() * 10 >= body.len() * 9
}

/// Letters of base64 in lines that look like lines of a key.
fn key_letters(body: &[u8]) -> usize {
    let is_letter = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'=');
    let runs = body.split(|c| !is_letter(c)).filter(|run| run.len() >= 24);
    runs.filter(|run| entropy(run) > 3.3 && wordiness(run) < 0.55 && !is_stand_in(run)).map(<[u8]>::len).sum()
}

/// The end of the last long run of letters.
fn last_letters(body: &[u8]) -> usize {
    let mut end = 0;
    let mut start = 0;
    for (k, c) in body.iter().enumerate() {
        if !(c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'=')) {
            start = k + 1;
        } else if k + 1 - start >= 24 {
            end = k + 1;
        }
    }
    end
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

fn is_part(c: u8) -> bool {
    is_word(c) || c == b'-'
}

/// The keyword is the beginning of the second part.
fn jwt(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let b = text.bytes;
    let before = b[at.start.saturating_sub(4096)..at.start].iter().rev().take_while(|c| is_part(**c)).count();
    let run = &b[at.start - before..at.start];
    // An escape may have lent its letter to the first part: `\neyJ…`.
    let skip = (0..run.len().min(16))
        .find(|k| run[*k..].starts_with(b"ey") && (*k == 0 || text.left_edge(at.start - before + k)))?;
    let start = at.start - before + skip;
    let part = |from: usize, extra: &[u8]| {
        b[from..b.len().min(from + 16_384)].iter().take_while(|c| is_part(**c) || extra.contains(c)).count()
    };
    let second = part(at.start + 1, b"/\\");
    let dot = at.start + 1 + second;
    if at.start - start < 19 || second < 19 || text.at(dot) != b'.' {
        return None;
    }
    let third = part(dot + 1, b"/\\");
    let mut end = dot + 1 + third;
    end += b[end..].iter().take(2).take_while(|c| **c == b'=').count();
    if third < 10 {
        end = dot + 1;
    }
    let value = &b[start..end];
    (text.raw || !known_jwt(value)).then_some(start..end)
}

/// The token that the best known page about JWT shows, and everybody copies into tests: its payload's first claims.
fn known_jwt(value: &[u8]) -> bool {
    find(value, b".eyJzdWIiOiIxMjM0NTY3ODkwIi").is_some() || is_idle_signature(value)
}

fn is_idle_signature(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|c| *c == b'.').collect();
    parts
        .iter()
        .skip(1)
        .any(|part| part.len() >= 4 && is_stand_in(part) && part.iter().any(|c| *c != b'0') && wordiness(part) > 0.5)
}

static KUBERNETES: Pattern = Pattern::new(
    r#"kind["']?[ \t]*:[ \t]*["']?secret\b(?s-u:.){0,400}?\bdata["']?:(?s-u:.){0,200}?[\s{,"'][\w.-]+["']?:[ \t]*(?:[|>][-+]?\s+)?["']?([a-z0-9+/]{10,}={0,3})"#,
    true,
);
static KUBERNETES_LATE: Pattern = Pattern::new(
    r#"data["']?:(?s-u:.){0,200}?[\s{,"'][\w.-]+["']?:[ \t]*(?:[|>][-+]?\s+)?["']?([a-z0-9+/]{10,}={0,3})(?s-u:.){0,400}?\bkind["']?[ \t]*:[ \t]*["']?secret\b"#,
    true,
);

fn kubernetes_secret(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let b = text.bytes;
    let head = &b[at.end..b.len().min(at.end + 24)];
    let next = head.iter().position(|c| !matches!(c, b'"' | b'\'' | b'\\' | b' ' | b'\t' | b':'))?;
    if !head[..next].contains(&b':') || !head[next..].to_ascii_lowercase().starts_with(b"secret") {
        return None;
    }
    if text.raw {
        return Some(at);
    }
    let window = &b[at.start..b.len().min(at.start + 2048)];
    if let Some((value, _)) = KUBERNETES.prefix(window) {
        return likely_data(window, value).map(|v| at.start + v.start..at.start + v.end);
    }
    // The data may stand before.
    let from = at.start.saturating_sub(1024);
    let before = &b[from..at.end + head.len()];
    let data = memchr::memmem::rfind(&before.to_ascii_lowercase(), b"data")?;
    let (value, _) = KUBERNETES_LATE.prefix(&before[data..])?;
    likely_data(&before[data..], value).map(|v| from + data + v.start..from + data + v.end)
}

fn likely_data(window: &[u8], value: Range<usize>) -> Option<Range<usize>> {
    let text = &window[value.clone()];
    (wordiness(text) < 0.6 && !is_stand_in(text)).then_some(value)
}

fn is_credential(c: u8) -> bool {
    is_word(c) || matches!(c, b'=' | b'~' | b'@' | b'.' | b'+' | b'/' | b'-')
}

/// The value that begins at `at`.
fn credential(text: Text<'_>, at: usize, least: usize) -> Option<Range<usize>> {
    let run = text.from(at).iter().take_while(|c| is_credential(**c)).count();
    let value = &text.bytes[at..at + run];
    let zeros = run >= least && value.iter().all(|c| *c == b'0');
    let likely = run >= least
        && !is_stand_in(value)
        && wordiness(value) < 0.5
        && entropy(value) > 2.8
        && value.iter().any(u8::is_ascii_digit)
        && value.iter().any(u8::is_ascii_alphabetic);
    (text.is_veiled(at) || zeros || likely).then_some(at..at + run)
}

fn skip(b: &[u8], mut i: usize, set: &[u8], most: usize) -> usize {
    let from = i;
    while i < b.len() && i - from < most && set.contains(&b[i]) {
        i += 1;
    }
    i
}

fn header(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let b = text.bytes;
    let mut i = skip(b, at.end - usize::from(b[at.end - 1] == b':'), b"\"'\\ ", 8);
    if !matches!(b.get(i), Some(b':' | b'=')) {
        return None;
    }
    i = skip(b, i + 1, b"\"'`\\ >", 12);
    for scheme in [&b"bearer"[..], b"basic", b"token", b"api-token", b"apitoken", b"key", b"apikey", b"digest"] {
        let word = &b[i..b.len().min(i + scheme.len())];
        if word.eq_ignore_ascii_case(scheme) && matches!(text.at(i + scheme.len()), b' ' | b'\\') {
            i = skip(b, i + scheme.len(), b" \"'\\", 8);
            break;
        }
    }
    credential(text, i, 8)
        .filter(|v| v.len() >= 16 || is_strong(&b[v.clone()]) || b[v.clone()].iter().all(|c| *c == b'0'))
}

/// Short, but surely made by a machine.
fn is_strong(value: &[u8]) -> bool {
    wordiness(value) < 0.34 && entropy(value) >= 2.9
}

fn bearer(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    if !text.left_edge(at.start) {
        return None;
    }
    credential(text, skip(text.bytes, at.end, b" \"'\\", 4), 20)
}

static CURL_USER: Pattern = Pattern::new(
    r#"curl\b[^\n]{0,400}?\s(?:-u|--user|--proxy-user)[ =]?\s{0,5}(?:["']?[^:"'\s]{0,64}:)([^"'\s$<{]{3,}|"[^"$<{]{3,}")"#,
    true,
);

fn curl_user(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    if !text.left_edge(at.start) {
        return None;
    }
    let line = text.from(at.start);
    let end = memchr::memchr(b'\n', line).unwrap_or(line.len()).min(600);
    let user = find(&line[..end], b"-u")
        .or_else(|| find(&line[..end], b"-U"))
        .or_else(|| find(&line[..end].to_ascii_lowercase(), b"-user"))?;
    if text.raw {
        return (memchr::memchr(b':', &line[user..end]).is_some()).then_some(at);
    }
    let (value, _) = CURL_USER.prefix(&line[..end])?;
    let password = &line[value.clone()];
    let fine = !is_stand_in(password)
        && !password.starts_with(b"//")
        && wordiness(password) < 0.6
        && password.iter().any(|c| !c.is_ascii_alphabetic());
    fine.then(|| at.start + value.start..at.start + value.end)
}

static NETRC: Pattern = Pattern::new(r#"machine\s+[^\s"']+\s+login\s+[^\s"']+\s+password\s+([^\s"'\\]{4,})"#, true);

fn netrc(text: Text<'_>, at: Range<usize>) -> Option<Range<usize>> {
    let line = text.from(at.start);
    let line = &line[..line.len().min(400)];
    if text.raw {
        return (find(line, b"login").is_some() && find(line, b"password").is_some()).then_some(at);
    }
    let (value, _) = NETRC.prefix(line)?;
    let password = &line[value.clone()];
    (!is_stand_in(password) && !matches!(password[0], b'$' | b'<' | b'{'))
        .then(|| at.start + value.start..at.start + value.end)
}
