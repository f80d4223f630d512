use super::{call, item, Line, Session};

/// The only event of a call.
fn one(payload: &str) -> Line {
    let mut s = Session::items(&[payload]);
    assert_eq!(s.events().len(), 1, "{payload}");
    s.lines.swap_remove(2)
}

fn command(arguments: &str) -> String {
    let event = one(&call("shell", arguments));
    assert_eq!(event.kind(), "ShellCommand", "{arguments}");
    event.at("event_type/data/command")
}

#[test]
fn a_command_is_what_the_shell_was_given() {
    for (arguments, want) in [
        (r#"{"cmd":"ls | wc -l"}"#, r#""ls | wc -l""#),
        (r#"{"command":"ls"}"#, r#""ls""#),
        (r#"{"command":["bash","-lc","echo \"é\"\necho"]}"#, r#""echo \"é\"\necho""#),
        (r#"{"command":["/bin/zsh","-c","ls"]}"#, r#""ls""#),
        (r#"{"command":["powershell.exe","-NoLogo","-NoProfile","-Command","Get-Item ."]}"#, r#""Get-Item .""#),
        (r#"{"command":["cmd.exe","/c","dir"]}"#, r#""dir""#),
        (r#"{"command":["rg","-n","foo","src"]}"#, r#""rg -n foo src""#),
        (r#"{"command":["bash","-l","script.sh"]}"#, r#""bash -l script.sh""#),
        (r#"{"command":["git","commit","-m","it's done"]}"#, r#""git commit -m 'it'\\''s done'""#),
        (r#"{"command":["ls"]}"#, r#""ls""#),
    ] {
        assert_eq!(command(arguments), want, "{arguments}");
    }
}

#[test]
fn members_that_the_command_does_not_hold_are_kept_as_json() {
    let event = one(&call("exec_command", r#"{"cmd":"ls","workdir":"/w","yield_time_ms":1000}"#));
    assert_eq!(
        event.rest(),
        r#"{"payload":{"arguments":{"workdir":"/w","yield_time_ms":1000},"name":"exec_command"}}"#
    );
    let event = one(&call("shell", r#"{"command":["bash","-lc","ls"]}"#));
    assert_eq!(event.rest(), r#"{"payload":{"arguments":{"command":["bash","-lc",null]},"name":"shell"}}"#);
    let event = one(&call("shell", r#"{"command":["git","commit","-m","it's"]}"#));
    assert_eq!(event.rest(), r#"{"payload":{"arguments":{"command":["git","commit","-m","it's"]},"name":"shell"}}"#);
}

#[test]
fn arguments_may_be_an_object_already() {
    let event =
        one(r#"{"type":"function_call","name":"exec_command","call_id":"c1","arguments":{"cmd":"ls","n":1.0}}"#);
    assert_eq!(event.at("event_type/data/command"), r#""ls""#);
    assert_eq!(event.rest(), r#"{"payload":{"arguments":{"n":1},"name":"exec_command"}}"#);
    let event = one(r#"{"type":"function_call","name":"update_plan","call_id":"c1","arguments":{"plan":[]}}"#);
    assert_eq!(event.at("content/blocks/0/data"), r#"{"plan":[]}"#);
}

#[test]
fn a_command_that_cannot_be_read_stays_a_call() {
    for arguments in [r#"{"cmd":" "}"#, r#"{"command":[]}"#, r#"{"command":["ls",1]}"#, r#"{"cmd":7}"#, "{}"] {
        let event = one(&call("shell", arguments));
        assert_eq!(event.kind(), "ToolCall", "{arguments}");
        assert_eq!(event.at("content/blocks/0/data"), arguments);
    }
    let event = one(&call("shell", "not json"));
    assert_eq!((event.kind(), event.at("content/blocks/0/text")), ("ToolCall".into(), r#""not json""#.into()));
    assert_eq!(event.rest(), "");
}

#[test]
fn tools_have_kinds_and_events() {
    for (name, arguments, kind, tool) in [
        ("update_plan", r#"{"plan":[{"status":"pending","step":"a"}]}"#, "ToolCall", "plan"),
        ("write_stdin", r#"{"chars":"y\n","session_id":1}"#, "ToolCall", "shell"),
        ("view_image", r#"{"path":"/w/a.png"}"#, "FileRead", "file_read"),
        ("read_file", r#"{"file_path":"/w/a"}"#, "FileRead", "file_read"),
        ("list_dir", r#"{"dir_path":"/w"}"#, "FileSearch", "search"),
        ("grep_files", r#"{"pattern":"x"}"#, "CodeSearch", "search"),
        ("write_file", r#"{"path":"/w/a","content":"x"}"#, "FileCreate", "file_write"),
        ("edit_file", r#"{"path":"/w/a","old_string":"x","new_string":"y"}"#, "FileEdit", "file_write"),
        ("spawn_agent", r#"{"message":"go"}"#, "ToolCall", "task"),
        ("wait_agent", "{}", "ToolCall", "task"),
        ("request_user_input", r#"{"questions":[]}"#, "ToolCall", "interactive"),
        ("mcp__docs__read_file", r#"{"path":"/w/a"}"#, "ToolCall", "mcp"),
        ("list_mcp_resources", "{}", "ToolCall", "mcp"),
        ("web_search", r#"{"query":"x"}"#, "WebSearch", "web"),
        ("something_new", r#"{"a":1}"#, "ToolCall", "other"),
        ("view_image", r#"{"path":""}"#, "ToolCall", "file_read"),
    ] {
        let event = one(&call(name, arguments));
        assert_eq!(event.kind(), kind, "{name}");
        assert_eq!(event.attribute("semantic.tool_kind"), format!("\"{tool}\""), "{name}");
        assert_eq!(event.attribute("semantic.call_id"), r#""c1""#, "{name}");
        if kind == "ToolCall" {
            assert_eq!(event.at("content/blocks/0/data"), arguments, "{name}");
            assert_eq!(event.rest(), "", "{name}");
        } else {
            assert!(event.rest().contains(name), "{name}");
        }
    }
}

#[test]
fn a_namespace_is_part_of_the_name_and_kept() {
    for (space, name, full) in [
        ("mcp__apps__github", "_fetch_pr", "mcp__apps__github_fetch_pr"),
        ("mcp__deepwiki", "ask", "mcp__deepwiki__ask"),
        ("mcp__deepwiki__", "ask", "mcp__deepwiki__ask"),
        ("agents", "spawn_agent", "agents.spawn_agent"),
    ] {
        let event = one(&format!(
            r#"{{"type":"function_call","namespace":"{space}","name":"{name}","arguments":"{{}}","call_id":"c1"}}"#
        ));
        assert_eq!(event.at("event_type/data/name"), format!("\"{full}\""));
        assert_eq!(event.rest(), format!(r#"{{"payload":{{"name":"{name}","namespace":"{space}"}}}}"#));
    }
}

#[test]
fn custom_tools_keep_their_text() {
    let event = one(r#"{"type":"custom_tool_call","name":"exec","call_id":"c1","input":"await run()"}"#);
    assert_eq!((event.kind(), event.attribute("semantic.tool_kind")), ("ToolCall".into(), r#""other""#.into()));
    assert_eq!(event.at("content/blocks/0/text"), r#""await run()""#);
}

#[test]
fn other_calls_of_the_model_have_their_events() {
    let event = one(
        r#"{"type":"local_shell_call","id":"ls_1","call_id":"c1","status":"completed","action":{"type":"exec","command":["ls"]}}"#,
    );
    assert_eq!((event.kind(), event.at("event_type/data/command")), ("ShellCommand".into(), r#""ls""#.into()));
    let event =
        one(r#"{"type":"web_search_call","id":"ws_1","action":{"type":"search","query":"q","queries":["q","r"]}}"#);
    assert_eq!((event.kind(), event.at("event_type/data/query")), ("WebSearch".into(), r#""q""#.into()));
    assert_eq!(event.attribute("semantic.call_id"), r#""ws_1""#);
    assert_eq!(event.rest(), r#"{"payload":{"action":{"queries":["q","r"],"type":"search"}}}"#);
    let event = one(r#"{"type":"web_search_call","action":{"type":"open_page","url":"https://e.example"}}"#);
    assert_eq!(event.kind(), "WebFetch");
    let event = one(r#"{"type":"web_search_call","action":{"type":"open_page"}}"#);
    assert_eq!(
        (event.kind(), event.at("content/blocks/0/data")),
        ("ToolCall".into(), r#"{"type":"open_page"}"#.into())
    );
    let event = one(r#"{"type":"tool_search_call","call_id":"c1","arguments":{"query":"files"}}"#);
    assert_eq!((event.kind(), event.at("content/blocks/0/data")), ("ToolCall".into(), r#"{"query":"files"}"#.into()));
    let event = one(
        r#"{"type":"image_generation_call","id":"ig_1","status":"completed","revised_prompt":"a cat","result":"AAAA"}"#,
    );
    assert_eq!((event.kind(), event.at("event_type/data/prompt")), ("ImageGenerate".into(), r#""a cat""#.into()));
    assert_eq!(event.at("content/blocks/0/url"), r#""data:image/png;base64,AAAA""#);
}

#[test]
fn what_equals_the_item_before_is_left_out() {
    let with = |turn: &str| {
        item(
            &call("update_plan", "{}")
                .replace(r#""call_id""#, &format!(r#""metadata":{{"turn_id":"{turn}"}},"call_id""#)),
        )
    };
    let bodies = [with("t-1"), with("t-1"), with("t-2")];
    let s = Session::of_records(&bodies.iter().map(String::as_str).collect::<Vec<_>>());
    let rests: Vec<String> = s.events().iter().map(Line::rest).collect();
    assert_eq!(
        rests,
        [r#"{"payload":{"metadata":{"turn_id":"t-1"}}}"#, "", r#"{"payload":{"metadata":{"turn_id":"t-2"}}}"#]
    );
}
