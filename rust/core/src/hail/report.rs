//! What one pass over a session knows.

use super::stats::Numbers;
use super::time::Time;
use super::warnings::Warnings;
use crate::digest::Digest;
use crate::Error;

/// The facts of a header line.
#[derive(Debug, Clone)]
pub struct Header {
    pub version: String,
    pub session_id: String,
    pub provider: String,
    pub model: String,
    pub tool: String,
    pub tool_version: Option<String>,
    pub title: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
    pub cwd: Option<String>,
    pub session_role: Option<String>,
    pub parent_session_id: Option<String>,
}

impl Default for Header {
    fn default() -> Header {
        Header {
            version: super::model::VERSION.to_owned(),
            session_id: String::new(),
            provider: String::new(),
            model: String::new(),
            tool: String::new(),
            tool_version: None,
            title: None,
            created_at: Time::EPOCH,
            updated_at: Time::EPOCH,
            cwd: None,
            session_role: None,
            parent_session_id: None,
        }
    }
}

/// One session: its address and what stands in it.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// SHA-256 of the canonical form: the session's address.
    pub sha256: Digest,
    /// Length of the canonical form.
    pub bytes: u64,
    /// Bytes of input that this session took.
    pub input_bytes: u64,
    pub header: Header,
    pub stats: Numbers,
    /// `stats.source` as canonical JSON.
    pub source: Option<Vec<u8>>,
    /// Offset, from the start of this session's input, of the first byte that differs from the canonical form.
    pub first_difference: Option<u64>,
    pub warnings: Warnings,
}

/// The answer of `verify`.
#[derive(Debug)]
pub struct Verified {
    /// SHA-256 of the input as it is.
    pub sha256: Digest,
    pub bytes: u64,
    /// The sessions up to the first error.
    pub sessions: Vec<SessionInfo>,
    /// Offset of the first byte that differs from the canonical form.
    pub first_difference: Option<u64>,
    pub error: Option<Error>,
}

impl Verified {
    /// The input is its own canonical form.
    pub fn canonical(&self) -> bool {
        self.error.is_none() && self.first_difference.is_none()
    }

    pub fn warnings(&self) -> Warnings {
        let mut all = Warnings::default();
        self.sessions.iter().for_each(|s| all.join(&s.warnings));
        all
    }
}
