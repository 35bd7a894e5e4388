//! The gate at the producer: loaded once per delivery, asked per person and table kind.
//!
//! Enters: the register's facts of one holder, and per person the notices, death and identity that the
//! delivery reports. Leaves: the [`Bases`] under which an item may be kept, and a reason per regime that
//! refuses. What passes is decided by `kiban_govern::gate` alone.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `stop`, `unlawful_receipt`

use std::collections::{BTreeMap, HashMap};

use kiban_govern::gate::{self, FilingFact, GateFacts, NoticeFact, Reason, StopFact};
use kiban_kernel::{Bases, Date, Id, PartialDate, Regime, Rules, kinds};
use kiban_lake::{DataClass, schema};
use kiban_linkage::Identity;
use sqlx::AnyConnection;

use crate::{
    correction, filing,
    keys::RegisterKeys,
    notice,
    person_notice::PersonNotice,
    stop,
    store::{StoreError, int, parsed, text},
};

const SUPPRESSION: &str = "register_suppression";

/// What a delivery says of one person.
#[derive(Debug, Clone, Copy, Default)]
pub struct PersonFacts<'a> {
    /// The holder's own id of the person.
    pub local_id: &'a str,
    /// Notices given, of both regimes.
    pub notices: &'a [PersonNotice],
    /// Day of death, as far as known.
    pub died_on: Option<PartialDate>,
    /// Birth, to tell whether a guardian had to be notified; unknown counts as of age.
    pub birth_on: Option<PartialDate>,
    /// Normalised identities, for stops asked at all holders; may be empty.
    pub identities: &'a [Identity],
}

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
}

impl PersonGate {
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

/// What the register knows of one holder on one day.
#[derive(Debug)]
pub struct Gate {
    holder: Id<kinds::Organization>,
    on: Date,
    rules: Rules,
    filings: BTreeMap<Regime, FilingFact>,
    versions: BTreeMap<(Regime, String), Vec<String>>,
    stops: HashMap<String, (Bases, Date)>,
    any_identity: bool,
    watermark: u64,
    lawful: bool,
    keys: RegisterKeys,
}

impl Gate {
    /// Load what concerns `holder` on `on`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn load(
        conn: &mut AnyConnection,
        keys: &RegisterKeys,
        holder: Id<kinds::Organization>,
        on: Date,
        rules: &Rules,
    ) -> Result<Self, StoreError> {
        let list = filing::of(&mut *conn, holder).await?;
        let filings = Regime::ALL
            .into_iter()
            .filter_map(|r| Some((r, filing::deciding(&list, r, on)?.fact())))
            .collect();
        let versions = notice::of(&mut *conn, holder)
            .await?
            .into_iter()
            .filter(|n| n.effective_from <= on)
            .map(|n| ((n.regime, n.version), n.kinds))
            .collect();
        let lawful = filing::acquisition_lawful(&mut *conn, holder, on).await?;
        // the watermark first: a stop that comes in between then makes the commit stale
        let watermark = stop::watermark(&mut *conn).await?;
        let mut stops: HashMap<String, (Bases, Date)> = HashMap::new();
        let mut any_identity = false;
        for row in
            sqlx::query("SELECT hash, scope, regimes, requested_on FROM register_suppression")
                .fetch_all(&mut *conn)
                .await?
        {
            let bases = Bases::from_bits(int(&row, SUPPRESSION, "regimes")? as u8);
            let on: Date = parsed(&row, SUPPRESSION, "requested_on")?;
            any_identity |= text(&row, SUPPRESSION, "scope")? == "all_holders";
            let entry = stops.entry(text(&row, SUPPRESSION, "hash")?).or_insert((Bases::NONE, on));
            *entry = (Bases::from_bits(entry.0.bits() | bases.bits()), entry.1.min(on));
        }
        // One person under two local ids: what was asked under the one counts under the other. Chains are followed.
        let merged = correction::merged_hashes(conn).await?;
        loop {
            let before = stops.clone();
            for (a, b) in &merged {
                for (from, to) in [(a, b), (b, a)] {
                    if let Some((bases, on)) = stops.get(from).copied() {
                        let entry = stops.entry(to.clone()).or_insert((Bases::NONE, on));
                        *entry = (Bases::from_bits(entry.0.bits() | bases.bits()), entry.1.min(on));
                    }
                }
            }
            if stops == before {
                break;
            }
        }
        let (rules, keys) = (rules.clone(), keys.clone());
        Ok(Self {
            holder,
            on,
            rules,
            filings,
            versions,
            stops,
            any_identity,
            watermark,
            lawful,
            keys,
        })
    }

    /// The holder it was loaded for.
    pub fn holder(&self) -> Id<kinds::Organization> {
        self.holder
    }

    /// The day it decides for.
    pub fn on(&self) -> Date {
        self.on
    }

    /// Number of stops it knows of: what it let pass may be committed only while there are no more.
    pub fn watermark(&self) -> u64 {
        self.watermark
    }

    /// Must [`PersonFacts::identities`] be given? Only if somebody asked to stop at all holders.
    pub fn needs_identities(&self) -> bool {
        self.any_identity
    }

    /// The register's keys.
    pub fn keys(&self) -> &RegisterKeys {
        &self.keys
    }

    /// The decisions on one person, for every kind of canonical table.
    pub fn person(&self, facts: &PersonFacts<'_>) -> PersonGate {
        let stop = self.stop(facts);
        let by_kind = schema::tables()
            .iter()
            .filter(|t| t.data_class == DataClass::Identified)
            .map(|t| (t.name.as_str(), self.decide_with(facts, stop, &t.name)))
            .collect();
        PersonGate { by_kind }
    }

    /// The decision on one person and kind.
    pub fn decide(&self, facts: &PersonFacts<'_>, kind: &str) -> Decision {
        self.decide_with(facts, self.stop(facts), kind)
    }

    fn stop(&self, facts: &PersonFacts<'_>) -> Option<(Bases, Date)> {
        if self.stops.is_empty() {
            return None;
        }
        let mut hashes = vec![self.keys.suppressed_at(self.holder, facts.local_id)];
        if self.any_identity {
            hashes.extend(facts.identities.iter().flat_map(|i| self.keys.suppressed_anywhere(i)));
        }
        hashes
            .iter()
            .filter_map(|h| self.stops.get(h))
            .copied()
            .reduce(|a, b| (Bases::from_bits(a.0.bits() | b.0.bits()), a.1.min(b.1)))
    }

    fn decide_with(
        &self,
        facts: &PersonFacts<'_>,
        stop: Option<(Bases, Date)>,
        kind: &str,
    ) -> Decision {
        let mut decision = Decision::default();
        for regime in Regime::ALL {
            match self.decide_regime(facts, stop, kind, regime) {
                Ok(()) => decision.bases = decision.bases.with(regime),
                Err(reason) => decision.refused.push((regime, reason)),
            }
        }
        decision
    }

    /// Passes if any of the person's notices passes; else the reason of the latest notice.
    fn decide_regime(
        &self,
        person: &PersonFacts<'_>,
        stop: Option<(Bases, Date)>,
        kind: &str,
        regime: Regime,
    ) -> Result<(), Reason> {
        let mut facts = GateFacts {
            filing: self.filings.get(&regime).copied(),
            notice: None,
            stop: stop
                .filter(|(b, _)| b.contains(regime))
                .map(|(_, requested_on)| StopFact { requested_on }),
            died_on: person.died_on,
            kind,
            acquisition_lawful: self.lawful,
        };
        let mut last: Option<(Date, Reason)> = None;
        for notice in person.notices.iter().filter(|n| n.regime == regime) {
            let person_age_ok = match person.birth_on {
                Some(birth) => gate::of_age(birth, notice.notified_on, &self.rules)
                    .map_err(|_| Reason::RuleMissing)?,
                None => true,
            };
            facts.notice = Some(NoticeFact {
                version: &notice.version,
                notified_on: notice.notified_on,
                items: self.versions.get(&(regime, notice.version.clone())).map(Vec::as_slice),
                guardian: notice.guardian,
                person_age_ok,
            });
            match gate::decide(&facts, regime, self.on, &self.rules) {
                Ok(()) => return Ok(()),
                Err(reason) if last.is_none_or(|(on, _)| on <= notice.notified_on) => {
                    last = Some((notice.notified_on, reason));
                }
                Err(_) => {}
            }
        }
        match last {
            Some((_, reason)) => Err(reason),
            None => {
                gate::decide(&GateFacts { notice: None, ..facts }, regime, self.on, &self.rules)
            }
        }
    }
}

#[cfg(test)]
mod tests;
