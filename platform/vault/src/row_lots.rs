//! Rows of a delivery, collected by table and written in lots of bounded size.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kiban_intake::{
    Segment,
    quality::Quality,
    rows::{self, RowContext, RowTotals, Spare, TableBuilders, TableRows},
};
use kiban_kernel::{Bases, Date, Id, kinds};
use kiban_lake::{Columns, Threads};

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
    pub(crate) builders: TableBuilders,
    pub(crate) totals: RowTotals,
    /// Defects of dates and numbers.
    pub(crate) quality: Quality,
    read: u64,
    /// Rows of small tables that were left to wait.
    waiting: usize,
    /// Memory of the lots that are written, for those to come.
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
            builders: TableBuilders::new(received_on)?,
            totals: RowTotals::default(),
            quality: Quality::default(),
            read: 0,
            waiting: 0,
            spares: Arc::default(),
            lots,
        })
    }

    /// Adds the rows of some segments.
    pub(crate) fn push(&mut self, segments: &[(Segment<'_>, Kept)]) {
        let rows: Vec<_> =
            segments.iter().map(|(segment, kept)| self.rows_of(segment, kept)).collect();
        self.builders.push(&rows, &mut self.quality);
        self.read += segments.iter().map(|(segment, _)| segment.bytes.len() as u64).sum::<u64>();
    }

    fn rows_of<'p>(
        &self,
        segment: &Segment<'p>,
        kept: &Kept,
    ) -> rows::Kept<'p, impl Fn(usize) -> Option<Bases> + use<>> {
        let tables = kept.bases;
        rows::Kept {
            context: RowContext {
                person_source: kept.person.id,
                person: kept.person.at,
                holder: self.holder,
                delivery: self.delivery,
                segment: kept.segment,
                source_file: &segment.file.path,
                file_number: segment.file_number,
                line: segment.line,
                parser: segment.parser(),
            },
            records: &segment.parsed.records,
            bases: move |table| Some(tables.at(table)).filter(|bases| !bases.is_empty()),
        }
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
        let make =
            move || Ok(lot.into_iter().map(TableRows::columns).collect::<Result<Vec<_>, _>>()?);
        let used = move |lot: Vec<Columns>| lock(&spares).extend(lot.into_iter().map(Spare::of));
        self.lots.begin(tables, make, used, threads).await
    }
}

fn lock(spares: &Mutex<Vec<Spare>>) -> MutexGuard<'_, Vec<Spare>> {
    spares.lock().unwrap_or_else(PoisonError::into_inner)
}
