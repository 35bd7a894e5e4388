//! People, their visits and their insurance.

use serde_json::{Value, json};

use super::{
    Fhir, Resource,
    node::{self, Node},
};
use crate::{
    out::{OutError, Sinks},
    record::{CoverageRecord, PersonRecord, Text},
};

const CORE: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition";

fn name(text: Option<&str>, form: &str) -> Option<Value> {
    let text = node::string(text)?;
    Some(json!({
        "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation",
            "valueCode": form,
        }],
        "use": "official",
        "text": text,
    }))
}

impl<S: Sinks> Fhir<'_, S> {
    /// The patient, once; what other rows say of sex, birth and death is in it.
    pub(super) fn patient(&mut self, at: u32, r: &PersonRecord<'_>) -> Option<Value> {
        let patient = self.bare_patient(at)?;
        let Value::Object(known) = patient else { return None };
        if !self.options.identifiers {
            return Some(Value::Object(known));
        }
        let names: Vec<Value> = [(&r.name_kanji, "IDE"), (&r.name_kana, "SYL")]
            .into_iter()
            .filter_map(|(text, form)| name(text.as_deref(), form))
            .collect();
        let phones: Vec<Value> = r
            .phone
            .unwrap_or("")
            .split(';')
            .filter_map(|p| node::string(Some(p)))
            .map(|p| json!({ "system": "phone", "value": p }))
            .collect();
        let address =
            Node::default().text("text", r.address).text("postalCode", r.postal_code).some();
        let number = node::string(r.record_no).map(|value| {
            json!({ "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR" }] }, "value": value })
        });
        let mut identifiers: Vec<Value> =
            known.get("identifier").and_then(Value::as_array).cloned().unwrap_or_default();
        identifiers.extend(number);
        let list = |l: Vec<Value>| (!l.is_empty()).then_some(Value::Array(l));
        let mut whole = Node::default()
            .put("name", list(names))
            .put("telecom", list(phones))
            .one("address", address)
            .put("identifier", list(identifiers));
        for (key, value) in known {
            if key != "identifier" {
                whole = whole.put(&key, Some(value));
            }
        }
        Some(whole.value())
    }

    /// What the survey knows of a patient; none if it was written already.
    pub(super) fn bare_patient(&mut self, at: u32) -> Option<Value> {
        if std::mem::replace(&mut self.written[at as usize], true) {
            return None;
        }
        let who = &self.survey.persons[at as usize];
        let id = &self.patients[at as usize];
        let gender = who.sex.as_deref().and_then(|sex| match sex {
            "M" => Some("male"),
            "F" => Some("female"),
            "O" => Some("other"),
            "U" => Some("unknown"),
            _ => None,
        });
        let key = node::string(Some(&who.key)).filter(|_| **id != *who.key);
        let died = node::date_time(who.died_text.as_deref());
        let flag = (who.dead && died.is_none()).then_some(json!(true));
        let patient = Node::default()
            .text("id", Some(id))
            .one("identifier", key.map(|value| json!({ "value": value })))
            .text("gender", gender)
            .put("birthDate", who.birth.map(|b| json!(b.date())))
            .put("deceasedDateTime", died)
            .put("deceasedBoolean", flag);
        Some(patient.value())
    }

    /// Visits and stays, each once.
    pub(super) fn stays(&mut self) -> Result<(), OutError> {
        for at in 0..self.survey.visits.len() {
            let visit = self.survey.visits[at].clone();
            let Some(start) = visit.start else { continue };
            let end = visit.end.filter(|e| e.without_time().days() >= start.without_time().days());
            let over = end.is_some() || visit.class.as_deref() == Some("O");
            let status = self.status(
                "Encounter.status",
                visit.status.as_deref(),
                &["arrived", "triaged", "in-progress", "onleave", "finished", "unknown"],
                if over { "finished" } else { "unknown" },
            );
            let act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
            let class = match visit.class.as_deref() {
                Some("I") => json!({ "system": act, "code": "IMP" }),
                Some("O") => json!({ "system": act, "code": "AMB" }),
                Some("E") => json!({ "system": act, "code": "EMER" }),
                other => node::coding(None, other).unwrap_or_else(|| {
                    json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK" })
                }),
            };
            let disposition = node::concept(None, visit.disposition.as_deref(), None);
            let staff = self.staff(visit.practitioner.as_deref());
            let department =
                node::concept(None, visit.department.as_deref(), visit.department_text.as_deref());
            let site = visit.facility.as_deref().map(|f| json!({ "identifier": { "value": f } }));
            let resource = Node::default()
                .text("id", Some(&self.encounters[at]))
                .put("status", status)
                .put("class", Some(class))
                .put("serviceType", department)
                .put("subject", self.subject(visit.person))
                .one("participant", staff.map(|s| json!({ "individual": s })))
                .put(
                    "period",
                    Node::default()
                        .put("start", node::date_time(visit.start_text.as_deref()))
                        .put(
                            "end",
                            node::date_time(visit.end_text.as_deref().filter(|_| end.is_some())),
                        )
                        .some(),
                )
                .put(
                    "hospitalization",
                    Node::default().put("dischargeDisposition", disposition).some(),
                )
                .put("serviceProvider", site);
            self.write("Encounter", resource.value())?;
        }
        Ok(())
    }

    pub(super) fn coverage(&mut self, at: u32, r: &CoverageRecord<'_>) -> Resource {
        let open = self.options.identifiers;
        let said = |end: &str, value: Text<'_>| {
            let value = node::string(value.filter(|_| open))?;
            Some(json!({ "url": format!("{CORE}/JP_Coverage_{end}"), "valueString": value }))
        };
        let card: Vec<Value> = [
            said("InsuredPersonSymbol", r.insured_symbol),
            said("InsuredPersonNumber", r.insured_number),
            said("InsuredPersonSubNumber", r.insured_branch),
        ]
        .into_iter()
        .flatten()
        .collect();
        let group = r.insurer_no.map(|no| {
            Node::default()
                .put("type", Some(node::fixed("coverage-class", "group")))
                .text("value", Some(no))
                .text("name", r.insurer_name)
                .value()
        });
        let payer = r.insurer_name.or(r.insurer_no);
        let payer = node::named(payer).unwrap_or_else(|| {
            self.summary.imputed("Coverage.payor", "unknown");
            absent()
        });
        self.summary.imputed("Coverage.status", "active");
        let resource = Node::default()
            .put("extension", (!card.is_empty()).then_some(Value::Array(card)))
            .text("status", Some("active"))
            .put("type", node::concept(None, r.kind, None))
            .put("beneficiary", self.subject(at))
            .put("relationship", node::concept(None, r.relation, None))
            .put("period", node::period(r.from_on, r.to_on))
            .one("payor", Some(payer))
            .one("class", group);
        ("Coverage", resource.value())
    }
}

/// A reference nobody knows.
pub(super) fn absent() -> Value {
    json!({ "extension": [{
        "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown",
    }] })
}
