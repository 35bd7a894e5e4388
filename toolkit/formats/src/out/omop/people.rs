//! People, their deaths, the times in which they were seen, and their visits: known before the first row.

use super::{Coded, Omop, kind};
use crate::out::{Moment, OutError, Sinks};

impl<S: Sinks> Omop<'_, S> {
    /// `person`, `death`, `observation_period`, `location`.
    pub(super) fn people(&mut self) -> Result<(), OutError> {
        for at in 0..self.survey.persons.len() {
            let who = self.survey.persons[at].clone();
            let Some(birth) = who.birth else {
                self.persons.push(None);
                continue;
            };
            let id = self.ids.person(&who.key)?;
            self.persons.push(Some(id));
            let postal = who.postal_code.as_deref().filter(|_| self.options.identifiers);
            let location = match postal {
                Some(postal) => {
                    let location = self.ids.next("location")?;
                    let (sheet, summary) = self.sheet("location");
                    sheet
                        .int("location_id", location)
                        .text("zip", Some(postal), summary)
                        .text("location_source_value", Some(postal), summary)
                        .end()?;
                    Some(location)
                }
                None => None,
            };
            let gender = match who.sex.as_deref() {
                Some("M") => 8507,
                Some("F") => 8532,
                _ => 0,
            };
            let (sheet, summary) = self.sheet("person");
            sheet
                .int("person_id", id)
                .int("gender_concept_id", gender)
                .int("year_of_birth", birth.year.into())
                .maybe_int("month_of_birth", birth.month.map(Into::into))
                .maybe_int("day_of_birth", birth.day.map(Into::into))
                .maybe_int("location_id", location)
                .text("person_source_value", Some(&who.key), summary)
                .text("gender_source_value", who.sex.as_deref(), summary)
                .end()?;
            if who.dead
                && let Ok(died) = self.whole("death.death_date", who.died)
            {
                let cause = Coded {
                    code: who.cause_code.as_deref(),
                    system: who.cause_system.as_deref(),
                    text: who.cause_text.as_deref(),
                };
                let concept = self.concept(cause);
                let (sheet, summary) = self.sheet("death");
                sheet
                    .int("person_id", id)
                    .date("death_date", died)
                    .datetime("death_datetime", died)
                    .int("death_type_concept_id", kind::EHR)
                    .int("cause_concept_id", concept)
                    .text("cause_source_value", cause.source_value(), summary)
                    .end()?;
            }
            if let Some((first, last)) = who.days {
                let period = self.ids.next("observation_period")?;
                let of = if who.claimed && !who.recorded { kind::CLAIM } else { kind::EHR };
                let (sheet, _) = self.sheet("observation_period");
                sheet
                    .int("observation_period_id", period)
                    .int("person_id", id)
                    .date("observation_period_start_date", Moment::of_days(first))
                    .date("observation_period_end_date", Moment::of_days(last))
                    .int("period_type_concept_id", of)
                    .end()?;
            }
        }
        Ok(())
    }

    /// `visit_occurrence`, and the care sites and providers it names.
    pub(super) fn stays(&mut self) -> Result<(), OutError> {
        for at in 0..self.survey.visits.len() {
            let visit = self.survey.visits[at].clone();
            let person = self.persons.get(visit.person as usize).copied().flatten();
            let (Some(person), Some(_)) = (person, visit.start) else {
                self.visits.push(None);
                continue;
            };
            let Ok(start) = self.whole("visit_occurrence.visit_start_date", visit.start) else {
                self.visits.push(None);
                continue;
            };
            let end =
                match visit.end.map(|e| e.day_or_first().0).filter(|e| e.days() >= start.days()) {
                    Some(end) => end,
                    None => {
                        self.summary.imputed("visit_occurrence.visit_end_date", "start");
                        start.without_time()
                    }
                };
            let id = self.ids.next("visit_occurrence")?;
            self.visits.push(Some(id));
            let provider = self.provider(visit.practitioner.as_deref())?;
            let site = self.care_site(visit.facility.as_deref(), None)?;
            let concept = match visit.class.as_deref() {
                Some("I") => 9201,
                Some("O") => 9202,
                Some("E") => 9203,
                _ => 0,
            };
            let (sheet, summary) = self.sheet("visit_occurrence");
            sheet
                .int("visit_occurrence_id", id)
                .int("person_id", person)
                .int("visit_concept_id", concept)
                .date("visit_start_date", start)
                .datetime("visit_start_datetime", start)
                .date("visit_end_date", end)
                .datetime("visit_end_datetime", end)
                .int("visit_type_concept_id", if visit.claimed { kind::CLAIM } else { kind::EHR })
                .maybe_int("provider_id", provider)
                .maybe_int("care_site_id", site)
                .text("visit_source_value", visit.class.as_deref(), summary)
                .text("discharged_to_source_value", visit.disposition.as_deref(), summary)
                .end()?;
        }
        Ok(())
    }
}
