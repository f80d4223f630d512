//! Calls of tools: which events a call becomes.

use super::super::calls::CallKind;
use super::super::event::{lit, Block, Draft, Event, EventType, Lit, Marks};
use super::super::text::{language, lines, signed_lines};
use super::tools::Tool;
use super::{patch, shell, CodexMapper};
use crate::json::canonical::write;
use crate::json::Value;

impl CodexMapper {
    pub(super) fn function_call<'a>(&mut self, item: Value<'a>, draft: &mut Draft<'a>) {
        let name = full_name(item);
        let tool = Tool::of(&name);
        let events = match item.get("arguments") {
            Some(arguments) if arguments.is_object() => match events_of(tool, arguments, &mut draft.marks) {
                Some(events) => events,
                None => {
                    draft.used(arguments);
                    vec![tool_call(&name).block(Block::Json(arguments))]
                }
            },
            Some(arguments) if arguments.is_string() => self.spelled_call(tool, &name, arguments, draft),
            _ => vec![tool_call(&name)],
        };
        self.calls(tool, name, events, item, draft);
    }

    /// Arguments that are JSON inside a string; what the events do not hold of them stands in the rest as JSON.
    fn spelled_call<'a>(
        &mut self,
        tool: Tool,
        name: &Lit<'a>,
        arguments: Value<'a>,
        draft: &mut Draft<'a>,
    ) -> Vec<Event<'a>> {
        let mut nested = std::mem::take(&mut self.nested);
        let events = match nested.object(arguments) {
            Some(inner) => {
                let mut marks = Marks::default();
                match events_of(tool, inner, &mut marks) {
                    Some(events) => {
                        self.replace(arguments, inner, marks, draft);
                        events
                    }
                    None => {
                        draft.used(arguments);
                        let mut json = Vec::with_capacity(inner.raw().len());
                        write(inner, &mut json);
                        vec![tool_call(name).block(Block::OwnedJson(json))]
                    }
                }
            }
            None => raw_call(tool, name, arguments, draft),
        };
        self.nested = nested;
        events
    }

    /// A tool that takes plain text: a patch, or a program.
    pub(super) fn custom_call<'a>(&mut self, item: Value<'a>, draft: &mut Draft<'a>) {
        let name = full_name(item);
        // Programs for a tool that happens to be called like a shell are no commands.
        let tool = match Tool::of(&name) {
            tool @ (Tool::Patch | Tool::Mcp) => tool,
            _ => Tool::Other,
        };
        let events = match item.get("input") {
            Some(input) if input.is_string() => raw_call(tool, &name, input, draft),
            Some(input) => {
                draft.used(input);
                vec![tool_call(&name).block(Block::Json(input))]
            }
            None => vec![tool_call(&name)],
        };
        self.calls(tool, name, events, item, draft);
    }

    pub(super) fn local_shell_call<'a>(&mut self, item: Value<'a>, draft: &mut Draft<'a>) {
        let name = lit("local_shell");
        let action = item.get("action").filter(|a| a.is_object());
        let events = action.and_then(|a| events_of(Tool::Shell, a, &mut draft.marks));
        let events = events.unwrap_or_else(|| {
            let call = tool_call(&name);
            match draft.take(item, "action") {
                Some(action) => vec![call.block(Block::Json(action))],
                None => vec![call],
            }
        });
        self.calls(Tool::Shell, name, events, item, draft);
    }

    pub(super) fn tool_search_call<'a>(&mut self, item: Value<'a>, draft: &mut Draft<'a>) {
        let name = lit("tool_search");
        let mut event = tool_call(&name);
        if let Some(arguments) = draft.take(item, "arguments") {
            event = event.block(Block::Json(arguments));
        }
        self.calls(Tool::Other, name, vec![event], item, draft);
    }

    /// A search or a page that the model's side looked up; the call has no id but that of its item.
    pub(super) fn web_search_call<'a>(&mut self, item: Value<'a>, draft: &mut Draft<'a>) {
        let name = lit("web_search");
        let action = item.get("action").filter(|a| a.is_object());
        let event = action.and_then(|action| {
            let query = draft.take_lit(action, "query").or_else(|| {
                let first = action.get("queries")?.items().next().filter(|q| !q.literal().is_empty())?;
                Some(first.canonical_literal())
            });
            match query {
                Some(query) => Some(Event::new(EventType::WebSearch { query })),
                None => draft.take_lit(action, "url").map(|url| Event::new(EventType::WebFetch { url })),
            }
        });
        let event = event.unwrap_or_else(|| {
            let call = tool_call(&name);
            match action {
                Some(action) => {
                    draft.used(action);
                    call.block(Block::Json(action))
                }
                None => call,
            }
        });
        let mut event = event.tag("semantic.tool_kind", "web");
        if let Some(id) = item.get_str("id").filter(|id| !id.literal().is_empty()) {
            event = event.with("semantic.call_id", id.canonical_literal());
        }
        draft.push(event);
    }

    /// Finish the events of one call, and remember it until its result comes.
    fn calls<'a>(&mut self, tool: Tool, name: Lit<'a>, events: Vec<Event<'a>>, item: Value<'a>, draft: &mut Draft<'a>) {
        let call_id = draft.take_lit(item, "call_id");
        let writes = |e: &Event<'_>| {
            matches!(e.kind, EventType::FileEdit { .. } | EventType::FileCreate { .. } | EventType::FileDelete { .. })
        };
        if let Some(id) = &call_id {
            // A shell that applies a patch answers like the tool for patches.
            let kind = if tool != Tool::Create && events.iter().any(writes) { CallKind::Edit } else { tool.call() };
            self.calls.opened(id, &name, kind);
        }
        // The name of the tool is not told by a more telling event, and the parts of a composed one are kept.
        let named = item.get_str("name").is_some() && item.get("namespace").is_none();
        if named && events.iter().any(|e| matches!(e.kind, EventType::ToolCall { .. })) {
            draft.take(item, "name");
        }
        for event in events {
            let kind = if writes(&event) { "file_write" } else { tool.kind() };
            let event = event.tag("semantic.tool_kind", kind);
            draft.push(match &call_id {
                Some(id) => event.with("semantic.call_id", id.clone()),
                None => event,
            });
        }
    }
}

fn tool_call<'a>(name: &Lit<'a>) -> Event<'a> {
    Event::new(EventType::ToolCall { name: name.clone() })
}

/// A tool of a namespace has the namespace before its own name.
fn full_name<'a>(item: Value<'a>) -> Lit<'a> {
    let part = |key: &str| item.get_str(key).map(|v| v.canonical_literal()).filter(|l| !l.is_empty());
    let name = part("name").unwrap_or(lit("unknown"));
    let Some(space) = part("namespace") else { return name };
    let joint: &[u8] = match (space.starts_with(b"mcp__"), space.ends_with(b"_") || name.starts_with(b"_")) {
        (true, false) => b"__",
        (true, true) => b"",
        (false, _) => b".",
    };
    Lit::Owned([&space, joint, &name].concat())
}

/// A call whose arguments are no JSON.
fn raw_call<'a>(tool: Tool, name: &Lit<'a>, text: Value<'a>, draft: &mut Draft<'a>) -> Vec<Event<'a>> {
    let literal = text.canonical_literal();
    if tool == Tool::Patch {
        if let Some(events) = patch::events(&literal, b"") {
            // The patch as it was written stays in the rest: its events hold it in parts.
            return events;
        }
    }
    draft.used(text);
    let call = tool_call(name);
    vec![if literal.is_empty() { call } else { call.block(Block::Text(literal)) }]
}

/// The events of a call, if its arguments have what they need; `marks` then say what they hold.
pub fn events_of(tool: Tool, args: Value<'_>, marks: &mut Marks) -> Option<Vec<Event<'static>>> {
    let one = |event: Event<'static>| Some(vec![event]);
    match tool {
        Tool::Shell => shell::events(args, marks),
        Tool::Patch => {
            let patch = ["input", "patch", "diff", "content"].iter().find_map(|key| args.get_str(key))?;
            patch::events(&patch.canonical_literal(), b"")
        }
        Tool::Create => create(args, marks).and_then(one),
        Tool::Edit => edit(args, marks).and_then(one),
        Tool::Delete => one(Event::new(EventType::FileDelete { path: held(args, PATHS, marks)? })),
        Tool::Read => one(Event::new(EventType::FileRead { path: held(args, PATHS, marks)? })),
        Tool::List => one(Event::new(EventType::FileSearch { pattern: held(args, &["dir_path", "path"], marks)? })),
        Tool::Glob => one(Event::new(EventType::FileSearch { pattern: held(args, &["pattern", "query"], marks)? })),
        Tool::Grep => one(Event::new(EventType::CodeSearch { query: held(args, &["pattern", "query"], marks)? })),
        Tool::WebSearch => one(Event::new(EventType::WebSearch { query: held(args, &["query"], marks)? })),
        Tool::WebFetch => one(Event::new(EventType::WebFetch { url: held(args, &["url"], marks)? })),
        _ => None,
    }
}

const PATHS: &[&str] = &["path", "file_path", "target_file", "filename"];

/// The first of these members that is a string of more than white space; the events hold it.
pub fn held(args: Value<'_>, keys: &[&str], marks: &mut Marks) -> Option<Lit<'static>> {
    let value =
        keys.iter().find_map(|key| args.get_str(key)).filter(|v| !super::super::text::trim(v.literal()).is_empty())?;
    marks.leave_out(value.id());
    Some(owned(value))
}

pub fn owned(value: Value<'_>) -> Lit<'static> {
    Lit::Owned(value.canonical_literal().into_owned())
}

fn create(args: Value<'_>, marks: &mut Marks) -> Option<Event<'static>> {
    let path = held(args, PATHS, marks)?;
    let language = language(&path);
    let mut event = Event::new(EventType::FileCreate { path });
    if let Some(content) = ["content", "contents", "text"].iter().find_map(|key| args.get_str(key)) {
        marks.leave_out(content.id());
        event = event.block(Block::Code { code: owned(content), language, start_line: None });
    }
    Some(event)
}

fn edit(args: Value<'_>, marks: &mut Marks) -> Option<Event<'static>> {
    let path = held(args, PATHS, marks)?;
    let mut diff = Vec::new();
    for (sign, keys) in [(b'-', ["old_string", "old_str"]), (b'+', ["new_string", "new_str"])] {
        let Some(text) = keys.iter().find_map(|key| args.get_str(key)) else { continue };
        let literal = text.canonical_literal();
        signed_lines(sign, &literal, &mut diff);
        // One line stands in the diff as it is; several do only with signs between them, so they are kept.
        if lines(&literal).nth(1).is_none() {
            marks.leave_out(text.id());
        }
    }
    let diff = (!diff.is_empty()).then_some(Lit::Owned(diff));
    Some(Event::new(EventType::FileEdit { path, diff }))
}
