//! Imaging studies and documents.

use super::{Place, actor, at, begin, concept, encounter_id, t};
use crate::{
    fhir::{
        json::Str,
        view::{Composition, DocumentReference, Identifier, ImagingStudy},
    },
    record::{DocumentRecord, ImagingStudyRecord, Parsed, Text},
};

pub(in crate::fhir) fn imaging_study<'a>(i: ImagingStudy<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(i.subject.as_ref(), i.modified, i.unread, place);
    if out.rejected {
        return out;
    }
    let mut identifiers = i.identifier.unwrap_or_default();
    let mut pull = |fits: fn(&Identifier<'_>) -> bool| -> Text<'a> {
        let at = identifiers.iter().position(fits)?;
        t(arena, identifiers.swap_remove(at).value)
    };
    let study_uid = pull(|i| i.system.as_ref().is_some_and(|s| s.as_str() == "urn:dicom:uid"));
    let accession_no = pull(|i| {
        let codings = i.kind.as_ref().and_then(|k| k.coding.as_deref()).unwrap_or_default();
        codings.iter().any(|c| c.code.as_ref().is_some_and(|c| c.as_str() == "ACSN"))
    });
    let mut series = i.series.unwrap_or_default().into_iter();
    let own = series.next().unwrap_or_default();
    if series.next().is_some() {
        out.note_unread("ImagingStudy.series[1..]");
    }
    let modality = i.modality.into_iter().flatten().next().or(own.modality);
    let site = own.body_site.unwrap_or_default();
    let (code, code_system, text) = concept(arena, i.procedure.into_iter().flatten().next());
    let record = ImagingStudyRecord {
        position: at(place),
        study_uid: study_uid.map(|uid| match uid.strip_prefix("urn:oid:") {
            Some(bare) => arena.text(bare),
            None => uid,
        }),
        accession_no,
        modality: modality.and_then(|m| t(arena, m.code)),
        body_part: t(arena, site.display).or_else(|| t(arena, site.code)),
        code,
        code_system,
        text: t(arena, i.description).or(text).or_else(|| t(arena, own.description)),
        started_at: t(arena, i.started),
        series: i.series_count.map(|n| n.literal()),
        images: i.instances.map(|n| n.literal()),
        status: t(arena, i.status),
        encounter_key: encounter_id(arena, i.encounter.as_ref()),
    };
    out.records.push(arena.record(record));
    out
}

/// One record per attachment, at least one.
pub(in crate::fhir) fn document_reference<'a>(
    d: DocumentReference<'a>,
    place: Place<'a>,
) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(d.subject.as_ref(), d.modified, d.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(arena, d.kind);
    let encounter = d.context.and_then(|c| c.encounter).into_iter().flatten().next();
    let base = DocumentRecord {
        position: at(place),
        code,
        code_system,
        text,
        title: t(arena, d.description),
        written_at: t(arena, d.date),
        status: t(arena, d.status),
        encounter_key: encounter_id(arena, encounter.as_ref()),
        practitioner: actor(arena, d.author.into_iter().flatten().next()),
        ..DocumentRecord::default()
    };
    // What is attached stays in the segment's bytes.
    out.note_unread("DocumentReference.content.attachment (data)");
    let mut attachments = d.content.into_iter().flatten().filter_map(|c| c.attachment).peekable();
    if attachments.peek().is_none() {
        out.records.push(arena.record(base));
        return out;
    }
    for (index, attachment) in attachments.enumerate() {
        let mut record = base;
        if index > 0 {
            record.position = arena.text(&format!("{place} content[{index}]")).into();
        }
        record.media_type = t(arena, attachment.content_type);
        record.size = attachment.size.map(|n| n.literal());
        record.title = t(arena, attachment.title).or(record.title);
        out.records.push(arena.record(record));
    }
    out
}

pub(in crate::fhir) fn composition<'a>(c: Composition<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(c.subject.as_ref(), c.modified, c.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(arena, c.kind);
    let author = c.author.into_iter().flatten().next().filter(|a| {
        // An address inside the bundle names nobody.
        a.display.is_some() || a.reference.as_ref().map(Str::as_str).is_some()
    });
    let record = DocumentRecord {
        position: at(place),
        code,
        code_system,
        text,
        title: t(arena, c.title),
        media_type: Some("application/fhir+json"),
        written_at: t(arena, c.date),
        status: t(arena, c.status),
        encounter_key: encounter_id(arena, c.encounter.as_ref()),
        practitioner: actor(arena, author),
        ..DocumentRecord::default()
    };
    out.records.push(arena.record(record));
    out
}
