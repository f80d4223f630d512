//! The agent's own plan, and the questions that it asks: what the arguments of those calls say.

use super::limits::{ID_BYTES, QUESTION, QUESTIONS, TODO, TODOS};
use super::text::{collapsed, decoded};
use crate::json::scan::PAD;
use crate::json::{Tape, Value, MAX_DEPTH};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: Option<String>,
    pub text: String,
    pub status: String,
}

/// What a call changes in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The whole plan, and how many of its entries did not fit.
    Replace(Vec<Entry>, u64),
    /// One more entry; its id may stand in the result only.
    Add(Entry),
    Update {
        id: String,
        text: Option<String>,
        status: Option<String>,
    },
}

/// Calls of these names change a plan even where the log does not say so.
pub fn is_plan(name: &[u8]) -> bool {
    matches!(
        name,
        b"TodoWrite" | b"todo_write" | b"update_plan" | b"TaskCreate" | b"TaskUpdate" | b"write_todos" | b"todowrite"
    )
}

/// The change that the arguments of a call make.
pub fn change(name: &[u8], arguments: Value<'_>) -> Option<Change> {
    let text = |keys: &[&str]| keys.iter().find_map(|k| arguments.get_str(k)).map(|v| collapsed(v.literal(), TODO));
    let id = || {
        let id = ["taskId", "task_id", "id"].iter().find_map(|k| arguments.get_some(k))?;
        Some(if id.is_string() { short_id(id.literal()) } else { short_id(id.raw()) })
    };
    match name {
        b"TaskCreate" => {
            let status = text(&["status"]).unwrap_or_else(|| "pending".into());
            Some(Change::Add(Entry { id: id(), text: text(&["subject", "title", "content"])?, status }))
        }
        b"TaskUpdate" => Some(Change::Update { id: id()?, text: text(&["subject"]), status: text(&["status"]) }),
        _ => {
            let list =
                arguments.members().map(|(_, v)| v).chain([arguments]).find(|v| v.items().any(|i| entry(i).is_some()));
            // An empty list is a plan too: it has nothing in it.
            let empty = || arguments.members().any(|(_, v)| v.is_array() && v.items().next().is_none());
            let Some(list) = list else { return empty().then(|| Change::Replace(Vec::new(), 0)) };
            let mut entries: Vec<Entry> = list.items().filter_map(entry).take(TODOS + 1).collect();
            let more = if entries.len() > TODOS { list.items().count() as u64 - TODOS as u64 } else { 0 };
            entries.truncate(TODOS);
            Some(Change::Replace(entries, more))
        }
    }
}

fn short_id(literal: &[u8]) -> String {
    decoded(&literal[..literal.len().min(ID_BYTES)])
}

fn entry(item: Value<'_>) -> Option<Entry> {
    let text = ["content", "step", "title", "subject"].iter().find_map(|k| item.get_str(k))?;
    let status = item.get_str("status")?;
    let id = item.get_str("id").map(|id| short_id(id.literal()));
    Some(Entry { id, text: collapsed(text.literal(), TODO), status: collapsed(status.literal(), 40) })
}

/// An entry that still waits to be done.
pub fn is_open(status: &str) -> bool {
    !matches!(status, "completed" | "complete" | "done" | "cancelled" | "canceled" | "deleted")
}

/// The texts of the questions that a call asks.
pub fn questions(arguments: Value<'_>) -> Vec<String> {
    fn one(v: Value<'_>) -> Option<Value<'_>> {
        ["question", "prompt", "message", "header"].iter().find_map(|k| v.get_str(k))
    }
    let list: Vec<String> = arguments
        .get("questions")
        .into_iter()
        .flat_map(|q| q.items())
        .filter_map(one)
        .take(QUESTIONS)
        .map(|q| collapsed(q.literal(), QUESTION))
        .collect();
    if list.is_empty() {
        one(arguments).map(|q| collapsed(q.literal(), QUESTION)).into_iter().collect()
    } else {
        list
    }
}

/// Id and text of the questions that an event of the Rust program declares (canonical JSON of two attributes).
pub fn asked(meta: Option<&[u8]>, ids: Option<&[u8]>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    with_json(meta, |value| {
        for item in value.items().take(QUESTIONS) {
            let field =
                |key: &str| item.get_str(key).map(|v| collapsed(v.literal(), QUESTION)).filter(|t| !t.is_empty());
            if let Some(id) = field("id") {
                let text = field("question").or_else(|| field("header")).unwrap_or_else(|| id.clone());
                all.push((id, text));
            }
        }
    });
    if all.is_empty() {
        all = ids.map(self::ids).unwrap_or_default().into_iter().map(|id| (id.clone(), id)).collect();
    }
    all
}

/// The strings of a list (canonical JSON).
pub fn ids(list: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    with_json(Some(list), |value| {
        let texts = value.items().filter(|v| v.is_string()).take(QUESTIONS);
        all.extend(texts.map(|v| collapsed(v.literal(), QUESTION)).filter(|id| !id.is_empty()));
    });
    all
}

fn with_json(text: Option<&[u8]>, see: impl FnOnce(Value<'_>)) {
    let Some(text) = text else { return };
    let mut b = text.to_vec();
    b.resize(text.len() + PAD, 0);
    let mut tape = Tape::new();
    if let Ok((root, _)) = tape.parse(&b, 0, MAX_DEPTH) {
        see(tape.value(&b, root));
    }
}

/// The number that a result names as the id of a new entry: `Task #3 created …`.
pub fn created_id(text: &str) -> Option<String> {
    let after = text.split_once('#')?.1;
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    (digits > 0).then(|| after[..digits].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Option<Change> {
        let mut found = None;
        with_json(Some(text.as_bytes()), |value| found = change(name.as_bytes(), value));
        found
    }

    fn entry(id: Option<&str>, text: &str, status: &str) -> Entry {
        Entry { id: id.map(Into::into), text: text.into(), status: status.into() }
    }

    #[test]
    fn lists_replace_the_plan_and_tasks_change_one_entry() {
        let list =
            of("TodoWrite", r#"{"todos":[{"content":"a","status":"pending"},{"step":"b","status":"done"},{"x":1}]}"#);
        assert_eq!(list, Some(Change::Replace(vec![entry(None, "a", "pending"), entry(None, "b", "done")], 0)));
        let plan = of("update_plan", r#"{"explanation":"e","plan":[{"status":"in_progress","step":"s"}]}"#);
        assert_eq!(plan, Some(Change::Replace(vec![entry(None, "s", "in_progress")], 0)));
        assert_eq!(of("TodoWrite", r#"{"todos":[]}"#), Some(Change::Replace(vec![], 0)));
        assert_eq!(of("TodoWrite", r#"{"merge":true}"#), None);
        assert_eq!(of("TaskCreate", r#"{"subject":"s"}"#), Some(Change::Add(entry(None, "s", "pending"))));
        let update = Change::Update { id: "3".into(), text: None, status: Some("completed".into()) };
        assert_eq!(of("TaskUpdate", r#"{"taskId":"3","status":"completed"}"#), Some(update.clone()));
        assert_eq!(of("TaskUpdate", r#"{"taskId":3,"status":"completed"}"#), Some(update));
        assert_eq!(created_id("Task #12 created"), Some("12".into()));
        assert_eq!(created_id("Task # created"), None);
    }

    #[test]
    fn questions_are_found_in_the_arguments_of_either_agent() {
        let mut found = Vec::new();
        with_json(Some(br#"{"questions":[{"header":"h","question":"q?"},{"header":"only"}]}"#), |v| {
            found = questions(v)
        });
        assert_eq!(found, ["q?", "only"]);
        with_json(Some(br#"{"question":"one?"}"#), |v| found = questions(v));
        assert_eq!(found, ["one?"]);
    }
}
