//! What a visitor sends: pairs of field and text, from a form, an address or JSON, held against the fields that the
//! route's row declares. What is not declared is refused.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::fault::Fault;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line, at most so many characters.
    Line(usize),
    /// Several lines, at most so many characters.
    Text(usize),
    /// A day, `2026-04-01`.
    Day,
    /// Yes (`on`, `true`) or nothing.
    Tick,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Any number of lines of at most so many characters.
    Lines(usize),
    /// A positive whole number.
    Number,
    /// A file of at most so many bytes: base64 in JSON, a part of a form on pages.
    File(usize),
}

/// A field of a route.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name, as in forms and JSON.
    pub name: &'static str,
    /// Japanese name.
    pub ja: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Must it be filled in?
    pub required: bool,
}

/// Pairs as they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input(BTreeMap<String, Vec<String>>);

impl Input {
    pub(crate) fn of_pairs(pairs: Vec<(String, String)>) -> Self {
        let mut out = Self::default();
        for (name, value) in pairs {
            out.0.entry(name).or_default().push(value);
        }
        out
    }

    /// An object of texts, numbers, truths, and lists of texts.
    pub(crate) fn of_json(bytes: &[u8]) -> Result<Self, Fault> {
        let wrong = || Fault::malformed("JSON のオブジェクトを送ってください。");
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|_| wrong())?;
        let Value::Object(fields) = value else { return Err(wrong()) };
        let mut out = Self::default();
        for (name, value) in fields {
            let many = match value {
                Value::Array(many) => many,
                one => vec![one],
            };
            for value in many {
                let text = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    Value::Bool(true) => "on".to_owned(),
                    Value::Bool(false) | Value::Null => continue,
                    Value::Array(_) | Value::Object(_) => return Err(wrong()),
                };
                out.0.entry(name.clone()).or_default().push(text);
            }
        }
        Ok(out)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)?.pop()
    }

    /// Hold against the declared fields: what is malformed or missing is named, all at once.
    pub(crate) fn check(&self, declared: &[Field]) -> Result<(), Fault> {
        if let Some(unknown) = self.0.keys().find(|k| declared.iter().all(|f| f.name != *k)) {
            let shown: String = unknown.chars().filter(char::is_ascii_graphic).take(40).collect();
            return Err(Fault::malformed(format!("知らない項目（{shown}）が送られました。")));
        }
        let mut wrong = Vec::new();
        for field in declared {
            let values: Vec<&str> = self.all(field.name);
            let filled = values.iter().any(|v| !v.trim().is_empty());
            if field.required && !filled {
                let ja = match field.kind {
                    Kind::Choice(_) | Kind::Tick | Kind::File(_) => "選んでください。",
                    _ => "記入してください。",
                };
                wrong.push((field.name.to_owned(), format!("{}を{ja}", field.ja)));
                continue;
            }
            let one = !matches!(field.kind, Kind::Lines(_));
            if one && values.len() > 1 {
                wrong.push((field.name.to_owned(), format!("{}が2つあります。", field.ja)));
            }
            for value in values {
                if let Some(ja) = fault_of(field.kind, value) {
                    wrong.push((field.name.to_owned(), format!("{}{ja}", field.ja)));
                }
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Fault::fields(wrong)) }
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.get(name).into_iter().flatten().map(String::as_str).collect()
    }

    /// The text of a field, without white space around; empty if it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|v| v.first()).map_or("", |v| v.trim())
    }

    /// The bytes of a file that was checked.
    pub(crate) fn file(&self, name: &str) -> Option<Vec<u8>> {
        STANDARD.decode(self.0.get(name)?.first()?).ok()
    }

    pub(crate) fn tick(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// Lines of a text, or the texts of a list, without empty ones.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        self.all(name)
            .into_iter()
            .flat_map(str::lines)
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

fn fault_of(kind: Kind, value: &str) -> Option<String> {
    if let Kind::File(most) = kind {
        return match STANDARD.decode(value) {
            Ok(bytes) if bytes.len() > most => {
                Some(format!("は{}MB以内にしてください。", most >> 20))
            }
            Ok(_) => None,
            Err(_) => Some("を読めません（base64 で送ってください）。".to_owned()),
        };
    }
    // Line feeds are for texts; no other control character has a place anywhere.
    let control = value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    if control {
        return Some("に使えない文字があります。".to_owned());
    }
    let trimmed = value.trim();
    let longer = |most: usize| {
        (trimmed.chars().count() > most).then(|| format!("は{most}字以内で書いてください。"))
    };
    match kind {
        Kind::Line(most) => {
            if trimmed.contains(['\n', '\r']) {
                return Some("は1行で書いてください。".to_owned());
            }
            longer(most)
        }
        Kind::Text(most) | Kind::Lines(most) => longer(most),
        Kind::Day => {
            let ok = trimmed.is_empty() || trimmed.parse::<kiban_kernel::Date>().is_ok();
            (!ok).then(|| "は日付（例：2026-04-01）で書いてください。".to_owned())
        }
        Kind::Tick => {
            let ok = ["", "on", "true", "1"].contains(&trimmed);
            (!ok).then(|| "の値が正しくありません。".to_owned())
        }
        Kind::Choice(of) => {
            let ok = trimmed.is_empty() || of.contains(&trimmed);
            (!ok).then(|| "は選択肢から選んでください。".to_owned())
        }
        Kind::Number => {
            let ok = trimmed.is_empty() || trimmed.parse::<u32>().is_ok();
            (!ok).then(|| "は数字で書いてください。".to_owned())
        }
        Kind::File(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        Field { name: "title", ja: "題名", kind: Kind::Line(5), required: true },
        Field { name: "on", ja: "日", kind: Kind::Day, required: false },
        Field { name: "vote", ja: "評決", kind: Kind::Choice(&["yes", "no"]), required: false },
        Field { name: "items", ja: "項目", kind: Kind::Lines(9), required: false },
    ];

    #[test]
    fn what_is_wrong_is_named_all_at_once_and_unknown_fields_are_refused() {
        let check = |json: &str| Input::of_json(json.as_bytes()).unwrap().check(FIELDS);
        assert_eq!(
            check(r#"{"title":"あ","on":"2026-02-28","vote":"no","items":["a","b"]}"#),
            Ok(())
        );
        let fault = check(r#"{"title":" ","on":"2026-02-30","vote":"maybe"}"#).unwrap_err();
        assert_eq!(fault.fields.len(), 3);
        assert_eq!(check(r#"{"title":"あ","x":"1"}"#).unwrap_err().status.as_u16(), 400);
        assert!(check(r#"{"title":"a\u0000"}"#).is_err());
        assert!(check(r#"{"title":"123456"}"#).is_err());
        assert!(check(r#"{"title":"a\nb"}"#).is_err());
        assert!(Input::of_json(b"[1]").is_err() && Input::of_json(b"{\"a\":{}}").is_err());
        assert!(Input::of_json(b"").unwrap().check(&FIELDS[1..]).is_ok());
    }

    #[test]
    fn lines_come_from_lists_and_from_texts() {
        let input = Input::of_json(br#"{"items":["a\n b ","","c"]}"#).unwrap();
        assert_eq!(input.lines("items"), ["a", "b", "c"]);
        let pairs = vec![("items".to_owned(), "a\r\nb".to_owned())];
        assert_eq!(Input::of_pairs(pairs).lines("items"), ["a", "b"]);
    }
}
