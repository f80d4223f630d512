//! Patches in Codex's own format: one event for each file that a patch names.
//!
//! Works on canonical literals, line by line. A patch is what was asked for; whether it applied stands in the result.

use super::super::event::{Block, Event, EventType, Lit};
use super::super::text::{language, lines, trim};
use super::nested::LONGEST;

/// The events of a patch; `None` if this is none, if it names no file or if it is huge. Relative paths are those below `folder`.
pub fn events(literal: &[u8], folder: &[u8]) -> Option<Vec<Event<'static>>> {
    let mut rows = lines(trim(literal));
    if literal.len() > LONGEST {
        return None;
    }
    if trim(rows.next()?) != b"*** Begin Patch" {
        return None;
    }
    let mut files: Vec<File> = Vec::new();
    for row in rows {
        let Some(marker) = row.strip_prefix(b"*** ") else {
            if let Some(file) = files.last_mut() {
                file.line(row);
            }
            continue;
        };
        let marker = trim(marker);
        if marker == b"End Patch" {
            break;
        }
        if let Some(file) = File::begun(marker, folder) {
            files.push(file);
        } else if let (Some(file), Some(to)) = (files.last_mut(), marker.strip_prefix(b"Move to: ")) {
            file.moved_to = Some(below(folder, trim(to)));
        }
    }
    if files.is_empty() || files.iter().any(|f| f.path.is_empty()) {
        return None;
    }
    Some(files.into_iter().map(File::event).collect())
}

#[derive(PartialEq, Eq)]
enum Change {
    Add,
    Update,
    Delete,
}

struct File {
    change: Change,
    path: Vec<u8>,
    moved_to: Option<Vec<u8>>,
    text: Vec<u8>,
}

impl File {
    fn begun(marker: &[u8], folder: &[u8]) -> Option<File> {
        let (change, path) = if let Some(path) = marker.strip_prefix(b"Add File:") {
            (Change::Add, path)
        } else if let Some(path) = marker.strip_prefix(b"Update File:") {
            (Change::Update, path)
        } else {
            (Change::Delete, marker.strip_prefix(b"Delete File:")?)
        };
        Some(File { change, path: below(folder, trim(path)), moved_to: None, text: Vec::new() })
    }

    /// A line of the file's part. What is added has a `+` before each line; models forget it at times.
    fn line(&mut self, row: &[u8]) {
        let row = match self.change {
            Change::Add => row.strip_prefix(b"+").unwrap_or(row),
            Change::Update => row,
            Change::Delete => return,
        };
        self.text.extend_from_slice(row);
        self.text.extend_from_slice(b"\\n");
    }

    fn event(self) -> Event<'static> {
        let File { change, path, moved_to, text } = self;
        let (path, text) = (Lit::Owned(path), Lit::Owned(text));
        let event = match change {
            Change::Add => {
                let language = language(&path);
                let event = Event::new(EventType::FileCreate { path });
                event.block(Block::Code { code: text, language, start_line: None })
            }
            Change::Update => Event::new(EventType::FileEdit { path, diff: (!text.is_empty()).then_some(text) }),
            Change::Delete => Event::new(EventType::FileDelete { path }),
        };
        match moved_to.filter(|to| !to.is_empty()) {
            Some(to) => event.with("moved_to", Lit::Owned(to)),
            None => event,
        }
    }
}

/// A path as seen from where the call was made.
fn below(folder: &[u8], path: &[u8]) -> Vec<u8> {
    let absolute = path.starts_with(b"/") || path.get(1) == Some(&b':') || path.starts_with(b"\\\\");
    if folder.is_empty() || path.is_empty() || absolute {
        return path.to_vec();
    }
    [folder.strip_suffix(b"/").unwrap_or(folder), b"/", path].concat()
}
