//! The holder's lists of what it takes back (`retractions.csv`) and of persons it had wrong (`corrections.csv`).
//!
//! Both are CSV with a header, UTF-8, and stay beside the lists of notices and stops: a row is sent with every
//! delivery and applied once. A list that is half readable stops everything, at the holder and at the producer.

use std::fmt::Write as _;

use kiban_formats::{Format, source};
use kiban_kernel::{Date, Digest, Id, kinds, parse_date};

use crate::notices::{ListError, Row, each, field, open};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// A record of the source that is taken back.
#[derive(Clone, PartialEq, Eq)]
pub struct Retraction {
    /// The holder's key of the person; empty for a FHIR deletion, which names none.
    pub local_id: String,
    /// Format of the file it came in.
    pub format: Format,
    /// The source's name of the record, as [`source::name_of`] gives it.
    pub record: String,
    /// Why, in the holder's words.
    pub reason: String,
    /// Day on which the holder took it back.
    pub on: Date,
}

/// What was wrong about persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionKind {
    /// Two local ids are one person.
    SamePerson,
    /// Records of two persons were kept under one local id.
    TwoPersons,
    /// Records of one person were delivered under the local id of another.
    WrongPatient,
}

impl CorrectionKind {
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SamePerson => "same_person",
            Self::TwoPersons => "two_persons",
            Self::WrongPatient => "wrong_patient",
        }
    }
    /// The kind of a text form.
    pub fn of(text: &str) -> Option<Self> {
        [Self::SamePerson, Self::TwoPersons, Self::WrongPatient]
            .into_iter()
            .find(|k| k.as_str() == text)
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::SamePerson => "番号の統合（二つの番号が同一人）",
            Self::TwoPersons => "番号の分離（一つの番号に二人）",
            Self::WrongPatient => "患者の取違え",
        }
    }
    /// Does the record of the one stay apart from the other's, and what was sent under `from` leave use?
    pub fn parts(self) -> bool {
        self != Self::SamePerson
    }
}

/// A correction of persons.
#[derive(Clone, PartialEq, Eq)]
pub struct Correction {
    /// What was wrong.
    pub kind: CorrectionKind,
    /// The local id that is given up, held two persons, or was wrongly written on the records.
    pub from: String,
    /// The local id that stays, of the second person, or to whom the records belong.
    pub to: String,
    /// Only what came in this delivery; none: everything sent under `from` so far.
    pub delivery: Option<Id<kinds::Delivery>>,
    /// Why, in the holder's words.
    pub reason: String,
    /// Day of the holder's correction.
    pub on: Date,
}

impl std::fmt::Debug for Retraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Retraction({}, {})", self.format.as_str(), self.on)
    }
}
impl std::fmt::Debug for Correction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Correction({}, {})", self.kind.as_str(), self.on)
    }
}

impl Retraction {
    /// Identifies the row: the same row sent again has the same one.
    pub fn digest(&self) -> Digest {
        Digest::of(retraction_line(self).as_bytes())
    }
}
impl Correction {
    /// Identifies the row: the same row sent again has the same one.
    pub fn digest(&self) -> Digest {
        Digest::of(correction_line(self).as_bytes())
    }
}

fn reason(row: &Row<'_>) -> Result<String, ListError> {
    let reason = row.text("reason")?;
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(row.error("reason"));
    }
    Ok(reason.into_owned())
}

const RETRACTION_COLUMNS: [&str; 5] = ["local_id", "format", "record", "reason", "on"];

/// Reads `retractions.csv`: `local_id,format,record,reason,on`. `record` is an SS-MIX2 file name, `Type/id` of a FHIR
/// resource, or a claim's name as `kiban intake history` prints it.
///
/// # Errors
/// The first line and column that cannot be read.
pub fn parse_retractions(bytes: &[u8]) -> Result<Vec<Retraction>, ListError> {
    let mut out = Vec::new();
    each(open(bytes, &RETRACTION_COLUMNS, &[])?, |row| {
        let format = Format::of_name(&row.text("format")?).ok_or_else(|| row.error("format"))?;
        let text = row.text("record")?;
        // As it travels, or as people write it.
        let record = if text.starts_with("ssmix2/") {
            Some(text.clone().into_owned())
        } else {
            source::name_of(format, &text)
        };
        let record = record.ok_or_else(|| row.error("record"))?;
        let local_id = row.text("local_id")?.into_owned();
        // Whose it is decides whether the row may travel.
        if local_id.is_empty()
            && (!record.starts_with("fhir/") || record.starts_with("fhir/Patient/"))
        {
            return Err(row.error("local_id"));
        }
        let patient = record.strip_prefix("ssmix2/").and_then(|r| r.split('/').next());
        if patient.is_some_and(|p| p != local_id) {
            return Err(row.error("record"));
        }
        out.push(Retraction {
            local_id,
            format,
            record,
            reason: reason(row)?,
            on: parse_date(&row.text("on")?).map_err(|_| row.error("on"))?,
        });
        Ok(())
    })?;
    Ok(out)
}

const CORRECTION_COLUMNS: [&str; 5] = ["kind", "from", "to", "reason", "on"];

/// Reads `corrections.csv`: `kind,from,to,reason,on` and, if wanted, `delivery`.
///
/// # Errors
/// The first line and column that cannot be read.
pub fn parse_corrections(bytes: &[u8]) -> Result<Vec<Correction>, ListError> {
    let mut out = Vec::new();
    each(open(bytes, &CORRECTION_COLUMNS, &["delivery"])?, |row| {
        let id = |column: &'static str| match row.text(column)? {
            id if id.is_empty() => Err(row.error(column)),
            id => Ok(id.into_owned()),
        };
        let (from, to) = (id("from")?, id("to")?);
        if from == to {
            return Err(row.error("to"));
        }
        out.push(Correction {
            kind: CorrectionKind::of(&row.text("kind")?).ok_or_else(|| row.error("kind"))?,
            from,
            to,
            delivery: match &*row.text("delivery")? {
                "" => None,
                id => Some(id.parse().map_err(|_| row.error("delivery"))?),
            },
            reason: reason(row)?,
            on: parse_date(&row.text("on")?).map_err(|_| row.error("on"))?,
        });
        Ok(())
    })?;
    Ok(out)
}

fn retraction_line(r: &Retraction) -> String {
    let [id, record, reason] = [&r.local_id, &r.record, &r.reason].map(|t| field(t));
    format!("{id},{},{record},{reason},{}\n", r.format.as_str(), r.on)
}

fn correction_line(c: &Correction) -> String {
    let [from, to, reason] = [&c.from, &c.to, &c.reason].map(|t| field(t));
    let delivery = c.delivery.map(|d| d.to_string()).unwrap_or_default();
    format!("{},{from},{to},{reason},{},{delivery}\n", c.kind.as_str(), c.on)
}

/// Writes `retractions.csv` as it travels in a bundle.
pub fn write_retractions<'a>(rows: impl IntoIterator<Item = &'a Retraction>) -> String {
    let mut out = format!("{}\n", RETRACTION_COLUMNS.join(","));
    for row in rows {
        let _ = write!(out, "{}", retraction_line(row));
    }
    out
}

/// Writes `corrections.csv` as it travels in a bundle.
pub fn write_corrections<'a>(rows: impl IntoIterator<Item = &'a Correction>) -> String {
    let mut out = format!("{},delivery\n", CORRECTION_COLUMNS.join(","));
    for row in rows {
        let _ = write!(out, "{}", correction_line(row));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_round_trip_and_name_what_they_cannot_read() {
        let text = "local_id,format,record,reason,on\n\
                    P1,ssmix2,P1_20240102_OML-11_0001_20240102101500000_01_1,取消,2024-02-01\n\
                    ,fhir_ndjson,Condition/c1,\"a,b\",2024-02-01\n";
        let rows = parse_retractions(text.as_bytes()).unwrap();
        assert_eq!(rows[1].record, "fhir/Condition/c1");
        assert_eq!(parse_retractions(write_retractions(&rows).as_bytes()).unwrap(), rows);
        assert_ne!(rows[0].digest(), rows[1].digest());
        let bad = text.replace("Condition/c1", "c1");
        let error = |line, column| ListError { line, column };
        assert_eq!(parse_retractions(bad.as_bytes()), Err(error(3, "record")));

        let text = "kind,from,to,reason,on,delivery\n\
                    same_person,A,B,名寄せ,2024-02-01,\n\
                    wrong_patient,A,C,取違え,2024-02-01,dlv_00000000000000000000000001\n";
        let rows = parse_corrections(text.as_bytes()).unwrap();
        assert!(!rows[0].kind.parts() && rows[1].kind.parts() && rows[1].delivery.is_some());
        assert_eq!(parse_corrections(write_corrections(&rows).as_bytes()).unwrap(), rows);
        let same = text.replace("A,B", "A,A");
        assert_eq!(parse_corrections(same.as_bytes()), Err(error(2, "to")));
        let none = text.replace("名寄せ", "");
        assert_eq!(parse_corrections(none.as_bytes()), Err(error(2, "reason")));
        assert!(!format!("{rows:?}").contains('A'));
    }
}
