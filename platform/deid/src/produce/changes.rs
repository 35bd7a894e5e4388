//! What the rules did, counted while rows pass: cells changed, emptied, made residual; numbers before and after.

use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::DataType,
};
use kiban_lake::functions::{NumberRange, number_of, range_of};

use crate::{
    error::ProduceError,
    report::{ColumnChange, Numbers, Utility},
    spec::{CheckedColumn, Rule},
};

/// Numbers of fewer cells are not summed up: a mean of few names them.
const MIN_CELLS: usize = 100;

/// Counters of one table.
pub(super) struct Changes<'a> {
    columns: Vec<Counter<'a>>,
}

struct Counter<'a> {
    column: &'a CheckedColumn,
    change: ColumnChange,
    compared: bool,
    before: Vec<f64>,
    after: Vec<f64>,
}

impl<'a> Changes<'a> {
    /// Counters for the columns; one whose rule is `keep` is compared only if `decided` says that a decision changes it.
    pub(super) fn new(
        table: &str,
        columns: &[&'a CheckedColumn],
        decided: impl Fn(&CheckedColumn) -> bool,
    ) -> Self {
        let columns = columns
            .iter()
            .map(|column| Counter {
                column,
                change: ColumnChange {
                    table: table.to_owned(),
                    column: column.name.clone(),
                    class: column.class,
                    rule: column.rule.name().to_owned(),
                    law: column.law.clone(),
                    cells: 0,
                    changed: 0,
                    emptied: 0,
                    residual: 0,
                    utility: None,
                },
                compared: column.rule != Rule::Keep || decided(column),
                before: Vec::new(),
                after: Vec::new(),
            })
            .collect();
        Self { columns }
    }

    /// The columns whose texts before are needed, in the order [`Changes::add`] expects them after the output.
    pub(super) fn compared(&self) -> Vec<(usize, &'a CheckedColumn)> {
        self.columns
            .iter()
            .enumerate()
            .filter(|(_, c)| c.compared)
            .map(|(i, c)| (i, c.column))
            .collect()
    }

    /// Counts a batch: id, output columns, then the compared columns' texts before.
    pub(super) fn add(&mut self, batch: &RecordBatch, width: usize) -> Result<(), ProduceError> {
        let mut next = width;
        for (i, counter) in self.columns.iter_mut().enumerate() {
            let after = batch.column(i + 1);
            if !counter.compared {
                counter.change.cells += (after.len() - after.logical_null_count()) as u64;
                continue;
            }
            let after = cast(after, &DataType::Utf8)?;
            let before = cast(batch.column(next), &DataType::Utf8)?;
            next += 1;
            counter.count(before.as_string::<i32>(), after.as_string::<i32>());
        }
        Ok(())
    }

    /// The report.
    pub(super) fn finish(self) -> Vec<ColumnChange> {
        self.columns
            .into_iter()
            .map(|mut c| {
                if let (Some(before), Some(after)) = (numbers(c.before), numbers(c.after)) {
                    c.change.utility = Some(Utility { before, after });
                }
                c.change
            })
            .collect()
    }
}

impl Counter<'_> {
    fn count(&mut self, before: &StringArray, after: &StringArray) {
        let residual = match &self.column.rule {
            Rule::RareToResidual(r) => Some(r.residual.as_str()),
            Rule::Category(c) => Some(c.residual.as_str()),
            _ => None,
        };
        let numeric = self.column.rule.is_numeric();
        for row in 0..before.len() {
            if before.is_null(row) {
                continue;
            }
            let old = before.value(row);
            self.change.cells += 1;
            if numeric && let Some(number) = number_of(old) {
                self.before.push(number);
            }
            if after.is_null(row) {
                self.change.emptied += 1;
                self.change.changed += 1;
                continue;
            }
            let new = after.value(row);
            self.change.changed += u64::from(old != new);
            self.change.residual += u64::from(residual == Some(new) && old != new);
            if numeric {
                self.after.extend(range_of(new).map(|range| match range {
                    NumberRange::Exact(v) | NumberRange::From(v) | NumberRange::UpTo(v) => v,
                    NumberRange::Between(low, high) => f64::midpoint(low, high),
                }));
            }
        }
    }
}

fn numbers(mut values: Vec<f64>) -> Option<Numbers> {
    if values.len() < MIN_CELLS {
        return None;
    }
    // Sorted first, so that the sum does not depend on the order of rows.
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    Some(Numbers {
        count: values.len() as u64,
        mean: values.iter().sum::<f64>() / values.len() as f64,
        quantiles: [0.05, 0.25, 0.5, 0.75, 0.95].map(at),
    })
}
