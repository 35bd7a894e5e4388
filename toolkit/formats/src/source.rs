//! Which record of the source a segment states, and whether it takes it back.
//!
//! Enters: a segment and what was read from it. Leaves: [`Stated`]: the source's own name of the record, the
//! place among its versions where the source tells one, and whether the record no longer holds. Refuses:
//! nothing; where the source gives a record no name that lasts from file to file there is none to leave.
//!
//! | format | name | version | taken back |
//! |---|---|---|---|
//! | `ssmix2`, `ssmix2_extended` | `ssmix2/` patient, day, data type, order number | time of the message | condition flag other than 1, or a cancelling message |
//! | `fhir_ndjson`, `fhir_json` | `fhir/` type, id; of a bundle its identifier | | `entered-in-error` |
//! | `uke` | `uke/` body, prefecture, form, institution, month of care, search number, else receipt number and month billed | | |
//!
//! Rows of the other formats have no such name: they are added, never replaced by themselves.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;

use crate::{
    Format,
    record::{Parsed, Record, Text},
    ssmix2::{FileName, split_path},
};

/// What a segment says of a record of the source.
#[derive(Clone, PartialEq, Eq)]
pub struct Stated {
    /// Name of the record, the same in every version of it.
    pub record: String,
    /// Orders versions of one record, if the source does; compared as text. Empty: the later file counts.
    pub version: String,
    /// The record no longer holds.
    pub taken_back: bool,
}

impl std::fmt::Debug for Stated {
    /// Names hold patient numbers: never shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stated").field("taken_back", &self.taken_back).finish_non_exhaustive()
    }
}

/// What a segment of a file says of a record of the source; `None` if its format names none.
pub fn stated(
    format: Format,
    path_in_tree: &str,
    bytes: &[u8],
    parsed: &Parsed<'_>,
) -> Option<Stated> {
    if parsed.rejected {
        return None;
    }
    match format {
        Format::SsMix2 | Format::SsMix2Extended => message(path_in_tree, parsed),
        Format::FhirNdjson | Format::FhirJson => resource(bytes),
        Format::Uke => claim(parsed),
        _ => None,
    }
}

/// The name of a record, from what a holder's list of retractions writes: an SS-MIX2 file name, `Type/id` of a
/// FHIR resource (`Bundle/system|value` of a document), or a claim's name as the table above has it. `None`: it names nothing of the format.
pub fn name_of(format: Format, text: &str) -> Option<String> {
    let text = text.trim();
    match format {
        Format::SsMix2 | Format::SsMix2Extended => {
            FileName::parse(split_path(text).1).ok().map(|name| file_name(&name))
        }
        Format::FhirNdjson | Format::FhirJson => {
            let reference = text.strip_prefix("fhir/").unwrap_or(text);
            let (kind, id) = reference.split_once('/')?;
            let whole = kind == "Bundle" || !id.contains('/');
            (crate::text::plain_name(kind) && !id.is_empty() && whole)
                .then(|| format!("fhir/{kind}/{id}"))
        }
        Format::Uke => {
            let parts = text.strip_prefix("uke/")?;
            (parts.split('/').count() == CLAIM_PARTS).then(|| text.to_owned())
        }
        _ => None,
    }
}

/// The resources that a FHIR bundle of deletions names (`DELETE Type/id`, as bulk exports give them); `None` if it
/// is none, or asks for anything else.
pub fn deleted(line: &[u8]) -> Option<Vec<String>> {
    memmem::find(line, b"DELETE")?;
    let bundle: Bundle<'_> = serde_json::from_slice(line.trim_ascii()).ok()?;
    if bundle.resource_type != "Bundle" {
        return None;
    }
    let names: Option<Vec<String>> = bundle
        .entry
        .iter()
        .map(|entry| {
            let request = entry.request.as_ref().filter(|r| r.method == "DELETE")?;
            let mut parts = request.url.rsplit('/');
            let (id, kind) = (parts.next()?, parts.next()?);
            name_of(Format::FhirNdjson, &format!("{kind}/{id}"))
        })
        .collect();
    names.filter(|n| !n.is_empty())
}

const CLAIM_PARTS: usize = 6;

fn file_name(name: &FileName<'_>) -> String {
    let (patient, day, data_type, key) = name.natural_key();
    format!("ssmix2/{patient}/{day}/{data_type}/{key}")
}

fn message(path: &str, parsed: &Parsed<'_>) -> Option<Stated> {
    let name = FileName::parse(split_path(path).1).ok()?;
    let cancelled = |record: &Record<'_>| {
        let mut found = false;
        record.for_each(|column, value| {
            found |= matches!(column, "status" | "action")
                && matches!(value, Some("cancelled" | "superseded" | "CA" | "DE" | "OC"));
        });
        found
    };
    let with_status: Vec<bool> = parsed.records.iter().map(cancelled).collect();
    let all_cancelled = !with_status.is_empty() && with_status.iter().all(|c| *c);
    Some(Stated {
        record: file_name(&name),
        version: format!("{:0<17}", name.arisen),
        taken_back: !name.is_current() || all_cancelled,
    })
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "resourceType", borrow)]
    resource_type: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(default)]
    status: serde_json::Value,
    #[serde(rename = "verificationStatus", default)]
    verification: serde_json::Value,
    #[serde(default)]
    identifier: serde_json::Value,
}

#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(rename = "resourceType", borrow)]
    resource_type: Cow<'a, str>,
    #[serde(borrow, default)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    request: Option<Request<'a>>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
}

const IN_ERROR: &str = "entered-in-error";

fn resource(line: &[u8]) -> Option<Stated> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    let in_error = memmem::find(line, IN_ERROR.as_bytes()).is_some() || line.contains(&b'\\');
    let plain =
        |record: String, taken_back| Some(Stated { record, version: String::new(), taken_back });
    if !in_error && let Some((kind, id)) = in_front(line) {
        return plain(format!("fhir/{kind}/{id}"), false);
    }
    let head: Head<'_> = serde_json::from_slice(line).ok()?;
    let coded = |value: &serde_json::Value| {
        value["coding"].as_array().is_some_and(|codes| codes.iter().any(|c| c["code"] == IN_ERROR))
    };
    let taken_back = head.status == IN_ERROR || coded(&head.verification);
    // A document's identifier lasts from version to version; its id need not.
    let document = (head.resource_type == "Bundle")
        .then(|| Some((head.identifier["system"].as_str()?, head.identifier["value"].as_str()?)))
        .flatten();
    match (document, head.id) {
        (Some((system, value)), _) => plain(format!("fhir/Bundle/{system}|{value}"), taken_back),
        (None, Some(id)) => plain(format!("fhir/{}/{id}", head.resource_type), taken_back),
        (None, None) => None,
    }
}

/// Type and id where they stand in front, as exporters write them; not of a bundle.
fn in_front(line: &[u8]) -> Option<(&str, &str)> {
    fn field<'a>(rest: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
        let rest = rest.trim_start().strip_prefix('"')?.strip_prefix(name)?.strip_prefix('"')?;
        let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        rest.split_once('"')
    }
    let front = &line[..line.len().min(256)];
    let front = match std::str::from_utf8(front) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&front[..e.valid_up_to()]).ok()?,
    };
    let (kind, rest) = field(front.strip_prefix('{')?, "resourceType")?;
    let (id, _) = field(rest.trim_start().strip_prefix(',')?, "id")?;
    (kind != "Bundle" && crate::text::plain_name(kind) && !id.is_empty()).then_some((kind, id))
}

fn claim(parsed: &Parsed<'_>) -> Option<Stated> {
    let claim = parsed.records.iter().find_map(|r| match r {
        Record::Claim(claim) => Some(claim),
        _ => None,
    })?;
    if claim.institution.is_none_or(str::is_empty) {
        return None;
    }
    let mut record = String::with_capacity(96);
    let mut part = |mark: &str, part: Text<'_>| {
        record.push_str(mark);
        record.extend(part.unwrap_or_default().split('/').flat_map(|of| ["-", of]).skip(1));
        record.len()
    };
    part("uke/", claim.payer_body);
    part("/", claim.prefecture);
    part("/", claim.form);
    part("/", claim.institution);
    let number = part("/", claim.care_month) + 1;
    // The number in a file comes again in the next month's file.
    if claim.search_no.is_some() {
        part("/", claim.search_no);
    } else {
        part("/", claim.receipt_no);
        part("@", claim.billed_month);
    }
    if record[number..].starts_with('@') {
        return None;
    }
    Some(Stated { record, version: String::new(), taken_back: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ClaimRecord;

    fn fhir(line: &str) -> Option<Stated> {
        stated(Format::FhirNdjson, "x.ndjson", line.as_bytes(), &Parsed::default())
    }

    #[test]
    fn a_resource_is_named_wherever_its_id_stands() {
        let front = r#"{"resourceType":"Condition","id":"c1","code":{}}"#;
        let behind = r#"{"id":"c1","code":{},"resourceType":"Condition"}"#;
        assert_eq!(fhir(front), fhir(behind));
        assert_eq!(fhir(front).unwrap().record, "fhir/Condition/c1");
        assert_eq!(fhir(r#"{"resourceType":"Condition","code":{"id":"x"}}"#), None);
        let error = r#"{"resourceType":"Condition","id":"c1","verificationStatus":{"coding":[{"code":"entered-in-error"}]}}"#;
        assert!(fhir(error).unwrap().taken_back);
        let error = r#"{"resourceType":"Observation","id":"c1","status":"entered-in-error"}"#;
        assert!(fhir(error).unwrap().taken_back);
        let said = r#"{"resourceType":"Observation","id":"c1","status":"final","note":"entered-in-error"}"#;
        assert!(!fhir(said).unwrap().taken_back);
        let document = r#"{"resourceType":"Bundle","id":"b2","identifier":{"system":"s","value":"v"},"entry":[]}"#;
        assert_eq!(fhir(document).unwrap().record, "fhir/Bundle/s|v");
    }

    #[test]
    fn a_claim_is_named_by_its_search_number_or_its_number_and_month() {
        let arena = crate::Arena::new();
        let named = |claim: ClaimRecord<'_>| {
            let parsed = Parsed { records: vec![arena.record(claim)], ..Parsed::default() };
            stated(Format::Uke, "", b"", &parsed).map(|stated| stated.record)
        };
        let claim = ClaimRecord {
            payer_body: Some("1"),
            prefecture: Some("13"),
            form: Some("medical"),
            institution: Some("12/3/"),
            care_month: Some("202404"),
            receipt_no: Some("7"),
            billed_month: Some("202405"),
            ..ClaimRecord::default()
        };
        assert_eq!(named(claim).unwrap(), "uke/1/13/medical/12-3-/202404/7@202405");
        let searched = ClaimRecord { search_no: Some("A/9"), ..claim };
        assert_eq!(named(searched).unwrap(), "uke/1/13/medical/12-3-/202404/A-9");
        assert_eq!(named(ClaimRecord { receipt_no: None, ..claim }), None);
        assert_eq!(named(ClaimRecord { institution: None, ..claim }), None);
        let bare = ClaimRecord { payer_body: None, billed_month: None, ..claim };
        assert_eq!(named(bare).unwrap(), "uke//13/medical/12-3-/202404/7@");
    }

    #[test]
    fn a_file_name_orders_its_versions_and_takes_back() {
        let of = |name: &str| stated(Format::SsMix2, name, b"", &Parsed::default()).unwrap();
        let first = of("p/q/P1_20240102_OML-11_0001_20240102101500000_01_1");
        let second = of("p/q/P1_20240102_OML-11_0001_20240103101500000_01_1");
        assert_eq!(first.record, second.record);
        assert!(first.version < second.version && !second.taken_back);
        let old = of("P1_20240102_OML-11_0001_20240102101500000_01_0");
        assert!(old.taken_back && old.record == first.record && old.version == first.version);
        assert_ne!(of("P2_20240102_OML-11_0001_20240102101500_01_1").record, first.record);
        let listed = name_of(Format::SsMix2, "P1_20240102_OML-11_0001_20240102101500000_01_1");
        assert_eq!(listed.unwrap(), first.record);
    }

    #[test]
    fn only_a_bundle_of_deletions_names_deleted_resources() {
        let entry =
            r#"{"request":{"method":"DELETE","url":"https://x.invalid/fhir/Condition/c1"}}"#;
        let bundle = |entries: &str| {
            format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entries}]}}"#)
        };
        assert_eq!(deleted(bundle(entry).as_bytes()).unwrap(), ["fhir/Condition/c1"]);
        let put = r#"{"request":{"method":"PUT","url":"Condition/c1"}}"#;
        assert_eq!(deleted(bundle(&format!("{entry},{put}")).as_bytes()), None);
        assert_eq!(deleted(bundle("").as_bytes()), None);
        assert_eq!(deleted(br#"{"resourceType":"Condition","text":"DELETE"}"#), None);
        assert_eq!(name_of(Format::FhirNdjson, "Condition"), None);
        assert_eq!(
            name_of(Format::Uke, "uke/1/13/medical/1234567/202404/1@202405").unwrap(),
            "uke/1/13/medical/1234567/202404/1@202405"
        );
        assert_eq!(name_of(Format::Dpc, "x"), None);
    }
}
