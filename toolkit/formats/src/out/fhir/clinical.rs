//! Diagnoses, procedures, allergies, relatives, studies, orders.

use serde_json::{Value, json};

use super::{
    Fhir, Made,
    node::{self, Node},
};
use crate::{
    out::{Reason, Sinks},
    record::{
        AllergyRecord, ConditionRecord, FamilyHistoryRecord, ImagingStudyRecord, ProcedureRecord,
        ServiceOrderRecord,
    },
};

impl<S: Sinks> Fhir<'_, S> {
    pub(super) fn condition(&mut self, at: u32, r: &ConditionRecord<'_>) -> Made {
        let own = node::coding(r.code_system, r.code);
        let same = |a: &str, b: &str| a.replace('.', "").eq_ignore_ascii_case(b);
        let told = r.code.zip(r.icd10).is_some_and(|(a, b)| same(a, b));
        let icd = node::coding(Some("ICD-10"), r.icd10.filter(|_| !told));
        let codings: Vec<Value> = own.into_iter().chain(icd).collect();
        let code = Node::default()
            .put("coding", (!codings.is_empty()).then_some(Value::Array(codings)))
            .text("text", r.text)
            .some()
            .ok_or(Reason::Empty)?;
        let ended = node::date_time(r.resolved_on);
        let active = ["active", "recurrence", "relapse", "inactive", "remission", "resolved"];
        let outcome = node::of_list(r.outcome, &active);
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
        let outcome = node::concept(None, r.outcome.filter(|_| outcome.is_none()), None);
        let outcome = outcome.map(|o| {
            let url = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseaseOutcome";
            json!({ "url": url, "valueCodeableConcept": o })
        });
        let sure = match r.certainty {
            Some("suspected") => Some("provisional"),
            other => {
                node::of_list(other, &["confirmed", "unconfirmed", "provisional", "differential"])
            }
        };
        let role = r.role.and_then(|role| match role {
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
            .put("encounter", self.encounter(at, r.encounter_key))
            .put("onsetDateTime", node::date_time(r.onset_on))
            .put("abatementDateTime", ended)
            .put("recordedDate", node::date_time(r.recorded_at))
            .put("asserter", self.staff(r.practitioner));
        Ok(("Condition", resource.value()))
    }

    pub(super) fn procedure(&mut self, at: u32, r: &ProcedureRecord<'_>) -> Made {
        let code = node::concept(r.code_system, r.code, r.text);
        let code = code.ok_or(Reason::Empty)?;
        let billed = matches!(r.status, Some("claimed" | "bundled" | "outside"));
        let status = self.status(
            "Procedure.status",
            r.status,
            &["preparation", "in-progress", "on-hold", "stopped", "completed", "unknown"],
            if billed { "completed" } else { "unknown" },
        );
        let staff = self.staff(r.practitioner);
        let resource = Node::default()
            .put("status", status)
            .put("code", Some(code))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key))
            .one("performer", staff.map(|s| json!({ "actor": s })));
        let resource = match r.ended_at {
            Some(_) => resource.put("performedPeriod", node::period(r.started_at, r.ended_at)),
            None => resource.put("performedDateTime", node::date_time(r.started_at)),
        };
        Ok(("Procedure", resource.value()))
    }

    pub(super) fn allergy(&mut self, at: u32, r: &AllergyRecord<'_>) -> Made {
        let code = node::concept(r.code_system, r.code, r.text);
        let code = code.ok_or(Reason::Empty)?;
        let status = r.status;
        let status = self.status(
            "AllergyIntolerance.clinicalStatus",
            status,
            &["active", "inactive", "resolved"],
            "active",
        );
        let status = status.as_ref().and_then(Value::as_str).unwrap_or("active");
        let sure = match r.certainty {
            Some("suspected") => Some("unconfirmed"),
            other => node::of_list(other, &["confirmed", "unconfirmed"]),
        };
        let severity = node::of_list(r.severity, &["mild", "moderate", "severe"]);
        let critical = node::of_list(r.severity, &["low", "high", "unable-to-assess"]);
        let reaction = node::string(r.reaction).map(|text| {
            Node::default()
                .one("manifestation", Some(json!({ "text": text })))
                .text("severity", severity)
                .value()
        });
        let category = match r.category {
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
            .put("onsetDateTime", node::date_time(r.onset_on))
            .put("recordedDate", node::date_time(r.recorded_at))
            .put("asserter", self.staff(r.practitioner))
            .one("reaction", reaction);
        Ok(("AllergyIntolerance", resource.value()))
    }

    pub(super) fn relative(&mut self, at: u32, r: &FamilyHistoryRecord<'_>) -> Made {
        let relation = node::concept(None, r.relation_code, r.relation);
        let status = self.status(
            "FamilyMemberHistory.status",
            r.status,
            &["partial", "completed", "health-unknown"],
            "partial",
        );
        let sex = r.sex.map(|s| match s {
            "M" => node::fixed("administrative-gender", "male"),
            "F" => node::fixed("administrative-gender", "female"),
            other => json!({ "text": other }),
        });
        let disease = node::concept(r.code_system, r.code, r.text);
        let disease = disease.map(|code| {
            Node::default().put("code", Some(code)).text("onsetString", r.onset).value()
        });
        let (died, when) = match r.deceased {
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

    #[expect(clippy::unnecessary_wraps, reason = "one shape with what may be absent")]
    pub(super) fn imaging(&mut self, at: u32, r: &ImagingStudyRecord<'_>) -> Made {
        let status = self.status(
            "ImagingStudy.status",
            r.status,
            &["registered", "available", "cancelled", "unknown"],
            "unknown",
        );
        // Study and accession numbers lead back to the hospital's archive.
        let open = self.options.identifiers;
        let uid = r.study_uid.filter(|_| open).map(|uid| {
            let value =
                if uid.starts_with("urn:") { uid.to_owned() } else { format!("urn:oid:{uid}") };
            json!({ "system": "urn:dicom:uid", "value": value })
        });
        let accession = node::string(r.accession_no.filter(|_| open)).map(|value| {
            json!({ "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN" }] }, "value": value })
        });
        let numbers: Vec<Value> = uid.into_iter().chain(accession).collect();
        let dicom = Some("http://dicom.nema.org/resources/ontology/DCM");
        let procedure = node::concept(r.code_system, r.code, None);
        let resource = Node::default()
            .put("identifier", (!numbers.is_empty()).then_some(Value::Array(numbers)))
            .put("status", status)
            .one("modality", node::coding(dicom, r.modality))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key))
            .put("started", node::date_time(r.started_at))
            .put("numberOfSeries", node::positive(r.series))
            .put("numberOfInstances", node::positive(r.images))
            .one("procedureCode", procedure)
            .text("description", r.text);
        Ok(("ImagingStudy", resource.value()))
    }

    pub(super) fn order(&mut self, at: u32, r: &ServiceOrderRecord<'_>) -> Made {
        let code = node::concept(r.code_system, r.code, r.text);
        let status = self.status(
            "ServiceRequest.status",
            r.status,
            &["draft", "active", "on-hold", "revoked", "completed", "unknown"],
            "unknown",
        );
        let number = node::string(r.order_no.filter(|_| self.options.identifiers));
        let resource = Node::default()
            .one("identifier", number.map(|value| json!({ "value": value })))
            .put("status", status)
            .text("intent", Some("order"))
            .one("category", node::concept(None, r.kind, None))
            .put("code", Some(code.ok_or(Reason::Empty)?))
            .put("subject", self.subject(at))
            .put("encounter", self.encounter(at, r.encounter_key))
            .put("occurrenceDateTime", node::date_time(r.planned_at))
            .put("authoredOn", node::date_time(r.ordered_at))
            .put("requester", self.staff(r.practitioner))
            .one("bodySite", node::concept(None, r.site, None));
        Ok(("ServiceRequest", resource.value()))
    }
}
