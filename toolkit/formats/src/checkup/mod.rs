//! Specific health check-ups (特定健診), guidance (特定保健指導) and late-stage elderly check-ups as XML of version 08: a
//! subset of HL7 CDA R2, one person and one check-up per file.
//!
//! Enters: the bytes of one file. Leaves: [`Parsed`]: a person, and one check-up record per item; the person's key is
//! `insurer:symbol:number:branch` with full-width letters made narrow, as electronic medical record sharing writes it.
//! Refuses (`rejected`): what [`crate::xml`] refuses, another root, no number of the insured, two persons in one file, a My
//! Number.
//!
//! Files are told apart by their root element, not by their name: `ClinicalDocument` (check-up, guidance),
//! `checkupClaim` and `guidanceClaim` (payment: the person is read, amounts are named in `unread`), `index` and
//! `summary` (no person, no records).
//!
//! Layout: 特定健診の電子的なデータ標準様式 第4期 (schemas `hc08`, `hg08`, `cc08`, `gc08`, `ix08`, `su08`). The answers of
//! some questions changed their meaning in fiscal year 2024 (smoking, alcohol): the code system of the answer is kept with
//! its code.

mod items;
mod person;

pub use items::{Item, ItemTable, ItemTableError, KEY_ITEMS};

use crate::{
    arena::Arena,
    record::{CheckupRecord, Parsed, Text},
    text,
    xml::{self, Document, Element},
};

/// The code system of the items where a file names none.
pub const ITEM_SYSTEM: &str = "urn:oid:1.2.392.200119.6.1005";

/// Root elements of the files of an archive.
const ROOTS: [&str; 5] = ["ClinicalDocument", "checkupClaim", "guidanceClaim", "index", "summary"];

/// Is a file with this root element one of a check-up archive?
pub fn is_root(name: &str) -> bool {
    ROOTS.contains(&name)
}

/// Reads one file. What is made stands in the arena.
pub fn parse_file<'a>(bytes: &'a [u8], arena: &'a Arena) -> Parsed<'a> {
    read_file(bytes, arena, |text| parse_text(text, arena))
}

/// As [`parse_file`], but of a check-up only what stands before its items: for a first look at who it is about.
pub fn parse_person<'a>(bytes: &'a [u8], arena: &'a Arena) -> Parsed<'a> {
    read_file(bytes, arena, |text| match Document::parse_head(text, "component", arena) {
        Ok(document) if document.root().name() == "ClinicalDocument" => {
            let mut out = Parsed::default();
            person::of_document(document.root(), &mut out);
            // A head behind the items is none, but whoever writes one is still to be asked about.
            if out.rejected { parse_text(text, arena) } else { out }
        }
        Ok(_) | Err(_) => parse_text(text, arena),
    })
}

fn read_file<'a>(
    bytes: &'a [u8],
    arena: &'a Arena,
    read: impl FnOnce(&'a str) -> Parsed<'a>,
) -> Parsed<'a> {
    match xml::decode(bytes) {
        Ok(text) => read(arena.keep(text)),
        Err(error) => Parsed::rejected(error.rule(), error.position()),
    }
}

fn parse_text<'a>(text: &'a str, arena: &'a Arena) -> Parsed<'a> {
    let document = match Document::parse(text, arena) {
        Ok(document) => document,
        Err(error) => return Parsed::rejected(error.rule(), error.position()),
    };
    let root = document.root();
    let mut out = Parsed::default();
    match root.name() {
        "ClinicalDocument" => {
            person::of_document(root, &mut out);
            if !out.rejected {
                body(root, &mut out);
            }
        }
        "checkupClaim" | "guidanceClaim" => person::of_claim(root, &mut out),
        "index" | "summary" => out.note_unread(root.name()),
        _ => return Parsed::rejected("checkup.root", "file"),
    }
    document.unread(|parent, name| out.note_unread_in(parent, name));
    out
}

/// What holds for all items of a document.
struct Context<'a> {
    examined_on: Text<'a>,
    institution: Text<'a>,
    program: Text<'a>,
}

fn body<'a>(root: Element<'_, 'a>, out: &mut Parsed<'a>) {
    let event = root.path(&["documentationOf", "serviceEvent"]);
    let context = Context {
        examined_on: event.and_then(|e| e.child("effectiveTime")).and_then(time),
        institution: event
            .and_then(|e| e.path(&["performer", "assignedEntity", "representedOrganization", "id"]))
            .and_then(|id| id.value("extension")),
        program: event
            .and_then(|e| e.child("code"))
            .or_else(|| root.child("code"))
            .and_then(|c| c.value("code")),
    };
    if context.examined_on.is_none() {
        out.note_issue("checkup.no-date", "documentationOf");
    }
    // Constants of the format, which tell nothing about the person.
    for name in ["typeId", "realmCode", "templateId", "confidentialityCode", "languageCode"] {
        root.all(name).for_each(|e| e.mark());
    }
    let Some(structured) = root.path(&["component", "structuredBody"]) else {
        out.note_issue("checkup.no-item", "component");
        return;
    };
    let before = out.records.len();
    let mut number = 0;
    for section in structured.all("component").flat_map(|c| c.all("section")) {
        for name in ["code", "title"] {
            section.child(name);
        }
        for entry in section.all("entry") {
            number += 1;
            for statement in entry.children() {
                read(statement, &context, context.examined_on, number, out, 0);
            }
        }
    }
    if out.records.len() == before {
        out.note_issue("checkup.no-item", "component");
    }
}

/// A time as point or interval: its value, else its beginning.
fn time<'a>(e: Element<'_, 'a>) -> Text<'a> {
    e.value("value").or_else(|| e.child("low").and_then(|low| low.value("value")))
}

/// An `observation`, or an `act` that groups some.
fn read<'a>(
    statement: Element<'_, 'a>,
    context: &Context<'a>,
    examined_on: Text<'a>,
    number: usize,
    out: &mut Parsed<'a>,
    depth: usize,
) {
    let own = statement.child("effectiveTime").and_then(time);
    let examined_on = own.or(examined_on);
    if statement.name() == "observation" {
        observation(statement, context, examined_on, number, out);
    } else if depth == 0 && statement.child("entryRelationship").is_none() {
        out.note_unread_in("entry", statement.name());
    }
    for part in statement.all("entryRelationship").flat_map(|r| r.children()) {
        if matches!(part.name(), "observation" | "act") {
            read(part, context, examined_on, number, out, depth + 1);
        }
    }
}

fn observation<'a>(
    o: Element<'_, 'a>,
    context: &Context<'a>,
    examined_on: Text<'a>,
    number: usize,
    out: &mut Parsed<'a>,
) {
    let code = o.child("code");
    let item_code = code.and_then(|c| c.value("code"));
    let arena = o.arena();
    let at = arena.text(&format!("entry[{number}]"));
    if item_code.is_none() {
        out.note_issue("checkup.no-code", at);
    }
    let null = |e: Element<'_, 'a>| e.value("nullFlavor");
    let negated = o.attribute("negationInd").is_some_and(|n| n == "true");
    let range = o.path(&["referenceRange", "observationRange", "value"]);
    let mut base = CheckupRecord {
        position: at.into(),
        code_system: Some(code.and_then(|c| c.value("codeSystem")).map_or(ITEM_SYSTEM, |system| {
            match system.strip_prefix("1.2.392.200119.6.1005") {
                Some("") => ITEM_SYSTEM,
                _ => arena.text(&format!("urn:oid:{system}")),
            }
        })),
        text: code.and_then(|c| c.value("displayName")),
        item_code,
        examined_on,
        institution: context.institution,
        program: context.program,
        flag: o.child("interpretationCode").and_then(|c| c.value("code")),
        method: o.child("methodCode").and_then(|c| c.value("code")),
        reference_range: range.and_then(interval),
        status: if negated { Some("not-done") } else { null(o) },
        ..CheckupRecord::default()
    };
    let mut values = o.all("value").peekable();
    if values.peek().is_none() {
        // A heading of a group of items has neither value nor status of its own.
        if base.status.is_some() || o.child("entryRelationship").is_none() {
            out.records.push(arena.record(base));
        }
        return;
    }
    let mut index = 0;
    while let Some(value) = values.next() {
        // The last value, nearly always the only one, takes the record itself.
        let mut record = if values.peek().is_none() { std::mem::take(&mut base) } else { base };
        index += 1;
        if index > 1 {
            record.position = arena.text(&format!("entry[{number}] value[{index}]")).into();
        }
        record.status = record.status.or_else(|| null(value));
        read_value(value, &mut record);
        if record.value_text.is_none() && record.status.is_none() {
            out.note_issue("checkup.no-value", record.position);
        }
        out.records.push(arena.record(record));
    }
}

/// `PQ`, `CD`, `CO`, `ST` and their kin.
fn read_value<'a>(value: Element<'_, 'a>, record: &mut CheckupRecord<'a>) {
    let kind = value.attribute("type").unwrap_or_default();
    match kind.rsplit(':').next().unwrap_or("") {
        "CD" | "CO" | "CE" | "CV" | "CS" => {
            record.value_code = value.value("code");
            record.value_system = value.value("codeSystem");
            record.value_text = value
                .value("displayName")
                .or_else(|| value.child_text("originalText"))
                .or(record.value_code);
        }
        "ST" | "ED" | "SC" => record.value_text = value.text(),
        "IVL_PQ" | "RTO" => record.value_text = interval(value),
        _ => {
            record.value_text = value.value("value").or_else(|| value.text());
            record.unit = value.value("unit");
            if let Some(found) = record.value_text.and_then(text::quantity) {
                record.comparator = found.comparator;
                record.value_num = Some(value.arena().keep(found.number));
            }
        }
    }
}

/// `low-high` of an interval; either end may be missing.
fn interval<'a>(value: Element<'_, 'a>) -> Text<'a> {
    let end = |name: &str| value.child(name).and_then(|e| e.value("value"));
    match (end("low"), end("high")) {
        (None, None) => value.value("value"),
        (low, high) => Some(value.arena().text(&format!(
            "{}-{}",
            low.unwrap_or_default(),
            high.unwrap_or_default()
        ))),
    }
}

#[cfg(test)]
mod tests;
