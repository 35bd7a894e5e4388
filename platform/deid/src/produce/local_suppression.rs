//! Cells of persons whom a declared adversary would find are emptied: local suppression, group of columns after group,
//! until nobody is found or no group is left.
//!
//! What is emptied can be anything to whoever compares, so a person's candidates only grow, and so do those of everybody
//! else. What the rules count (rare values, extremes) is counted again without the emptied cells.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use arrow::array::RecordBatch;
use kiban_anonymity::adversary::{Effort, below};
use kiban_lake::{
    functions::keyed,
    plan::{DataFrame, Expr, ScalarValue, ident, lit, when},
};

use super::{
    Run, Work,
    exposure::{SEED, adversary},
    frame::PERSON,
    holdings::{Attribute, Sides, of_adversary},
    id_column, measure,
};
use crate::{
    error::ProduceError,
    report::LocalSuppression,
    spec::{AdversarySpec, CheckedColumn},
};

/// Most parts of an adversary's knowledge that are tried per person; four times what the measure after it looks at.
const PARTS: usize = 256;

/// Persons whose cells of a column are emptied, by column.
pub(crate) type Emptied = BTreeMap<String, Arc<HashSet<String>>>;

/// What was emptied because of each adversary, by name.
pub(super) type Suppressions = BTreeMap<String, Vec<LocalSuppression>>;

/// `value`, or nothing for the persons of `emptied`.
pub(super) fn emptied(value: Expr, column: &str, persons: &Arc<HashSet<String>>) -> Expr {
    let kept = measure::not_in(PERSON, &format!("emptied.{column}"), Arc::clone(persons));
    // Without a last word a case is empty.
    when(kept, value).end().unwrap_or_else(|_| lit(ScalarValue::Utf8(None)))
}

/// Suppresses cells until no adversary of the specification finds a person, or its groups of columns are used up.
pub(super) async fn run(
    run: &Run<'_>,
    works: &mut [Work<'_>],
) -> Result<Suppressions, ProduceError> {
    let mut done = Suppressions::new();
    for spec in &run.checked.spec().document().adversaries {
        for group in &spec.local_suppression {
            let found = found(run, works, spec).await?;
            if found.is_empty() {
                break;
            }
            let columns = empty(run, works, group, &found).await?;
            let persons = found.len() as u64;
            done.entry(spec.name.clone()).or_default().push(LocalSuppression { columns, persons });
        }
    }
    Ok(done)
}

/// The persons of the data whom an adversary would find among too few records.
async fn found(
    run: &Run<'_>,
    works: &[Work<'_>],
    spec: &AdversarySpec,
) -> Result<HashSet<String>, ProduceError> {
    let known = of_adversary(works, spec);
    let attributes: BTreeSet<Attribute> = known.attributes().cloned().collect();
    let output = shown(run, works, &attributes).await?;
    let sides = Sides::read(works, &output, &run.keyed, attributes).await?;
    let effort = Effort { parts: PARTS, seed: SEED, ..Effort::default() };
    let few = below(&sides.after()?, &adversary(spec, known), &effort, spec.min_candidates)?;
    let keys = sides.original.keys();
    Ok(few.into_iter().map(|person| keys[person as usize].to_owned()).collect())
}

/// Of the output what the adversary compares, each distinct row once, and everybody's code.
async fn shown(
    run: &Run<'_>,
    works: &[Work<'_>],
    attributes: &BTreeSet<Attribute>,
) -> Result<Vec<(String, Vec<RecordBatch>)>, ProduceError> {
    let mut output = Vec::new();
    for (number, work) in works.iter().enumerate() {
        let id = id_column(run.checked);
        let mut selected =
            vec![run.keyed.pseudonym(keyed::PERSON, ident(PERSON)).alias(id.clone())];
        let mut order = vec![ident(id).sort(true, true)];
        for column in &work.columns {
            if attributes.iter().any(|a| a.is_of(number, &column.name)) {
                selected.push(work.value(column, &run.keyed).alias(&column.name));
                order.push(ident(&column.name).sort(true, true));
            }
        }
        let rows = work.rows.clone().select(selected)?.distinct()?.sort(order)?;
        output.push((work.table.name.clone(), rows.collect().await?));
    }
    Ok(output)
}

/// Empties the columns of a group for some persons, counts again, and tells which of them the output has.
async fn empty(
    run: &Run<'_>,
    works: &mut [Work<'_>],
    group: &[String],
    persons: &HashSet<String>,
) -> Result<Vec<String>, ProduceError> {
    let mut columns = Vec::new();
    for work in works.iter_mut() {
        let of_group = |c: &&CheckedColumn| {
            !c.in_model && group.contains(&format!("{}.{}", work.table.name, c.name))
        };
        let named: Vec<&CheckedColumn> = work.columns.iter().copied().filter(of_group).collect();
        if named.is_empty() {
            continue;
        }
        for column in named {
            columns.push(format!("{}.{}", work.table.name, column.name));
            let known = work.emptied.entry(column.name.clone()).or_default();
            Arc::make_mut(known).extend(persons.iter().cloned());
        }
        let rest: Vec<&CheckedColumn> =
            work.columns.iter().copied().filter(|c| !c.in_model).collect();
        let rows = without(work)?;
        measure::facts(run.checked, &work.frame, &rows, &rest, &mut work.facts).await?;
    }
    columns.sort_unstable();
    Ok(columns)
}

/// The rows of a table without the emptied cells.
fn without(work: &Work<'_>) -> Result<DataFrame, ProduceError> {
    let mut rows = work.rows.clone();
    for (column, persons) in &work.emptied {
        rows = rows.with_column(column, emptied(ident(column), column, persons))?;
    }
    Ok(rows)
}
