//! `source.rest`: what of a record no event holds, at the nesting it had.

use super::event::{Mark, Marks};
use crate::json::canonical::{write_with, Sorter};
use crate::json::{Kind, Value};

/// Append what is left of `value` (canonical); false, and nothing appended, where nothing is left.
pub fn write_rest(value: Value<'_>, marks: &Marks, out: &mut Vec<u8>, sorter: &mut Sorter) -> bool {
    match marks.of(value) {
        Mark::Out => false,
        Mark::Instead(json) => {
            out.extend_from_slice(json);
            true
        }
        Mark::None => write_inside(value, marks, out, sorter),
    }
}

/// The same for a value whose own mark does not count: a `Json` block is marked as held, and its text is written here.
pub fn write_inside(value: Value<'_>, marks: &Marks, out: &mut Vec<u8>, sorter: &mut Sorter) -> bool {
    if !marks.inside(value) {
        write_with(value, out, sorter);
        return true;
    }
    let from = out.len();
    let mut left = false;
    if value.kind() == Kind::Object {
        out.push(b'{');
        let keep = |member: Value<'_>| !matches!(marks.of(member), Mark::Out);
        sorter.each_of(value, keep, |sorter, key, member| {
            let before = out.len();
            if left {
                out.push(b',');
            }
            write_with(key, out, sorter);
            out.push(b':');
            if write_rest(member, marks, out, sorter) {
                left = true;
            } else {
                out.truncate(before);
            }
        });
        out.push(b'}');
    } else {
        out.push(b'[');
        for (n, item) in value.items().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            if write_rest(item, marks, out, sorter) {
                left = true;
            } else {
                // The place of an item is part of what is kept.
                out.extend_from_slice(b"null");
            }
        }
        out.push(b']');
    }
    if !left {
        out.truncate(from);
    }
    left
}
