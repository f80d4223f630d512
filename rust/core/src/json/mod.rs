//! Strict JSON: one pass from text to a flat tape of spans, and from spans to canonical text.
//!
//! No tree is built: a node of the [`Tape`] is a pair of offsets, and what is canonical already is copied. Nothing here
//! knows HAIL or an agent.

pub mod canonical;
pub mod check;
pub mod number;
pub mod rewrite;
pub mod salvage;
pub mod scan;
pub mod string;
pub mod tape;

pub use tape::{Kind, Tape, Value};

/// Greatest nesting that HAIL accepts; the object of the line is depth 1 (docs/hail.md, canonical form).
pub const MAX_DEPTH: usize = 128;

/// Why a text is not the JSON that HAIL allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    Syntax,
    /// A raw control byte in a string, or a line that ends inside a value.
    Control,
    Escape,
    LoneSurrogate,
    DuplicateKey,
    Depth,
    NumberOverflow,
    /// An integer of more than [`number::MAX_DIGITS`] digits.
    NumberLength,
    InvalidUtf8,
}

impl FaultKind {
    /// The reason, in a user's words; it never holds a byte of the input.
    pub fn reason(self) -> &'static str {
        match self {
            FaultKind::Syntax => "this is no JSON",
            FaultKind::Control => "a control character stands unescaped in a string, or the line ends inside a value",
            FaultKind::Escape => "this escape sequence does not exist in JSON",
            FaultKind::LoneSurrogate => "half of a surrogate pair stands alone",
            FaultKind::DuplicateKey => "this key stands twice in its object",
            FaultKind::Depth => "values are nested deeper than 128",
            FaultKind::NumberOverflow => "this number is too large for a binary64",
            FaultKind::NumberLength => "this integer has more than 4096 digits",
            FaultKind::InvalidUtf8 => "these bytes are no UTF-8",
        }
    }
}

/// A fault and the offset of the byte it was found at (in the buffer that was scanned).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub at: usize,
}

impl Fault {
    #[cold]
    pub fn new(kind: FaultKind, at: usize) -> Fault {
        Fault { kind, at }
    }
}
