use super::{call, Line, Session};

/// The result of a call of `name`, for an output given as JSON.
fn result(name: &str, output: &str) -> Line {
    let output = format!(r#"{{"type":"function_call_output","call_id":"c1","output":{output}}}"#);
    let mut s = Session::items(&[&call(name, r#"{"cmd":"x","plan":[]}"#), &output]);
    let event = s.lines.swap_remove(3);
    assert_eq!(event.kind(), "ToolResult");
    assert_eq!(event.at("event_type/data/name"), format!("\"{name}\""));
    assert_eq!(event.at("event_type/data/call_id"), event.attribute("semantic.call_id"));
    event
}

/// `is_error`, `exit_code`, `duration_ms`
fn outcome(event: &Line) -> (String, String, String) {
    (event.at("event_type/data/is_error"), event.at("event_type/data/exit_code"), event.at("duration_ms"))
}

fn of(error: &str, exit: &str, ms: &str) -> (String, String, String) {
    (error.into(), exit.into(), ms.into())
}

#[test]
fn the_header_of_a_command_says_how_it_ended() {
    for (output, want) in [
        (
            r#""Chunk ID: a1\nWall time: 0.4 seconds\nProcess exited with code 2\nOriginal token count: 9\nOutput:\nno""#,
            of("true", "2", "400"),
        ),
        (
            r#""Chunk ID: a1\nWall time: 1.2345 seconds\nProcess exited with code 0\nFinal output:\nProcess exited with code 3""#,
            of("false", "0", "1235"),
        ),
        (r#""Wall time: 5 seconds\nProcess running with session ID 7\nOutput:\n""#, of("false", "", "5000")),
        (r#""Exit code: -1\nWall time: 0 seconds\nOutput:\n""#, of("true", "-1", "0")),
        (r#""Exit code: many\nOutput:\n""#, of("false", "", "")),
        (r#""plain text""#, of("false", "", "")),
        (r#""exec command rejected by user""#, of("true", "", "")),
        (r#""failed in sandbox Seccomp with execution error: sandbox denied exec error""#, of("true", "", "")),
        (r#""error: Failed to find expected lines in a.rs""#, of("true", "", "")),
        (r#""Wall time: 2 seconds\naborted by user""#, of("true", "", "2000")),
    ] {
        let event = result("exec_command", output);
        assert_eq!(outcome(&event), want, "{output}");
        assert_eq!(event.at("content/blocks/0/text"), output, "the text stays whole");
    }
}

#[test]
fn the_json_form_holds_the_text_inside() {
    let event = result(
        "shell",
        r#""{\"output\":\"error: none\\n\",\"metadata\":{\"exit_code\":0,\"duration_seconds\":0.3,\"x\":1}}""#,
    );
    assert_eq!(outcome(&event), of("false", "0", "300"));
    assert_eq!(event.at("content/blocks"), r#"[{"text":"error: none\n","type":"Text"}]"#);
    assert_eq!(event.rest(), r#"{"payload":{"output":{"metadata":{"duration_seconds":0.3,"exit_code":0,"x":1}}}}"#);
    let event = result("shell", r#""{\"output\":\"\",\"metadata\":{\"exit_code\":1}}""#);
    assert_eq!(outcome(&event), of("true", "1", ""));
    assert_eq!(event.at("content/blocks"), "[]");
}

#[test]
fn other_json_is_the_text_that_it_is() {
    let output = r#""{\"output\":\"x\"}""#;
    assert_eq!(result("shell", output).at("content/blocks/0/text"), output);
}

#[test]
fn only_shells_and_patches_have_exit_codes() {
    let event = result("mcp__a__b", r#""Wall time: 0.5 seconds\nExit code: 3\nOutput:\nerror: x""#);
    assert_eq!(outcome(&event), of("false", "", "500"));
}

#[test]
fn a_list_is_texts_and_images() {
    let event = result(
        "view_image",
        r#"[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"data:image/webp;base64,AA","detail":"low"}]"#,
    );
    assert_eq!(event.at("content/blocks/0/text"), r#""see""#);
    assert_eq!(event.at("content/blocks/1/mime"), r#""image/webp""#);
    assert_eq!(event.rest(), r#"{"payload":{"output":[null,{"detail":"low"}]}}"#);
}

#[test]
fn an_object_says_whether_it_succeeded() {
    let event = result("exec_command", r#"{"content":"no","success":false}"#);
    assert_eq!(outcome(&event), of("true", "", ""));
    assert_eq!(event.at("content/blocks/0/text"), r#""no""#);
    let event = result("exec_command", r#"{"a":1}"#);
    assert_eq!(event.at("content/blocks/0/data"), r#"{"a":1}"#);
}

#[test]
fn answers_to_a_question_are_typed() {
    let event = result("request_user_input", r#""{\"answers\":{\"q\":{\"answers\":[\"yes\"]}}}""#);
    assert_eq!(event.attribute("source.origin"), r#""typed""#);
    assert_eq!(event.at("content/blocks/0/data"), r#"{"answers":{"q":{"answers":["yes"]}}}"#);
}

#[test]
fn a_result_without_a_call_has_an_unknown_name() {
    let s = Session::items(&[r#"{"type":"function_call_output","call_id":"zz","output":"x","stderr":"y"}"#]);
    assert_eq!(s.events()[0].at("event_type/data/name"), r#""unknown""#);
    assert_eq!(s.events()[0].rest(), r#"{"payload":{"stderr":"y"}}"#);
}

#[test]
fn found_tools_are_a_block() {
    let s = Session::items(&[
        r#"{"type":"tool_search_call","call_id":"c1","arguments":{}}"#,
        r#"{"type":"tool_search_output","call_id":"c1","status":"completed","tools":[{"name":"a"}]}"#,
    ]);
    assert_eq!(s.events()[1].at("event_type/data/name"), r#""tool_search""#);
    assert_eq!(s.events()[1].at("content/blocks/0/data"), r#"[{"name":"a"}]"#);
}
