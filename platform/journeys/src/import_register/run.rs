//! One file gone through: batches read, staged, committed with their counts; those of an earlier run passed over.

use kiban_audit::{Event, Tx};
use kiban_govern::Permit;
use kiban_kernel::{Digest, Id, LawKey, kinds};
use kiban_register::{Stop, person_notice::PersonNoticeRows};
use serde_json::json;
use sqlx::Row as _;

use super::{
    ImportProgress, PersonCounts,
    decide::{self, Known},
    layout::{Read1, Rows},
    report::ImportCounts,
    seen::Seen,
    stops::{self, Taken},
};
use crate::{Deployment, Error, person_notices, stop_datasets};

/// Stops in a batch: each leaves a note in its event, which has a longest length.
const STOP_BATCH: u64 = 200;

pub(super) struct Run<'a> {
    pub(super) on: &'a Deployment,
    pub(super) permit: &'a Permit,
    pub(super) import: Id<kinds::Delivery>,
    pub(super) digest: Digest,
    pub(super) known: Known,
    pub(super) seen: Seen,
    pub(super) counts: ImportCounts,
    /// Batches so far.
    pub(super) batch: u64,
    /// Rows of a batch.
    pub(super) batch_rows: u64,
    /// Reports of the batches that were committed before this run.
    pub(super) done: Vec<ImportCounts>,
    pub(super) taken: Vec<Taken>,
}

impl Run<'_> {
    /// Puts the import down, or finds how far it came. Returns the persons before it began.
    pub(super) async fn begin(&mut self) -> Result<PersonCounts, Error> {
        let damaged = || Error::Unknown { what: "register import" };
        let (seen, import) = (&mut self.seen, self.import.to_string());
        person_notices::by_file(self.on, &mut |row| {
            let _ = seen.add(row.person, &row.notice);
        })
        .await?;
        let mut conn = self.on.reader().await?;
        let row = sqlx::query(
            "SELECT before52, before57, batch_rows FROM journeys_register_import WHERE id = $1",
        )
        .bind(import.clone())
        .fetch_optional(&mut *conn)
        .await?;
        if let Some(row) = row {
            let batches = sqlx::query(
                "SELECT report FROM journeys_register_import_batch WHERE import = $1 ORDER BY batch_no",
            )
            .bind(import)
            .fetch_all(&mut *conn)
            .await?;
            for batch in &batches {
                let text: String = batch.try_get(0)?;
                self.done.push(serde_json::from_str(&text).map_err(|_| damaged())?);
            }
            self.batch_rows = row.try_get::<i64, _>(2)?.unsigned_abs().max(1);
            return Ok(PersonCounts {
                anon52: row.try_get::<i64, _>(0)?.unsigned_abs(),
                pseudo57: row.try_get::<i64, _>(1)?.unsigned_abs(),
            });
        }
        drop(conn);
        let before = self.seen.counts();
        let mut tx = self.on.log.begin().await?;
        let at = tx.now().to_string();
        sqlx::query(
            "INSERT INTO journeys_register_import (id, digest, begun_at, before52, before57, batch_rows) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(import)
        .bind(self.digest.to_string())
        .bind(at)
        .bind(i64::try_from(before.anon52).unwrap_or(i64::MAX))
        .bind(i64::try_from(before.pseudo57).unwrap_or(i64::MAX))
        .bind(i64::try_from(self.batch_rows).unwrap_or(i64::MAX))
        .execute(tx.conn())
        .await?;
        let _ = tx
            .commit(
                self.event("register.import_begun", json!({ "sha256": self.digest.to_string() })),
            )
            .await?;
        Ok(before)
    }

    fn event(&self, kind: &'static str, body: serde_json::Value) -> Event<'_> {
        Event {
            kind,
            actor: self.permit.actor(),
            subject: self.import.to_string(),
            law: LawKey::new("receipt_record").ok(),
            body,
        }
    }

    /// Was the batch now being read committed by an earlier run? Then its counts are taken from there.
    fn was_done(&mut self) -> bool {
        match self.done.get(usize::try_from(self.batch).unwrap_or(usize::MAX)) {
            Some(counts) => {
                self.counts.add(counts);
                self.batch += 1;
                true
            }
            None => false,
        }
    }

    pub(super) async fn persons<R: std::io::Read>(
        &mut self,
        mut rows: Rows<R>,
        told: ImportProgress<'_>,
    ) -> Result<(), Error> {
        loop {
            let skip = (self.batch as usize) < self.done.len();
            let (mut counts, mut notices) = (ImportCounts::default(), PersonNoticeRows::default());
            let mut more = true;
            while counts.read < self.batch_rows {
                let row = rows.row + 1;
                let Some(read) =
                    rows.next().map_err(Error::io("read the predecessor's register"))?
                else {
                    more = false;
                    break;
                };
                counts.read += 1;
                if skip {
                    continue;
                }
                let cells = match read {
                    Read1::Broken(rule) => {
                        counts.refuse(rule, row);
                        continue;
                    }
                    Read1::Cells(cells) => cells,
                };
                match decide::told(&mut self.known, &cells) {
                    Err(rule) => counts.refuse(rule, row),
                    Ok(one) => {
                        let mut new = false;
                        for notice in &one.notices {
                            if self.seen.add(one.person, notice) {
                                new = true;
                                *counts
                                    .notices
                                    .entry(notice.regime.as_str().to_owned())
                                    .or_default() += 1;
                                notices.push(
                                    one.person,
                                    one.holder,
                                    self.import,
                                    notice,
                                    one.died_on,
                                    one.of_age_on,
                                );
                            }
                        }
                        if new {
                            counts.accepted += 1;
                        } else {
                            counts.known += 1;
                        }
                    }
                }
            }
            told(rows.row);
            if counts.read == 0 {
                return Ok(());
            }
            if !self.was_done() {
                let staged = if notices.is_empty() {
                    Vec::new()
                } else {
                    let batch = notices.finish()?.batch()?;
                    vec![self.on.lake.stage("person_notice", vec![batch]).await?]
                };
                self.on.world.steps.step("journeys.import_staged");
                let mut tx = self.on.log.begin().await?;
                if !staged.is_empty() {
                    self.on.lake.append(&mut tx, staged).await?;
                }
                self.commit(tx, &counts).await?;
                self.counts.add(&counts);
                self.batch += 1;
            }
            if !more {
                return Ok(());
            }
        }
    }

    pub(super) async fn stops<R: std::io::Read>(
        &mut self,
        mut rows: Rows<R>,
        told: ImportProgress<'_>,
    ) -> Result<(), Error> {
        let digest = self.digest.to_string();
        let mark = format!("import-{}", &digest[..8]);
        loop {
            let mut batch: Vec<(u64, Result<[String; 9], &'static str>)> = Vec::new();
            while (batch.len() as u64) < STOP_BATCH {
                let row = rows.row + 1;
                match rows.next().map_err(Error::io("read the predecessor's register"))? {
                    None => break,
                    Some(Read1::Broken(rule)) => batch.push((row, Err(rule))),
                    Some(Read1::Cells(cells)) => batch.push((row, Ok(cells.map(str::to_owned)))),
                }
            }
            told(rows.row);
            if batch.is_empty() {
                return Ok(());
            }
            // A batch that was committed is gone through again for its withdrawals: every stop of it is known.
            let was_done = self.was_done();
            let mut counts = ImportCounts::default();
            let mut fresh = Vec::new();
            let mut tx = self.on.log.begin().await?;
            for (row, cells) in &batch {
                counts.read += 1;
                match cells {
                    Err(rule) => counts.refuse(rule, *row),
                    Ok(cells) => {
                        let known = &mut self.known;
                        let about = (cells, *row, mark.as_str());
                        let one = stops::carry(self.on, &mut tx, known, &mut counts, about).await?;
                        self.taken.extend(one.taken);
                        fresh.extend(one.stop);
                    }
                }
            }
            if was_done {
                tx.rollback().await?;
            } else {
                let fresh: Vec<&Stop> = fresh.iter().collect();
                stop_datasets::note(self.on, &mut tx, &fresh).await?;
                self.commit(tx, &counts).await?;
                self.counts.add(&counts);
                self.batch += 1;
            }
        }
    }

    async fn commit(&self, mut tx: Tx, counts: &ImportCounts) -> Result<(), Error> {
        let report = serde_json::to_string(counts)
            .map_err(|_| Error::Unknown { what: "register import" })?;
        sqlx::query(
            "INSERT INTO journeys_register_import_batch (import, batch_no, report) VALUES ($1, $2, $3)",
        )
        .bind(self.import.to_string())
        .bind(i64::try_from(self.batch).unwrap_or(i64::MAX))
        .bind(report)
        .execute(tx.conn())
        .await?;
        let refused: std::collections::BTreeMap<&String, u64> =
            counts.refused.iter().map(|(rule, c)| (rule, c.rows)).collect();
        let body = json!({
            "batch": self.batch,
            "read": counts.read,
            "accepted": counts.accepted,
            "known": counts.known,
            "refused": refused,
            "stops": counts.stops,
        });
        let _ = tx.commit(self.event("register.imported", body)).await?;
        self.on.world.steps.step("journeys.import_committed");
        Ok(())
    }

    /// Puts the end down, once.
    pub(super) async fn end(&self, counts: &ImportCounts) -> Result<(), Error> {
        let mut tx = self.on.log.begin().await?;
        let at = tx.now().to_string();
        let done = sqlx::query(
            "UPDATE journeys_register_import SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL",
        )
        .bind(self.import.to_string())
        .bind(at)
        .execute(tx.conn())
        .await?;
        if done.rows_affected() == 0 {
            tx.rollback().await?;
            return Ok(());
        }
        let body = json!({
            "read": counts.read,
            "accepted": counts.accepted,
            "known": counts.known,
            "refused": counts.refused_rows(),
            "adds_up": counts.adds_up(),
        });
        let _ = tx.commit(self.event("register.import_ended", body)).await?;
        Ok(())
    }
}
