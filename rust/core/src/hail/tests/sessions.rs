//! Random sessions: as trees, and as texts of many spellings.

use proptest::prelude::*;

/// JSON whose numbers keep their spelling.
#[derive(Debug, Clone)]
pub enum Json {
    Word(&'static str),
    /// Two spellings of the same number.
    Number(&'static str, &'static str),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

pub fn text(s: &str) -> Json {
    Json::Text(s.to_owned())
}

pub fn object(members: Vec<(&str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

/// A stream of small decisions.
#[derive(Debug, Clone)]
pub struct Style(pub u64);

impl Style {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }

    fn gap(&mut self, out: &mut String) {
        match self.next(12) {
            0 => out.push(' '),
            1 => out.push('\t'),
            2 => out.push_str(" \r "),
            _ => {}
        }
    }

    fn string(&mut self, s: &str, out: &mut String) {
        out.push('"');
        for c in s.chars() {
            let must = c < ' ' || c == '"' || c == '\\';
            match self.next(20) {
                0 => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04X}"));
                    }
                }
                1 if c == '/' => out.push_str("\\/"),
                _ if !must => out.push(c),
                _ => match c {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    c => out.push_str(&format!("\\u{:04x}", c as u32)),
                },
            }
        }
        out.push('"');
    }

    /// One of the many texts of a value.
    pub fn write(&mut self, value: &Json, out: &mut String) {
        match value {
            Json::Word(word) => out.push_str(word),
            Json::Number(one, other) => out.push_str(if self.next(2) == 0 { one } else { other }),
            Json::Text(s) => self.string(s, out),
            Json::Array(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    self.gap(out);
                    self.write(item, out);
                    self.gap(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                let mut order: Vec<usize> = (0..members.len()).collect();
                for k in (1..order.len()).rev() {
                    order.swap(k, self.next(k as u64 + 1) as usize);
                }
                out.push('{');
                for (n, k) in order.into_iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    self.gap(out);
                    self.string(&members[k].0, out);
                    self.gap(out);
                    out.push(':');
                    self.gap(out);
                    self.write(&members[k].1, out);
                    self.gap(out);
                }
                out.push('}');
            }
        }
    }

    pub fn line(&mut self, value: &Json) -> String {
        let mut out = String::new();
        self.gap(&mut out);
        self.write(value, &mut out);
        self.gap(&mut out);
        out.push_str(if self.next(4) == 0 { "\r\n" } else { "\n" });
        if self.next(8) == 0 {
            out.push_str(" \n");
        }
        out
    }
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,8}", "[a-z\"\\\\/\n\u{1}\u{e9}\u{fb33}\u{1f600}\u{2028}]{0,6}", Just("x".repeat(100)),]
}

fn number() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Number("0", "-0")),
        Just(Json::Number("1", "1.0")),
        Just(Json::Number("1e21", "1000000000000000000000.0")),
        Just(Json::Number("0.1", "1e-1")),
        Just(Json::Number("9007199254740993", "9007199254740993")),
        Just(Json::Number("123456789012345678901234567890", "123456789012345678901234567890")),
    ]
}

/// Any value, for where HAIL takes any.
pub fn free() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![Just(Json::Word("null")), Just(Json::Word("true")), number(), words().prop_map(Json::Text),];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::btree_map(words(), inner, 0..5).prop_map(|m| Json::Object(m.into_iter().collect())),
        ]
    })
}

fn counts() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => (0u64..10_000).prop_map(|n| Json::Number(Box::leak(n.to_string().into_boxed_str()), Box::leak(n.to_string().into_boxed_str()))),
        1 => Just(Json::Number("18446744073709551615", "18446744073709551615")),
        1 => Just(Json::Number("5.0", "5")),
        1 => Just(Json::Word("null")),
        1 => Just(Json::Number("-1", "-1.0")),
        1 => Just(text("7")),
    ]
}

fn event_type() -> impl Strategy<Value = Json> {
    let null = || Json::Word("null");
    let with = |kind: &str, data: Json| object(vec![("type", text(kind)), ("data", data)]);
    prop_oneof![
        Just(object(vec![("type", text("UserMessage"))])),
        Just(object(vec![("type", text("AgentMessage")), ("data", null())])),
        Just(object(vec![("type", text("Thinking")), ("data", object(vec![]))])),
        Just(object(vec![("type", text("SystemMessage")), ("data", object(vec![("x", null())]))])),
        words()
            .prop_map(move |w| with("ToolCall", object(vec![("name", text(&format!("n{w}"))), ("input", text(&w))]))),
        Just(with(
            "ToolResult",
            object(vec![
                ("name", text("Bash")),
                ("is_error", Json::Word("false")),
                ("call_id", null()),
                ("exit_code", Json::Number("-5", "-5")),
            ])
        )),
        words().prop_map(move |w| with(
            "FileEdit",
            object(vec![("path", text("a/b")), ("diff", text(&format!("@@ -1 +1 @@\n-{w}\n+{w}\n+x"))),])
        )),
        words().prop_map(move |w| with("FileCreate", object(vec![("path", text(&format!("/{w}")))]))),
        Just(with("ShellCommand", object(vec![("command", text("ls")), ("exit_code", null())]))),
        Just(object(vec![("type", text("TaskStart"))])),
        words().prop_map(move |w| with("TaskEnd", object(vec![("summary", text(&w))]))),
        Just(with("Custom", object(vec![("kind", text(""))]))),
        Just(object(vec![("type", text("Later")), ("data", Json::Array(vec![null()])), ("x", null())])),
    ]
}

fn block() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => words().prop_map(|w| object(vec![("type", text("Text")), ("text", text(&w))])),
        1 => words().prop_map(|w| object(vec![
            ("type", text("Code")), ("code", text(&w)), ("language", Json::Word("null")),
            ("start_line", Json::Number("0", "-0")),
        ])),
        2 => free().prop_map(|v| object(vec![("type", text("Json")), ("data", v)])),
        1 => Just(object(vec![("type", text("File")), ("path", text("")), ("content", text("c")), ("y", text("z"))])),
        1 => Just(object(vec![("type", text("Hologram")), ("depth", Json::Number("1", "1.0"))])),
    ]
}

fn time() -> impl Strategy<Value = Json> {
    prop_oneof![
        (0u32..60, 0u32..1000).prop_map(|(s, ms)| text(&format!("2026-02-14T00:00:{s:02}.{ms:03}Z"))),
        Just(text("2026-02-14t01:00:60+01:00")),
        Just(text("2026-02-14T00:00:07Z")),
        Just(text("2026-02-13T23:59:59.1234567899z")),
    ]
}

/// An event whose id is `id`.
fn event(id: usize) -> impl Strategy<Value = Json> {
    let attributes = prop_oneof![
        Just(None),
        Just(Some(Json::Word("null"))),
        Just(Some(object(vec![]))),
        (counts(), counts(), free()).prop_map(|(a, b, v)| Some(object(vec![
            ("input_tokens", a),
            ("output_tokens_total", b),
            ("source.rest", v),
        ]))),
        (counts(), free()).prop_map(|(a, v)| Some(object(vec![
            ("zz", v),
            ("output_tokens", a),
            ("semantic.call_id", text("c"))
        ]))),
    ];
    let task = prop_oneof![Just(None), Just(Some(Json::Word("null"))), Just(Some(text(""))), Just(Some(text("t1")))];
    let more = prop::option::weighted(0.1, free());
    (event_type(), prop::collection::vec(block(), 0..4), time(), attributes, task, more).prop_map(
        move |(kind, blocks, time, attributes, task, more)| {
            let mut members = vec![
                ("type", text("event")),
                ("event_id", text(&format!("e\"{id}"))),
                ("timestamp", time),
                ("event_type", kind),
                ("content", object(vec![("blocks", Json::Array(blocks))])),
            ];
            members.extend(attributes.map(|a| ("attributes", a)));
            members.extend(task.map(|t| ("task_id", t)));
            members.extend(more.map(|m| ("later", m)));
            object(members)
        },
    )
}

/// The lines of a session, without or with a stats line.
pub fn session() -> impl Strategy<Value = Vec<Json>> {
    let events = (0usize..12).prop_flat_map(|n| (0..n).map(|id| event(id).boxed()).collect::<Vec<_>>());
    (events, prop::option::of(free()), any::<bool>()).prop_map(|(events, source, stats)| {
        let head = object(vec![
            ("type", text("header")),
            ("version", text("hail-1.0.12")),
            ("session_id", text("s")),
            (
                "agent",
                object(vec![
                    ("provider", text("p")),
                    ("model", text("")),
                    ("tool", text("t")),
                    ("tool_version", Json::Word("null")),
                ]),
            ),
            (
                "context",
                object(vec![
                    ("created_at", text("2026-02-14T01:00:00+01:00")),
                    ("updated_at", text("2026-02-14T00:00:00.5Z")),
                    ("related_session_ids", Json::Array(vec![])),
                    ("attributes", object(vec![])),
                    ("title", text("a \u{1f600}")),
                ]),
            ),
        ]);
        let mut lines = vec![head];
        lines.extend(events);
        if stats {
            let source = object(vec![("agent", source.unwrap_or(Json::Word("null")))]);
            let wrong = Json::Number("5", "5.0");
            lines.push(object(vec![("type", text("stats")), ("event_count", wrong), ("source", source)]));
        }
        lines
    })
}
