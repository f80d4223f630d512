//! `tool_use` blocks: which event a call becomes.

use super::super::calls::CallKind;
use super::super::event::{lit, Attribute, Block, Draft, Event, EventType, Lit};
use super::super::text::{language, lines, signed_lines};
use super::message::used_type;
use super::ClaudeMapper;
use crate::json::Value;

impl ClaudeMapper {
    /// One call, remembered until its result comes.
    pub(super) fn call<'a>(&mut self, block: Value<'a>, draft: &mut Draft<'a>) {
        used_type(block, draft);
        let tool = block.get_str("name").filter(|n| !n.literal().is_empty());
        let name = tool.map_or(lit("unknown"), |n| n.canonical_literal());
        let input = block.get("input").filter(|i| i.is_object());
        let (mut event, shape) = event_of(&name, input, draft);
        if matches!(event.kind, EventType::ToolCall { .. }) {
            if let Some(tool) = tool {
                draft.used(tool);
            }
            if let Some(input) = block.get("input") {
                draft.used(input);
                event = event.block(Block::Json(input));
            }
        }
        if let Some(id) = draft.take_lit(block, "id") {
            self.calls.opened(&id, &name, shape.call);
            event.attributes.push(("semantic.call_id", Attribute::Text(id)));
        }
        draft.push(event.tag("semantic.tool_kind", shape.kind));
    }
}

struct Shape {
    /// `semantic.tool_kind`.
    kind: &'static str,
    call: CallKind,
}

/// The event of a call. A call without what its event needs becomes a `ToolCall`.
fn event_of<'a>(name: &Lit<'a>, input: Option<Value<'a>>, draft: &mut Draft<'a>) -> (Event<'a>, Shape) {
    let shape = shape_of(name);
    let event = input.and_then(|input| match name.as_ref() {
        b"Bash" | b"PowerShell" => shell(input, draft),
        b"Read" | b"NotebookRead" => file_path(input, draft).map(|path| Event::new(EventType::FileRead { path })),
        b"Write" => create(input, draft),
        b"Edit" | b"MultiEdit" | b"NotebookEdit" => edit(input, draft),
        b"Grep" => draft.take_lit(input, "pattern").map(|query| Event::new(EventType::CodeSearch { query })),
        b"Glob" => draft.take_lit(input, "pattern").map(|pattern| Event::new(EventType::FileSearch { pattern })),
        b"LS" => draft.take_lit(input, "path").map(|pattern| Event::new(EventType::FileSearch { pattern })),
        b"WebSearch" | b"web_search" => {
            draft.take_lit(input, "query").map(|query| Event::new(EventType::WebSearch { query }))
        }
        b"WebFetch" | b"web_fetch" => draft.take_lit(input, "url").map(|url| Event::new(EventType::WebFetch { url })),
        _ => None,
    });
    let background = input.and_then(|i| i.get("run_in_background")).and_then(|v| v.bool()) == Some(true);
    let call = if shape.call == CallKind::Shell && background { CallKind::Background } else { shape.call };
    let event = event.unwrap_or_else(|| Event::new(EventType::ToolCall { name: name.clone() }));
    (event, Shape { call, ..shape })
}

fn shape_of(name: &[u8]) -> Shape {
    let (kind, call) = match name {
        b"Bash" | b"PowerShell" => ("shell", CallKind::Shell),
        b"BashOutput" | b"KillShell" | b"KillBash" | b"bash_code_execution" | b"code_execution" => {
            ("shell", CallKind::Other)
        }
        b"Read" | b"NotebookRead" => ("file_read", CallKind::Read),
        b"Write" => ("file_write", CallKind::Write),
        b"Edit" | b"MultiEdit" | b"NotebookEdit" => ("file_write", CallKind::Edit),
        b"Grep" | b"Glob" | b"LS" | b"ToolSearch" => ("search", CallKind::Other),
        b"WebSearch" | b"WebFetch" | b"web_search" | b"web_fetch" => ("web", CallKind::Other),
        b"Task" | b"Agent" | b"TaskOutput" | b"TaskStop" | b"SendMessage" | b"TeamCreate" | b"TeamDelete" => {
            ("task", CallKind::Other)
        }
        b"TodoWrite" | b"TaskCreate" | b"TaskUpdate" => ("plan", CallKind::Other),
        b"AskUserQuestion" => ("interactive", CallKind::Question),
        _ if name.starts_with(b"mcp__") => ("mcp", CallKind::Other),
        _ => ("other", CallKind::Other),
    };
    Shape { kind, call }
}

fn shell<'a>(input: Value<'a>, draft: &mut Draft<'a>) -> Option<Event<'a>> {
    let command = draft.take_lit(input, "command")?;
    let mut event = Event::new(EventType::ShellCommand { command });
    if let Some(description) = draft.take_lit(input, "description") {
        event = event.block(Block::Text(description));
    }
    Some(event)
}

fn file_path<'a>(input: Value<'a>, draft: &mut Draft<'a>) -> Option<Lit<'a>> {
    ["file_path", "notebook_path", "path"].iter().find_map(|key| draft.take_lit(input, key))
}

fn create<'a>(input: Value<'a>, draft: &mut Draft<'a>) -> Option<Event<'a>> {
    let path = file_path(input, draft)?;
    let language = language(&path);
    let mut event = Event::new(EventType::FileCreate { path });
    if let Some(content) = input.get_str("content") {
        draft.used(content);
        event = event.block(Block::Code { code: content.canonical_literal(), language, start_line: None });
    }
    Some(event)
}

/// An edit's diff is what the call itself says; the file around it is not known yet.
fn edit<'a>(input: Value<'a>, draft: &mut Draft<'a>) -> Option<Event<'a>> {
    let path = file_path(input, draft)?;
    let mut diff = Vec::new();
    match input.get("edits").filter(|e| e.is_array()) {
        Some(edits) => edits.items().for_each(|edit| replacement(edit, &mut diff, draft)),
        None => replacement(input, &mut diff, draft),
    }
    let diff = (!diff.is_empty()).then_some(Lit::Owned(diff));
    Some(Event::new(EventType::FileEdit { path, diff }))
}

fn replacement<'a>(edit: Value<'a>, diff: &mut Vec<u8>, draft: &mut Draft<'a>) {
    for (sign, keys) in [(b'-', ["old_string", "old_source"]), (b'+', ["new_string", "new_source"])] {
        let Some(text) = keys.iter().find_map(|key| edit.get_str(key)) else { continue };
        let literal = text.canonical_literal();
        signed_lines(sign, &literal, diff);
        // One line stands in the diff as it is; several do only with signs between them, so they are kept.
        if !literal.is_empty() && lines(&literal).nth(1).is_none() {
            draft.used(text);
        }
    }
}
