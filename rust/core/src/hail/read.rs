//! The full reader: any line of HAIL from its tape. It says what is wrong and where, and what the canonical form changes.

use super::model::{self, Data, EventKind, Field, Ty};
use super::report::Header;
use super::stats::{Facts, Literal, Tokens};
use super::time::{self, Time};
use super::warnings::Warning;
use super::write::Edits;
use crate::json::{canonical, number, Value};
use crate::Code;

/// A reason to refuse a line, and the offset of the value it is about.
#[derive(Debug)]
pub struct Refusal {
    pub code: Code,
    pub at: usize,
    pub reason: String,
}

type Read<T> = Result<T, Refusal>;

#[cold]
fn refuse<T>(code: Code, at: Value<'_>, reason: impl Into<String>) -> Read<T> {
    Err(Refusal { code, at: at.offset(), reason: reason.into() })
}

/// A member: its key and its value.
type Member<'t> = (Value<'t>, Value<'t>);

/// The members of these names.
#[inline]
fn pick<'t, const N: usize>(object: Value<'t>, names: [&str; N]) -> [Option<Member<'t>>; N] {
    let mut found = [None; N];
    for (key, value) in object.members() {
        for (slot, name) in found.iter_mut().zip(names) {
            if key.is(name) {
                *slot = Some((key, value));
                break;
            }
        }
    }
    found
}

fn object<'t>(value: Value<'t>, name: &str) -> Read<Value<'t>> {
    if value.is_object() {
        Ok(value)
    } else {
        refuse(Code::HailSchema, value, format!("`{name}` must be an object"))
    }
}

fn required<'t>(owner: Value<'t>, member: Option<Member<'t>>, name: &str) -> Read<Value<'t>> {
    match member {
        Some((_, value)) => Ok(value),
        None => refuse(Code::HailSchema, owner, format!("`{name}` is missing")),
    }
}

/// An optional member; `null` means absent and is dropped.
fn optional<'t>(member: Option<Member<'t>>, edits: &mut Edits) -> Option<Value<'t>> {
    let (key, value) = member?;
    if value.is_null() {
        edits.drop_member(key);
        return None;
    }
    Some(value)
}

/// Check that `value` is of type `ty`.
#[inline]
fn typed(value: Value<'_>, name: &str, ty: Ty) -> Read<()> {
    let fits = match ty {
        Ty::Text | Ty::Filled => value.is_string(),
        Ty::Bool => value.bool().is_some(),
        Ty::I64 => value.i64().is_some(),
        Ty::U64 => value.u64().is_some(),
        Ty::Any => true,
    };
    if !fits {
        return refuse(Code::HailSchema, value, format!("`{name}` must be {}", ty.name()));
    }
    if ty == Ty::Filled && value.literal().is_empty() {
        return refuse(Code::HailInvalid, value, format!("`{name}` must not be empty"));
    }
    Ok(())
}

fn literal<'t>(owner: Value<'t>, member: Option<Member<'t>>, name: &str, ty: Ty) -> Read<Literal<'t>> {
    let value = required(owner, member, name)?;
    typed(value, name, ty)?;
    Ok(Literal { raw: value.literal(), canonical: value.is_canonical() })
}

/// A field that is a time; one that is not written canonically is an edit.
fn moment<'t>(owner: Value<'t>, member: Option<Member<'t>>, name: &str, edits: &mut Edits) -> Read<(Value<'t>, Time)> {
    let value = required(owner, member, name)?;
    typed(value, name, Ty::Text)?;
    let text = value.text().unwrap_or_default();
    let Some((time, canonical)) = time::parse(&text) else {
        let reason = format!("`{name}` must be a time like 2026-02-14T00:00:00Z, of a year from 0000 to 9999 in UTC");
        return refuse(Code::HailSchema, value, reason);
    };
    // A canonical time holds nothing that JSON could spell in another way, except by needless escapes.
    if !canonical || !value.is_canonical() {
        edits.set_time(value, time);
    }
    Ok((value, time))
}

/// Check the fields of `data` or of a block; the others are kept whatever they are.
fn fields(owner: Value<'_>, list: &[Field], edits: &mut Edits) -> Read<()> {
    let mut missing: u32 = list.iter().enumerate().filter(|(_, f)| !f.optional).map(|(k, _)| 1 << k).sum();
    for (key, value) in owner.members() {
        let Some(at) = list.iter().position(|f| key.is(f.name)) else { continue };
        let field = &list[at];
        missing &= !(1 << at);
        if field.optional && value.is_null() {
            edits.drop_member(key);
        } else {
            typed(value, field.name, field.ty)?;
        }
    }
    if missing != 0 {
        return refuse(
            Code::HailSchema,
            owner,
            format!("`{}` is missing", list[missing.trailing_zeros() as usize].name),
        );
    }
    Ok(())
}

/// Read an event line. `warn` is told what is worth a warning, and at which offset.
pub fn event<'t>(line: Value<'t>, edits: &mut Edits, warn: &mut dyn FnMut(Warning, usize)) -> Read<Facts<'t>> {
    let [attributes, content, duration, id, event_type, task, timestamp] =
        pick(line, ["attributes", "content", "duration_ms", "event_id", "event_type", "task_id", "timestamp"]);
    let tokens = token_attributes(attributes, edits, warn)?;
    let content = object(required(line, content, "content")?, "content")?;
    blocks(content, edits, warn)?;
    if let Some(duration) = optional(duration, edits) {
        typed(duration, "duration_ms", Ty::U64)?;
    }
    let id = literal(line, id, "event_id", Ty::Filled)?;
    let (kind, data) = event_type_of(object(required(line, event_type, "event_type")?, "event_type")?, edits, warn)?;
    let task = match optional(task, edits) {
        Some(task) => Some(typed(task, "task_id", Ty::Text).map(|()| of(task))?),
        None => None,
    };
    let (at, time) = moment(line, timestamp, "timestamp", edits)?;
    let text = |name: &str| data.and_then(|d| d.get_str(name)).map(of);
    let (mut path, mut diff, mut summary) = (None, None, None);
    match kind {
        EventKind::FileEdit => (path, diff) = (text("path"), text("diff")),
        EventKind::FileCreate | EventKind::FileDelete => path = text("path"),
        EventKind::TaskEnd => summary = text("summary"),
        _ => {}
    }
    Ok(Facts { kind, id, time, time_at: at.offset(), task, path, diff, summary, tokens })
}

fn of(value: Value<'_>) -> Literal<'_> {
    Literal { raw: value.literal(), canonical: value.is_canonical() }
}

fn token_attributes(
    member: Option<Member<'_>>,
    edits: &mut Edits,
    warn: &mut dyn FnMut(Warning, usize),
) -> Read<Tokens> {
    let mut tokens = Tokens::default();
    let Some(attributes) = optional(member, edits) else { return Ok(tokens) };
    object(attributes, "attributes")?;
    if let (Some((key, _)), None) = (member, attributes.members().next()) {
        edits.drop_member(key);
    }
    for (key, value) in attributes.members() {
        let token = if key.is_escaped() {
            model::token_key(&key.text().unwrap_or_default())
        } else {
            model::token_key(key.literal())
        };
        let Some(token) = token else { continue };
        let mut text = Vec::new();
        if value.kind() == crate::json::Kind::Number {
            number::write(value.raw(), &mut text);
        }
        if !tokens.take(token, &text) {
            warn(Warning::TokenAttribute, value.offset());
        }
    }
    Ok(tokens)
}

fn blocks(content: Value<'_>, edits: &mut Edits, warn: &mut dyn FnMut(Warning, usize)) -> Read<()> {
    let [blocks] = pick(content, ["blocks"]);
    let blocks = required(content, blocks, "blocks")?;
    if !blocks.is_array() {
        return refuse(Code::HailSchema, blocks, "`blocks` must be an array");
    }
    for block in blocks.items() {
        if !block.is_object() {
            return refuse(Code::HailSchema, block, "a content block must be an object");
        }
        let [kind] = pick(block, ["type"]);
        let kind = required(block, kind, "type")?;
        typed(kind, "type", Ty::Text)?;
        match model::block(&kind.text().unwrap_or_default()) {
            Some(list) => fields(block, list, edits)?,
            None => warn(Warning::UnknownBlockType, kind.offset()),
        }
    }
    Ok(())
}

fn event_type_of<'t>(
    owner: Value<'t>,
    edits: &mut Edits,
    warn: &mut dyn FnMut(Warning, usize),
) -> Read<(EventKind, Option<Value<'t>>)> {
    let [kind, data] = pick(owner, ["type", "data"]);
    let name = required(owner, kind, "type")?;
    typed(name, "type", Ty::Text)?;
    let (kind, rule) = model::event(&name.text().unwrap_or_default());
    match rule {
        Data::None => {
            if let Some((key, value)) = data {
                if value.is_null() || object(value, "data")?.members().next().is_none() {
                    edits.drop_member(key);
                }
            }
            Ok((kind, None))
        }
        Data::Fields(list) => {
            let data = object(required(owner, data, "data")?, "data")?;
            fields(data, list, edits)?;
            Ok((kind, Some(data)))
        }
        Data::Default(list) => {
            let Some(data) = optional(data, edits) else {
                edits.add_member(owner, "data", "{}");
                return Ok((kind, None));
            };
            fields(object(data, "data")?, list, edits)?;
            Ok((kind, Some(data)))
        }
        Data::Free => {
            warn(Warning::UnknownEventType, name.offset());
            Ok((kind, None))
        }
    }
}

/// Read a header line.
pub fn header(line: Value<'_>, edits: &mut Edits) -> Read<Header> {
    let [version, session_id, agent, context] = pick(line, ["version", "session_id", "agent", "context"]);
    let version = required(line, version, "version")?;
    typed(version, "version", Ty::Text)?;
    let version_text = version.string().unwrap_or_default();
    if !model::readable(version_text.as_bytes()) {
        return refuse(Code::HailVersion, version, other_version(&version_text));
    }
    let mut header = Header { version: version_text, ..Header::default() };
    header.session_id = text(literal(line, session_id, "session_id", Ty::Filled)?);
    let agent = object(required(line, agent, "agent")?, "agent")?;
    let [provider, model, tool, tool_version] = pick(agent, ["provider", "model", "tool", "tool_version"]);
    header.provider = text(literal(agent, provider, "provider", Ty::Filled)?);
    header.model = text(literal(agent, model, "model", Ty::Text)?);
    header.tool = text(literal(agent, tool, "tool", Ty::Filled)?);
    header.tool_version = optional_text(tool_version, "tool_version", edits)?;
    context_of(object(required(line, context, "context")?, "context")?, &mut header, edits)?;
    Ok(header)
}

fn other_version(version: &str) -> String {
    // A version is shown as typed, but not just any text that stands in its place.
    let fine = version.len() <= 32 && version.bytes().all(|c| c.is_ascii_graphic() && c != b'"');
    let named = if fine { format!("\"{version}\"") } else { "of this file".to_owned() };
    format!("the version {named} is not one that this program reads (hail-1.0.x)")
}

fn text(literal: Literal<'_>) -> String {
    String::from_utf8_lossy(&literal.text()).into_owned()
}

fn optional_text(member: Option<Member<'_>>, name: &str, edits: &mut Edits) -> Read<Option<String>> {
    let Some(value) = optional(member, edits) else { return Ok(None) };
    typed(value, name, Ty::Text)?;
    Ok(value.string())
}

fn context_of(context: Value<'_>, header: &mut Header, edits: &mut Edits) -> Read<()> {
    let [title, description, tags, created, updated, related, attributes] = pick(
        context,
        ["title", "description", "tags", "created_at", "updated_at", "related_session_ids", "attributes"],
    );
    header.title = optional_text(title, "title", edits)?;
    optional_text(description, "description", edits)?;
    match optional(tags, edits) {
        Some(tags) => texts(tags, "tags")?,
        None => edits.add_member(context, "tags", "[]"),
    }
    header.created_at = moment(context, created, "created_at", edits)?.1;
    header.updated_at = moment(context, updated, "updated_at", edits)?.1;
    if let Some(list) = optional(related, edits) {
        texts(list, "related_session_ids")?;
        drop_empty(related, list.items().next().is_none(), edits);
    }
    if let Some(attributes_) = optional(attributes, edits) {
        object(attributes_, "attributes")?;
        drop_empty(attributes, attributes_.members().next().is_none(), edits);
        let text = |name: &str| attributes_.get(name).and_then(Value::string);
        header.cwd = text("cwd");
        header.session_role = text("session_role");
        header.parent_session_id = text("parent_session_id");
    }
    Ok(())
}

fn drop_empty(member: Option<Member<'_>>, empty: bool, edits: &mut Edits) {
    if let (Some((key, _)), true) = (member, empty) {
        edits.drop_member(key);
    }
}

fn texts(list: Value<'_>, name: &str) -> Read<()> {
    if !list.is_array() {
        return refuse(Code::HailSchema, list, format!("`{name}` must be an array of strings"));
    }
    match list.items().find(|item| !item.is_string()) {
        Some(item) => refuse(Code::HailSchema, item, format!("`{name}` must be an array of strings")),
        None => Ok(()),
    }
}

/// Read a stats line: its `source` in canonical form; the rest is computed again.
pub fn stats(line: Value<'_>) -> Read<Option<Vec<u8>>> {
    let [source] = pick(line, ["source"]);
    match source {
        Some((_, source)) if !source.is_null() => {
            object(source, "source")?;
            let mut out = Vec::new();
            canonical::write(source, &mut out);
            Ok(Some(out))
        }
        _ => Ok(None),
    }
}
