use super::{message, Session};

fn session(payloads: &[&str]) -> Session {
    let bodies: Vec<String> = payloads.iter().map(|p| message(p)).collect();
    Session::of_records(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
}

const FIRST: &str = r#"{"type":"token_count","info":{"total_token_usage":{"input_tokens":100,"cached_input_tokens":60,"output_tokens":20,"reasoning_output_tokens":5,"total_tokens":120},"last_token_usage":{"input_tokens":100,"cached_input_tokens":60,"output_tokens":20,"reasoning_output_tokens":5,"total_tokens":120},"model_context_window":1000},"rate_limits":{"primary":{"used_percent":1.0}}}"#;
const SECOND: &str = r#"{"type":"token_count","info":{"total_token_usage":{"input_tokens":150,"cached_input_tokens":90,"output_tokens":30,"total_tokens":180},"last_token_usage":{"input_tokens":50,"cached_input_tokens":30,"output_tokens":10,"total_tokens":60},"model_context_window":1000},"rate_limits":{"primary":{"used_percent":1.0}}}"#;

#[test]
fn a_token_count_says_what_the_last_answer_used_and_all_until_then() {
    let s = session(&[FIRST]);
    let event = &s.events()[0];
    for (key, want) in [
        ("input_tokens", "100"),
        ("output_tokens", "20"),
        ("cache_read_tokens", "60"),
        ("reasoning_tokens", "5"),
        ("input_tokens_total", "100"),
        ("output_tokens_total", "20"),
    ] {
        assert_eq!(event.attribute(key), want, "{key}");
    }
    assert_eq!(event.at("event_type/data/kind"), r#""token_count""#);
    let rest = r#"{"payload":{"info":{"model_context_window":1000,"total_token_usage":{"cached_input_tokens":60,"reasoning_output_tokens":5}},"rate_limits":{"primary":{"used_percent":1}}}}"#;
    assert_eq!(event.rest(), rest);
}

#[test]
fn a_token_count_that_repeats_its_totals_counts_nothing() {
    let s = session(&[FIRST, &FIRST.replace("used_percent\":1.0", "used_percent\":2.5"), SECOND]);
    let again = &s.events()[1];
    for key in ["input_tokens", "output_tokens", "cache_read_tokens"] {
        assert_eq!(again.attribute(key), "0", "{key}");
    }
    assert_eq!(again.attribute("input_tokens_total"), "100");
    assert!(again.rest().contains(r#""rate_limits":{"primary":{"used_percent":2.5}}"#));
    assert!(!again.rest().contains("last_token_usage"));
    assert_eq!(s.events()[2].attribute("input_tokens"), "50");
    assert_eq!((s.stats("total_input_tokens"), s.stats("total_output_tokens")), ("150".into(), "30".into()));
}

#[test]
fn the_flat_shapes_of_early_versions_count_too() {
    let s = session(&[
        r#"{"type":"token_count","input_tokens":21,"cached_input_tokens":1,"output_tokens":8,"total_tokens":29}"#,
        r#"{"type":"token_count","total_token_usage":{"input_tokens":1000,"output_tokens":200},"duration_ms":50}"#,
        r#"{"type":"token_count","info":null,"rate_limits":null}"#,
    ]);
    assert_eq!(s.events()[0].attribute("input_tokens"), "21");
    assert_eq!(s.events()[0].rest(), "");
    assert_eq!(s.events()[1].attribute("input_tokens"), "");
    assert_eq!(s.events()[1].attribute("input_tokens_total"), "1000");
    assert_eq!(s.events()[1].at("duration_ms"), "50");
    assert_eq!(s.events()[2].rest(), r#"{"payload":{"info":null,"rate_limits":null}}"#);
}

#[test]
fn counts_that_are_no_unsigned_integers_stay_as_they_are() {
    let s = session(&[r#"{"type":"token_count","info":{"last_token_usage":{"input_tokens":-1,"output_tokens":1.5}}}"#]);
    assert_eq!(s.events()[0].attribute("input_tokens"), "");
    assert!(s.events()[0].rest().contains(r#""last_token_usage":{"input_tokens":-1,"output_tokens":1.5}"#));
}
