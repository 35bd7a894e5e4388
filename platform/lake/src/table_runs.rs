//! A new table file from some rows as they were collected: columns are gathered and their pages written without the rows
//! being copied first.
//!
//! What a row costs here is what taking a delivery in costs, so this path knows what the library's writer cannot: that equal
//! text has one key already, that a segment's rows have much in common, that days and numbers were read from text that
//! stands beside them, that most columns of most tables are empty, and that a lot is many small chunks.

use std::{cell::RefCell, io::Write, sync::Arc};

use arrow::datatypes::{Field, Schema};
use parquet::{
    arrow::ArrowSchemaConverter,
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
};

use crate::{
    TableFileError,
    bucket::Run,
    columns::Columns,
    gather::{Gathered, Scratch, gather_all},
    pages,
    schema::PERSON_COLUMN,
    table_file::ROW_GROUP,
};

thread_local! {
    /// A lot is many files, written one after the other.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Write the rows of these runs, in this order; gives the writer and the number of rows back. Columns that say nothing in any
/// row are left out.
///
/// # Errors
/// The writer failed.
pub(crate) fn write_runs<W: Write + Send>(
    columns: &Columns,
    runs: &[Run],
    writer: W,
) -> Result<(W, u64), TableFileError> {
    let table = columns.table;
    let person = table.columns.iter().position(|column| column.name == PERSON_COLUMN);
    let person = person.map_or(usize::MAX, |at| columns.order[at]);
    // Taken out: what a panic leaves behind is not used again.
    let mut scratch = SCRATCH.take();
    let groups: Vec<Vec<Gathered>> = row_groups(runs)
        .iter()
        .map(|runs| gather_all(columns, runs, person, &mut scratch))
        .collect();
    SCRATCH.set(scratch);
    let filled = |at: usize| groups.iter().any(|group| !group[at].says_nothing());
    let (kept, fields): (Vec<usize>, Vec<Field>) = columns
        .order
        .iter()
        .zip(&table.columns)
        .filter(|(at, _)| filled(**at))
        .map(|(at, column)| (*at, Field::new(&column.name, column.kind.arrow(), column.nullable)))
        .unzip();
    put_groups(&Schema::new(fields), &kept, &groups, writer).map_err(TableFileError::Parquet)
}

fn put_groups<W: Write + Send>(
    schema: &Schema,
    kept: &[usize],
    groups: &[Vec<Gathered>],
    mut writer: W,
) -> Result<(W, u64), ParquetError> {
    let described = ArrowSchemaConverter::new().convert(schema)?;
    let properties = WriterProperties::builder().set_created_by("kiban".to_owned()).build();
    let root = described.root_schema_ptr();
    let mut file = SerializedFileWriter::new(&mut writer, root, Arc::new(properties))?;
    let mut rows = 0;
    for group in groups {
        let mut out = file.next_row_group()?;
        let mut listed = Vec::new();
        listed.resize_with(group.len(), || None);
        for (at, descr) in kept.iter().zip(described.columns()) {
            let (bytes, close) = pages::chunk(group, *at, &mut listed, descr)?;
            out.append_column(&bytes, close)?;
        }
        rows += out.close()?.num_rows() as u64;
    }
    // Not `into_inner`: it turns an I/O error into text, and a full disk could not be told apart.
    file.finish()?;
    drop(file);
    Ok((writer, rows))
}

/// The runs, cut where a row group ends.
fn row_groups(runs: &[Run]) -> Vec<Vec<Run>> {
    let mut groups = vec![Vec::new()];
    let mut left = ROW_GROUP;
    for run in runs {
        let mut rest = run.rows.clone();
        while !rest.is_empty() {
            if left == 0 {
                groups.push(Vec::new());
                left = ROW_GROUP;
            }
            let cut = rest.end.min(rest.start + left as u32);
            left -= (cut - rest.start) as usize;
            if let Some(group) = groups.last_mut() {
                group.push(Run { rows: rest.start..cut, group: run.group });
            }
            rest.start = cut;
        }
    }
    groups
}

#[cfg(test)]
mod tests;
