//! Canonical JSON: keys in byte order, no white space; and the rule of what an event may hold.

use std::fmt::Write as _;

use serde_json::Value;

/// Longest string an event may hold, in bytes.
pub const MAX_STRING: usize = 512;

/// Append `value` in canonical form.
pub(crate) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                string(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::String(text) => string(text, out),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Null => out.push_str("null"),
    }
}

fn string(text: &str, out: &mut String) {
    let _ = write!(out, "{}", Value::from(text));
}

/// Whether a string may stand in an event: printable ASCII of at most [`MAX_STRING`] bytes. Ids,
/// digests, codes, versions and dates pass; what a person wrote in Japanese does not.
pub(crate) fn opaque(text: &str) -> bool {
    text.len() <= MAX_STRING && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// The number (in reading order, from 1) of the first string or key that may not stand in an event.
pub(crate) fn first_not_opaque(value: &Value) -> Option<u32> {
    fn walk(value: &Value, seen: &mut u32) -> bool {
        match value {
            Value::String(text) => {
                *seen += 1;
                opaque(text)
            }
            Value::Array(items) => items.iter().all(|v| walk(v, seen)),
            Value::Object(map) => map.iter().all(|(key, v)| {
                *seen += 1;
                opaque(key) && walk(v, seen)
            }),
            _ => true,
        }
    }
    let mut seen = 0;
    if walk(value, &mut seen) { None } else { Some(seen) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        let mut out = String::new();
        write(value, &mut out);
        out
    }

    #[test]
    fn keys_are_sorted_and_nothing_is_added() {
        assert_eq!(
            text(&json!({"b": [1, true, null], "a": {"z": "x\"y\n", "Z": 0.5}})),
            r#"{"a":{"Z":0.5,"z":"x\"y\n"},"b":[1,true,null]}"#
        );
    }

    #[test]
    fn only_opaque_strings_pass() {
        assert_eq!(first_not_opaque(&json!({"id": "dlv_0", "n": 3})), None);
        assert_eq!(first_not_opaque(&json!({"id": "dlv_0", "name": "厚労花子"})), Some(4));
        assert_eq!(first_not_opaque(&json!({"病院": 1})), Some(1));
        assert_eq!(first_not_opaque(&json!(["a\tb"])), Some(1));
        assert_eq!(first_not_opaque(&json!(["x".repeat(MAX_STRING + 1)])), Some(1));
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back_and_does_not_depend_on_order(
            entries in proptest::collection::btree_map("[ -~]{0,6}", any::<i64>(), 0..8)
        ) {
            let forward: Value = entries.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
            let backward: Value = entries.iter().rev().map(|(k, v)| (k.clone(), json!(v))).collect();
            prop_assert_eq!(text(&forward), text(&backward));
            let read: Value = serde_json::from_str(&text(&forward))?;
            prop_assert_eq!(read, forward);
        }
    }
}
