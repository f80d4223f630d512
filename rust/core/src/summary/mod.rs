//! Summaries: what one session leaves for the next agent, person or CI job, and the artifact that binds it.
//!
//! `rules-1` is a pure function of a session's canonical bytes: no clock, no host, no option. One pass (the one that also
//! verifies), linear time, memory bounded by `limits.rs`. `docs/handoff.md` is the manual; this table says where each
//! field comes from. *Typed* events are UserMessages whose `source.origin` is `typed` or absent, and answers to questions.
//!
//! | field | rule |
//! |---|---|
//! | `objective` | the first typed message; absent and in `undefined_fields` if there is none |
//! | `goals` | the first typed turn and every later one that is more than a nod (`yes`, `go on`, …), answers included |
//! | `user_messages` | every typed turn |
//! | `key_conversations` | what the person asked in a turn, and the last the agent said in it |
//! | `last_agent_message` | the last message of the main thread that has text, as it stands |
//! | `title` `cwd` `started_at` `updated_at` `tool` `model` | the header's; `stats` and `duration_seconds` are computed |
//! | `files_modified` | net effect by path: a call counts unless its result is an error; `semantic.file_action` decides what a write was; else a write to a path that was read before is an edit; `rm` and `mv` with exit code 0 count; created then deleted is no file |
//! | `files_read` | paths of successful reads, in order, without those modified |
//! | `not_seen_committed` | edited paths that no later commit clears (`files.rs`) |
//! | `shell_commands` `last_commands` | in order; the exit code is the command's own, else that of the result with its call id |
//! | `errors` | commands with a code that is a failure, results that are errors, interruptions |
//! | `failed_attempts` | commands, edits, reads and tools that failed, repeated ones counted; `replaced_by` is the next success of the same program and subcommand, of the same arguments under another program, on the same path, or of the same tool |
//! | `verification.checks_run` | commands that hold a check (`checks.rs`); the status is that of the exit code where it depends on every check in the command, else what the end of the output says (`judged_by`), else `unknown`; `fixed_by` names the pass of the same check, or of a broader run |
//! | `verification.required_checks_missing` | failed and not fixed; not run again after the last change of a file that is not text for people; result not known |
//! | `open_todos` | the agent's own plan at the end (docs/agents.md), without what is completed, cancelled or deleted |
//! | `task_summaries` | summaries of TaskEnd, each once |
//! | `work_packages` `execution_contract.ordered_steps` | one for each typed turn, one for each `task_id` with files, commands or a title; `depends_on` names the nearest earlier one that changed the same file |
//! | `execution_contract.done_definition` | completed packages, the plan, passed checks, changed files |
//! | `execution_contract.next_actions` | the last request if the log ends before it is answered, open steps, failed and missing checks, open questions, uncommitted files; only typed words are quoted, the rest is named by its evidence |
//! | `uncertainty.open_questions` | questions that got no answer; the agent's last line if it asks |
//! | `uncertainty.decision_required` | an interruption that nothing followed, missing checks, open questions |
//! | `uncertainty.assumptions` | what this summary takes for granted |
//! | `evidence` | a row for every sentence of a list of texts and the event it rests on: `claim` is `<label>: <sentence>` |
//! | `omitted` | how many entries the limits left out of each list |
//! | `undefined_fields` | fields that have no value, and why |

pub mod artifact;
mod attempts;
mod build;
mod checks;
mod command;
mod contract;
mod evidence;
mod extract;
mod files;
mod item;
mod json;
mod keys;
mod limits;
mod line;
mod lists;
mod plan;
mod programs;
mod report;
mod shell;
mod state;
mod text;
mod turns;
mod verification;

use std::io::Read;
use std::ops::Range;

use crate::hail::{self, Header, Verified, Watch};
use crate::input::BlockReader;
use crate::{Code, Error, Result};

pub use artifact::{assemble, Source};

/// The name of these rules. Other rules get another name, and these stay.
pub const RULES: &str = "rules-1";

/// What one pass over a source gives.
#[derive(Debug)]
pub struct Summary {
    /// Hash, length, canonical, valid: as `verify` says it.
    pub verified: Verified,
    /// Absent where the input is not exactly one valid session.
    pub lines: Option<Lines>,
}

/// Canonical lines with their LF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    pub summary: Vec<u8>,
    pub report: Vec<u8>,
}

/// Verify a session and sum it up, in one pass.
///
/// What is wrong with the content stands in `verified`; only reading fails. An input of several sessions is an error there:
/// each has a summary of its own.
pub fn summarize<R: Read + Send>(
    reader: &mut BlockReader<'_, R>,
    jobs: usize,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Summary> {
    let mut fold = Fold::default();
    let mut verified = hail::verify_with(reader, jobs, &mut fold, tick)?;
    if verified.error.is_none() && verified.sessions.len() != 1 {
        let message = "the input holds several sessions; a summary is of one";
        verified.error = Some(Error::new(Code::HailSchema, message).at(1, None));
    }
    let lines = match (&verified.error, &verified.sessions[..], fold.state) {
        (None, [session], Some(mut state)) => {
            state.finish();
            let (summary, has_evidence) = build::summary(&session.header, &session.stats, &state);
            let report = report::report(&session.header, &session.stats, &state, has_evidence);
            Some(Lines { summary: summary.line(), report: report.line() })
        }
        _ => None,
    };
    Ok(Summary { verified, lines })
}

#[derive(Default)]
struct Fold {
    state: Option<state::State>,
}

impl Watch for Fold {
    type Scratch = item::Extractor;
    type Found = Vec<item::Item>;

    fn look(extractor: &mut item::Extractor, padded: &[u8], range: Range<usize>) -> Vec<item::Item> {
        extract::items(extractor, padded, range)
    }

    fn begin(&mut self, header: &Header) {
        self.state = Some(state::State::new(header.cwd.as_deref()));
    }

    fn take(&mut self, items: Vec<item::Item>) {
        if let Some(state) = &mut self.state {
            items.into_iter().for_each(|item| state.take(item));
        }
    }
}
