//! The quick reader: is this event line canonical and valid, and what does it say?
//!
//! It reads the text once, from left to right, as the canonical order of keys allows: no tape, no allocation. Whatever it
//! does not expect (another order, an unknown type, `null`, a mistake) it answers with `None`, and the full reader
//! (`read.rs`) says what is so. So a rule that is missing here costs time, never correctness; but nothing may pass
//! here that the full reader refuses or changes.

use super::model::{self, Data, EventKind, Field, Ty};
use super::stats::{Facts, Literal, Tokens};
use super::time::{self, Time};
use crate::json::{check, number, MAX_DEPTH};

/// Members of `data` or of a block that are looked at here; those with more go to the full reader.
const MANY: usize = 6;

/// The members of a small object: where the key's literal and the value begin and end. Small, because it is zeroed for
/// every event.
#[derive(Default, Clone, Copy)]
pub(super) struct Members {
    list: [[u32; 4]; MANY],
    n: usize,
}

impl Members {
    /// False if there are too many.
    #[inline(always)]
    pub fn push(&mut self, key: (usize, usize), value: (usize, usize)) -> bool {
        let Some(slot) = self.list.get_mut(self.n) else { return false };
        *slot = [key.0 as u32, key.1 as u32, value.0 as u32, value.1 as u32];
        self.n += 1;
        true
    }

    /// Key and value of each.
    #[inline(always)]
    fn each<'b>(&self, b: &'b [u8]) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + use<'_, 'b> {
        self.list[..self.n].iter().map(|m| (&b[m[0] as usize..m[1] as usize], &b[m[2] as usize..m[3] as usize]))
    }

    /// The literal of the string `name`.
    #[inline(always)]
    pub fn text<'b>(&self, b: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
        let (_, value) = self.each(b).find(|m| m.0 == name)?;
        value.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }
}

/// Read the event at `at` of a padded buffer ([`crate::json::scan::PAD`] bytes after the text).
///
/// Returns its facts and the offset after its closing brace: the caller looks for the LF.
#[inline(always)]
pub fn event(b: &[u8], at: usize) -> Option<(Facts<'_>, usize)> {
    let mut c = Cursor { b, i: at };
    let mut tokens = Tokens::default();
    c.eat(b"{\"")?;
    if c.ate(b"attributes\":{") {
        c.attributes(&mut tokens)?;
        c.eat(b",\"")?;
    }
    c.eat(b"content\":{\"blocks\":[")?;
    c.blocks()?;
    c.eat(b"},\"")?;
    if c.ate(b"duration_ms\":") {
        c.unsigned()?;
        c.eat(b",\"")?;
    }
    c.eat(b"event_id\":")?;
    let id = c.string().filter(|id| !id.raw.is_empty())?;
    c.eat(b",\"event_type\":{\"")?;
    let mut facts = Facts {
        kind: EventKind::Unknown,
        id,
        time: Time::EPOCH,
        time_at: 0,
        task: None,
        path: None,
        diff: None,
        summary: None,
        tokens,
    };
    c.event_type(&mut facts)?;
    c.eat(b",\"")?;
    if c.ate(b"task_id\":") {
        facts.task = Some(c.string()?);
        c.eat(b",\"")?;
    }
    c.eat(b"timestamp\":")?;
    facts.time_at = c.i;
    let (time, canonical) = time::parse(c.string()?.raw)?;
    facts.time = time;
    c.eat(b",\"type\":\"event\"}")?;
    canonical.then_some((facts, c.i))
}

struct Cursor<'b> {
    b: &'b [u8],
    i: usize,
}

impl<'b> Cursor<'b> {
    #[inline(always)]
    fn ate(&mut self, text: &[u8]) -> bool {
        let yes = self.b[self.i..].starts_with(text);
        self.i += if yes { text.len() } else { 0 };
        yes
    }

    #[inline(always)]
    fn eat(&mut self, text: &[u8]) -> Option<()> {
        self.ate(text).then_some(())
    }

    #[inline(always)]
    fn string(&mut self) -> Option<Literal<'b>> {
        let (raw, end) = check::string(self.b, self.i)?;
        self.i = end;
        Some(Literal { raw, canonical: true })
    }

    fn unsigned(&mut self) -> Option<u64> {
        let end = check::value(self.b, self.i, 0)?;
        let value = number::as_u64(&self.b[self.i..end])?;
        self.i = end;
        Some(value)
    }

    /// After `"attributes":{`. An empty object is not canonical.
    #[inline(always)]
    fn attributes(&mut self, tokens: &mut Tokens) -> Option<()> {
        let b = self.b;
        if b[self.i] == b'}' {
            return None;
        }
        self.i = check::members(b, self.i, MAX_DEPTH - 2, &mut |key, start, end| match model::token_key(key) {
            None => true,
            Some(token) => tokens.take(token, &b[start..end]),
        })?;
        Some(())
    }

    /// After `"blocks":[`.
    #[inline(always)]
    fn blocks(&mut self) -> Option<()> {
        if self.ate(b"]") {
            return Some(());
        }
        loop {
            self.eat(b"{")?;
            let from = self.i;
            // Nine of ten blocks.
            let text = self.ate(b"\"text\":") && self.string().is_some() && self.ate(b",\"type\":\"Text\"}");
            if !text {
                self.i = from;
                self.block()?;
            }
            match self.b[self.i] {
                b',' => self.i += 1,
                b']' => {
                    self.i += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn block(&mut self) -> Option<()> {
        let members = self.members(MAX_DEPTH - 4)?;
        fit(self.b, &members, model::block(members.text(self.b, b"type")?)?).then_some(())
    }

    #[inline(always)]
    fn members(&mut self, depth: usize) -> Option<Members> {
        let mut members = Members::default();
        self.i = check::members(self.b, self.i, depth, &mut |key, start, end| {
            // A colon and a quote stand between a key's literal and its value.
            members.push((start - 2 - key.len(), start - 2), (start, end))
        })?;
        Some(members)
    }

    /// After `"event_type":{"`.
    #[inline(always)]
    fn event_type(&mut self, facts: &mut Facts<'b>) -> Option<()> {
        if !self.ate(b"data\":{") {
            self.eat(b"type\":")?;
            let (kind, data) = model::event(self.string()?.raw);
            facts.kind = kind;
            self.eat(b"}")?;
            return matches!(data, Data::None).then_some(());
        }
        let members = self.members(MAX_DEPTH - 3)?;
        self.eat(b",\"type\":")?;
        let (kind, data) = model::event(self.string()?.raw);
        facts.kind = kind;
        self.eat(b"}")?;
        let (Data::Fields(fields) | Data::Default(fields)) = data else { return None };
        if !fit(self.b, &members, fields) {
            return None;
        }
        let text = |name: &[u8]| Some(Literal { raw: members.text(self.b, name)?, canonical: true });
        match kind {
            EventKind::FileEdit => (facts.path, facts.diff) = (text(b"path"), text(b"diff")),
            EventKind::FileCreate | EventKind::FileDelete => facts.path = text(b"path"),
            EventKind::TaskEnd => facts.summary = text(b"summary"),
            _ => {}
        }
        Some(())
    }
}

/// All fields that must be there are, and the known ones have the right type and are not `null`.
#[inline]
pub(super) fn fit(b: &[u8], members: &Members, fields: &[Field]) -> bool {
    let mut missing = fields.iter().filter(|f| !f.optional).count();
    for (key, value) in members.each(b) {
        let Some(field) = fields.iter().find(|f| f.name.as_bytes() == key) else { continue };
        let fits = match field.ty {
            Ty::Text => value[0] == b'"',
            Ty::Filled => value[0] == b'"' && value.len() > 2,
            Ty::Bool => matches!(value[0], b't' | b'f'),
            Ty::I64 => number::as_i64(value).is_some(),
            Ty::U64 => number::as_u64(value).is_some(),
            Ty::Any => true,
        };
        if !fits {
            return false;
        }
        missing -= !field.optional as usize;
    }
    missing == 0
}
