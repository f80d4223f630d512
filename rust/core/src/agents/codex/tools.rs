//! The tools that Codex gives its model, by what they do.

use super::super::calls::CallKind;

/// What a tool does, as far as its events and its results depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Shell,
    /// Input for a shell that is running.
    Stdin,
    Patch,
    Create,
    Edit,
    Delete,
    Read,
    List,
    Grep,
    Glob,
    WebSearch,
    WebFetch,
    Plan,
    Task,
    Question,
    Mcp,
    Other,
}

impl Tool {
    /// A tool by its full name. Only the last part counts, unless a server of the user's offers it.
    pub fn of(name: &[u8]) -> Tool {
        if name.starts_with(b"mcp__") {
            return Tool::Mcp;
        }
        let last = name.rsplit(|c| matches!(c, b'.' | b'/')).next().unwrap_or(name);
        match last {
            b"exec_command" | b"shell" | b"shell_command" | b"local_shell" | b"container.exec" | b"unified_exec"
            | b"bash" | b"run_command" | b"execute_command" | b"run_shell_command" => Tool::Shell,
            b"write_stdin" => Tool::Stdin,
            b"apply_patch" | b"applypatch" | b"apply_diff" => Tool::Patch,
            b"write_file" | b"create_file" | b"write" => Tool::Create,
            b"edit_file" | b"edit" | b"str_replace" | b"str_replace_editor" => Tool::Edit,
            b"delete_file" => Tool::Delete,
            b"view_image" | b"read_file" | b"read" => Tool::Read,
            b"list_dir" | b"ls" | b"list_files" => Tool::List,
            b"grep_files" | b"grep" | b"search_files" => Tool::Grep,
            b"glob" | b"file_search" | b"find_files" => Tool::Glob,
            b"web_search" => Tool::WebSearch,
            b"web_fetch" | b"fetch" | b"open_page" => Tool::WebFetch,
            b"update_plan" => Tool::Plan,
            b"spawn_agent"
            | b"spawn_agents_on_csv"
            | b"report_agent_job_result"
            | b"send_input"
            | b"wait"
            | b"wait_agent"
            | b"close_agent"
            | b"resume_agent"
            | b"list_agents"
            | b"send_message"
            | b"assign_task"
            | b"followup_task"
            | b"interrupt_agent" => Tool::Task,
            b"request_user_input" | b"ask_user" | b"ask_followup_question" | b"request_permissions" => Tool::Question,
            b"list_mcp_resources" | b"list_mcp_resource_templates" | b"read_mcp_resource" => Tool::Mcp,
            _ => Tool::Other,
        }
    }

    /// `semantic.tool_kind`.
    pub fn kind(self) -> &'static str {
        match self {
            Tool::Shell | Tool::Stdin => "shell",
            Tool::Patch | Tool::Create | Tool::Edit | Tool::Delete => "file_write",
            Tool::Read => "file_read",
            Tool::List | Tool::Grep | Tool::Glob => "search",
            Tool::WebSearch | Tool::WebFetch => "web",
            Tool::Plan => "plan",
            Tool::Task => "task",
            Tool::Question => "interactive",
            Tool::Mcp => "mcp",
            Tool::Other => "other",
        }
    }

    /// What its result needs to know.
    pub fn call(self) -> CallKind {
        match self {
            Tool::Shell | Tool::Stdin => CallKind::Shell,
            Tool::Patch | Tool::Edit | Tool::Delete => CallKind::Edit,
            Tool::Create => CallKind::Write,
            Tool::Read => CallKind::Read,
            Tool::Question => CallKind::Question,
            _ => CallKind::Other,
        }
    }
}
