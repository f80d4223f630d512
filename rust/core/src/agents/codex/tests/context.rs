use super::{item, message, run, Session, META};

fn session(bodies: &[String]) -> Session {
    Session::of_records(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
}

fn turn_context(members: &str) -> String {
    format!("\"type\":\"turn_context\",\"payload\":{{{members}}}")
}

#[test]
fn the_settings_of_a_turn_are_kept_where_they_change() {
    let s = session(&[
        turn_context(r#""turn_id":"t-1","cwd":"/w","model":"m-1","new_setting":1"#),
        turn_context(r#""turn_id":"t-2","cwd":"/w","model":"m-2","new_setting":1"#),
    ]);
    assert_eq!(s.events()[0].at("event_type/data/kind"), r#""turn_context""#);
    assert_eq!(s.events()[1].rest(), r#"{"payload":{"model":"m-2","new_setting":1,"turn_id":"t-2"}}"#);
    assert_eq!(s.header().at("agent/model"), r#""m-1""#);
}

#[test]
fn the_header_is_that_of_the_first_line() {
    let meta = r#"{"timestamp":"2026-05-01T10:00:00Z","type":"session_meta","payload":{"id":"s-2","timestamp":"2026-05-01T10:00:00Z","cwd":"/w","cli_version":"0.140.0","model_provider":"azure","forked_from_id":"s-0","git":{"branch":"main","commit_hash":"abc","repository_url":"https://me:secret@git.example/r.git"}}}"#;
    let s = Session::of(&[
        meta,
        META,
        r#"{"timestamp":"2026-05-01T10:00:02Z","type":"event_msg","payload":{"type":"thread_name_updated","thread_name":"My name"}}"#,
    ]);
    let header = s.header();
    assert_eq!(header.at("session_id"), r#""s-2""#);
    assert_eq!(header.at("agent"), r#"{"model":"unknown","provider":"azure","tool":"codex","tool_version":"0.140.0"}"#);
    assert_eq!(
        header.at("context/attributes/git"),
        r#"{"branch":"main","commit":"abc","remote":"https://git.example/r.git"}"#
    );
    assert_eq!(header.at("context/related_session_ids"), r#"["s-0","s-1"]"#);
    assert_eq!(header.at("context/title"), r#""My name""#);
    assert_eq!(header.at("context/attributes/session_role"), r#""primary""#);
}

#[test]
fn a_sub_agent_knows_its_parent() {
    for source in [
        r#""source":{"subagent":{"thread_spawn":{"parent_thread_id":"s-0"}}}"#,
        r#""source":{"subagent":"review"},"parent_thread_id":"s-0""#,
    ] {
        let meta = format!(
            r#"{{"timestamp":"2026-05-01T10:00:00Z","type":"session_meta","payload":{{"id":"s-2",{source}}}}}"#
        );
        let s = Session::of(&[&meta]);
        assert_eq!(s.header().at("context/attributes/session_role"), r#""auxiliary""#);
        assert_eq!(s.header().at("context/attributes/parent_session_id"), r#""s-0""#);
    }
}

#[test]
fn a_title_is_the_first_typed_text() {
    let user = |text: &str| {
        item(&format!(r#"{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{text}"}}]}}"#))
    };
    let s = session(&[user("<environment_context>"), user("please\\n fix it"), user("later")]);
    assert_eq!(s.header().at("context/title"), r#""please fix it""#);
    let image = item(
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"<image name=[Image #1]>"},{"type":"input_image","image_url":"data:,"},{"type":"input_text","text":"</image>"},{"type":"input_text","text":"look"}]}"#,
    );
    assert_eq!(session(&[image]).header().at("context/title"), r#""look""#);
    let s = session(&[user("\\n\\t<skill> a"), user(&"\u{e9}\\n word".repeat(20_000))]);
    let title = s.header().at("context/title");
    assert!(title.starts_with("\"\u{e9} word\u{e9} word") && title.ends_with("\u{2026}\""), "{title}");
}

#[test]
fn compaction_keeps_its_history_without_making_events_of_it() {
    let s = session(&[
        r#""type":"compacted","payload":{"message":"so far","replacement_history":[{"type":"message","role":"user","content":[]},{"type":"compaction","encrypted_content":"AAAA"}],"window_id":"w"}"#.into(),
    ]);
    assert_eq!(s.kinds(), ["Custom"]);
    let event = &s.events()[0];
    assert_eq!(event.at("content/blocks/0/text"), r#""so far""#);
    assert_eq!(
        event.at("content/blocks/1/data"),
        r#"[{"content":[],"role":"user","type":"message"},{"type":"compaction"}]"#
    );
    assert_eq!(event.attribute("source.ciphertext_bytes"), "4");
    assert_eq!(event.rest(), r#"{"payload":{"window_id":"w"}}"#);
}

#[test]
fn messages_of_every_known_kind_are_custom_events_with_their_members() {
    for name in [
        "patch_apply_end",
        "exec_command_end",
        "mcp_tool_call_end",
        "web_search_end",
        "error",
        "collab_close_end",
        "item_completed",
    ] {
        let s = session(&[message(&format!(
            r#"{{"type":"{name}","call_id":"c1","x":[1],"duration":{{"secs":1,"nanos":5000000}}}}"#
        ))]);
        let event = &s.events()[0];
        assert_eq!((event.kind(), event.at("event_type/data/kind")), ("Custom".into(), format!("\"{name}\"")));
        assert_eq!(event.attribute("semantic.call_id"), r#""c1""#);
        assert_eq!(event.attribute("source.raw_type"), format!("\"event_msg/{name}\""));
        assert_eq!(event.at("content/blocks/0/data"), r#"{"duration":{"nanos":5000000,"secs":1},"x":[1]}"#);
        assert_eq!((event.at("duration_ms"), event.rest()), ("1005".into(), "".into()));
    }
    let s = session(&[message(r#"{"type":"context_compacted"}"#)]);
    assert_eq!(s.events()[0].at("content/blocks"), "[]");
}

#[test]
fn records_beside_the_conversation_are_known() {
    for kind in ["world_state", "inter_agent_communication", "token_usage_record", "realtime_item"] {
        let s = session(&[format!("\"type\":\"{kind}\",\"payload\":{{\"a\":1,\"type\":\"b\"}}")]);
        assert_eq!(s.events()[0].at("content/blocks/0/data"), r#"{"a":1,"type":"b"}"#);
        assert_eq!(s.stats("source/records/opaque"), "0");
    }
    for kind in ["ghost_snapshot", "compaction", "additional_tools", "agent_message"] {
        let s = session(&[item(&format!(r#"{{"type":"{kind}","id":"x1","a":1,"encrypted_content":"AA"}}"#))]);
        assert_eq!(s.events()[0].at("content/blocks/0/data"), r#"{"a":1}"#);
        assert_eq!(s.events()[0].at("event_id"), r#""x1""#);
    }
}

#[test]
fn a_kind_that_is_not_known_is_kept_whole() {
    let s = session(&[
        item(r#"{"type":"teleport","id":"tp_1","to":"x"}"#),
        "\"type\":\"novel\",\"payload\":7".into(),
        "\"a\":1".into(),
    ]);
    let events = s.events();
    assert_eq!(s.stats("source/records/opaque"), "3");
    assert_eq!(events[0].at("event_type/data/kind"), r#""teleport""#);
    assert_eq!(events[0].attribute("source.raw_type"), r#""response_item/teleport""#);
    assert_eq!(events[0].at("event_id"), r#""tp_1""#);
    assert_eq!(events[0].at("content/blocks/0/data/payload"), r#"{"id":"tp_1","to":"x","type":"teleport"}"#);
    assert_eq!(events[1].at("event_type/data/kind"), r#""novel""#);
    assert_eq!(events[2].at("event_type/data/kind"), r#""untyped""#);
}

#[test]
fn the_bare_lines_of_early_versions_are_read() {
    let s = Session::of(&[
        r#"{"id":"old-1","timestamp":"2025-05-01T10:00:00.000Z","instructions":"be brief","git":{"branch":"main"}}"#,
        r#"{"record_type":"state"}"#,
        r#"{"type":"message","id":null,"role":"user","content":[{"type":"input_text","text":"hi"}]}"#,
        r#"{"type":"function_call","id":"fc_1","name":"shell","arguments":"{\"command\":[\"ls\"]}","call_id":"c1"}"#,
        r#"{"type":"function_call_output","call_id":"c1","output":"{\"output\":\"a\",\"metadata\":{\"exit_code\":0,\"duration_seconds\":0.0}}"}"#,
        r#"{"type":"reasoning","id":"rs_1","summary":[]}"#,
    ]);
    assert_eq!(s.header().at("session_id"), r#""old-1""#);
    assert_eq!(s.kinds(), ["Custom", "UserMessage", "ShellCommand", "ToolResult", "Thinking"]);
    assert_eq!(s.events()[0].at("event_type/data/kind"), r#""state""#);
    assert_eq!(s.events()[2].at("event_id"), r#""fc_1""#);
    assert_eq!(s.events()[4].at("timestamp"), r#""2025-05-01T10:00:00Z""#);
    assert_eq!(s.lines[1].at("event_type/data/kind"), r#""session_meta""#);
    assert!(s.lines[1].rest().contains("be brief"));
    assert_eq!(s.stats("source/records/opaque"), "0");
}

#[test]
fn a_first_line_without_payload_is_still_a_first_line() {
    let s = Session::of(&[
        r#"{"timestamp":"2026-05-01T10:00:00Z","type":"session_meta"}"#,
        r#"{"timestamp":"2026-05-01T10:00:01Z","type":"response_item","payload":{"type":"message","role":"user","content":"x"}}"#,
    ]);
    assert_eq!(s.kinds(), ["UserMessage"]);
    assert!(s.header().at("session_id").starts_with(r#""codex-"#));
}

#[test]
fn a_time_that_is_none_stays_in_the_rest() {
    let s =
        Session::of(&[META, r#"{"timestamp":"yesterday","type":"event_msg","payload":{"type":"context_compacted"}}"#]);
    assert_eq!(s.events()[0].rest(), r#"{"timestamp":"yesterday"}"#);
    assert_eq!(s.events()[0].at("timestamp"), r#""2026-05-01T10:00:00Z""#);
}

#[test]
fn other_logs_are_refused() {
    for line in [
        r#"{"session_id":"s","ts":1700000000,"text":"a prompt"}"#,
        r#"{"type":"user","uuid":"u","sessionId":"s","message":{"role":"user","content":"x"}}"#,
        r#"{"type":"message","id":"1","parentId":"0","role":"user","content":"x"}"#,
        r#"{"type":"message","id":"1","timestamp":"2026-05-01T10:00:00Z","message":{"role":"user"}}"#,
        r#"{"type":"session_meta","sessionId":"s","uuid":"u"}"#,
        r#"{"sessionId":"s","projectHash":"p","startTime":"2026-05-01T10:00:00Z"}"#,
    ] {
        assert!(run(&format!("{line}\n"), 1).is_err(), "{line}");
    }
}
