//! From drafts to lines: ids, times, the ledger, `source.rest`, and the event lines themselves in canonical form.
//!
//! Keeps the law of the prefix: what it writes for a record depends on that record and those before it only.

use std::collections::BTreeMap;

use super::event::{moment, Attribute, Block, Draft, Event, EventType, Lit};
use super::rest::{write_inside, write_rest};
use crate::digest::short;
use crate::hail::ids::Ids;
use crate::hail::stats::{Facts, Literal, Stats, Tokens};
use crate::hail::time::Time;
use crate::json::canonical::Sorter;
use crate::json::salvage::Repairs;
use crate::json::{string, Value};

/// How many records became what (docs/hail.md, coverage ledger).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Records {
    pub blank: u64,
    pub damaged: u64,
    pub folded: u64,
    pub mapped: u64,
    pub opaque: u64,
}

impl Records {
    pub fn read(&self) -> u64 {
        self.blank + self.damaged + self.folded + self.mapped + self.opaque
    }
}

#[derive(Debug)]
pub struct Builder {
    /// Finished event lines that the driver has not taken yet.
    pub out: Vec<u8>,
    pub records: Records,
    pub repairs: Repairs,
    pub unknown_blocks: BTreeMap<String, u64>,
    /// How often, and the number of the first record.
    pub warnings: BTreeMap<&'static str, (u64, u64)>,
    pub stats: Stats,
    ids: Ids,
    /// The time of the event before, as written; before the first: the first known time of the log.
    time: (Time, Vec<u8>),
    sorter: Sorter,
    /// Ids of the records that were folded since the last event, apart by blanks.
    folded: Vec<u8>,
}

/// The bytes of a repaired record, kept on its first event.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(pub &'a [u8]);

impl Builder {
    /// `first` is the first known time of the log; `None` where no record has one.
    pub fn new(first: Option<Time>) -> Builder {
        let mut warnings = BTreeMap::new();
        if first.is_none() {
            warnings.insert("no_time", (1, 1));
        }
        let time = first.unwrap_or(Time::EPOCH);
        Builder {
            out: Vec::new(),
            records: Records::default(),
            repairs: Repairs::default(),
            unknown_blocks: BTreeMap::new(),
            warnings,
            stats: Stats::default(),
            ids: Ids::default(),
            time: (time, written(time)),
            sorter: Sorter::new(),
            folded: Vec::new(),
        }
    }

    pub fn warn(&mut self, what: &'static str) {
        let number = self.records.read();
        self.warnings.entry(what).or_insert((0, number)).0 += 1;
    }

    pub fn blank(&mut self) {
        self.records.blank += 1;
    }

    /// A line without a value: its bytes become an event.
    pub fn damaged(&mut self, line: &[u8]) {
        let draft = whole_text("damaged", line);
        let raw = std::str::from_utf8(line).is_err().then_some(Raw(line));
        self.records.damaged += 1;
        self.write(draft, None, raw, self.records.read());
    }

    /// A value that is nested too deeply to be taken apart.
    pub fn deep(&mut self, text: &[u8], line: &[u8]) {
        self.records.mapped += 1;
        self.write(whole_text("deep", text), None, Some(Raw(line)), self.records.read());
    }

    /// `draft` is that of the next record but `waiting`: settle its id, and fetch where that will be looked for.
    pub fn expect(&self, draft: &mut Draft<'_>, waiting: bool) {
        if draft.events.is_empty() {
            return;
        }
        let number = self.records.read() + 1 + waiting as u64;
        let digest = short(draft.id.get_or_insert_with(|| numbered(number)));
        self.ids.expect(digest);
        draft.digest = Some(digest);
    }

    /// A record that a parser made a draft of.
    pub fn record<'a>(&mut self, value: Value<'a>, mut draft: Draft<'a>, raw: Option<Raw<'_>>) {
        for kind in draft.unknown_blocks.drain(..) {
            *self.unknown_blocks.entry(kind).or_default() += 1;
        }
        if raw.is_some() && draft.events.is_empty() {
            // The bytes of a record that lost something are kept, whatever its twin says.
            draft.push(Event::custom(super::event::lit("repaired")));
        }
        let class = match (draft.opaque, draft.events.is_empty()) {
            (true, _) => &mut self.records.opaque,
            (false, true) => &mut self.records.folded,
            (false, false) => &mut self.records.mapped,
        };
        *class += 1;
        // The ledger counts the record already, so its number is the count.
        let number = self.records.read();
        if !draft.events.is_empty() {
            self.write(draft, Some(value), raw, number);
        } else if let Some(id) = draft.id {
            // The event it was folded into is written already, so the next one names it.
            if !self.folded.is_empty() {
                self.folded.push(b' ');
            }
            self.folded.extend_from_slice(&id);
        }
    }

    fn write<'a>(&mut self, mut draft: Draft<'a>, value: Option<Value<'a>>, raw: Option<Raw<'_>>, number: u64) {
        if let Some(value) = draft.time {
            self.time_is(value, draft.moment.or_else(|| moment(value)));
        }
        draft.marks.finish();
        let own = draft.id.take().unwrap_or_else(|| numbered(number));
        let events = std::mem::take(&mut draft.events);
        let folded = std::mem::take(&mut self.folded);
        for (k, mut event) in events.into_iter().enumerate() {
            let first = k == 0;
            if first && !folded.is_empty() {
                event.attributes.push(("source.folded", Attribute::Text(Lit::Borrowed(&folded))));
            }
            let id = self.unique_id(&own, draft.digest.filter(|_| first), k, number);
            self.write_event(event, &draft, &id, value.filter(|_| first), raw.filter(|_| first));
        }
    }

    /// The record states this time, if it is one.
    fn time_is(&mut self, value: Value<'_>, moment: Option<(Time, bool)>) {
        let Some((time, canonical)) = moment else { return };
        if time != self.time.0 {
            self.time.0 = time;
            self.time.1.clear();
            match canonical {
                true => self.time.1.extend_from_slice(value.literal()),
                false => time.write(&mut self.time.1),
            }
        }
    }

    /// `digest` is that of `own`, where it is known.
    fn unique_id<'o>(&mut self, own: &'o [u8], digest: Option<[u8; 16]>, k: usize, number: u64) -> Lit<'o> {
        let mut id = Lit::Borrowed(own);
        if k > 0 {
            id.to_mut().push(b'#');
            self::number(k as u64, id.to_mut());
        }
        let mut digest = digest.unwrap_or_else(|| short(&id));
        while !self.ids.insert(digest) {
            id.to_mut().extend_from_slice(b"#r");
            self::number(number, id.to_mut());
            digest = short(&id);
        }
        id
    }

    /// One event line. Keys stand in canonical order by construction.
    fn write_event(
        &mut self,
        event: Event<'_>,
        draft: &Draft<'_>,
        id: &[u8],
        rest: Option<Value<'_>>,
        raw: Option<Raw<'_>>,
    ) {
        if self.count(&event, id) {
            self.warn("time_backwards");
        }
        let out = &mut self.out;
        out.push(b'{');
        if write_attributes(&event, draft, rest, raw, out, &mut self.sorter) {
            out.push(b',');
        }
        out.extend_from_slice(b"\"content\":{\"blocks\":[");
        for (n, block) in event.blocks.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            write_block(block, draft, out, &mut self.sorter);
        }
        out.extend_from_slice(b"]},");
        if let Some(ms) = event.duration_ms {
            number_member(b"duration_ms", ms, out);
            out.push(b',');
        }
        member(b"event_id", id, out);
        out.extend_from_slice(b",\"event_type\":{");
        write_type(&event.kind, out);
        out.push(b'}');
        if let Some(task) = &event.task_id {
            out.push(b',');
            member(b"task_id", task, out);
        }
        out.push(b',');
        member(b"timestamp", &self.time.1, out);
        out.extend_from_slice(b",\"type\":\"event\"}\n");
    }

    /// Add the event to the stats; `true` if its time lies before that of the event before it.
    fn count(&mut self, event: &Event<'_>, id: &[u8]) -> bool {
        let literal = |raw| Literal { raw, canonical: true };
        let mut facts = Facts {
            kind: event.kind.kind(),
            id: literal(id),
            time: self.time.0,
            time_at: 0,
            task: event.task_id.as_deref().map(literal),
            path: None,
            diff: None,
            summary: None,
            tokens: Tokens::default(),
        };
        match &event.kind {
            EventType::FileEdit { path, diff } => {
                facts.path = Some(literal(path));
                facts.diff = diff.as_deref().map(literal);
            }
            EventType::FileCreate { path } | EventType::FileDelete { path } => facts.path = Some(literal(path)),
            EventType::TaskEnd { summary } => facts.summary = summary.as_deref().map(literal),
            _ => {}
        }
        for (key, value) in &event.attributes {
            if let Attribute::Number(n) = value {
                match *key {
                    "input_tokens" => facts.tokens.input = Some(*n),
                    "output_tokens" => facts.tokens.output = Some(*n),
                    "input_tokens_total" => facts.tokens.input_total = Some(*n),
                    "output_tokens_total" => facts.tokens.output_total = Some(*n),
                    _ => {}
                }
            }
        }
        self.stats.add(&facts)
    }
}

/// The id of a record without one.
fn numbered(number: u64) -> Lit<'static> {
    let mut id = Vec::with_capacity(24);
    id.push(b'#');
    self::number(number, &mut id);
    Lit::Owned(id)
}

fn whole_text<'a>(kind: &'static str, text: &'a [u8]) -> Draft<'a> {
    let mut literal = Vec::with_capacity(text.len() + text.len() / 8);
    string::encode_into(String::from_utf8_lossy(text).as_bytes(), &mut literal);
    let event = Event::custom(super::event::lit(kind)).block(Block::Text(Lit::Owned(literal)));
    Draft { events: vec![event], ..Draft::default() }
}

fn written(time: Time) -> Vec<u8> {
    let mut text = Vec::with_capacity(32);
    time.write(&mut text);
    text
}

/// The time a record states, if it is one that HAIL knows.
pub fn record_time(value: Value<'_>) -> Option<Time> {
    moment(value).map(|(time, _)| time)
}

fn quoted(literal: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(literal);
    out.push(b'"');
}

fn member(key: &[u8], literal: &[u8], out: &mut Vec<u8>) {
    quoted(key, out);
    out.push(b':');
    quoted(literal, out);
}

fn number_member(key: &[u8], value: u64, out: &mut Vec<u8>) {
    quoted(key, out);
    out.push(b':');
    number(value, out);
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Write `"attributes":{…}`; false, and nothing written, where there are none. `rest` is the record, for what of it no
/// event holds.
fn write_attributes(
    event: &Event<'_>,
    draft: &Draft<'_>,
    rest: Option<Value<'_>>,
    raw: Option<Raw<'_>>,
    out: &mut Vec<u8>,
    sorter: &mut Sorter,
) -> bool {
    enum Of<'e> {
        Attribute(&'e Attribute<'e>),
        Json(&'e [u8]),
        Text(&'e [u8]),
        Rest(Value<'e>),
    }
    let mut all: Vec<(&str, Of<'_>)> = Vec::with_capacity(event.attributes.len() + 4);
    all.extend(event.attributes.iter().map(|(k, v)| (*k, Of::Attribute(v))));
    if let Some(kind) = &draft.raw_type {
        all.push(("source.raw_type", Of::Text(kind)));
    }
    if let Some(record) = rest {
        all.push(("source.rest", Of::Rest(record)));
    }
    let mut kept = Vec::new();
    if let Some(Raw(bytes)) = raw {
        match std::str::from_utf8(bytes) {
            Ok(_) => string::write(bytes, &mut kept),
            Err(_) => {
                string::write(base64(bytes).as_bytes(), &mut kept);
                all.push(("source.raw_encoding", Of::Text(b"base64")));
            }
        }
        all.push(("source.raw", Of::Json(&kept)));
    }
    all.sort_unstable_by_key(|a| a.0);
    let from = out.len();
    out.extend_from_slice(b"\"attributes\":{");
    let mut some = false;
    for (key, value) in &all {
        let before = out.len();
        if some {
            out.push(b',');
        }
        quoted(key.as_bytes(), out);
        out.push(b':');
        match value {
            Of::Attribute(Attribute::Text(text)) => quoted(text, out),
            Of::Attribute(Attribute::Number(v)) => number(*v, out),
            Of::Text(text) => quoted(text, out),
            Of::Json(json) => out.extend_from_slice(json),
            Of::Rest(record) => {
                if !write_rest(*record, &draft.marks, out, sorter) {
                    out.truncate(before);
                    continue;
                }
            }
        }
        some = true;
    }
    if !some {
        out.truncate(from);
        return false;
    }
    out.push(b'}');
    true
}

fn write_block(block: &Block<'_>, draft: &Draft<'_>, out: &mut Vec<u8>, sorter: &mut Sorter) {
    match block {
        Block::Text(text) => {
            out.extend_from_slice(b"{\"text\":");
            quoted(text, out);
            out.extend_from_slice(b",\"type\":\"Text\"}");
        }
        Block::Code { code, language, start_line } => {
            out.push(b'{');
            member(b"code", code, out);
            if let Some(language) = language {
                out.push(b',');
                member(b"language", language.as_bytes(), out);
            }
            if let Some(line) = start_line {
                out.push(b',');
                number_member(b"start_line", *line, out);
            }
            out.extend_from_slice(b",\"type\":\"Code\"}");
        }
        Block::Image { url, mime } => {
            out.push(b'{');
            member(b"mime", mime, out);
            out.extend_from_slice(b",\"type\":\"Image\",");
            member(b"url", url, out);
            out.push(b'}');
        }
        Block::File { path, content } => {
            out.push(b'{');
            if let Some(content) = content {
                member(b"content", content, out);
                out.push(b',');
            }
            member(b"path", path, out);
            out.extend_from_slice(b",\"type\":\"File\"}");
        }
        Block::Json(value) => {
            out.extend_from_slice(b"{\"data\":");
            if !write_inside(*value, &draft.marks, out, sorter) {
                out.extend_from_slice(b"{}");
            }
            out.extend_from_slice(b",\"type\":\"Json\"}");
        }
        Block::OwnedJson(json) => {
            out.extend_from_slice(b"{\"data\":");
            out.extend_from_slice(json);
            out.extend_from_slice(b",\"type\":\"Json\"}");
        }
    }
}

/// The members of `event_type`, `data` before `type`, the members of `data` in canonical order.
fn write_type(kind: &EventType<'_>, out: &mut Vec<u8>) {
    let one = |key: &[u8], value: &Lit<'_>, name: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(b"\"data\":{");
        member(key, value, out);
        out.extend_from_slice(b"},");
        member(b"type", name.as_bytes(), out);
    };
    let optional = |key: &[u8], value: &Option<Lit<'_>>, name: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(b"\"data\":{");
        if let Some(value) = value {
            member(key, value, out);
        }
        out.extend_from_slice(b"},");
        member(b"type", name.as_bytes(), out);
    };
    match kind {
        EventType::UserMessage => member(b"type", b"UserMessage", out),
        EventType::AgentMessage => member(b"type", b"AgentMessage", out),
        EventType::SystemMessage => member(b"type", b"SystemMessage", out),
        EventType::Thinking => member(b"type", b"Thinking", out),
        EventType::ToolCall { name } => one(b"name", name, "ToolCall", out),
        EventType::FileRead { path } => one(b"path", path, "FileRead", out),
        EventType::FileCreate { path } => one(b"path", path, "FileCreate", out),
        EventType::FileDelete { path } => one(b"path", path, "FileDelete", out),
        EventType::CodeSearch { query } => one(b"query", query, "CodeSearch", out),
        EventType::FileSearch { pattern } => one(b"pattern", pattern, "FileSearch", out),
        EventType::ShellCommand { command } => one(b"command", command, "ShellCommand", out),
        EventType::ImageGenerate { prompt } => one(b"prompt", prompt, "ImageGenerate", out),
        EventType::WebSearch { query } => one(b"query", query, "WebSearch", out),
        EventType::WebFetch { url } => one(b"url", url, "WebFetch", out),
        EventType::TaskStart { title } => optional(b"title", title, "TaskStart", out),
        EventType::TaskEnd { summary } => optional(b"summary", summary, "TaskEnd", out),
        EventType::Custom { kind } => one(b"kind", kind, "Custom", out),
        EventType::FileEdit { path, diff } => {
            out.extend_from_slice(b"\"data\":{");
            if let Some(diff) = diff {
                member(b"diff", diff, out);
                out.push(b',');
            }
            member(b"path", path, out);
            out.extend_from_slice(b"},\"type\":\"FileEdit\"");
        }
        EventType::ToolResult { name, is_error, call_id, exit_code } => {
            out.extend_from_slice(b"\"data\":{");
            if let Some(id) = call_id {
                member(b"call_id", id, out);
                out.push(b',');
            }
            if let Some(code) = exit_code {
                out.extend_from_slice(format!("\"exit_code\":{code},").as_bytes());
            }
            out.extend_from_slice(if *is_error { b"\"is_error\":true," } else { b"\"is_error\":false," });
            member(b"name", name, out);
            out.extend_from_slice(b"},\"type\":\"ToolResult\"");
        }
    }
}

/// RFC 4648 base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word =
            (group[0] as u32) << 16 | (*group.get(1).unwrap_or(&0) as u32) << 8 | *group.get(2).unwrap_or(&0) as u32;
        for k in 0..4 {
            let c = ALPHABET[(word >> (18 - 6 * k) & 63) as usize];
            text.push(if k <= group.len() { c as char } else { '=' });
        }
    }
    text
}
