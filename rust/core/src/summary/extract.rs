//! All items of some event lines, on any thread.
//!
//! An agent says much on the way; only the last words before the person speaks again are kept. So the text of a message
//! is taken when it is known that no other follows in the same lines.

use std::ops::Range;

use super::item::{self, Extractor, Item, What};
use super::limits::OUTCOME;
use super::line::Line;

/// The items of the event lines in `range` of a padded buffer.
pub fn items(extractor: &mut Extractor, b: &[u8], range: Range<usize>) -> Vec<Item> {
    extractor.spared.clear();
    // Lines of a session are about this long.
    let mut list: Vec<Item> = Vec::with_capacity(range.len() / 1_500 + 4);
    let mut waiting: Option<(usize, Range<usize>)> = None;
    let mut start = range.start;
    while start < range.end {
        let end = memchr::memchr(b'\n', &b[start..range.end]).map_or(range.end, |n| start + n);
        if let Some(item) = extractor.item(b, start, end) {
            match &item.what {
                What::Agent(_) if item.task.is_none() => waiting = Some((list.len(), start..end)),
                What::Typed(_) => fill(extractor, b, &mut list, waiting.take()),
                _ => {}
            }
            list.push(item);
            if let Some(Item { task: Some(_), what: What::Agent(text), .. }) = list.last_mut() {
                let line = Line::read(b, start, end, &mut extractor.finders);
                *text = line.map(|l| item::words(&l, OUTCOME).into());
            }
        }
        start = end + 1;
    }
    fill(extractor, b, &mut list, waiting);
    list
}

/// Give the message that was the last one its text.
fn fill(extractor: &mut Extractor, b: &[u8], list: &mut [Item], waiting: Option<(usize, Range<usize>)>) {
    let Some((at, range)) = waiting else { return };
    if let Some(line) = Line::read(b, range.start, range.end, &mut extractor.finders) {
        list[at].what = What::Agent(item::message(&line));
    }
}
