//! Parsers: an agent's log becomes one canonical session.
//!
//! One agent is one folder, one entry in [`AGENTS`], and fixtures. The driver here reads the input twice: a first pass
//! finds what the header says, the second writes events as their records come. What is pure (lines to tapes) is done on
//! all threads, what depends on the records before (mapping) on one, in order.

mod builder;
mod calls;
mod claude;
mod codex;
mod detect;
mod envelope;
pub mod event;
mod frame;
pub mod parser;
mod record;
mod rest;
#[cfg(test)]
mod testing;
mod text;
mod transcode;

use std::io::Read;
use std::sync::Mutex;

pub use detect::{detect, Candidate, LOOKED_AT};
pub use frame::Parsed;
pub use parser::{Agent, Head};

use crate::digest::{Out, SharedOut};
use crate::hail::time::Time;
use crate::input::BlockReader;
use crate::json::{Tape, Value};
use crate::pipeline;
use crate::{Code, Error, Result};
use builder::{record_time, Builder, Raw};
use event::Draft;
use parser::{Mapper, Scout};
use record::{Batch, For, Record};
use transcode::{sniff, Encoding, Taken, Utf16Reader};

/// Every agent whose log can be parsed, by id.
pub static AGENTS: &[&Agent] = &[&claude::AGENT, &codex::AGENT];

/// The agent of a profile.
pub fn agent(profile: &str) -> Option<&'static Agent> {
    AGENTS.iter().find(|a| a.id == profile).copied()
}

/// What a warning of the ledger means.
pub fn warning(code: &str) -> &'static str {
    match code {
        "time_backwards" => "the time of an event lies before that of the event before it",
        "no_time" => "no record has a time; all events are dated 1970-01-01",
        _ => "see the documentation of the agent",
    }
}

/// Opens the input, bounded, from its beginning; called once for each pass.
pub type Open<'o> = dyn FnMut() -> Result<Box<dyn Read + Send>> + 'o;

#[derive(Debug, Clone)]
pub struct Options<'o> {
    /// What the agent hides in the file's name.
    pub source_name: &'o str,
    /// Keep a last line that is no complete record.
    pub is_final: bool,
    pub jobs: usize,
    pub max_line: usize,
}

/// Parse a log and write its session to `out`. `tick` gets the bytes of input that are done, both passes counted.
pub fn parse(
    agent: &'static Agent,
    open: &mut Open<'_>,
    out: Out<'_>,
    options: &Options<'_>,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Parsed> {
    let tapes = Tapes::default();
    let survey = survey(agent, open, options, &tapes, tick)?;
    if survey.head.recognized == 0 {
        let what = match survey.lines {
            0 => "the input is empty".to_string(),
            n => format!("none of its {n} lines is a record of {}", agent.label),
        };
        return Err(Error::new(Code::NoEvents, format!("this is no {} log: {what}", agent.label)));
    }
    let before = survey.bytes;
    write(agent, survey, open, out, options, &tapes, &mut |done| tick(before + done))
}

/// What the first pass found.
struct Survey {
    head: Head,
    first_time: Option<Time>,
    earliest: Option<Time>,
    latest: Option<Time>,
    /// BLAKE3 of the first record, for a log that names no session.
    first_record: Option<String>,
    lines: u64,
    bytes: u64,
}

fn survey(
    agent: &'static Agent,
    open: &mut Open<'_>,
    options: &Options<'_>,
    tapes: &Tapes,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Survey> {
    let (_, input) = opened(open, None)?;
    let mut scout = (agent.scout)(options.source_name);
    let mut found = Survey {
        head: Head::default(),
        first_time: None,
        earliest: None,
        latest: None,
        first_record: None,
        lines: 0,
        bytes: 0,
    };
    let mut reader = BlockReader::new(input).max_line(options.max_line);
    reader.do_not_count();
    let mut lines = 0;
    let sink = |batch: Batch| {
        lines += batch.lines;
        found.bytes += batch.block.len as u64;
        found.lines += batch.records.len() as u64 + batch.tail.is_some() as u64;
        for record in &batch.records {
            match record {
                Record::Clean(node, _) => see(batch.value(*node), &mut scout, &mut found),
                Record::Mended { value, .. } => see(value.value(), &mut scout, &mut found),
                _ => {}
            }
        }
        tapes.give(batch.tape);
        Ok(())
    };
    pipeline::run(
        &mut reader,
        options.jobs,
        || (),
        |_, block| record::read(block, tapes.take(), options.is_final, For::Looking),
        sink,
        tick,
    )
    .map_err(|e| with_line(e, lines))?;
    found.head = scout.head();
    Ok(found)
}

fn see(value: Value<'_>, scout: &mut Box<dyn Scout + Send>, found: &mut Survey) {
    if found.first_record.is_none() {
        found.first_record = Some(blake3::hash(value.raw()).to_hex().to_string());
    }
    scout.see(value);
    if let Some(time) = scout.time(value).and_then(record_time) {
        found.first_time.get_or_insert(time);
        found.earliest = Some(found.earliest.map_or(time, |e| e.min(time)));
        found.latest = found.latest.max(Some(time));
    }
}

fn write(
    agent: &'static Agent,
    survey: Survey,
    open: &mut Open<'_>,
    out: Out<'_>,
    options: &Options<'_>,
    tapes: &Tapes,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Parsed> {
    let mut head = survey.head;
    if head.session_id.is_empty() {
        let digest = survey.first_record.unwrap_or_default();
        head.session_id = format!("{}-{}", agent.tool, &digest[..digest.len().min(32)]);
    }
    let times = (survey.earliest.unwrap_or(Time::EPOCH), survey.latest.unwrap_or(Time::EPOCH));
    let mut line = Vec::new();
    frame::write_header(agent, &head, times, &mut line);
    let mut out = SharedOut::new(out, options.jobs <= 1);
    let hashing = out.hashing();
    out.put(line)?;

    let taken = Taken::default();
    let (encoding, input) = opened(open, Some(taken.clone()))?;
    let mut mapper = (agent.mapper)(&head);
    let mut builder = Builder::new(survey.first_time);
    let mut seen = 0;
    let mut reader = BlockReader::new(input).max_line(options.max_line);
    reader.do_not_count();
    let mut lines = 0;
    let plain = encoding == Encoding::Utf8;
    if plain {
        // Whole lines are hashed where they are read. The end of the input behind the last LF is hashed only if it is a
        // record: a line that is still being written is not part of the session.
        let taken = taken.clone();
        reader = reader.tap(move |text| taken.update(&text[..whole_lines(text)]));
    } else {
        builder.repairs.transcoded += 1;
    }
    let sink = |mut batch: Batch| {
        lines += batch.lines;
        seen += batch.block.len as u64;
        builder.repairs.add(&batch.line_repairs);
        take_records(&mut batch, agent, mapper.as_mut(), &mut builder, &mut out)?;
        if batch.tail.is_none() && plain {
            let text = batch.block.text();
            taken.update(&text[whole_lines(text)..]);
        }
        tapes.give(batch.tape);
        Ok(())
    };
    let work = |_: &mut (), block| {
        hashing.help();
        let mut batch = record::read(block, tapes.take(), options.is_final, For::Writing);
        batch.prepare(agent.prepare);
        batch
    };
    pipeline::run(&mut reader, options.jobs, || (), work, sink, tick).map_err(|e| with_line(e, lines))?;
    if seen != survey.bytes {
        return Err(Error::new(Code::InputChanged, "the input changed while it was read"));
    }
    let (blake3, bytes) = taken.finish();
    frame::finish(agent, head, times, builder, frame::Input { blake3, bytes, read: seen }, out)
}

/// A line that is too long is the one after those that were read.
fn with_line(error: Error, lines: u64) -> Error {
    match error.code {
        Code::LineTooLong => error.at(lines + 1, None),
        _ => error,
    }
}

/// Length of the part of a text that ends in LF.
fn whole_lines(text: &[u8]) -> usize {
    memchr::memrchr(b'\n', text).map_or(0, |at| at + 1)
}

fn hand_on(builder: &mut Builder, out: &mut SharedOut<'_>) -> Result<()> {
    builder.out = out.put(std::mem::take(&mut builder.out))?;
    Ok(())
}

/// Output that is handed on in one piece.
const CHUNK: usize = 256 << 10;

fn take_records(
    batch: &mut Batch,
    agent: &Agent,
    mapper: &mut dyn Mapper,
    builder: &mut Builder,
    out: &mut SharedOut<'_>,
) -> Result<()> {
    let records = std::mem::take(&mut batch.records);
    let batch = &*batch;
    // A clean record is written after the next one was mapped: what its id needs comes from memory meanwhile.
    let mut waiting: Option<(Value<'_>, Draft<'_>)> = None;
    for record in records {
        if let Record::Clean(node, marks) = record {
            let value = batch.value(node);
            let mut draft = mapper.record(value);
            draft.marks.join(marks);
            builder.expect(&mut draft, waiting.is_some());
            if let Some((value, draft)) = waiting.replace((value, draft)) {
                builder.record(value, draft, None);
            }
            if builder.out.len() >= CHUNK {
                hand_on(builder, out)?;
            }
            continue;
        }
        if let Some((value, draft)) = waiting.take() {
            builder.record(value, draft, None);
        }
        match record {
            Record::Clean(..) => {}
            Record::Mended { value: mended, line } => {
                builder.repairs.add(&mended.repairs);
                // Glued values lose nothing; whatever loses something keeps its bytes.
                let raw = line.as_ref().filter(|_| mended.repairs.lossy()).map(|line| Raw(batch.line(line)));
                let value = mended.value();
                let mut draft = mapper.record(value);
                draft.marks.join((agent.prepare)(value));
                builder.record(value, draft, raw);
            }
            Record::Deep { text, repairs, line } => {
                builder.repairs.add(&repairs);
                builder.deep(&text, batch.line(&line));
            }
            Record::Damaged { line } => builder.damaged(batch.line(&line)),
            Record::Blank => builder.blank(),
        }
        if builder.out.len() >= CHUNK {
            hand_on(builder, out)?;
        }
    }
    if let Some((value, draft)) = waiting {
        builder.record(value, draft, None);
    }
    hand_on(builder, out)
}

/// The input as UTF-8, and what it was. UTF-16 is taken down before it is turned.
fn opened(open: &mut Open<'_>, taken: Option<Taken>) -> Result<(Encoding, Box<dyn Read + Send>)> {
    let (encoding, input) = sniff(open()?).map_err(Error::read)?;
    Ok(match encoding {
        Encoding::Utf8 => (encoding, Box::new(input)),
        Encoding::Utf16 { big } => (encoding, Box::new(Utf16Reader::new(input, big, taken))),
    })
}

/// Tapes that are waiting to be used again.
#[derive(Default)]
struct Tapes(Mutex<Vec<Tape>>);

impl Tapes {
    fn take(&self) -> Tape {
        self.0.lock().ok().and_then(|mut free| free.pop()).unwrap_or_default()
    }

    fn give(&self, mut tape: Tape) {
        tape.clear();
        if let Ok(mut free) = self.0.lock() {
            free.push(tape);
        }
    }
}
