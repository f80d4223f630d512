//! Whose words a user item holds: a person's, or what the program put there.

use super::super::event::Lit;
use super::super::text::trim;

/// Beginnings of texts that Codex itself puts under the role `user` (docs/agents.md). Compared without regard to case,
/// as Codex does when it reads its own log.
const INJECTED: &[&str] = &[
    "<environment_context>",
    "<user_instructions>",
    "# AGENTS.md instructions",
    "<instructions>",
    "<turn_aborted>",
    "<skill>",
    "<skills_instructions>",
    "<subagent_notification",
    "<subagents>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<personality_spec>",
    "<model_switch>",
    "<user_shell_command>",
    "<user_action>",
    "<app-context>",
    "<apps_instructions>",
    "<plugins_instructions>",
    "<realtime_conversation>",
    "<codex_internal_context",
    "<goal_context>",
    "<hook_prompt",
    "<recommended_plugins>",
    "<environments_instructions>",
    "<additional_context>",
    "<extension_context>",
    "<external_",
    "Warning: apply_patch was requested via ",
    "Warning: The maximum number of unified exec processes",
    "Warning: Your account was flagged for ",
];

/// The text (a canonical literal) is none that a person typed.
pub fn is_injected(literal: &[u8]) -> bool {
    let text = trim(literal);
    if !matches!(text.first(), Some(b'<' | b'#' | b'W' | b'w')) {
        return false;
    }
    INJECTED.iter().any(|prefix| text.get(..prefix.len()).is_some_and(|t| t.eq_ignore_ascii_case(prefix.as_bytes())))
}

/// What a person asked for, where the editor put its own context in front of it.
pub fn request(text: &str) -> &str {
    const MARK: &str = "## My request for Codex:";
    if !text.trim_start().starts_with("# Context from my IDE setup:") {
        return text;
    }
    text.find(MARK).map_or(text, |at| &text[at + MARK.len()..])
}

/// How far an answer had got when a text was said: 0 where the log does not say, 3 for a phase that is not known.
pub fn phase(phase: Option<Lit<'_>>) -> u8 {
    match phase.as_deref() {
        None => 0,
        Some(b"commentary") => 1,
        Some(b"final_answer") => 2,
        Some(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn injected_texts_are_known_by_how_they_begin() {
        for text in ["<environment_context>\\n", "\\n# agents.md instructions for /w", "<subagent_notification id=1>"] {
            assert!(is_injected(text.as_bytes()), "{text}");
        }
        for text in ["what does <environment_context> mean?", "# Agents", "<div>", "", "Warning: it fails"] {
            assert!(!is_injected(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_request_stands_behind_the_context_of_the_editor() {
        let text = "# Context from my IDE setup:\n\n## Open tabs:\n- a\n\n## My request for Codex:\nfix it";
        assert_eq!(request(text), "\nfix it");
        assert_eq!(request("fix it"), "fix it");
    }
}
