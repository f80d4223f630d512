//! How much of a session a summary keeps. What is left out of a list is counted in `omitted`.
//!
//! Changing a number here changes addresses: that is another `rules-N`.

/// Characters of the texts.
pub const OBJECTIVE: usize = 600;
pub const GOAL: usize = 1_000;
pub const USER_MESSAGE: usize = 400;
pub const LAST_AGENT_MESSAGE: usize = 4_000;
pub const OUTCOME: usize = 300;
pub const TASK_SUMMARY: usize = 300;
pub const TITLE: usize = 160;
pub const COMMAND: usize = 500;
/// A command quoted inside a sentence.
pub const QUOTED: usize = 120;
pub const ERROR: usize = 300;
pub const TODO: usize = 300;
pub const QUESTION: usize = 300;
pub const NAME: usize = 80;

/// Entries of the lists: the first ones and the last ones.
pub const GOALS: (usize, usize) = (5, 25);
pub const USER_MESSAGES: (usize, usize) = (5, 45);
pub const CONVERSATIONS: (usize, usize) = (2, 10);
pub const COMMANDS: (usize, usize) = (20, 180);
pub const LAST_COMMANDS: usize = 10;
pub const ERRORS: (usize, usize) = (20, 80);
pub const TASK_SUMMARIES: (usize, usize) = (20, 80);
pub const CHECKS: (usize, usize) = (50, 250);
pub const ATTEMPTS: (usize, usize) = (20, 180);
pub const TURNS: (usize, usize) = (20, 80);
pub const FILES_READ: (usize, usize) = (200, 200);
pub const TASKS: usize = 200;
pub const TODOS: usize = 500;
pub const QUESTIONS: usize = 100;
pub const FILES_MODIFIED: usize = 5_000;
pub const FILES_OF_PACKAGE: usize = 50;
pub const COMMANDS_OF_PACKAGE: usize = 20;
pub const MISSING_CHECKS: usize = 20;
pub const ORDERED_COMMANDS: usize = 20;

/// State while the events pass.
pub const OPEN_CALLS: usize = 2_048;
pub const OPEN_FAILURES: usize = 2_048;
pub const KINDS_OF_CHECKS: usize = 64;
pub const STAGED: usize = 1_000;
/// Paths that are followed, and the bytes of their names together.
pub const PATHS: usize = 20_000;
pub const PATH_BYTES: usize = 2 << 20;
/// Paths of which is known that they were read.
pub const PATHS_READ: usize = 100_000;
/// A longer event id, path or task id is not kept: what rests on it has no id then.
pub const ID_BYTES: usize = 512;
pub const PATH_LENGTH: usize = 4_096;
/// Words that are looked at of one simple command, and simple commands of one command.
pub const WORDS: usize = 256;
pub const SIMPLE_COMMANDS: usize = 256;
