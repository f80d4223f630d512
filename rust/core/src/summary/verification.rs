//! Which checks ran, how they ended, which failures were settled later, and what is missing after the last change.
//!
//! A failed check is settled by a later pass of the same check, or of one of the same program that nothing narrows. A pass
//! of a narrower run settles nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::command::{Check, Command};
use super::item::Cite;
use super::keys::{Key, KeyMap};
use super::limits::{CHECKS, KINDS_OF_CHECKS, MISSING_CHECKS, OPEN_FAILURES, QUOTED};
use super::lists::Ends;
use super::programs::Kinds;
use super::text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Passed,
    Failed,
    Unknown,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::Unknown => "unknown",
        }
    }
}

#[derive(Debug, Clone)]
pub struct CheckRun {
    pub command: Arc<str>,
    pub kinds: Kinds,
    pub status: Status,
    pub exit_code: Option<i64>,
    /// The status is what the end of the output says, not the exit code.
    pub judged: bool,
    pub call: Cite,
    pub result: Option<Cite>,
    /// The later pass that settles this failure.
    pub fixed_by: Option<Cite>,
}

/// The last run of one program.
#[derive(Debug)]
struct Latest {
    command: Arc<str>,
    at: u64,
    status: Status,
    cite: Cite,
}

#[derive(Debug)]
pub struct Verification {
    pub runs: Ends<CheckRun>,
    exact: KeyMap<VecDeque<u64>>,
    broad: KeyMap<VecDeque<u64>>,
    /// Failures that wait, the oldest first, with the keys they wait under.
    order: VecDeque<(u64, Vec<Check>)>,
    latest: KeyMap<Latest>,
    /// Programs in the order they were first run.
    programs: Vec<Key>,
    /// The last change of a file that a check could be about, and when it was.
    last_change: Option<(u64, Cite)>,
}

impl Default for Verification {
    fn default() -> Verification {
        Verification {
            runs: Ends::new(CHECKS),
            exact: KeyMap::default(),
            broad: KeyMap::default(),
            order: VecDeque::new(),
            latest: KeyMap::default(),
            programs: Vec::new(),
            last_change: None,
        }
    }
}

/// A claim and what it rests on.
pub type Claim = (String, Cite);

impl Verification {
    /// A file was changed; text for people needs no check.
    pub fn changed(&mut self, path: &str, now: u64, cite: &Cite) {
        let end = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if !matches!(end.as_str(), "md" | "mdx" | "markdown" | "rst" | "txt" | "adoc") {
            self.last_change = Some((now, cite.clone()));
        }
    }

    pub fn ran(&mut self, command: &Command, run: CheckRun, now: u64) {
        let (status, cite) = (run.status, run.call.clone());
        for check in &command.checks {
            self.remember(check, &run, now);
            if status == Status::Passed {
                self.settle(check, &cite);
            }
        }
        let number = self.runs.push(run);
        if status == Status::Failed {
            self.wait(number, &command.checks);
        }
    }

    fn remember(&mut self, check: &Check, run: &CheckRun, now: u64) {
        if !self.latest.contains_key(&check.name) {
            if self.programs.len() >= KINDS_OF_CHECKS {
                return;
            }
            self.programs.push(check.name);
        }
        let latest = Latest { command: run.command.clone(), at: now, status: run.status, cite: run.call.clone() };
        self.latest.insert(check.name, latest);
    }

    fn wait(&mut self, number: u64, checks: &[Check]) {
        for check in checks {
            self.exact.entry(check.exact).or_default().push_back(number);
            self.broad.entry(check.name).or_default().push_back(number);
        }
        // The first ones are listed for ever, so they wait for ever.
        if number >= CHECKS.0 as u64 {
            self.order.push_back((number, checks.to_vec()));
        }
        if self.order.len() <= OPEN_FAILURES {
            return;
        }
        let Some((oldest, checks)) = self.order.pop_front() else { return };
        for check in &checks {
            drop_front(&mut self.exact, check.exact, oldest);
            drop_front(&mut self.broad, check.name, oldest);
        }
    }

    fn settle(&mut self, check: &Check, by: &Cite) {
        let exact = self.exact.remove(&check.exact).unwrap_or_default();
        let broad = if check.broad { self.broad.remove(&check.name).unwrap_or_default() } else { VecDeque::new() };
        for number in exact.into_iter().chain(broad) {
            if let Some(run) = self.runs.get_mut(number) {
                run.fixed_by.get_or_insert_with(|| by.clone());
            }
        }
    }

    /// Failed checks that nothing settled: each command once, with its last failure.
    pub fn unresolved(&self) -> Vec<(u64, &CheckRun)> {
        let mut seen = HashMap::new();
        let mut list: Vec<(u64, &CheckRun)> = Vec::new();
        for (number, run) in self.runs.iter().filter(|(_, r)| r.status == Status::Failed && r.fixed_by.is_none()) {
            match seen.get(&run.command) {
                Some(&at) => list[at] = (number, run),
                None => {
                    seen.insert(run.command.clone(), list.len());
                    list.push((number, run));
                }
            }
        }
        list
    }

    /// What still has to be shown, and the event that says so.
    pub fn missing(&self) -> Vec<Claim> {
        let mut list: Vec<Claim> = Vec::new();
        let unresolved = self.unresolved();
        for (_, run) in &unresolved {
            list.push((format!("Unresolved failed check: `{}`", quoted(&run.command)), run.call.clone()));
        }
        let Some((changed, cite)) = &self.last_change else { return capped(list) };
        let stale = |latest: &Latest| latest.at < *changed;
        let named = |latest: &Latest| unresolved.iter().any(|(_, run)| run.command == latest.command);
        if self.programs.is_empty() {
            list.push(("No verification command found after file modifications.".to_owned(), cite.clone()));
        }
        for latest in self.programs.iter().filter_map(|key| self.latest.get(key)).filter(|l| !named(l)) {
            let command = quoted(&latest.command);
            if stale(latest) {
                list.push((
                    format!("Not run again after the last file modification: `{command}`"),
                    latest.cite.clone(),
                ));
            } else if latest.status == Status::Unknown {
                list.push((format!("Result not known: `{command}`"), latest.cite.clone()));
            }
        }
        list.dedup_by(|a, b| a.0 == b.0);
        capped(list)
    }

    /// A check passed after the last change.
    pub fn is_verified(&self) -> bool {
        let changed = self.last_change.as_ref().map_or(0, |c| c.0);
        self.latest.values().any(|l| l.at >= changed && l.status == Status::Passed)
    }

    /// Files were changed that a check could be about.
    pub fn is_needed(&self) -> Option<&Cite> {
        self.last_change.as_ref().map(|(_, cite)| cite)
    }
}

fn capped(mut list: Vec<Claim>) -> Vec<Claim> {
    list.truncate(MISSING_CHECKS);
    list
}

/// A command inside of a sentence: one line, no backquote.
pub fn quoted(command: &str) -> String {
    text::short(command, QUOTED).replace('`', "'")
}

/// Take the number out of its queue: only those that wait for ever stand before it.
fn drop_front(map: &mut KeyMap<VecDeque<u64>>, key: Key, number: u64) {
    if let Some(queue) = map.get_mut(&key) {
        if let Some(at) = queue.iter().take(CHECKS.0 + 1).position(|n| *n == number) {
            queue.remove(at);
        }
        if queue.is_empty() {
            map.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::analyze;
    use super::*;
    use crate::hail::Time;

    fn cite(now: u64) -> Cite {
        Cite { id: format!("e{now}").into(), time: Time::EPOCH, source: "x".into() }
    }

    fn run(all: &mut Verification, now: u64, text: &str, status: Status) {
        let command = analyze(text);
        let run = CheckRun {
            command: command.text.clone(),
            kinds: command.kinds,
            status,
            exit_code: None,
            judged: false,
            call: cite(now),
            result: None,
            fixed_by: None,
        };
        all.ran(&command, run, now);
    }

    fn missing(all: &Verification) -> Vec<String> {
        all.missing().into_iter().map(|(text, _)| text).collect()
    }

    use Status::*;

    #[test]
    fn a_broader_pass_settles_a_failure_and_a_narrower_one_does_not() {
        let mut all = Verification::default();
        run(&mut all, 1, "pytest tests/a.py", Failed);
        run(&mut all, 2, "pytest tests/b.py", Passed);
        assert_eq!(missing(&all), ["Unresolved failed check: `pytest tests/a.py`"]);
        run(&mut all, 3, "pytest -q", Passed);
        assert_eq!(missing(&all), Vec::<String>::new());
        assert_eq!(all.runs.iter().next().unwrap().1.fixed_by.as_ref().unwrap().id.as_ref(), "e3");
        run(&mut all, 4, "pytest", Failed);
        run(&mut all, 5, "pytest tests/a.py", Passed);
        assert_eq!(missing(&all), ["Unresolved failed check: `pytest`"]);
    }

    #[test]
    fn checks_are_missing_after_the_last_change() {
        let mut all = Verification::default();
        all.changed("src/a.rs", 1, &cite(1));
        assert_eq!(missing(&all), ["No verification command found after file modifications."]);
        run(&mut all, 2, "cargo test", Passed);
        run(&mut all, 3, "cargo clippy | tail", Unknown);
        assert_eq!(missing(&all), ["Result not known: `cargo clippy | tail`"]);
        all.changed("README.md", 4, &cite(4));
        assert!(all.is_verified());
        all.changed("src/a.rs", 5, &cite(5));
        assert!(!all.is_verified());
        assert_eq!(missing(&all).len(), 2);
        run(&mut all, 6, "cargo test && cargo clippy", Passed);
        assert_eq!(missing(&all), Vec::<String>::new());
    }

    #[test]
    fn a_million_different_failing_checks_take_linear_time_and_bounded_memory() {
        let mut all = Verification::default();
        let command = analyze("pytest x");
        for k in 0..1_000_000u64 {
            let mut command = command.clone();
            command.checks[0].exact[..8].copy_from_slice(&k.to_le_bytes());
            let run = CheckRun {
                command: command.text.clone(),
                kinds: command.kinds,
                status: Failed,
                exit_code: Some(1),
                judged: false,
                call: cite(k),
                result: None,
                fixed_by: None,
            };
            all.ran(&command, run, k);
        }
        let most = OPEN_FAILURES + CHECKS.0;
        assert!(all.exact.len() <= most && all.broad.len() == 1 && all.order.len() <= OPEN_FAILURES);
        assert_eq!(all.broad.values().next().unwrap().len(), most);
        run(&mut all, 1_000_001, "pytest", Passed);
        assert!(all.unresolved().is_empty());
    }
}
