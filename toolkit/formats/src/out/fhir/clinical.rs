//! Diagnoses, results, procedures, allergies, relatives, studies, orders, texts and documents.

use serde_json::{Value, json};

use super::{
    Fhir, Made,
    node::{self, Node},
};
use crate::{
    out::{Reason, Sinks, omop::bounds},
    record::{
        AllergyRecord, CareCertificationRecord, CheckupRecord, ConditionRecord, DocumentRecord,
        FamilyHistoryRecord, ImagingStudyRecord, MeasurementRecord, NoteRecord, ProcedureRecord,
        ServiceOrderRecord, SurveyRecord,
    },
};

const OBSERVATION: [&str; 7] =
    ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "unknown"];

/// A result, whatever table it is from.
struct Finding<'r> {
    text: Option<&'r str>,
    number: Option<&'r str>,
    comparator: Option<&'r str>,
    code: Option<&'r str>,
    code_system: Option<&'r str>,
    unit: Option<&'r str>,
    unit_system: Option<&'r str>,
    flag: Option<&'r str>,
    range: Option<&'r str>,
}

/// Puts the value: a code, a number with its unit, else the text; a text that says more than the number stays beside it.
fn value(node: Node, r: &Finding<'_>) -> Node {
    let comparator = node::of_list(r.comparator, &["<", "<=", ">", ">="]);
    let plain = match (comparator, r.number) {
        (Some(c), Some(n)) => Some(format!("{c}{n}")),
        (None, Some(n)) => Some(n.to_owned()),
        _ => None,
    };
    let number = node::decimal(r.number).filter(|_| comparator == r.comparator);
    let node = if r.code.is_some() {
        node.put("valueCodeableConcept", node::concept(r.code_system, r.code, r.text))
    } else if let Some(number) = number {
        let coded = r.unit.filter(|u| r.unit_system.is_some() && !u.contains(char::is_whitespace));
        let quantity = Node::default()
            .put("value", Some(number))
            .text("comparator", comparator)
            .text("unit", r.unit)
            .put("system", coded.and(r.unit_system).map(|s| json!(node::system(s))))
            .text("code", coded);
        let said = r.text.filter(|t| Some(*t) != plain.as_deref());
        node.put("valueQuantity", quantity.some())
            .one("note", node::string(said).map(|t| json!({ "text": t })))
    } else {
        let said = r.text.or(plain.as_deref());
        let with_unit = match (said, r.unit) {
            (Some(said), Some(unit)) => Some(format!("{said} {unit}")),
            _ => None,
        };
        node.text("valueString", with_unit.as_deref().or(said))
    };
    let range = r.range.and_then(|range| {
        let (low, high) = bounds(range);
        let side = |v| node::quantity(v, r.unit);
        let sides = Node::default().put("low", side(low)).put("high", side(high)).some();
        sides.or_else(|| Node::default().text("text", Some(range)).some())
    });
    let flag = r.flag.map(|flag| {
        let known = ["H", "L", "N", "HH", "LL", "A", "AA", "POS", "NEG"].contains(&flag);
        let system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
        node::concept(known.then_some(system), Some(flag), None)
    });
    node.one("interpretation", flag.flatten()).one("referenceRange", range)
}

impl<S: Sinks> Fhir<'_, S> {
    pub(super) fn condition(&mut self, at: u32, r: &ConditionRecord<'_>) -> Made {
        let own = node::coding(r.code_system.as_deref(), r.code.as_deref());
        let same = |a: &str, b: &str| a.replace('.', "").eq_ignore_ascii_case(b);
        let told = r.code.as_deref().zip(r.icd10.as_deref()).is_some_and(|(a, b)| same(a, b));
        let icd = node::coding(Some("ICD-10"), r.icd10.as_deref().filter(|_| !told));
        let codings: Vec<Value> = own.into_iter().chain(icd).collect();
        let code = Node::default()
            .put("coding", (!codings.is_empty()).then_some(Value::Array(codings)))
            .text("text", r.text.as_deref())
            .some()
            .ok_or(Reason::Empty)?;
        let ended = node::date_time(r.resolved_on.as_deref());
        let active = ["active", "recurrence", "relapse", "inactive", "remission", "resolved"];
        let outcome = node::of_list(r.outcome.as_deref(), &active);
        let clinical = match (outcome, &ended) {
            (Some(o @ ("inactive" | "remission" | "resolved")), _) | (Some(o), None) => Some(o),
            // What has ended is not active.
            (_, Some(_)) => {
                self.summary.imputed("Condition.clinicalStatus", "resolved");
                Some("resolved")
            }
            (None, None) => None,
        };
        // The outcome of the source's own list, where JP Core has a place for it.
        let outcome = node::concept(None, r.outcome.as_deref().filter(|_| outcome.is_none()), None);
        let outcome = outcome.map(|o| {
            let url = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseaseOutcome";
            json!({ "url": url, "valueCodeableConcept": o })
        });
        let sure = match r.certainty.as_deref() {
            Some("suspected") => Some("provisional"),
            other => {
                node::of_list(other, &["confirmed", "unconfirmed", "provisional", "differential"])
            }
        };
        let role = r.role.as_deref().and_then(|role| match role {
            "problem-list-item" | "encounter-diagnosis" => {
                Some(node::fixed("condition-category", role))
            }
            _ => node::concept(None, Some(role), None),
        });
        let resource = Node::default()
            .one("extension", outcome)
            .put("clinicalStatus", clinical.map(|c| node::fixed("condition-clinical", c)))
            .put("verificationStatus", sure.map(|s| node::fixed("condition-ver-status", s)))
            .one("category", role)
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key.as_deref()))
            .put("onsetDateTime", node::date_time(r.onset_on.as_deref()))
            .put("abatementDateTime", ended)
            .put("recordedDate", node::date_time(r.recorded_at.as_deref()))
            .put("asserter", self.staff(r.practitioner.as_deref()));
        Ok(("Condition", resource.value()))
    }

    pub(super) fn procedure(&mut self, at: u32, r: &ProcedureRecord<'_>) -> Made {
        let code = node::concept(r.code_system.as_deref(), r.code.as_deref(), r.text.as_deref());
        let code = code.ok_or(Reason::Empty)?;
        let billed = matches!(r.status.as_deref(), Some("claimed" | "bundled" | "outside"));
        let status = self.status(
            "Procedure.status",
            r.status.as_deref(),
            &["preparation", "in-progress", "on-hold", "stopped", "completed", "unknown"],
            if billed { "completed" } else { "unknown" },
        );
        let staff = self.staff(r.practitioner.as_deref());
        let resource = Node::default()
            .put("status", status)
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key.as_deref()))
            .one("performer", staff.map(|s| json!({ "actor": s })));
        let resource = match r.ended_at.as_deref() {
            Some(_) => resource.put(
                "performedPeriod",
                node::period(r.started_at.as_deref(), r.ended_at.as_deref()),
            ),
            None => resource.put("performedDateTime", node::date_time(r.started_at.as_deref())),
        };
        Ok(("Procedure", resource.value()))
    }

    pub(super) fn observation(&mut self, at: u32, r: &MeasurementRecord<'_>) -> Made {
        let code = node::concept(r.code_system.as_deref(), r.code.as_deref(), r.text.as_deref());
        let code = code.ok_or(Reason::Empty)?;
        let status = match r.status.as_deref() {
            Some("F") => Some("final"),
            Some("C") => Some("corrected"),
            Some("P" | "R" | "S") => Some("preliminary"),
            other => other,
        };
        let status = self.status("Observation.status", status, &OBSERVATION, "unknown");
        let category = r.category.as_deref().map(|c| match c {
            "vital" => node::fixed("observation-category", "vital-signs"),
            "social" => node::fixed("observation-category", "social-history"),
            "laboratory" | "survey" | "exam" | "imaging" | "procedure" | "therapy" | "activity"
            | "vital-signs" | "social-history" => node::fixed("observation-category", c),
            other => json!({ "coding": [{ "code": other }] }),
        });
        let resource = Node::default()
            .put("status", status)
            .one("category", category)
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key.as_deref()))
            .put("effectiveDateTime", node::date_time(r.measured_at.as_deref()))
            .one("performer", self.staff(r.practitioner.as_deref()))
            .put("specimen", node::named(r.specimen.as_deref()));
        let result = Finding {
            text: r.value_text.as_deref(),
            number: r.value_num.as_deref(),
            comparator: r.comparator.as_deref(),
            code: r.value_code.as_deref(),
            code_system: None,
            unit: r.unit.as_deref(),
            unit_system: r.unit_system.as_deref(),
            flag: r.flag.as_deref(),
            range: r.reference_range.as_deref(),
        };
        Ok(("Observation", value(resource, &result).value()))
    }

    pub(super) fn checkup(&mut self, at: u32, r: &CheckupRecord<'_>) -> Made {
        let code =
            node::concept(r.code_system.as_deref(), r.item_code.as_deref(), r.text.as_deref());
        let code = code.ok_or(Reason::Empty)?;
        let status = self.status("Observation.status", r.status.as_deref(), &OBSERVATION, "final");
        let resource = Node::default()
            .put("status", status)
            .one("category", Some(json!({ "coding": [{ "code": "checkup" }] })))
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("effectiveDateTime", node::date_time(r.examined_on.as_deref()))
            .one("performer", node::named(r.institution.as_deref()))
            .put("method", node::concept(None, r.method.as_deref(), None));
        let result = Finding {
            text: r.value_text.as_deref(),
            number: r.value_num.as_deref(),
            comparator: r.comparator.as_deref(),
            code: r.value_code.as_deref(),
            code_system: r.value_system.as_deref(),
            unit: r.unit.as_deref(),
            unit_system: None,
            flag: r.flag.as_deref(),
            range: r.reference_range.as_deref(),
        };
        Ok(("Observation", value(resource, &result).value()))
    }

    pub(super) fn survey_row(&mut self, at: u32, r: &SurveyRecord<'_>) -> Made {
        let system = r.file.as_deref().map(|f| format!("dpc-{f}"));
        let code = node::concept(system.as_deref(), r.code.as_deref(), r.text.as_deref());
        let code = code.ok_or(Reason::Empty)?;
        let values = [
            &r.value1, &r.value2, &r.value3, &r.value4, &r.value5, &r.value6, &r.value7, &r.value8,
        ];
        let mut values: Vec<&str> = values.map(|v| v.as_deref().unwrap_or("")).to_vec();
        values.push(r.value9.as_deref().filter(|_| self.options.texts).unwrap_or(""));
        while values.last().is_some_and(|v| v.is_empty()) {
            values.pop();
        }
        let when = r.performed_on.as_deref().or(r.admitted_on.as_deref());
        let resource = Node::default()
            .text("status", Some("final"))
            .one("category", Some(node::fixed("observation-category", "survey")))
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.stay_key.as_deref()))
            .put("effectiveDateTime", node::date_time(when))
            .text("valueString", Some(&values.join("|")));
        Ok(("Observation", resource.value()))
    }

    pub(super) fn certification(&mut self, at: u32, r: &CareCertificationRecord<'_>) -> Made {
        let level = node::concept(r.care_level_system.as_deref(), r.care_level.as_deref(), None);
        let when = [&r.decided_on, &r.valid_from, &r.applied_on, &r.surveyed_on];
        let when = when.into_iter().find_map(|d| node::date_time(d.as_deref()));
        let resource = Node::default()
            .text("status", Some("final"))
            .one("category", Some(node::fixed("observation-category", "survey")))
            .put("code", Some(json!({ "text": "要介護状態区分" })))
            .put("subject", self.subject(at))
            .put("effectiveDateTime", when)
            .put("valueCodeableConcept", level);
        Ok(("Observation", resource.value()))
    }

    pub(super) fn allergy(&mut self, at: u32, r: &AllergyRecord<'_>) -> Made {
        let code = node::concept(r.code_system.as_deref(), r.code.as_deref(), r.text.as_deref());
        let code = code.ok_or(Reason::Empty)?;
        let status = r.status.as_deref();
        let status = self.status(
            "AllergyIntolerance.clinicalStatus",
            status,
            &["active", "inactive", "resolved"],
            "active",
        );
        let status = status.as_ref().and_then(Value::as_str).unwrap_or("active");
        let sure = match r.certainty.as_deref() {
            Some("suspected") => Some("unconfirmed"),
            other => node::of_list(other, &["confirmed", "unconfirmed"]),
        };
        let severity = node::of_list(r.severity.as_deref(), &["mild", "moderate", "severe"]);
        let critical = node::of_list(r.severity.as_deref(), &["low", "high", "unable-to-assess"]);
        let reaction = node::string(r.reaction.as_deref()).map(|text| {
            Node::default()
                .one("manifestation", Some(json!({ "text": text })))
                .text("severity", severity)
                .value()
        });
        let category = match r.category.as_deref() {
            Some("drug") => Some("medication"),
            other => node::of_list(other, &["food", "medication", "environment", "biologic"]),
        };
        let resource = Node::default()
            .put("clinicalStatus", Some(node::fixed("allergyintolerance-clinical", status)))
            .put(
                "verificationStatus",
                sure.map(|s| node::fixed("allergyintolerance-verification", s)),
            )
            .one("category", category.map(|c| json!(c)))
            .text("criticality", critical)
            .put("code", Some(code))
            .put("patient", self.subject(at))
            .put("onsetDateTime", node::date_time(r.onset_on.as_deref()))
            .put("recordedDate", node::date_time(r.recorded_at.as_deref()))
            .put("asserter", self.staff(r.practitioner.as_deref()))
            .one("reaction", reaction);
        Ok(("AllergyIntolerance", resource.value()))
    }

    pub(super) fn relative(&mut self, at: u32, r: &FamilyHistoryRecord<'_>) -> Made {
        let relation = node::concept(None, r.relation_code.as_deref(), r.relation.as_deref());
        let status = self.status(
            "FamilyMemberHistory.status",
            r.status.as_deref(),
            &["partial", "completed", "health-unknown"],
            "partial",
        );
        let sex = r.sex.as_deref().map(|s| match s {
            "M" => node::fixed("administrative-gender", "male"),
            "F" => node::fixed("administrative-gender", "female"),
            other => json!({ "text": other }),
        });
        let disease = node::concept(r.code_system.as_deref(), r.code.as_deref(), r.text.as_deref());
        let disease = disease.map(|code| {
            Node::default().put("code", Some(code)).text("onsetString", r.onset.as_deref()).value()
        });
        let (died, when) = match r.deceased.as_deref() {
            Some("true") => (Some(json!(true)), None),
            Some("false") => (Some(json!(false)), None),
            other => (None, other.and_then(crate::out::Moment::read).map(|m| json!(m.date()))),
        };
        let resource = Node::default()
            .put("status", status)
            .put("patient", self.subject(at))
            .put("relationship", Some(relation.ok_or(Reason::Empty)?))
            .put("sex", sex)
            .put("deceasedBoolean", died)
            .put("deceasedDate", when)
            .one("condition", disease);
        Ok(("FamilyMemberHistory", resource.value()))
    }

    pub(super) fn imaging(&mut self, at: u32, r: &ImagingStudyRecord<'_>) -> Made {
        let status = self.status(
            "ImagingStudy.status",
            r.status.as_deref(),
            &["registered", "available", "cancelled", "unknown"],
            "unknown",
        );
        // Study and accession numbers lead back to the hospital's archive.
        let open = self.options.identifiers;
        let uid = r.study_uid.as_deref().filter(|_| open).map(|uid| {
            let value =
                if uid.starts_with("urn:") { uid.to_owned() } else { format!("urn:oid:{uid}") };
            json!({ "system": "urn:dicom:uid", "value": value })
        });
        let accession = node::string(r.accession_no.as_deref().filter(|_| open)).map(|value| {
            json!({ "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN" }] }, "value": value })
        });
        let numbers: Vec<Value> = uid.into_iter().chain(accession).collect();
        let dicom = Some("http://dicom.nema.org/resources/ontology/DCM");
        let procedure = node::concept(r.code_system.as_deref(), r.code.as_deref(), None);
        let resource = Node::default()
            .put("identifier", (!numbers.is_empty()).then_some(Value::Array(numbers)))
            .put("status", status)
            .one("modality", node::coding(dicom, r.modality.as_deref()))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key.as_deref()))
            .put("started", node::date_time(r.started_at.as_deref()))
            .put("numberOfSeries", node::positive(r.series.as_deref()))
            .put("numberOfInstances", node::positive(r.images.as_deref()))
            .one("procedureCode", procedure)
            .text("description", r.text.as_deref());
        Ok(("ImagingStudy", resource.value()))
    }

    pub(super) fn order(&mut self, at: u32, r: &ServiceOrderRecord<'_>) -> Made {
        let code = node::concept(r.code_system.as_deref(), r.code.as_deref(), r.text.as_deref());
        let status = self.status(
            "ServiceRequest.status",
            r.status.as_deref(),
            &["draft", "active", "on-hold", "revoked", "completed", "unknown"],
            "unknown",
        );
        let number = node::string(r.order_no.as_deref().filter(|_| self.options.identifiers));
        let resource = Node::default()
            .one("identifier", number.map(|value| json!({ "value": value })))
            .put("status", status)
            .text("intent", Some("order"))
            .one("category", node::concept(None, r.kind.as_deref(), None))
            .put("code", Some(code.ok_or(Reason::Empty)?))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key.as_deref()))
            .put("occurrenceDateTime", node::date_time(r.planned_at.as_deref()))
            .put("authoredOn", node::date_time(r.ordered_at.as_deref()))
            .put("requester", self.staff(r.practitioner.as_deref()))
            .one("bodySite", node::concept(None, r.site.as_deref(), None));
        Ok(("ServiceRequest", resource.value()))
    }

    /// Reports are reports; other texts are documents with the text as their content.
    pub(super) fn note(&mut self, at: u32, r: &NoteRecord<'_>) -> Made {
        if !self.options.texts {
            return Err(Reason::TextWithheld);
        }
        let text = node::string(r.text.as_deref()).ok_or(Reason::Empty)?;
        let kind = r.kind.as_deref();
        let title = r.title.as_deref().or(kind).unwrap_or("note");
        let encounter = self.encounter(at, r.encounter_key.as_deref());
        let staff = self.staff(r.practitioner.as_deref());
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
                .put("effectiveDateTime", node::date_time(r.written_at.as_deref()))
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
            .put("date", instant(r.written_at.as_deref()))
            .one("author", staff)
            .one("content", Some(json!({ "attachment": attachment })))
            .put("context", encounter.map(|e| json!({ "encounter": [e] })));
        Ok(("DocumentReference", resource.value()))
    }

    /// What a document is; its bytes stay where they are.
    pub(super) fn document(&mut self, at: u32, r: &DocumentRecord<'_>) -> Made {
        let status =
            self.status("DocumentReference.status", r.status.as_deref(), &["current"], "current");
        let title = r.title.as_deref().filter(|_| self.options.texts);
        let attachment = Node::default()
            .text("contentType", r.media_type.as_deref())
            .put("size", node::positive(r.size.as_deref()))
            .text("title", title)
            .some()
            .unwrap_or_else(super::people::absent);
        let encounter = self.encounter(at, r.encounter_key.as_deref());
        let resource = Node::default()
            .put("status", status)
            .put(
                "type",
                node::concept(r.code_system.as_deref(), r.code.as_deref(), r.text.as_deref()),
            )
            .put("subject", self.subject(at))
            .put("date", instant(r.written_at.as_deref()))
            .one("author", self.staff(r.practitioner.as_deref()))
            .one("content", Some(json!({ "attachment": attachment })))
            .put("context", encounter.map(|e| json!({ "encounter": [e] })));
        Ok(("DocumentReference", resource.value()))
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
