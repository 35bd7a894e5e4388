//! What a row says, told to the function of its kind; what all events have.

use super::{Coded, Omop, kind, span};
use crate::{
    out::{Moment, OutError, Reason, Sinks},
    record::Record,
};

/// Written, or why not; the outer error ends the output.
pub(super) type Fate = Result<Result<(), Reason>, OutError>;

/// A row of a table of events: what all of them have.
pub(super) struct Event<'r> {
    pub person: i64,
    pub visit: Option<i64>,
    pub provider: Option<i64>,
    pub coded: Coded<'r>,
    pub start: Moment,
    pub end: Option<Moment>,
    pub kind: i64,
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
                let found = self.survey.visit_at(at, r.stay_key);
                Ok(if found.is_some() { Ok(()) } else { Err(Reason::NoDate) })
            }
            Record::Claim(_) => Ok(Err(Reason::ToldElsewhere)),
            Record::ClaimPayer(r) => self.cost(at, r),
            Record::ClaimItem(r) => self.material(at, person, r),
            Record::Condition(r) => self.condition(at, person, record, r),
            Record::Medication(r) => self.drug(at, person, record, r),
            Record::Vaccination(r) => self.vaccination(at, person, record, r),
            Record::Procedure(r) => {
                let coded = Coded::new(r.code, r.code_system, r.text);
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "procedure_occurrence.procedure_date",
                    coded,
                    r.encounter_key
                ));
                let provider = self.provider(r.practitioner)?;
                let claimed = matches!(r.status, Some("claimed" | "bundled" | "outside"));
                let kind = if claimed { kind::CLAIM } else { kind::EHR };
                self.procedure(&Event { provider, kind, ..event }, None)
            }
            Record::ImagingStudy(r) => {
                let mut coded = Coded::new(r.code, r.code_system, r.text);
                coded.text = coded.text.or(r.modality);
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "procedure_occurrence.procedure_date",
                    coded,
                    r.encounter_key
                ));
                self.procedure(&event, r.modality)
            }
            Record::Measurement(r) => self.measured(at, person, record, r),
            Record::Checkup(r) => self.checkup(at, person, record, r),
            Record::Note(r) => self.note(at, person, record, r),
            Record::Coverage(r) => self.coverage(at, person, r),
            Record::Survey(r) => self.survey_row(at, person, record, r),
            Record::CareService(r) => self.care(at, person, record, r),
            Record::CareCertification(r) => self.certification(at, person, record, r),
            Record::Allergy(r) => {
                let coded = Coded::new(r.code, r.code_system, r.text);
                let qualifier = r.severity.or(r.certainty);
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "observation.observation_date",
                    coded,
                    None
                ));
                let event = Event { provider: self.provider(r.practitioner)?, ..event };
                self.observation(&event, r.text, None, None, qualifier)
            }
            Record::FamilyHistory(_) => Ok(Err(Reason::NoDate)),
            Record::Residency(r) => {
                let coded = Coded { code: r.event, system: Some("residency"), text: None };
                let event = reason!(self.event(
                    at,
                    person,
                    record,
                    "observation.observation_date",
                    coded,
                    None
                ));
                self.observation(&event, r.event_code.or(r.event), None, None, None)
            }
            Record::ServiceOrder(_) => Ok(Err(Reason::Planned)),
            Record::Document(_) => Ok(Err(Reason::NoPlace)),
        }
    }

    pub(super) fn visit(&self, at: u32, key: Option<&str>) -> Option<i64> {
        let visit = self.survey.visit_at(at, key)?;
        self.visits.get(visit as usize).copied().flatten()
    }

    pub(super) fn event<'r>(
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
}

pub(super) use reason;
