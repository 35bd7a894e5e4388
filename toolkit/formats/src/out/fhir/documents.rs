//! Texts and documents.

use serde_json::{Value, json};

use super::{
    Fhir, Made, Resource,
    node::{self, Node},
};
use crate::{
    out::{Reason, Sinks},
    record::{DocumentRecord, NoteRecord},
};

impl<S: Sinks> Fhir<'_, S> {
    /// Reports are reports; other texts are documents with the text as their content.
    pub(super) fn note(&mut self, at: u32, r: &NoteRecord<'_>) -> Made {
        if !self.options.texts {
            return Err(Reason::TextWithheld);
        }
        let text = node::string(r.text).ok_or(Reason::Empty)?;
        let kind = r.kind;
        let title = r.title.or(kind).unwrap_or("note");
        let encounter = self.encounter(at, r.encounter_key);
        let staff = self.staff(r.practitioner);
        let section = |k: &str| k.len() <= 4 && k.bytes().all(|b| b.is_ascii_uppercase());
        let report = kind.is_some_and(|k| k == "diagnostic-report" || section(k));
        self.summary.imputed(
            if report { "DiagnosticReport.status" } else { "DocumentReference.status" },
            if report { "unknown" } else { "current" },
        );
        if report {
            let system = "http://terminology.hl7.org/CodeSystem/v2-0074";
            let section = kind.filter(|k| section(k));
            let resource = Node::default()
                .text("status", Some("unknown"))
                .one("category", node::concept(section.and(Some(system)), section, None))
                .put("code", node::concept(None, None, Some(title)))
                .put("subject", self.subject(at))
                .put("encounter", encounter)
                .put("effectiveDateTime", node::date_time(r.written_at))
                .one("resultsInterpreter", staff)
                .put("conclusion", Some(text));
            return Ok(("DiagnosticReport", resource.value()));
        }
        let data = base64(text.as_str().unwrap_or_default().as_bytes());
        let attachment = json!({ "contentType": "text/plain; charset=utf-8", "language": "ja", "data": data, "title": title });
        let resource = Node::default()
            .text("status", Some("current"))
            .put("type", node::concept(None, None, kind))
            .put("subject", self.subject(at))
            .put("date", instant(r.written_at))
            .one("author", staff)
            .one("content", Some(json!({ "attachment": attachment })))
            .put("context", encounter.map(|e| json!({ "encounter": [e] })));
        Ok(("DocumentReference", resource.value()))
    }

    /// What a document is; its bytes stay where they are.
    pub(super) fn document(&mut self, at: u32, r: &DocumentRecord<'_>) -> Resource {
        let status = self.status("DocumentReference.status", r.status, &["current"], "current");
        let title = r.title.filter(|_| self.options.texts);
        let attachment = Node::default()
            .text("contentType", r.media_type)
            .put("size", node::positive(r.size))
            .text("title", title)
            .some()
            .unwrap_or_else(super::people::absent);
        let encounter = self.encounter(at, r.encounter_key);
        let resource = Node::default()
            .put("status", status)
            .put("type", node::concept(r.code_system, r.code, r.text))
            .put("subject", self.subject(at))
            .put("date", instant(r.written_at))
            .one("author", self.staff(r.practitioner))
            .one("content", Some(json!({ "attachment": attachment })))
            .put("context", encounter.map(|e| json!({ "encounter": [e] })));
        ("DocumentReference", resource.value())
    }
}

/// An instant needs a whole time: without one the element stays away.
fn instant(text: Option<&str>) -> Option<Value> {
    node::date_time(text).filter(|t| t.as_str().is_some_and(|t| t.contains('T')))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let whole =
            chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(whole >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= chunk.len() { digit as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_as_in_rfc_4648() {
        for (text, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }
}
