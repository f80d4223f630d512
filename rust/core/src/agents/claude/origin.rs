//! Whose words a user record holds: a person's, or what Claude Code put in the person's place.

use super::super::event::Origin;
use super::Top;

/// What injected texts begin with (docs/agents.md lists them for users).
const INJECTED: &[(&str, Origin)] = &[
    ("<system-reminder", Origin::Reminder),
    ("<task-notification", Origin::Notification),
    ("<teammate-message", Origin::Notification),
    ("[Request interrupted by user", Origin::Notification),
    ("<user-prompt-submit-hook", Origin::Hook),
    ("<session-start-hook", Origin::Hook),
    ("Stop hook feedback:", Origin::Hook),
    ("<command-name>", Origin::Command),
    ("<command-message>", Origin::Command),
    ("<local-command-", Origin::Command),
    ("<bash-input>", Origin::Command),
    ("<bash-stdout>", Origin::Command),
    ("<bash-stderr>", Origin::Command),
    ("Caveat: The messages below", Origin::Command),
    ("<ide_opened_file", Origin::Context),
    ("<ide_selection", Origin::Context),
    ("<ide_diagnostics", Origin::Context),
    ("<fork-boilerplate", Origin::Context),
    ("This session is being continued from", Origin::Context),
    ("Base directory for this skill:", Origin::Context),
];

/// The origin of one text of a user record.
pub fn of(literal: &[u8], top: &Top<'_>) -> Origin {
    let text = super::super::text::trim(literal);
    if let Some((_, origin)) = INJECTED.iter().find(|(prefix, _)| text.starts_with(prefix.as_bytes())) {
        return *origin;
    }
    of_record(top)
}

/// The origin of what has no text of its own (an image), and of a text without a known prefix.
pub fn of_record(top: &Top<'_>) -> Origin {
    if top.summary || top.meta {
        return Origin::Context;
    }
    match top.origin.and_then(|o| o.get_str("kind")) {
        Some(kind) if !kind.is("human") => Origin::Notification,
        _ => Origin::Typed,
    }
}
