//! `tool_result` blocks and the record's `toolUseResult`.

use super::super::calls::CallKind;
use super::super::event::{lit, Attribute, Block, Draft, Event, EventType, Lit, Marks, Origin};
use super::super::text::{contains, contains_numbered, leading_number};
use super::message::{media_block, used_type};
use super::{ClaudeMapper, Top};
use crate::json::{string, Kind, Value};

/// Texts of a result that are compared with the structured copy of it, in all; more is kept twice.
const COMPARED: usize = 64 << 20;

/// A member of the structured result is left out as part of a text only from this length on; a short word stands in
/// any text by chance.
const LONG: usize = 32;

impl ClaudeMapper {
    pub(super) fn result<'a>(&mut self, block: Value<'a>, top: &Top<'a>, draft: &mut Draft<'a>) {
        used_type(block, draft);
        let first = !draft.events.iter().any(|e| matches!(e.kind, EventType::ToolResult { .. }));
        let structured = top.result.filter(|_| first);
        let call_id = draft.take_lit(block, "tool_use_id");
        let call = call_id.as_ref().and_then(|id| self.calls.answered(id));
        let (name, call) = call.unwrap_or((lit("unknown"), CallKind::Other));
        let is_error = block.get("is_error").and_then(|v| v.bool()) == Some(true);
        draft.take(block, "is_error");
        let blocks = content(block, draft);
        let (exit_code, inferred) = match call {
            CallKind::Shell | CallKind::Background => exit_code(&blocks, is_error, call, structured),
            _ => (None, false),
        };
        let mut event = Event::new(EventType::ToolResult { name, is_error, call_id: call_id.clone(), exit_code });
        if let Some(id) = call_id {
            event.attributes.push(("semantic.call_id", Attribute::Text(id)));
        }
        if inferred {
            event = event.tag("source.exit_code", "inferred");
        }
        if call == CallKind::Question && !is_error {
            event = event.origin(Origin::Typed);
        }
        event = event.blocks(blocks);
        if let Some(structured) = structured {
            event = with_structured(event, structured, call, is_error, draft);
        }
        draft.push(event);
    }

    /// The result of a tool that ran at the model's side.
    pub(super) fn server_result<'a>(&mut self, block: Value<'a>, draft: &mut Draft<'a>) {
        let call_id = draft.take_lit(block, "tool_use_id");
        let name = call_id.as_ref().and_then(|id| self.calls.answered(id)).map_or(lit("unknown"), |(name, _)| name);
        let is_error = block.at_path(&["content", "error_code"]).is_some()
            || block.get("is_error").and_then(|v| v.bool()) == Some(true);
        let mut event = Event::new(EventType::ToolResult { name, is_error, call_id: call_id.clone(), exit_code: None });
        if let Some(id) = call_id {
            event.attributes.push(("semantic.call_id", Attribute::Text(id)));
        }
        if let Some(content) = draft.take(block, "content") {
            event = event.block(Block::Json(content));
        }
        draft.push(event);
    }
}

/// What the model was shown.
fn content<'a>(block: Value<'a>, draft: &mut Draft<'a>) -> Vec<Block<'a>> {
    let Some(content) = block.get("content") else { return Vec::new() };
    if content.is_string() {
        draft.used(content);
        return vec![Block::Text(content.canonical_literal())];
    }
    let mut blocks = Vec::new();
    for item in content.items() {
        let kind = item.get_str("type").map(|k| k.literal()).unwrap_or_default();
        match (kind, item.get_str("text")) {
            (b"text", Some(text)) => {
                used_type(item, draft);
                draft.used(text);
                blocks.push(Block::Text(text.canonical_literal()));
            }
            (b"image" | b"document", _) => blocks.push(media_block(item, draft)),
            _ => {
                if !matches!(kind, b"tool_reference" | b"search_result" | b"resource_link" | b"resource") {
                    let name = item.get_str("type").and_then(|k| k.string()).unwrap_or_else(|| "untyped".into());
                    draft.unknown_blocks.push(name);
                }
                draft.used(item);
                blocks.push(Block::Json(item));
            }
        }
    }
    blocks
}

/// The number that the log states; 0 where it says that nothing went wrong (docs/agents.md).
fn exit_code(
    blocks: &[Block<'_>],
    is_error: bool,
    call: CallKind,
    structured: Option<Value<'_>>,
) -> (Option<i64>, bool) {
    let text = blocks.iter().find_map(|b| match b {
        Block::Text(text) => Some(text.as_ref()),
        _ => None,
    });
    // Only an error is reported that way; a command may print the same words itself.
    if is_error {
        return (text.and_then(|t| leading_number(t, "Exit code ")), false);
    }
    let set = |key: &str| {
        structured
            .and_then(|s| s.get_some(key))
            .is_some_and(|v| v.bool() != Some(false) && !(v.is_string() && v.literal().is_empty()))
    };
    let unknown = call == CallKind::Background
        || set("interrupted")
        || set("returnCodeInterpretation")
        || set("backgroundTaskId")
        || set("backgroundedByUser");
    if unknown {
        (None, false)
    } else {
        (Some(0), true)
    }
}

/// The structured copy of a result: its diff becomes a block, what repeats the text is left out, the rest is kept.
fn with_structured<'a>(
    mut event: Event<'a>,
    structured: Value<'a>,
    call: CallKind,
    is_error: bool,
    draft: &mut Draft<'a>,
) -> Event<'a> {
    let patch = structured.get("structuredPatch").filter(|p| p.items().next().is_some());
    if let Some(patch) = patch {
        draft.used(patch);
        event = event.block(Block::Json(patch));
    }
    if !is_error {
        let kind = structured.get_str("type").map(|k| k.literal()).unwrap_or_default();
        let action = match (call, kind) {
            (CallKind::Write, b"create") => Some("created"),
            (CallKind::Write, b"update") => Some("edited"),
            (CallKind::Edit, _) if structured.get("structuredPatch").is_some() => Some("edited"),
            _ => None,
        };
        if let Some(action) = action {
            event = event.tag("semantic.file_action", action);
        }
    }
    event
}

/// What can be told of a record without those before it: which parts of its structured result repeat the text of the
/// result, and what stands for whole copies of files. It is most of the work on such a record, and done on any thread.
pub fn prepare(record: Value<'_>) -> Marks {
    let mut marks = Marks::default();
    let Some(structured) = record.get("toolUseResult") else { return marks };
    let content = record.at_path(&["message", "content"]);
    let result = content.and_then(|c| c.items().find(|b| b.get_str("type").is_some_and(|t| t.is("tool_result"))));
    if let Some(shown) = result.and_then(|r| r.get("content")) {
        let items = || std::iter::once(shown).chain(shown.items());
        let texts: Vec<Lit<'_>> = items()
            .filter_map(|item| if item.is_string() { Some(item) } else { item.get_str("text") })
            .map(|text| text.canonical_literal())
            .collect();
        let mut budget = COMPARED;
        drop_repeated(structured, &texts, &mut budget, &mut marks);
        drop_images(structured, shown, &mut marks);
    }
    original_files(structured, &mut marks);
    marks
}

/// Leave out every string that one of the texts says too.
fn drop_repeated(value: Value<'_>, texts: &[Lit<'_>], budget: &mut usize, marks: &mut Marks) {
    match value.kind() {
        Kind::String => {
            let literal = value.canonical_literal();
            for text in texts {
                let all = *text == literal && !literal.is_empty();
                // JSON inside of a larger text could not be read from there any more.
                let json = matches!(literal.first(), Some(b'{' | b'['));
                if all || (literal.len() >= LONG && !json && repeats(text, &literal, budget)) {
                    marks.leave_out(value.id());
                    return;
                }
            }
        }
        Kind::Array => value.items().for_each(|item| drop_repeated(item, texts, budget, marks)),
        Kind::Object => {
            for (key, member) in value.members() {
                if !is_original(key) && !key.is("structuredPatch") {
                    drop_repeated(member, texts, budget, marks);
                }
            }
        }
        _ => {}
    }
}

fn repeats(text: &[u8], part: &[u8], budget: &mut usize) -> bool {
    if *budget < text.len() {
        return false;
    }
    if part.len() <= text.len() {
        *budget -= text.len();
        if contains(text, part) {
            return true;
        }
    }
    // A file that was read stands in the text with a number before each line.
    contains_numbered(text, part)
}

/// An image stands in the result and in its structured copy.
fn drop_images(structured: Value<'_>, shown: Value<'_>, marks: &mut Marks) {
    let Some(data) = structured.at_path(&["file", "base64"]).filter(|d| d.is_string() && d.literal().len() >= LONG)
    else {
        return;
    };
    if shown.items().filter_map(|item| item.at_path(&["source", "data"])).any(|d| d.literal() == data.literal()) {
        marks.leave_out(data.id());
    }
}

fn is_original(key: Value<'_>) -> bool {
    key.is("originalFile") || key.is("originalFileContents")
}

/// Whole copies of files from before an edit are on the closed list: their digest and length stand in their place.
pub(super) fn original_files(structured: Value<'_>, marks: &mut Marks) {
    for (key, member) in structured.members() {
        if is_original(key) && member.is_string() {
            let mut hasher = blake3::Hasher::new();
            string::decode_pieces(member.literal(), |text| {
                hasher.update(text);
            });
            let json = format!("{{\"blake3\":\"{}\",\"bytes\":{}}}", hasher.finalize().to_hex(), hasher.count());
            marks.replace(member.id(), json.into_bytes());
        }
    }
}
