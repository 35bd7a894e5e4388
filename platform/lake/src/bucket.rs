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
    columns::{Columns, Values},
    lake::in_table,
    schema::{PERSON_COLUMN, TableSchema},
    table_file,
};

/// Hash buckets of persons: a stop rewrites the files of one bucket.
pub const BUCKETS: u32 = 8;

/// Rows that follow each other, of one person; if the rows have groups, of one group.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) rows: Range<u32>,
    pub(crate) group: u32,
}

/// Runs by bucket: ordered by person, the order given kept within one.
pub(crate) type Runs = BTreeMap<u32, Vec<Run>>;

type Person = Id<kinds::PersonSource>;

/// Rows of batches, brought to the table's columns, by hash bucket of their person.
pub(crate) fn by_bucket(
    table: &'static TableSchema,
    batches: &[RecordBatch],
) -> Result<(RecordBatch, Runs), LakeError> {
    let schema = table.arrow();
    let conformed: Vec<_> = batches
        .iter()
        .map(|b| table_file::conform(&schema, b).map_err(|e| in_table(table, e)))
        .collect::<Result<_, _>>()?;
    let rows = concat_batches(&schema, &conformed)
        .map_err(|e| in_table(table, TableFileError::Arrow(e)))?;
    let nobody = || LakeError::Person { table: &table.name, row: 0 };
    let texts = rows
        .column_by_name(PERSON_COLUMN)
        .and_then(|column| column.as_string_opt::<i32>())
        .ok_or_else(nobody)?;
    let mut runs = Ordered::of(table);
    let mut from = 0;
    while from < rows.num_rows() {
        let until = (from + 1..rows.num_rows())
            .find(|row| texts.value(*row) != texts.value(from))
            .unwrap_or(rows.num_rows());
        runs.add(texts.value(from).parse().ok(), from..until, 0)?;
        from = until;
    }
    let runs = runs.finish();
    Ok((rows, runs))
}

/// Rows by hash bucket of their person.
pub(crate) fn runs_of(columns: &Columns) -> Result<Runs, LakeError> {
    let table = columns.table;
    let mut runs = Ordered::of(table);
    let person = table.columns.iter().position(|column| column.name == PERSON_COLUMN);
    match person.map(|at| &columns.values[columns.order[at]]) {
        Some(Values::GroupText(persons)) => {
            for (group, key) in persons.keys().iter().enumerate() {
                let rows = columns.group(group);
                let rows = rows.start as usize..rows.end as usize;
                runs.add(person_of(persons.value(*key as usize)), rows, group)?;
            }
        }
        Some(Values::Text(persons)) => {
            let mut from = 0;
            for same in persons.keys().chunk_by(|a, b| a == b) {
                let person = person_of(persons.value(same[0] as usize));
                runs.add(person, from..from + same.len(), 0)?;
                from += same.len();
            }
        }
        _ => return Err(LakeError::Person { table: &table.name, row: 0 }),
    }
    Ok(runs.finish())
}

fn person_of(text: &[u8]) -> Option<Person> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Runs on their way into order.
struct Ordered {
    table: &'static TableSchema,
    runs: BTreeMap<u32, Vec<(u128, Run)>>,
}

impl Ordered {
    fn of(table: &'static TableSchema) -> Self {
        Self { table, runs: BTreeMap::new() }
    }
    fn add(
        &mut self,
        person: Option<Person>,
        rows: Range<usize>,
        group: usize,
    ) -> Result<(), LakeError> {
        let refused = || LakeError::Person { table: &self.table.name, row: rows.start };
        let id = person.ok_or_else(refused)?;
        let index = |at: usize| u32::try_from(at).map_err(|_| refused());
        let run = Run { rows: index(rows.start)?..index(rows.end)?, group: index(group)? };
        let bucket = self.runs.entry(id.bucket(BUCKETS)).or_default();
        bucket.push((u128::from_be_bytes(id.to_bytes()), run));
        Ok(())
    }
    fn finish(self) -> Runs {
        let in_order = |mut runs: Vec<(u128, Run)>| {
            runs.sort_unstable_by_key(|(person, run)| (*person, run.rows.start));
            runs.into_iter().map(|(_, run)| run).collect()
        };
        self.runs.into_iter().map(|(bucket, runs)| (bucket, in_order(runs))).collect()
    }
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
