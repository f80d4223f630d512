//! The fold: items of all events in order, into the state that a summary is written from.
//!
//! Calls wait for their results; what a call changed counts when its result says that it went well, or at once where the
//! log names no call. The state is bounded by `limits.rs`, never by the session.

use std::collections::VecDeque;
use std::sync::Arc;

use super::attempts::{Attempt, Attempts, Keys};
use super::checks::Says;
use super::command::Command;
use super::files::{Change, Files};
use super::item::{Act, Call, Cite, Item, Op, Outcome, What};
use super::keys::{Key, KeyMap, KeySet};
use super::limits::*;
use super::lists::Ends;
use super::plan::{self, Entry};
use super::text;
use super::turns::Packages;
use super::verification::{CheckRun, Status, Verification};
use crate::digest::short as digest;

#[derive(Debug)]
pub struct Ran {
    pub command: Arc<str>,
    pub exit_code: Option<i64>,
    pub call: Cite,
    pub result: Option<Cite>,
}

#[derive(Debug)]
pub struct Todo {
    pub entry: Entry,
    pub cite: Cite,
}

#[derive(Debug)]
pub struct Question {
    pub id: String,
    pub text: String,
    pub cite: Cite,
}

/// What happened last in the main thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Nothing,
    Person,
    Agent,
    Working,
    Interrupted,
}

/// A call that waits for its result.
#[derive(Debug)]
struct Open {
    number: u64,
    /// The log names the call, so its result could be told.
    named: bool,
    act: Act,
    cite: Cite,
    task: Option<Box<str>>,
    /// The entry in `commands`.
    command: Option<u64>,
}

pub type Said = (Box<str>, Cite);

#[derive(Debug)]
pub struct State {
    /// Numbers calls and results.
    now: u64,
    pub end: End,
    pub first_typed: Option<Said>,
    pub goals: Ends<Said>,
    pub user_messages: Ends<Said>,
    pub last_agent: Option<Said>,
    pub task_summaries: Ends<Said>,
    pub first_task_title: Option<Said>,
    pub commands: Ends<Ran>,
    pub errors: Ends<Said>,
    pub inferred: u64,
    pub files: Files,
    pub files_read: Ends<Said>,
    pub attempts: Attempts,
    pub verification: Verification,
    pub packages: Packages,
    pub todos: Vec<Todo>,
    pub more_todos: u64,
    pub questions: VecDeque<Question>,
    pub more_questions: u64,
    /// The last interruption, if nothing came after it.
    pub interrupted: Option<Said>,
    open: KeyMap<VecDeque<Open>>,
    order: VecDeque<(Key, u64)>,
    waiting: usize,
    reads_seen: KeySet,
}

impl State {
    pub fn new(cwd: Option<&str>) -> State {
        State {
            now: 0,
            end: End::Nothing,
            first_typed: None,
            goals: Ends::new(GOALS),
            user_messages: Ends::new(USER_MESSAGES),
            last_agent: None,
            task_summaries: Ends::new(TASK_SUMMARIES),
            first_task_title: None,
            commands: Ends::new(COMMANDS),
            errors: Ends::new(ERRORS),
            inferred: 0,
            files: Files::new(cwd),
            files_read: Ends::new(FILES_READ),
            attempts: Attempts::default(),
            verification: Verification::default(),
            packages: Packages::default(),
            todos: Vec::new(),
            more_todos: 0,
            questions: VecDeque::new(),
            more_questions: 0,
            interrupted: None,
            open: KeyMap::default(),
            order: VecDeque::new(),
            waiting: 0,
            reads_seen: Default::default(),
        }
    }

    /// Take the next item.
    pub fn take(&mut self, item: Item) {
        self.now += 1;
        let Item { cite, task, what } = item;
        let main = task.is_none();
        match what {
            What::Typed(words) => self.typed(&words, cite),
            What::Agent(Some(words)) => self.agent(task.as_deref(), words, cite),
            What::Agent(None) => self.spoke(task.as_deref(), &cite),
            What::Interrupted(reason) => self.interrupt(reason, cite),
            What::Call(call) => {
                if main {
                    self.end = End::Working;
                }
                self.call(*call, cite, task);
            }
            What::Result(outcome) => {
                if main {
                    self.end = End::Working;
                }
                self.result(*outcome, cite);
            }
            What::TaskStart(title) => self.task_started(task.as_deref(), title, cite),
            What::TaskEnd(summary) => self.task_ended(task.as_deref(), summary, cite),
            What::Asked(list) => list.into_iter().for_each(|(id, text)| self.ask(id, text, &cite)),
            What::Answered(ids) => self.questions.retain(|q| !ids.contains(&q.id)),
        }
    }

    fn typed(&mut self, words: &str, cite: Cite) {
        self.end = End::Person;
        self.interrupted = None;
        self.user_messages.push((text::short(words, USER_MESSAGE).into(), cite.clone()));
        if self.first_typed.is_none() {
            self.first_typed = Some((words.into(), cite.clone()));
        }
        if self.goals.pushed() == 0 || changes_the_goal(words) {
            self.goals.push((words.into(), cite.clone()));
        }
        self.packages.typed(words, &cite);
    }

    fn agent(&mut self, task: Option<&str>, words: Box<str>, cite: Cite) {
        self.packages.said(task, &words, &cite);
        if task.is_none() {
            self.end = End::Agent;
            self.last_agent = Some((words, cite));
        }
    }

    /// A message that another one follows: its words are not kept, but it was there.
    fn spoke(&mut self, task: Option<&str>, cite: &Cite) {
        self.packages.of(task, cite);
        if task.is_none() {
            self.end = End::Agent;
        }
    }

    fn interrupt(&mut self, reason: Option<Box<str>>, cite: Cite) {
        self.end = End::Interrupted;
        self.packages.interrupted(&cite);
        let text: Box<str> = match reason.filter(|r| &**r != "interrupted") {
            Some(reason) => format!("Turn interrupted: {reason}").into(),
            None => "Turn interrupted.".into(),
        };
        self.errors.push((text.clone(), cite.clone()));
        self.interrupted = Some((text, cite));
    }

    fn task_started(&mut self, task: Option<&str>, title: Option<Box<str>>, cite: Cite) {
        self.packages.task_started(task, title.as_deref(), &cite);
        if let (None, Some(title)) = (&self.first_task_title, title.filter(|t| !t.is_empty())) {
            self.first_task_title = Some((title, cite));
        }
    }

    fn task_ended(&mut self, task: Option<&str>, summary: Option<Box<str>>, cite: Cite) {
        self.packages.task_ended(task, summary.as_deref(), &cite);
        let Some(summary) = summary.filter(|s| !s.is_empty()) else { return };
        if summary.eq_ignore_ascii_case("synthetic end (missing task_complete)") {
            return;
        }
        let known = self.task_summaries.iter().any(|(_, s)| s.0 == summary);
        if !known {
            self.task_summaries.push((summary, cite));
        }
    }

    fn ask(&mut self, id: String, text: String, cite: &Cite) {
        if self.questions.len() >= QUESTIONS {
            self.questions.pop_front();
            self.more_questions += 1;
        }
        self.questions.push_back(Question { id, text, cite: cite.clone() });
    }

    fn call(&mut self, call: Call, cite: Cite, task: Option<Box<str>>) {
        let Call { key, named, act } = call;
        let task_ = task.as_deref();
        let mut command = None;
        match &act {
            Act::Shell { command: c, exit_code } => {
                self.packages.command(task_, &c.text, &cite);
                let ran = Ran { command: c.text.clone(), exit_code: *exit_code, call: cite.clone(), result: None };
                command = Some(self.commands.push(ran));
            }
            Act::Question(list) => {
                let id = hex(&key);
                list.iter().for_each(|text| self.ask(id.clone(), text.clone(), &cite));
            }
            _ => self.packages.tried(task_, &cite),
        }
        let open = Open { number: self.now, named, act, cite, task, command };
        // Without an id there is no result to wait for; a shell command's own exit code is all there will be.
        let settled = !named && !matches!(open.act, Act::Shell { exit_code: None, .. } | Act::Question(_));
        if settled {
            return self.settle(open, None);
        }
        self.order.push_back((key, open.number));
        self.open.entry(key).or_default().push_back(open);
        self.waiting += 1;
        self.forget();
    }

    /// Keep the number of calls that wait within its limit.
    fn forget(&mut self) {
        while self.waiting > OPEN_CALLS {
            let Some((key, number)) = self.order.pop_front() else { return };
            let Some(queue) = self.open.get_mut(&key) else { continue };
            if queue.front().is_some_and(|o| o.number == number) {
                let open = queue.pop_front();
                if queue.is_empty() {
                    self.open.remove(&key);
                }
                self.waiting -= 1;
                open.into_iter().for_each(|open| self.settle(open, None));
            }
        }
        if self.order.len() > 4 * OPEN_CALLS {
            let open = &self.open;
            self.order
                .retain(|(key, number)| open.get(key).is_some_and(|q| q.front().is_some_and(|o| o.number <= *number)));
        }
    }

    fn result(&mut self, mut outcome: Outcome, cite: Cite) {
        self.inferred += outcome.inferred as u64;
        if let Some(answer) = outcome.answer.as_ref().filter(|a| !a.is_empty()) {
            self.user_messages.push((answer.clone(), cite.clone()));
            self.goals.push((answer.clone(), cite.clone()));
        }
        let calls = self.open.remove(&outcome.key).unwrap_or_default();
        self.waiting -= calls.len();
        // What a call does not ask for may not have been looked for.
        if !calls.iter().all(|open| open.act.hides_a_check()) {
            outcome.says = Says::Nothing;
        }
        if !calls.iter().all(|open| matches!(open.act, Act::Shell { .. })) {
            outcome.open = false;
        }
        let outcome = &outcome;
        if outcome.is_error && !calls.iter().any(|o| matches!(o.act, Act::Shell { .. }) && outcome.exit_code.is_some())
        {
            let name = if outcome.name.is_empty() { "unknown" } else { &outcome.name };
            let text = match &outcome.text {
                Some(text) => format!("Tool error: {name} — {}", text::short(text, NAME)),
                None => format!("Tool error: {name}"),
            };
            self.errors.push((text.into(), cite.clone()));
        }
        for open in calls {
            self.settle(open, Some((outcome, &cite)));
        }
    }

    /// The log has ended.
    pub fn finish(&mut self) {
        let mut rest: Vec<Open> = std::mem::take(&mut self.open).into_values().flatten().collect();
        rest.sort_by_key(|open| open.number);
        rest.into_iter().for_each(|open| self.settle(open, None));
    }

    fn settle(&mut self, open: Open, outcome: Option<(&Outcome, &Cite)>) {
        let Open { named, act, cite, task, command, .. } = open;
        match act {
            Act::Shell { command: shell, exit_code } => self.settle_shell(&shell, exit_code, command, cite, outcome),
            Act::File { path, op, moved_to } => {
                let confirmed = outcome.is_some() || !named;
                self.settle_file((&path, moved_to.as_deref()), op, confirmed, task.as_deref(), cite, outcome);
            }
            Act::Read { path } => self.settle_read(path, cite, outcome),
            Act::Plan(change) => {
                if !outcome.is_some_and(|o| o.0.is_error) {
                    self.plan(change, cite, outcome.and_then(|o| o.0.text.as_deref()));
                }
            }
            Act::Question(_) => {
                if let Some((outcome, _)) = outcome.filter(|o| !o.0.is_error) {
                    let id = hex(&outcome.key);
                    self.questions.retain(|q| q.id != id);
                }
            }
            Act::Other { name } => self.settle_tool(&name, cite, outcome),
        }
    }

    fn settle_shell(
        &mut self,
        command: &Command,
        exit_code: Option<i64>,
        number: Option<u64>,
        cite: Cite,
        outcome: Option<(&Outcome, &Cite)>,
    ) {
        let code = exit_code.or(outcome.and_then(|o| o.0.exit_code));
        let is_error = outcome.is_some_and(|o| o.0.is_error);
        let status = match (code, outcome) {
            (Some(0), _) => Status::Passed,
            (Some(_), _) => Status::Failed,
            (None, Some((o, _))) if o.is_error => Status::Failed,
            (None, Some((o, _))) if !o.open => Status::Passed,
            (None, _) => Status::Unknown,
        };
        let result = outcome.map(|o| o.1.clone());
        if let Some(ran) = number.and_then(|n| self.commands.get_mut(n)) {
            ran.exit_code = code;
            ran.result = result.clone();
        }
        if code == Some(0) {
            command.steps.iter().for_each(|step| self.files.step(step, &cite));
        }
        if !command.checks.is_empty() {
            self.check(command, code, status, is_error, &cite, outcome);
        }
        let failed = status == Status::Failed && !(command.answers && code == Some(1));
        if !failed {
            if status != Status::Unknown {
                let other = if self.attempts.anybody_waits() { command.arguments() } else { None };
                self.attempts.succeeded([Some(command.kind), other], &command.text, &cite);
            }
            return;
        }
        if let Some(code) = code {
            let quoted = super::verification::quoted(&command.text);
            self.errors
                .push((format!("Shell: `{quoted}` → exit {code}").into(), result.clone().unwrap_or(cite.clone())));
        }
        let keys = Keys { same: command.same(), kind: command.kind, other: command.arguments() };
        self.failed(keys, (&*command.text).into(), "command", code, cite, outcome);
    }

    fn failed(
        &mut self,
        keys: Keys,
        text: Box<str>,
        kind: &'static str,
        exit_code: Option<i64>,
        cite: Cite,
        outcome: Option<(&Outcome, &Cite)>,
    ) {
        let error = outcome.and_then(|o| o.0.text.clone());
        let result = outcome.map(|o| o.1.clone());
        let (first, last) = (cite.clone(), cite);
        self.attempts
            .failed(keys, Attempt { text, kind, exit_code, error, count: 1, first, last, result, replaced_by: None });
    }

    fn check(
        &mut self,
        command: &Command,
        code: Option<i64>,
        status: Status,
        is_error: bool,
        cite: &Cite,
        outcome: Option<(&Outcome, &Cite)>,
    ) {
        let all_decide = command.checks.iter().all(|c| c.decides);
        let says = outcome.map_or(Says::Nothing, |o| o.0.says);
        let fails_by_code = code.is_some_and(|c| c != 0) && command.checks.iter().any(|c| c.decides);
        let (status, judged) = match (all_decide || fails_by_code || (is_error && code.is_none()), says) {
            (true, _) => (status, false),
            (false, _) if status == Status::Unknown => (Status::Unknown, false),
            (false, Says::Passed) => (Status::Passed, true),
            (false, Says::Failed) => (Status::Failed, true),
            (false, Says::Nothing) => (Status::Unknown, false),
        };
        let run = CheckRun {
            command: command.text.clone(),
            kinds: command.kinds,
            status,
            exit_code: code,
            judged,
            call: cite.clone(),
            result: outcome.map(|o| o.1.clone()),
            fixed_by: None,
        };
        self.verification.ran(command, run, self.now);
    }

    fn settle_file(
        &mut self,
        (path, moved_to): (&str, Option<&str>),
        op: Op,
        confirmed: bool,
        task: Option<&str>,
        cite: Cite,
        outcome: Option<(&Outcome, &Cite)>,
    ) {
        if path.is_empty() {
            return;
        }
        let place = self.files.place(path);
        let kind = key("file", &place);
        let verb = match op {
            Op::Create => "Write",
            Op::Edit => "Edit",
            Op::Delete => "Delete",
        };
        let text: Box<str> = format!("{verb} {path}").into();
        if outcome.is_some_and(|o| o.0.is_error) {
            let keys = Keys { same: key(verb, &place), kind, other: None };
            return self.failed(keys, text, "edit", None, cite, outcome);
        }
        let action = outcome.and_then(|o| o.0.action);
        match moved_to {
            Some(to) => self.files.rename(path, to, confirmed, &cite),
            None => self.files.change(Change { path, op, action, confirmed }, &cite),
        }
        self.packages.file(task, &place, path, &cite);
        self.verification.changed(path, self.now, &cite);
        self.attempts.succeeded([Some(kind), None], &text, &cite);
    }

    fn settle_read(&mut self, path: Box<str>, cite: Cite, outcome: Option<(&Outcome, &Cite)>) {
        if path.is_empty() {
            return;
        }
        let place = self.files.place(&path);
        let kind = key("read", &place);
        let text: Box<str> = format!("Read {path}").into();
        if outcome.is_some_and(|o| o.0.is_error) {
            return self.failed(Keys { same: kind, kind, other: None }, text, "read", None, cite, outcome);
        }
        self.attempts.succeeded([Some(kind), None], &text, &cite);
        if self.reads_seen.len() < PATHS_READ && self.reads_seen.insert(digest(place.as_bytes())) {
            self.files.was_read(&path);
            self.files_read.push((path, cite));
        }
    }

    fn settle_tool(&mut self, name: &str, cite: Cite, outcome: Option<(&Outcome, &Cite)>) {
        let kind = key("tool", name);
        let Some((result, _)) = outcome else { return };
        if !result.is_error {
            return self.attempts.succeeded([Some(kind), None], name, &cite);
        }
        self.failed(Keys { same: kind, kind, other: None }, name.into(), "tool", result.exit_code, cite, outcome);
    }

    fn plan(&mut self, change: plan::Change, cite: Cite, result: Option<&str>) {
        match change {
            plan::Change::Replace(entries, more) => {
                self.todos = entries.into_iter().map(|entry| Todo { entry, cite: cite.clone() }).collect();
                self.more_todos = more;
            }
            plan::Change::Add(mut entry) => {
                entry.id = entry.id.or_else(|| result.and_then(plan::created_id));
                if self.todos.len() < TODOS {
                    self.todos.push(Todo { entry, cite });
                } else {
                    self.more_todos += 1;
                }
            }
            plan::Change::Update { id, text, status } => {
                if let Some(todo) = self.todos.iter_mut().find(|t| t.entry.id.as_deref() == Some(&id)) {
                    todo.entry.text = text.unwrap_or(std::mem::take(&mut todo.entry.text));
                    todo.entry.status = status.unwrap_or(std::mem::take(&mut todo.entry.status));
                    todo.cite = cite;
                }
            }
        }
    }
}

fn key(what: &str, text: &str) -> Key {
    digest(format!("{what}\0{text}").as_bytes())
}

fn hex(key: &Key) -> String {
    key.iter().map(|b| format!("{b:02x}")).collect()
}

/// A turn changes the goal unless it only says yes, thanks or go on.
fn changes_the_goal(words: &str) -> bool {
    const NODS: &[&str] = &[
        "yes",
        "y",
        "yeah",
        "yep",
        "ok",
        "okay",
        "k",
        "sure",
        "go",
        "go on",
        "go ahead",
        "continue",
        "please continue",
        "proceed",
        "do it",
        "yes please",
        "please do",
        "thanks",
        "thank you",
        "thx",
        "great",
        "good",
        "nice",
        "perfect",
        "lgtm",
        "done",
        "next",
        "keep going",
        "carry on",
        "继续",
        "好",
        "好的",
        "可以",
        "是",
        "对",
        "계속",
        "네",
        "はい",
        "続けて",
        "ja",
        "weiter",
        "oui",
        "sí",
        "si",
    ];
    if words.len() > 60 {
        return true;
    }
    let plain: String =
        words.chars().filter(|c| !c.is_ascii_punctuation() && !matches!(c, '。' | '，' | '！')).collect();
    !NODS.contains(&plain.trim().to_lowercase().as_str())
}

/// What an event id is shared as.
pub fn ids(cites: &[Option<&Cite>]) -> Vec<String> {
    let mut list: Vec<Arc<str>> = Vec::new();
    for cite in cites.iter().copied().flatten() {
        if !cite.id.is_empty() && !list.contains(&cite.id) {
            list.push(cite.id.clone());
        }
    }
    list.iter().map(|id| id.to_string()).collect()
}
