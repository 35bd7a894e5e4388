//! Orders of examinations and other services.

use super::{Place, actor, at, begin, code_or_text, concept, encounter_id, start, t};
use crate::{
    fhir::view::ServiceRequest,
    record::{Parsed, ServiceOrderRecord},
};

pub(in crate::fhir) fn service_request<'a>(s: ServiceRequest<'a>, place: Place<'a>) -> Parsed<'a> {
    let arena = place.arena;
    let mut out = begin(s.subject.as_ref(), s.modified, s.unread, place);
    if out.rejected {
        return out;
    }
    let (code, code_system, text) = concept(arena, s.code);
    if code.is_none() && text.is_none() {
        out.note_issue("fhir.no-code", at(place));
    }
    let (kind, _, kind_text) = concept(arena, s.category.into_iter().flatten().next());
    let record = ServiceOrderRecord {
        position: at(place),
        // The SNOMED codes that the base specification gives as examples.
        kind: kind.or(kind_text).map(|k| match k {
            "108252007" => "laboratory",
            "363679005" => "radiology",
            _ => k,
        }),
        code,
        code_system,
        text,
        site: code_or_text(arena, s.body_site.into_iter().flatten().next()),
        status: t(arena, s.status),
        order_no: s.identifier.into_iter().flatten().find_map(|i| t(arena, i.value)),
        ordered_at: t(arena, s.authored_on),
        planned_at: t(arena, s.occurrence).or_else(|| start(arena, s.occurrence_period)),
        encounter_key: encounter_id(arena, s.encounter.as_ref()),
        practitioner: actor(arena, s.requester),
    };
    out.records.push(arena.record(record));
    out
}
