//! The small tree that a summary is built from, and its canonical text.
//!
//! Only the summary is a tree, never a session: its size is bounded by the limits of `limits.rs`.

use std::collections::BTreeMap;

use crate::json::string;

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Text(String),
    Unsigned(u64),
    Signed(i64),
    Bool(bool),
    List(Vec<Json>),
    /// Keys are ASCII, so the order of bytes is the canonical one.
    Map(BTreeMap<&'static str, Json>),
}

impl Json {
    /// Append the canonical text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Json::Text(text) => string::write(text.as_bytes(), out),
            Json::Unsigned(n) => out.extend_from_slice(n.to_string().as_bytes()),
            Json::Signed(n) => out.extend_from_slice(n.to_string().as_bytes()),
            Json::Bool(yes) => out.extend_from_slice(if *yes { b"true" } else { b"false" }),
            Json::List(items) => {
                out.push(b'[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Json::Map(members) => {
                out.push(b'{');
                for (n, (key, value)) in members.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    string::write(key.as_bytes(), out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }

    /// The canonical line.
    pub fn line(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out.push(b'\n');
        out
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}

impl From<u64> for Json {
    fn from(n: u64) -> Json {
        Json::Unsigned(n)
    }
}

impl From<i64> for Json {
    fn from(n: i64) -> Json {
        Json::Signed(n)
    }
}

impl From<bool> for Json {
    fn from(yes: bool) -> Json {
        Json::Bool(yes)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Json {
        Json::List(items.into_iter().map(Into::into).collect())
    }
}

/// An object under construction; a value that is not known makes no member.
#[derive(Debug, Default)]
pub struct Object(BTreeMap<&'static str, Json>);

impl Object {
    pub fn new() -> Object {
        Object::default()
    }

    pub fn set(mut self, key: &'static str, value: impl Into<Json>) -> Object {
        self.put(key, value);
        self
    }

    pub fn maybe(mut self, key: &'static str, value: Option<impl Into<Json>>) -> Object {
        if let Some(value) = value {
            self.put(key, value);
        }
        self
    }

    pub fn remove(mut self, key: &'static str) -> Object {
        self.0.remove(key);
        self
    }

    pub fn put(&mut self, key: &'static str, value: impl Into<Json>) {
        self.0.insert(key, value.into());
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Json {
        Json::Map(object.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::canonical;

    #[test]
    fn what_is_written_is_canonical() {
        let object = Object::new()
            .set("b", vec!["x\u{1}\"", "é\u{2028}"])
            .set("a", 18_446_744_073_709_551_615u64)
            .maybe("none", None::<bool>)
            .set("c", Object::new().set("z", -1i64).set("event_id", true));
        let line = Json::from(object).line();
        assert_eq!(canonical::canonicalize(&line).unwrap(), line[..line.len() - 1]);
    }
}
