//! Personal health records: the export of a telephone's health store (HealthKit `export.xml`).
//!
//! Enters: the file line by line, with the key under which the holder knows the person: the export names nobody. Leaves:
//! [`Parsed`] per line; a `Record` is a measurement of category `phr`, `Me` the person. Refuses: a line longer than 1 MiB,
//! a My Number. The export may have gigabytes: one line is in memory at a time. Its inline document type is passed over, never used.
//!
//! Not read, and named: `sourceName` and `device` (they hold the owner's name), records inside a `Correlation` (the export
//! repeats them), workouts, routes and electrocardiograms (they tell where the person was).

use crate::{
    arena::Arena,
    record::{MeasurementRecord, Parsed, PersonRecord},
    text,
    xml::Document,
};

/// Longest line.
const MAX_LINE: usize = 1 << 20;

/// Code system of the types.
pub const SYSTEM: &str = "apple-healthkit";

/// Reads the lines of one export, in their order.
#[derive(Debug, Clone)]
pub struct Reader {
    person: String,
    /// Behind the document type.
    started: bool,
    correlation: bool,
}

/// Is this the beginning of such an export?
pub fn is_export(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(b"<?xml") && memchr::memmem::find(first_bytes, b"HealthData").is_some()
}

impl Reader {
    /// A reader for the export of this person.
    pub fn new(person: &str) -> Self {
        Self { person: person.to_owned(), started: false, correlation: false }
    }

    /// Reads the next line. `line_no` appears in positions. What is made stands in the arena.
    pub fn parse_line<'a>(&mut self, line: &'a [u8], line_no: u64, arena: &'a Arena) -> Parsed<'a> {
        let at = || format!("line {line_no}");
        if line.len() > MAX_LINE {
            return Parsed::rejected("phr.too-long", at());
        }
        let Ok(line) = std::str::from_utf8(line) else {
            return self.malformed(at(), arena);
        };
        let line = line.trim();
        self.started |= line.starts_with("<HealthData");
        let tag = line.strip_prefix('<').unwrap_or("");
        let name: &str =
            &tag[..tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len())];
        if !self.started || line.is_empty() || line.starts_with("<HealthData") {
            return Parsed::default();
        }
        match name {
            // An end tag.
            "" if tag.starts_with('/') => {
                self.correlation &= !tag.starts_with("/Correlation");
                Parsed::default()
            }
            "Record" if self.correlation => self.unread("Correlation/Record", arena),
            "Record" | "Me" => self.element(line, line_no, arena),
            "Correlation" => {
                self.correlation = !line.ends_with("/>");
                self.unread("Correlation", arena)
            }
            "ExportDate" => Parsed::default(),
            "MetadataEntry"
            | "Workout"
            | "WorkoutEvent"
            | "WorkoutRoute"
            | "WorkoutStatistics"
            | "FileReference"
            | "ActivitySummary"
            | "ClinicalRecord"
            | "Audiogram"
            | "SensitivityPoint"
            | "VisionPrescription"
            | "InstantaneousBeatsPerMinute"
            | "HeartRateVariabilityMetadataList" => self.unread(name, arena),
            _ => self.unread("?", arena),
        }
    }

    fn of_person<'a>(&self, arena: &'a Arena) -> Parsed<'a> {
        Parsed { person: Some(arena.text(&self.person)), ..Parsed::default() }
    }

    fn unread<'a>(&self, name: &str, arena: &'a Arena) -> Parsed<'a> {
        let mut out = self.of_person(arena);
        out.note_unread(name.to_owned());
        out
    }

    fn malformed<'a>(&self, at: String, arena: &'a Arena) -> Parsed<'a> {
        let mut out = self.of_person(arena);
        out.note_issue("phr.malformed", at);
        out
    }

    /// One element with its attributes; elements inside it stand on lines of their own.
    fn element<'a>(&self, line: &'a str, line_no: u64, arena: &'a Arena) -> Parsed<'a> {
        let at = || format!("line {line_no}");
        let closed = match line.strip_suffix("/>") {
            Some(_) => line,
            None => arena.text(&format!("{}/>", line.strip_suffix('>').unwrap_or(line))),
        };
        let Ok(document) = Document::parse(closed, arena) else {
            return self.malformed(at(), arena);
        };
        let root = document.root();
        let own = |name: &str| root.value(name);
        let mut out = self.of_person(arena);
        for name in ["sourceName", "sourceVersion", "device", "creationDate"] {
            if root.attribute(name).is_some() {
                out.note_unread(format!("Record.{name}"));
            }
        }
        if root.name() == "Me" {
            let characteristic = |name: &str| own(&format!("HKCharacteristicTypeIdentifier{name}"));
            let person = PersonRecord {
                position: arena.text(&at()).into(),
                birth_on: characteristic("DateOfBirth"),
                sex: characteristic("BiologicalSex").map(|s| match s {
                    "HKBiologicalSexMale" => "M",
                    "HKBiologicalSexFemale" => "F",
                    "HKBiologicalSexOther" => "O",
                    "HKBiologicalSexNotSet" => "U",
                    _ => s,
                }),
                ..PersonRecord::default()
            };
            if characteristic("BloodType").is_some() {
                out.note_unread("Me.BloodType");
            }
            out.records.push(arena.record(person));
            return out;
        }
        let value = own("value");
        if value.is_some_and(text::holds_my_number) {
            return Parsed::rejected("my-number", at());
        }
        let found = value.and_then(text::quantity);
        let record = MeasurementRecord {
            position: arena.text(&at()).into(),
            category: Some("phr"),
            code: own("type"),
            code_system: Some(SYSTEM),
            value_num: found.map(|f| arena.keep(f.number)),
            value_text: value,
            unit: own("unit"),
            measured_at: own("startDate").map(|time| iso(time, arena)),
            ..MeasurementRecord::default()
        };
        if own("endDate").map(|time| iso(time, arena)) != record.measured_at {
            out.note_unread("Record.endDate");
        }
        out.records.push(arena.record(record));
        out
    }
}

/// `2024-04-01 07:03:21 +0900` as ISO 8601 spells the same instant; any other text stays.
fn iso<'a>(time: &'a str, arena: &'a Arena) -> &'a str {
    let s = time.as_bytes();
    let plain = s.len() == 25 && s.is_ascii() && s[10] == b' ' && s[19] == b' ';
    if plain && matches!(s[20], b'+' | b'-') {
        let (day, clock, zone) = (&time[..10], &time[11..19], &time[20..23]);
        return arena.text(&format!("{day}T{clock}{zone}:{}", &time[23..]));
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    #[test]
    fn an_export_is_read_line_by_line() {
        let export = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,Record*)>
]>
<HealthData locale="ja_JP">
 <ExportDate value="2024-05-01 10:00:00 +0900"/>
 <Me HKCharacteristicTypeIdentifierDateOfBirth="1970-01-02" HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexFemale"/>
 <Record type="HKQuantityTypeIdentifierStepCount" sourceName="花子のiPhone" unit="count" startDate="2024-04-01 07:03:21 +0900" endDate="2024-04-01 07:08:00 +0900" value="120"/>
 <Record type="HKQuantityTypeIdentifierHeartRate" unit="count/min" startDate="2024-04-01 07:03:21 +0900" endDate="2024-04-01 07:03:21 +0900" value="61">
  <MetadataEntry key="a" value="1"/>
 </Record>
 <Correlation type="HKCorrelationTypeIdentifierBloodPressure">
  <Record type="HKQuantityTypeIdentifierBloodPressureSystolic" value="120"/>
 </Correlation>
 <Workout workoutActivityType="HKWorkoutActivityTypeWalking"/>
 <Record type="x" value="
</HealthData>"#;
        assert!(is_export(export.as_bytes()));
        let mut reader = Reader::new("p1");
        let arena = Arena::new();
        let mut records = Vec::new();
        let mut unread = Vec::new();
        let mut issues = Vec::new();
        for (index, line) in export.lines().enumerate() {
            let parsed = reader.parse_line(line.as_bytes(), index as u64 + 1, &arena);
            records.extend(parsed.records);
            unread.extend(parsed.unread.into_iter().map(std::borrow::Cow::into_owned));
            issues.extend(parsed.issues.into_iter().map(|i| i.rule));
        }
        let tables: Vec<_> = records.iter().map(|r| (r.table(), r.position().words())).collect();
        assert_eq!(
            tables,
            [("person", "line 7"), ("measurement", "line 8"), ("measurement", "line 9")]
        );
        unread.sort();
        unread.dedup();
        assert_eq!(
            unread,
            [
                "Correlation",
                "Correlation/Record",
                "MetadataEntry",
                "Record.endDate",
                "Record.sourceName",
                "Workout"
            ]
        );
        assert_eq!(issues, ["phr.malformed"]);
        let Record::Measurement(m) = &records[1] else { panic!() };
        assert_eq!(m.measured_at, Some("2024-04-01T07:03:21+09:00"));
        let mut shown = String::new();
        records[1].for_each(|_, v| shown.push_str(v.unwrap_or("")));
        assert!(!shown.contains("花子"));
        assert!(reader.parse_line(&vec![b'x'; MAX_LINE + 1], 9, &arena).rejected);
        let secret = br#"<Record type="x" value="123456789018"/>"#;
        assert_eq!(reader.parse_line(secret, 9, &arena).issues[0].rule, "my-number");
    }
}
