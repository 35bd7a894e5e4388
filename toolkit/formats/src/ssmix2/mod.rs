//! SS-MIX2 standardized storage: one HL7 v2.5 message per file.
//!
//! Enters: a file's path inside the tree and its bytes. Leaves: [`Parsed`] with the records of the
//! message; the person is `PID-3`. Refuses (`rejected`, no records, no person): a name of another shape, a
//! file too short or too large, no `MSH`, bytes that are not ISO-2022-JP, no `PID-3`, another patient in the path than
//! in `PID-3`, a message of another kind than its folder, a My Number.
//!
//! # History
//! A file whose condition flag is not `1` is history: its records carry `status` (conditions: `action`)
//! = `superseded`, and a patient's basics (`ADT-00`) of such a file give no person, coverage or death
//! record. The rule `ssmix2.superseded` is counted once for the file. A cancelling message (`ADT^A11`,
//! `ORC-1` = `CA` …) gives records with `status` = `cancelled` or the source's code. What a newer file
//! replaces is told by [`FileName::natural_key`]; a reader of one file cannot know.
//!
//! # Diagnoses
//! Each `PPR-01` file is one segment and gives one condition per `PRB`. The diagnoses of a patient are the
//! union over all `PPR-01` files; the newest file is only the current view.

mod allergies;
mod charset;
mod escape;
mod examinations;
mod extended;
mod lab;
mod message;
mod name;
mod orders;
mod problems;
mod visits;

pub use charset::{Decoding, encode};
pub use escape::{escape, unescape};
pub use extended::{is_extended_path, parse_extended};
pub use message::{Field, Message, MessageError, Segment};
pub(crate) use name::split_path;
pub use name::{FileName, NameError};

use crate::{
    arena::Arena,
    record::{Parsed, Text},
    text,
};
use name::Folders;

/// The data type of a patient's basics.
const BASICS: &str = "ADT-00";
/// Shortest message that can be one: its delimiters.
const SHORTEST: usize = 8;

/// What the readers of the message types share.
struct Reading<'m, 'a> {
    name: FileName<'m>,
    message: &'m Message<'m>,
    arena: &'a Arena,
    out: Parsed<'a>,
    cancelled: bool,
}

impl<'a> Reading<'_, 'a> {
    /// The status of a record: history and cancellation win over the source's code.
    fn status(&self, own: Text<'a>) -> Text<'a> {
        if !self.name.is_current() {
            return Some("superseded");
        }
        if self.cancelled {
            return Some("cancelled");
        }
        own
    }
}

/// `OBX[3]`: the third segment of that name.
fn position(name: &str, number: usize) -> String {
    format!("{name}[{number}]")
}

/// A person in `XCN` form: the name, or else the number.
fn practitioner<'a>(segment: &Segment<'_>, field: usize, arena: &'a Arena) -> Text<'a> {
    let first = segment.field(field).repetitions().next()?;
    let name: Vec<_> = [2, 3].into_iter().filter_map(|c| first.component(c)).collect();
    let text = if name.is_empty() { first.component(1)?.into_owned() } else { name.join(" ") };
    Some(arena.text(&text))
}

/// Segments that the reader of a data type takes values from. `None`: the type is not read.
fn segments_read(data_type: &str) -> Option<&'static [&'static str]> {
    Some(match data_type {
        "ADT-00" => &["MSH", "PID", "OBX", "IN1", "AL1"],
        "ADT-61" => &["MSH", "EVN", "PID", "IAM"],
        "ADT-21" | "ADT-31" | "ADT-51" => &["MSH", "EVN", "PID", "PV1", "PV2"],
        "ADT-01" | "ADT-12" | "ADT-22" | "ADT-32" | "ADT-41" | "ADT-42" | "ADT-52" => {
            &["MSH", "EVN", "PID", "PV1"]
        }
        "PPR-01" => &["MSH", "PID", "PRB", "ZPR", "ORC"],
        "OMP-01" | "OMP-02" => &["MSH", "PID", "PV1", "ORC", "RXE", "TQ1", "RXR", "RXC"],
        "OMP-11" | "OMP-12" => &["MSH", "PID", "PV1", "ORC", "RXA", "RXR"],
        "OML-11" => &["MSH", "PID", "PV1", "SPM", "OBR", "OBX"],
        "OML-01" => &["MSH", "PID", "PV1", "ORC", "SPM", "TQ1", "OBR", "OBX"],
        "OMG-01" | "OMG-02" | "OMG-03" => &["MSH", "PID", "PV1", "ORC", "TQ1", "OBR"],
        "OMG-11" | "OMG-12" => &["MSH", "PID", "PV1", "OBR", "IPC"],
        "OMG-13" => &["MSH", "PID", "PV1", "OBR", "OBX"],
        "OMD" => &["MSH", "PID", "PV1", "ORC", "TQ1", "ODS"],
        _ => return None,
    })
}

/// `MSH-9.1` and, for `ADT`, the events of new and cancelling messages.
fn expected_message(data_type: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match data_type {
        "ADT-00" => ("ADT", &["A08", "A23"]),
        "ADT-01" => ("ADT", &["A54", "A55"]),
        "ADT-12" => ("ADT", &["A04"]),
        "ADT-21" => ("ADT", &["A14", "A27"]),
        "ADT-22" => ("ADT", &["A01", "A11"]),
        "ADT-31" => ("ADT", &["A21", "A52"]),
        "ADT-32" => ("ADT", &["A22", "A53"]),
        "ADT-41" => ("ADT", &["A15", "A26"]),
        "ADT-42" => ("ADT", &["A02", "A12"]),
        "ADT-51" => ("ADT", &["A16", "A25"]),
        "ADT-52" => ("ADT", &["A03", "A13"]),
        "ADT-61" => ("ADT", &["A60"]),
        "PPR-01" => ("PPR", &[]),
        "OMP-01" | "OMP-02" => ("RDE", &[]),
        "OMP-11" | "OMP-12" => ("RAS", &[]),
        "OML-01" => ("OML", &[]),
        "OML-11" => ("OUL", &[]),
        "OMG-01" | "OMG-02" | "OMG-03" => ("OMG", &[]),
        "OMG-11" | "OMG-12" => ("OMI", &[]),
        "OMG-13" => ("ORU", &[]),
        "OMD" => ("OMD", &[]),
        _ => return None,
    })
}

const CANCELLING: [&str; 10] =
    ["A11", "A12", "A13", "A23", "A25", "A26", "A27", "A52", "A53", "A55"];

/// May the file of this path give a person, coverage or death record? A first look at who is in a storage needs to
/// parse no other.
pub fn may_tell_of_person(path_in_tree: &str) -> bool {
    FileName::parse(split_path(path_in_tree).1).is_ok_and(|name| name.data_type == BASICS)
}

/// Reads one file of the tree. `path_in_tree` may be a bare file name; folders are compared where the
/// path has them. What is made stands in the arena.
pub fn parse_file<'a>(path_in_tree: &str, bytes: &[u8], arena: &'a Arena) -> Parsed<'a> {
    let (folders, file) = split_path(path_in_tree);
    let mut out = Parsed::default();
    let name = match FileName::parse(file) {
        Ok(name) => Some(name),
        Err(_) => {
            out.reject("ssmix2.name-malformed", "file name");
            None
        }
    };
    if let Some(name) = &name {
        check_folders(name, &folders, &mut out);
    }
    if bytes.len() < SHORTEST {
        out.reject("ssmix2.too-short", "file");
        return out;
    }
    let message = match Message::parse(bytes) {
        Ok(message) => message,
        Err(MessageError::TooLarge) => {
            out.reject("ssmix2.too-large", "file");
            return out;
        }
        Err(MessageError::Delimiters) => {
            out.reject("ssmix2.delimiters", "MSH");
            return out;
        }
        Err(_) => {
            out.reject("ssmix2.no-header", "file");
            return out;
        }
    };
    check_decoding(message.decoding(), &mut out);
    note_segments(&message, name.as_ref(), &mut out);
    let patient = check_patient(&message, name.as_ref(), &mut out);
    check_my_number(&message, &mut out);
    let (Some(name), Some(patient)) = (name, patient) else { return out };
    let Some((kind, events)) = expected_message(name.data_type) else {
        if !out.rejected {
            out.person = Some(arena.text(&patient));
        }
        return out;
    };
    let header = message.first("MSH");
    let (code, event) = header.map_or((None, None), |h| (h.own(9, 1, arena), h.own(9, 2, arena)));
    if code != Some(kind) {
        out.reject("ssmix2.other-message", "MSH");
    }
    if out.rejected {
        return out;
    }
    let event = event.unwrap_or_default();
    if !events.is_empty() && !events.contains(&event) {
        out.note_issue("ssmix2.other-event", "MSH");
    }
    if !name.is_current() {
        out.note_issue("ssmix2.superseded", "file name");
    }
    out.person = Some(arena.text(&patient));
    let cancelled = kind == "ADT" && CANCELLING.contains(&event);
    let mut reading = Reading { name, message: &message, arena, out, cancelled };
    match name.data_type {
        "ADT-00" => visits::basics(&mut reading),
        "PPR-01" => problems::read(&mut reading),
        "OML-11" => lab::read(&mut reading),
        "OMP-01" | "OMP-02" => orders::ordered(&mut reading),
        "OMP-11" | "OMP-12" => orders::administered(&mut reading),
        "ADT-61" => allergies::read(&mut reading),
        "OML-01" | "OMG-01" | "OMG-02" | "OMG-03" | "OMD" => examinations::ordered(&mut reading),
        "OMG-11" | "OMG-12" => examinations::performed(&mut reading),
        "OMG-13" => examinations::measured(&mut reading, "physiology"),
        _ => visits::visit(&mut reading),
    }
    reading.out
}

fn check_folders(name: &FileName<'_>, folders: &Folders<'_>, out: &mut Parsed<'_>) {
    // A path of fewer folders has no tree to compare with.
    let (Some(patient), Some(day)) = (folders.patient, folders.day) else { return };
    let in_tree = day == "-" || (day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()));
    if !in_tree {
        out.note_issue("ssmix2.folder-mismatch", "path");
        return;
    }
    if !same_patient(patient, name.patient) {
        out.reject("ssmix2.pid-mismatch", "path");
    }
    let parts = |a: usize, b: usize| patient.get(a..b);
    let above = match (folders.first, folders.second) {
        (Some(first), Some(second)) if patient.len() >= 6 => {
            parts(0, 3) == Some(first) && parts(3, 6) == Some(second)
        }
        _ => true,
    };
    if !above || day != name.day || folders.data_type != Some(name.data_type) {
        out.note_issue("ssmix2.folder-mismatch", "path");
    }
}

/// Equal, or numbers that differ in zeros in front only.
fn same_patient(a: &str, b: &str) -> bool {
    let bare = |s: &'_ str| s.trim_start_matches('0').len();
    let number = |s: &str| !s.is_empty() && s.bytes().all(|c| c.is_ascii_digit());
    a == b || (number(a) && number(b) && a[a.len() - bare(a)..] == b[b.len() - bare(b)..])
}

fn check_decoding(seen: Decoding, out: &mut Parsed<'_>) {
    if seen.half_width_kana > 0 {
        out.issues.push(issue("ssmix2.half-width-kana", seen.half_width_kana));
    }
    // One character in twenty: then it is another encoding, not a rare name.
    if seen.high_bytes > 0 || u64::from(seen.replaced) * 20 > u64::from(seen.characters) {
        out.issues.push(issue("ssmix2.not-iso-2022-jp", seen.replaced));
        out.records.clear();
        out.rejected = true;
    } else if seen.replaced > 0 {
        out.issues.push(issue("ssmix2.replaced-characters", seen.replaced));
    }
}

fn issue(rule: &'static str, count: u32) -> crate::Issue<'static> {
    crate::Issue { rule, position: "file".into(), count }
}

/// Names what is not read, and counts segments that are none.
fn note_segments(message: &Message<'_>, name: Option<&FileName<'_>>, out: &mut Parsed<'_>) {
    let read = name.and_then(|n| segments_read(n.data_type));
    if let (Some(name), None) = (name, read) {
        let known = name.data_type.len() <= 8
            && name.data_type.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        out.note_unread(if known { name.data_type.to_owned() } else { "data type".to_owned() });
    }
    let mut headers = 0;
    for (index, segment) in message.segments() {
        if !segment.has_plain_name() {
            out.note_issue("ssmix2.segment-malformed", format!("segment {}", index + 1));
            continue;
        }
        headers += usize::from(segment.name() == "MSH");
        if !read.unwrap_or(&["MSH", "PID"]).contains(&segment.name()) {
            out.note_unread(segment.name().to_owned());
        }
    }
    if headers > 1 {
        out.note_issue("ssmix2.second-header", "MSH[2]");
    }
}

/// `PID-3`, if it is there, is the only one, and is the path's.
fn check_patient(
    message: &Message<'_>,
    name: Option<&FileName<'_>>,
    out: &mut Parsed<'_>,
) -> Option<String> {
    let mut patient: Option<String> = None;
    let segments = message.segments().map(|(_, s)| s).filter(|s| s.name() == "PID");
    for (number, segment) in segments.enumerate() {
        match (segment.get(3, 1), &patient) {
            (Some(id), None) => patient = Some(id.into_owned()),
            (Some(id), Some(first)) if *first != id => {
                out.reject("ssmix2.pid-mismatch", position("PID", number + 1));
            }
            (None, Some(_)) => out.note_issue("ssmix2.empty-segment", position("PID", number + 1)),
            _ => {}
        }
    }
    let Some(patient) = patient else {
        out.reject("ssmix2.no-patient", "PID");
        return None;
    };
    if let Some(name) = name {
        if !same_patient(name.patient, &patient) {
            out.reject("ssmix2.pid-mismatch", "PID");
        } else if name.patient != patient {
            out.note_issue("ssmix2.pid-zeros", "PID");
        }
    }
    Some(patient)
}

/// A My Number in any field that holds an identifier puts the file into quarantine.
fn check_my_number(message: &Message<'_>, out: &mut Parsed<'_>) {
    for (_, segment) in message.segments() {
        let fields: &[usize] = match segment.name() {
            "PID" => &[2, 3, 4, 5, 11, 13, 14, 18, 19, 20, 21, 26],
            "NK1" => &[2, 4, 5, 6, 33, 37],
            "PV1" => &[5, 19, 50],
            "IN1" => &[3, 10, 11, 16, 19, 36, 49],
            "ZI1" => &[3, 10, 11, 19],
            _ => continue,
        };
        for field in fields {
            if text::holds_my_number(segment.field(*field).raw()) {
                out.reject("my-number", format!("{}-{field}", segment.name()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
