//! The vocabulary of HAIL as data: event types, content blocks, their fields.
//!
//! Both readers (the quick one for canonical lines, the full one for the rest) and the tests use these tables; the rules
//! stand nowhere else.

/// What an event is. `Unknown` is a type of a later version: kept as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    UserMessage,
    AgentMessage,
    SystemMessage,
    Thinking,
    ToolCall,
    ToolResult,
    FileRead,
    FileCreate,
    FileDelete,
    FileEdit,
    CodeSearch,
    FileSearch,
    ShellCommand,
    Generate,
    WebSearch,
    WebFetch,
    TaskStart,
    TaskEnd,
    Custom,
    Unknown,
}

/// The JSON type of a field, and its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ty {
    Text,
    /// A string that must not be empty (docs/hail.md, "Validity").
    Filled,
    Bool,
    /// An integer literal -2^63..2^63-1.
    I64,
    /// An integer literal 0..2^64-1.
    U64,
    Any,
}

impl Ty {
    pub fn name(self) -> &'static str {
        match self {
            Ty::Text | Ty::Filled => "a string",
            Ty::Bool => "true or false",
            Ty::I64 => "an integer from -2^63 to 2^63-1",
            Ty::U64 => "an integer from 0 to 2^64-1",
            Ty::Any => "a value",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub ty: Ty,
    pub optional: bool,
}

const fn must(name: &'static str, ty: Ty) -> Field {
    Field { name, ty, optional: false }
}

const fn may(name: &'static str, ty: Ty) -> Field {
    Field { name, ty, optional: true }
}

/// Whether an event type has `data`.
#[derive(Debug, Clone, Copy)]
pub enum Data {
    /// `null` and `{}` mean absent, anything else is a field we do not know.
    None,
    Fields(&'static [Field]),
    /// Absent and `null` mean `{}`.
    Default(&'static [Field]),
    /// Whatever it is.
    Free,
}

const NAME: &[Field] = &[must("name", Ty::Filled)];
const RESULT: &[Field] =
    &[must("name", Ty::Filled), must("is_error", Ty::Bool), may("call_id", Ty::Text), may("exit_code", Ty::I64)];
const PATH: &[Field] = &[must("path", Ty::Filled)];
const EDIT: &[Field] = &[must("path", Ty::Filled), may("diff", Ty::Text)];
const QUERY: &[Field] = &[must("query", Ty::Text)];
const PATTERN: &[Field] = &[must("pattern", Ty::Text)];
const COMMAND: &[Field] = &[must("command", Ty::Filled), may("exit_code", Ty::I64)];
const PROMPT: &[Field] = &[must("prompt", Ty::Text)];
const URL: &[Field] = &[must("url", Ty::Text)];
const TITLE: &[Field] = &[may("title", Ty::Text)];
const SUMMARY: &[Field] = &[may("summary", Ty::Text)];
const KIND: &[Field] = &[must("kind", Ty::Text)];

/// The event type of this name, and its data.
#[inline]
pub fn event(name: &[u8]) -> (EventKind, Data) {
    use EventKind::*;
    match name {
        b"UserMessage" => (UserMessage, Data::None),
        b"AgentMessage" => (AgentMessage, Data::None),
        b"SystemMessage" => (SystemMessage, Data::None),
        b"Thinking" => (Thinking, Data::None),
        b"ToolCall" => (ToolCall, Data::Fields(NAME)),
        b"ToolResult" => (ToolResult, Data::Fields(RESULT)),
        b"FileRead" => (FileRead, Data::Fields(PATH)),
        b"FileCreate" => (FileCreate, Data::Fields(PATH)),
        b"FileDelete" => (FileDelete, Data::Fields(PATH)),
        b"FileEdit" => (FileEdit, Data::Fields(EDIT)),
        b"CodeSearch" => (CodeSearch, Data::Fields(QUERY)),
        b"FileSearch" => (FileSearch, Data::Fields(PATTERN)),
        b"ShellCommand" => (ShellCommand, Data::Fields(COMMAND)),
        b"ImageGenerate" | b"VideoGenerate" | b"AudioGenerate" => (Generate, Data::Fields(PROMPT)),
        b"WebSearch" => (WebSearch, Data::Fields(QUERY)),
        b"WebFetch" => (WebFetch, Data::Fields(URL)),
        b"TaskStart" => (TaskStart, Data::Default(TITLE)),
        b"TaskEnd" => (TaskEnd, Data::Default(SUMMARY)),
        b"Custom" => (Custom, Data::Fields(KIND)),
        _ => (Unknown, Data::Free),
    }
}

const TEXT: &[Field] = &[must("text", Ty::Text)];
const CODE: &[Field] = &[must("code", Ty::Text), may("language", Ty::Text), may("start_line", Ty::U64)];
const IMAGE: &[Field] = &[must("url", Ty::Text), may("alt", Ty::Text), must("mime", Ty::Text)];
const MEDIA: &[Field] = &[must("url", Ty::Text), must("mime", Ty::Text)];
const FILE: &[Field] = &[must("path", Ty::Text), may("content", Ty::Text)];
const JSON: &[Field] = &[must("data", Ty::Any)];
const REFERENCE: &[Field] = &[must("uri", Ty::Text), must("media_type", Ty::Text)];

/// The fields of a content block of this type; `None` for a type of a later version.
#[inline]
pub fn block(name: &[u8]) -> Option<&'static [Field]> {
    match name {
        b"Text" => Some(TEXT),
        b"Code" => Some(CODE),
        b"Image" => Some(IMAGE),
        b"Video" | b"Audio" => Some(MEDIA),
        b"File" => Some(FILE),
        b"Json" => Some(JSON),
        b"Reference" => Some(REFERENCE),
        _ => None,
    }
}

/// Keys of `attributes` that count tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKey {
    Input,
    Output,
    InputTotal,
    OutputTotal,
    /// Counted nowhere, but an unsigned integer too.
    Other,
}

#[inline(always)]
pub fn token_key(key: &[u8]) -> Option<TokenKey> {
    // Most attributes are something else, and this runs once for each.
    if !key.ends_with(b"_tokens") && !key.ends_with(b"_total") {
        return None;
    }
    match key {
        b"input_tokens" => Some(TokenKey::Input),
        b"output_tokens" => Some(TokenKey::Output),
        b"input_tokens_total" => Some(TokenKey::InputTotal),
        b"output_tokens_total" => Some(TokenKey::OutputTotal),
        b"cache_read_tokens" | b"cache_write_tokens" | b"reasoning_tokens" => Some(TokenKey::Other),
        _ => None,
    }
}

/// The version this program writes.
pub const VERSION: &str = "hail-1.0.0";

/// `hail-1.0.x` with a number for x is readable.
pub fn readable(version: &[u8]) -> bool {
    let patch = version.strip_prefix(b"hail-1.0.");
    patch.is_some_and(|x| !x.is_empty() && x.iter().all(u8::is_ascii_digit))
}
