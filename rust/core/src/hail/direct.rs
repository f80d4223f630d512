//! The quick writer: an event line in any order of keys becomes canonical in one pass, without a tape.
//!
//! Like the quick reader it knows only what is usual: known fields, known types, no `null`, no mistake. For everything
//! else it answers `None` and the full reader decides. Its answer must be the full reader's, byte by byte (a property
//! test compares the two).

use super::check::{fit, Members};
use super::model::{self, Data, EventKind};
use super::stats::{Facts, Literal, Tokens};
use super::time::{self, Time};
use crate::json::rewrite::{Rewriter, Span, Storage};
use crate::json::{number, MAX_DEPTH};

/// From where to where a value stands in the output.
type Range = (usize, usize);

/// The values of a line, wherever they stood in it.
#[derive(Default)]
struct Slots<'b> {
    attributes: Option<Range>,
    content: Option<Range>,
    duration: Option<Range>,
    id: Option<(Range, Literal<'b>)>,
    event_type: Option<EventType<'b>>,
    task: Option<(Range, Literal<'b>)>,
    time: Option<Moment>,
    is_event: bool,
    tokens: Tokens,
}

struct Moment {
    at: usize,
    time: Time,
    /// The text, where it is canonical.
    text: Option<Range>,
}

struct EventType<'b> {
    kind: EventKind,
    name: &'b [u8],
    data: Option<Range>,
    members: Members,
}

type Writer<'b, 's> = Rewriter<'b, 's>;

/// The fields of an event.
#[derive(Clone, Copy)]
enum Field {
    Attributes,
    Content,
    Duration,
    Id,
    EventType,
    Task,
    Time,
    Type,
}

impl Field {
    /// The field whose key is at `i`, and the offset of its value.
    #[inline(always)]
    fn read(b: &[u8], w: &mut Writer<'_, '_>, i: usize) -> Option<(Field, usize)> {
        // Without white space, as programs write it, one comparison with a constant reads key and colon.
        let mut known = |field: Field, key: &[u8]| {
            let value = i + key.len();
            if b[i..].starts_with(key) && b[value] > b' ' {
                Some((field, value))
            } else {
                Field::spaced(b, w, i)
            }
        };
        match [b[i + 1], b[i + 2], b[i + 7]] {
            [b'a', ..] => known(Field::Attributes, b"\"attributes\":"),
            [b'c', ..] => known(Field::Content, b"\"content\":"),
            [b'd', ..] => known(Field::Duration, b"\"duration_ms\":"),
            [b'e', _, b'i'] => known(Field::Id, b"\"event_id\":"),
            [b'e', ..] => known(Field::EventType, b"\"event_type\":"),
            [_, b'a', _] => known(Field::Task, b"\"task_id\":"),
            [_, b'i', _] => known(Field::Time, b"\"timestamp\":"),
            _ => known(Field::Type, b"\"type\":"),
        }
    }

    /// The same with white space or escapes.
    #[inline(never)]
    fn spaced(b: &[u8], w: &mut Writer<'_, '_>, i: usize) -> Option<(Field, usize)> {
        let (key, value) = w.key(i)?;
        let field = match key.literal(b) {
            b"attributes" => Field::Attributes,
            b"content" => Field::Content,
            b"duration_ms" => Field::Duration,
            b"event_id" => Field::Id,
            b"event_type" => Field::EventType,
            b"task_id" => Field::Task,
            b"timestamp" => Field::Time,
            b"type" => Field::Type,
            _ => return None,
        };
        Some((field, value))
    }
}

/// Read the event at `at` of a padded buffer and append its canonical line, without LF, to `out`.
///
/// Returns its facts and the offset after its closing brace. After `None` nothing was appended.
#[inline(always)]
pub fn event<'b>(b: &'b [u8], at: usize, storage: &mut Storage, out: &mut Vec<u8>) -> Option<(Facts<'b>, usize)> {
    let mut slots = Slots::default();
    let mut w = Rewriter::new(b, at, storage);
    let start = w.skip(at);
    let end = w.members(start, &mut |w, i| slots.member(b, w, i))?;
    let (_, id) = slots.id?;
    let event_type = slots.event_type.as_ref()?;
    let moment = slots.time.as_ref()?;
    if !slots.is_event || slots.content.is_none() {
        return None;
    }
    slots.write(&mut w, end, out);
    let text = |name: &[u8]| {
        let raw = event_type.members.text(b, name)?;
        // Whether its spelling is canonical was not kept; if it holds an escape, it is spelled again.
        Some(Literal { raw, canonical: !raw.contains(&b'\\') })
    };
    let (mut path, mut diff, mut summary) = (None, None, None);
    match event_type.kind {
        EventKind::FileEdit => (path, diff) = (text(b"path"), text(b"diff")),
        EventKind::FileCreate | EventKind::FileDelete => path = text(b"path"),
        EventKind::TaskEnd => summary = text(b"summary"),
        _ => {}
    }
    let (kind, time, time_at, task) = (event_type.kind, moment.time, moment.at, slots.task.map(|t| t.1));
    Some((Facts { kind, id, time, time_at, task, path, diff, summary, tokens: slots.tokens }, end))
}

/// Fill a slot, once.
#[inline(always)]
fn put<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    match slot.replace(value) {
        None => Some(()),
        Some(_) => None,
    }
}

impl<'b> Slots<'b> {
    #[inline(always)]
    fn member(&mut self, b: &'b [u8], w: &mut Writer<'b, '_>, i: usize) -> Option<usize> {
        let (field, i) = Field::read(b, w, i)?;
        let start = w.at(i);
        let end;
        match field {
            Field::Attributes => {
                end = self.attributes(b, w, i)?;
                put(&mut self.attributes, (start, w.at(end)))?;
            }
            Field::Content => {
                let mut blocks = false;
                end = w.members(i, &mut |w, i| {
                    let (key, i) = w.key(i)?;
                    let first = !std::mem::replace(&mut blocks, true);
                    (first && key.literal(b) == b"blocks" && b[i] == b'[').then_some(())?;
                    w.array(i, &mut |w, i| block(b, w, i))
                })?;
                put(&mut self.content, (start, w.at(end)))?;
                blocks.then_some(())?;
            }
            Field::Duration => {
                end = w.value(i, 0)?;
                number::as_u64(&b[i..end])?;
                put(&mut self.duration, (start, w.at(end)))?;
            }
            Field::Id => {
                let id = literal(b, w.string(i)?);
                (!id.raw.is_empty()).then_some(())?;
                end = i + id.raw.len() + 2;
                put(&mut self.id, ((start, w.at(end)), id))?;
            }
            Field::EventType => {
                let (event_type, after) = EventType::read(b, w, i)?;
                end = after;
                put(&mut self.event_type, event_type)?;
            }
            Field::Task => {
                let task = literal(b, w.string(i)?);
                end = i + task.raw.len() + 2;
                put(&mut self.task, ((start, w.at(end)), task))?;
            }
            Field::Time => {
                let text = w.string(i)?;
                end = text.after();
                let (time, canonical) = time::parse(text.literal(b))?;
                put(&mut self.time, Moment { at: i, time, text: canonical.then_some((start, w.at(end))) })?;
            }
            Field::Type => {
                let name = w.string(i)?;
                end = name.after();
                (name.literal(b) == b"event" && !std::mem::replace(&mut self.is_event, true)).then_some(())?;
            }
        }
        Some(end)
    }

    #[inline(always)]
    fn attributes(&mut self, b: &'b [u8], w: &mut Writer<'b, '_>, i: usize) -> Option<usize> {
        let mut any = false;
        let tokens = &mut self.tokens;
        let end = w.object(i, &mut |w, key, i| {
            any = true;
            let end = w.value(i, MAX_DEPTH - 2)?;
            if !key.canonical {
                return None;
            }
            match model::token_key(key.literal(b)) {
                Some(token) if !tokens.take(token, &b[i..end]) => None,
                _ => Some(end),
            }
        })?;
        any.then_some(end)
    }

    /// The canonical line.
    #[inline(always)]
    fn write(&self, w: &mut Writer<'b, '_>, end: usize, out: &mut Vec<u8>) {
        let text = w.text(end);
        out.push(b'{');
        let mut part = |before: &[u8], range: Option<Range>| {
            if let Some(range) = range {
                out.extend_from_slice(before);
                out.extend_from_slice(text.get(range));
            }
        };
        part(b"\"attributes\":", self.attributes);
        part(if self.attributes.is_some() { b",\"content\":" } else { b"\"content\":" }, self.content);
        part(b",\"duration_ms\":", self.duration);
        part(b",\"event_id\":", self.id.map(|id| id.0));
        if let Some(event_type) = &self.event_type {
            part(b",\"event_type\":{\"data\":", event_type.data);
            let before: &[u8] =
                if event_type.data.is_some() { b",\"type\":\"" } else { b",\"event_type\":{\"type\":\"" };
            out.extend_from_slice(before);
            out.extend_from_slice(event_type.name);
            out.extend_from_slice(b"\"}");
        }
        if let Some((task, _)) = self.task {
            out.extend_from_slice(b",\"task_id\":");
            out.extend_from_slice(text.get(task));
        }
        if let Some(moment) = &self.time {
            out.extend_from_slice(b",\"timestamp\":");
            match moment.text {
                Some(range) => out.extend_from_slice(text.get(range)),
                None => {
                    out.push(b'"');
                    moment.time.write(out);
                    out.push(b'"');
                }
            }
        }
        out.extend_from_slice(b",\"type\":\"event\"}");
    }
}

fn literal(b: &[u8], text: Span) -> Literal<'_> {
    Literal { raw: text.literal(b), canonical: text.canonical }
}

/// An object of the schema, put in order; its members are noted. Returns the offset after it.
#[inline(always)]
fn object(w: &mut Writer<'_, '_>, i: usize, depth: usize, members: &mut Members) -> Option<usize> {
    w.object(i, &mut |w, key, i| {
        let end = w.value(i, depth)?;
        (key.canonical && members.push(key.place(), (i, end))).then_some(end)
    })
}

#[inline(always)]
fn block<'b>(b: &'b [u8], w: &mut Writer<'b, '_>, i: usize) -> Option<usize> {
    const TEXT: &[u8] = b"{\"type\":\"Text\",\"text\":";
    if b[i..].starts_with(TEXT) {
        // Nine of ten blocks, as most programs write them.
        let from = i + TEXT.len();
        w.replace(i, from, b"{\"text\":");
        let end = w.string(from)?.after();
        if b[end] != b'}' {
            return None;
        }
        w.replace(end, end + 1, b",\"type\":\"Text\"}");
        return Some(end + 1);
    }
    let mut members = Members::default();
    let end = object(w, i, MAX_DEPTH - 4, &mut members)?;
    fit(b, &members, model::block(members.text(b, b"type")?)?).then_some(end)
}

impl<'b> EventType<'b> {
    #[inline(always)]
    fn read(b: &'b [u8], w: &mut Writer<'b, '_>, i: usize) -> Option<(EventType<'b>, usize)> {
        let mut name = None;
        let mut data = None;
        let mut members = Members::default();
        let end = w.members(i, &mut |w, i| {
            let (key, i) = w.key(i)?;
            match key.literal(b) {
                b"type" => {
                    let text = w.string(i)?;
                    put(&mut name, text.literal(b))?;
                    Some(text.after())
                }
                b"data" => {
                    let start = w.at(i);
                    let end = object(w, i, MAX_DEPTH - 3, &mut members)?;
                    put(&mut data, (start, w.at(end)))?;
                    Some(end)
                }
                _ => None,
            }
        })?;
        let name = name?;
        let (kind, rule) = model::event(name);
        match (rule, data) {
            (Data::None, None) => {}
            (Data::Fields(fields) | Data::Default(fields), Some(_)) => fit(b, &members, fields).then_some(())?,
            _ => return None,
        }
        Some((EventType { kind, name, data, members }, end))
    }
}
