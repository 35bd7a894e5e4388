//! Pieces of resources: only what the source says, in the shapes of FHIR.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value, json};

use crate::out::{Moment, omop::number};

/// An object that takes only what there is.
#[derive(Default)]
pub(super) struct Node(Map<String, Value>);

impl Node {
    pub(super) fn put(mut self, name: &str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
        self
    }
    pub(super) fn text(self, name: &str, value: Option<&str>) -> Self {
        self.put(name, string(value))
    }
    /// A list of one.
    pub(super) fn one(self, name: &str, value: Option<Value>) -> Self {
        self.put(name, value.map(|v| Value::Array(vec![v])))
    }
    /// The object, unless it is empty.
    pub(super) fn some(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Object(self.0))
    }
    pub(super) fn value(self) -> Value {
        Value::Object(self.0)
    }
}

/// A text; FHIR knows no text that is empty or blank, and no control characters but tab and line ends.
pub(super) fn string(value: Option<&str>) -> Option<Value> {
    let value = value.filter(|v| !v.trim().is_empty())?;
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if value.contains(control) {
        // NUL and its like are not allowed in FHIR: shown by their picture.
        let shown = value.chars().map(|c| match c {
            c if control(c) && (c as u32) < 0x20 => char::from_u32(0x2400 + c as u32).unwrap_or(c),
            c if control(c) => '\u{FFFD}',
            c => c,
        });
        return Some(Value::String(shown.collect()));
    }
    Some(Value::String(value.to_owned()))
}

/// A code: no blanks at the ends, none doubled.
fn code(value: Option<&str>) -> Option<Value> {
    let value = value?;
    let words: Vec<&str> = value.split_whitespace().collect();
    string(Some(&words.join(" ")))
}

/// URI of a code system: as the source names it if that is a URI, else what JP Core calls it, else a name of ours.
pub(super) fn system(name: &str) -> String {
    let known = match name {
        "HOT7" => "http://medis.or.jp/CodeSystem/master-HOT7",
        "HOT" | "HOT9" => "http://medis.or.jp/CodeSystem/master-HOT9",
        "HOT13" => "http://medis.or.jp/CodeSystem/master-HOT13",
        "YJ" => "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
        "JC10" => "http://medis.or.jp/CodeSystem/master-JLAC10-17digits",
        "ICD-10" | "ICD10" | "I10" => "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full",
        "generic-name" => "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationGeneralOrderCode",
        "MR9P" => "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let uri = name.starts_with("http://")
        || name.starts_with("https://")
        || name.starts_with("urn:") && name.len() > 4;
    let mut out = String::from(if uri { "" } else { "urn:x-source:" });
    for c in name.chars() {
        if c.is_whitespace()
            || c.is_control()
            || (!uri && !c.is_ascii_alphanumeric() && !"-._".contains(c))
        {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A coding of a code.
pub(super) fn coding(system_name: Option<&str>, value: Option<&str>) -> Option<Value> {
    let value = code(value)?;
    let system = system_name.filter(|s| !s.is_empty()).map(system).map(Value::String);
    Node::default().put("system", system).put("code", Some(value)).some()
}

/// A concept of one code and a text.
pub(super) fn concept(
    system: Option<&str>,
    code: Option<&str>,
    text: Option<&str>,
) -> Option<Value> {
    Node::default().one("coding", coding(system, code)).text("text", text).some()
}

/// A concept of a fixed system.
pub(super) fn fixed(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code }] })
}

/// A number with the source's digits, if JSON can hold it so.
pub(super) fn decimal(text: Option<&str>) -> Option<Value> {
    let text = number(text?)?;
    text.parse::<Number>().ok().filter(|n| n.to_string() == text).map(Value::Number)
}

/// A whole number above zero.
pub(super) fn positive(text: Option<&str>) -> Option<Value> {
    let n: u32 = text?.trim().parse().ok()?;
    (n > 0 && i32::try_from(n).is_ok()).then(|| json!(n))
}

/// A quantity: value, and its unit as text.
pub(super) fn quantity(value: Option<&str>, unit: Option<&str>) -> Option<Value> {
    Node::default().put("value", Some(decimal(value)?)).text("unit", unit).some()
}

/// So many days.
pub(super) fn days(value: Option<&str>) -> Option<Value> {
    let value = decimal(value)?;
    Some(
        json!({ "value": value, "unit": "日", "system": "http://unitsofmeasure.org", "code": "d" }),
    )
}

/// Is the text a dateTime of FHIR as it is? With a time it needs seconds and a zone.
fn is_date_time(text: &str) -> bool {
    let (date, time) = text.split_once('T').map_or((text, None), |(d, t)| (d, Some(t)));
    let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = date.split('-').collect();
    let shaped = match &parts[..] {
        [y] => digits(y, 4),
        [y, m] => digits(y, 4) && digits(m, 2),
        [y, m, d] => digits(y, 4) && digits(m, 2) && digits(d, 2),
        _ => false,
    };
    let Some(time) = time else { return shaped };
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => return false,
    };
    let zone_fits = zone == "Z"
        || zone.len() == 6 && digits(&zone[1..3], 2) && &zone[3..4] == ":" && digits(&zone[4..], 2);
    let (clock, fraction) = clock.split_once('.').map_or((clock, "0"), |(c, f)| (c, f));
    let clock: Vec<&str> = clock.split(':').collect();
    parts.len() == 3
        && shaped
        && zone_fits
        && clock.len() == 3
        && clock.iter().all(|p| digits(p, 2))
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

/// A dateTime: as it is if it is one; a wall time without zone is Japan's.
pub(super) fn date_time(text: Option<&str>) -> Option<Value> {
    let text = text?.trim();
    let moment = Moment::read(text)?;
    if is_date_time(text) {
        return Some(Value::String(text.to_owned()));
    }
    Some(Value::String(of_moment(moment)))
}

/// The same of a moment.
fn of_moment(moment: Moment) -> String {
    match moment.time {
        Some(_) => format!("{}+09:00", moment.iso()),
        None => moment.date(),
    }
}

/// A period; its end only if it is not before its beginning.
pub(super) fn period(from: Option<&str>, to: Option<&str>) -> Option<Value> {
    let read = |t: Option<&str>| t.and_then(Moment::read);
    let backwards = read(from)
        .zip(read(to))
        .is_some_and(|(a, b)| b.without_time().days() < a.without_time().days());
    let to = to.filter(|_| !backwards);
    Node::default().put("start", date_time(from)).put("end", date_time(to)).some()
}

/// A reference that only names.
pub(super) fn named(display: Option<&str>) -> Option<Value> {
    Node::default().text("display", display).some()
}

/// The value if it stands in the list of what the element allows.
pub(super) fn of_list<'t>(value: Option<&'t str>, list: &[&str]) -> Option<&'t str> {
    value.filter(|v| list.contains(v))
}
