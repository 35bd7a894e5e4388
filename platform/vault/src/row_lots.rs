//! Rows of a delivery, collected by table and written in lots of bounded size.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kiban_intake::{
    Segment,
    quality::Quality,
    rows::{RowContext, RowTotals, Spare, TableBuilders, TableRows},
};
use kiban_kernel::{Date, Id, kinds};
use kiban_lake::Threads;

use crate::{
    VaultError,
    lots::{FEW_ROWS, Lots},
    writer::Kept,
};

/// Source bytes that are read before rows are written out: some rows are long.
const FLUSH_BYTES: u64 = 20 << 20;
/// Rows that are collected before they are written out.
const FLUSH_ROWS: usize = 200_000;

/// Collects the rows of segments that are kept.
pub(crate) struct RowLots {
    holder: Id<kinds::Organization>,
    delivery: Id<kinds::Delivery>,
    received_on: Date,
    pub(crate) builders: TableBuilders,
    pub(crate) totals: RowTotals,
    /// Defects of dates and numbers.
    pub(crate) quality: Quality,
    read: u64,
    /// Rows of small tables that were left to wait.
    waiting: usize,
    /// Room for the next lots, made where lots are written.
    spares: Arc<Mutex<Vec<Spare>>>,
    pub(crate) lots: Lots,
}

impl RowLots {
    pub(crate) fn new(
        holder: Id<kinds::Organization>,
        delivery: Id<kinds::Delivery>,
        received_on: Date,
        lots: Lots,
    ) -> Result<Self, VaultError> {
        Ok(Self {
            holder,
            delivery,
            received_on,
            builders: TableBuilders::new()?,
            totals: RowTotals::default(),
            quality: Quality::default(),
            read: 0,
            waiting: 0,
            spares: Arc::default(),
            lots,
        })
    }

    /// Adds the rows of a segment.
    pub(crate) fn push(&mut self, segment: &Segment<'_>, kept: &Kept) {
        for record in &segment.parsed.records {
            let bases = kept.bases.at(record.table_index());
            if bases.is_empty() {
                continue;
            }
            let context = RowContext {
                person_source: kept.person,
                bases,
                holder: self.holder,
                delivery: self.delivery,
                segment: kept.segment,
                source_file: &segment.file.path,
                file_number: segment.file_number,
                line: segment.line,
                parser: segment.parser(),
                received_on: self.received_on,
            };
            self.builders.push(&context, record, &mut self.quality);
        }
        self.read += segment.bytes.len() as u64;
    }

    /// Is it time to [`RowLots::flush`]?
    pub(crate) fn is_full(&self) -> bool {
        self.read >= FLUSH_BYTES || self.builders.rows() >= FLUSH_ROWS + self.waiting
    }

    /// Writes out what was collected, to files that no snapshot names, while the next lot is collected: memory holds two
    /// lots at most, and the few rows of small tables.
    ///
    /// # Errors
    /// The disk failed, now or with the lot before.
    pub(crate) async fn flush(&mut self) -> Result<(), VaultError> {
        self.write(FEW_ROWS, Threads::One).await
    }

    /// Begins to write a lot of the tables that have so many rows.
    pub(crate) async fn write(&mut self, least: usize, threads: Threads) -> Result<(), VaultError> {
        self.read = 0;
        self.lots.written().await?;
        for spare in lock(&self.spares).drain(..) {
            self.builders.restock(spare);
        }
        let lot = self.builders.take_large(least);
        for rows in &lot {
            self.totals.add(rows);
        }
        self.waiting = self.builders.rows();
        let (tables, spares) = (lot.len(), self.spares.clone());
        let make = move || {
            let columns = |rows: TableRows| {
                lock(&spares).push(rows.spare());
                rows.columns()
            };
            Ok(lot.into_iter().map(columns).collect::<Result<Vec<_>, _>>()?)
        };
        self.lots.begin(tables, make, threads).await
    }
}

fn lock(spares: &Mutex<Vec<Spare>>) -> MutexGuard<'_, Vec<Spare>> {
    spares.lock().unwrap_or_else(PoisonError::into_inner)
}
