//! The parts of a session: one for each request of the person, one for each task that the log names.

use std::collections::HashMap;
use std::sync::Arc;

use super::item::Cite;
use super::keys::KeyMap;
use super::limits::{COMMANDS_OF_PACKAGE, FILES_OF_PACKAGE, OUTCOME, PATHS, QUOTED, TASKS, TITLE, TURNS};
use super::lists::Ends;
use super::text;
use crate::digest::short as digest;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Pending,
    InProgress,
    Completed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::InProgress => "in_progress",
            Status::Completed => "completed",
        }
    }
}

#[derive(Debug)]
pub struct Package {
    /// Its place among all packages, from 1.
    pub sequence: u64,
    pub id: Arc<str>,
    pub title: Option<Box<str>>,
    pub status: Status,
    pub started: Cite,
    pub completed: Option<Cite>,
    pub outcome: Option<(Box<str>, Cite)>,
    pub files: Vec<Box<str>>,
    pub more_files: u64,
    pub commands: Vec<Box<str>>,
    pub more_commands: u64,
    pub depends_on: Option<(u64, Arc<str>)>,
    /// The person's own words, for a turn.
    pub user: Option<(Box<str>, Cite)>,
}

impl Package {
    fn new(sequence: u64, id: Arc<str>, cite: &Cite) -> Package {
        Package {
            sequence,
            id,
            title: None,
            status: Status::Pending,
            started: cite.clone(),
            completed: None,
            outcome: None,
            files: Vec::new(),
            more_files: 0,
            commands: Vec::new(),
            more_commands: 0,
            depends_on: None,
            user: None,
        }
    }

    /// Something was done in it.
    pub fn is_material(&self) -> bool {
        !self.files.is_empty() || !self.commands.is_empty() || self.outcome.is_some()
    }
}

#[derive(Debug)]
pub struct Packages {
    turns: Ends<Package>,
    current: Option<u64>,
    tasks: HashMap<Arc<str>, Package>,
    sequence: u64,
    person: u64,
    /// Which package changed a file last.
    changed_by: KeyMap<(u64, Arc<str>)>,
    /// Tasks that are not followed because there are too many.
    pub untracked: u64,
}

impl Default for Packages {
    fn default() -> Packages {
        Packages {
            turns: Ends::new(TURNS),
            current: None,
            tasks: HashMap::new(),
            sequence: 0,
            person: 0,
            changed_by: KeyMap::default(),
            untracked: 0,
        }
    }
}

impl Packages {
    /// The person asks for something: a new turn begins.
    pub fn typed(&mut self, words: &str, cite: &Cite) {
        self.person += 1;
        let id = format!("turn-{}", self.person);
        let package = self.begin(id.into(), cite);
        package.title = Some(text::short(words, TITLE).into());
        package.user = Some((words.into(), cite.clone()));
    }

    fn begin(&mut self, id: Arc<str>, cite: &Cite) -> &mut Package {
        self.sequence += 1;
        let number = self.turns.push(Package::new(self.sequence, id, cite));
        self.current = Some(number);
        self.turns.get_mut(number).expect("the last entry is kept")
    }

    /// The package that an event belongs to: that of its task, else the turn.
    pub fn of(&mut self, task: Option<&str>, cite: &Cite) -> Option<&mut Package> {
        let Some(task) = task else {
            return match self.current {
                Some(number) => self.turns.get_mut(number),
                None => Some(self.begin("main".into(), cite)),
            };
        };
        if !self.tasks.contains_key(task) {
            if self.tasks.len() >= TASKS {
                self.untracked += 1;
                return None;
            }
            self.sequence += 1;
            let id: Arc<str> = task.into();
            self.tasks.insert(id.clone(), Package::new(self.sequence, id, cite));
        }
        self.tasks.get_mut(task)
    }

    fn work(&mut self, task: Option<&str>, cite: &Cite) -> Option<&mut Package> {
        let package = self.of(task, cite)?;
        package.status = Status::InProgress;
        package.completed = None;
        Some(package)
    }

    pub fn command(&mut self, task: Option<&str>, command: &str, cite: &Cite) {
        let Some(package) = self.work(task, cite) else { return };
        if package.commands.len() < COMMANDS_OF_PACKAGE {
            package.commands.push(text::short(command, QUOTED).into());
        } else {
            package.more_commands += 1;
        }
    }

    /// `place` is the one name of the file, `path` what is shown.
    pub fn file(&mut self, task: Option<&str>, place: &str, path: &str, cite: &Cite) {
        let key = digest(place.as_bytes());
        let before = self.changed_by.get(&key).cloned();
        let Some(package) = self.work(task, cite) else { return };
        let me = (package.sequence, package.id.clone());
        if let Some(before) = before.filter(|b| b.0 < me.0) {
            // The nearest earlier one.
            if package.depends_on.as_ref().is_none_or(|d| d.0 < before.0) {
                package.depends_on = Some(before);
            }
        }
        if !package.files.iter().any(|f| **f == *path) {
            if package.files.len() < FILES_OF_PACKAGE {
                package.files.push(path.into());
            } else {
                package.more_files += 1;
            }
        }
        if self.changed_by.len() < PATHS || self.changed_by.contains_key(&key) {
            self.changed_by.insert(key, me);
        }
    }

    /// Something else was tried.
    pub fn tried(&mut self, task: Option<&str>, cite: &Cite) {
        self.work(task, cite);
    }

    /// The agent says something: the last of it is the outcome.
    pub fn said(&mut self, task: Option<&str>, words: &str, cite: &Cite) {
        if let Some(package) = self.of(task, cite) {
            package.status = Status::Completed;
            package.completed = Some(cite.clone());
            package.outcome = Some((text::short(words, OUTCOME).into(), cite.clone()));
        }
    }

    pub fn task_started(&mut self, task: Option<&str>, title: Option<&str>, cite: &Cite) {
        if task.is_none() {
            return;
        }
        if let Some(package) = self.work(task, cite) {
            if let Some(title) = title.filter(|t| !t.is_empty()) {
                package.title = Some(title.into());
            }
        }
    }

    pub fn task_ended(&mut self, task: Option<&str>, summary: Option<&str>, cite: &Cite) {
        if task.is_none() {
            return;
        }
        match summary.filter(|s| !s.is_empty()) {
            Some(summary) => self.said(task, summary, cite),
            None => {
                if let Some(package) = self.of(task, cite) {
                    package.status = Status::Completed;
                    package.completed = Some(cite.clone());
                }
            }
        }
    }

    /// The work on the turn was broken off.
    pub fn interrupted(&mut self, cite: &Cite) {
        if let Some(package) = self.of(None, cite) {
            if package.status == Status::Completed {
                package.status = Status::InProgress;
                package.completed = None;
            }
        }
    }

    /// Turns and those tasks that are more than a mark around a turn, in order.
    pub fn list(&self) -> Vec<&Package> {
        let tasks = self.tasks.values().filter(|t| !t.files.is_empty() || !t.commands.is_empty() || t.title.is_some());
        let mut all: Vec<&Package> = self.turns.iter().map(|(_, t)| t).chain(tasks).collect();
        all.sort_by_key(|p| p.sequence);
        all
    }

    pub fn omitted(&self) -> u64 {
        self.turns.omitted() + self.untracked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hail::Time;

    fn cite(id: &str) -> Cite {
        Cite { id: id.into(), time: Time::EPOCH, source: "x".into() }
    }

    #[test]
    fn work_belongs_to_the_turn_or_the_task_and_depends_on_who_changed_the_file_before() {
        let mut all = Packages::default();
        all.command(None, "ls", &cite("0"));
        all.typed("do  a", &cite("1"));
        all.file(None, "/w/a", "a", &cite("2"));
        all.said(None, "done", &cite("3"));
        all.typed("do b", &cite("4"));
        all.task_started(Some("t"), Some("Sub"), &cite("5"));
        all.file(Some("t"), "/w/a", "a", &cite("6"));
        all.task_ended(Some("t"), Some("sub done"), &cite("7"));
        all.task_started(Some("mark"), None, &cite("8"));
        all.task_ended(Some("mark"), Some("x"), &cite("9"));
        let list = all.list();
        let ids: Vec<&str> = list.iter().map(|p| p.id.as_ref()).collect();
        assert_eq!(ids, ["main", "turn-1", "turn-2", "t"]);
        let status: Vec<&str> = list.iter().map(|p| p.status.name()).collect();
        assert_eq!(status, ["in_progress", "completed", "pending", "completed"]);
        assert_eq!(list[3].depends_on.as_ref().unwrap().1.as_ref(), "turn-1");
        assert_eq!(list[1].title.as_deref(), Some("do a"));
    }
}
