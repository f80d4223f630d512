//! What a summary lacks, as findings with codes. No text of the session stands in a report.

use super::build::is_unfinished;
use super::item::Cite;
use super::json::{Json, Object};
use super::plan;
use super::state::{ids, State};
use super::verification::Status;
use crate::hail::{Header, Numbers};

struct Findings(Vec<Object>);

impl Findings {
    fn add<'c>(&mut self, severity: &str, code: &str, message: &str, cites: impl IntoIterator<Item = &'c Cite>) {
        let cites: Vec<Option<&Cite>> = cites.into_iter().take(20).map(Some).collect();
        let finding = Object::new().set("code", code).set("severity", severity).set("message", message);
        self.0.push(finding.set("event_ids", ids(&cites)));
    }
}

/// The report line, as a tree.
pub fn report(header: &Header, numbers: &Numbers, state: &State, has_evidence: bool) -> Json {
    let mut all = Findings(Vec::new());
    let none: [&Cite; 0] = [];
    if numbers.event_count == 0 {
        all.add("error", "session_empty", "The session has no events.", none);
    }
    if state.first_typed.is_none() {
        all.add("error", "objective_missing", "No message that a person typed stands in the log.", none);
    }
    if !has_evidence {
        all.add("warning", "evidence_missing", "No claim rests on an event.", none);
    }
    let checks = &state.verification;
    if let (Some(cite), false) = (checks.is_needed(), checks.is_verified()) {
        let message = "Files were modified and no check is seen to pass after the last modification.";
        all.add("warning", "verification_missing", message, [cite]);
    }
    let unresolved = checks.unresolved();
    if !unresolved.is_empty() {
        all.add(
            "warning",
            "check_unresolved",
            "A check failed and no later run settles it.",
            unresolved.iter().map(|(_, r)| &r.call),
        );
    }
    let hidden: Vec<_> =
        checks.runs.iter().filter(|(_, r)| r.status == Status::Unknown).map(|(_, r)| &r.call).collect();
    if !hidden.is_empty() {
        all.add("warning", "check_unclear", "The result of a check is not known.", hidden);
    }
    if is_unfinished(state.end) {
        let message = "The log ends before the agent answers the last request.";
        all.add("warning", "turn_unfinished", message, state.interrupted.iter().map(|(_, cite)| cite));
    }
    let todos: Vec<&Cite> = state.todos.iter().filter(|t| plan::is_open(&t.entry.status)).map(|t| &t.cite).collect();
    if !todos.is_empty() {
        all.add("warning", "plan_open", "Steps of the agent's plan are open.", todos);
    }
    let open = state.files.not_seen_committed();
    if !open.is_empty() {
        all.add(
            "warning",
            "not_seen_committed",
            "Edited files are not seen committed in this log.",
            open.iter().map(|f| &f.last),
        );
    }
    let passed = all.0.is_empty();
    Object::new()
        .set("type", "report")
        .set("session_id", header.session_id.as_str())
        .set("passed", passed)
        .set("findings", all.0)
        .into()
}
