//! Rows of an open lake as text, for comparison.

use std::collections::BTreeMap;

use arrow::{array::AsArray as _, compute::cast, datatypes::DataType};
use kiban_journeys::Deployment;

/// A row, by column; empty cells are left out.
pub(crate) type Row = BTreeMap<String, String>;

/// All rows of a table at the newest snapshot.
pub(crate) async fn rows(on: &Deployment, table: &str) -> Vec<Row> {
    let mut found = Vec::new();
    for batch in on.lake().scan(table, on.lake().head().await.unwrap()).await.unwrap() {
        let schema = batch.schema();
        let mut rows = vec![Row::new(); batch.num_rows()];
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let text = cast(column, &DataType::Utf8).unwrap();
            for (row, cell) in rows.iter_mut().zip(text.as_string::<i32>()) {
                if let Some(cell) = cell {
                    row.insert(field.name().clone(), cell.to_owned());
                }
            }
        }
        found.extend(rows);
    }
    found
}

/// Names of all tables of the lake.
pub(crate) fn tables() -> Vec<&'static str> {
    kiban_lake::schema::tables().iter().map(|t| t.name.as_str()).collect()
}

/// How many rows each table has at the newest snapshot.
pub(crate) async fn counts(on: &Deployment) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for table in tables() {
        found.insert(table.to_owned(), rows(on, table).await.len());
    }
    found
}
