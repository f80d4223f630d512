//! Summaries seen from outside: the golden sessions, and the laws on random sessions.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use opensession_core::input::BlockReader;
use opensession_core::json::canonical::canonicalize;
use opensession_core::summary::{self, Lines};
use proptest::prelude::*;
use serde_json::{json, Value};

fn summarize(text: &[u8], jobs: usize, block: usize) -> Option<Lines> {
    let mut reader = BlockReader::new(text).block_size(block);
    summary::summarize(&mut reader, jobs, &mut |_| Ok(())).unwrap().lines
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/handoff")
}

fn sessions() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path());
    let mut list: Vec<PathBuf> = entries.filter(|p| p.to_string_lossy().ends_with(".hail.jsonl")).collect();
    list.sort();
    assert!(list.len() >= 15);
    list
}

#[test]
fn the_golden_sessions_have_the_golden_summaries() {
    for path in sessions() {
        let session = std::fs::read(&path).unwrap();
        let lines = summarize(&session, 2, 1 << 19).unwrap();
        let expected = path.to_string_lossy().replace(".hail.jsonl", ".expected.jsonl");
        let found = [lines.summary, lines.report].concat();
        if std::env::var_os("OPENSESSION_BLESS").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        let wanted = std::fs::read(&expected).unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&wanted), "{}", path.display());
    }
}

#[test]
fn every_golden_summary_keeps_the_laws() {
    for path in sessions() {
        let session = std::fs::read(&path).unwrap();
        check_laws(&session);
    }
}

#[test]
fn a_stream_of_two_sessions_has_no_summary_and_says_why() {
    let one = std::fs::read(folder().join("empty.hail.jsonl")).unwrap();
    let two = [one.clone(), one].concat();
    let found = summary::summarize(&mut BlockReader::new(&two[..]), 1, &mut |_| Ok(())).unwrap();
    assert!(found.lines.is_none());
    assert_eq!(found.verified.error.unwrap().code.as_str(), "hail_schema");
}

fn text(lines: &Lines) -> String {
    String::from_utf8([lines.summary.clone(), lines.report.clone()].concat()).unwrap()
}

/// Same lines for any number of threads and size of blocks; canonical; every id exists; every sentence has evidence.
fn check_laws(session: &[u8]) {
    let first = summarize(session, 1, 1 << 20).expect("a valid session");
    for (jobs, block) in [(2, 1), (3, 300), (2, 5_000)] {
        let again = summarize(session, jobs, block).unwrap();
        assert_eq!(text(&again), text(&first), "{jobs} threads, blocks of {block}");
    }
    for line in [&first.summary, &first.report] {
        assert_eq!(canonicalize(&line[..line.len() - 1]).unwrap(), line[..line.len() - 1]);
    }
    let ids: HashSet<String> = String::from_utf8_lossy(session)
        .lines()
        .filter_map(|l| serde_json::from_str::<Value>(l).ok()?.get("event_id")?.as_str().map(str::to_owned))
        .collect();
    let summary: Value = serde_json::from_slice(&first.summary).unwrap();
    let report: Value = serde_json::from_slice(&first.report).unwrap();
    each_id(&summary, &mut |id| assert!(ids.contains(id), "no event {id}"));
    each_id(&report, &mut |id| assert!(ids.contains(id), "no event {id}"));
    let claims: HashSet<&str> =
        summary["evidence"].as_array().unwrap().iter().filter_map(|e| e["claim"].as_str()).collect();
    for (path, label) in [
        ("/errors", "error"),
        ("/user_messages", "user_message"),
        ("/task_summaries", "task_done"),
        ("/files_read", "file_read"),
        ("/not_seen_committed", "not_seen_committed"),
        ("/verification/checks_passed", "check_passed"),
        ("/verification/checks_failed", "check_failed"),
        ("/verification/required_checks_missing", "check_missing"),
        ("/execution_contract/done_definition", "done"),
        ("/execution_contract/next_actions", "next_action"),
        ("/execution_contract/ordered_commands", "ordered_command"),
        ("/execution_contract/parallel_actions", "parallel_action"),
        ("/uncertainty/open_questions", "open_question"),
        ("/uncertainty/decision_required", "decision_required"),
    ] {
        for text in summary.pointer(path).unwrap().as_array().unwrap() {
            let claim = format!("{label}: {}", text.as_str().unwrap());
            assert!(claims.contains(claim.as_str()), "no evidence for {claim}");
        }
    }
}

fn each_id(value: &Value, see: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("event_id" | "result_event_id" | "fixed_by", Value::String(id)) => see(id),
                    ("event_ids", Value::Array(ids)) => ids.iter().for_each(|id| see(id.as_str().unwrap())),
                    _ => each_id(value, see),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_id(item, see)),
        _ => {}
    }
}

/// Texts that a model or a tool wrote hold this word.
const FOREIGN: &str = "ZZFOREIGN";

fn command() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "pytest",
        "pytest x.py",
        "cargo test | tail",
        "git add .",
        "git add p0 p1",
        "git commit -m x",
        "git commit -am x",
        "rm -rf p0",
        "mv p0 p1",
        "cd /r && git add -A && git commit -m 'x'",
        "ls",
        "make; true",
        "bash -c 'pytest | cat'",
        "cat <<E\nx\nE",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => "[ -~é\n'\"$`\\\\;|&<>()]{0,40}"]
        .prop_map(|c| format!("{c} # {FOREIGN}"))
}

fn event() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec!["p0", "p1", "/r/p2", "d/p3", "d/p3/../p0", "n.md"]);
    let call = prop::option::of(prop::sample::select(vec!["a", "b", "c"]));
    let text = "[ -~é😀\n]{0,30}".prop_map(|t| format!("{t} {FOREIGN}"));
    let todo = json!({"todos": [{"content": FOREIGN, "status": "pending"}, {"content": "x", "status": "completed"}]});
    let kind = prop_oneof![
        command().prop_map(|c| json!({"type": "ShellCommand", "data": {"command": c}})),
        (command(), -1i64..3)
            .prop_map(|(c, n)| json!({"type": "ShellCommand", "data": {"command": c, "exit_code": n}})),
        (any::<bool>(), prop::option::of(0i64..3)).prop_map(|(e, code)| {
            let mut data = json!({"name": "Bash", "is_error": e});
            if let Some(code) = code {
                data["exit_code"] = code.into();
            }
            json!({"type": "ToolResult", "data": data})
        }),
        (prop::sample::select(vec!["FileCreate", "FileEdit", "FileDelete", "FileRead"]), path)
            .prop_map(|(t, p)| json!({"type": t, "data": {"path": p}})),
        prop::sample::select(vec!["UserMessage", "AgentMessage", "SystemMessage", "Thinking"])
            .prop_map(|t| json!({"type": t})),
        prop::sample::select(vec!["TodoWrite", "TaskCreate", "AskUserQuestion", "Other"])
            .prop_map(|n| json!({"type": "ToolCall", "data": {"name": n}})),
        Just(json!({"type": "TaskStart", "data": {"title": FOREIGN}})),
        Just(json!({"type": "TaskEnd", "data": {"summary": FOREIGN}})),
        Just(json!({"type": "Custom", "data": {"kind": "turn_aborted"}})),
    ];
    let origin = prop::option::of(prop::sample::select(vec!["typed", "hook", "notification"]));
    let task = prop::option::weighted(0.2, prop::sample::select(vec!["t", "u"]));
    (kind, call, text, origin, task).prop_map(move |(kind, call, text, origin, task)| {
        let typed = kind["type"] == "UserMessage" && origin.is_none_or(|o| o == "typed");
        let text = if typed { text.replace(FOREIGN, "mine") } else { text };
        let block = if kind["type"] == "ToolCall" {
            json!({"type": "Json", "data": todo})
        } else {
            json!({"type": "Text", "text": text})
        };
        let mut event = json!({"type": "event", "event_type": kind, "content": {"blocks": [block]}});
        let mut attributes = serde_json::Map::new();
        call.into_iter().for_each(|c| drop(attributes.insert("semantic.call_id".into(), c.into())));
        let origin = if event["event_type"]["type"] == "ToolResult" { None } else { origin };
        origin.into_iter().for_each(|o| drop(attributes.insert("source.origin".into(), o.into())));
        if !attributes.is_empty() {
            event["attributes"] = attributes.into();
        }
        task.into_iter().for_each(|t| event["task_id"] = t.into());
        event
    })
}

fn session(events: &[Value]) -> Vec<u8> {
    let header = json!({"type": "header", "version": "hail-1.0.0", "session_id": "s", "agent": {"provider": "p", "model": "m", "tool": "t"},
        "context": {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "tags": [], "attributes": {"cwd": "/r"}}});
    let mut text = format!("{header}\n");
    for (n, event) in events.iter().enumerate() {
        let mut event = event.clone();
        event["event_id"] = format!("e{n}").into();
        event["timestamp"] = format!("2026-01-01T00:{:02}:{:02}Z", n / 60 % 60, n % 60).into();
        text += &format!("{event}\n");
    }
    text.into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_session_keeps_the_laws(events in prop::collection::vec(event(), 0..40)) {
        check_laws(&session(&events));
    }

    #[test]
    fn no_foreign_text_becomes_an_objective_or_a_next_action(events in prop::collection::vec(event(), 0..40)) {
        let lines = summarize(&session(&events), 1, 1 << 20).unwrap();
        let summary: Value = serde_json::from_slice(&lines.summary).unwrap();
        for field in [&summary["objective"], &summary["goals"], &summary["execution_contract"]["next_actions"]] {
            prop_assert!(!field.to_string().contains(FOREIGN), "{}", field);
        }
    }
}

/// A session of many events that is never in memory.
struct Endless {
    left: u64,
    line: Vec<u8>,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.line.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            self.at = 0;
            let k = self.left;
            let (kind, block) = match k % 4 {
                0 => (
                    format!(r#"{{"data":{{"command":"pytest t{k}.py","exit_code":1}},"type":"ShellCommand"}}"#),
                    String::new(),
                ),
                1 => (format!(r#"{{"data":{{"path":"src/f{k}.rs"}},"type":"FileEdit"}}"#), String::new()),
                2 => (
                    r#"{"data":{"is_error":true,"name":"Edit"},"type":"ToolResult"}"#.to_owned(),
                    "no such text ".repeat(30),
                ),
                _ => (r#"{"type":"UserMessage"}"#.to_owned(), format!("now {k}")),
            };
            let blocks =
                if block.is_empty() { String::new() } else { format!(r#"{{"text":"{block}","type":"Text"}}"#) };
            self.line = format!(
                "{{\"content\":{{\"blocks\":[{blocks}]}},\"event_id\":\"e{k}\",\"event_type\":{kind},\"task_id\":\"t{}\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"type\":\"event\"}}\n",
                k % 100_000
            )
            .into_bytes();
        }
        let n = out.len().min(self.line.len() - self.at);
        out[..n].copy_from_slice(&self.line[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Greatest memory of this process so far, in KiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "takes seconds; run it alone, because it looks at the memory of the process"]
fn a_million_events_need_bounded_memory() {
    let before = peak();
    let input = session(&[]).chain(Endless { left: 1_000_000, line: Vec::new(), at: 0 });
    let found = summary::summarize(&mut BlockReader::new(input), 2, &mut |_| Ok(())).unwrap();
    assert_eq!(found.verified.sessions[0].stats.event_count, 1_000_000);
    let lines = found.lines.unwrap();
    let most = 64 * 1024 + (lines.summary.len() as u64 / 1024);
    assert!(peak() - before <= most, "{} KiB over {before}, summary {} bytes", peak() - before, lines.summary.len());
}

trait Chain {
    fn chain(self, next: Endless) -> std::io::Chain<std::io::Cursor<Vec<u8>>, Endless>;
}

impl Chain for Vec<u8> {
    fn chain(self, next: Endless) -> std::io::Chain<std::io::Cursor<Vec<u8>>, Endless> {
        std::io::Read::chain(std::io::Cursor::new(self), next)
    }
}
