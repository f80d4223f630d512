//! Every rule finds what it is for, and passes over what only looks like it. The values are made when the tests run.

mod generator;
mod laws;
mod samples;

use super::detect::Detector;
use super::rule::{How, Rule};
use generator::Dice;
use samples::{context, made, near};

fn finds(rule: &Rule, text: &str) -> bool {
    let detector = Detector::get();
    detector.find(text.as_bytes()).iter().any(|m| detector.rules[m.rule].id == rule.id)
}

/// Some rule finds something that reaches over the value: rules of the same vendor may share a shape.
fn is_covered(text: &str, value: &str) -> bool {
    let found = Detector::get().find(text.as_bytes());
    match text.find(value) {
        Some(at) => found.iter().any(|m| m.span.start < at + value.len() && at < m.span.end),
        // The text holds it in another layout.
        None => !found.is_empty(),
    }
}

#[test]
fn every_rule_finds_three_generated_secrets_in_every_surrounding() {
    let mut missed = Vec::new();
    for rule in &Detector::get().rules {
        for seed in 0..3 {
            let value = made(rule, &mut Dice::new(rule.id, seed));
            for text in context(rule, &value) {
                if !is_covered(&text, &value) {
                    missed.push(format!("{} (seed {seed})", rule.id));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn every_rule_is_the_one_that_names_its_own_secrets() {
    // Where two vendors' values look alike beside the same name, either may name them.
    let shared = ["bitbucket", "looker", "kucoin", "sendbird"];
    let mut others = Vec::new();
    for rule in &Detector::get().rules {
        if shared.iter().any(|s| rule.id.starts_with(s)) {
            continue;
        }
        let named = (0..3).filter(|seed| {
            let value = made(rule, &mut Dice::new(rule.id, *seed));
            finds(rule, &context(rule, &value)[0])
        });
        let named = named.count();
        if named < 3 {
            others.push(format!("{} ({named} of 3)", rule.id));
        }
    }
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn no_rule_finds_a_near_miss() {
    let mut wrong = Vec::new();
    for rule in &Detector::get().rules {
        let misses: Vec<String> = (0..3).map(|kind| near(rule, kind)).collect();
        for (kind, text) in misses.iter().enumerate() {
            if finds(rule, text) {
                wrong.push(format!("{} (near miss {kind})", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn an_access_key_id_is_found_before_a_dot_and_not_where_the_word_goes_on() {
    let rule = Detector::get().rules.iter().find(|r| r.id == "aws-access-token").unwrap();
    let value = made(rule, &mut Dice::new(rule.id, 1));
    for beside in ["{}.json", "{}.word.", "id={}.", "{}..", "s3://x/{}.s3.amazonaws.com/"] {
        assert!(finds(rule, &beside.replace("{}", &value)), "{beside}");
    }
    for beside in ["{}Q.json", "{}_x.json", "{}-x.json", "x{}.json", "{}7"] {
        assert!(!finds(rule, &beside.replace("{}", &value)), "{beside}");
    }
    assert!(!finds(rule, &format!("{}.{}", &value[..19], "WORD")));
}

#[test]
fn every_pattern_compiles_and_every_keyword_is_lower_case_and_free_of_what_json_escapes() {
    for rule in &Detector::get().rules {
        if let How::Token { pattern, .. } | How::Assigned { pattern, .. } = &rule.how {
            pattern.compile().unwrap_or_else(|e| panic!("{}: {e}", rule.id));
        }
        for word in rule.keywords {
            assert_eq!(*word, word.to_lowercase(), "{}", rule.id);
            let escaped = word.contains(['"', '\n']) || (word.contains('\\') && *word != ":\\/");
            assert!(!escaped, "{}: raw JSON spells {word:?} in another way", rule.id);
        }
        assert!(rule.id.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'), "{}", rule.id);
    }
}

#[test]
fn no_id_stands_for_two_rules() {
    let mut ids: Vec<&str> = Detector::get().rules.iter().map(|r| r.id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}
