//! Diagnoses, drugs, vaccinations, procedures.

use std::io::Write;

use super::{
    Coded, Omop,
    events::{Event, Fate, reason},
    kind,
    sheet::{Sheet, whole_number},
};
use crate::{
    out::{Moment, Sinks, Summary},
    record::{ConditionRecord, MedicationRecord, Record, VaccinationRecord},
};

impl<S: Sinks> Omop<'_, S> {
    pub(super) fn condition(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &ConditionRecord<'_>,
    ) -> Fate {
        let mut coded = Coded::new(r.code, r.code_system, r.text);
        let icd = Coded { code: r.icd10, system: Some("ICD-10"), text: r.text };
        let plain = |code: &str| code.replace('.', "").to_ascii_uppercase();
        let both = match (coded.code, icd.code) {
            (Some(own), Some(icd)) if plain(own) != plain(icd) => Some(format!("{own}|{icd}")),
            (None, Some(_)) => {
                coded = icd;
                None
            }
            _ => None,
        };
        let event = reason!(self.event(
            at,
            person,
            record,
            "condition_occurrence.condition_start_date",
            coded,
            r.encounter_key
        ));
        let provider = self.provider(r.practitioner)?;
        let own = self.concept(coded);
        let by_icd =
            if icd.code.is_some() && icd.code != coded.code { self.concept(icd) } else { 0 };
        let claimed = r.code_system == Some("receipt-disease");
        let status: Vec<&str> = [r.role, r.certainty].into_iter().flatten().collect();
        let status = (!status.is_empty()).then(|| status.join(" "));
        let id = self.ids.next("condition_occurrence")?;
        let (sheet, summary) = self.sheet("condition_occurrence");
        sheet
            .int("condition_occurrence_id", id)
            .int("person_id", event.person)
            .int("condition_concept_id", if own == 0 { by_icd } else { own })
            .date("condition_start_date", event.start)
            .datetime("condition_start_datetime", event.start)
            .int("condition_type_concept_id", if claimed { kind::CLAIM } else { kind::EHR })
            .text("stop_reason", r.outcome, summary)
            .maybe_int("provider_id", provider)
            .maybe_int("visit_occurrence_id", event.visit)
            .text("condition_source_value", both.as_deref().or(coded.source_value()), summary)
            .text("condition_status_source_value", status.as_deref(), summary);
        if let Some(end) = event.end {
            sheet.date("condition_end_date", end).datetime("condition_end_datetime", end);
        }
        sheet.end()?;
        Ok(Ok(()))
    }

    pub(super) fn drug(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &MedicationRecord<'_>,
    ) -> Fate {
        let coded = Coded::new(r.code, r.code_system, r.text);
        let event = reason!(self.event(
            at,
            person,
            record,
            "drug_exposure.drug_exposure_start_date",
            coded,
            r.encounter_key
        ));
        let kind = match r.kind {
            Some("order") => kind::PRESCRIPTION,
            Some("administration") => kind::ADMINISTRATION,
            Some("dispense") => kind::DISPENSING,
            Some("claim") => kind::CLAIM,
            Some("statement") => kind::SELF_REPORT,
            _ => kind::EHR,
        };
        let event = Event { kind, provider: self.provider(r.practitioner)?, ..event };
        let days = whole_number(r.days);
        let end = match (event.end, days) {
            (Some(end), _) => end,
            (None, Some(days)) if (1..=3660).contains(&days) => {
                self.summary.imputed("drug_exposure.drug_exposure_end_date", "days-of-supply");
                Moment::of_days(event.start.days() + days - 1)
            }
            _ => {
                self.summary.imputed("drug_exposure.drug_exposure_end_date", "start");
                event.start.without_time()
            }
        };
        // The model has no column for a single dose: it stands before the usage.
        let dose = r
            .dose
            .map(|dose| format!("{dose} {}", r.dose_unit.unwrap_or("")).trim_end().to_owned());
        let usage = r.usage_text.or(r.usage_code);
        let sig: Vec<&str> = dose.as_deref().into_iter().chain(usage).collect();
        let sig = (!sig.is_empty()).then(|| sig.join("; "));
        let id = self.ids.next("drug_exposure")?;
        let concept = self.concept(coded);
        let (sheet, summary) = self.sheet("drug_exposure");
        exposure(sheet, summary, id, concept, &event, end);
        if let Some(end) = event.end {
            sheet.date("verbatim_end_date", end);
        }
        let unit = r.quantity_unit.or(r.dose_unit);
        sheet
            .float("quantity", r.quantity)
            .maybe_int("days_supply", days)
            .text("sig", sig.as_deref(), summary)
            .text("route_source_value", r.route, summary)
            .text("dose_unit_source_value", unit, summary)
            .end()?;
        Ok(Ok(()))
    }

    pub(super) fn procedure(&mut self, event: &Event<'_>, modifier: Option<&str>) -> Fate {
        let id = self.ids.next("procedure_occurrence")?;
        let concept = self.concept(event.coded);
        let (sheet, summary) = self.sheet("procedure_occurrence");
        sheet
            .int("procedure_occurrence_id", id)
            .int("person_id", event.person)
            .int("procedure_concept_id", concept)
            .date("procedure_date", event.start)
            .datetime("procedure_datetime", event.start)
            .int("procedure_type_concept_id", event.kind)
            .maybe_int("provider_id", event.provider)
            .maybe_int("visit_occurrence_id", event.visit)
            .text("procedure_source_value", event.coded.source_value(), summary)
            .text("modifier_source_value", modifier, summary);
        if let Some(end) = event.end {
            sheet.date("procedure_end_date", end).datetime("procedure_end_datetime", end);
        }
        sheet.end()?;
        Ok(Ok(()))
    }

    pub(super) fn vaccination(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &VaccinationRecord<'_>,
    ) -> Fate {
        let coded = Coded::new(r.code, r.code_system, r.text);
        let event = reason!(self.event(
            at,
            person,
            record,
            "drug_exposure.drug_exposure_start_date",
            coded,
            None
        ));
        let event = Event { provider: self.provider(r.practitioner)?, ..event };
        let id = self.ids.next("drug_exposure")?;
        let concept = self.concept(coded);
        let (sheet, summary) = self.sheet("drug_exposure");
        exposure(sheet, summary, id, concept, &event, event.start.without_time());
        sheet
            .text("lot_number", r.lot, summary)
            .float("quantity", r.dose)
            .text("dose_unit_source_value", r.dose_unit, summary)
            .text("route_source_value", r.route, summary)
            .end()?;
        self.summary.imputed("drug_exposure.drug_exposure_end_date", "start");
        Ok(Ok(()))
    }
}

fn exposure<W: Write>(
    sheet: &mut Sheet<W>,
    summary: &mut Summary,
    id: i64,
    concept: i64,
    event: &Event<'_>,
    end: Moment,
) {
    sheet
        .int("drug_exposure_id", id)
        .int("person_id", event.person)
        .int("drug_concept_id", concept)
        .date("drug_exposure_start_date", event.start)
        .datetime("drug_exposure_start_datetime", event.start)
        .date("drug_exposure_end_date", end)
        .datetime("drug_exposure_end_datetime", end)
        .int("drug_type_concept_id", event.kind)
        .maybe_int("provider_id", event.provider)
        .maybe_int("visit_occurrence_id", event.visit)
        .text("drug_source_value", event.coded.source_value(), summary);
}
