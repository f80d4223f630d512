//! The first and the last line of a parsed session: the header, and the stats with the ledger.

use super::builder::Builder;
use super::parser::{Agent, Head};
use crate::digest::SharedOut;
use crate::hail::model::VERSION;
use crate::hail::{Header, SessionInfo, Time, Warnings};
use crate::json::string;
use crate::Result;

/// What is known of a session once it is written.
#[derive(Debug)]
pub struct Parsed {
    pub info: SessionInfo,
    /// Code, how often, and the record that had it first.
    pub warnings: Vec<(&'static str, u64, u64)>,
}

/// What the ledger says of the input's bytes.
#[derive(Debug)]
pub struct Input {
    pub blake3: String,
    /// Up to the end of the last record.
    pub bytes: u64,
    /// All that was read.
    pub read: u64,
}

/// A JSON object whose members are added in canonical order.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Object<'o> {
        out.push(b'{');
        Object { out, first: true }
    }

    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        string::write(key.as_bytes(), self.out);
        self.out.push(b':');
        self.out
    }

    fn text(&mut self, key: &str, text: &str) {
        string::write(text.as_bytes(), self.key(key));
    }

    fn maybe(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    fn number(&mut self, key: &str, n: u64) {
        self.key(key).extend_from_slice(n.to_string().as_bytes());
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

pub fn write_header(agent: &Agent, head: &Head, times: (Time, Time), out: &mut Vec<u8>) {
    let mut line = Object::open(out);
    let mut who = Object::open(line.key("agent"));
    who.text("model", model(head));
    who.text("provider", provider(agent, head));
    who.text("tool", agent.tool);
    who.maybe("tool_version", head.tool_version.as_deref());
    who.close();
    let mut context = Object::open(line.key("context"));
    write_attributes(head, context.key("attributes"));
    context.text("created_at", &written(times.0));
    if !head.related_session_ids.is_empty() {
        let list = context.key("related_session_ids");
        list.push(b'[');
        for (n, id) in head.related_session_ids.iter().enumerate() {
            if n > 0 {
                list.push(b',');
            }
            string::write(id.as_bytes(), list);
        }
        list.push(b']');
    }
    context.key("tags").extend_from_slice(b"[]");
    context.maybe("title", head.title.as_deref());
    context.text("updated_at", &written(times.1));
    context.close();
    line.text("session_id", &head.session_id);
    line.text("type", "header");
    line.text("version", VERSION);
    line.close();
    out.push(b'\n');
}

fn write_attributes(head: &Head, out: &mut Vec<u8>) {
    let mut attributes = Object::open(out);
    attributes.maybe("cwd", head.cwd.as_deref());
    let git = &head.git;
    if git.branch.is_some() || git.commit.is_some() || git.remote.is_some() {
        let mut object = Object::open(attributes.key("git"));
        object.maybe("branch", git.branch.as_deref());
        object.maybe("commit", git.commit.as_deref());
        object.maybe("remote", git.remote.as_deref());
        object.close();
    }
    attributes.maybe("parent_session_id", head.parent_session_id.as_deref());
    attributes.text("session_role", role(head));
    attributes.close();
}

pub fn role(head: &Head) -> &'static str {
    if head.auxiliary {
        "auxiliary"
    } else {
        "primary"
    }
}

pub fn model(head: &Head) -> &str {
    if head.model.is_empty() {
        "unknown"
    } else {
        &head.model
    }
}

pub fn provider<'h>(agent: &'h Agent, head: &'h Head) -> &'h str {
    if head.provider.is_empty() {
        agent.provider
    } else {
        &head.provider
    }
}

fn written(time: Time) -> String {
    let mut text = Vec::new();
    time.write(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Write the stats line and tell what the session is.
pub fn finish(
    agent: &'static Agent,
    head: Head,
    times: (Time, Time),
    builder: Builder,
    input: Input,
    mut out: SharedOut<'_>,
) -> Result<Parsed> {
    let source = source(agent, &builder, &input);
    let numbers = builder.stats.numbers();
    let mut line = Vec::new();
    numbers.write_line(Some(&source), &mut line);
    out.put(line)?;
    let (sha256, bytes) = out.finish()?;
    let header = Header {
        version: VERSION.into(),
        provider: provider(agent, &head).into(),
        model: model(&head).into(),
        tool: agent.tool.into(),
        tool_version: head.tool_version.clone(),
        title: head.title.clone(),
        created_at: times.0,
        updated_at: times.1,
        cwd: head.cwd.clone(),
        session_role: Some(role(&head).into()),
        parent_session_id: head.parent_session_id.clone(),
        session_id: head.session_id,
    };
    // The input was a log, so it differs from its session from the first byte on.
    let info = SessionInfo {
        sha256,
        bytes,
        input_bytes: input.read,
        header,
        stats: numbers,
        source: Some(source),
        first_difference: Some(0),
        warnings: Warnings::default(),
    };
    Ok(Parsed {
        info,
        warnings: builder.warnings.into_iter().map(|(code, (count, first))| (code, count, first)).collect(),
    })
}

/// The coverage ledger.
fn source(agent: &Agent, builder: &Builder, input: &Input) -> Vec<u8> {
    let mut out = Vec::new();
    let mut source = Object::open(&mut out);
    source.text("agent", agent.tool);
    source.text("blake3", &input.blake3);
    source.number("bytes", input.bytes);
    source.text("format", agent.format);
    source.text("parser", &format!("{}/{}", agent.tool, agent.version));
    let r = &builder.records;
    let mut records = Object::open(source.key("records"));
    for (name, n) in [
        ("blank", r.blank),
        ("damaged", r.damaged),
        ("folded", r.folded),
        ("mapped", r.mapped),
        ("opaque", r.opaque),
        ("read", r.read()),
    ] {
        records.number(name, n);
    }
    records.close();
    counts("repairs", builder.repairs.named().into_iter(), &mut source);
    let mut unknown: Vec<(&str, u64)> = builder.unknown_blocks.iter().map(|(k, n)| (k.as_str(), *n)).collect();
    unknown.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
    counts("unknown_blocks", unknown.into_iter(), &mut source);
    counts("warnings", builder.warnings.iter().map(|(k, (n, _))| (*k, *n)), &mut source);
    source.close();
    out
}

/// An object of counts; absent where all are zero.
fn counts<'c>(key: &str, counts: impl Iterator<Item = (&'c str, u64)>, source: &mut Object<'_>) {
    let mut counts = counts.filter(|(_, n)| *n > 0).peekable();
    if counts.peek().is_none() {
        return;
    }
    let mut object = Object::open(source.key(key));
    for (name, n) in counts {
        object.number(name, n);
    }
    object.close();
}
