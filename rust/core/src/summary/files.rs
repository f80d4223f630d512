//! Which files a session has changed, as far as its log shows: the net effect, and what no commit has taken.
//!
//! Every operation costs at most the logarithm of the files that are followed; clearing many files is paid for by the
//! operations that made them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::command::{below, Step};
use super::item::{Cite, Op};
use super::keys::KeySet;
use super::limits::{PATHS, PATHS_READ, PATH_BYTES, STAGED};
use crate::digest::short as digest;

#[derive(Debug)]
pub struct File {
    /// As the log wrote it first.
    pub path: Box<str>,
    /// It was there before the session.
    existed: bool,
    exists: bool,
    pub first: Cite,
    pub last: Cite,
    /// The log ends before it says how the last change went.
    pub unconfirmed: bool,
}

impl File {
    /// What became of it in the end; nothing if it came and went.
    pub fn action(&self) -> Option<&'static str> {
        match (self.existed, self.exists) {
            (true, true) => Some("edited"),
            (false, true) => Some("created"),
            (true, false) => Some("deleted"),
            (false, false) => None,
        }
    }
}

/// One change of one file.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub path: &'a str,
    pub op: Op,
    /// What the result says that it was.
    pub action: Option<Op>,
    pub confirmed: bool,
}

#[derive(Debug, Default)]
pub struct Files {
    /// The session's working directory: relative paths are below it.
    cwd: Option<String>,
    files: HashMap<Arc<str>, File>,
    bytes: usize,
    /// Changes of files that are not followed because there are too many.
    pub untracked: u64,
    existing: BTreeSet<Arc<str>>,
    uncommitted: BTreeSet<Arc<str>>,
    /// The same, spelled backwards: `git add a/b` finds `/x/a/b`.
    backwards: BTreeSet<Box<[u8]>>,
    read: KeySet,
    staged: Vec<String>,
    /// `git add -A` since the last commit: everywhere, or below one folder.
    staged_all: Option<Option<String>>,
    /// A commit was seen to succeed.
    pub commit: Option<Cite>,
}

impl Files {
    pub fn new(cwd: Option<&str>) -> Files {
        let cwd = cwd.map(|c| slashes(c).trim_end_matches('/').to_owned()).filter(|c| !c.is_empty());
        Files { cwd, ..Files::default() }
    }

    /// The one name of a path: absolute where that can be known.
    pub fn place(&self, path: &str) -> String {
        let path = slashes(path);
        if path.starts_with('/') || has_drive(&path) {
            below(None, &path)
        } else {
            below(self.cwd.as_deref(), &path)
        }
    }

    /// A file was read, so it is there.
    pub fn was_read(&mut self, path: &str) {
        if self.read.len() < PATHS_READ {
            let place = self.place(path);
            self.read.insert(digest(place.as_bytes()));
        }
    }

    fn is_known_to_exist(&self, place: &str) -> bool {
        self.read.contains(&digest(place.as_bytes()))
    }

    pub fn change(&mut self, change: Change<'_>, cite: &Cite) {
        let place: Arc<str> = self.place(change.path).into();
        let exists = change.op != Op::Delete;
        if !self.files.contains_key(&place) {
            if self.files.len() >= PATHS || self.bytes + place.len() > PATH_BYTES {
                self.untracked += 1;
                return;
            }
            self.bytes += place.len();
            let existed = match (change.op, change.action) {
                (_, Some(Op::Create)) => false,
                (Op::Create, None) => self.is_known_to_exist(&place),
                _ => true,
            };
            let file = File {
                path: change.path.into(),
                existed,
                exists,
                first: cite.clone(),
                last: cite.clone(),
                unconfirmed: false,
            };
            self.files.insert(place.clone(), file);
        }
        let Some(file) = self.files.get_mut(&place) else { return };
        file.exists = exists;
        file.last = cite.clone();
        file.unconfirmed = !change.confirmed;
        self.settle(place);
    }

    /// Keep the sets of existing and uncommitted files true after a change of this one.
    fn settle(&mut self, place: Arc<str>) {
        let Some(file) = self.files.get(&place) else { return };
        let nothing_left = file.action().is_none() && self.uncommitted.contains(&place);
        if file.exists {
            self.existing.insert(place.clone());
        } else {
            self.existing.remove(&place);
        }
        if nothing_left {
            // It came and went between two commits.
            self.clear(&place);
        } else {
            self.backwards.insert(backwards(&place));
            self.uncommitted.insert(place);
        }
    }

    pub fn rename(&mut self, from: &str, to: &str, confirmed: bool, cite: &Cite) {
        self.change(Change { path: from, op: Op::Delete, action: None, confirmed }, cite);
        self.change(Change { path: to, op: Op::Create, action: Some(Op::Create), confirmed }, cite);
    }

    fn clear(&mut self, place: &str) {
        self.uncommitted.remove(place);
        self.backwards.remove(&backwards(place));
    }

    /// What a command with exit code 0 did.
    pub fn step(&mut self, step: &Step, cite: &Cite) {
        match step {
            Step::Add(paths) => {
                let room = STAGED - self.staged.len().min(STAGED);
                self.staged.extend(paths.iter().take(room).cloned());
            }
            Step::AddAll(folder) => {
                // What was everywhere stays everywhere.
                if !matches!(self.staged_all, Some(None)) {
                    self.staged_all = Some(folder.clone());
                }
            }
            Step::Commit { all, paths, folder, own_repository } => {
                let everywhere = if *own_repository { folder.clone() } else { None };
                let all = if *all { Some(everywhere) } else { self.staged_all.take() };
                self.commit(all, paths);
                self.commit = Some(cite.clone());
            }
            Step::Remove(paths) => paths.iter().for_each(|path| self.remove(path, cite)),
            Step::Move(from, to) => self.moved(from, to, cite),
        }
    }

    fn commit(&mut self, all: Option<Option<String>>, paths: &[String]) {
        match all {
            Some(None) => {
                self.uncommitted.clear();
                self.backwards.clear();
            }
            Some(Some(folder)) => self.clear_below(&self.place(&folder)),
            None => {}
        }
        let staged = std::mem::take(&mut self.staged);
        for path in staged.iter().chain(paths) {
            let place = self.place(path);
            if self.uncommitted.contains(place.as_str()) {
                self.clear(&place);
            } else {
                self.clear_below(&place);
                self.clear_ending(path);
            }
        }
        self.staged_all = None;
    }

    fn clear_below(&mut self, folder: &str) {
        for place in inside(&self.uncommitted, folder) {
            self.clear(&place);
        }
    }

    /// The shell's own directory may be another than the session's: a path of at least two parts, or a name that only one
    /// file has, is recognized by its end.
    fn clear_ending(&mut self, path: &str) {
        let tail = backwards(&format!("/{}", path.trim_start_matches('/')));
        let mut hits = self.backwards.range(tail.clone()..).take_while(|b| b.starts_with(&tail)).take(2);
        let (first, second) = (hits.next(), hits.next());
        if let (Some(hit), None) = (first, second) {
            let place: Vec<u8> = hit.iter().rev().copied().collect();
            self.clear(&String::from_utf8_lossy(&place));
        }
    }

    fn remove(&mut self, path: &str, cite: &Cite) {
        let place = self.place(path);
        let mut gone = inside(&self.existing, &place);
        gone.extend(self.existing.get(place.as_str()).cloned());
        for place in gone {
            if let Some(file) = self.files.get_mut(&place) {
                file.exists = false;
                file.last = cite.clone();
                self.settle(place);
            }
        }
    }

    fn moved(&mut self, from: &str, to: &str, cite: &Cite) {
        let place = self.place(from);
        if !self.existing.contains(place.as_str()) {
            return;
        }
        let name = from.rsplit('/').next().unwrap_or(from);
        let last = to.rsplit('/').next().unwrap_or(to);
        // Something without a dot that a file with a dot is moved to is a folder.
        let to = if name.contains('.') && !last.contains('.') { format!("{to}/{name}") } else { to.to_owned() };
        self.rename(from, &to, true, cite);
    }

    /// The files with a net effect, by path.
    pub fn modified(&self) -> Vec<&File> {
        let mut all: Vec<&File> = self.files.values().filter(|f| f.action().is_some()).collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }

    pub fn is_modified(&self, path: &str) -> bool {
        self.files.get(self.place(path).as_str()).is_some_and(|f| f.action().is_some())
    }

    /// Edited paths that no later commit cleared, by path.
    pub fn not_seen_committed(&self) -> Vec<&File> {
        let mut all: Vec<&File> = self.uncommitted.iter().filter_map(|place| self.files.get(place)).collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }
}

fn slashes(path: &str) -> String {
    if has_drive(path) {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    }
}

fn has_drive(path: &str) -> bool {
    let b = path.as_bytes();
    b.len() > 2 && b[0].is_ascii_alphabetic() && b[1] == b':' && matches!(b[2], b'/' | b'\\')
}

fn backwards(path: &str) -> Box<[u8]> {
    path.bytes().rev().collect()
}

/// The members of a set that are paths inside of `folder`.
fn inside(set: &BTreeSet<Arc<str>>, folder: &str) -> Vec<Arc<str>> {
    let prefix = format!("{}/", folder.trim_end_matches('/'));
    let from: Arc<str> = prefix.as_str().into();
    set.range(from..).take_while(|p| p.starts_with(&prefix)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::command::analyze;
    use super::*;
    use crate::hail::Time;

    fn cite(id: &str) -> Cite {
        Cite { id: id.into(), time: Time::EPOCH, source: "x".into() }
    }

    fn files(cwd: Option<&str>) -> Files {
        Files::new(cwd)
    }

    fn apply(f: &mut Files, path: &str, op: Op, action: Option<Op>) {
        f.change(Change { path, op, action, confirmed: true }, &cite("e"));
    }

    fn run(f: &mut Files, command: &str) {
        analyze(command).steps.iter().for_each(|s| f.step(s, &cite("c")));
    }

    fn modified(f: &Files) -> Vec<(String, &'static str)> {
        f.modified().iter().map(|f| (f.path.to_string(), f.action().unwrap())).collect()
    }

    fn open(f: &Files) -> Vec<String> {
        f.not_seen_committed().iter().map(|f| f.path.to_string()).collect()
    }

    #[test]
    fn the_net_effect_counts() {
        let mut f = files(None);
        apply(&mut f, "a", Op::Create, None);
        apply(&mut f, "a", Op::Delete, None);
        apply(&mut f, "b", Op::Edit, None);
        apply(&mut f, "b", Op::Delete, None);
        apply(&mut f, "b", Op::Create, None);
        apply(&mut f, "c", Op::Delete, None);
        apply(&mut f, "d", Op::Create, Some(Op::Edit));
        apply(&mut f, "e", Op::Create, None);
        apply(&mut f, "e", Op::Edit, None);
        f.was_read("g");
        apply(&mut f, "g", Op::Create, None);
        let want = [("b", "edited"), ("c", "deleted"), ("d", "edited"), ("e", "created"), ("g", "edited")];
        assert_eq!(modified(&f), want.map(|(p, a)| (p.to_owned(), a)));
        assert_eq!(open(&f), ["b", "c", "d", "e", "g"], "what came and went needs no commit");
    }

    #[test]
    fn a_file_that_the_shell_removes_is_gone() {
        let mut f = files(Some("/w"));
        for path in ["/w/t/x.py", "t/y.py", "keep.py", "/w/old.py"] {
            apply(&mut f, path, Op::Create, Some(if path == "/w/old.py" { Op::Edit } else { Op::Create }));
        }
        run(&mut f, "rm -rf t && rm old.py");
        assert_eq!(modified(&f), [("/w/old.py".to_owned(), "deleted"), ("keep.py".to_owned(), "created")]);
        run(&mut f, "mv keep.py src && mv src/keep.py src/kept.py");
        assert_eq!(modified(&f)[1], ("src/kept.py".to_owned(), "created"));
    }

    #[test]
    fn commits_clear_what_they_name() {
        let fresh = |cwd| {
            let mut f = files(cwd);
            ["/w/a.rs", "/w/src/b.rs", "/w/src/c.rs"].iter().for_each(|p| apply(&mut f, p, Op::Edit, None));
            f
        };
        for (command, left) in [
            ("git commit -m x", vec!["/w/a.rs", "/w/src/b.rs", "/w/src/c.rs"]),
            ("git commit -am x", vec![]),
            ("git add -A && git commit -m x", vec![]),
            ("git add . ; git commit -m x", vec![]),
            ("git add a.rs && git commit -m x", vec!["/w/src/b.rs", "/w/src/c.rs"]),
            ("git add src && git commit -m x", vec!["/w/a.rs"]),
            ("git add ./src/b.rs && git commit -m x", vec!["/w/a.rs", "/w/src/c.rs"]),
            ("cd src && git add b.rs && git commit -m x", vec!["/w/a.rs", "/w/src/c.rs"]),
            ("git commit -m x -- src/c.rs", vec!["/w/a.rs", "/w/src/b.rs"]),
            ("git add *.rs && git commit -m x", vec!["/w/a.rs", "/w/src/b.rs", "/w/src/c.rs"]),
            ("cd /tmp/t && git init && git add . && git commit -m x", vec!["/w/a.rs", "/w/src/b.rs", "/w/src/c.rs"]),
        ] {
            let mut f = fresh(Some("/w"));
            run(&mut f, command);
            assert_eq!(open(&f), left, "{command}");
        }
        let mut f = fresh(None);
        run(&mut f, "git add b.rs src/c.rs");
        run(&mut f, "git commit -m x");
        assert_eq!(open(&f), ["/w/a.rs"], "the end of a path is enough where the folder is not known");
        apply(&mut f, "/w/src/b.rs", Op::Edit, None);
        assert_eq!(open(&f), ["/w/a.rs", "/w/src/b.rs"], "a later edit is not committed");
    }

    #[test]
    fn more_files_than_are_followed_are_counted() {
        let mut f = files(None);
        for k in 0..PATHS + 7 {
            apply(&mut f, &format!("{k}"), Op::Edit, None);
        }
        assert_eq!((f.untracked, f.modified().len()), (7, PATHS));
    }
}
