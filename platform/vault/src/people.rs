//! What a delivery as a whole says of each of its persons: the facts the gate asks for, before any of
//! their segments is judged.

use std::collections::HashMap;

use kiban_formats::Record;
use kiban_intake::{Segment, notices::NoticeRow};
use kiban_kernel::{PartialDate, parse_date, parse_partial};
use kiban_linkage::{Identity, RawIdentity, Sex};
use kiban_register::{Gate, PersonFacts, PersonGate, PersonNotice};

/// More identities of one person in one delivery than this are not compared.
const MOST_IDENTITIES: usize = 8;

/// One person of a delivery.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) notices: Vec<PersonNotice>,
    pub(crate) died_on: Option<PartialDate>,
    pub(crate) birth_on: Option<PartialDate>,
    identities: Vec<Identity>,
}

impl Facts {
    pub(crate) fn gate(&self, gate: &Gate, local_id: &str) -> PersonGate {
        gate.person(&PersonFacts {
            local_id,
            notices: &self.notices,
            died_on: self.died_on,
            birth_on: self.birth_on,
            identities: &self.identities,
        })
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
#[derive(Default)]
pub(crate) struct People {
    pub(crate) by_local_id: HashMap<String, Facts>,
    with_identities: bool,
}

impl People {
    /// From the delivery's list of notices; `with_identities`: somebody asked to stop at all holders.
    pub(crate) fn new(notices: &[NoticeRow], with_identities: bool) -> Self {
        let mut people = Self { with_identities, ..Self::default() };
        for row in notices {
            let facts = people.by_local_id.entry(row.local_id.clone()).or_default();
            facts.notices.push(PersonNotice {
                regime: row.regime,
                version: row.notice_version.clone(),
                notified_on: row.notified_on,
                channel: row.channel.clone(),
                guardian: row.guardian,
            });
            if let Some(on) = row.died_on {
                facts.died(on);
            }
        }
        people
    }

    /// What a segment says of its person's birth, death and identity.
    pub(crate) fn see(&mut self, segment: &Segment<'_>) {
        let Some(local_id) = segment.person.filter(|p| !p.is_empty()) else { return };
        if segment.parsed.rejected {
            return;
        }
        let date = |text: &Option<std::borrow::Cow<'_, str>>| {
            text.as_deref().and_then(|t| parse_partial(t).ok())
        };
        for record in &segment.parsed.records {
            let (birth, death) = match record {
                Record::Person(p) => (date(&p.birth_on), date(&p.death_on)),
                Record::Death(d) => (None, date(&d.died_on)),
                _ => continue,
            };
            let facts = match self.by_local_id.get_mut(local_id) {
                Some(facts) => facts,
                None => self.by_local_id.entry(local_id.to_owned()).or_default(),
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
                    name_kanji: p.name_kanji.as_deref(),
                    name_kana: p.name_kana.as_deref(),
                    birth_on: p.birth_on.as_deref().and_then(|t| parse_date(t).ok()),
                    sex: p.sex.as_deref().and_then(Sex::from_code),
                    insurer_no: p.insurer_no.as_deref(),
                    insured_symbol: p.insured_symbol.as_deref(),
                    insured_number: p.insured_number.as_deref(),
                    insured_branch: p.insured_branch.as_deref(),
                    ..RawIdentity::default()
                });
                if !facts.identities.contains(&identity) {
                    facts.identities.push(identity);
                }
            }
        }
    }
}
