//! What the gate decided on a person, and on persons alike.

use std::{collections::HashMap, sync::Arc};

use kiban_govern::gate::Reason;
use kiban_kernel::{Bases, Date, PartialDate, Regime};

use crate::person_notice::PersonNotice;

/// Under which regimes an item may be kept, and why not under the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Decision {
    /// Regimes it passes.
    pub bases: Bases,
    /// Regimes that refuse it, each with its reason.
    pub refused: Vec<(Regime, Reason)>,
}

impl Decision {
    /// The reason under a regime, if it refuses.
    pub fn reason(&self, regime: Regime) -> Option<Reason> {
        self.refused.iter().find(|(r, _)| *r == regime).map(|(_, reason)| *reason)
    }
}

/// The decisions on one person, for every kind of table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonGate {
    by_kind: Vec<(&'static str, Decision)>,
    /// By regime in the order of [`Regime::ALL`]: what is older may not be kept, for a stop was withdrawn.
    floors: [Option<Date>; 2],
}

impl PersonGate {
    pub(super) fn new(by_kind: Vec<(&'static str, Decision)>, floors: [Option<Date>; 2]) -> Self {
        Self { by_kind, floors }
    }

    /// The decision for a kind; a kind without a table is no medical information.
    pub fn decide(&self, kind: &str) -> Decision {
        self.by_kind.iter().find(|(k, _)| *k == kind).map_or_else(
            || Decision {
                bases: Bases::NONE,
                refused: Regime::ALL
                    .into_iter()
                    .map(|r| (r, Reason::NotMedicalInformation))
                    .collect(),
            },
            |(_, d)| d.clone(),
        )
    }

    /// The bases for a kind.
    pub fn bases_of(&self, kind: &str) -> Bases {
        self.by_kind.iter().find(|(k, _)| *k == kind).map_or(Bases::NONE, |(_, d)| d.bases)
    }

    /// The regimes that refuse what arose at `earliest` (`None`: it does not say when), each with the reason. Of a person
    /// whose stop was withdrawn only what arose since the new notice is kept.
    pub fn too_old(&self, earliest: Option<Date>) -> Vec<(Regime, Reason)> {
        let older = |from: Date| earliest.is_none_or(|on| on < from);
        Regime::ALL
            .into_iter()
            .zip(self.floors)
            .filter_map(|(regime, floor)| {
                let from = floor.filter(|from| older(*from))?;
                Some((regime, Reason::BeforeNewNotice { from }))
            })
            .collect()
    }

    /// Does [`PersonGate::too_old`] refuse anything?
    pub fn has_floor(&self) -> bool {
        self.floors.iter().any(Option::is_some)
    }

    /// Regimes under which anything of the person may be kept.
    pub fn bases(&self) -> Bases {
        Bases::from_bits(self.by_kind.iter().fold(0, |bits, (_, d)| bits | d.bases.bits()))
    }

    /// Why nothing of the person passes under a regime; `None` if something does.
    pub fn reason(&self, regime: Regime) -> Option<Reason> {
        if self.bases().contains(regime) {
            return None;
        }
        let reasons = || self.by_kind.iter().filter_map(|(_, d)| d.reason(regime));
        let of_item =
            |r: &Reason| matches!(r, Reason::ItemNotListed | Reason::NotMedicalInformation);
        reasons().find(|r| !of_item(r)).or_else(|| reasons().next())
    }
}

/// A person's notices, each with whether the person was of age.
type Notices = Vec<(PersonNotice, Option<bool>)>;

/// Judgements that are kept: when there are more, they are made again.
const MANY: usize = 4_096;

/// The decisions on persons so far, by all that the decision looks at ([`Gate::person_among`](super::Gate::person_among)).
#[derive(Debug, Default)]
pub struct Judged(HashMap<(Option<PartialDate>, Notices), Arc<PersonGate>>);

impl Judged {
    pub(super) fn of(
        &mut self,
        died_on: Option<PartialDate>,
        notices: Notices,
        judge: impl FnOnce() -> PersonGate,
    ) -> Arc<PersonGate> {
        if self.0.len() >= MANY {
            self.0.clear();
        }
        self.0.entry((died_on, notices)).or_insert_with(|| Arc::new(judge())).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_judgements_are_kept_than_may_be() {
        let mut judged = Judged::default();
        let notices = |n: usize| {
            let notice = PersonNotice {
                regime: Regime::Anon52,
                version: format!("v{n}"),
                notified_on: Date::constant(2026, 4, 1),
                channel: "post".into(),
                guardian: false,
            };
            vec![(notice, Some(true))]
        };
        let mut made = 0;
        for n in (0..MANY + 10).chain([MANY + 9, 0]) {
            judged.of(None, notices(n), || {
                made += 1;
                PersonGate::new(Vec::new(), [None; 2])
            });
            assert!(judged.0.len() <= MANY);
        }
        assert_eq!(made, MANY + 11, "one is there, one was let go");
    }
}
