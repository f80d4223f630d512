//! The rules of docs/hail.md one by one: what is accepted, what becomes of it, what is refused and where.

use super::*;

/// A session with one event whose members are `members` (comma first) beside the required ones.
fn with(members: &str) -> String {
    let event = format!(
        r#"{{"type":"event","event_id":"e","timestamp":"2026-02-14T00:00:00Z","event_type":{{"type":"UserMessage"}},"content":{{"blocks":[]}}{members}}}"#
    );
    format!("{HEAD}{event}\n")
}

/// A session with one event of this type and these blocks.
fn typed(event_type: &str, blocks: &str) -> String {
    let event = format!(
        r#"{{"type":"event","event_id":"e","timestamp":"2026-02-14T00:00:00Z","event_type":{event_type},"content":{{"blocks":{blocks}}}}}"#
    );
    format!("{HEAD}{event}\n")
}

/// The canonical text of the second line.
fn second(text: &str) -> String {
    canon(text).unwrap().lines().nth(1).unwrap().to_owned()
}

fn refused(text: &str) -> (&'static str, Option<u64>, Option<u64>) {
    let error = canon(text).expect_err(text);
    let same = verified(text.as_bytes(), USUAL).error.map(|e| place(&e));
    assert_eq!(same, Some(place(&error)), "verify and canonicalize agree on {text}");
    place(&error)
}

/// The column at which `needle` stands in the last line of `text`.
fn column(text: &str, needle: &str) -> Option<u64> {
    let line = text.lines().last().unwrap();
    Some(line.rfind(needle).unwrap() as u64 + 1)
}

#[test]
fn null_and_empty_mean_absent_where_the_schema_says_so() {
    let plain = second(&with(""));
    for members in [
        r#","task_id":null"#,
        r#","duration_ms":null"#,
        r#","attributes":null"#,
        r#","attributes":{}"#,
        r#","attributes": { } ,"task_id":null"#,
    ] {
        assert_eq!(second(&with(members)), plain, "{members}");
    }
    for data in ["null", "{}", "{ }"] {
        assert_eq!(second(&typed(&format!(r#"{{"type":"UserMessage","data":{data}}}"#), "[]")), plain);
    }
    assert!(second(&with(r#","later":null"#)).contains(r#""later":null"#));
    assert!(second(&with(r#","attributes":{"a":null}"#)).contains(r#"{"a":null}"#));
    assert!(second(&typed(r#"{"type":"UserMessage","data":{"x":1}}"#, "[]")).contains(r#"{"x":1}"#));
}

#[test]
fn optional_fields_of_data_and_blocks_may_be_null() {
    for (event_type, want) in [
        (r#"{"type":"TaskStart","data":{"title":null}}"#, r#"{"data":{},"type":"TaskStart"}"#),
        (r#"{"type":"TaskStart","data":null}"#, r#"{"data":{},"type":"TaskStart"}"#),
        (r#"{"type":"TaskEnd"}"#, r#"{"data":{},"type":"TaskEnd"}"#),
        (r#"{"zz":1,"type":"TaskEnd"}"#, r#"{"data":{},"type":"TaskEnd","zz":1}"#),
        (r#"{"a":1,"type":"TaskEnd","data":null}"#, r#"{"a":1,"data":{},"type":"TaskEnd"}"#),
        (r#"{"type":"FileEdit","data":{"path":"p","diff":null}}"#, r#"{"data":{"path":"p"},"type":"FileEdit"}"#),
    ] {
        assert!(second(&typed(event_type, "[]")).contains(&format!("\"event_type\":{want}")), "{event_type}");
    }
    let code =
        second(&typed(r#"{"type":"Thinking"}"#, r#"[{"type":"Code","language":null,"code":"c","start_line":null}]"#));
    assert!(code.contains(r#"[{"code":"c","type":"Code"}]"#), "{code}");
    let json = second(&typed(r#"{"type":"Thinking"}"#, r#"[{"type":"Json","data":null}]"#));
    assert!(json.contains(r#"[{"data":null,"type":"Json"}]"#), "{json}");
}

#[test]
fn a_header_gets_tags_and_loses_what_is_empty() {
    let head = |context: &str| {
        format!(
            "{}\n",
            r#"{"type":"header","version":"hail-1.0.0","session_id":"s","agent":{"provider":"p","model":"m","tool":"t","tool_version":null},"context":{"created_at":"2026-02-14T00:00:00Z","updated_at":"2026-02-14T00:00:00Z"CONTEXT}}"#
                .replace("CONTEXT", context)
        )
    };
    for context in [
        "",
        r#","tags":null"#,
        r#","tags":[]"#,
        r#","title":null,"description":null"#,
        r#","related_session_ids":[]"#,
        r#","related_session_ids":null,"attributes":null"#,
        r#","attributes":{}"#,
    ] {
        assert!(canon(&head(context)).unwrap().starts_with(HEAD), "{context}");
    }
    for context in
        [r#","tags":{}"#, r#","tags":[1]"#, r#","title":1"#, r#","attributes":[]"#, r#","related_session_ids":[null]"#]
    {
        assert_eq!(refused(&head(context)).0, "hail_schema", "{context}");
    }
}

#[test]
fn versions_of_1_0_are_kept_and_all_others_are_refused_by_name() {
    for version in ["hail-1.0.0", "hail-1.0.7", "hail-1.0.123"] {
        let text = HEAD.replace("hail-1.0.0", version);
        assert!(canon(&text).unwrap().starts_with(&text));
    }
    for version in ["hail-1.1.0", "hail-2.0.0", "hail-1.0.", "hail-1.0", "hail-1.0.x", "foo", "", "hail-1.0.0 "] {
        let text = HEAD.replace("hail-1.0.0", version);
        let error = canon(&text).unwrap_err();
        assert_eq!(place(&error), ("hail_version", Some(1), column(&text, &format!("\"{version}\""))));
    }
    let error = canon(&HEAD.replace("hail-1.0.0", "hail-2")).unwrap_err();
    assert!(error.message.contains("\"hail-2\""), "{}", error.message);
    let error = canon(&HEAD.replace("hail-1.0.0", "a\u{9b}31m")).unwrap_err();
    assert!(error.message.is_ascii(), "{}", error.message);
}

#[test]
fn integers_have_ranges_and_no_fraction() {
    for (members, fine) in [
        (r#","duration_ms":0"#, true),
        (r#","duration_ms":-0"#, true),
        (r#","duration_ms":18446744073709551615"#, true),
        (r#","duration_ms":18446744073709551616"#, false),
        (r#","duration_ms":-1"#, false),
        (r#","duration_ms":5.0"#, false),
        (r#","duration_ms":1e2"#, false),
        (r#","duration_ms":"5""#, false),
    ] {
        let text = with(members);
        if fine {
            assert!(canon(&text).is_ok(), "{members}");
        } else {
            let at = column(&text, &members["\"duration_ms\":,".len()..]);
            assert_eq!(refused(&text), ("hail_schema", Some(2), at), "{members}");
        }
    }
    for (code, fine) in [
        ("-9223372036854775808", true),
        ("9223372036854775807", true),
        ("9223372036854775808", false),
        ("1.0", false),
        ("true", false),
    ] {
        let text = typed(&format!(r#"{{"type":"ShellCommand","data":{{"command":"c","exit_code":{code}}}}}"#), "[]");
        assert_eq!(canon(&text).is_ok(), fine, "{code}");
    }
}

#[test]
fn required_fields_are_missed_and_wrong_types_are_named_with_their_place() {
    for (text, needle) in [
        (typed(r#"{"type":"ToolCall"}"#, "[]"), r#"{"type":"ToolCall"}"#),
        (typed(r#"{"type":"ToolCall","data":null}"#, "[]"), "null"),
        (typed(r#"{"type":"ToolCall","data":{}}"#, "[]"), "{}}"),
        (typed(r#"{"type":"ToolCall","data":["x"]}"#, "[]"), r#"["x"]"#),
        (typed(r#"{"type":"ToolResult","data":{"name":"x"}}"#, "[]"), r#"{"name":"x"}"#),
        (typed(r#"{"type":"ToolResult","data":{"name":"x","is_error":0}}"#, "[]"), "0}}"),
        (typed(r#""UserMessage""#, "[]"), r#""UserMessage""#),
        (typed(r#"{"data":{}}"#, "[]"), r#"{"data":{}}"#),
        (typed(r#"{"type":"Thinking"}"#, "{}"), "{}}}"),
        (typed(r#"{"type":"Thinking"}"#, "[[]]"), "[]]"),
        (typed(r#"{"type":"Thinking"}"#, "[{}]"), "{}]"),
        (typed(r#"{"type":"Thinking"}"#, r#"[{"type":"Text"}]"#), r#"{"type":"Text"}"#),
        (typed(r#"{"type":"Thinking"}"#, r#"[{"type":"Text","text":null}]"#), "null"),
        (typed(r#"{"type":"Thinking"}"#, r#"[{"type":"Json"}]"#), r#"{"type":"Json"}"#),
        (typed(r#"{"type":"Thinking"}"#, r#"[{"type":"Code","code":"","start_line":-1}]"#), "-1"),
        (with(r#","attributes":[]"#), "[]}"),
        (with(r#","task_id":7"#), "7}"),
    ] {
        assert_eq!(refused(&text), ("hail_schema", Some(2), column(&text, needle)), "{text}");
    }
}

#[test]
fn empty_names_paths_commands_and_ids_are_invalid() {
    for text in [
        typed(r#"{"type":"ToolCall","data":{"name":""}}"#, "[]"),
        typed(r#"{"type":"ToolResult","data":{"name":"","is_error":false}}"#, "[]"),
        typed(r#"{"type":"FileRead","data":{"path":""}}"#, "[]"),
        typed(r#"{"type":"FileEdit","data":{"path":""}}"#, "[]"),
        typed(r#"{"type":"FileCreate","data":{"path":""}}"#, "[]"),
        typed(r#"{"type":"FileDelete","data":{"path":""}}"#, "[]"),
        typed(r#"{"type":"ShellCommand","data":{"command":""}}"#, "[]"),
        HEAD.replace(r#""session_id":"s""#, r#""session_id":"""#),
        HEAD.replace(r#""provider":"p""#, r#""provider":"""#),
        HEAD.replace(r#""tool":"t""#, r#""tool":"""#),
        with("").replace(r#""event_id":"e""#, r#""event_id":"""#),
    ] {
        let line = text.lines().count() as u64;
        assert_eq!(refused(&text), ("hail_invalid", Some(line), column(&text, "\"\"")), "{text}");
    }
    for text in [
        typed(r#"{"type":"Custom","data":{"kind":""}}"#, "[]"),
        typed(r#"{"type":"CodeSearch","data":{"query":""}}"#, r#"[{"type":"File","path":""}]"#),
        HEAD.replace(r#""model":"m""#, r#""model":"""#),
    ] {
        assert!(canon(&text).is_ok(), "{text}");
    }
}

#[test]
fn an_id_that_comes_twice_is_invalid_in_its_second_place() {
    let event = with("").lines().nth(1).unwrap().to_owned();
    let other = event.replace(r#""e""#, r#""f""#);
    let again = event.replace(r#""e""#, r#""\u0065""#);
    let text = format!("{HEAD}{event}\n\n{other}\n \n{again}\n{event}\n");
    assert_eq!(refused(&text), ("hail_invalid", Some(6), column(&again, "\"\\u0065\"")));
    // Another session has ids of its own.
    let stats = r#"{"type":"stats"}"#;
    assert!(canon(&format!("{HEAD}{event}\n{stats}\n{HEAD}{event}\n{stats}\n")).is_ok());
}

#[test]
fn lines_stand_in_the_order_header_events_stats() {
    let event = with("").lines().nth(1).unwrap().to_owned();
    let stats = r#"{"type":"stats"}"#;
    for (text, code, line) in [
        (String::new(), "hail_empty", None),
        (" \n\r\n\t\n".to_owned(), "hail_empty", None),
        (format!("{event}\n{HEAD}"), "hail_schema", Some(1)),
        (format!("{stats}\n"), "hail_schema", Some(1)),
        (format!("{HEAD}{HEAD}"), "hail_schema", Some(2)),
        (format!("{HEAD}{event}\n{HEAD}"), "hail_schema", Some(3)),
        (format!("{HEAD}{stats}\n{event}\n"), "hail_schema", Some(3)),
        (format!("{HEAD}{stats}\n\n{stats}\n"), "hail_schema", Some(4)),
        (format!("{HEAD}{{\"type\":\"footer\"}}\n"), "hail_schema", Some(2)),
        (format!("{HEAD}{{\"x\":1}}\n"), "hail_schema", Some(2)),
        (format!("{HEAD}[1]\n"), "hail_schema", Some(2)),
        (format!("{HEAD}7\n"), "hail_schema", Some(2)),
        (format!("{HEAD}{event} x\n"), "hail_syntax", Some(2)),
        (format!("\u{feff}{HEAD}"), "hail_syntax", Some(1)),
    ] {
        let got = refused(&text);
        assert_eq!((got.0, got.1), (code, line), "{text}");
    }
    for text in [
        format!("{HEAD}{event}"),
        format!("\n \n{HEAD}\r\n{event}\r\n\t\n{stats}\n\n\n"),
        format!("{HEAD}{stats}\n\n{HEAD}{event}\n"),
        HEAD.to_owned(),
    ] {
        assert!(canon(&text).is_ok(), "{text}");
    }
}

#[test]
fn syntax_is_strict_and_faults_have_a_column() {
    for (members, needle) in [
        (r#","a":1,"a":2"#, r#""a":2"#),
        (r#","type":"event""#, r#""type":"event"}"#),
        (r#","a":"\ud83d""#, r#"\ud83d"#),
        (r#","a":1e400"#, "1e400"),
        (r#","a":01"#, "1}"),
        (r#","a":"\x""#, r#"\x"#),
        (",\"a\":\"\t\"", "\t"),
        (r#","a":tru"#, "tru"),
    ] {
        let text = with(members);
        assert_eq!(refused(&text), ("hail_syntax", Some(2), column(&text, needle)), "{members}");
    }
    let long = with(&format!(",\"a\":{}", "1".repeat(4096)));
    assert!(canon(&long).is_ok());
    assert_eq!(refused(&with(&format!(",\"a\":{}", "1".repeat(4097)))).0, "hail_syntax");
    let deep = |n: usize| with(&format!(",\"attributes\":{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n)));
    assert!(canon(&deep(126)).is_ok());
    assert_eq!(refused(&deep(127)).0, "hail_syntax");
    let mut bytes = with(r#","a":"?""#).into_bytes();
    let at = bytes.iter().rposition(|&c| c == b'?').unwrap();
    bytes[at] = 0xff;
    let error = canonical_of(&bytes, USUAL).unwrap_err();
    assert_eq!(place(&error), ("hail_syntax", Some(2), Some((at - HEAD.len() + 1) as u64)));
}

#[test]
fn unknown_types_are_kept_and_warned_of() {
    let text =
        typed(r#"{"type":"Later","data":7}"#, r#"[{"type":"New","x":[]},{"type":"New"},{"type":"Text","text":""}]"#);
    let (bytes, infos) = canonical_of(text.as_bytes(), USUAL).unwrap();
    assert!(String::from_utf8(bytes).unwrap().contains(r#""event_type":{"data":7,"type":"Later"}"#));
    let warnings: Vec<_> = infos[0].warnings.iter().map(|(w, n, at)| (w.code(), n, at.0)).collect();
    assert_eq!(warnings, [("unknown_event_type", 1, 2), ("unknown_block_type", 2, 2)]);
}

#[test]
fn stats_are_recomputed_and_only_source_is_kept() {
    let stats = r#"{"type":"stats","event_count":"x","source":{"b":1,"a":2.0},"more":1,"lines_added":-1}"#;
    let text =
        format!("{}{stats}\n", with(r#","attributes":{"input_tokens":5.0,"output_tokens":"7","reasoning_tokens":-1}"#));
    let (bytes, infos) = canonical_of(text.as_bytes(), USUAL).unwrap();
    let line = String::from_utf8(bytes).unwrap().lines().last().unwrap().to_owned();
    assert_eq!(
        line,
        concat!(
            r#"{"duration_seconds":0,"event_count":1,"files_changed":0,"lines_added":0,"lines_removed":0,"message_count":1,"#,
            r#""source":{"a":2,"b":1},"task_count":0,"tool_call_count":0,"total_input_tokens":5,"total_output_tokens":0,"#,
            r#""type":"stats","user_message_count":1}"#
        )
    );
    let warnings: Vec<_> = infos[0].warnings.iter().map(|(w, n, _)| (w.code(), n)).collect();
    assert_eq!(warnings, [("token_attribute", 2)]);
    assert_eq!(infos[0].source.as_deref(), Some(&br#"{"a":2,"b":1}"#[..]));
    assert_eq!(refused(&format!("{HEAD}{{\"type\":\"stats\",\"source\":[]}}\n")).0, "hail_schema");
    assert!(canonical_of(format!("{HEAD}{{\"type\":\"stats\",\"source\":null}}\n").as_bytes(), USUAL).unwrap().1[0]
        .source
        .is_none());
}

#[test]
fn time_that_goes_backwards_is_counted_across_blocks() {
    let mut text = HEAD.to_owned();
    for (k, second) in [5, 6, 3, 4, 1, 1, 0].into_iter().enumerate() {
        text += &with("")
            .lines()
            .nth(1)
            .unwrap()
            .replace("00:00:00Z", &format!("00:00:0{second}Z"))
            .replace("\"e\"", &format!("\"{k}\""));
        text += "\n";
    }
    for block in [1, 150, 400, 1 << 20] {
        let info = canonical_of(text.as_bytes(), How { block, ..USUAL }).unwrap().1.remove(0);
        let warnings: Vec<_> = info.warnings.iter().map(|(w, n, at)| (w.code(), n, at.0)).collect();
        assert_eq!(warnings, [("time_backwards", 3, 4)], "blocks of {block}");
        assert_eq!(info.stats.duration_seconds, 6);
    }
}

#[test]
fn a_line_over_the_limit_is_an_error_and_the_hash_goes_on() {
    let text = format!("{}{}\n", with(""), "x".repeat(2000));
    let mut reader = BlockReader::new(text.as_bytes()).max_line(1000);
    let v = verify(&mut reader, 1, &mut |_| Ok(())).unwrap();
    assert_eq!(v.error.as_ref().map(place), Some(("line_too_long", Some(3), None)));
    let mut whole = crate::digest::Sha256::new();
    whole.update(text.as_bytes());
    assert_eq!((v.sha256, v.bytes), (whole.finish(), text.len() as u64));
}
