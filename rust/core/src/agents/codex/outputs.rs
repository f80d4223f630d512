//! Results of calls: what a tool gave back, and what that says about how it went.

use super::super::calls::CallKind;
use super::super::event::{lit, Attribute, Block, Draft, Event, EventType, Lit, Marks, Origin};
use super::super::text::{lines, trim};
use super::{content, CodexMapper};
use crate::json::canonical::write;
use crate::json::Value;

/// How a call went, as far as its result says.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Outcome {
    exit_code: Option<i64>,
    duration_ms: Option<u64>,
    failed: bool,
    action: Option<&'static str>,
}

/// Beginnings of the texts that Codex itself gives back where a call could not be carried out.
const FAILURES: &[&str] = &[
    "failed in sandbox",
    "sandbox error",
    "sandbox denied",
    "execution error:",
    "exec command rejected",
    "exec_command failed",
    "write_stdin failed",
    "rejected by user",
    "patch rejected",
    "apply_patch verification failed",
    "apply_patch handler received",
    "failed to parse function arguments",
    "failed to parse exec",
    "unsupported call:",
    "unsupported custom tool call:",
    "unable to locate image",
    "aborted",
    "command blocked",
    "user cancelled",
    "user rejected",
    "tool call error:",
    "tool call failed",
    "err: ",
];

impl CodexMapper {
    pub(super) fn output<'a>(&mut self, item: Value<'a>, draft: &mut Draft<'a>) {
        let call_id = draft.take_lit(item, "call_id");
        let call = call_id.as_ref().and_then(|id| self.calls.answered(id));
        let (name, kind) = call.map_or((lit("unknown"), None), |(name, kind)| (name, Some(kind)));
        let mut outcome = Outcome::default();
        let blocks = match item.get("output").or_else(|| item.get("result")) {
            Some(output) if output.is_string() => self.text_output(output, kind, &mut outcome, draft),
            Some(output) if output.is_object() => object_output(output, kind, &mut outcome, draft),
            Some(output) => listed(output, kind, &mut outcome, draft),
            None => tools(item, draft),
        };
        outcome.failed |= item.get("success").and_then(|s| s.bool()) == Some(false);
        outcome.failed |= item.get("status").is_some_and(|s| s.is("failed"));
        let Outcome { exit_code, duration_ms, failed, action } = outcome;
        let is_error = failed || exit_code.is_some_and(|code| code != 0);
        let mut event = Event::new(EventType::ToolResult { name, is_error, call_id: call_id.clone(), exit_code });
        event.duration_ms = duration_ms;
        if let Some(id) = call_id {
            event.attributes.push(("semantic.call_id", Attribute::Text(id)));
        }
        if let Some(action) = action.filter(|_| !is_error) {
            event = event.tag("semantic.file_action", action);
        }
        if kind == Some(CallKind::Question) && !is_error {
            event = event.origin(Origin::Typed);
        }
        draft.push(event.blocks(blocks));
    }

    fn text_output<'a>(
        &mut self,
        output: Value<'a>,
        kind: Option<CallKind>,
        outcome: &mut Outcome,
        draft: &mut Draft<'a>,
    ) -> Vec<Block<'a>> {
        let mut nested = std::mem::take(&mut self.nested);
        let structured = nested.object(output).and_then(|inner| self.inner_output(output, inner, kind, outcome, draft));
        self.nested = nested;
        structured.unwrap_or_else(|| {
            draft.used(output);
            let text = output.canonical_literal();
            read_text(&text, kind, outcome);
            if text.is_empty() {
                Vec::new()
            } else {
                vec![Block::Text(text)]
            }
        })
    }

    /// The form of 2025: `{"output":…,"metadata":{"exit_code":…,"duration_seconds":…}}`; or a person's answers.
    fn inner_output<'a>(
        &mut self,
        output: Value<'a>,
        inner: Value<'_>,
        kind: Option<CallKind>,
        outcome: &mut Outcome,
        draft: &mut Draft<'a>,
    ) -> Option<Vec<Block<'a>>> {
        if kind == Some(CallKind::Question) {
            inner.get("answers")?;
            draft.used(output);
            let mut json = Vec::new();
            write(inner, &mut json);
            return Some(vec![Block::OwnedJson(json)]);
        }
        let (text, metadata) = (inner.get_str("output")?, inner.get("metadata").filter(|m| m.is_object())?);
        let mut marks = Marks::default();
        marks.leave_out(text.id());
        let literal = text.canonical_literal();
        match metadata.get("exit_code").and_then(|c| c.i64()) {
            // The text is the program's own then, whatever it begins with.
            Some(code) => {
                outcome.exit_code = Some(code);
                outcome.action = action(&literal).filter(|_| kind == Some(CallKind::Edit));
            }
            None => read_text(&literal, kind, outcome),
        }
        if let Some(seconds) = metadata.get("duration_seconds") {
            outcome.duration_ms = seconds.f64().and_then(millis);
        }
        // The metadata stays as it is: it tells this form from the others.
        self.replace(output, inner, marks, draft);
        Some(if literal.is_empty() { Vec::new() } else { vec![Block::Text(Lit::Owned(literal.into_owned()))] })
    }
}

/// A list of texts and images.
fn listed<'a>(
    output: Value<'a>,
    kind: Option<CallKind>,
    outcome: &mut Outcome,
    draft: &mut Draft<'a>,
) -> Vec<Block<'a>> {
    let blocks = content::blocks(output, draft);
    if let Some(Block::Text(text)) = blocks.first() {
        read_text(text, kind, outcome);
    }
    blocks
}

/// `{"content":…,"success":…}`, or any other object.
fn object_output<'a>(
    output: Value<'a>,
    kind: Option<CallKind>,
    outcome: &mut Outcome,
    draft: &mut Draft<'a>,
) -> Vec<Block<'a>> {
    outcome.failed |= output.get("success").and_then(|s| s.bool()) == Some(false);
    match output.get("content").filter(|c| c.is_string() || c.is_array()) {
        Some(content) => listed(content, kind, outcome, draft),
        None => {
            draft.used(output);
            vec![Block::Json(output)]
        }
    }
}

/// The tools that a search for tools found.
fn tools<'a>(item: Value<'a>, draft: &mut Draft<'a>) -> Vec<Block<'a>> {
    draft.take(item, "tools").map(Block::Json).into_iter().collect()
}

/// What the first lines of a text say (it is a canonical literal, and stays as it is).
fn read_text(text: &[u8], kind: Option<CallKind>, outcome: &mut Outcome) {
    let header = header(text, outcome);
    // Other tools may print such a line themselves.
    if !matches!(kind, None | Some(CallKind::Shell | CallKind::Edit)) {
        outcome.exit_code = None;
    }
    if outcome.exit_code.is_none() {
        outcome.failed |= is_failure(header.rest, kind, header.any);
    }
    if kind == Some(CallKind::Edit) {
        outcome.action = action(text);
    }
}

struct Header<'a> {
    any: bool,
    /// What follows it.
    rest: &'a [u8],
}

/// Read the lines that Codex puts before a command's output.
fn header<'a>(text: &'a [u8], outcome: &mut Outcome) -> Header<'a> {
    let mut rows = lines(text);
    let mut header = Header { any: false, rest: text };
    while let Some(line) = rows.next() {
        if let Some(code) =
            line.strip_prefix(b"Process exited with code ").or_else(|| line.strip_prefix(b"Exit code: "))
        {
            outcome.exit_code = number(code);
        } else if let Some(time) = line.strip_prefix(b"Wall time: ") {
            let seconds = time.strip_suffix(b"seconds").or(time.strip_suffix(b"second")).unwrap_or(time);
            outcome.duration_ms = number(seconds).and_then(millis);
        } else if !OTHER_LINES.iter().any(|known| line.starts_with(known)) {
            return header;
        }
        header = Header { any: true, rest: rows.rest() };
    }
    header
}

/// Lines of the header that say nothing about how the call went.
const OTHER_LINES: &[&[u8]] =
    &[b"Chunk ID: ", b"Process running with session ID ", b"Original token count: ", b"Total output lines: "];

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(trim(text)).ok()?.parse().ok()
}

fn millis(seconds: f64) -> Option<u64> {
    let ms = (seconds * 1000.0).round();
    (0.0..1e15).contains(&ms).then_some(ms as u64)
}

/// Codex's own words for a call that it did not carry out.
fn is_failure(text: &[u8], kind: Option<CallKind>, headed: bool) -> bool {
    let text = trim(text);
    let begins = |prefix: &str| text.get(..prefix.len()).is_some_and(|t| t.eq_ignore_ascii_case(prefix.as_bytes()));
    if FAILURES.iter().any(|f| begins(f)) {
        return true;
    }
    !headed && matches!(kind, Some(CallKind::Shell | CallKind::Edit)) && begins("error: ")
}

/// `A`, `M` or `D` before each file that a patch changed; an action only if it is the same for all.
fn action(text: &[u8]) -> Option<&'static str> {
    let mut rows = lines(text).skip_while(|row| !row.starts_with(b"Success. Updated "));
    rows.next()?;
    let mut all = rows.map_while(|row| match row {
        [b'A', b' ', _, ..] => Some("created"),
        [b'M', b' ', _, ..] => Some("edited"),
        [b'D', b' ', _, ..] => Some("deleted"),
        _ => None,
    });
    let first = all.next()?;
    all.all(|next| next == first).then_some(first)
}
