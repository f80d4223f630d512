//! From the state at the end of a session to the fields of its summary. The table in `mod.rs` says what each one means.

use super::contract;
use super::evidence::{time, Evidence};
use super::item::Cite;
use super::json::{Json, Object};
use super::limits::*;
use super::lists::Ends;
use super::plan;
use super::programs;
use super::state::{ids, End, Said, State};
use super::text;
use super::verification::{CheckRun, Status};
use crate::hail::{Header, Numbers};

/// What the parts of a summary have in common while it is built.
pub struct Builder<'s> {
    pub state: &'s State,
    pub evidence: Evidence,
    pub omitted: Object,
    pub undefined: Vec<Json>,
    has_omitted: bool,
}

impl<'s> Builder<'s> {
    pub fn new(state: &'s State) -> Builder<'s> {
        let evidence = Evidence::default();
        Builder { state, evidence, omitted: Object::new(), undefined: Vec::new(), has_omitted: false }
    }

    pub fn undefined(&mut self, path: &str, reason: &str) {
        self.undefined.push(Object::new().set("path", path).set("undefined_reason", reason).into());
    }

    pub fn omit(&mut self, field: &'static str, count: u64) {
        if count > 0 {
            self.omitted.put(field, count);
            self.has_omitted = true;
        }
    }

    /// The texts of a list, each with its evidence.
    pub fn texts(&mut self, field: &'static str, label: &str, list: &Ends<Said>) -> Vec<String> {
        self.omit(field, list.omitted());
        let texts = list.iter().map(|(_, (text, cite))| {
            self.evidence.cite(label, text, cite);
            text.to_string()
        });
        texts.collect()
    }

    /// One sentence with its evidence.
    pub fn sentence<'c>(&mut self, label: &str, text: String, cites: impl IntoIterator<Item = &'c Cite>) -> String {
        self.evidence.cite_all(label, &text, cites);
        text
    }
}

/// The summary line, as a tree.
pub fn summary(header: &Header, numbers: &Numbers, state: &State) -> (Json, bool) {
    let mut b = Builder::new(state);
    let mut out = head(header, numbers);
    objective(&mut b, &mut out);
    conversation(&mut b, &mut out);
    files(&mut b, &mut out);
    out.put("shell_commands", commands(&mut b, usize::MAX));
    out.put("last_commands", commands(&mut b, LAST_COMMANDS));
    b.omit("shell_commands", state.commands.omitted());
    let errors = b.texts("errors", "error", &state.errors);
    out.put("errors", errors);
    let summaries = b.texts("task_summaries", "task_done", &state.task_summaries);
    out.put("task_summaries", summaries);
    out.put("failed_attempts", attempts(&mut b));
    out.put("open_todos", todos(&mut b));
    out.put("verification", verification(&mut b));
    contract::put(&mut b, &mut out);
    let has_evidence = !b.evidence.is_empty();
    if !has_evidence {
        b.undefined("evidence", "No claim of this summary rests on an event.");
    }
    if b.has_omitted {
        out.put("omitted", std::mem::take(&mut b.omitted));
    }
    out.put("undefined_fields", std::mem::take(&mut b.undefined));
    out.put("evidence", b.evidence.rows());
    (out.into(), has_evidence)
}

fn head(header: &Header, numbers: &Numbers) -> Object {
    let mut stats = Object::new();
    numbers.list().into_iter().for_each(|(name, value)| stats.put(name, value));
    Object::new()
        .set("type", "summary")
        .set("source_session_id", header.session_id.as_str())
        .set("tool", header.tool.as_str())
        .set("model", header.model.as_str())
        .maybe("title", header.title.as_deref().map(|t| text::short(t, TITLE)))
        .maybe("cwd", header.cwd.as_deref().filter(|c| c.len() <= PATH_LENGTH))
        .set("started_at", time(header.created_at))
        .set("updated_at", time(header.updated_at))
        .set("duration_seconds", numbers.duration_seconds)
        .set("stats", stats)
}

fn objective(b: &mut Builder<'_>, out: &mut Object) {
    match &b.state.first_typed {
        Some((words, cite)) => {
            let objective = text::short(words, OBJECTIVE);
            b.evidence.cite("objective", &objective, cite);
            out.put("objective", objective);
        }
        None => b.undefined("objective", "No message that a person typed stands in the log."),
    }
    b.omit("goals", b.state.goals.omitted());
    let goals = b.state.goals.iter().map(|(_, (words, cite))| {
        Object::new().set("text", &**words).set("event_ids", ids(&[Some(cite)])).set("timestamp", time(cite.time))
    });
    out.put("goals", goals.collect::<Vec<_>>());
}

fn conversation(b: &mut Builder<'_>, out: &mut Object) {
    let messages = b.texts("user_messages", "user_message", &b.state.user_messages);
    out.put("user_messages", messages);
    let mut pairs = Ends::new(CONVERSATIONS);
    for package in b.state.packages.list() {
        if let (Some((user, asked)), Some((agent, said))) = (&package.user, &package.outcome) {
            let pair = Object::new().set("user", text::short(user, OUTCOME)).set("agent", &**agent);
            pairs.push(pair.set("event_ids", ids(&[Some(asked), Some(said)])));
        }
    }
    b.omit("key_conversations", pairs.omitted());
    let mut list = Vec::new();
    pairs.drain(&mut list);
    out.put("key_conversations", list);
    if let Some((words, cite)) = &b.state.last_agent {
        out.put("last_agent_message", Object::new().set("text", &**words).set("event_ids", ids(&[Some(cite)])));
    }
}

fn files(b: &mut Builder<'_>, out: &mut Object) {
    let all = b.state.files.modified();
    let more = all.len().saturating_sub(FILES_MODIFIED) as u64 + b.state.files.untracked;
    b.omit("files_modified", more);
    let modified = all.iter().take(FILES_MODIFIED).map(|file| {
        Object::new()
            .set("path", &*file.path)
            .maybe("action", file.action())
            .set("event_ids", ids(&[Some(&file.first), Some(&file.last)]))
            .maybe("unconfirmed", file.unconfirmed.then_some(true))
    });
    out.put("files_modified", modified.collect::<Vec<_>>());
    let mut read = Vec::new();
    b.omit("files_read", b.state.files_read.omitted());
    for (_, (path, cite)) in b.state.files_read.iter().filter(|(_, (path, _))| !b.state.files.is_modified(path)) {
        b.evidence.cite("file_read", path, cite);
        read.push(path.to_string());
    }
    out.put("files_read", read);
    let open = b.state.files.not_seen_committed();
    b.omit("not_seen_committed", open.len().saturating_sub(FILES_MODIFIED) as u64);
    let open = open.into_iter().take(FILES_MODIFIED).map(|file| {
        b.evidence.cite("not_seen_committed", &file.path, &file.last);
        file.path.to_string()
    });
    out.put("not_seen_committed", open.collect::<Vec<_>>());
}

/// The last `most` of the commands that are kept.
fn commands(b: &mut Builder<'_>, most: usize) -> Vec<Object> {
    let kept = b.state.commands.iter().count();
    let commands = b.state.commands.iter().skip(kept.saturating_sub(most)).map(|(_, ran)| {
        Object::new()
            .set("command", &*ran.command)
            .maybe("exit_code", ran.exit_code)
            .set("event_ids", ids(&[Some(&ran.call), ran.result.as_ref()]))
    });
    commands.collect()
}

fn attempts(b: &mut Builder<'_>) -> Vec<Object> {
    b.omit("failed_attempts", b.state.attempts.list.omitted());
    let attempts = b.state.attempts.list.iter().map(|(_, attempt)| {
        let replaced = attempt.replaced_by.as_ref().map(|success| {
            Object::new()
                .set("attempt", text::short_verbatim(&success.text, QUOTED))
                .set("event_ids", ids(&[Some(&success.cite)]))
        });
        Object::new()
            .set("attempt", &*attempt.text)
            .set("kind", attempt.kind)
            .maybe("exit_code", attempt.exit_code)
            .maybe("error", attempt.error.as_deref())
            .set("count", attempt.count)
            .set("event_ids", ids(&[Some(&attempt.first), Some(&attempt.last), attempt.result.as_ref()]))
            .maybe("replaced_by", replaced)
    });
    attempts.collect()
}

fn todos(b: &mut Builder<'_>) -> Vec<Object> {
    b.omit("open_todos", b.state.more_todos);
    let open = b.state.todos.iter().filter(|t| plan::is_open(&t.entry.status)).map(|todo| {
        Object::new()
            .set("text", todo.entry.text.as_str())
            .set("status", todo.entry.status.as_str())
            .set("event_ids", ids(&[Some(&todo.cite)]))
    });
    open.collect()
}

fn verification(b: &mut Builder<'_>) -> Object {
    let runs = &b.state.verification.runs;
    b.omit("checks_run", runs.omitted());
    let list: Vec<Object> = runs.iter().map(|(_, run)| check(run)).collect();
    let passed = outcomes(b, "check_passed", Status::Passed);
    let failed = outcomes(b, "check_failed", Status::Failed);
    let missing = b.state.verification.missing();
    let missing: Vec<String> =
        missing.into_iter().map(|(text, cite)| b.sentence("check_missing", text, [&cite])).collect();
    Object::new()
        .set("checks_run", list)
        .set("checks_passed", passed)
        .set("checks_failed", failed)
        .set("required_checks_missing", missing)
}

fn check(run: &CheckRun) -> Object {
    Object::new()
        .set("command", &*run.command)
        .set("kinds", programs::names(run.kinds))
        .set("status", run.status.name())
        .maybe("exit_code", run.exit_code)
        .maybe("judged_by", run.judged.then_some("output"))
        .maybe("event_id", Some(&*run.call.id).filter(|id| !id.is_empty()))
        .maybe("result_event_id", run.result.as_ref().map(|r| &*r.id).filter(|id| !id.is_empty()))
        .maybe("fixed_by", run.fixed_by.as_ref().map(|f| &*f.id).filter(|id| !id.is_empty()))
}

/// The commands that ended like this, each once, in order.
fn outcomes(b: &mut Builder<'_>, label: &str, status: Status) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut list = Vec::new();
    for (_, run) in b.state.verification.runs.iter().filter(|(_, r)| r.status == status) {
        let command = text::short(&run.command, COMMAND);
        b.evidence.cite(label, &command, &run.call);
        if seen.insert(command.clone()) {
            list.push(command);
        }
    }
    list
}

/// The log ends in the middle of something.
pub fn is_unfinished(end: End) -> bool {
    matches!(end, End::Person | End::Working | End::Interrupted)
}
