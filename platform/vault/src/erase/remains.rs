//! What a stop under one regime leaves of its persons in each store.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, BooleanArray, Int64Array, RecordBatch, StringArray,
        UInt8Array,
    },
    compute::filter_record_batch,
    datatypes::{DataType, UInt8Type},
};
use kiban_audit::Tx;
use kiban_kernel::{Bases, Regime};
use kiban_lake::{Snapshot, Staged, StagedContainer};
use kiban_register::ErasureOrder;

use super::{Part, Person, VaultStore};
use crate::{
    VaultError,
    segments::{Columns, TABLE},
    version_rows as versions,
};

/// What a stop under one regime leaves of its persons in one store.
#[derive(Default)]
pub(super) struct Remains {
    pub(super) staged: Vec<Staged>,
    pub(super) containers: Vec<StagedContainer>,
    pub(super) rows: u64,
    /// Is there anything that must go?
    pub(super) touched: bool,
}

/// Persons and segments of which something stays under the regimes that were not stopped.
#[derive(Default)]
struct Kept {
    persons: HashSet<String>,
    segments: HashSet<String>,
}

impl VaultStore {
    /// By person, the length of the source bytes, each segment once.
    pub(super) async fn shredded(
        &self,
        persons: &[Person],
    ) -> Result<HashMap<String, u64>, VaultError> {
        let mut seen = HashSet::new();
        let mut bytes: HashMap<String, u64> = HashMap::new();
        for batch in self.lake.scan_persons_ever(TABLE, persons).await? {
            let columns = Columns(&batch);
            let of = columns.text("person_source")?;
            for row in 0..batch.num_rows() {
                if let Some(place) = columns.place(row)?
                    && seen.insert((place.file, place.start))
                {
                    *bytes.entry(of.value(row).to_owned()).or_default() += place.length;
                }
            }
        }
        Ok(bytes)
    }

    async fn kept(&self, order: &ErasureOrder, head: Snapshot) -> Result<Kept, VaultError> {
        let mut out = Kept::default();
        for batch in self.lake.scan_persons(TABLE, head, &order.persons).await? {
            let columns = Columns(&batch);
            let (persons, segments) = (columns.text("person_source")?, columns.text("segment")?);
            for row in 0..batch.num_rows() {
                if !columns.tables(row)?.without(order.regimes).all().is_empty() {
                    out.persons.insert(persons.value(row).to_owned());
                    out.segments.insert(segments.value(row).to_owned());
                }
            }
        }
        Ok(out)
    }

    /// Rows and bytes that the other regime keeps, staged without the stopped basis. Read before the erasure.
    pub(super) async fn remains(
        &self,
        order: &ErasureOrder,
        tx: &mut Tx,
    ) -> Result<Remains, VaultError> {
        let head = self.lake.head().await?;
        let mut out = Remains::default();
        match self.part {
            Part::Rows => {
                for table in self.part.tables() {
                    for batch in self.lake.scan_persons_ever(table, &order.persons).await? {
                        out.touched |= without_basis(&batch, order.regimes)?.1;
                    }
                }
                if out.touched {
                    for table in self.part.tables() {
                        let mut kept = Vec::new();
                        for batch in self.lake.scan_persons(table, head, &order.persons).await? {
                            kept.push(without_basis(&batch, order.regimes)?.0);
                        }
                        self.stage(table, kept, &mut out).await?;
                    }
                }
            }
            Part::Source => self.sources(order, head, tx, &mut out).await?,
            Part::History => {
                let kept = self.kept(order, head).await?;
                let at_head = self.lake.scan_persons(versions::TABLE, head, &order.persons).await?;
                // A version that was taken back has no segment: it stays with the record's others.
                let mut records = HashSet::new();
                for batch in &at_head {
                    let (record, segment) = (
                        text(batch, versions::TABLE, "record")?,
                        text(batch, versions::TABLE, "segment")?,
                    );
                    records.extend(
                        (0..batch.num_rows())
                            .filter(|row| kept.segments.contains(segment.value(*row)))
                            .map(|row| record.value(row).to_owned()),
                    );
                }
                self.keep_where(versions::TABLE, order, head, &mut out, |batch, row| {
                    let (record, segment) = (
                        text(batch, versions::TABLE, "record")?,
                        text(batch, versions::TABLE, "segment")?,
                    );
                    let segment = segment.value(row);
                    Ok(kept.segments.contains(segment)
                        || segment.is_empty() && records.contains(record.value(row)))
                })
                .await?;
            }
            Part::Notices => {
                let kept = self.kept(order, head).await?;
                self.keep_where("person_notice", order, head, &mut out, |batch, row| {
                    let person = text(batch, "person_notice", "person_source")?;
                    let regime = text(batch, "person_notice", "regime")?.value(row);
                    let stays = regime.parse::<Regime>().is_ok_and(|r| !order.regimes.contains(r));
                    Ok(stays && kept.persons.contains(person.value(row)))
                })
                .await?;
            }
            Part::Links => {
                let kept = self.kept(order, head).await?;
                self.keep_where("person_link", order, head, &mut out, |batch, row| {
                    let person = text(batch, "person_link", "person_source")?;
                    Ok(kept.persons.contains(person.value(row)))
                })
                .await?;
            }
        }
        Ok(out)
    }

    /// Stages the rows at the newest snapshot that stay; touched, if in any snapshot some do not.
    async fn keep_where(
        &self,
        table: &'static str,
        order: &ErasureOrder,
        head: Snapshot,
        out: &mut Remains,
        stays: impl Fn(&RecordBatch, usize) -> Result<bool, VaultError> + Send + Sync,
    ) -> Result<(), VaultError> {
        for batch in self.lake.scan_persons_ever(table, &order.persons).await? {
            for row in 0..batch.num_rows() {
                out.touched |= !stays(&batch, row)?;
            }
        }
        if !out.touched {
            return Ok(());
        }
        let mut kept = Vec::new();
        for batch in self.lake.scan_persons(table, head, &order.persons).await? {
            let keep: Result<BooleanArray, VaultError> =
                (0..batch.num_rows()).map(|row| Ok(Some(stays(&batch, row)?))).collect();
            kept.push(filter_record_batch(&batch, &keep?)?);
        }
        self.stage(table, kept, out).await
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
    ) -> Result<(), VaultError> {
        for batch in self.lake.scan_persons_ever(TABLE, &order.persons).await? {
            let columns = Columns(&batch);
            for row in 0..batch.num_rows() {
                let tables = columns.tables(row)?;
                out.touched |= tables.without(order.regimes) != tables;
            }
        }
        if !out.touched {
            return Ok(());
        }
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
                tables.push(left.to_string());
                bases.push(left.all().bits());
                let (mut file, mut start, mut length) = (String::new(), 0, 0);
                if let Some(place) = columns.place(row)?.filter(|_| *keep) {
                    let person: Person = columns.id("person_source", row)?;
                    let bytes = self.lake.read_segment(tx.conn(), place, person).await?;
                    let container = match &mut container {
                        Some(c) => c,
                        None => container.insert(self.lake.container()?),
                    };
                    let place = container.put(place.segment, person, (&[], &bytes))?;
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
            kept.push(batch);
        }
        if let Some(container) = container {
            out.containers.push(container.finish().await?);
        }
        self.stage(TABLE, kept, out).await
    }
}

pub(super) fn text<'a>(
    batch: &'a RecordBatch,
    table: &'static str,
    column: &'static str,
) -> Result<&'a StringArray, VaultError> {
    batch
        .column_by_name(column)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or(VaultError::Column { table, column })
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
