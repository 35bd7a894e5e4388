//! How common the commonest codes are among the persons before and after.

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use futures::TryStreamExt;
use kiban_lake::{
    functions::{as_text, code_parent},
    plan::{DataFrame, Expr, aggregates, ident, lit},
};

use super::{Run, Work, frame::PERSON, measure::int64};
use crate::{
    error::ProduceError,
    report::Prevalence,
    spec::{CheckedColumn, Rule},
};

/// Codes that are compared.
const COMMONEST: usize = 20;

/// The columns of a table that hold codes, compared.
pub(super) async fn of_table(
    run: &Run<'_>,
    work: &Work<'_>,
    persons: [u64; 2],
) -> Result<Vec<Prevalence>, ProduceError> {
    let mut found = Vec::new();
    for column in &work.columns {
        let Rule::RareToResidual(rule) = &column.rule else { continue };
        let own = as_text(ident(&column.name));
        let before = rule.parent.map_or(own.clone(), |n| code_parent(own, n));
        let before = holders(&work.frame.rows, before).await?;
        let after = holders(&work.rows, as_text(work.value(column, &run.keyed))).await?;
        found.extend(compared(work, column, [before, after], persons, rule.min_persons));
    }
    Ok(found)
}

/// Persons by value.
async fn holders(rows: &DataFrame, value: Expr) -> Result<HashMap<String, i64>, ProduceError> {
    let pairs = rows.clone().aggregate(vec![value.alias("v"), ident(PERSON)], Vec::new())?;
    let counted = pairs.aggregate(vec![ident("v")], vec![aggregates::count(lit(1)).alias("n")])?;
    let mut out = HashMap::new();
    let mut stream = counted.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let (values, counts) = (batch.column(0).as_string::<i32>(), int64(&batch, 1));
        for row in (0..batch.num_rows()).filter(|row| values.is_valid(*row)) {
            out.insert(values.value(row).to_owned(), counts.value(row));
        }
    }
    Ok(out)
}

fn compared(
    work: &Work<'_>,
    column: &CheckedColumn,
    [before, after]: [HashMap<String, i64>; 2],
    [persons_in, persons_out]: [u64; 2],
    min_persons: u32,
) -> Option<Prevalence> {
    let mut commonest: Vec<(String, i64)> = before
        .into_iter()
        // Of what hardly anybody holds, or what does not stay, nothing is told.
        .filter(|(code, n)| *n >= i64::from(min_persons) && after.contains_key(code))
        .collect();
    commonest.sort_unstable_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    commonest.truncate(COMMONEST);
    let share = |n: i64, of: u64| n as f64 / of.max(1) as f64;
    let codes: Vec<(String, f64, f64)> = commonest
        .into_iter()
        .map(|(code, n)| {
            let kept = after.get(&code).copied().unwrap_or_default();
            (code, share(n, persons_in), share(kept, persons_out))
        })
        .collect();
    let largest_shift = codes.iter().map(|(_, b, a)| (a - b).abs()).fold(0.0, f64::max);
    (!codes.is_empty()).then(|| Prevalence {
        table: work.table.name.clone(),
        column: column.name.clone(),
        codes,
        largest_shift,
    })
}
