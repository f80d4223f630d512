//! The header of a Codex session, and how such a log is recognized.

use super::super::parser::{Git, Head, Scout};
use super::super::text::title;
use super::shape::{self, Record, Shape};
use super::{origin, AGENT};
use crate::json::{string as literals, Value};

/// Characters of a title that is taken from the first prompt.
const TITLE: usize = 80;

/// Bytes of a prompt that a title is looked for in.
const LOOKED_AT: usize = 64 << 10;

/// Other sessions that a header names at most.
const RELATED: usize = 16;

#[derive(Default)]
pub struct CodexScout {
    head: Head,
    /// The first line that says whose log this is has been seen: later ones are those of sessions it continues.
    known: bool,
    name: Option<String>,
    prompt: Option<String>,
}

impl Scout for CodexScout {
    fn see(&mut self, value: Value<'_>) {
        let record = shape::record(value);
        if record.is_own() {
            self.head.recognized += 1;
        }
        match record.shape {
            Shape::Other(("session_meta", _), Some(payload)) => self.session_meta(payload),
            Shape::Header => self.session_meta(value),
            Shape::Other(("turn_context", _), Some(payload)) if self.head.model.is_empty() => {
                self.head.model = string(payload, "model").unwrap_or_default();
                self.head.cwd = self.head.cwd.take().or_else(|| string(payload, "cwd"));
            }
            Shape::Message(("thread_name_updated", _), message) => {
                self.name = string(message, "thread_name").or(self.name.take());
            }
            Shape::Message(("user_message", _), message) if self.prompt.is_none() => {
                if let Some(text) = message.get_str("message") {
                    self.prompt(text);
                }
            }
            Shape::Item(("message", _), item) if self.prompt.is_none() => self.item(item),
            _ => {}
        }
    }

    fn time<'a>(&self, value: Value<'a>) -> Option<Value<'a>> {
        value.get("timestamp")
    }

    fn head(self: Box<Self>) -> Head {
        Head { title: self.name.or(self.prompt), ..self.head }
    }
}

impl CodexScout {
    fn session_meta(&mut self, meta: Value<'_>) {
        let id = string(meta, "id").or_else(|| string(meta, "session_id"));
        if self.known {
            return self.related(id);
        }
        self.known = true;
        let head = &mut self.head;
        head.session_id = id.unwrap_or_default();
        head.provider = string(meta, "model_provider").unwrap_or_else(|| AGENT.provider.into());
        head.tool_version = string(meta, "cli_version");
        head.cwd = string(meta, "cwd");
        if let Some(git) = meta.get("git") {
            head.git = Git {
                branch: string(git, "branch"),
                commit: string(git, "commit_hash"),
                remote: string(git, "repository_url").map(without_credentials),
            };
        }
        head.auxiliary = meta.at_path(&["source", "subagent"]).is_some()
            || meta.get("thread_source").is_some_and(|s| s.is("subagent"));
        let parent = [
            &["source", "subagent", "thread_spawn", "parent_thread_id"][..],
            &["source", "subagent", "parent_thread_id"],
            &["source", "parent_thread_id"],
            &["parent_thread_id"],
        ]
        .iter()
        .find_map(|path| meta.at_path(path)?.string().filter(|s| !s.is_empty()));
        head.parent_session_id = parent.clone();
        self.related(string(meta, "forked_from_id"));
        self.related(parent);
    }

    fn related(&mut self, id: Option<String>) {
        let Some(id) = id else { return };
        let known = &mut self.head.related_session_ids;
        if id != self.head.session_id && !known.contains(&id) && known.len() < RELATED {
            known.push(id);
        }
    }

    fn item(&mut self, item: Value<'_>) {
        if !item.get_str("role").is_some_and(|r| r.is("user")) {
            return;
        }
        let Some(content) = item.get("content") else { return };
        if content.is_string() {
            return self.prompt(content);
        }
        // Tags around an image are no words.
        let is_tag = |t: &[u8]| t.is_empty() || t.starts_with(b"<image") || t.starts_with(b"</image>");
        if let Some(text) = content.items().find_map(|b| b.get_str("text").filter(|t| !is_tag(t.literal()))) {
            self.prompt(text);
        }
    }

    fn prompt(&mut self, text: Value<'_>) {
        let literal = beginning(text.literal());
        let text = literals::decode(literal);
        let text = String::from_utf8_lossy(&text);
        let white = |c: char| matches!(c, ' ' | '\n' | '\t' | '\r' | '\x0c');
        if !origin::is_injected(text.trim_start_matches(white).as_bytes()) {
            self.prompt = Some(title(origin::request(&text), TITLE)).filter(|t| !t.is_empty());
        }
    }
}

/// As much of a literal as a title is looked for in, cut at a blank (where no escape and no character is cut).
fn beginning(literal: &[u8]) -> &[u8] {
    let blank = literal.get(..LOOKED_AT).and_then(|head| head.iter().rposition(|&c| c == b' '));
    &literal[..blank.unwrap_or(literal.len())]
}

fn string(value: Value<'_>, key: &str) -> Option<String> {
    value.get_str(key)?.string().filter(|s| !s.is_empty())
}

/// An address without the name and password that may stand before its host. `git@host:path` has none.
fn without_credentials(url: String) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url };
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..host].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url,
    }
}

/// How well the first records of a log fit.
pub fn recognize(values: &[Value<'_>]) -> (u32, Vec<String>) {
    let records: Vec<Record<'_>> = values.iter().map(|v| shape::record(*v)).collect();
    let own = records.iter().filter(|r| r.is_own()).count();
    let mut reasons = Vec::new();
    let meta = records
        .first()
        .is_some_and(|r| matches!(r.shape, Shape::Other(("session_meta", _), Some(p)) if p.get("id").is_some()));
    if meta {
        reasons.push("the first record is a session_meta whose payload has an id".to_owned());
    }
    if own > 0 {
        reasons.push(format!(
            "{own} of the first {} records are of kinds that Codex writes (type, payload)",
            values.len()
        ));
    }
    let confidence = match own {
        0 => 0,
        1 if !meta => 90,
        _ => 95,
    };
    (confidence, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_no_part_of_a_remote() {
        for (url, want) in [
            ("https://user:token@git.example/a/b.git", "https://git.example/a/b.git"),
            ("ssh://git@git.example/a", "ssh://git.example/a"),
            ("git@git.example:a/b.git", "git@git.example:a/b.git"),
            ("https://git.example/a@b", "https://git.example/a@b"),
        ] {
            assert_eq!(without_credentials(url.into()), want);
        }
    }
}
