//! What the rules did, counted while rows pass: cells changed, emptied, made residual; numbers before and after.

use std::collections::HashMap;

use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray},
    compute::{
        and, cast,
        kernels::cmp::{distinct, eq, neq},
    },
    datatypes::DataType,
};
use kiban_lake::functions::{NumberRange, number_of, range_of};

use crate::{
    error::ProduceError,
    report::{ColumnChange, Numbers, Utility},
    spec::{CheckedColumn, Rule},
};

/// Numbers of fewer cells are not summed up: a mean of few names them.
const MIN_CELLS: u64 = 100;

/// Counters of one table.
pub(super) struct Changes<'a> {
    columns: Vec<Counter<'a>>,
}

struct Counter<'a> {
    column: &'a CheckedColumn,
    change: ColumnChange,
    compared: bool,
    /// How often each text stood there; only of columns that hold numbers.
    before: HashMap<String, u64>,
    after: HashMap<String, u64>,
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
                before: HashMap::new(),
                after: HashMap::new(),
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
            counter.count(before.as_string::<i32>(), after.as_string::<i32>())?;
        }
        Ok(())
    }

    /// The report.
    pub(super) fn finish(self) -> Vec<ColumnChange> {
        self.columns
            .into_iter()
            .map(|mut c| {
                if let (Some(before), Some(after)) =
                    (numbers(c.before, number_of), numbers(c.after, middle))
                {
                    c.change.utility = Some(Utility { before, after });
                }
                c.change
            })
            .collect()
    }
}

impl Counter<'_> {
    fn count(&mut self, before: &StringArray, after: &StringArray) -> Result<(), ProduceError> {
        let residual = match &self.column.rule {
            Rule::RareToResidual(r) => Some(r.residual.as_str()),
            Rule::Category(c) => Some(c.residual.as_str()),
            _ => None,
        };
        let valued = before.len() - before.null_count();
        let emptied = before.nulls().map_or(after.null_count(), |_| {
            (0..before.len()).filter(|row| before.is_valid(*row) && after.is_null(*row)).count()
        });
        self.change.cells += valued as u64;
        self.change.emptied += emptied as u64;
        self.change.changed += distinct(before, after)?.true_count() as u64;
        if let Some(residual) = residual {
            let residual = StringArray::new_scalar(residual);
            let became = and(&eq(after, &residual)?, &neq(before, &residual)?)?;
            self.change.residual += became.true_count() as u64;
        }
        if self.column.rule.is_numeric() {
            count_texts(before, &mut self.before);
            count_texts(after, &mut self.after);
        }
        Ok(())
    }
}

fn count_texts(texts: &StringArray, counts: &mut HashMap<String, u64>) {
    for text in texts.iter().flatten() {
        if let Some(count) = counts.get_mut(text) {
            *count += 1;
        } else {
            counts.insert(text.to_owned(), 1);
        }
    }
}

/// What an output cell stands for: a band counts as its middle, a bound as itself.
fn middle(text: &str) -> Option<f64> {
    range_of(text).map(|range| match range {
        NumberRange::Exact(v) | NumberRange::From(v) | NumberRange::UpTo(v) => v,
        NumberRange::Between(low, high) => f64::midpoint(low, high),
    })
}

fn numbers(texts: HashMap<String, u64>, read: fn(&str) -> Option<f64>) -> Option<Numbers> {
    // Sorted first, so that the sum does not depend on the order of rows.
    let mut values: Vec<(f64, u64)> =
        texts.iter().filter_map(|(t, n)| Some((read(t)?, *n))).collect();
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let count: u64 = values.iter().map(|(_, n)| n).sum();
    if count < MIN_CELLS {
        return None;
    }
    let at = |share: f64| {
        let mut left = ((count - 1) as f64 * share).round() as u64;
        let found = values.iter().find(|(_, n)| {
            let here = left < *n;
            left = left.saturating_sub(*n);
            here
        });
        found.map_or(0.0, |(v, _)| *v)
    };
    Some(Numbers {
        count,
        mean: values.iter().map(|(v, n)| v * *n as f64).sum::<f64>() / count as f64,
        quantiles: [0.05, 0.25, 0.5, 0.75, 0.95].map(at),
    })
}
