//! Rows by the hash bucket of their person.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use arrow::{
    array::{Array as _, AsArray as _, BooleanArray, RecordBatch},
    compute::{concat_batches, filter_record_batch, not},
};
use kiban_kernel::{Id, kinds};

use crate::{
    LakeError, TableFileError,
    lake::in_table,
    repeated,
    schema::{PERSON_COLUMN, TableSchema},
    table_file,
};

/// Hash buckets of persons: a stop rewrites the files of one bucket.
pub const BUCKETS: u32 = 8;

/// Rows of one table, and which of them belong to each hash bucket.
pub(crate) struct Buckets {
    pub(crate) rows: RecordBatch,
    /// Runs of rows by bucket: ordered by person, the order given kept within one.
    pub(crate) runs: BTreeMap<u32, Vec<Range<u32>>>,
}

/// Rows by hash bucket of their person.
pub(crate) fn by_bucket(
    table: &'static TableSchema,
    batches: &[RecordBatch],
) -> Result<Buckets, LakeError> {
    let schema = table.arrow();
    let fits = |e| in_table(table, e);
    let arrow = |e| in_table(table, TableFileError::Arrow(e));
    let all = if let [one] = batches {
        table_file::conform_repeated(&schema, one).map_err(fits)?
    } else {
        let conformed: Vec<_> = batches
            .iter()
            .map(|b| table_file::conform(&schema, b).map_err(fits))
            .collect::<Result<_, _>>()?;
        concat_batches(&schema, &conformed).map_err(arrow)?
    };
    let runs = runs_by_bucket(table, &all)?;
    Ok(Buckets { rows: all, runs })
}

fn runs_by_bucket(
    table: &'static TableSchema,
    all: &RecordBatch,
) -> Result<BTreeMap<u32, Vec<Range<u32>>>, LakeError> {
    let refused = |row| LakeError::Person { table: &table.name, row };
    let (texts, place) = all
        .column_by_name(PERSON_COLUMN)
        .and_then(repeated::texts)
        .ok_or(LakeError::Person { table: &table.name, row: 0 })?;
    // A person's rows mostly stand together: each text is read once.
    let persons: Vec<Option<Id<kinds::PersonSource>>> =
        texts.iter().map(|text| text?.parse().ok()).collect();
    // So do the rows of each: whole runs of them are put in order.
    let mut runs: BTreeMap<u32, Vec<(u128, Range<u32>)>> = BTreeMap::new();
    let mut from = 0;
    while from < all.num_rows() {
        let until = (from + 1..all.num_rows())
            .find(|row| place(*row) != place(from))
            .unwrap_or(all.num_rows());
        let id = persons[place(from)].ok_or_else(|| refused(from))?;
        let index = |row| u32::try_from(row).map_err(|_| refused(row));
        runs.entry(id.bucket(BUCKETS))
            .or_default()
            .push((u128::from_be_bytes(id.to_bytes()), index(from)?..index(until)?));
        from = until;
    }
    let in_order = |mut runs: Vec<(u128, Range<u32>)>| {
        runs.sort_unstable_by_key(|(person, rows)| (*person, rows.start));
        runs.into_iter().map(|(_, rows)| rows).collect()
    };
    Ok(runs.into_iter().map(|(bucket, runs)| (bucket, in_order(runs))).collect())
}

/// The rows of the persons named, and the others.
pub(crate) fn split(
    batch: &RecordBatch,
    persons: &HashSet<String>,
) -> Result<(RecordBatch, RecordBatch), LakeError> {
    let arrow = |e| LakeError::TableFile(TableFileError::Arrow(e));
    let missing =
        || LakeError::TableFile(TableFileError::MissingColumn { column: PERSON_COLUMN.to_owned() });
    let column = batch
        .column_by_name(PERSON_COLUMN)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(missing)?;
    let named: BooleanArray =
        (0..column.len()).map(|i| Some(persons.contains(column.value(i)))).collect();
    let others = not(&named).map_err(arrow)?;
    Ok((
        filter_record_batch(batch, &named).map_err(arrow)?,
        filter_record_batch(batch, &others).map_err(arrow)?,
    ))
}
