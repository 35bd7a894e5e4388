//! The vault's answer to a stop.
//!
//! Rows of the persons leave every snapshot and the keys of their source bytes are destroyed. Where a stop
//! names one regime only, what the other regime keeps is written anew without the stopped basis: under new
//! source keys, visible from the new snapshot on, gone from the older ones like the rest.

use std::{collections::HashSet, sync::Arc};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, BooleanArray, Int64Array, RecordBatch, StringArray,
        UInt8Array,
    },
    compute::filter_record_batch,
    datatypes::{DataType, UInt8Type},
};
use async_trait::async_trait;
use kiban_audit::Tx;
use kiban_kernel::{Bases, Id, Regime, kinds};
use kiban_lake::{DataClass, LakeError, Snapshot, Staged, StagedContainer, schema};
use kiban_register::{Ack, EraseError, Erases, ErasureOrder, stop};

use crate::{
    Vault, VaultError,
    segments::{Columns, TABLE},
    version_rows as versions,
};

type Person = Id<kinds::PersonSource>;

/// What a stop under one regime leaves of its persons.
#[derive(Default)]
struct Remains {
    staged: Vec<Staged>,
    containers: Vec<StagedContainer>,
    rows: u64,
    persons: HashSet<String>,
    segments: HashSet<String>,
    /// Did any row carry a stopped basis?
    touched: bool,
}

#[async_trait]
impl Erases for Vault {
    fn name(&self) -> &'static str {
        stop::VAULT
    }

    async fn erase(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Ack, EraseError> {
        let erasure = self.lake.stage_erasure(&order.persons).await?;
        if erasure.rows() == 0 {
            return Ok(Ack::default());
        }
        let remains = if order.regimes == Bases::BOTH {
            Remains::default()
        } else {
            let remains = self.remains(order, tx).await.map_err(erase_error)?;
            if !remains.touched {
                // asked a second time, or cleared under the other regime alone
                return Ok(Ack::default());
            }
            remains
        };
        let erased = self.lake.erase(tx, erasure).await?;
        let mut ack = Ack::default()
            .with("rows", erased.rows)
            .with("files", erased.files)
            .with("keys", erased.keys)
            .with("containers", erased.containers);
        if !remains.staged.is_empty() {
            ack = ack.with("rows_kept_under_the_other_regime", remains.rows);
            self.lake.append_with_sources(tx, remains.staged, remains.containers).await?;
        }
        Ok(ack)
    }

    async fn sweep(&self) -> Result<(), EraseError> {
        if self.lake.collect().await?.skipped { Err(EraseError::BytesRemain) } else { Ok(()) }
    }
}

fn erase_error(error: VaultError) -> EraseError {
    match error {
        VaultError::Lake(e) => EraseError::Lake(e),
        VaultError::Column { table, column } => EraseError::Malformed { table, column },
        VaultError::Key(e) => EraseError::Lake(LakeError::Key(e)),
        _ => EraseError::Unavailable,
    }
}

impl Vault {
    /// Rows and bytes that the other regime keeps, staged without the stopped basis. Read before the erasure.
    async fn remains(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Remains, VaultError> {
        let head = self.lake.head().await?;
        let mut out = Remains::default();
        for table in schema::tables().iter().filter(|t| t.data_class == DataClass::Identified) {
            let mut kept = Vec::new();
            for batch in self.lake.scan_persons(&table.name, head, &order.persons).await? {
                let (batch, touched) = without_basis(&batch, order.regimes)?;
                out.touched |= touched;
                out.see(&batch)?;
                kept.push(batch);
            }
            self.stage(&table.name, kept, &mut out).await?;
        }
        let sources = self.sources(order, head, tx, &mut out).await?;
        self.stage(TABLE, sources, &mut out).await?;
        // Versions of records: of segments of which something remains.
        let mut versions = Vec::new();
        for batch in self.lake.scan_persons(versions::TABLE, head, &order.persons).await? {
            let segments = text(&batch, versions::TABLE, "segment")?;
            versions.push(filter(&batch, |_, row| out.segments.contains(segments.value(row)))?);
        }
        self.stage(versions::TABLE, versions, &mut out).await?;
        let mut notices = Vec::new();
        for batch in self.lake.scan_persons("person_notice", head, &order.persons).await? {
            notices.push(kept_notices(&batch, order.regimes, &out)?);
        }
        self.stage("person_notice", notices, &mut out).await?;
        let mut links = Vec::new();
        for batch in self.lake.scan_persons("person_link", head, &order.persons).await? {
            links.push(filter(&batch, |person, _| out.persons.contains(person))?);
        }
        self.stage("person_link", links, &mut out).await?;
        Ok(out)
    }

    async fn stage(
        &self,
        table: &str,
        batches: Vec<RecordBatch>,
        out: &mut Remains,
    ) -> Result<(), VaultError> {
        let rows: u64 = batches.iter().map(|b| b.num_rows() as u64).sum();
        if rows > 0 {
            out.rows += rows;
            out.staged.push(self.lake.stage(table, batches).await?);
        }
        Ok(())
    }

    /// Segments of which rows remain, their bytes under new keys.
    async fn sources(
        &self,
        order: &ErasureOrder,
        head: Snapshot,
        tx: &mut Tx,
        out: &mut Remains,
    ) -> Result<Vec<RecordBatch>, VaultError> {
        let mut kept = Vec::new();
        let mut container = None;
        for batch in self.lake.scan_persons(TABLE, head, &order.persons).await? {
            let columns = Columns(&batch);
            let n = batch.num_rows();
            let (mut keep, mut tables, mut bases) =
                (vec![false; n], Vec::with_capacity(n), Vec::with_capacity(n));
            let (mut files, mut starts, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
            for (row, keep) in keep.iter_mut().enumerate() {
                let left = columns.tables(row)?.without(order.regimes);
                *keep = !left.all().is_empty();
                tables.push(left.to_text());
                bases.push(left.all().bits());
                let (mut file, mut start, mut length) = (String::new(), 0, 0);
                if let Some(place) = columns.place(row)?.filter(|_| *keep) {
                    let person: Person = columns.id("person_source", row)?;
                    let bytes = self.lake.read_segment(tx.conn(), place, person).await?;
                    let container = match &mut container {
                        Some(c) => c,
                        None => container.insert(self.lake.container()?),
                    };
                    let place = container.put(place.segment, person, &bytes)?;
                    (file, start, length) =
                        (place.file.to_string(), place.start as i64, place.length as i64);
                }
                files.push(file);
                starts.push(start);
                lengths.push(length);
            }
            let batch = replaced(&batch, "kinds", Arc::new(StringArray::from(tables)))?;
            let batch = replaced(&batch, "bases", Arc::new(UInt8Array::from(bases)))?;
            let batch = replaced(&batch, "container", Arc::new(StringArray::from(files)))?;
            let batch = replaced(&batch, "start", Arc::new(Int64Array::from(starts)))?;
            let batch = replaced(&batch, "length", Arc::new(Int64Array::from(lengths)))?;
            let batch = filter_record_batch(&batch, &BooleanArray::from(keep))?;
            out.see(&batch)?;
            let segments = text(&batch, TABLE, "segment")?;
            out.segments.extend((0..batch.num_rows()).map(|row| segments.value(row).to_owned()));
            kept.push(batch);
        }
        if let Some(container) = container {
            out.containers.push(container.finish().await?);
        }
        Ok(kept)
    }
}

/// Notices under the regimes that stay, of persons of whom something stays.
fn kept_notices(
    batch: &RecordBatch,
    stopped: Bases,
    out: &Remains,
) -> Result<RecordBatch, VaultError> {
    let regimes = text(batch, "person_notice", "regime")?;
    let stays = |row: usize| {
        regimes.value(row).parse::<Regime>().is_ok_and(|regime| !stopped.contains(regime))
    };
    filter(batch, |person, row| out.persons.contains(person) && stays(row))
}

impl Remains {
    fn see(&mut self, batch: &RecordBatch) -> Result<(), VaultError> {
        let persons = text(batch, "person", "person_source")?;
        for row in 0..batch.num_rows() {
            if !self.persons.contains(persons.value(row)) {
                self.persons.insert(persons.value(row).to_owned());
            }
        }
        Ok(())
    }
}

fn text<'a>(
    batch: &'a RecordBatch,
    table: &'static str,
    column: &'static str,
) -> Result<&'a StringArray, VaultError> {
    batch
        .column_by_name(column)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or(VaultError::Column { table, column })
}

fn filter(
    batch: &RecordBatch,
    keep: impl Fn(&str, usize) -> bool,
) -> Result<RecordBatch, VaultError> {
    let persons = text(batch, "person", "person_source")?;
    let keep: BooleanArray =
        (0..batch.num_rows()).map(|row| Some(keep(persons.value(row), row))).collect();
    Ok(filter_record_batch(batch, &keep)?)
}

/// The rows whose bases are not empty without the stopped regimes, with what is left of them; and whether
/// any row had one of the stopped.
fn without_basis(batch: &RecordBatch, stopped: Bases) -> Result<(RecordBatch, bool), VaultError> {
    let column = VaultError::Column { table: "canonical", column: "bases" };
    let bases = batch
        .column_by_name("bases")
        .filter(|c| c.data_type() == &DataType::UInt8)
        .map(|c| c.as_primitive::<UInt8Type>())
        .ok_or(column)?;
    let touched = bases.iter().flatten().any(|b| b & stopped.bits() != 0);
    let left: UInt8Array = bases.iter().map(|b| b.map(|b| b & !stopped.bits())).collect();
    let keep: BooleanArray =
        (0..left.len()).map(|row| Some(!left.is_null(row) && left.value(row) != 0)).collect();
    let batch = replaced(batch, "bases", Arc::new(left))?;
    Ok((filter_record_batch(&batch, &keep)?, touched))
}

fn replaced(
    batch: &RecordBatch,
    column: &'static str,
    values: ArrayRef,
) -> Result<RecordBatch, VaultError> {
    let index = batch
        .schema()
        .index_of(column)
        .map_err(|_| VaultError::Column { table: "canonical", column })?;
    let mut columns = batch.columns().to_vec();
    columns[index] = values;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}
