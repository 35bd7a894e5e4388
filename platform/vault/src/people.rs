//! What a delivery as a whole says of each of its persons: the facts the gate asks for, before any of
//! their segments is judged.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use kiban_formats::Record;
use kiban_intake::{Segment, notices::NoticeRow};
use kiban_kernel::{PartialDate, parse_date, parse_partial};
use kiban_linkage::{Identity, RawIdentity, Sex};
use kiban_register::{Gate, Judged, PersonFacts, PersonGate, PersonNotice};

/// More identities of one person in one delivery than this are not compared.
const MOST_IDENTITIES: usize = 8;

/// One person of a delivery.
#[derive(Default)]
pub(crate) struct Facts {
    /// Rows of the delivery's list of notices.
    notices: Vec<u32>,
    pub(crate) died_on: Option<PartialDate>,
    pub(crate) birth_on: Option<PartialDate>,
    identities: Vec<Identity>,
}

impl Facts {
    /// The judgement on the person, given the notices that were told.
    pub(crate) fn gate(
        &self,
        gate: &Gate,
        local_id: &str,
        notices: &[PersonNotice],
        judged: &mut Judged,
    ) -> Arc<PersonGate> {
        let facts = PersonFacts {
            local_id,
            notices,
            died_on: self.died_on,
            birth_on: self.birth_on,
            identities: &self.identities,
        };
        gate.person_among(&facts, judged)
    }

    /// Of several days of death the earliest counts: nobody is kept on the strength of the later one.
    fn died(&mut self, on: PartialDate) {
        let earlier = |d: &PartialDate| d.latest() <= on.latest();
        if !self.died_on.as_ref().is_some_and(earlier) {
            self.died_on = Some(on);
        }
    }
}

/// All persons of a delivery, by the holder's own id.
pub(crate) struct People<'n> {
    notices: &'n [NoticeRow],
    by_local_id: HashMap<Cow<'n, str>, Facts>,
    with_identities: bool,
}

impl<'n> People<'n> {
    /// From the delivery's list of notices; `with_identities`: somebody asked to stop at all holders.
    pub(crate) fn new(notices: &'n [NoticeRow], with_identities: bool) -> Self {
        let mut by_local_id: HashMap<Cow<'n, str>, Facts> = HashMap::new();
        for (at, row) in (0..).zip(notices) {
            let facts = by_local_id.entry(Cow::Borrowed(&*row.local_id)).or_default();
            // Mostly two: one under each regime.
            facts.notices.reserve_exact(1);
            facts.notices.push(at);
            if let Some(on) = row.died_on {
                facts.died(on);
            }
        }
        Self { notices, by_local_id, with_identities }
    }

    /// Everything that was said of a person, whom nobody asks for again; with the person's id and notices.
    pub(crate) fn take(&mut self, local_id: &str) -> (Cow<'n, str>, Facts, Vec<PersonNotice>) {
        let (local_id, facts) = self
            .by_local_id
            .remove_entry(local_id)
            .unwrap_or_else(|| (Cow::Owned(local_id.to_owned()), Facts::default()));
        let rows = facts.notices.iter().filter_map(|at| self.notices.get(*at as usize));
        let notices = rows.map(|row| PersonNotice {
            regime: row.regime,
            version: row.notice_version.clone(),
            notified_on: row.notified_on,
            channel: row.channel.clone(),
            guardian: row.guardian,
        });
        let notices = notices.collect();
        (local_id, facts, notices)
    }

    /// What a segment says of its person's birth, death and identity.
    pub(crate) fn see(&mut self, segment: &Segment<'_>) {
        let Some(local_id) = segment.person.filter(|p| !p.is_empty()) else { return };
        if segment.parsed.rejected {
            return;
        }
        let date = |text: Option<&str>| text.and_then(|t| parse_partial(t).ok());
        for record in &segment.parsed.records {
            let (birth, death) = match record {
                Record::Person(p) => (date(p.birth_on), date(p.death_on)),
                Record::Death(d) => (None, date(d.died_on)),
                _ => continue,
            };
            let facts = match self.by_local_id.get_mut(local_id) {
                Some(facts) => facts,
                None => self.by_local_id.entry(Cow::Owned(local_id.to_owned())).or_default(),
            };
            if let Some(on) = death {
                facts.died(on);
            }
            // the youngest reading: a guardian is asked for rather than not
            if birth.is_some_and(|b| facts.birth_on.is_none_or(|known| known.latest() < b.latest()))
            {
                facts.birth_on = birth;
            }
            if self.with_identities
                && let Record::Person(p) = record
                && facts.identities.len() < MOST_IDENTITIES
            {
                let identity = Identity::normalise(&RawIdentity {
                    name_kanji: p.name_kanji,
                    name_kana: p.name_kana,
                    birth_on: p.birth_on.and_then(|t| parse_date(t).ok()),
                    sex: p.sex.and_then(Sex::from_code),
                    insurer_no: p.insurer_no,
                    insured_symbol: p.insured_symbol,
                    insured_number: p.insured_number,
                    insured_branch: p.insured_branch,
                    ..RawIdentity::default()
                });
                if !facts.identities.contains(&identity) {
                    facts.identities.push(identity);
                }
            }
        }
    }
}
