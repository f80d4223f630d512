//! What Codex's records become: small invented logs, run through the whole driver.

mod calls;
mod context;
mod messages;
mod outputs;
mod patches;
mod usage;

use crate::agents::{parse, Options};
use crate::digest::Out;
use crate::json::canonical::canonicalize;
use crate::json::scan::PAD;
use crate::json::{Tape, Value};

/// A parsed session, line by line.
struct Session {
    lines: Vec<Line>,
}

struct Line {
    text: Vec<u8>,
    tape: Tape,
}

impl Line {
    fn new(line: &str) -> Line {
        assert_eq!(canonicalize(line.as_bytes()).as_deref(), Ok(line.as_bytes()), "every line is canonical");
        let mut text = line.as_bytes().to_vec();
        text.extend([0; PAD]);
        let mut tape = Tape::new();
        tape.parse(&text, 0, 128).expect("a line is JSON");
        Line { text, tape }
    }

    fn value(&self) -> Value<'_> {
        self.tape.value(&self.text, 0)
    }

    /// The JSON at the end of a path of keys and positions; empty where there is nothing.
    fn at(&self, path: &str) -> String {
        let mut value = Some(self.value());
        for key in path.split('/') {
            value = value.and_then(|v| match key.parse::<usize>() {
                Ok(n) => v.items().nth(n),
                Err(_) => v.get(key),
            });
        }
        value.map(|v| String::from_utf8_lossy(v.raw()).into_owned()).unwrap_or_default()
    }

    fn kind(&self) -> String {
        self.at("event_type/type").trim_matches('"').to_owned()
    }

    fn attribute(&self, key: &str) -> String {
        self.at(&format!("attributes/{key}"))
    }

    fn rest(&self) -> String {
        self.attribute("source.rest")
    }
}

impl Session {
    /// Parse a log of these lines.
    fn of(log: &[&str]) -> Session {
        let text = log.iter().map(|line| format!("{line}\n")).collect::<String>();
        let written = run(&text, 1).expect("the log is parsed");
        assert_eq!(run(&text, 2).as_ref(), Ok(&written), "threads make no difference");
        let lines: Vec<Line> = written.lines().map(Line::new).collect();
        let session = Session { lines };
        session.obeys_the_law_of_the_prefix(log, &written);
        session
    }

    /// The events of the first records are the first events.
    fn obeys_the_law_of_the_prefix(&self, log: &[&str], written: &str) {
        for n in 1..log.len() {
            let part = log[..n].iter().map(|line| format!("{line}\n")).collect::<String>();
            let Ok(part) = run(&part, 1) else { continue };
            let events = |text: &str| {
                text.lines().filter(|l| l.ends_with("\"type\":\"event\"}")).map(String::from).collect::<Vec<_>>()
            };
            let (part, whole) = (events(&part), events(written));
            assert_eq!(part[..], whole[..part.len()], "the first {n} records");
        }
    }

    /// The same with a first line and a time for each record: `bodies` are `"type":…,"payload":…`.
    fn of_records(bodies: &[&str]) -> Session {
        let mut log = vec![META.to_owned()];
        log.extend(
            bodies
                .iter()
                .enumerate()
                .map(|(n, body)| format!("{{\"timestamp\":\"2026-05-01T10:00:{:02}.000Z\",{body}}}", n + 1)),
        );
        Session::of(&log.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn items(payloads: &[&str]) -> Session {
        let bodies: Vec<String> = payloads.iter().map(|p| item(p)).collect();
        Session::of_records(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The events after that of the first line.
    fn events(&self) -> &[Line] {
        &self.lines[2..self.lines.len() - 1]
    }

    fn kinds(&self) -> Vec<String> {
        self.events().iter().map(Line::kind).collect()
    }

    fn header(&self) -> &Line {
        &self.lines[0]
    }

    fn stats(&self, path: &str) -> String {
        self.lines[self.lines.len() - 1].at(path)
    }
}

const META: &str =
    r#"{"timestamp":"2026-05-01T10:00:00.000Z","type":"session_meta","payload":{"id":"s-1","cwd":"/w"}}"#;

fn item(payload: &str) -> String {
    format!("\"type\":\"response_item\",\"payload\":{payload}")
}

fn message(payload: &str) -> String {
    format!("\"type\":\"event_msg\",\"payload\":{payload}")
}

/// A call of `name` with these arguments (JSON), as the model writes it.
fn call(name: &str, arguments: &str) -> String {
    let mut spelled = Vec::new();
    crate::json::string::write(arguments.as_bytes(), &mut spelled);
    let spelled = String::from_utf8(spelled).expect("JSON is UTF-8");
    format!(r#"{{"type":"function_call","name":"{name}","arguments":{spelled},"call_id":"c1"}}"#)
}

fn run(log: &str, jobs: usize) -> Result<String, String> {
    let mut written = Vec::new();
    let options = Options { source_name: "", is_final: true, jobs, max_line: 1 << 20 };
    let bytes = log.as_bytes().to_vec();
    let mut open = || Ok(Box::new(std::io::Cursor::new(bytes.clone())) as Box<dyn std::io::Read + Send>);
    let out = Out::new(Some(Box::new(&mut written)));
    parse(&super::AGENT, &mut open, out, &options, &mut |_| Ok(())).map_err(|e| e.to_string())?;
    Ok(String::from_utf8(written).expect("a session is UTF-8"))
}
