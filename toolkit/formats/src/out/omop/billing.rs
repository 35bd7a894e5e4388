//! Insurance, what payers are billed, materials.

use super::{
    Coded, Omop,
    events::{Fate, reason},
    kind,
    sheet::whole_number,
};
use crate::{
    out::{Moment, Reason, Sinks},
    record::{ClaimItemRecord, ClaimPayerRecord, CoverageRecord},
};

impl<S: Sinks> Omop<'_, S> {
    /// A cover that has no last day lasts, as far as is known, to the last day on which the person was seen.
    pub(super) fn coverage(&mut self, at: u32, person: i64, r: &CoverageRecord<'_>) -> Fate {
        let from = r.from_on.and_then(Moment::read);
        let from = reason!(self.whole("payer_plan_period.payer_plan_period_start_date", from));
        let to = r.to_on.and_then(Moment::read).map(|m| m.day_or_first().0);
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
            .text("payer_source_value", r.insurer_no, summary)
            .text("plan_source_value", r.kind, summary)
            .text("family_source_value", r.relation, summary)
            .end()?;
        Ok(Ok(()))
    }

    /// What a payer of a claim is billed, at the claim's stay or its first visit: points are ten yen each.
    pub(super) fn cost(&mut self, at: u32, r: &ClaimPayerRecord<'_>) -> Fate {
        let key = r.claim_key.unwrap_or("");
        let visit = self
            .visit(at, Some(key))
            .or_else(|| (1..=31).find_map(|day| self.visit(at, Some(&format!("{key}-{day:02}")))));
        let Some(visit) = visit else { return Ok(Err(Reason::NoEvent)) };
        let points = whole_number(r.points);
        let id = self.ids.next("cost")?;
        let (sheet, summary) = self.sheet("cost");
        sheet
            .int("cost_id", id)
            .int("cost_event_id", visit)
            .text("cost_domain_id", Some("Visit"), summary)
            .int("cost_type_concept_id", kind::CLAIM)
            .float("total_charge", points.map(|p| (p * 10).to_string()).as_deref())
            .float("paid_patient_copay", r.copay)
            .text("revenue_code_source_value", r.payer, summary)
            .end()?;
        Ok(Ok(()))
    }

    /// Materials are devices; acts, drugs and diagnoses of a claim stand in rows of their own.
    pub(super) fn material(&mut self, at: u32, person: i64, r: &ClaimItemRecord<'_>) -> Fate {
        if r.code_system != Some("receipt-material") {
            return Ok(Err(Reason::ToldElsewhere));
        }
        let month = self.survey.claim(at, r.claim_key).ok().flatten();
        let mut days: Vec<(Moment, Option<&str>)> = Vec::new();
        for part in r.days.unwrap_or("").split(' ').filter(|p| !p.is_empty()) {
            let (day, count) = part.split_once(':').unwrap_or((part, ""));
            if let (Some(month), Ok(day)) = (month, day.parse::<u8>()) {
                days.push((Moment { day: Some(day), ..month }, Some(count)));
            }
        }
        if days.is_empty() {
            let own = r.started_on.and_then(Moment::read).or(month);
            days.push((
                reason!(self.whole("device_exposure.device_exposure_start_date", own)),
                None,
            ));
        }
        let coded = Coded::new(r.code, r.code_system, r.text);
        let visit = self.visit(at, r.claim_key);
        let concept = self.concept(coded);
        for (day, count) in days {
            let id = self.ids.next("device_exposure")?;
            let quantity = times(r.quantity, count);
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
                .text("unit_source_value", r.quantity_unit, summary)
                .end()?;
        }
        Ok(Ok(()))
    }
}

fn times(quantity: Option<&str>, count: Option<&str>) -> Option<i64> {
    let quantity = match quantity {
        Some(quantity) => whole_number(Some(quantity))?,
        None => 1,
    };
    let count = count.filter(|c| !c.is_empty()).map_or(Some(1), |c| whole_number(Some(c)))?;
    quantity.checked_mul(count).filter(|n| i32::try_from(*n).is_ok())
}
