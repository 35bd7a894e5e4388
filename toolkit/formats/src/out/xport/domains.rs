//! Which row goes into which domain.

use super::{Row, Xport};
use crate::{
    out::{
        Moment, OutError, Reason, Sinks,
        omop::{bounds, number},
        stands::span,
    },
    record::{MeasurementRecord, Record, Text},
};

/// Written, or why not; the outer error ends the output.
type Fate = Result<Result<(), Reason>, OutError>;

fn iso(moment: Option<Moment>) -> Option<String> {
    moment.map(|m| m.iso())
}

fn value(text: Option<&str>) -> Option<f64> {
    number(text?)?.parse().ok()
}

impl<S: Sinks> Xport<'_, S> {
    /// DM, SV and DS: what only all rows together tell.
    pub(super) fn people(&mut self) -> Result<(), OutError> {
        for at in 0..self.survey.persons.len() {
            let who = self.survey.persons[at].clone();
            let first = who.days.map(|(first, _)| Moment::of_days(first));
            let last = who.days.map(|(_, last)| Moment::of_days(last));
            let age = who.birth.filter(|b| b.day.is_some()).zip(first).map(|(birth, first)| {
                let before = (first.month, first.day) < (birth.month, birth.day);
                f64::from(first.year) - f64::from(birth.year) - f64::from(u8::from(before))
            });
            let age = age.filter(|age| *age >= 0.0);
            let sex = match who.sex.as_deref() {
                Some("M") => "M",
                Some("F") => "F",
                _ => "U",
            };
            let row = Row::default()
                .text("SUBJID", Some(&who.key))
                .owned("RFSTDTC", iso(first))
                .owned("RFENDTC", iso(last))
                .owned("DTHDTC", iso(who.died))
                .text("DTHFL", who.dead.then_some("Y"))
                .owned("BRTHDTC", who.birth.map(|b| b.date()))
                .number("AGE", age)
                .text("AGEU", age.map(|_| "YEARS"))
                .text("SEX", Some(sex));
            let _ = self.put("DM", at as u32, row)?;
            if who.dead {
                let row = Row::default()
                    .text("DSTERM", who.cause_text.as_deref().or(Some("DEATH")))
                    .text("DSDECOD", Some("DEATH"))
                    .text("DSCAT", Some("DISPOSITION EVENT"))
                    .owned("DSSTDTC", iso(who.died))
                    .extra("DSCODE", "Code of the Cause in the Source", who.cause_code.as_deref())
                    .extra("DSCODSYS", "Code System of the Source", who.cause_system.as_deref());
                let _ = self.put("DS", at as u32, row)?;
            }
        }
        let mut order: Vec<usize> = (0..self.survey.visits.len()).collect();
        order
            .sort_by_key(|at| (self.survey.visits[*at].person, self.survey.visits[*at].start, *at));
        for at in order {
            let visit = self.survey.visits[at].clone();
            let Some(start) = visit.start else { continue };
            let number = self.next("SV", visit.person);
            let class = match visit.class.as_deref() {
                Some("I") => Some("INPATIENT"),
                Some("O") => Some("OUTPATIENT"),
                Some("E") => Some("EMERGENCY"),
                other => other,
            };
            let row = Row::default()
                .number("VISITNUM", Some(f64::from(number)))
                .text("VISIT", class)
                .owned("SVSTDTC", Some(start.iso()))
                .owned("SVENDTC", iso(visit.end))
                .extra("SVDEPT", "Department in the Source", visit.department.as_deref())
                .extra("SVDISP", "Disposition at Discharge", visit.disposition.as_deref());
            let _ = self.put("SV", visit.person, row)?;
        }
        Ok(())
    }

    /// Can the person's key be written?
    fn fits(&self, at: u32) -> Result<(), Reason> {
        let key = self.bytes(&self.survey.persons[at as usize].key)?;
        let study = self.bytes(self.options.source_name)?;
        let long = key.len() > 40 || study.len() > 40 || key.len() + study.len() + 1 > 64;
        if long { Err(Reason::TooLong) } else { Ok(()) }
    }

    pub(super) fn row(&mut self, at: u32, record: &Record<'_>) -> Fate {
        if let Err(reason) = self.fits(at) {
            return Ok(Err(reason));
        }
        let (start, end) = span(record);
        let end = end
            .filter(|e| start.is_none_or(|s| e.without_time().days() >= s.without_time().days()));
        let (name, row) = match record {
            Record::Person(_) | Record::Death(_) => return Ok(Ok(())),
            Record::Encounter(r) => return Ok(self.survey.visit_of(at, r).map(|_| ())),
            Record::DpcStay(r) => {
                let found = self.survey.visit_at(at, r.stay_key);
                return Ok(found.map(|_| ()).ok_or(Reason::NoDate));
            }
            Record::Medication(r) => {
                let Some(name) = r.text.or(r.code) else {
                    return Ok(Err(Reason::Empty));
                };
                let dose = value(r.dose);
                let row = Row::default()
                    .text("CMTRT", Some(name))
                    .text("CMCAT", r.kind)
                    .number("CMDOSE", dose)
                    .text("CMDOSTXT", r.dose.filter(|_| dose.is_none()))
                    .text("CMDOSU", r.dose_unit)
                    .text("CMROUTE", r.route)
                    .owned("CMSTDTC", iso(start))
                    .owned("CMENDTC", iso(end))
                    .extra("CMCODE", "Code of the Drug in the Source", r.code)
                    .extra("CMCODSYS", "Code System of the Source", r.code_system)
                    .extra("CMDAYS", "Days of Supply", r.days)
                    .extra("CMQTY", "Total Quantity", r.quantity)
                    .extra("CMQTYU", "Unit of the Total Quantity", r.quantity_unit)
                    .extra("CMUSECD", "Code of the Usage", r.usage_code)
                    .extra("CMUSE", "Usage", r.usage_text)
                    .extra("CMSTAT2", "Status in the Source", r.status);
                ("CM", row)
            }
            Record::Vaccination(r) => {
                let Some(name) = r.text.or(r.code) else {
                    return Ok(Err(Reason::Empty));
                };
                let dose = value(r.dose);
                let row = Row::default()
                    .text("CMTRT", Some(name))
                    .text("CMCAT", Some("VACCINATION"))
                    .number("CMDOSE", dose)
                    .text("CMDOSTXT", r.dose.filter(|_| dose.is_none()))
                    .text("CMDOSU", r.dose_unit)
                    .text("CMROUTE", r.route)
                    .owned("CMSTDTC", iso(start))
                    .extra("CMCODE", "Code of the Drug in the Source", r.code)
                    .extra("CMCODSYS", "Code System of the Source", r.code_system)
                    .extra("CMLOT", "Lot Number", r.lot)
                    .extra("CMDOSENO", "Number of the Dose", r.dose_number);
                ("CM", row)
            }
            Record::Condition(r) => {
                let name = r.text.or(r.code).or(r.icd10);
                if name.is_none() {
                    return Ok(Err(Reason::Empty));
                }
                let date = |text: Text<'_>| text.and_then(Moment::read);
                let row = Row::default()
                    .text("MHTERM", name)
                    .text("MHCAT", Some("DIAGNOSIS"))
                    .owned("MHDTC", iso(date(r.recorded_at)))
                    .owned("MHSTDTC", iso(date(r.onset_on)))
                    .owned("MHENDTC", iso(end))
                    .extra("MHCODE", "Code of the Diagnosis in the Source", r.code)
                    .extra("MHCODSYS", "Code System of the Source", r.code_system)
                    .extra("MHICD10", "ICD-10 Code", r.icd10)
                    .extra("MHROLE", "Role of the Diagnosis", r.role)
                    .extra("MHCERT", "Certainty", r.certainty)
                    .extra("MHOUT", "Outcome", r.outcome);
                ("MH", row)
            }
            Record::Allergy(r) => {
                let Some(name) = r.text.or(r.code) else {
                    return Ok(Err(Reason::Empty));
                };
                let date = |text: Text<'_>| text.and_then(Moment::read);
                let row = Row::default()
                    .text("MHTERM", Some(name))
                    .text("MHCAT", Some("ALLERGY"))
                    .owned("MHDTC", iso(date(r.recorded_at)))
                    .owned("MHSTDTC", iso(date(r.onset_on)))
                    .extra("MHCODE", "Code of the Substance in the Source", r.code)
                    .extra("MHCODSYS", "Code System of the Source", r.code_system)
                    .extra("MHSEV", "Severity", r.severity)
                    .extra("MHREACT", "Reaction", r.reaction)
                    .extra("MHCERT", "Certainty", r.certainty);
                ("MH", row)
            }
            Record::Procedure(r) => {
                let Some(name) = r.text.or(r.code) else {
                    return Ok(Err(Reason::Empty));
                };
                let row = Row::default()
                    .text("PRTRT", Some(name))
                    .owned("PRSTDTC", iso(start))
                    .owned("PRENDTC", iso(end))
                    .extra("PRCODE", "Code of the Procedure in the Source", r.code)
                    .extra("PRCODSYS", "Code System of the Source", r.code_system)
                    .extra("PRSTAT2", "Status in the Source", r.status);
                ("PR", row)
            }
            Record::ImagingStudy(r) => {
                let name = [&r.text, &r.code, &r.modality];
                let name = name.into_iter().find_map(|n| n.as_deref());
                if name.is_none() {
                    return Ok(Err(Reason::Empty));
                }
                let row = Row::default()
                    .text("PRTRT", name)
                    .text("PRCAT", Some("IMAGING"))
                    .owned("PRSTDTC", iso(start))
                    .extra("PRCODE", "Code of the Procedure in the Source", r.code)
                    .extra("PRCODSYS", "Code System of the Source", r.code_system)
                    .extra("PRMODAL", "Modality", r.modality);
                ("PR", row)
            }
            Record::Measurement(r) => match r.category {
                None | Some("laboratory") => return self.finding(at, "LB", r, start),
                Some("vital" | "body") => return self.finding(at, "VS", r, start),
                Some(_) => return Ok(Err(Reason::NoPlace)),
            },
            Record::Checkup(r) => {
                if r.value_num.is_none() {
                    return Ok(Err(Reason::NoPlace));
                }
                let record = MeasurementRecord {
                    category: Some("checkup"),
                    code: r.item_code,
                    code_system: r.code_system,
                    text: r.text,
                    value_text: r.value_text,
                    value_num: r.value_num,
                    comparator: r.comparator,
                    unit: r.unit,
                    reference_range: r.reference_range,
                    flag: r.flag,
                    ..MeasurementRecord::default()
                };
                return self.finding(at, "LB", &record, start);
            }
            Record::Claim(_) | Record::ClaimItem(_) | Record::ClaimPayer(_) => {
                return Ok(Err(Reason::ToldElsewhere));
            }
            Record::ServiceOrder(_) => return Ok(Err(Reason::Planned)),
            Record::Note(_) if !self.options.texts => return Ok(Err(Reason::TextWithheld)),
            Record::Note(_)
            | Record::Coverage(_)
            | Record::Survey(_)
            | Record::CareService(_)
            | Record::CareCertification(_)
            | Record::FamilyHistory(_)
            | Record::Residency(_)
            | Record::Document(_) => return Ok(Err(Reason::NoPlace)),
        };
        self.put(name, at, row)
    }

    /// LB or VS.
    fn finding(
        &mut self,
        at: u32,
        name: &'static str,
        r: &MeasurementRecord<'_>,
        start: Option<Moment>,
    ) -> Fate {
        let Some(test) = r.text.or(r.code) else {
            return Ok(Err(Reason::Empty));
        };
        let system = r.code_system.unwrap_or("");
        let key = format!("{system}\u{1F}{}", r.code.unwrap_or(test));
        let short = self.test(name, if name == "LB" { 'L' } else { 'V' }, key);
        let first = self.survey.persons[at as usize].days.map(|(first, _)| first);
        // There is no day 0.
        let day = start.filter(|s| s.day.is_some()).zip(first).map(|(start, first)| {
            let days = start.days() - first;
            (if days >= 0 { days + 1 } else { days }) as f64
        });
        let exact = value(r.value_num).filter(|_| r.comparator.is_none());
        let shown = r.value_text.or(r.value_num).or(r.value_code);
        let (low, high) = r.reference_range.map_or((None, None), bounds);
        let loinc = system.contains("loinc") || system == "LN";
        let loinc = r.code.filter(|_| loinc);
        let row = if name == "LB" {
            Row::default()
                .owned("LBTESTCD", Some(short))
                .text("LBTEST", Some(test))
                .text("LBCAT", r.category)
                .text("LBORRES", shown)
                .text("LBORRESU", r.unit)
                .text("LBORNRLO", low)
                .text("LBORNRHI", high)
                .text("LBSTRESC", shown)
                .number("LBSTRESN", exact)
                .text("LBSTRESU", r.unit)
                .text("LBNRIND", r.flag)
                .text("LBLOINC", loinc)
                .text("LBSPEC", r.specimen)
                .owned("LBDTC", iso(start))
                .number("LBDY", day)
                .extra("LBCODE", "Code of the Test in the Source", r.code)
                .extra("LBCODSYS", "Code System of the Source", r.code_system)
                .extra("LBVALCD", "Code of the Result", r.value_code)
                .extra("LBRANGE", "Reference Range as Sent", r.reference_range)
        } else {
            Row::default()
                .owned("VSTESTCD", Some(short))
                .text("VSTEST", Some(test))
                .text("VSCAT", r.category)
                .text("VSORRES", shown)
                .text("VSORRESU", r.unit)
                .text("VSSTRESC", shown)
                .number("VSSTRESN", exact)
                .text("VSSTRESU", r.unit)
                .text("VSLOINC", loinc)
                .owned("VSDTC", iso(start))
                .number("VSDY", day)
                .extra("VSCODE", "Code of the Test in the Source", r.code)
                .extra("VSCODSYS", "Code System of the Source", r.code_system)
        };
        self.put(name, at, row)
    }
}
