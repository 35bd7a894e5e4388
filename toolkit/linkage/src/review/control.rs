//! Negative controls: what cannot be of one person, found in what was linked as one.
//!
//! A woman with a prostate operation, care after death, a birth to a girl under ten: each is an error of linkage or of
//! the record. Their share needs no truth, and goes up with wrong links before anything else does.

use serde::Serialize;

use crate::review::{Interval, wilson};

/// A fact of one record that can contradict another of the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// The record says male.
    Male,
    /// The record says female.
    Female,
    /// A procedure or disease that only males have.
    OfMales,
    /// A procedure or disease that only females have.
    OfFemales,
    /// Died on this day.
    Died(jiff::civil::Date),
    /// Was treated on this day.
    Treated(jiff::civil::Date),
    /// Was born on this day.
    Born(jiff::civil::Date),
    /// Gave birth on this day.
    GaveBirth(jiff::civil::Date),
}

/// What is known of one linked person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonFacts {
    /// Facts with the place of their record among the person's.
    pub facts: Vec<(u32, Fact)>,
}

/// A negative control.
#[derive(Debug, Clone, Copy)]
pub struct Control {
    /// Id.
    pub id: &'static str,
    /// The Japanese words.
    pub ja: &'static str,
    /// Could this pair of facts be a contradiction, and is it? `None` if it says nothing.
    violated: fn(Fact, Fact) -> Option<bool>,
}

fn days(from: jiff::civil::Date, to: jiff::civil::Date) -> i64 {
    from.until(to).map_or(0, |s| i64::from(s.get_days()))
}

fn other_sex(a: Fact, b: Fact) -> Option<bool> {
    match (a, b) {
        (Fact::Female, Fact::OfMales) | (Fact::Male, Fact::OfFemales) => Some(true),
        (Fact::Male, Fact::OfMales) | (Fact::Female, Fact::OfFemales) => Some(false),
        _ => None,
    }
}

fn two_sexes(a: Fact, b: Fact) -> Option<bool> {
    match (a, b) {
        (Fact::Male, Fact::Female) => Some(true),
        (Fact::Male, Fact::Male) | (Fact::Female, Fact::Female) => Some(false),
        _ => None,
    }
}

/// Bills and examinations of the last days come after: so many days are borne.
const AFTER_DEATH: i64 = 31;

fn after_death(a: Fact, b: Fact) -> Option<bool> {
    match (a, b) {
        (Fact::Died(died), Fact::Treated(on)) => Some(days(died, on) > AFTER_DEATH),
        _ => None,
    }
}

fn young_mother(a: Fact, b: Fact) -> Option<bool> {
    match (a, b) {
        (Fact::Born(born), Fact::GaveBirth(on)) => {
            Some(born.saturating_add(jiff::Span::new().years(10)) > on)
        }
        _ => None,
    }
}

fn before_birth(a: Fact, b: Fact) -> Option<bool> {
    match (a, b) {
        (Fact::Born(born), Fact::Treated(on)) => Some(days(on, born) > 1),
        _ => None,
    }
}

/// All controls.
pub const CONTROLS: [Control; 5] = [
    Control {
        id: "control.other-sex", ja: "性別に合わない手術・傷病", violated: other_sex
    },
    Control {
        id: "control.two-sexes", ja: "記録により性別が異なる", violated: two_sexes
    },
    Control { id: "control.after-death", ja: "死亡後の診療", violated: after_death },
    Control { id: "control.young-mother", ja: "10歳未満の出産", violated: young_mother },
    Control { id: "control.before-birth", ja: "出生前の診療", violated: before_birth },
];

/// What a control found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ControlReport {
    /// Id of the control.
    pub id: &'static str,
    /// The Japanese words.
    pub ja: &'static str,
    /// Persons whose linked records could contradict each other.
    pub exposed: u64,
    /// Of those, persons in whom two records do.
    pub violated: u64,
    /// The share, with its interval.
    pub share: Interval,
    /// Persons in whom one record contradicts itself: an error of the record, not of linkage.
    pub inside_one_record: u64,
}

/// Looks at linked persons. Contradictions between two records count against linkage, those inside one do not.
pub fn negative_controls(persons: &[PersonFacts]) -> Vec<ControlReport> {
    CONTROLS
        .iter()
        .map(|control| {
            let (mut exposed, mut violated, mut inside) = (0, 0, 0);
            for person in persons {
                let (mut could, mut does, mut alone) = (false, false, false);
                for (x, a) in &person.facts {
                    for (y, b) in &person.facts {
                        match (control.violated)(*a, *b) {
                            Some(wrong) if x != y => (could, does) = (true, does || wrong),
                            Some(wrong) => alone |= wrong,
                            None => {}
                        }
                    }
                }
                // a record that contradicts itself proves nothing about links
                exposed += u64::from(could && !alone);
                violated += u64::from(does && !alone);
                inside += u64::from(alone);
            }
            ControlReport {
                id: control.id,
                ja: control.ja,
                exposed,
                violated,
                share: wilson(violated as f64, exposed as f64),
                inside_one_record: inside,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_between_records_count() {
        let d = jiff::civil::date;
        let person = |facts: &[(u32, Fact)]| PersonFacts { facts: facts.to_vec() };
        let persons = [
            person(&[(0, Fact::Female), (1, Fact::OfMales)]),
            person(&[(0, Fact::Male), (1, Fact::OfMales)]),
            person(&[(0, Fact::Female), (0, Fact::OfMales)]),
            person(&[(0, Fact::Died(d(2020, 1, 1))), (1, Fact::Treated(d(2020, 1, 20)))]),
            person(&[(0, Fact::Died(d(2020, 1, 1))), (1, Fact::Treated(d(2021, 1, 20)))]),
            person(&[(0, Fact::Born(d(2000, 5, 5))), (1, Fact::GaveBirth(d(2010, 5, 4)))]),
            person(&[(0, Fact::Born(d(2000, 5, 5))), (1, Fact::GaveBirth(d(2010, 5, 5)))]),
            person(&[(0, Fact::Born(d(2000, 5, 5))), (1, Fact::Treated(d(1999, 5, 5)))]),
        ];
        let report = negative_controls(&persons);
        let of = |id: &str| {
            let r = report.iter().find(|r| r.id == id).expect("a control");
            (r.exposed, r.violated, r.inside_one_record)
        };
        assert_eq!(of("control.other-sex"), (2, 1, 1));
        assert_eq!(of("control.after-death"), (2, 1, 0));
        assert_eq!(of("control.young-mother"), (2, 1, 0));
        assert_eq!(of("control.before-birth"), (1, 1, 0));
        assert_eq!(of("control.two-sexes"), (0, 0, 0));
        assert!(report.iter().all(|r| r.share.low <= r.share.high));
    }
}
