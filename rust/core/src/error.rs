//! The errors of the core: one enum of codes, one struct.
//!
//! Codes are append-only: the Python side has a class for each, users match on them. A message never holds a byte of
//! session content; it names the place instead.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What kind of failure it was.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The stable name of the code.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),+ }
            }
        }
    };
}

codes! {
    /// A bug of ours.
    Internal = "internal",
    /// The input holds no record of the agent that was asked for: text, garbage, another agent's log, nothing.
    NoEvents = "no_events",
    /// A line is no JSON that HAIL allows.
    HailSyntax = "hail_syntax",
    /// A line is JSON but no line of HAIL.
    HailSchema = "hail_schema",
    /// HAIL, but against a rule of validity.
    HailInvalid = "hail_invalid",
    /// A version of HAIL that this program does not read.
    HailVersion = "hail_version",
    /// No session at all.
    HailEmpty = "hail_empty",
    LineTooLong = "line_too_long",
    /// The file got shorter or was replaced while it was read.
    InputChanged = "input_changed",
    Unreadable = "unreadable",
    WriteFailed = "write_failed",
    UnknownProfile = "unknown_profile",
    /// The caller asked to stop (a signal).
    Interrupted = "interrupted",
}

/// A failure, and where in the input it was found.
#[derive(Debug)]
pub struct Error {
    pub code: Code,
    pub message: String,
    /// Line of the input, from 1.
    pub line: Option<u64>,
    /// Byte in the line, from 1.
    pub column: Option<u64>,
    /// The operating system's error behind `Unreadable` and `WriteFailed`.
    pub io: Option<std::io::Error>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), line: None, column: None, io: None }
    }

    /// The same error at a place in the input.
    pub fn at(mut self, line: u64, column: Option<u64>) -> Error {
        self.line = Some(line);
        self.column = column;
        self
    }

    pub fn read(e: std::io::Error) -> Error {
        Error::from_io(e, Code::Unreadable, "the input cannot be read")
    }

    pub fn write(e: std::io::Error) -> Error {
        Error::from_io(e, Code::WriteFailed, "the output cannot be written")
    }

    /// A source or sink that knows better what happened wraps an `Error` of ours into its `io::Error`.
    fn from_io(e: std::io::Error, code: Code, message: &str) -> Error {
        match e.downcast::<Error>() {
            Ok(inner) => inner,
            Err(e) => Error { io: Some(e), ..Error::new(code, message) },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: {}", self.message)?,
            (Some(line), None) => write!(f, "line {line}: {}", self.message)?,
            _ => f.write_str(&self.message)?,
        }
        match &self.io {
            Some(e) => write!(f, ": {e}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
