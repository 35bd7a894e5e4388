//! Orders of examinations and other services.

use std::borrow::Cow;

use super::{Place, actor, at, begin, code_or_text, concept, encounter_id, start, t};
use crate::{
    fhir::view::ServiceRequest,
    record::{Parsed, ServiceOrderRecord},
};

pub(in crate::fhir) fn service_request<'a>(s: ServiceRequest<'a>, place: Place<'_>) -> Parsed<'a> {
    let mut out = begin(s.subject.as_ref(), s.modified, s.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(s.code);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let (kind, _, kind_text) = concept(s.category.into_iter().flatten().next());
    let record = ServiceOrderRecord {
        position: at(place),
        // The SNOMED codes that the base specification gives as examples.
        kind: kind.or(kind_text).map(|k| match k.as_ref() {
            "108252007" => Cow::Borrowed("laboratory"),
            "363679005" => Cow::Borrowed("radiology"),
            _ => k,
        }),
        code,
        code_system,
        text,
        site: code_or_text(s.body_site.into_iter().flatten().next()),
        status: t(s.status),
        order_no: s.identifier.into_iter().flatten().find_map(|i| t(i.value)),
        ordered_at: t(s.authored_on),
        planned_at: t(s.occurrence).or_else(|| start(s.occurrence_period)),
        encounter_key: encounter_id(s.encounter.as_ref()),
        practitioner: actor(s.requester),
    };
    out.records.push(record.into());
    out
}
