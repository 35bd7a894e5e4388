//! Plain tables in memory.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::DataType,
};
use kiban_deid::{Produced, spec::Spec, tool};
use kiban_kernel::{Date, Product, Rules};
use kiban_lake::functions::keyed::FixedOutcome;

/// A table of texts; an empty text is no value.
pub(crate) fn batch(names: &[&str], rows: &[Vec<String>]) -> RecordBatch {
    let columns = names.iter().enumerate().map(|(i, name)| {
        let cells = rows.iter().map(|r| (!r[i].is_empty()).then_some(r[i].as_str()));
        (*name, Arc::new(cells.collect::<StringArray>()) as ArrayRef, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// Runs a specification over a table with a test key.
pub(crate) async fn run(spec: &str, product: Product, rows: RecordBatch, domain: &str) -> Produced {
    let rules = Rules::built_in().unwrap();
    let spec = Spec::parse(spec).unwrap();
    let on = Date::constant(2026, 4, 1);
    let fixed = FixedOutcome::default();
    tool::table(&spec, product, &rules, on, vec![rows], &[9; 32], domain, fixed).await.unwrap()
}

/// The output's header and cells as texts; no value is an empty text.
pub(crate) fn cells(made: &Produced) -> (Vec<String>, Vec<Vec<String>>) {
    cells_of(&made.tables()[0].1)
}

/// The header and cells of a table.
pub(crate) fn cells_of(batches: &[RecordBatch]) -> (Vec<String>, Vec<Vec<String>>) {
    let header = batches[0].schema().fields().iter().map(|f| f.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|c| cast(c, &DataType::Utf8).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let cell = |c: &ArrayRef| {
                let c = c.as_string::<i32>();
                if c.is_valid(row) { c.value(row).to_owned() } else { String::new() }
            };
            rows.push(columns.iter().map(cell).collect());
        }
    }
    (header, rows)
}
