//! For each rule a secret, the texts it may stand in, and three that are none.

use super::generator::{matching, Dice};
use crate::redact::quality::{is_idle, is_stand_in};
use crate::redact::rule::{How, Rule};

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A value that the rule is for. Drawn again where chance made a word of it, as a vendor's machine hardly ever does.
pub fn made(rule: &Rule, dice: &mut Dice) -> String {
    match &rule.how {
        How::Token { pattern, .. } | How::Assigned { pattern, .. } => {
            let values = (0..200).map(|_| matching(pattern.text, dice));
            let whole = matches!(rule.how, How::Assigned { .. });
            let likely = |value: &String| match whole {
                true => !is_idle(value.as_bytes()),
                false => !is_idle(&value.as_bytes()[value.len() / 2..]) && !is_stand_in(value.as_bytes()),
            };
            let mut values = values.collect::<Vec<_>>();
            // Some have no digits, or `test` in their prefix: those are taken as they come.
            values.iter().position(likely).map(|at| values.swap_remove(at)).unwrap_or_else(|| values.swap_remove(0))
        }
        How::Code { .. } => code(rule.id, dice),
    }
}

fn code(id: &str, dice: &mut Dice) -> String {
    match id {
        "private-key" => {
            let mut body = String::new();
            for _ in 0..4 {
                body.push_str(&format!("{}\n", dice.word(LETTERS, 64)));
            }
            format!("-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----")
        }
        "jwt" => format!("eyJ{}.eyJ{}.{}", dice.word(LETTERS, 33), dice.word(LETTERS, 60), dice.word(LETTERS, 43)),
        "kubernetes-secret-yaml" => format!("{}==", dice.word(LETTERS, 22)),
        "authorization-header" | "bearer-token" => strong(dice, 32),
        "sidekiq-sensitive-url" => format!("{}:{}", dice.word("0123456789abcdef", 8), dice.word("0123456789abcdef", 8)),
        "curl-auth-user" | "password-in-url" | "netrc-password" => strong(dice, 12),
        "generic-password" => strong(dice, 14),
        "generic-api-key" => strong(dice, 40),
        other => panic!("no samples for {other}"),
    }
}

/// Letters and digits, at least two of each, in no order that anybody would write.
fn strong(dice: &mut Dice, n: usize) -> String {
    loop {
        let word = dice.word(LETTERS, n);
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        if (2..n - 2).contains(&digits) && crate::redact::quality::wordiness(word.as_bytes()) < 0.3 {
            return word;
        }
    }
}

/// Texts that hold the value, the plainest first.
pub fn context(rule: &Rule, value: &str) -> Vec<String> {
    let named = |name: &str| {
        vec![
            format!("{name}_key = \"{value}\""),
            format!("export {}_KEY={value}\n", name.to_uppercase()),
            format!("{{\"{name}Key\": \"{value}\"}}"),
            format!("{name}: {value}"),
            format!("x\\n\\\"{name}\\\":\\\"{value}\\\""),
        ]
    };
    match &rule.how {
        How::Token { .. } => vec![
            value.to_owned(),
            format!("use {value} here"),
            format!("KEY={value};"),
            format!("(\"{value}\")"),
            format!("a\\n{value}\\n"),
            format!("\u{1b}[32m{value}\u{1b}[0m"),
        ],
        How::Assigned { .. } => named(rule.keywords[0]),
        How::Code { .. } => code_context(rule.id, value),
    }
}

fn code_context(id: &str, value: &str) -> Vec<String> {
    match id {
        "private-key" => {
            vec![value.to_owned(), format!("key: |\n{}", value.replace('\n', "\n  ")), value.replace('\n', "\\n")]
        }
        "jwt" => vec![value.to_owned(), format!("token={value}"), format!("\\n{value}")],
        "kubernetes-secret-yaml" => vec![
            format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  login: {value}\n"),
            format!("data:\n  login: {value}\nkind: Secret\n"),
        ],
        "authorization-header" => vec![
            format!("Authorization: Basic {value}"),
            format!("-H 'Authorization: Token {value}'"),
            format!("{{\"authorization\": \"Bearer {value}\"}}"),
            format!("x-api-key: {value}"),
        ],
        "bearer-token" => vec![format!("sent Bearer {value}")],
        "sidekiq-sensitive-url" => vec![format!("https://{value}@gems.contribsys.com/")],
        "curl-auth-user" => vec![
            format!("curl -u admin:{value} https://h.io"),
            format!("curl -s --user=\"admin:{value}\" https://h.io"),
        ],
        "password-in-url" => {
            vec![format!("postgres://admin:{value}@db.intern:5432/x"), format!("https://me:{value}@git.intern/r.git")]
        }
        "netrc-password" => vec![format!("machine git.intern login me password {value}")],
        "generic-password" => vec![
            format!("DB_PASSWORD={value}"),
            format!("{{\"password\": \"{value}\"}}"),
            format!("run --password {value}"),
            format!("Server=h;Pwd={value};"),
            format!("passwd: '{value}'"),
        ],
        "generic-api-key" => vec![
            format!("API_KEY={value}"),
            format!("client_secret: \"{value}\""),
            format!("{{\"auth_token\":\"{value}\"}}"),
            format!("run --token {value}"),
            format!("token: str = '{value}'"),
        ],
        other => panic!("no texts for {other}"),
    }
}

/// A text that is nearly one of the rule's.
pub fn near(rule: &Rule, kind: usize) -> String {
    let mut dice = Dice::new(rule.id, 7);
    let value = made(rule, &mut dice);
    match &rule.how {
        // Cut in the middle, spoilt in the middle, a stand-in.
        How::Token { .. } => match kind {
            0 => value[..value.len() / 2].to_owned(),
            1 => format!("{} {}", &value[..value.len() / 2], &value[value.len() / 2..]),
            _ => stand_in(&value, rule.keywords),
        },
        // Nobody's value, too short, words.
        How::Assigned { .. } => match kind {
            0 => format!("{} {value}", rule.keywords[0]),
            1 => format!("{}_key = \"{}\"", rule.keywords[0], &value[..value.len() / 2]),
            _ => format!("{}_key = \"{}\"", rule.keywords[0], "x".repeat(value.len())),
        },
        How::Code { .. } => near_code(rule.id, kind, &value),
    }
}

/// The same with all but the prefix struck out.
fn stand_in(value: &str, keywords: &[&str]) -> String {
    let lower = value.to_lowercase();
    let keep = keywords.iter().filter_map(|w| lower.find(w).map(|at| at..at + w.len())).next().unwrap_or(0..0);
    value.char_indices().map(|(k, c)| if keep.contains(&k) || !c.is_alphanumeric() { c } else { 'x' }).collect()
}

fn near_code(id: &str, kind: usize, value: &str) -> String {
    let texts: [String; 3] = match id {
        "private-key" => [
            value.replace("PRIVATE", "PUBLIC"),
            "the line -----BEGIN RSA PRIVATE KEY----- begins a key".to_owned(),
            "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----".to_owned(),
        ],
        "jwt" => [value.replace(".eyJ", ".abc"), value[..30].to_owned(), "theory.eyes.ears".to_owned()],
        "kubernetes-secret-yaml" => [
            format!("kind: ConfigMap\ndata:\n  login: {value}\n"),
            "kind: Secret\nmetadata:\n  name: db\n".to_owned(),
            "kind: Secret\ndata:\n  login: your-password-here\n".to_owned(),
        ],
        "authorization-header" => [
            "Authorization: Bearer $TOKEN".to_owned(),
            "Authorization: Bearer <your-token>".to_owned(),
            format!("authorization of {value}"),
        ],
        "bearer-token" => [
            "a bearer of good news and other things".to_owned(),
            "Bearer xxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
            format!("forbearer {value}"),
        ],
        "sidekiq-sensitive-url" => [
            "https://gems.contribsys.com/".to_owned(),
            format!("https://{value}@gems.elsewhere.io/"),
            "https://user:pass@gems.contribsys.com/".to_owned(),
        ],
        "curl-auth-user" => [
            "curl -u user:password https://h.io".to_owned(),
            "curl -u $USER:$PASS https://h.io".to_owned(),
            format!("wget -u admin:{value}"),
        ],
        "password-in-url" => [
            "postgres://user:password@db.intern/x".to_owned(),
            "https://git.intern:8443/a@b".to_owned(),
            "postgres://postgres:postgres@localhost:5432/x".to_owned(),
        ],
        "netrc-password" => [
            "machine x login y".to_owned(),
            "machine x login y password <password>".to_owned(),
            "machine learning password".to_owned(),
        ],
        "generic-password" => [
            "password = get_password(user)".to_owned(),
            "password: changeme123".to_owned(),
            "PASSWORD=${DB_PASSWORD}".to_owned(),
        ],
        "generic-api-key" => [
            "api_key = os.environ[\"SERVICE_API_KEY\"]".to_owned(),
            "token: your-token-goes-here-1234".to_owned(),
            "secret: 123e4567-e89b-12d3-a456-426614174000".to_owned(),
        ],
        other => panic!("no near misses for {other}"),
    };
    texts[kind].clone()
}
