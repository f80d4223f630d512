//! What holds for all secrets and all texts.

use proptest::prelude::*;
use std::collections::HashSet;

use super::generator::Dice;
use super::samples::made;
use crate::input::BlockReader;
use crate::redact::detect::Detector;
use crate::redact::redact;
use crate::redact::scan::{scan, Finding, Policy};

fn scanned(text: &[u8], policy: &Policy) -> Vec<Finding> {
    scan(&mut BlockReader::new(text), 1, policy, &mut |_| Ok(())).unwrap()
}

fn quote(text: &str, unicode: bool) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '/' if unicode => out.push_str("\\/"),
            c if unicode && c.is_ascii_alphanumeric() && (c as u32).is_multiple_of(3) => {
                out.push_str(&format!("\\u{:04x}", c as u32))
            }
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The text as a string in JSON in a string in JSON …
fn nest(text: &str, depth: usize, unicode: bool) -> String {
    (0..depth).fold(quote(text, unicode), |inner, _| quote(&format!("{{\"k\":[1,{inner}]}}"), unicode))
}

fn event(text: &str) -> String {
    format!("{{\"attributes\":{{\"x\":1}},\"content\":{{\"blocks\":[{{\"text\":{text},\"type\":\"Text\"}}]}},\"event_id\":\"e1\",\"event_type\":{{\"type\":\"UserMessage\"}},\"timestamp\":\"2026-01-01T00:00:00Z\",\"type\":\"event\"}}")
}

fn session(events: &[String]) -> String {
    let header = "{\"agent\":{\"model\":\"m\",\"provider\":\"p\",\"tool\":\"t\"},\"context\":{\"created_at\":\"2026-01-01T00:00:00Z\",\"tags\":[],\"updated_at\":\"2026-01-01T00:00:00Z\"},\"session_id\":\"s\",\"type\":\"header\",\"version\":\"hail-1.0.0\"}";
    let mut out = format!("{header}\n");
    for event in events {
        out.push_str(event);
        out.push('\n');
    }
    out
}

fn redacted(text: &[u8], policy: &Policy) -> crate::Result<(Vec<u8>, crate::redact::Redaction)> {
    let mut out = Vec::new();
    let reader = BlockReader::new(text);
    let mut open = || Ok(None);
    let first = redact(reader, 1, 1 << 29, policy, &mut open, &mut |_| Ok(()))?;
    {
        let mut sink = Some(Box::new(&mut out) as Box<dyn std::io::Write>);
        let mut open = || Ok(sink.take());
        redact(BlockReader::new(text), 1, 1 << 29, policy, &mut open, &mut |_| Ok(()))?;
    }
    Ok((out, first))
}

fn sample(rule: usize, seed: u64) -> (&'static str, String) {
    let rules = &Detector::get().rules;
    let rule = &rules[rule % rules.len()];
    let value = made(rule, &mut Dice::new(rule.id, seed));
    (rule.id, super::context(rule, &value).swap_remove(0))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_secret_is_found_at_every_depth_however_its_letters_are_escaped(rule in 0..1000usize, seed in 0..50u64, depth in 0..4usize, unicode: bool) {
        let (id, text) = sample(rule, seed);
        let line = event(&nest(&text, depth, unicode));
        let found = scanned(format!("{{}}\n{line}\n").as_bytes(), &Policy::default());
        prop_assert!(!found.is_empty(), "{id} at depth {depth}");
        prop_assert_eq!(found[0].line, 2);
        prop_assert_eq!(found[0].event_id.as_deref(), Some("e1"));
        prop_assert!(found[0].pointer.starts_with("/content/blocks/0/text"));
        prop_assert_eq!(found[0].pointer.matches('#').count(), depth);
    }

    #[test]
    fn a_secret_is_found_in_base64(rule in 0..1000usize, seed in 0..50u64) {
        let (id, text) = sample(rule, seed);
        let encoded = encode(format!("some text before: {text}\n").as_bytes());
        prop_assert!(!scanned(event(&quote(&encoded, false)).as_bytes(), &Policy::default()).is_empty(), "{id}");
    }

    #[test]
    fn a_redacted_session_is_clean_and_redacting_it_again_changes_nothing(picks in prop::collection::vec((0..1000usize, 0..50u64, 0..4usize, any::<bool>()), 1..4)) {
        let events: Vec<String> = picks.iter().enumerate().map(|(k, (rule, seed, depth, unicode))| {
            let (_, text) = sample(*rule, *seed);
            event(&nest(&format!("before {text} after"), *depth, *unicode)).replace("\"e1\"", &format!("\"e{k}\""))
        }).collect();
        let (once, done) = redacted(session(&events).as_bytes(), &Policy::default()).unwrap();
        prop_assert!(scanned(&once, &Policy::default()).is_empty());
        prop_assert!(!done.rules.is_empty());
        prop_assert!(done.session.warnings.iter().count() == 0);
        let checked = crate::hail::verify(&mut BlockReader::new(&once[..]), 1, &mut |_| Ok(())).unwrap();
        prop_assert!(checked.canonical(), "{:?}", checked.error);
        let (twice, _) = redacted(&once, &Policy::default()).unwrap();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        scanned(&bytes, &Policy::default());
        redacted(&bytes, &Policy::default()).ok();
    }

    #[test]
    fn no_mix_of_keywords_and_signs_makes_it_panic(parts in prop::collection::vec((0..1000usize, "[\\x00-\\x7f]{0,8}"), 0..30)) {
        let rules = &Detector::get().rules;
        let text: String = parts.iter().map(|(rule, sign)| {
            let words = rules[rule % rules.len()].keywords;
            format!("{}{sign}", words[rule % words.len()])
        }).collect();
        scanned(text.as_bytes(), &Policy::default());
        scanned(event(&quote(&text, true)).as_bytes(), &Policy::default());
    }
}

/// Base64 without padding.
fn encode(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, c| bits << 8 | u32::from(*c)) << (8 * (3 - group.len()));
        for k in 0..=group.len() {
            out.push(LETTERS[(bits >> (18 - 6 * k) & 63) as usize] as char);
        }
    }
    out
}

fn github() -> String {
    made(Detector::get().rules.iter().find(|r| r.id == "github-pat").unwrap(), &mut Dice::new("x", 3))
}

#[test]
fn equal_values_get_one_number_and_different_values_do_not() {
    let (one, two) =
        (github(), made(Detector::get().rules.iter().find(|r| r.id == "github-pat").unwrap(), &mut Dice::new("x", 4)));
    let text = format!("{one} {two} {one}");
    let (out, done) = redacted(session(&[event(&quote(&text, false))]).as_bytes(), &Policy::default()).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("[REDACTED:github-pat:1] [REDACTED:github-pat:2] [REDACTED:github-pat:1]"));
    assert_eq!((done.rules["github-pat"], done.values), (3, 2));
    assert!(out.ends_with("\"source\":{\"redacted\":{\"rules\":{\"github-pat\":3}}},\"task_count\":0,\"tool_call_count\":0,\"total_input_tokens\":0,\"total_output_tokens\":0,\"type\":\"stats\",\"user_message_count\":1}\n"));
}

#[test]
fn raw_bytes_and_the_hash_of_the_source_go_with_the_secrets() {
    let line = event(&quote(&github(), false))
        .replace("\"x\":1", "\"source.raw\":\"e30\",\"source.raw_encoding\":\"base64\",\"x\":1");
    let stats = "{\"source\":{\"agent\":\"codex\",\"blake3\":\"00\",\"bytes\":3,\"parts\":[{\"blake3\":\"00\",\"name\":\"n\"}]},\"type\":\"stats\"}\n";
    let (out, _) = redacted(format!("{}{stats}", session(&[line])).as_bytes(), &Policy::default()).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(!out.contains("source.raw") && !out.contains("blake3"));
    assert!(out.contains("\"attributes\":{\"x\":1}"));
    assert!(out.contains("\"source\":{\"agent\":\"codex\",\"bytes\":3,\"parts\":[{\"name\":\"n\"}],\"redacted\":{\"rules\":{\"github-pat\":1}}}"));
}

#[test]
fn json_inside_of_strings_stays_json() {
    let inner = format!("{{\"a\":{},\"b\":\"{}\"}}", quote("line\nof \"text\"", false), github());
    let (out, _) = redacted(session(&[event(&quote(&inner, false))]).as_bytes(), &Policy::default()).unwrap();
    let out = String::from_utf8(out).unwrap();
    let want =
        quote(&format!("{{\"a\":{},\"b\":\"[REDACTED:github-pat:1]\"}}", quote("line\nof \"text\"", false)), false);
    assert!(out.contains(&want), "{out}");
}

#[test]
fn json_is_followed_three_texts_deep_and_what_stands_deeper_is_looked_at_as_it_is() {
    let veiled = |depth| event(&nest(&github(), depth, true));
    for (depth, found) in [(3, 1), (4, 0)] {
        assert_eq!(scanned(veiled(depth).as_bytes(), &Policy::default()).len(), found, "{depth}");
        let (out, done) = redacted(session(&[veiled(depth)]).as_bytes(), &Policy::default()).unwrap();
        assert_eq!(done.values, found as u64, "{depth}");
        assert_eq!(String::from_utf8(out).unwrap().contains("[REDACTED:github-pat:1]"), found == 1, "{depth}");
    }
    // With no escape to hide its letters it is found at any depth.
    assert_eq!(scanned(event(&nest(&github(), 9, false)).as_bytes(), &Policy::default()).len(), 1);
}

#[test]
fn an_allowed_value_stays_and_every_other_goes() {
    let text = session(&[event(&quote(&github(), false))]);
    let mut policy = Policy { key: Some(b"key of the store".to_vec()), ..Policy::default() };
    let found = scanned(text.as_bytes(), &policy);
    policy.allow = HashSet::from([found[0].fingerprint.unwrap()]);
    assert!(scanned(text.as_bytes(), &policy).is_empty());
    let (out, done) = redacted(text.as_bytes(), &policy).unwrap();
    assert!(done.rules.is_empty() && String::from_utf8(out).unwrap().contains(&github()));
    policy.key = Some(b"another key".to_vec());
    assert_eq!(scanned(text.as_bytes(), &policy).len(), 1);
}

#[test]
fn names_and_values_that_stand_apart_are_read_together() {
    let value = made(Detector::get().rules.iter().find(|r| r.id == "generic-api-key").unwrap(), &mut Dice::new("x", 1));
    for (data, pointer) in [
        (format!("{{\"env\":{{\"API_KEY\":\"{value}\"}}}}"), "/env/API_KEY"),
        (format!("{{\"env\":[{{\"name\":\"API_KEY\",\"value\":\"{value}\"}}]}}"), "/env/0/value"),
        (format!("{{\"argv\":[\"run\",\"--token\",\"{value}\"]}}"), "/argv/2"),
    ] {
        let found = scanned(data.as_bytes(), &Policy::default());
        assert_eq!(found.len(), 1, "{pointer}");
        assert_eq!((found[0].pointer.as_str(), found[0].start, found[0].len), (pointer, 0, value.len()));
    }
}

#[test]
fn what_only_the_bytes_as_they_are_show_is_found_and_replaced_piece_by_piece() {
    let rule = |id| Detector::get().rules.iter().find(|r| r.id == id).unwrap();
    let heroku = made(rule("heroku-api-key"), &mut Dice::new("x", 1));
    for (data, pointer, left) in [
        (format!("[\"heroku_key\",\"{heroku}\"]"), "/1", "[\"heroku_key\",\"[REDACTED:heroku-api-key:1]\"]"),
        (
            "{\"discord_client_id\":918273405516283940}".to_owned(),
            "/discord_client_id",
            "{\"discord_client_id\":\"[REDACTED:discord-client-id:1]\"}",
        ),
    ] {
        let found = scanned(data.as_bytes(), &Policy::default());
        assert_eq!(found.len(), 1, "{data}");
        assert_eq!(found[0].pointer, pointer);
        let line = event("\"t\"").replace("\"x\":1", &format!("\"x\":{data}"));
        let (out, _) = redacted(session(&[line]).as_bytes(), &Policy::default()).unwrap();
        assert!(scanned(&out, &Policy::default()).is_empty());
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains(left), "{out}");
    }
}

#[test]
fn a_private_key_is_found_in_a_text_that_is_no_json_too() {
    let key = made(Detector::get().rules.iter().find(|r| r.id == "private-key").unwrap(), &mut Dice::new("x", 1));
    assert!(key.lines().count() > 2);
    let text = format!("a page\nwith a key:\n{key}\nand {} behind it\n", github());
    let found = scanned(text.as_bytes(), &Policy::default());
    let want = [("private-key", 3), ("github-pat", 3 + key.lines().count() as u64)];
    assert_eq!(found.iter().map(|f| (f.rule, f.line)).collect::<Vec<_>>(), want);
}

#[test]
fn a_key_that_is_a_secret_is_not_spelled_out() {
    let data = format!("{{\"a\":{{\"{}\":[\"{}\"]}}}}", github(), github());
    let found = scanned(data.as_bytes(), &Policy::default());
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|f| f.pointer.starts_with("/a/[REDACTED:github-pat]")), "{found:?}");
}

#[test]
fn threads_and_blocks_change_nothing() {
    let events: Vec<String> = (0..200).map(|k| event(&quote(&sample(k, 1).1, false))).collect();
    let text = session(&events);
    let want = scanned(text.as_bytes(), &Policy::default());
    assert!(want.len() >= 200);
    for jobs in 1..4 {
        let mut reader = BlockReader::new(text.as_bytes()).block_size(700);
        assert_eq!(scan(&mut reader, jobs, &Policy::default(), &mut |_| Ok(())).unwrap(), want);
    }
}
