//! Drugs ordered, dispensed or billed, given, taken; vaccinations.

use serde_json::{Value, json};

use super::{
    Fhir, Made,
    node::{self, Node},
};
use crate::{
    out::{Reason, Sinks},
    record::{MedicationRecord, VaccinationRecord},
};

const REQUEST: [&str; 8] = [
    "active",
    "on-hold",
    "cancelled",
    "completed",
    "stopped",
    "draft",
    "unknown",
    "entered-in-error",
];
const ADMINISTRATION: [&str; 5] = ["in-progress", "on-hold", "completed", "stopped", "unknown"];
const DISPENSE: [&str; 8] = [
    "preparation",
    "in-progress",
    "cancelled",
    "on-hold",
    "completed",
    "stopped",
    "declined",
    "unknown",
];
const STATEMENT: [&str; 7] =
    ["active", "completed", "intended", "stopped", "on-hold", "unknown", "not-taken"];

/// Dose, usage, route, and the time of it.
fn dosage(r: &MedicationRecord<'_>, timed: bool) -> Option<Value> {
    let dose = node::quantity(r.dose, r.dose_unit);
    let span = node::period(r.started_at, r.ended_at).filter(|_| timed);
    let days = node::days(r.days).filter(|_| !timed);
    let repeat = Node::default().put("boundsPeriod", span).put("boundsDuration", days).some();
    let timing = Node::default()
        .put("repeat", repeat)
        .put("code", node::concept(None, r.usage_code, None))
        .some();
    Node::default()
        .text("text", r.usage_text)
        .put("timing", timing)
        .put("route", node::concept(None, r.route, None))
        .one("doseAndRate", dose.map(|d| json!({ "doseQuantity": d })))
        .some()
}

impl<S: Sinks> Fhir<'_, S> {
    pub(super) fn medication(&mut self, at: u32, r: &MedicationRecord<'_>) -> Made {
        let drug = node::concept(r.code_system, r.code, r.text);
        let drug = drug.ok_or(Reason::Empty)?;
        let encounter = self.encounter(at, r.encounter_key);
        let staff = self.staff(r.practitioner);
        let begun = Node::default()
            .put("medicationCodeableConcept", Some(drug))
            .put("subject", self.subject(at));
        let status = r.status;
        Ok(match r.kind {
            Some("administration") => {
                let when = node::date_time(r.started_at).ok_or(Reason::NoDate)?;
                let dose = node::quantity(r.dose, r.dose_unit);
                // Without a dose FHIR allows no dosage.
                let dosage = dose.map(|dose| {
                    Node::default()
                        .text("text", r.usage_text)
                        .put("route", node::concept(None, r.route, None))
                        .put("dose", Some(dose))
                        .value()
                });
                let begun = match r.ended_at {
                    Some(_) => begun.put("effectivePeriod", node::period(r.started_at, r.ended_at)),
                    None => begun.put("effectiveDateTime", Some(when)),
                };
                let status = self.status(
                    "MedicationAdministration.status",
                    status,
                    &ADMINISTRATION,
                    "unknown",
                );
                let resource = begun
                    .put("status", status)
                    .put("context", encounter)
                    .one("performer", staff.map(|s| json!({ "actor": s })))
                    .put("dosage", dosage);
                ("MedicationAdministration", resource.value())
            }
            Some("dispense" | "claim") => {
                let billed = matches!(status, Some("claimed" | "bundled" | "outside"));
                let otherwise = if billed { "completed" } else { "unknown" };
                let status = self.status("MedicationDispense.status", status, &DISPENSE, otherwise);
                let resource = begun
                    .put("status", status)
                    .put("context", encounter)
                    .one("performer", staff.map(|s| json!({ "actor": s })))
                    .put("quantity", node::quantity(r.quantity, r.quantity_unit))
                    .put("daysSupply", node::days(r.days))
                    .put("whenHandedOver", node::date_time(r.started_at))
                    .one(
                        "dosageInstruction",
                        dosage(&MedicationRecord { days: None, ..*r }, false),
                    );
                ("MedicationDispense", resource.value())
            }
            Some("statement") => {
                let status =
                    self.status("MedicationStatement.status", status, &STATEMENT, "unknown");
                let span = node::period(r.started_at, r.ended_at);
                let resource = begun
                    .put("status", status)
                    .put("context", encounter)
                    .put("effectivePeriod", span)
                    .put("dateAsserted", node::date_time(r.ordered_at))
                    .one("dosage", dosage(r, false));
                ("MedicationStatement", resource.value())
            }
            _ => {
                let status = self.status("MedicationRequest.status", status, &REQUEST, "unknown");
                let supply = Node::default()
                    .put("quantity", node::quantity(r.quantity, r.quantity_unit))
                    .put("expectedSupplyDuration", node::days(r.days))
                    .some();
                let resource = begun
                    .put("status", status)
                    .text("intent", Some("order"))
                    .put("encounter", encounter)
                    .put("authoredOn", node::date_time(r.ordered_at))
                    .put("requester", staff)
                    .one("dosageInstruction", dosage(r, true))
                    .put("dispenseRequest", supply);
                ("MedicationRequest", resource.value())
            }
        })
    }

    pub(super) fn immunization(&mut self, at: u32, r: &VaccinationRecord<'_>) -> Made {
        let vaccine = node::concept(r.code_system, r.code, r.text);
        let given = node::date_time(r.given_on).ok_or(Reason::NoDate)?;
        let number = node::positive(r.dose_number);
        let protocol = match number {
            Some(number) => Some(json!({ "doseNumberPositiveInt": number })),
            None => node::string(r.dose_number).map(|n| json!({ "doseNumberString": n })),
        };
        let status = self.status("Immunization.status", r.status, &["completed"], "completed");
        let staff = self.staff(r.practitioner);
        let resource = Node::default()
            .put("status", status)
            .put("vaccineCode", Some(vaccine.ok_or(Reason::Empty)?))
            .put("patient", self.subject(at))
            .put("occurrenceDateTime", Some(given))
            .put("location", node::named(r.institution))
            .put("manufacturer", node::named(r.manufacturer))
            .text("lotNumber", r.lot)
            .put("route", node::concept(None, r.route, None))
            .put("doseQuantity", node::quantity(r.dose, r.dose_unit))
            .one("performer", staff.map(|s| json!({ "actor": s })))
            .one("protocolApplied", protocol);
        Ok(("Immunization", resource.value()))
    }
}
