//! One function for each kind of row: what happened to a person.

use std::io::Write;

use super::{Coded, Omop, Sheet, kind, number, span};
use crate::{
    out::{Moment, OutError, Reason, Sinks, Summary},
    record::{
        CareCertificationRecord, CareServiceRecord, CheckupRecord, ClaimItemRecord,
        ClaimPayerRecord, ConditionRecord, CoverageRecord, MeasurementRecord, MedicationRecord,
        NoteRecord, Record, SurveyRecord,
    },
};

/// Written, or why not; the outer error ends the output.
type Fate = Result<Result<(), Reason>, OutError>;

/// A row of a table of events: what all of them have.
struct Event<'r> {
    person: i64,
    visit: Option<i64>,
    provider: Option<i64>,
    coded: Coded<'r>,
    start: Moment,
    end: Option<Moment>,
    kind: i64,
}

/// Takes a reason out as the row's fate.
macro_rules! reason {
    ($value:expr) => {
        match $value {
            Ok(value) => value,
            Err(reason) => return Ok(Err(reason)),
        }
    };
}

impl<S: Sinks> Omop<'_, S> {
    /// Writes what a row says; `at` is the person's place in the survey, `person` the number.
    pub(super) fn row(&mut self, at: u32, person: i64, record: &Record<'_>) -> Fate {
        match record {
            // Written before the first row, each person, death and visit once.
            Record::Person(_) => Ok(Ok(())),
            Record::Death(_) => {
                let dated = self.survey.persons[at as usize].died.is_some();
                Ok(if dated { Ok(()) } else { Err(Reason::NoDate) })
            }
            Record::Encounter(r) => Ok(self.survey.visit_of(at, r).map(|_| ())),
            Record::DpcStay(r) => {
                let found = self.survey.visit_at(at, r.stay_key.as_deref());
                Ok(if found.is_some() { Ok(()) } else { Err(Reason::NoDate) })
            }
            Record::Claim(_) => Ok(Err(Reason::ToldElsewhere)),
            Record::ClaimPayer(r) => self.cost(at, r),
            Record::ClaimItem(r) => self.material(at, person, r),
            Record::Condition(r) => self.condition(at, person, record, r),
            Record::Medication(r) => self.drug(at, person, record, r),
            Record::Vaccination(r) => {
                let coded = Coded::new(&r.code, &r.code_system, &r.text);
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "drug_exposure.drug_exposure_start_date",
                    coded,
                    None
                ));
                let event = Event { provider: self.provider(r.practitioner.as_deref())?, ..event };
                let id = self.ids.next("drug_exposure")?;
                let concept = self.concept(coded);
                let (sheet, summary) = self.sheet("drug_exposure");
                exposure(sheet, summary, id, concept, &event, event.start.without_time());
                sheet
                    .text("lot_number", r.lot.as_deref(), summary)
                    .float("quantity", r.dose.as_deref())
                    .text("dose_unit_source_value", r.dose_unit.as_deref(), summary)
                    .text("route_source_value", r.route.as_deref(), summary)
                    .end()?;
                self.summary.imputed("drug_exposure.drug_exposure_end_date", "start");
                Ok(Ok(()))
            }
            Record::Procedure(r) => {
                let coded = Coded::new(&r.code, &r.code_system, &r.text);
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "procedure_occurrence.procedure_date",
                    coded,
                    r.encounter_key.as_deref()
                ));
                let provider = self.provider(r.practitioner.as_deref())?;
                let claimed =
                    matches!(r.status.as_deref(), Some("claimed" | "bundled" | "outside"));
                let kind = if claimed { kind::CLAIM } else { kind::EHR };
                self.procedure(&Event { provider, kind, ..event }, None)
            }
            Record::ImagingStudy(r) => {
                let mut coded = Coded::new(&r.code, &r.code_system, &r.text);
                coded.text = coded.text.or(r.modality.as_deref());
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "procedure_occurrence.procedure_date",
                    coded,
                    r.encounter_key.as_deref()
                ));
                self.procedure(&event, r.modality.as_deref())
            }
            Record::Measurement(r) => self.measured(at, person, record, r),
            Record::Checkup(r) => self.checkup(at, person, record, r),
            Record::Note(r) => self.note(at, person, record, r),
            Record::Coverage(r) => self.coverage(at, person, r),
            Record::Survey(r) => self.survey_row(at, person, record, r),
            Record::CareService(r) => self.care(at, person, record, r),
            Record::CareCertification(r) => self.certification(at, person, record, r),
            Record::Allergy(r) => {
                let coded = Coded::new(&r.code, &r.code_system, &r.text);
                let qualifier = r.severity.as_deref().or(r.certainty.as_deref());
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "observation.observation_date",
                    coded,
                    None
                ));
                let event = Event { provider: self.provider(r.practitioner.as_deref())?, ..event };
                self.observation(&event, r.text.as_deref(), None, None, qualifier)
            }
            Record::FamilyHistory(_) => Ok(Err(Reason::NoDate)),
            Record::Residency(r) => {
                let coded =
                    Coded { code: r.event.as_deref(), system: Some("residency"), text: None };
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "observation.observation_date",
                    coded,
                    None
                ));
                self.observation(
                    &event,
                    r.event_code.as_deref().or(r.event.as_deref()),
                    None,
                    None,
                    None,
                )
            }
            Record::ServiceOrder(_) => Ok(Err(Reason::Planned)),
            Record::Document(_) => Ok(Err(Reason::NoPlace)),
        }
    }

    fn visit(&self, at: u32, key: Option<&str>) -> Option<i64> {
        let visit = self.survey.visit_at(at, key)?;
        self.visits.get(visit as usize).copied().flatten()
    }

    fn event<'r>(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        column: &'static str,
        coded: Coded<'r>,
        encounter: Option<&str>,
    ) -> Result<Event<'r>, Reason> {
        if coded.source_value().is_none() {
            return Err(Reason::Empty);
        }
        let (start, end) = span(record);
        let start = self.whole(column, start)?;
        let end = end.map(|e| e.day_or_first().0).filter(|e| e.days() >= start.days());
        let visit = self.visit(at, encounter);
        Ok(Event { person, visit, provider: None, coded, start, end, kind: kind::EHR })
    }

    fn condition(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &ConditionRecord<'_>,
    ) -> Fate {
        let mut coded = Coded::new(&r.code, &r.code_system, &r.text);
        let icd =
            Coded { code: r.icd10.as_deref(), system: Some("ICD-10"), text: r.text.as_deref() };
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
            r.encounter_key.as_deref()
        ));
        let provider = self.provider(r.practitioner.as_deref())?;
        let own = self.concept(coded);
        let by_icd =
            if icd.code.is_some() && icd.code != coded.code { self.concept(icd) } else { 0 };
        let claimed = r.code_system.as_deref() == Some("receipt-disease");
        let status: Vec<&str> =
            [r.role.as_deref(), r.certainty.as_deref()].into_iter().flatten().collect();
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
            .text("stop_reason", r.outcome.as_deref(), summary)
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

    fn drug(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &MedicationRecord<'_>,
    ) -> Fate {
        let coded = Coded::new(&r.code, &r.code_system, &r.text);
        let event = reason!(self.event(
            at,
            person,
            record,
            "drug_exposure.drug_exposure_start_date",
            coded,
            r.encounter_key.as_deref()
        ));
        let kind = match r.kind.as_deref() {
            Some("order") => kind::PRESCRIPTION,
            Some("administration") => kind::ADMINISTRATION,
            Some("dispense") => kind::DISPENSING,
            Some("claim") => kind::CLAIM,
            Some("statement") => kind::SELF_REPORT,
            _ => kind::EHR,
        };
        let event = Event { kind, provider: self.provider(r.practitioner.as_deref())?, ..event };
        let days = whole_number(r.days.as_deref());
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
        let dose = r.dose.as_deref().map(|dose| {
            format!("{dose} {}", r.dose_unit.as_deref().unwrap_or("")).trim_end().to_owned()
        });
        let usage = r.usage_text.as_deref().or(r.usage_code.as_deref());
        let sig: Vec<&str> = dose.as_deref().into_iter().chain(usage).collect();
        let sig = (!sig.is_empty()).then(|| sig.join("; "));
        let id = self.ids.next("drug_exposure")?;
        let concept = self.concept(coded);
        let (sheet, summary) = self.sheet("drug_exposure");
        exposure(sheet, summary, id, concept, &event, end);
        if let Some(end) = event.end {
            sheet.date("verbatim_end_date", end);
        }
        let unit = r.quantity_unit.as_deref().or(r.dose_unit.as_deref());
        sheet
            .float("quantity", r.quantity.as_deref())
            .maybe_int("days_supply", days)
            .text("sig", sig.as_deref(), summary)
            .text("route_source_value", r.route.as_deref(), summary)
            .text("dose_unit_source_value", unit, summary)
            .end()?;
        Ok(Ok(()))
    }

    fn procedure(&mut self, event: &Event<'_>, modifier: Option<&str>) -> Fate {
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

    fn measured(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &MeasurementRecord<'_>,
    ) -> Fate {
        let coded = Coded::new(&r.code, &r.code_system, &r.text);
        let told = matches!(r.category.as_deref(), Some("social" | "survey"));
        let column =
            if told { "observation.observation_date" } else { "measurement.measurement_date" };
        let event =
            reason!(self.event(at, person, record, column, coded, r.encounter_key.as_deref()));
        let provider = self.provider(r.practitioner.as_deref())?;
        let kind = if r.category.as_deref() == Some("laboratory") { kind::LAB } else { kind::EHR };
        let event = Event { provider, kind, ..event };
        if told {
            return self.observation(
                &event,
                r.value_text.as_deref(),
                r.value_num.as_deref(),
                r.unit.as_deref(),
                None,
            );
        }
        let value = Value {
            text: r.value_text.as_deref(),
            number: r.value_num.as_deref(),
            comparator: r.comparator.as_deref(),
            unit: r.unit.as_deref(),
            unit_system: r.unit_system.as_deref(),
            range: r.reference_range.as_deref(),
        };
        self.measurement(&event, &value)
    }

    /// Numbers are measurements, the rest (answers, findings) observations.
    fn checkup(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &CheckupRecord<'_>,
    ) -> Fate {
        let coded = Coded::new(&r.item_code, &r.code_system, &r.text);
        let column = if r.value_num.is_some() {
            "measurement.measurement_date"
        } else {
            "observation.observation_date"
        };
        let event = reason!(self.event(at, person, record, column, coded, None));
        if r.value_num.is_none() {
            let text = r.value_text.as_deref().or(r.value_code.as_deref());
            return self.observation(&event, text, None, r.unit.as_deref(), r.flag.as_deref());
        }
        let value = Value {
            text: r.value_text.as_deref(),
            number: r.value_num.as_deref(),
            comparator: r.comparator.as_deref(),
            unit: r.unit.as_deref(),
            unit_system: None,
            range: r.reference_range.as_deref(),
        };
        self.measurement(&event, &value)
    }

    fn measurement(&mut self, event: &Event<'_>, value: &Value<'_>) -> Fate {
        let id = self.ids.next("measurement")?;
        let concept = self.concept(event.coded);
        let unit = match value.unit_system {
            Some(system) => {
                self.concept(Coded { code: value.unit, system: Some(system), text: None })
            }
            None => 0,
        };
        let operator = match value.comparator {
            Some("<") => Some(4_171_756),
            Some("<=") => Some(4_171_754),
            Some(">") => Some(4_172_704),
            Some(">=") => Some(4_171_755),
            _ => None,
        };
        let (low, high) = value.range.map_or((None, None), bounds);
        let clock = event.start.clock();
        let (sheet, summary) = self.sheet("measurement");
        sheet
            .int("measurement_id", id)
            .int("person_id", event.person)
            .int("measurement_concept_id", concept)
            .date("measurement_date", event.start)
            .datetime("measurement_datetime", event.start)
            .text("measurement_time", clock.as_deref(), summary)
            .int("measurement_type_concept_id", event.kind)
            .maybe_int("operator_concept_id", operator)
            .float("value_as_number", value.number)
            .maybe_int("unit_concept_id", value.unit.map(|_| unit))
            .float("range_low", low)
            .float("range_high", high)
            .maybe_int("provider_id", event.provider)
            .maybe_int("visit_occurrence_id", event.visit)
            .text("measurement_source_value", event.coded.source_value(), summary)
            .text("unit_source_value", value.unit, summary)
            .text("value_source_value", value.text, summary)
            .end()?;
        Ok(Ok(()))
    }

    fn observation(
        &mut self,
        event: &Event<'_>,
        text: Option<&str>,
        value: Option<&str>,
        unit: Option<&str>,
        qualifier: Option<&str>,
    ) -> Fate {
        let id = self.ids.next("observation")?;
        let concept = self.concept(event.coded);
        let (sheet, summary) = self.sheet("observation");
        sheet
            .int("observation_id", id)
            .int("person_id", event.person)
            .int("observation_concept_id", concept)
            .date("observation_date", event.start)
            .datetime("observation_datetime", event.start)
            .int("observation_type_concept_id", event.kind)
            .float("value_as_number", value)
            .text("value_as_string", text, summary)
            .maybe_int("provider_id", event.provider)
            .maybe_int("visit_occurrence_id", event.visit)
            .text("observation_source_value", event.coded.source_value(), summary)
            .text("unit_source_value", unit, summary)
            .text("qualifier_source_value", qualifier, summary)
            .text("value_source_value", text, summary)
            .end()?;
        Ok(Ok(()))
    }

    fn note(&mut self, at: u32, person: i64, record: &Record<'_>, r: &NoteRecord<'_>) -> Fate {
        if !self.options.texts {
            return Ok(Err(Reason::TextWithheld));
        }
        let coded = Coded { code: None, system: None, text: r.text.as_deref() };
        let event = reason!(self.event(
            at,
            person,
            record,
            "note.note_date",
            coded,
            r.encounter_key.as_deref()
        ));
        let provider = self.provider(r.practitioner.as_deref())?;
        let id = self.ids.next("note")?;
        let (sheet, summary) = self.sheet("note");
        sheet
            .int("note_id", id)
            .int("person_id", event.person)
            .date("note_date", event.start)
            .datetime("note_datetime", event.start)
            .int("note_type_concept_id", kind::EHR)
            .text("note_title", r.title.as_deref(), summary)
            .text("note_text", r.text.as_deref(), summary)
            .maybe_int("provider_id", provider)
            .maybe_int("visit_occurrence_id", event.visit)
            .text("note_source_value", r.kind.as_deref(), summary)
            .end()?;
        Ok(Ok(()))
    }

    /// A cover that has no last day lasts, as far as is known, to the last day on which the person was seen.
    fn coverage(&mut self, at: u32, person: i64, r: &CoverageRecord<'_>) -> Fate {
        let from = r.from_on.as_deref().and_then(Moment::read);
        let from = reason!(self.whole("payer_plan_period.payer_plan_period_start_date", from));
        let to = r.to_on.as_deref().and_then(Moment::read).map(|m| m.day_or_first().0);
        let to = match to.filter(|to| to.days() >= from.days()) {
            Some(to) => to,
            None => {
                self.summary
                    .imputed("payer_plan_period.payer_plan_period_end_date", "last-day-seen");
                let last = self.survey.persons[at as usize].days.map_or(0, |(_, last)| last);
                Moment::of_days(last.max(from.days()))
            }
        };
        let id = self.ids.next("payer_plan_period")?;
        let (sheet, summary) = self.sheet("payer_plan_period");
        sheet
            .int("payer_plan_period_id", id)
            .int("person_id", person)
            .date("payer_plan_period_start_date", from)
            .date("payer_plan_period_end_date", to)
            .text("payer_source_value", r.insurer_no.as_deref(), summary)
            .text("plan_source_value", r.kind.as_deref(), summary)
            .text("family_source_value", r.relation.as_deref(), summary)
            .end()?;
        Ok(Ok(()))
    }

    /// What a payer of a claim is billed, at the claim's stay or its first visit: points are ten yen each.
    fn cost(&mut self, at: u32, r: &ClaimPayerRecord<'_>) -> Fate {
        let key = r.claim_key.as_deref().unwrap_or("");
        let visit = self
            .visit(at, Some(key))
            .or_else(|| (1..=31).find_map(|day| self.visit(at, Some(&format!("{key}-{day:02}")))));
        let Some(visit) = visit else { return Ok(Err(Reason::NoEvent)) };
        let points = whole_number(r.points.as_deref());
        let id = self.ids.next("cost")?;
        let (sheet, summary) = self.sheet("cost");
        sheet
            .int("cost_id", id)
            .int("cost_event_id", visit)
            .text("cost_domain_id", Some("Visit"), summary)
            .int("cost_type_concept_id", kind::CLAIM)
            .float("total_charge", points.map(|p| (p * 10).to_string()).as_deref())
            .float("paid_patient_copay", r.copay.as_deref())
            .text("revenue_code_source_value", r.payer.as_deref(), summary)
            .end()?;
        Ok(Ok(()))
    }

    /// Materials are devices; acts, drugs and diagnoses of a claim stand in rows of their own.
    fn material(&mut self, at: u32, person: i64, r: &ClaimItemRecord<'_>) -> Fate {
        if r.code_system.as_deref() != Some("receipt-material") {
            return Ok(Err(Reason::ToldElsewhere));
        }
        let month = self.survey.claim(at, r.claim_key.as_deref()).flatten();
        let mut days: Vec<(Moment, Option<&str>)> = Vec::new();
        for part in r.days.as_deref().unwrap_or("").split(' ').filter(|p| !p.is_empty()) {
            let (day, count) = part.split_once(':').unwrap_or((part, ""));
            if let (Some(month), Ok(day)) = (month, day.parse::<u8>()) {
                days.push((Moment { day: Some(day), ..month }, Some(count)));
            }
        }
        if days.is_empty() {
            let own = r.started_on.as_deref().and_then(Moment::read).or(month);
            days.push((
                reason!(self.whole("device_exposure.device_exposure_start_date", own)),
                None,
            ));
        }
        let coded = Coded::new(&r.code, &r.code_system, &r.text);
        let visit = self.visit(at, r.claim_key.as_deref());
        let concept = self.concept(coded);
        for (day, count) in days {
            let id = self.ids.next("device_exposure")?;
            let quantity = times(r.quantity.as_deref(), count);
            let (sheet, summary) = self.sheet("device_exposure");
            sheet
                .int("device_exposure_id", id)
                .int("person_id", person)
                .int("device_concept_id", concept)
                .date("device_exposure_start_date", day)
                .int("device_type_concept_id", kind::CLAIM)
                .maybe_int("quantity", quantity)
                .maybe_int("visit_occurrence_id", visit)
                .text("device_source_value", coded.source_value(), summary)
                .text("unit_source_value", r.quantity_unit.as_deref(), summary)
                .end()?;
        }
        Ok(Ok(()))
    }

    /// Rows of a survey of stays: code, and what it says as text.
    fn survey_row(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &SurveyRecord<'_>,
    ) -> Fate {
        let system = r.file.as_deref().map(|f| format!("dpc-{f}"));
        let coded =
            Coded { code: r.code.as_deref(), system: system.as_deref(), text: r.text.as_deref() };
        let event = reason!(self.event(
            at,
            person,
            record,
            "observation.observation_date",
            coded,
            r.stay_key.as_deref()
        ));
        let values = [
            &r.value1, &r.value2, &r.value3, &r.value4, &r.value5, &r.value6, &r.value7, &r.value8,
        ];
        let mut values: Vec<&str> = values.map(|v| v.as_deref().unwrap_or("")).to_vec();
        // The ninth is free text.
        values.push(r.value9.as_deref().filter(|_| self.options.texts).unwrap_or(""));
        while values.last().is_some_and(|v| v.is_empty()) {
            values.pop();
        }
        let joined = (!values.is_empty()).then(|| values.join("|"));
        self.observation(&event, joined.as_deref(), joined.as_deref(), None, None)
    }

    fn care(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &CareServiceRecord<'_>,
    ) -> Fate {
        if r.kind.as_deref() == Some("plan") || r.kind.as_deref() == Some("schedule") {
            return Ok(Err(Reason::Planned));
        }
        let code = [&r.service_kind, &r.service_item].map(|v| v.as_deref().unwrap_or("")).concat();
        let code = Some(code).filter(|c| !c.is_empty());
        let text = r.kind.as_deref();
        let coded = Coded { code: code.as_deref(), system: Some("care-service"), text };
        let event =
            reason!(self.event(at, person, record, "observation.observation_date", coded, None));
        let event = Event { kind: kind::CLAIM, ..event };
        let number = r.total_units.as_deref().or(r.units.as_deref());
        self.observation(&event, r.care_level.as_deref(), number, None, r.kind.as_deref())
    }

    fn certification(
        &mut self,
        at: u32,
        person: i64,
        record: &Record<'_>,
        r: &CareCertificationRecord<'_>,
    ) -> Fate {
        let system = r.care_level_system.as_deref().or(Some("care-level"));
        let coded = Coded { code: Some("care-level"), system, text: Some("要介護状態区分") };
        let event =
            reason!(self.event(at, person, record, "observation.observation_date", coded, None));
        self.observation(&event, r.care_level.as_deref(), None, None, r.application_kind.as_deref())
    }
}

/// A result.
struct Value<'r> {
    text: Option<&'r str>,
    number: Option<&'r str>,
    comparator: Option<&'r str>,
    unit: Option<&'r str>,
    unit_system: Option<&'r str>,
    range: Option<&'r str>,
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

/// A decimal text that is a whole number of 32 bits.
fn whole_number(text: Option<&str>) -> Option<i64> {
    let text = text?.trim();
    let whole = text
        .split_once('.')
        .map_or(text, |(whole, rest)| if rest.bytes().all(|b| b == b'0') { whole } else { text });
    whole.parse::<i32>().ok().map(Into::into)
}

fn times(quantity: Option<&str>, count: Option<&str>) -> Option<i64> {
    let quantity = match quantity {
        Some(quantity) => whole_number(Some(quantity))?,
        None => 1,
    };
    let count = count.filter(|c| !c.is_empty()).map_or(Some(1), |c| whole_number(Some(c)))?;
    quantity.checked_mul(count).filter(|n| i32::try_from(*n).is_ok())
}

/// `3.5-5.1`, `3.5-`, `-5.1`: the two sides, as far as they are numbers.
pub(in crate::out) fn bounds(range: &str) -> (Option<&str>, Option<&str>) {
    let mark = |c: char| matches!(c, '-' | '~' | '～' | '〜');
    // A minus in front belongs to the number only if another mark follows.
    let from = range.char_indices().skip(1).find(|(_, c)| mark(*c)).map(|(at, _)| at);
    let at = from.or_else(|| range.starts_with(mark).then_some(0));
    let Some(at) = at else { return (None, None) };
    let width = range[at..].chars().next().map_or(0, char::len_utf8);
    let side = |text: &str| -> Option<()> { number(text).map(|_| ()) };
    let (low, high) = (range[..at].trim(), range[at + width..].trim());
    (side(low).map(|()| low), side(high).map(|()| high))
}
