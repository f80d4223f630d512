use super::{call, Session};

const PATCH: &str = r"*** Begin Patch\n*** Update File: a.rs\n@@ fn main\n-x\n+y\n+z\n*** End of File\n*** Add File: docs/b.md\n+# B\n+\nforgotten\n*** Delete File: c.txt\n*** Update File: d.rs\n*** Move to: e.rs\n@@\n+new\n*** End Patch";

fn custom(input: &str) -> Session {
    Session::items(&[&format!(
        r#"{{"type":"custom_tool_call","id":"ctc_1","name":"apply_patch","call_id":"c1","status":"completed","input":"{input}"}}"#
    )])
}

/// Event types with their paths.
fn files(s: &Session) -> Vec<String> {
    s.events().iter().map(|e| format!("{} {}", e.kind(), e.at("event_type/data/path").trim_matches('"'))).collect()
}

#[test]
fn a_patch_is_one_event_for_each_file() {
    let s = custom(PATCH);
    assert_eq!(files(&s), ["FileEdit a.rs", "FileCreate docs/b.md", "FileDelete c.txt", "FileEdit d.rs"]);
    let events = s.events();
    assert_eq!(events[0].at("event_type/data/diff"), r#""@@ fn main\n-x\n+y\n+z\n""#);
    let block = r##"{"code":"# B\n\nforgotten\n","language":"markdown","type":"Code"}"##;
    assert_eq!(events[1].at("content/blocks/0"), block);
    assert_eq!(events[3].attribute("moved_to"), r#""e.rs""#);
    for event in events {
        assert_eq!(event.attribute("semantic.call_id"), r#""c1""#);
        assert_eq!(event.attribute("semantic.tool_kind"), r#""file_write""#);
    }
    let ids: Vec<String> = events.iter().map(|e| e.at("event_id")).collect();
    assert_eq!(ids, [r#""ctc_1""#, r#""ctc_1#1""#, r#""ctc_1#2""#, r#""ctc_1#3""#]);
    // The patch as a whole is kept once.
    assert!(events[0].rest().contains("*** Begin Patch") && events[1].rest().is_empty());
    assert_eq!(
        (s.stats("lines_added"), s.stats("lines_removed"), s.stats("files_changed")),
        ("3".into(), "1".into(), "4".into())
    );
}

#[test]
fn what_is_no_patch_stays_a_call() {
    for input in [
        "",
        "--- a\\n+++ b",
        r"*** Begin Patch\n*** End Patch",
        r"*** Begin Patch\n*** Update File: \n+x\n*** End Patch",
    ] {
        let s = custom(input);
        assert_eq!(s.kinds(), ["ToolCall"], "{input}");
        assert_eq!(s.events()[0].at("event_type/data/name"), r#""apply_patch""#);
    }
}

#[test]
fn a_patch_comes_in_many_dresses() {
    let dresses = [
        call("apply_patch", &format!(r#"{{"input":"{PATCH}"}}"#)),
        call("apply_patch", &format!(r#"{{"patch":"{PATCH}"}}"#)),
        call("functions.apply_patch", &format!(r#"{{"input":"{PATCH}"}}"#)),
        call("shell", &format!(r#"{{"command":["apply_patch","{PATCH}"]}}"#)),
        call("shell", &format!(r#"{{"command":["bash","-lc","apply_patch <<'EOF'\n{PATCH}\nEOF\n"]}}"#)),
        call("shell", &format!(r#"{{"command":["bash","-lc","apply_patch <<-\"EOF\"\n{PATCH}"]}}"#)),
        call("exec_command", &format!(r#"{{"cmd":"apply_patch << EOF\n{PATCH}\nEOF"}}"#)),
    ];
    for dress in &dresses {
        let s = Session::items(&[dress]);
        assert_eq!(
            files(&s),
            ["FileEdit a.rs", "FileCreate docs/b.md", "FileDelete c.txt", "FileEdit d.rs"],
            "{dress}"
        );
        assert!(s.events()[0].rest().contains("*** Begin Patch"), "{dress}");
    }
    let named = Session::items(&[&format!(
        r#"{{"type":"function_call","name":"apply_patch","arguments":"{PATCH}","call_id":"c1"}}"#
    )]);
    assert_eq!(files(&named).len(), 4);
}

#[test]
fn a_patch_below_a_folder_names_files_below_it() {
    let s = Session::items(&[&call(
        "exec_command",
        &format!(r#"{{"cmd":"cd /w/sub && apply_patch <<'EOF'\n{PATCH}\nEOF"}}"#),
    )]);
    assert_eq!(files(&s)[0], "FileEdit /w/sub/a.rs");
    assert_eq!(s.events()[3].attribute("moved_to"), r#""/w/sub/e.rs""#);
}

#[test]
fn a_script_that_goes_on_after_its_patch_is_a_command_too() {
    let s = Session::items(&[&call(
        "exec_command",
        &format!(r#"{{"cmd":"apply_patch <<'EOF'\n{PATCH}\nEOF\ncargo test"}}"#),
    )]);
    assert_eq!(s.kinds(), ["ShellCommand", "FileEdit", "FileCreate", "FileDelete", "FileEdit"]);
    assert_eq!(s.events()[0].attribute("semantic.tool_kind"), r#""shell""#);
    assert_eq!(s.events()[0].rest(), r#"{"payload":{"name":"exec_command"}}"#);
}

#[test]
fn scripts_that_only_mention_a_patch_are_commands() {
    for script in [
        "echo apply_patch <<'EOF'",
        "apply_patch --help",
        r"apply_patch <<'EOF'\nnothing\nEOF",
        r"cd $HOME && apply_patch <<'EOF'\n",
    ] {
        let s = Session::items(&[&call("exec_command", &format!(r#"{{"cmd":"{script}"}}"#))]);
        assert_eq!(s.kinds(), ["ShellCommand"], "{script}");
    }
}

#[test]
fn the_result_says_what_became_of_the_files() {
    let input = format!(r#"{{"type":"custom_tool_call","name":"apply_patch","call_id":"c1","input":"{PATCH}"}}"#);
    let action = |output: &str| {
        let output = format!(r#"{{"type":"custom_tool_call_output","call_id":"c1","output":"{output}"}}"#);
        let s = Session::items(&[&input, &output]);
        let result = &s.events()[4];
        assert_eq!(result.at("event_type/data/name"), r#""apply_patch""#);
        (result.attribute("semantic.file_action"), result.at("event_type/data/is_error"))
    };
    let head = r"Exit code: 0\nWall time: 0.1 seconds\nOutput:\nSuccess. Updated the following files:\n";
    assert_eq!(action(&format!(r"{head}A docs/b.md\n")), (r#""created""#.into(), "false".into()));
    assert_eq!(action(&format!(r"{head}M a.rs\nM d.rs\n")), (r#""edited""#.into(), "false".into()));
    assert_eq!(action(&format!(r"{head}A docs/b.md\nM a.rs\n")), ("".into(), "false".into()));
    assert_eq!(action("apply_patch verification failed: no such lines"), ("".into(), "true".into()));
}
