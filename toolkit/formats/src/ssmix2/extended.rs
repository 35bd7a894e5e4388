//! SS-MIX2 extended storage (拡張ストレージ): a folder per document, with its files.
//!
//! Enters: the path of a file in the tree and its bytes. Leaves: [`Parsed`]: one document record that says what the file is; of
//! an HL7 message (vital signs) also its measurements. The person is the patient in the folder's name. Refuses (`rejected`): a
//! folder of another shape, another patient in the message than in the folder, a My Number in the message.
//!
//! What is in a PDF, a picture or a CDA document stays in the bytes: it is named, not read.

use super::{
    FileName, Message, Reading, check_decoding, check_my_number, check_patient, examinations,
};
use crate::{
    arena::Arena,
    record::{DocumentRecord, Parsed},
    xml,
};

/// The folder of a path whose name is that of an extended storage, made plain.
fn folder(path: &str) -> Option<String> {
    let mut parts = path.rsplit(['/', '\\']).filter(|p| !p.is_empty() && *p != ".");
    parts.next()?;
    parts.find_map(|part| {
        // Some tools write the circumflex of a code otherwise.
        let plain = part.replace("%5E", "^").replace("%5e", "^").replace('＾', "^");
        FileName::parse(&plain).is_ok().then_some(plain)
    })
}

/// Is it the path of a file in an extended storage?
pub fn is_extended_path(path_in_tree: &str) -> bool {
    folder(path_in_tree).is_some()
}

/// What the bytes are, by their beginning, else by the name.
fn media_type(name: &str, bytes: &[u8]) -> &'static str {
    let dicom = bytes.get(128..132) == Some(b"DICM");
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    if dicom {
        "application/dicom"
    } else if starts(b"%PDF") {
        "application/pdf"
    } else if starts(b"MSH|") {
        "application/hl7-v2"
    } else if starts(b"\xFF\xD8\xFF") {
        "image/jpeg"
    } else if starts(b"\x89PNG") {
        "image/png"
    } else if starts(b"II*\0") || starts(b"MM\0*") {
        "image/tiff"
    } else if starts(b"PK\x03\x04") {
        "application/zip"
    } else if text.starts_with(b"<") {
        if xml::root_name(&bytes[..bytes.len().min(4096)]).as_deref() == Some("html") {
            "text/html"
        } else {
            "application/xml"
        }
    } else {
        match name.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
            Some("txt") => "text/plain",
            Some("csv") => "text/csv",
            Some("json") => "application/json",
            _ => "application/octet-stream",
        }
    }
}

/// Reads one file of the extended storage. `path_in_tree` must have the document's folder. What is made stands in the arena.
pub fn parse_extended<'a>(path_in_tree: &str, bytes: &[u8], arena: &'a Arena) -> Parsed<'a> {
    let Some(folder) = folder(path_in_tree) else {
        return Parsed::rejected("ssmix2.extended-name", "path");
    };
    let Ok(name) = FileName::parse(&folder) else {
        return Parsed::rejected("ssmix2.extended-name", "path");
    };
    if crate::text::holds_my_number(name.patient) {
        return Parsed::rejected("my-number", "path");
    }
    let file = path_in_tree.rsplit(['/', '\\']).next().unwrap_or("");
    let media = media_type(file, bytes);
    let mut out = Parsed { person: Some(arena.text(name.patient)), ..Parsed::default() };
    if bytes.is_empty() {
        out.note_issue("ssmix2.empty-document", "file");
    }
    // code^text^system^other code^other text^other system
    let part = |n: usize| name.data_type.split('^').nth(n).map(str::trim).filter(|p| !p.is_empty());
    let triple = if part(0).is_some() { [0, 1, 2] } else { [3, 4, 5] };
    let [code, text, system] = triple.map(|n| part(n).map(|p| arena.text(p)));
    let mut document = DocumentRecord {
        position: "file".into(),
        text: text.or_else(|| part(1).map(|p| arena.text(p))),
        code,
        code_system: system,
        title: None,
        media_type: Some(media),
        size: Some(arena.text(&bytes.len().to_string())),
        // To the second: milliseconds without a point are no time of HL7.
        written_at: Some(arena.text(&name.arisen[..14])),
        status: (!name.is_current()).then_some("superseded"),
        ..DocumentRecord::default()
    };
    if !name.is_current() {
        out.note_issue("ssmix2.superseded", "path");
    }
    match media {
        "application/hl7-v2" => return message(name, document, bytes, arena, out),
        "application/xml" => {
            let made = Arena::new();
            if let Ok(text) = xml::decode(bytes)
                && let Ok(cda) = xml::Document::parse(&text, &made)
            {
                document.title = cda.root().child_text("title").map(|title| arena.text(title));
            }
            out.note_unread("拡張ストレージ.XML文書の本文");
        }
        other => out.note_unread(format!("拡張ストレージ.{other}")),
    }
    out.records.push(arena.record(document));
    out
}

/// A message beside or instead of a document: its observations are measurements.
fn message<'a>(
    name: FileName<'_>,
    document: DocumentRecord<'a>,
    bytes: &[u8],
    arena: &'a Arena,
    mut out: Parsed<'a>,
) -> Parsed<'a> {
    let Ok(message) = Message::parse(bytes) else {
        return Parsed::rejected("ssmix2.no-header", "file");
    };
    check_decoding(message.decoding(), &mut out);
    check_patient(&message, Some(&name), &mut out);
    check_my_number(&message, &mut out);
    for (_, segment) in message.segments().filter(|(_, s)| s.has_plain_name()) {
        if !["MSH", "PID", "PV1", "OBR", "OBX"].contains(&segment.name()) {
            out.note_unread(segment.name().to_owned());
        }
    }
    if out.rejected {
        out.person = None;
        return out;
    }
    let vital = name.data_type.contains("L-OBSERVATIONS");
    let has_results = message.first("OBX").is_some();
    out.records.push(arena.record(document));
    let mut reading = Reading { name, message: &message, arena, out, cancelled: false };
    if has_results {
        examinations::measured(&mut reading, if vital { "vital" } else { "observation" });
    } else {
        reading.out.note_unread("拡張ストレージ.HL7メッセージの本文");
    }
    reading.out
}
