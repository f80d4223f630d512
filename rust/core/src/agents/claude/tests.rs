use serde_json::json;

use super::super::testing::{bytes, session, Session};
use crate::Code;

fn claude(lines: &[&str]) -> Session {
    session("claude-code", lines.join("\n") + "\n")
}

/// A record with the usual envelope: `$` becomes it.
fn with_envelope(body: &str) -> String {
    body.replace('$', r#""sessionId":"S","cwd":"/w","version":"2.1.0","timestamp":"2026-05-01T10:00:00.000Z""#)
}

fn one(body: &str) -> Session {
    claude(&[&with_envelope(body)])
}

#[test]
fn a_typed_prompt_is_a_user_message_and_the_title() {
    let s =
        one(r#"{"type":"user","uuid":"u1","parentUuid":null,$,"message":{"role":"user","content":"fix  it\nplease"}}"#);
    assert_eq!(s.kinds(), ["UserMessage"]);
    assert_eq!(s.ids(), ["u1"]);
    assert_eq!(s.blocks(0), &json!([{"type":"Text","text":"fix  it\nplease"}]));
    assert_eq!(s.header["context"]["title"], "fix it please");
    assert_eq!(s.header["session_id"], "S");
    assert_eq!(s.rest(0), &json!({"cwd":"/w","parentUuid":null,"sessionId":"S","version":"2.1.0"}));
    assert_eq!(s.stats["user_message_count"], 1);
}

#[test]
fn injected_texts_are_system_messages_with_their_origin() {
    for (text, origin) in [
        ("<system-reminder>x</system-reminder>", "reminder"),
        ("<task-notification>x</task-notification>", "notification"),
        ("[Request interrupted by user for tool use]", "notification"),
        ("<local-command-stdout>x</local-command-stdout>", "command"),
        ("Stop hook feedback: x", "hook"),
        ("This session is being continued from another", "context"),
    ] {
        let body = format!(r#"{{"type":"user","uuid":"u",$,"message":{{"role":"user","content":"{text}"}}}}"#);
        let s = one(&body);
        assert_eq!(s.kinds(), ["SystemMessage"], "{text}");
        assert_eq!(s.attributes(0)["source.origin"], origin, "{text}");
    }
    let meta = one(r#"{"type":"user","uuid":"u",$,"isMeta":true,"message":{"role":"user","content":"plain"}}"#);
    assert_eq!(meta.attributes(0)["source.origin"], "context");
    let notice = one(
        r#"{"type":"user","uuid":"u",$,"origin":{"kind":"task-notification"},"message":{"role":"user","content":"plain"}}"#,
    );
    assert_eq!(notice.attributes(0)["source.origin"], "notification");
}

#[test]
fn the_arguments_of_a_slash_command_were_typed() {
    let s = one(
        r#"{"type":"user","uuid":"u",$,"message":{"role":"user","content":"<command-name>/review</command-name>\n<command-args> the parser </command-args>"}}"#,
    );
    assert_eq!(s.kinds(), ["SystemMessage", "UserMessage"]);
    assert_eq!(s.attributes(0)["source.origin"], "command");
    assert_eq!(s.blocks(1), &json!([{"type":"Text","text":"the parser"}]));
    assert_eq!(s.ids(), ["u", "u#1"]);
}

#[test]
fn text_and_image_of_one_prompt_are_one_message() {
    let s = one(
        r#"{"type":"user","uuid":"u",$,"message":{"role":"user","content":[{"type":"text","text":"<ide_opened_file>a</ide_opened_file>"},{"type":"text","text":"look"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}}"#,
    );
    assert_eq!(s.kinds(), ["SystemMessage", "UserMessage"]);
    assert_eq!(
        s.blocks(1),
        &json!([{"type":"Text","text":"look"},{"type":"Image","mime":"image/png","url":"data:image/png;base64,AAAA"}])
    );
}

#[test]
fn usage_counts_once_per_message_and_the_last_wins() {
    let line = |uuid: &str, out: u64, text: &str| {
        with_envelope(&format!(
            r#"{{"type":"assistant","uuid":"{uuid}",$,"message":{{"id":"m1","role":"assistant","model":"opus","content":[{text}],"usage":{{"input_tokens":3,"cache_read_input_tokens":9,"cache_creation_input_tokens":4,"output_tokens":{out}}}}}}}"#
        ))
    };
    let s = claude(&[
        &line("a1", 5, r#"{"type":"thinking","thinking":"hm","signature":"sig"}"#),
        &line("a2", 5, r#"{"type":"text","text":"hello"}"#),
        &line("a3", 25, r#"{"type":"tool_use","id":"t1","name":"Read","input":{"file_path":"/w/a.rs"}}"#),
    ]);
    assert_eq!(s.kinds(), ["Thinking", "AgentMessage", "FileRead"]);
    assert_eq!((&s.stats["total_input_tokens"], &s.stats["total_output_tokens"]), (&json!(3), &json!(25)));
    assert_eq!(s.attributes(0)["cache_read_tokens"], 9);
    assert_eq!(s.attributes(0)["cache_write_tokens"], 4);
    assert_eq!(s.attributes(1).get("input_tokens"), None);
    assert_eq!(s.attributes(2)["output_tokens"], 20);
    assert_eq!(s.attributes(2)["semantic.group_id"], "m1");
    assert_eq!(s.header["agent"]["model"], "opus");
    assert!(!String::from_utf8_lossy(&s.bytes).contains("\"sig\""));
}

#[test]
fn encrypted_reasoning_leaves_its_size() {
    let s = one(
        r#"{"type":"assistant","uuid":"a",$,"message":{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"12345"},{"type":"redacted_thinking","data":"123"}]}}"#,
    );
    assert_eq!(s.kinds(), ["Thinking", "Thinking"]);
    assert_eq!(
        (s.attributes(0)["source.ciphertext_bytes"].as_u64(), s.attributes(1)["source.ciphertext_bytes"].as_u64()),
        (Some(5), Some(3))
    );
}

/// A call and its result.
fn called(name: &str, input: &str, result: &str, record: &str) -> Session {
    claude(&[
        &with_envelope(&format!(
            r#"{{"type":"assistant","uuid":"a",$,"message":{{"role":"assistant","content":[{{"type":"tool_use","id":"t1","name":"{name}","input":{input}}}]}}}}"#
        )),
        &with_envelope(&format!(
            r#"{{"type":"user","uuid":"r",$,"message":{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t1",{result}}}]}}{record}}}"#
        )),
    ])
}

#[test]
fn every_known_tool_becomes_its_event() {
    for (name, input, kind, data, tool_kind) in [
        ("Bash", r#"{"command":"ls"}"#, "ShellCommand", json!({"command":"ls"}), "shell"),
        ("Read", r#"{"file_path":"/a"}"#, "FileRead", json!({"path":"/a"}), "file_read"),
        ("Write", r#"{"file_path":"/a","content":"x"}"#, "FileCreate", json!({"path":"/a"}), "file_write"),
        (
            "Edit",
            r#"{"file_path":"/a","old_string":"x","new_string":"y"}"#,
            "FileEdit",
            json!({"path":"/a","diff":"-x\n+y\n"}),
            "file_write",
        ),
        ("Grep", r#"{"pattern":"fn"}"#, "CodeSearch", json!({"query":"fn"}), "search"),
        ("Glob", r#"{"pattern":"**/*.rs"}"#, "FileSearch", json!({"pattern":"**/*.rs"}), "search"),
        ("WebSearch", r#"{"query":"q"}"#, "WebSearch", json!({"query":"q"}), "web"),
        ("WebFetch", r#"{"url":"https://e.x","prompt":"p"}"#, "WebFetch", json!({"url":"https://e.x"}), "web"),
        ("TodoWrite", r#"{"todos":[]}"#, "ToolCall", json!({"name":"TodoWrite"}), "plan"),
        ("Task", r#"{"prompt":"p"}"#, "ToolCall", json!({"name":"Task"}), "task"),
        ("AskUserQuestion", r#"{"questions":[]}"#, "ToolCall", json!({"name":"AskUserQuestion"}), "interactive"),
        ("mcp__a__b", "{}", "ToolCall", json!({"name":"mcp__a__b"}), "mcp"),
        ("Bash", r#"{"command":""}"#, "ToolCall", json!({"name":"Bash"}), "shell"),
        ("Read", r#"{"other":1}"#, "ToolCall", json!({"name":"Read"}), "file_read"),
    ] {
        let s = called(name, input, r#""content":"ok""#, "");
        assert_eq!(s.kinds(), [kind, "ToolResult"], "{name} {input}");
        assert_eq!(s.data(0), &data, "{name}");
        assert_eq!(s.attributes(0)["semantic.tool_kind"], tool_kind, "{name}");
        assert_eq!(s.attributes(0)["semantic.call_id"], "t1");
        assert_eq!(s.data(1)["call_id"], "t1");
        assert_eq!(s.data(1)["name"], name);
    }
}

#[test]
fn exit_codes_are_what_the_log_states() {
    let code = |result: &str, record: &str| {
        let s = called("Bash", r#"{"command":"x"}"#, result, record);
        (
            s.data(1)["exit_code"].as_i64(),
            s.attributes(1)["source.exit_code"].as_str().map(str::to_string),
            s.data(1)["is_error"].as_bool().unwrap(),
        )
    };
    let inferred = Some("inferred".to_string());
    assert_eq!(code(r#""content":"Exit code 2\nboom","is_error":true"#, ""), (Some(2), None, true));
    assert_eq!(
        code(r#""content":"ok""#, r#","toolUseResult":{"stdout":"ok","interrupted":false}"#),
        (Some(0), inferred.clone(), false)
    );
    assert_eq!(code(r#""content":"ok","is_error":null"#, ""), (Some(0), inferred, false));
    assert_eq!(
        code(r#""content":"ok""#, r#","toolUseResult":{"stdout":"ok","interrupted":true}"#),
        (None, None, false)
    );
    assert_eq!(
        code(r#""content":"ok""#, r#","toolUseResult":{"returnCodeInterpretation":"No matches found"}"#),
        (None, None, false)
    );
    assert_eq!(code(r#""content":"started""#, r#","toolUseResult":{"backgroundTaskId":"b1"}"#), (None, None, false));
    assert_eq!(code(r#""content":"refused","is_error":true"#, ""), (None, None, true));
    // What a successful command prints is no exit code of its own.
    assert_eq!(code(r#""content":"Exit code 3""#, "").0, Some(0));
}

#[test]
fn a_result_keeps_its_diff_its_action_and_no_copy_of_the_file() {
    let s = called(
        "Write",
        r#"{"file_path":"/a","content":"x"}"#,
        r#""content":"File created""#,
        r#","toolUseResult":{"type":"update","filePath":"/a","originalFile":"old\ntext","structuredPatch":[{"oldStart":1,"lines":["-old","+x"]}]}"#,
    );
    assert_eq!(s.attributes(1)["semantic.file_action"], "edited");
    assert_eq!(s.blocks(1)[1], json!({"type":"Json","data":[{"oldStart":1,"lines":["-old","+x"]}]}));
    let digest = blake3::hash(b"old\ntext").to_hex().to_string();
    assert_eq!(s.rest(1)["toolUseResult"]["originalFile"], json!({"blake3":digest,"bytes":8}));
    assert!(!String::from_utf8_lossy(&s.bytes).contains("old\\ntext"));
}

#[test]
fn what_the_structured_result_repeats_is_left_out_and_the_rest_is_kept() {
    let s = called(
        "Read",
        r#"{"file_path":"/a"}"#,
        r#""content":"     1→fn a_function_with_a_long_name() {\n     2→}""#,
        r#","toolUseResult":{"type":"text","file":{"filePath":"/a","content":"fn a_function_with_a_long_name() {\n}","numLines":2}}"#,
    );
    assert_eq!(s.rest(1)["toolUseResult"], json!({"type":"text","file":{"filePath":"/a","numLines":2}}));
    let s = called(
        "Bash",
        r#"{"command":"x"}"#,
        r#""content":"cut""#,
        r#","toolUseResult":{"stdout":"the whole of the output","stderr":""}"#,
    );
    assert_eq!(s.rest(1)["toolUseResult"], json!({"stdout":"the whole of the output","stderr":""}));
}

#[test]
fn a_result_without_a_call_has_an_unknown_name() {
    let s = one(
        r#"{"type":"user","uuid":"r",$,"message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t9","content":"x"}]}}"#,
    );
    assert_eq!(s.data(0), &json!({"call_id":"t9","is_error":false,"name":"unknown"}));
}

#[test]
fn a_sub_agents_file_is_a_session_of_its_own() {
    let s = one(
        r#"{"type":"user","uuid":"u",$,"isSidechain":true,"agentId":"ab12","message":{"role":"user","content":"go"}}"#,
    );
    assert_eq!(s.header["session_id"], "S/agent-ab12");
    assert_eq!(s.header["context"]["attributes"]["session_role"], "auxiliary");
    assert_eq!(s.header["context"]["attributes"]["parent_session_id"], "S");
    assert_eq!(s.events[0].get("task_id"), None);
    let inline = claude(&[
        &with_envelope(r#"{"type":"user","uuid":"u",$,"isSidechain":false,"message":{"role":"user","content":"go"}}"#),
        &with_envelope(
            r#"{"type":"user","uuid":"v",$,"isSidechain":true,"agentId":"ab12","message":{"role":"user","content":"go"}}"#,
        ),
    ]);
    assert_eq!(inline.header["session_id"], "S");
    assert_eq!(inline.events[1]["task_id"], "ab12");
}

#[test]
fn queued_prompts_count_once_and_queue_operations_never() {
    let s = claude(&[
        &with_envelope(r#"{"type":"queue-operation","operation":"enqueue",$,"content":"also test"}"#),
        &with_envelope(
            r#"{"type":"attachment","uuid":"q",$,"attachment":{"type":"queued_command","prompt":"also test","commandMode":"prompt"}}"#,
        ),
        &with_envelope(
            r#"{"type":"attachment","uuid":"n",$,"attachment":{"type":"queued_command","prompt":"done","commandMode":"task-notification"}}"#,
        ),
        &with_envelope(r#"{"type":"attachment","uuid":"h",$,"attachment":{"type":"hook_success","stdout":"x"}}"#),
    ]);
    assert_eq!(s.kinds(), ["queue-operation", "UserMessage", "SystemMessage", "attachment/hook_success"]);
    assert_eq!(s.attributes(3)["source.origin"], "hook");
    assert_eq!(s.stats["user_message_count"], 1);
}

#[test]
fn times_ids_and_titles_come_from_the_log() {
    let s = claude(&[
        r#"{"type":"summary","summary":"Of another file","leafUuid":"elsewhere"}"#,
        r#"{"type":"user","uuid":"u","sessionId":"S","timestamp":"2026-05-01T10:00:05Z","message":{"role":"user","content":"hi"}}"#,
        r#"{"type":"custom-title","customTitle":"First","sessionId":"S"}"#,
        r#"{"type":"user","uuid":"u","sessionId":"S","timestamp":"2026-05-01T10:00:01Z","message":{"role":"user","content":"again"}}"#,
        r#"{"type":"custom-title","customTitle":"Last","sessionId":"S"}"#,
        r#"{"type":"file-history-snapshot","messageId":"u","snapshot":{"timestamp":"2026-05-01T09:00:00Z"}}"#,
    ]);
    let times: Vec<&str> = s.events.iter().map(|e| e["timestamp"].as_str().unwrap()).collect();
    let day = |t: &str| format!("2026-05-01T{t}Z");
    assert_eq!(
        times,
        [day("10:00:05"), day("10:00:05"), day("10:00:05"), day("10:00:01"), day("10:00:01"), day("09:00:00")]
    );
    assert_eq!(s.ids(), ["#1", "u", "#3", "u#r4", "#5", "#6"]);
    assert_eq!(s.header["context"]["title"], "Last");
    assert_eq!(s.header["context"]["created_at"], day("09:00:00"));
    assert_eq!(s.header["context"]["updated_at"], day("10:00:05"));
    assert_eq!(s.source()["warnings"], json!({"time_backwards":2}));
}

#[test]
fn a_log_without_times_or_session_is_still_a_session() {
    let s = claude(&[r#"{"type":"user","uuid":"u","message":{"role":"user","content":"hi"}}"#]);
    assert_eq!(s.events[0]["timestamp"], "1970-01-01T00:00:00Z");
    assert_eq!(s.source()["warnings"], json!({"no_time":1}));
    let id = s.header["session_id"].as_str().unwrap();
    assert!(id.starts_with("claude-code-") && id.len() == "claude-code-".len() + 32);
}

#[test]
fn unknown_kinds_are_opaque_and_unknown_blocks_are_counted() {
    let s = claude(&[
        &with_envelope(r#"{"type":"user","uuid":"u",$,"message":{"role":"user","content":"hi"}}"#),
        &with_envelope(r#"{"type":"hologram","uuid":"x",$,"beam":{"b":1,"a":[2]}}"#),
        r#"{"silly":"this"}"#,
        "[1,2]",
        "",
        &with_envelope(
            r#"{"type":"assistant","uuid":"b",$,"message":{"role":"assistant","content":[{"type":"hologram","beam":1}]}}"#,
        ),
    ]);
    assert_eq!(s.kinds(), ["UserMessage", "hologram", "untyped", "value", "hologram"]);
    assert_eq!(s.blocks(1)[0]["data"]["beam"], json!({"a":[2],"b":1}));
    assert_eq!(s.source()["records"], json!({"blank":1,"damaged":0,"folded":0,"mapped":2,"opaque":3,"read":6}));
    assert_eq!(s.source()["unknown_blocks"], json!({"hologram":1}));
}

#[test]
fn damage_is_recovered_counted_and_kept() {
    let user = |uuid: &str, text: &str| {
        with_envelope(&format!(r#"{{"type":"user","uuid":"{uuid}",$,"message":{{"role":"user","content":"{text}"}}}}"#))
    };
    let mut log = Vec::new();
    let mut line = |bytes: &[u8]| {
        log.extend_from_slice(bytes);
        log.push(b'\n');
    };
    line(format!("\u{feff}{}\r", user("a", "one")).as_bytes());
    line(format!("\u{feff}{}{}", user("b", "two"), user("c", "three")).as_bytes());
    line(format!("{{\"type\":\"user\",\"message\":{{\"role{}", user("d", "four")).as_bytes());
    line(user("e", "half \\ud83d pair").as_bytes());
    line(&[&b"\0\0\0"[..], user("f", "five").as_bytes()].concat());
    line(&[user("g", "bad ").as_bytes()[..20].to_vec(), b"\xff".to_vec()].concat());
    line(user("h", "x\",\"content\":\"y").as_bytes());
    line(b"no json at all");
    let s = session("claude-code", &log);
    assert_eq!(
        s.kinds(),
        [
            "UserMessage",
            "UserMessage",
            "UserMessage",
            "UserMessage",
            "UserMessage",
            "UserMessage",
            "damaged",
            "UserMessage",
            "damaged"
        ]
    );
    assert_eq!(
        s.source()["repairs"],
        json!({"bom":2,"crlf":1,"duplicate_key":1,"glued":1,"lone_surrogate":1,"nul_run":1,"spliced":1})
    );
    assert_eq!(s.source()["records"]["damaged"], 2);
    assert!(s.attributes(3)["source.raw"].as_str().unwrap().starts_with("{\"type\":\"user\",\"message\":{\"role{"));
    assert_eq!(s.blocks(4)[0]["text"], "half \u{fffd} pair");
    assert_eq!(s.attributes(6)["source.raw_encoding"], "base64");
    assert_eq!(s.blocks(7)[0]["text"], "y");
    assert_eq!(s.blocks(8), &json!([{"type":"Text","text":"no json at all"}]));
}

#[test]
fn an_unfinished_last_line_waits_unless_final() {
    let log = with_envelope(r#"{"type":"user","uuid":"a",$,"message":{"role":"user","content":"hi"}}"#)
        + "\n{\"type\":\"user\",\"uu";
    let s = session("claude-code", &log);
    assert_eq!(s.source()["repairs"], json!({"tail_incomplete":18}));
    assert_eq!(s.source()["bytes"], log.len() - 18);
    let shorter = session("claude-code", &log[..log.len() - 18]);
    assert_eq!(s.source()["blake3"], shorter.source()["blake3"]);
    assert_eq!(s.events, shorter.events);
    let whole = super::super::testing::read(bytes("claude-code", log.as_bytes(), 1, true).unwrap());
    assert_eq!(whole.kinds(), ["UserMessage", "damaged"]);
    let complete = session("claude-code", &log.as_bytes()[..log.len() - 19]);
    assert_eq!(complete.events, shorter.events);
    assert_eq!(complete.source()["bytes"], log.len() - 19);
}

#[test]
fn a_record_nested_too_deeply_is_kept_as_text() {
    let deep = format!(r#"{{"type":"user","uuid":"d","x":{}{}}}"#, "[".repeat(130), "]".repeat(130));
    let s =
        claude(&[&with_envelope(r#"{"type":"user","uuid":"a",$,"message":{"role":"user","content":"hi"}}"#), &deep]);
    assert_eq!(s.kinds(), ["UserMessage", "deep"]);
    assert_eq!(s.blocks(1)[0]["text"], deep);
    assert_eq!(s.source()["repairs"], json!({"depth":1}));
}

#[test]
fn what_is_no_claude_log_is_refused() {
    let qwen = r#"{"uuid":"u","sessionId":"S","type":"user","message":{"role":"user","parts":[{"text":"hi"}]}}"#;
    let telemetry =
        r#"{"uuid":"u","parentUuid":"p","sessionId":"S","type":"system","subtype":"ui_telemetry","systemPayload":{}}"#;
    for log in [
        qwen,
        telemetry,
        "",
        "\n\n",
        "just text\n",
        "{\"type\":\"session_meta\",\"payload\":{\"id\":\"x\"}}\n",
        "[1]\n",
        "{\"a\":1}\n",
    ] {
        assert_eq!(bytes("claude-code", log.as_bytes(), 1, false).unwrap_err().code, Code::NoEvents, "{log:?}");
    }
}

#[test]
fn a_record_of_another_shape_does_not_make_the_log_another_agents() {
    let s = claude(&[
        &with_envelope(r#"{"type":"user","uuid":"a",$,"message":{"role":"user","content":"hi"}}"#),
        r#"{"type":"newkind","systemPayload":{"a":1}}"#,
    ]);
    assert_eq!(s.kinds(), ["UserMessage", "newkind"]);
}

#[test]
fn a_sub_agents_session_is_known_from_its_first_record() {
    let first =
        r#"{"type":"user","uuid":"u","isSidechain":true,"agentId":"x","message":{"role":"user","content":"go"}}"#;
    let next = with_envelope(
        r#"{"type":"user","uuid":"v",$,"isSidechain":true,"agentId":"x","message":{"role":"user","content":"on"}}"#,
    );
    let (one, two) = (claude(&[first]), claude(&[first, &next]));
    assert_eq!(one.events[0].get("task_id"), None);
    assert_eq!(two.header["session_id"], "S/agent-x");
    assert_eq!(two.events[0].get("task_id"), None);
}

#[test]
fn utf16_gives_the_same_events() {
    let log = with_envelope(r#"{"type":"user","uuid":"a",$,"message":{"role":"user","content":"é😀"}}"#) + "\n";
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(log.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let s = session("claude-code", &wide);
    assert_eq!(s.events, session("claude-code", &log).events);
    assert_eq!(s.source()["repairs"], json!({"transcoded":1}));
    assert_eq!(s.source()["bytes"], wide.len());
    assert_eq!(s.source()["blake3"], blake3::hash(&wide).to_hex().to_string());
}

#[test]
fn every_prefix_gives_a_prefix_of_the_events() {
    let lines: Vec<String> = [
        r#"{"type":"summary","summary":"s","leafUuid":"a"}"#,
        r#"{"type":"user","uuid":"a",$,"message":{"role":"user","content":"hi"}}"#,
        r#"{"type":"assistant","uuid":"b",$,"message":{"id":"m","role":"assistant","content":[{"type":"tool_use","id":"t","name":"Bash","input":{"command":"ls"}}],"usage":{"output_tokens":1}}}"#,
        r#"{"type":"assistant","uuid":"b",$,"message":{"id":"m","role":"assistant","content":[{"type":"text","text":"x"}],"usage":{"output_tokens":9}}}"#,
        r#"{"type":"user","uuid":"c",$,"message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}}"#,
        r#"{"type":"custom-title","customTitle":"T","sessionId":"S"}"#,
    ]
    .iter()
    .map(|l| with_envelope(l))
    .collect();
    let whole = session("claude-code", lines.join("\n") + "\n");
    // From the first record that has a time on.
    for n in 2..lines.len() {
        let part = session("claude-code", lines[..n].join("\n") + "\n");
        assert_eq!(part.events, whole.events[..part.events.len()], "{n}");
    }
}

#[test]
fn a_line_that_is_too_long_is_named_by_its_number() {
    let short = with_envelope(r#"{"type":"user","uuid":"a",$,"message":{"role":"user","content":"hi"}}"#);
    // Lines of all sorts before it: blank, damaged, two values on one, and enough for many blocks.
    let log = format!("{short}\n\r\n{{\n{short}{short}\n{}{}\n{short}\n", (short.clone() + "\n").repeat(9000), {
        "x".repeat((1 << 20) + 1)
    });
    for jobs in 1..=2 {
        let error = bytes("claude-code", log.as_bytes(), jobs, false).unwrap_err();
        assert_eq!((error.code, error.line), (Code::LineTooLong, Some(9005)), "{jobs} threads");
    }
}
