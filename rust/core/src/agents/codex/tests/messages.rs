use super::{item, message, Session};

fn user_item(text: &str) -> String {
    item(&format!(r#"{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{text}"}}]}}"#))
}

fn session(bodies: &[String]) -> Session {
    Session::of_records(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_prompt_is_one_event_although_it_is_written_twice() {
    let said = message(r#"{"type":"user_message","message":"fix it\n","images":[],"local_images":[]}"#);
    let s = session(&[user_item("fix it"), said]);
    assert_eq!(s.kinds(), ["UserMessage"]);
    assert_eq!(s.events()[0].at("content/blocks/0/text"), r#""fix it""#);
    assert_eq!(s.stats("source/records/folded"), "1");
    assert_eq!(s.stats("user_message_count"), "1");
}

#[test]
fn the_same_prompt_given_twice_is_two_events() {
    let said = || message(r#"{"type":"user_message","message":"go on"}"#);
    let s = session(&[user_item("go on"), said(), user_item("go on"), said(), said()]);
    assert_eq!(s.kinds(), ["UserMessage", "UserMessage", "UserMessage"]);
    assert_eq!(s.stats("source/records/folded"), "2");
}

#[test]
fn an_answer_folds_its_item_and_keeps_the_phase() {
    let bodies = [
        message(r#"{"type":"agent_message","message":"done","phase":"final_answer","memory_citation":null}"#),
        item(
            r#"{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"done"}],"phase":"final_answer"}"#,
        ),
        message(r#"{"type":"agent_message","message":"done","phase":"commentary"}"#),
        item(
            r#"{"type":"message","id":"msg_2","role":"assistant","content":[{"type":"output_text","text":"done"}],"phase":"final_answer"}"#,
        ),
    ];
    let s = session(&bodies);
    assert_eq!(s.kinds(), ["AgentMessage", "AgentMessage", "Custom"]);
    assert_eq!(s.events()[0].rest(), r#"{"payload":{"memory_citation":null,"phase":"final_answer"}}"#);
    // The second item says something that its twin does not: the phase.
    assert_eq!(s.events()[2].rest(), r#"{"payload":{"phase":"final_answer","role":"assistant"}}"#);
    assert_eq!(s.events()[2].at("event_id"), r#""msg_2""#);
    assert_eq!(s.events()[2].at("content/blocks"), "[]");
}

#[test]
fn members_of_a_folded_record_that_are_known_nowhere_else_are_kept() {
    let started = message(r#"{"type":"task_started","turn_id":"t-1"}"#);
    let answer = |turn: &str| {
        item(&format!(
            r#"{{"type":"message","role":"assistant","content":[{{"type":"output_text","text":"a"}}],"metadata":{{"turn_id":"{turn}"}}}}"#
        ))
    };
    let said = message(r#"{"type":"agent_message","message":"a"}"#);
    let s = session(&[started.clone(), said.clone(), answer("t-1")]);
    assert_eq!(s.kinds(), ["TaskStart", "AgentMessage"]);
    let s = session(&[started, said, answer("t-2")]);
    assert_eq!(s.kinds(), ["TaskStart", "AgentMessage", "Custom"]);
    assert!(s.events()[2].rest().contains(r#""metadata":{"turn_id":"t-2"}"#));
}

#[test]
fn a_record_with_something_strange_in_it_does_not_fold_without_a_trace() {
    let said = message(r#"{"type":"agent_message","message":"a"}"#);
    let answer = item(
        r#"{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]}"#,
    );
    let s = session(&[said.clone(), answer.clone(), said.clone()]);
    assert_eq!(s.kinds(), ["AgentMessage", "AgentMessage"]);
    assert_eq!(s.events()[1].attribute("source.folded"), r#""msg_1""#);
    let block = answer.replace(r#""annotations":[]"#, r#""annotations":[{"a":1}]"#);
    let payload = answer.replace(r#""role""#, r#""mood":"good","role""#);
    let record = format!(r#""source":"cloud",{answer}"#);
    for (strange, kept) in [
        (block, r#"{"payload":{"content":[{"annotations":[{"a":1}]}],"role":"assistant"}}"#),
        (payload, r#"{"payload":{"content":[{"annotations":[]}],"mood":"good","role":"assistant"}}"#),
        (record, r#"{"payload":{"content":[{"annotations":[]}],"role":"assistant"},"source":"cloud"}"#),
    ] {
        let s = session(&[said.clone(), strange]);
        assert_eq!(s.kinds(), ["AgentMessage", "Custom"]);
        assert_eq!(s.events()[1].rest(), kept);
    }
}

#[test]
fn a_twin_that_had_to_be_repaired_keeps_its_bytes() {
    let said = message(r#"{"type":"agent_message","message":"a \ufffd"}"#);
    let answer = item(r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a \ud83d"}]}"#);
    let s = session(&[said, answer]);
    assert_eq!(s.kinds(), ["AgentMessage", "Custom"]);
    assert_eq!(s.events()[1].at("event_type/data/kind"), r#""repaired""#);
    assert!(s.events()[1].attribute("source.raw").contains("ud83d"));
    assert_eq!(s.stats("source/records/folded"), "0");
}

#[test]
fn injected_texts_are_context_and_everything_else_is_typed() {
    let developer =
        item(r#"{"type":"message","role":"developer","content":[{"type":"input_text","text":"be brief"}]}"#);
    let told = message(
        r#"{"type":"user_message","message":"<environment_context>x</environment_context>","kind":"environment_context"}"#,
    );
    let s = session(&[
        user_item("<environment_context>x</environment_context>"),
        told,
        developer,
        user_item("why <skill>?"),
    ]);
    assert_eq!(s.kinds(), ["SystemMessage", "SystemMessage", "UserMessage"]);
    for n in 0..2 {
        assert_eq!(s.events()[n].attribute("source.origin"), r#""context""#);
    }
    assert_eq!(s.events()[1].rest(), r#"{"payload":{"role":"developer"}}"#);
    assert_eq!(s.events()[2].attribute("source.origin"), "");
}

#[test]
fn images_fold_with_their_message() {
    let image = "data:image/jpeg;base64,AAAA";
    let prompt = item(&format!(
        r#"{{"type":"message","role":"user","content":[{{"type":"input_image","image_url":"{image}"}},{{"type":"input_text","text":"look"}}]}}"#
    ));
    let said = |images: &str| {
        message(&format!(
            r#"{{"type":"user_message","message":"look","images":[{images}],"local_images":["/tmp/a.png"]}}"#
        ))
    };
    let s = session(&[prompt.clone(), said(&format!("\"{image}\"")).replace("[\"/tmp/a.png\"]", "[]")]);
    assert_eq!(s.kinds(), ["UserMessage"]);
    assert_eq!(
        s.events()[0].at("content/blocks/0"),
        format!(r#"{{"mime":"image/jpeg","type":"Image","url":"{image}"}}"#)
    );
    let s = session(&[prompt, said("\"data:image/png;base64,BBBB\"")]);
    assert_eq!(s.kinds(), ["UserMessage", "Custom"]);
    assert_eq!(s.events()[1].at("content/blocks/0/url"), r#""data:image/png;base64,BBBB""#);
    assert!(s.events()[1].rest().contains("/tmp/a.png"));
}

#[test]
fn a_message_of_images_alone_folds_by_its_images() {
    let prompt = item(
        r#"{"type":"message","role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AA"}]}"#,
    );
    let said = message(r#"{"type":"user_message","message":"","images":["data:image/png;base64,AA"]}"#);
    assert_eq!(session(&[prompt, said]).kinds(), ["UserMessage"]);
}

#[test]
fn blocks_of_unknown_kind_are_kept_and_counted() {
    let s = Session::items(&[
        r#"{"type":"message","role":"assistant","content":[{"type":"hologram","depth":3},{"type":"refusal","refusal":"no"}]}"#,
    ]);
    assert_eq!(s.events()[0].at("content/blocks/0"), r#"{"data":{"depth":3,"type":"hologram"},"type":"Json"}"#);
    assert_eq!(s.events()[0].at("content/blocks/1/text"), r#""no""#);
    assert_eq!(s.events()[0].rest(), r#"{"payload":{"content":[null,{"type":"refusal"}]}}"#);
    assert_eq!(s.stats("source/unknown_blocks"), r#"{"hologram":1}"#);
}

#[test]
fn a_content_that_is_a_plain_string_is_a_text() {
    let s = Session::items(&[r#"{"type":"message","role":"user","content":"hello"}"#]);
    assert_eq!(s.kinds(), ["UserMessage"]);
    assert_eq!(s.events()[0].at("content/blocks/0/text"), r#""hello""#);
}

#[test]
fn reasoning_is_not_doubled() {
    let thought = |text: &str| message(&format!(r#"{{"type":"agent_reasoning","text":"{text}"}}"#));
    let summary = r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}],"encrypted_content":"AAAA"}"#;
    let s = session(&[thought("one"), thought("two"), item(summary)]);
    assert_eq!(s.kinds(), ["Thinking", "Thinking"]);
    let s = session(&[thought("two"), item(summary)]);
    assert_eq!(s.kinds(), ["Thinking", "Thinking"]);
    let last = &s.events()[1];
    assert_eq!(last.at("content/blocks"), r#"[{"text":"one","type":"Text"}]"#);
    assert_eq!(last.attribute("source.ciphertext_bytes"), "4");
    assert_eq!(last.at("event_id"), r#""rs_1""#);
}

#[test]
fn reasoning_without_text_is_a_thinking_event_without_blocks() {
    let s = Session::items(&[
        r#"{"type":"reasoning","summary":[],"content":null,"encrypted_content":"AAAAAAAA"}"#,
        r#"{"type":"reasoning","summary":[]}"#,
        r#"{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"raw"}]}"#,
    ]);
    assert_eq!(s.kinds(), ["Thinking", "Thinking", "Thinking"]);
    assert_eq!(s.events()[0].attribute("source.ciphertext_bytes"), "8");
    assert_eq!((s.events()[0].at("content/blocks"), s.events()[0].rest()), ("[]".into(), "".into()));
    assert_eq!(s.events()[1].attribute("source.ciphertext_bytes"), "");
    assert_eq!(s.events()[2].at("content/blocks/0/text"), r#""raw""#);
}

#[test]
fn tasks_begin_and_end_where_the_log_says_so() {
    let s = session(&[
        message(r#"{"type":"task_started","turn_id":"t-1","model_context_window":1000}"#),
        message(r#"{"type":"task_complete","turn_id":"t-1","last_agent_message":"done","duration_ms":1500}"#),
        message(r#"{"type":"turn_started","turn_id":"t-2","model_context_window":1000}"#),
        message(r#"{"type":"turn_aborted","turn_id":"t-2","reason":"interrupted"}"#),
        message(r#"{"type":"turn_complete","turn_id":"t-3","last_agent_message":null}"#),
    ]);
    assert_eq!(s.kinds(), ["TaskStart", "TaskEnd", "TaskStart", "Custom", "TaskEnd"]);
    let events = s.events();
    assert_eq!(events[1].at("event_type/data/summary"), r#""done""#);
    assert_eq!((events[1].at("duration_ms"), events[1].at("task_id")), ("1500".into(), r#""t-1""#.into()));
    assert_eq!(events[2].rest(), "");
    assert_eq!(
        (events[3].at("task_id"), events[3].at("content/blocks/0/data")),
        (r#""t-2""#.into(), r#"{"reason":"interrupted"}"#.into())
    );
    assert_eq!(events[4].at("event_type/data"), "{}");
    assert_eq!(s.stats("task_count"), "3");
    assert_eq!(s.stats("message_count"), "1");
}
