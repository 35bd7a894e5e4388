//! What a delivery revises: the holder's lists first, before any of its segments; the rows that leave use last.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use kiban_formats::Record;
use kiban_intake::revisions::{Correction, Retraction};
use kiban_kernel::{Date, Id, kinds};
use kiban_lake::{Staged, StagedWithdrawal};

use crate::{
    VaultError,
    segments::{Columns, TABLE},
    version_rows::Cause,
    versions::Occasion,
    writer::{Judge, VaultWriter},
};

/// The lists of a delivery, as far as they were not applied before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Revisions<'a> {
    /// Records taken back.
    pub retractions: &'a [Retraction],
    /// Corrections of persons that are new.
    pub corrections: &'a [Correction],
}

impl Judge {
    /// Applies the lists. Must come before the first segment: what a delivery brings anew counts again.
    ///
    /// # Errors
    /// The lake failed.
    pub(crate) async fn revise(&mut self, revisions: Revisions<'_>) -> Result<(), VaultError> {
        for row in revisions.retractions {
            let record = self.ids.record(self.gate.holder(), &row.record);
            let latest = end_of_day(row.on);
            let on = self.occasion();
            if !self.versions.take_back(on, record, (latest, ""), row.digest(), Cause::List) {
                self.report.counts.idle_revisions += 1;
            }
        }
        for correction in revisions.corrections.iter().filter(|c| c.kind.parts()) {
            if self.take_back_all(correction).await? == 0 {
                self.report.counts.idle_revisions += 1;
            }
        }
        Ok(())
    }

    pub(crate) fn occasion(&self) -> Occasion {
        Occasion { holder: self.gate.holder(), delivery: self.delivery, stated_at: self.sealed_at }
    }

    /// Everything that came under the local id `from` leaves use, or what came of it in one delivery.
    async fn take_back_all(&mut self, correction: &Correction) -> Result<u64, VaultError> {
        let person = self.gate.keys().person_source(self.gate.holder(), &correction.from);
        let digest = correction.digest();
        let mut of_delivery: BTreeSet<Id<kinds::Segment>> = BTreeSet::new();
        if self.base.0 > 0 {
            for batch in self.lots.lake.scan_persons(TABLE, self.base, &[person]).await? {
                let columns = Columns(&batch);
                let deliveries = columns.text("delivery")?;
                let wanted = correction.delivery.map(|d| d.to_string());
                for row in 0..batch.num_rows() {
                    if wanted.as_ref().is_none_or(|d| deliveries.value(row) == d) {
                        of_delivery.insert(columns.id("segment", row)?);
                    }
                }
            }
        }
        let named: BTreeMap<_, _> =
            self.versions.in_use_of(person).into_iter().map(|(r, s)| (s, r)).collect();
        let mut taken = 0;
        for segment in of_delivery {
            let on = self.occasion();
            let done = match named.get(&segment) {
                Some(record) => {
                    self.versions.take_back(on, *record, (i64::MAX, ""), digest, Cause::Correction)
                }
                // Named, and out of use already.
                None if self.versions.has_segment(segment) => false,
                None => {
                    let record = self.ids.unnamed(segment);
                    self.versions.take_back_unnamed(on, record, person, segment, digest)
                }
            };
            taken += u64::from(done);
        }
        Ok(taken)
    }
}

impl VaultWriter {
    /// Stages that the rows of what ended leave their tables, those of this delivery too.
    pub(crate) async fn withdraw(
        &mut self,
        staged: &mut Vec<Staged>,
    ) -> Result<StagedWithdrawal, VaultError> {
        let Self { judge, rows } = self;
        let ended = std::mem::take(&mut judge.versions.ended);
        let counts = &mut judge.report.counts;
        counts.superseded_segments = ended.len() as u64;
        counts.withdrawn_records = judge.versions.withdrawn;
        if ended.is_empty() {
            return Ok(StagedWithdrawal::default());
        }
        let mut tables = BTreeSet::new();
        for segment in ended.keys() {
            let known = judge.known.get(segment).copied().unwrap_or_default();
            tables.extend(Record::TABLES.iter().filter(|t| !known.tables.get(t).is_empty()));
        }
        let tables: Vec<&str> = tables.into_iter().copied().collect();
        let names: HashSet<String> = ended.keys().map(ToString::to_string).collect();
        let persons: BTreeSet<Id<kinds::PersonSource>> = ended.into_values().collect();
        let persons: Vec<_> = persons.into_iter().collect();
        let lake = rows.lots.lake.clone();
        let (kept, left) = lake.unstage(std::mem::take(staged), &names).await?;
        *staged = kept;
        for (table, count) in left {
            rows.totals.subtract(&table, count);
        }
        Ok(lake.stage_withdrawal(&tables, &persons, &names).await?)
    }
}

/// The last moment of a day in Japan, in microseconds since 1970.
fn end_of_day(day: Date) -> i64 {
    let next = day.tomorrow().unwrap_or(day);
    kiban_kernel::jst_midnight(next).map_or(i64::MAX, |at| at.as_microsecond() - 1)
}
