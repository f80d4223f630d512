//! The kinds of records that Codex writes, and the shapes they had over the versions.

use crate::json::Value;

/// A kind of record: its name, and `source.raw_type`.
pub type Kind = (&'static str, &'static str);

macro_rules! kinds {
    ($within:literal: $($name:literal)*) => { &[$(($name, concat!($within, "/", $name))),*] };
    ($($name:literal)*) => { &[$(($name, $name)),*] };
}

/// `response_item`: the conversation as the model's interface has it. The most frequent first.
const ITEMS: &[Kind] = kinds!("response_item":
    "function_call" "function_call_output" "reasoning" "message" "custom_tool_call" "custom_tool_call_output"
    "web_search_call" "tool_search_call" "tool_search_output" "local_shell_call" "local_shell_call_output"
    "image_generation_call" "mcp_tool_call_output" "agent_message" "additional_tools" "ghost_snapshot" "compaction"
    "compaction_summary" "compaction_trigger" "context_compaction" "other");

/// `event_msg`: what was shown. Which of them a log keeps depends on the version and its history mode.
const MESSAGES: &[Kind] = kinds!("event_msg":
    "token_count" "agent_message" "agent_reasoning" "user_message" "task_started" "task_complete" "patch_apply_end"
    "exec_command_end" "mcp_tool_call_end" "web_search_end" "turn_started" "turn_complete" "task_completed"
    "task_finished" "turn_aborted" "context_compacted" "thread_rolled_back" "agent_reasoning_raw_content"
    "agent_reasoning_section_break" "item_started" "item_completed" "image_generation_begin" "image_generation_end"
    "view_image_tool_call" "error" "warning" "stream_error" "entered_review_mode" "exited_review_mode"
    "thread_name_updated" "thread_goal_updated" "thread_goal_cleared" "thread_settings_applied" "sub_agent_activity"
    "collab_agent_spawn_begin" "collab_agent_spawn_end" "collab_agent_interaction_begin"
    "collab_agent_interaction_end" "collab_waiting_begin" "collab_waiting_end" "collab_close_begin"
    "collab_close_end" "collab_resume_begin" "collab_resume_end" "exec_command_begin" "exec_command_output_delta"
    "terminal_interaction" "exec_approval_request" "apply_patch_approval_request" "patch_apply_begin"
    "patch_apply_updated" "turn_diff" "mcp_tool_call_begin" "mcp_startup_update" "mcp_startup_complete"
    "mcp_list_tools_response" "web_search_begin" "request_user_input" "request_permissions" "elicitation_request"
    "dynamic_tool_call_request" "dynamic_tool_call_response" "guardian_assessment" "guardian_warning"
    "deprecation_notice" "background_event" "undo_started" "undo_completed" "get_history_entry_response"
    "list_custom_prompts_response" "list_skills_response" "skills_update_available" "plan_update" "plan_delta"
    "session_configured" "shutdown_complete" "raw_response_item" "raw_response_completed" "hook_started"
    "hook_completed" "agent_message_delta" "agent_message_content_delta" "agent_reasoning_delta"
    "agent_reasoning_raw_content_delta" "reasoning_content_delta" "reasoning_raw_content_delta" "model_reroute"
    "model_verification" "realtime_conversation_started" "realtime_conversation_realtime"
    "realtime_conversation_closed" "realtime_conversation_sdp" "realtime_conversation_list_voices_response"
    "turn_moderation_metadata" "safety_buffering");

/// Everything else that stands in `type`.
const OTHERS: &[Kind] = kinds!(
    "turn_context" "session_meta" "compacted" "world_state" "inter_agent_communication"
    "inter_agent_communication_metadata" "token_usage_record" "realtime_item");

/// Members that the header line of 2025 could have; it has no `type`.
const HEADER: &[&str] = &["id", "timestamp", "instructions", "git", "cwd", "originator", "cli_version"];

#[derive(Debug, Clone, Copy)]
pub enum Shape<'a> {
    Item(Kind, Value<'a>),
    Message(Kind, Value<'a>),
    Other(Kind, Option<Value<'a>>),
    /// The first line of a log of early 2025.
    Header,
    /// `{"record_type":"state"}`, between the bare items of that time.
    State,
    /// A record of a kind that is not known: its type, and the type of its payload.
    Unknown(Option<Value<'a>>, Option<Value<'a>>),
}

/// A record's members that decide what it is.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    pub time: Option<Value<'a>>,
    pub kind: Option<Value<'a>>,
    pub shape: Shape<'a>,
    /// Something stands beside the payload that no version is known to write.
    pub beside: bool,
}

fn find(kinds: &'static [Kind], name: Value<'_>) -> Option<Kind> {
    let name = name.literal();
    kinds.iter().find(|k| k.0.as_bytes() == name).copied()
}

/// Look at a record's members once.
pub fn record<'a>(value: Value<'a>) -> Record<'a> {
    let (mut time, mut kind, mut payload, mut state, mut beside) = (None, None, None, None, false);
    for (key, member) in value.members() {
        match key.literal() {
            b"timestamp" => time = Some(member),
            b"type" => kind = Some(member),
            b"payload" => payload = Some(member),
            b"record_type" => state = Some(member),
            // The running number of newer versions.
            b"ordinal" if member.u64().is_some() => {}
            _ => beside |= !says_nothing(member),
        }
    }
    let kind = kind.filter(|k| k.is_string());
    let shape = match (kind, payload, state) {
        (Some(kind), Some(payload), _) => with_payload(kind, payload),
        (Some(kind), None, _) => bare(value, kind),
        (None, None, Some(state)) if state.is("state") => Shape::State,
        (None, None, None) if is_header(value) => Shape::Header,
        (None, _, state) => Shape::Unknown(state, None),
    };
    let beside = payload.is_some() && beside;
    Record { time, kind, shape, beside }
}

/// A member that is there, but holds nothing.
pub fn says_nothing(value: Value<'_>) -> bool {
    value.is_null() || matches!(value.raw(), b"[]" | b"{}" | b"\"\"")
}

fn with_payload<'a>(kind: Value<'a>, payload: Value<'a>) -> Shape<'a> {
    let inner = payload.get_str("type");
    let known = match (kind.literal(), inner) {
        (b"response_item", Some(inner)) => find(ITEMS, inner).map(|k| Shape::Item(k, payload)),
        (b"event_msg", Some(inner)) => find(MESSAGES, inner).map(|k| Shape::Message(k, payload)),
        _ => find(OTHERS, kind).map(|k| Shape::Other(k, Some(payload))),
    };
    known.unwrap_or(Shape::Unknown(Some(kind), inner))
}

/// An item without an envelope, as the logs of early 2025 have them; or a record that lacks its payload.
fn bare<'a>(value: Value<'a>, kind: Value<'a>) -> Shape<'a> {
    if let Some((name, _)) = find(ITEMS, kind) {
        let whole = match name {
            "message" => value.get_str("role").is_some() && value.get("content").is_some(),
            "reasoning" => value.get("summary").is_some() || value.get("encrypted_content").is_some(),
            "ghost_snapshot" => value.get("ghost_commit").is_some(),
            "web_search_call" | "image_generation_call" => value.get("status").is_some(),
            _ => value.get("call_id").is_some(),
        };
        // Other agents use these words too, next to their own names for the session.
        if whole && !["sessionId", "parentId", "uuid"].iter().any(|key| value.get(key).is_some()) {
            return Shape::Item((name, name), value);
        }
        return Shape::Unknown(Some(kind), None);
    }
    match find(OTHERS, kind).filter(|_| value.get("sessionId").is_none()) {
        Some(known) => Shape::Other(known, None),
        None => Shape::Unknown(Some(kind), None),
    }
}

fn is_header(value: Value<'_>) -> bool {
    value.get_str("id").is_some()
        && value.get_str("timestamp").is_some()
        && value.members().all(|(key, _)| HEADER.iter().any(|known| key.is(known)))
}

impl Record<'_> {
    /// The record is of a kind that Codex writes.
    pub fn is_own(&self) -> bool {
        !matches!(self.shape, Shape::Unknown(..) | Shape::State)
    }
}
