//! From what was read to the canonical line: a few edits, applied while the rest is copied.

use super::time::Time;
use crate::json::canonical::{write_with, Sorter};
use crate::json::{Kind, Value};

/// What the canonical form of a line changes beyond the order of keys and the spelling of values.
#[derive(Debug, Clone, Copy)]
enum Edit {
    /// The member whose key is this node is absent in the canonical form.
    Drop,
    /// This string is a time.
    Time(Time),
    /// This object gets a member: key (as it sorts) and text.
    Add(&'static str, &'static str),
}

/// The edits of one line, by node.
#[derive(Debug, Default)]
pub struct Edits {
    list: Vec<(u32, Edit)>,
}

impl Edits {
    pub fn clear(&mut self) {
        self.list.clear();
        self.list.shrink_to(1 << 10);
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Leave out the member with this key.
    pub fn drop_member(&mut self, key: Value<'_>) {
        self.list.push((key.id(), Edit::Drop));
    }

    /// Write this string as the canonical text of `time`.
    pub fn set_time(&mut self, value: Value<'_>, time: Time) {
        self.list.push((value.id(), Edit::Time(time)));
    }

    /// Add the member `key` with this text to an object that lacks it (or whose member of that name is dropped).
    pub fn add_member(&mut self, object: Value<'_>, key: &'static str, text: &'static str) {
        self.list.push((object.id(), Edit::Add(key, text)));
    }

    /// Append the canonical text of the line.
    pub fn write(&mut self, line: Value<'_>, out: &mut Vec<u8>, sorter: &mut Sorter) {
        // The readers visit objects in the order of the schema, not of the text.
        self.list.sort_unstable_by_key(|e| e.0);
        self.write_value(line, out, sorter);
    }

    fn of(&self, value: Value<'_>) -> Option<Edit> {
        let at = self.list.partition_point(|e| e.0 < value.id());
        self.list.get(at).filter(|e| e.0 == value.id()).map(|e| e.1)
    }

    fn touch(&self, value: Value<'_>) -> bool {
        let at = self.list.partition_point(|e| e.0 < value.id());
        self.list.get(at).is_some_and(|e| value.holds(e.0))
    }

    fn write_value(&self, value: Value<'_>, out: &mut Vec<u8>, sorter: &mut Sorter) {
        if !self.touch(value) {
            write_with(value, out, sorter);
            return;
        }
        match value.kind() {
            Kind::Object => self.write_object(value, out, sorter),
            Kind::Array => {
                out.push(b'[');
                for (n, item) in value.items().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    self.write_value(item, out, sorter);
                }
                out.push(b']');
            }
            _ => match self.of(value) {
                Some(Edit::Time(time)) => {
                    out.push(b'"');
                    time.write(out);
                    out.push(b'"');
                }
                _ => write_with(value, out, sorter),
            },
        }
    }

    fn write_object(&self, value: Value<'_>, out: &mut Vec<u8>, sorter: &mut Sorter) {
        let mut add = match self.of(value) {
            Some(Edit::Add(key, text)) => Some((key, text)),
            _ => None,
        };
        out.push(b'{');
        let mut comma = false;
        let mut separate = |out: &mut Vec<u8>| {
            if std::mem::replace(&mut comma, true) {
                out.push(b',');
            }
        };
        sorter.each(value, |sorter, key, member| {
            if matches!(self.of(key), Some(Edit::Drop)) {
                return;
            }
            // The keys that are added are ASCII, so the order of bytes is the canonical one.
            if let Some((name, text)) = add.filter(|(name, _)| name.as_bytes() < key.text().as_deref().unwrap_or(b"")) {
                add = None;
                separate(out);
                put(name, text, out);
            }
            separate(out);
            write_with(key, out, sorter);
            out.push(b':');
            self.write_value(member, out, sorter);
        });
        if let Some((name, text)) = add {
            separate(out);
            put(name, text, out);
        }
        out.push(b'}');
    }
}

fn put(name: &str, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\"{name}\":{text}").as_bytes());
}
