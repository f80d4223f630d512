//! What the next one has to know and do: steps, done, next actions, what is uncertain.
//!
//! `next_actions` hold the person's words and our own, nothing else: whatever a model or a tool wrote is pointed at by
//! the id of its evidence, so that no text of a log becomes an instruction.

use super::build::{is_unfinished, Builder};
use super::evidence::time;
use super::item::Cite;
use super::json::Object;
use super::limits::*;
use super::plan;
use super::state::End;
use super::text;
use super::turns::{Package, Status as Progress};
use super::verification::{quoted, Status};

pub fn put(b: &mut Builder<'_>, out: &mut Object) {
    let packages = b.state.packages.list();
    b.omit("work_packages", b.state.packages.omitted());
    let listed: Vec<Object> = packages.iter().map(|p| package(b, p, &packages)).collect();
    let steps: Vec<Object> = packages.iter().filter(|p| p.is_material()).map(|p| step(b, p, &packages)).collect();
    out.put("work_packages", listed);
    let questions = questions(b);
    let uncertainty = uncertainty(b, &questions);
    let done = done(b, &packages);
    let next = next_actions(b, &packages, &questions);
    let parallel = parallel(b, &packages);
    let commands = ordered_commands(b);
    let mut contract = Object::new()
        .set("ordered_steps", steps)
        .set("done_definition", done)
        .set("next_actions", next)
        .set("parallel_actions", parallel)
        .set("ordered_commands", commands);
    match &b.state.files.commit {
        Some(cite) => {
            let hint = "Use `git revert <commit>` for committed changes, then run the checks again.".to_owned();
            contract.put("rollback_hint", b.sentence("rollback_hint", hint, [cite]));
        }
        None => b.undefined("execution_contract.rollback_hint", "No commit is seen to succeed in this log."),
    }
    out.put("execution_contract", contract);
    let (open, uncertainty) = (questions.iter().map(|(text, _)| text.clone()).collect::<Vec<_>>(), uncertainty);
    out.put("uncertainty", uncertainty.set("open_questions", open));
}

fn title(package: &Package) -> String {
    match (&package.title, &package.outcome) {
        (Some(title), _) if !title.is_empty() => title.to_string(),
        (_, Some((outcome, _))) => text::short(outcome, TITLE),
        _ if &*package.id == "main" => "Main flow".to_owned(),
        _ => format!("Task {}", text::short(&package.id, NAME)),
    }
}

/// The evidence of a package: where it began, and what came of it.
fn refs(b: &mut Builder<'_>, package: &Package) -> Vec<String> {
    let title = title(package);
    let mut ids: Vec<String> = b.evidence.cite("work_package", &title, &package.started).into_iter().collect();
    if let Some((outcome, cite)) = &package.outcome {
        ids.extend(b.evidence.cite("outcome", outcome, cite));
    }
    ids
}

/// Only packages that are listed are named.
fn depends_on(package: &Package, all: &[&Package]) -> Vec<String> {
    let listed = |sequence: u64| all.binary_search_by_key(&sequence, |p| p.sequence).is_ok();
    package.depends_on.iter().filter(|(sequence, _)| listed(*sequence)).map(|(_, id)| id.to_string()).collect()
}

fn package(b: &mut Builder<'_>, package: &Package, all: &[&Package]) -> Object {
    let texts = |list: &[Box<str>]| list.iter().map(|t| t.to_string()).collect::<Vec<_>>();
    step(b, package, all)
        .remove("work_package_id")
        .set("id", &*package.id)
        .maybe("outcome", package.outcome.as_ref().map(|(text, _)| &**text))
        .set("files", texts(&package.files))
        .set("commands", texts(&package.commands))
        .maybe("more_files", (package.more_files > 0).then_some(package.more_files))
        .maybe("more_commands", (package.more_commands > 0).then_some(package.more_commands))
}

fn step(b: &mut Builder<'_>, package: &Package, all: &[&Package]) -> Object {
    Object::new()
        .set("work_package_id", &*package.id)
        .set("sequence", package.sequence)
        .set("title", title(package))
        .set("status", package.status.name())
        .set("depends_on", depends_on(package, all))
        .set("started_at", time(package.started.time))
        .maybe("completed_at", package.completed.as_ref().map(|c| time(c.time)))
        .set("evidence_refs", refs(b, package))
}

fn done(b: &mut Builder<'_>, packages: &[&Package]) -> Vec<String> {
    let mut list = Vec::new();
    let worked = |p: &&&Package| !p.files.is_empty() || !p.commands.is_empty();
    let completed = packages.iter().filter(|p| p.status == Progress::Completed).filter(worked);
    for package in completed {
        let mut facts = Vec::new();
        let count = |n: usize, more: u64, what: &str| (n > 0).then(|| format!("{what}: {}", n as u64 + more));
        facts.extend(count(package.files.len(), package.more_files, "files"));
        facts.extend(count(package.commands.len(), package.more_commands, "commands"));
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        let sentence = format!("[{}] Completed `{}`{facts}.", package.sequence, quoted(&title(package)));
        let cites = [Some(&package.started), package.completed.as_ref()];
        list.push(b.sentence("done", sentence, cites.into_iter().flatten()));
    }
    let state = b.state;
    let all = state.todos.len();
    let finished: Vec<&Cite> =
        state.todos.iter().filter(|t| !plan::is_open(&t.entry.status)).map(|t| &t.cite).collect();
    if all > 0 {
        let sentence = format!("The agent's plan: {} of {all} steps done.", finished.len());
        let cites: Vec<&Cite> = state.todos.iter().map(|t| &t.cite).take(5).collect();
        list.push(b.sentence("done", sentence, cites));
    }
    let passed: Vec<_> =
        state.verification.runs.iter().filter(|(_, r)| r.status == Status::Passed).map(|(_, r)| r).collect();
    let mut commands: Vec<String> = Vec::new();
    let mut cites = Vec::new();
    for run in passed.iter().rev() {
        let command = format!("`{}`", quoted(&run.command));
        if !commands.contains(&command) && commands.len() < 3 {
            commands.push(command);
            cites.push(run.call.clone());
        }
    }
    if !commands.is_empty() {
        let sentence = format!("Verification passed, the last first: {}.", commands.join(", "));
        list.push(b.sentence("done", sentence, &cites));
    }
    let files = state.files.modified();
    if !files.is_empty() {
        let names: Vec<String> = files.iter().take(3).map(|f| format!("`{}`", quoted(&f.path))).collect();
        let more = if files.len() > 3 { format!(" (+{} more)", files.len() - 3) } else { String::new() };
        let sentence = format!("Changed {} file(s): {}{more}.", files.len(), names.join(", "));
        let cites: Vec<Cite> = files.iter().take(3).map(|f| f.last.clone()).collect();
        list.push(b.sentence("done", sentence, &cites));
    }
    list
}

type Questions = Vec<(String, Cite)>;

fn questions(b: &mut Builder<'_>) -> Questions {
    b.omit("open_questions", b.state.more_questions);
    let mut list: Questions = b.state.questions.iter().map(|q| (q.text.clone(), q.cite.clone())).collect();
    // The agent's last words are a question, and nobody answered.
    if let (End::Agent, Some((words, cite))) = (b.state.end, &b.state.last_agent) {
        let last = words.lines().rev().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
        if last.ends_with(['?', '？']) {
            list.push((text::short(last, QUESTION), cite.clone()));
        }
    }
    list.iter().for_each(|(text, cite)| {
        b.evidence.cite("open_question", text, cite);
    });
    list
}

fn uncertainty(b: &mut Builder<'_>, questions: &Questions) -> Object {
    let state = b.state;
    let mut assumptions = Vec::new();
    if state.first_typed.is_none() {
        assumptions.push("The objective is not known: no message that a person typed stands in the log.".to_owned());
    }
    if state.verification.is_needed().is_some() && state.verification.runs.pushed() == 0 {
        assumptions.push("Whether the changes work is not known: no check was recorded.".to_owned());
    }
    let judged = state.verification.runs.iter().filter(|(_, r)| r.judged).count();
    if judged > 0 {
        assumptions.push(format!("{judged} check(s) hide their exit code in a pipe or list; their status is what the end of their output says."));
    }
    if state.inferred > 0 {
        assumptions.push(format!(
            "Exit code 0 of {} command(s) is inferred: the log states codes of failures only.",
            state.inferred
        ));
    }
    let unconfirmed = state.files.modified().iter().filter(|f| f.unconfirmed).count();
    if unconfirmed > 0 {
        assumptions.push(format!(
            "The last change of {unconfirmed} file(s) has no result in the log and is taken to have been made."
        ));
    }
    let mut decisions: Vec<(String, Cite)> =
        state.interrupted.iter().map(|(text, cite)| (text.to_string(), cite.clone())).collect();
    decisions.extend(state.verification.missing());
    decisions.extend(questions.iter().map(|(text, cite)| (format!("Resolve open question: {text}"), cite.clone())));
    let decisions: Vec<String> =
        decisions.into_iter().map(|(text, cite)| b.sentence("decision_required", text, [&cite])).collect();
    Object::new().set("assumptions", assumptions).set("decision_required", decisions)
}

/// A sentence that points at evidence instead of quoting it.
fn action<'c>(b: &mut Builder<'_>, text: &str, refs: Vec<String>, cites: impl IntoIterator<Item = &'c Cite>) -> String {
    let sentence = if refs.is_empty() { format!("{text}.") } else { format!("{text} ({}).", refs.join(", ")) };
    b.sentence("next_action", sentence, cites)
}

fn next_actions(b: &mut Builder<'_>, packages: &[&Package], questions: &Questions) -> Vec<String> {
    let state = b.state;
    let mut list = Vec::new();
    let request = packages.iter().rev().find_map(|p| p.user.as_ref());
    if let Some((words, cite)) = request.filter(|_| is_unfinished(state.end)) {
        let sentence = format!(
            "Go on with the last request, which this log leaves unfinished: {}",
            text::short(words, USER_MESSAGE)
        );
        list.push(b.sentence("next_action", sentence, [cite]));
    }
    let todos: Vec<&Cite> = state.todos.iter().filter(|t| plan::is_open(&t.entry.status)).map(|t| &t.cite).collect();
    if let Some(cite) = todos.last() {
        let sentence = format!("Finish the {} open step(s) of the agent's plan, quoted in `open_todos`", todos.len());
        list.push(action(b, &sentence, Vec::new(), [*cite]));
    }
    let unresolved = state.verification.unresolved();
    for (_, run) in unresolved.iter().take(MISSING_CHECKS) {
        let refs = b.evidence.cite_all("check_failed", &text::short(&run.command, COMMAND), [&run.call]);
        list.push(action(b, "Fix what the failed check reports, then run it again", refs, [&run.call]));
    }
    let missing: Vec<(String, Cite)> =
        state.verification.missing().into_iter().filter(|(text, _)| !text.starts_with("Unresolved")).collect();
    if !missing.is_empty() {
        let refs = missing.iter().flat_map(|(text, cite)| b.evidence.cite("check_missing", text, cite)).collect();
        let cites: Vec<&Cite> = missing.iter().map(|(_, cite)| cite).collect();
        list.push(action(b, "Run the checks that are missing after the last file modification", refs, cites));
    }
    for (text, cite) in questions {
        let refs = b.evidence.cite("open_question", text, cite).into_iter().collect();
        list.push(action(b, "Answer the open question", refs, [cite]));
    }
    let open = state.files.not_seen_committed();
    if let Some(last) = open.last() {
        let sentence = format!(
            "Commit or discard {} file(s) that are not seen committed, listed in `not_seen_committed`",
            open.len()
        );
        list.push(action(b, &sentence, Vec::new(), [&last.last]));
    }
    list
}

/// Tasks that are not finished and wait for no other.
fn parallel(b: &mut Builder<'_>, packages: &[&Package]) -> Vec<String> {
    let open = packages.iter().filter(|p| p.user.is_none() && &*p.id != "main");
    let open: Vec<&&Package> = open.filter(|p| p.status != Progress::Completed && p.depends_on.is_none()).collect();
    let mut list = Vec::new();
    for package in open {
        let refs = b.evidence.cite("work_package", &title(package), &package.started).into_iter().collect::<Vec<_>>();
        let sentence = format!("[{}] Finish this task; it waits for no other ({})", package.sequence, refs.join(", "));
        list.push(b.sentence("parallel_action", sentence, [&package.started]));
    }
    list
}

/// The checks to run, what failed last first.
fn ordered_commands(b: &mut Builder<'_>) -> Vec<String> {
    let state = b.state;
    let mut list: Vec<(String, Cite)> = Vec::new();
    let unresolved = state.verification.unresolved();
    let runs = unresolved.iter().map(|(_, run)| *run).chain(state.verification.runs.iter().rev().map(|(_, run)| run));
    for run in runs {
        if list.len() < ORDERED_COMMANDS && !list.iter().any(|(command, _)| **command == *run.command) {
            list.push((run.command.to_string(), run.call.clone()));
        }
    }
    list.into_iter().map(|(command, cite)| b.sentence("ordered_command", command, [&cite])).collect()
}
