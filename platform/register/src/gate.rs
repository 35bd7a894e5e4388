//! The gate at the producer: loaded once per delivery, asked per person and table kind.
//!
//! Enters: the register's facts of one holder, and per person the notices, death and identity that the
//! delivery reports. Leaves: the [`Bases`] under which an item may be kept, and a reason per regime that
//! refuses. What passes is decided by `kiban_govern::gate` alone.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `stop`, `unlawful_receipt`

mod judged;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use kiban_govern::gate::{self, FilingFact, GateFacts, NoticeBar, NoticeFact, Reason, StopFact};
use kiban_kernel::{Bases, Date, Id, PartialDate, Regime, Rules, kinds};
use kiban_lake::{DataClass, schema};
use kiban_linkage::Identity;
use sqlx::AnyConnection;

use crate::{
    correction, filing,
    keys::RegisterKeys,
    notice, notice_change,
    notice_return::{self, ReturnKey},
    person_notice::PersonNotice,
    stop,
    store::{StoreError, int, maybe_parsed, parsed, text},
};

pub use self::judged::{Decision, Judged, PersonGate};

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

/// What stops say of one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stopped {
    /// Regimes of stops that hold.
    bases: Bases,
    /// Day of the earliest of them.
    on: Date,
    /// By regime: day of the latest withdrawal.
    withdrawn: [Option<Date>; 2],
}

impl Stopped {
    fn and(self, other: Self) -> Self {
        let [a, b] = self.withdrawn;
        let [c, d] = other.withdrawn;
        let on = if self.bases.is_empty() {
            other.on
        } else if other.bases.is_empty() {
            self.on
        } else {
            self.on.min(other.on)
        };
        Self {
            bases: Bases::from_bits(self.bases.bits() | other.bases.bits()),
            on,
            withdrawn: [a.max(c), b.max(d)],
        }
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
    /// Versions with a change that was to be told beforehand and is not.
    untold: BTreeSet<(Regime, String)>,
    /// Letters that came back.
    returned: HashMap<ReturnKey, Date>,
    stops: HashMap<String, Stopped>,
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
        let untold = notice_change::untold(&mut *conn, holder, on).await?;
        let returned = notice_return::of(&mut *conn, holder, on).await?;
        let lawful = filing::acquisition_lawful(&mut *conn, holder, on).await?;
        // the watermark first: a stop that comes in between then makes the commit stale
        let watermark = stop::watermark(&mut *conn).await?;
        let mut stops: HashMap<String, Stopped> = HashMap::new();
        let mut any_identity = false;
        for row in sqlx::query(
            "SELECT s.hash, s.scope, s.regimes, s.requested_on, w.withdrawn_on FROM register_suppression s \
             LEFT JOIN register_stop_withdrawal w ON w.stop = s.stop",
        )
        .fetch_all(&mut *conn)
        .await?
        {
            let bases = Bases::from_bits(int(&row, SUPPRESSION, "regimes")? as u8);
            let requested: Date = parsed(&row, SUPPRESSION, "requested_on")?;
            // A withdrawal counts from its day.
            let withdrawn: Option<Date> =
                maybe_parsed(&row, SUPPRESSION, "withdrawn_on")?.filter(|day| *day <= on);
            any_identity |= text(&row, SUPPRESSION, "scope")? == "all_holders";
            let said = match withdrawn {
                None => Stopped { bases, on: requested, withdrawn: [None; 2] },
                Some(day) => Stopped {
                    bases: Bases::NONE,
                    on: requested,
                    withdrawn: Regime::ALL.map(|r| bases.contains(r).then_some(day)),
                },
            };
            let entry = stops.entry(text(&row, SUPPRESSION, "hash")?).or_insert(said);
            *entry = entry.and(said);
        }
        // One person under two local ids: what was asked under the one counts under the other. Chains are followed.
        let merged = correction::merged_hashes(conn).await?;
        loop {
            let before = stops.clone();
            for (a, b) in &merged {
                for (from, to) in [(a, b), (b, a)] {
                    if let Some(said) = stops.get(from).copied() {
                        let entry = stops.entry(to.clone()).or_insert(said);
                        *entry = entry.and(said);
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
            untold,
            returned,
            stops,
            any_identity,
            watermark,
            lawful,
            keys,
        })
    }

    /// The day on which somebody comes of the age of being told in person; `None` if of age at the notice, or if birth is
    /// not known.
    pub fn of_age_on(&self, birth: Option<PartialDate>, notified_on: Date) -> Option<Date> {
        let day = gate::of_age_on(birth?, notified_on, &self.rules).ok()?;
        (notified_on < day).then_some(day)
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
        self.judge(facts, self.stop(facts))
    }

    /// As [`Self::person`]. Of persons of whom the same is known, the first is judged: most are alike.
    pub fn person_among(&self, facts: &PersonFacts<'_>, judged: &mut Judged) -> Arc<PersonGate> {
        let stop = self.stop(facts);
        if stop.is_some() || !self.returned.is_empty() {
            // What decides is this person's own.
            return Arc::new(self.judge(facts, stop));
        }
        // A notice before which the person was of age, or not.
        let of_age = |notice: &PersonNotice| match facts.birth_on {
            Some(birth) => gate::of_age(birth, notice.notified_on, &self.rules).ok(),
            None => Some(true),
        };
        let notices = facts.notices.iter().map(|n| (n.clone(), of_age(n))).collect();
        judged.of(facts.died_on, notices, || self.judge(facts, None))
    }

    fn judge(&self, facts: &PersonFacts<'_>, stop: Option<Stopped>) -> PersonGate {
        let by_kind = schema::tables()
            .iter()
            .filter(|t| t.data_class == DataClass::Identified)
            .map(|t| (t.name.as_str(), self.decide_with(facts, stop, &t.name)))
            .collect();
        PersonGate::new(by_kind, Regime::ALL.map(|regime| Self::floor(facts, stop, regime)))
    }

    /// The decision on one person and kind.
    pub fn decide(&self, facts: &PersonFacts<'_>, kind: &str) -> Decision {
        self.decide_with(facts, self.stop(facts), kind)
    }

    /// Day of the first notice after a withdrawal, if the person once stopped under the regime.
    fn floor(facts: &PersonFacts<'_>, stop: Option<Stopped>, regime: Regime) -> Option<Date> {
        let withdrawn = stop?.withdrawn[usize::from(regime == Regime::Pseudo57)]?;
        facts
            .notices
            .iter()
            .filter(|n| n.regime == regime && n.notified_on >= withdrawn)
            .map(|n| n.notified_on)
            .min()
            // Without a new notice nothing passes anyway.
            .or(Some(Date::MAX))
    }

    fn stop(&self, facts: &PersonFacts<'_>) -> Option<Stopped> {
        if self.stops.is_empty() {
            return None;
        }
        let mut hashes = vec![self.keys.suppressed_at(self.holder, facts.local_id)];
        if self.any_identity {
            hashes.extend(facts.identities.iter().flat_map(|i| self.keys.suppressed_anywhere(i)));
        }
        hashes.iter().filter_map(|h| self.stops.get(h)).copied().reduce(Stopped::and)
    }

    fn decide_with(&self, facts: &PersonFacts<'_>, stop: Option<Stopped>, kind: &str) -> Decision {
        let mut decision = Decision::default();
        for regime in Regime::ALL {
            match self.decide_regime(facts, stop, kind, regime) {
                Ok(()) => decision.bases = decision.bases.with(regime),
                Err(reason) => decision.refused.push((regime, reason)),
            }
        }
        decision
    }

    /// What makes a notice count for nothing.
    fn bar(&self, local_id: &str, notice: &PersonNotice) -> Option<NoticeBar> {
        if !self.returned.is_empty() {
            let key = ReturnKey {
                person: self.keys.person_source(self.holder, local_id),
                regime: notice.regime,
                version: notice.version.clone(),
                notified_on: notice.notified_on,
            };
            if let Some(on) = self.returned.get(&key) {
                return Some(NoticeBar::Returned { on: *on });
            }
        }
        self.untold
            .contains(&(notice.regime, notice.version.clone()))
            .then_some(NoticeBar::ChangeUntold)
    }

    /// Passes if any of the person's notices passes; else the reason of the latest notice.
    fn decide_regime(
        &self,
        person: &PersonFacts<'_>,
        stop: Option<Stopped>,
        kind: &str,
        regime: Regime,
    ) -> Result<(), Reason> {
        let mut facts = GateFacts {
            filing: self.filings.get(&regime).copied(),
            notice: None,
            stop: stop
                .filter(|s| s.bases.contains(regime))
                .map(|s| StopFact { requested_on: s.on }),
            died_on: person.died_on,
            kind,
            acquisition_lawful: self.lawful,
        };
        let mut last: Option<(Date, Reason)> = None;
        let withdrawn = stop.and_then(|s| s.withdrawn[usize::from(regime == Regime::Pseudo57)]);
        for notice in person.notices.iter().filter(|n| n.regime == regime) {
            if let Some(on) = withdrawn.filter(|on| notice.notified_on < *on)
                && facts.stop.is_none()
            {
                let reason = Reason::NoticeBeforeWithdrawal { on };
                if last.is_none_or(|(on, _)| on <= notice.notified_on) {
                    last = Some((notice.notified_on, reason));
                }
                continue;
            }
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
                bar: self.bar(person.local_id, notice),
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
