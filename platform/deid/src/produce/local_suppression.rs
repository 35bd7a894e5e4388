//! Cells of persons whom a declared adversary would find are emptied: local suppression, group of columns after group,
//! until nobody is found or no group is left.
//!
//! What is emptied can be anything to whoever compares, so a person's candidates only grow, and so do those of everybody
//! else; but one emptied record alone would be known by that, so others that agree with it are emptied with it. What the rules count (rare values, extremes) is counted again without the emptied cells.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use arrow::array::RecordBatch;
use kiban_anonymity::adversary::{Effort, hide};
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
        // Whom the first group did not hide needs company without the cells of both.
        let mut columns: Vec<&str> = Vec::new();
        for group in &spec.local_suppression {
            columns.extend(group.iter().map(String::as_str));
            let Hidden { found, persons } = hidden(run, works, spec, &columns).await?;
            if found == 0 {
                break;
            }
            if !persons.is_empty() {
                let columns = empty(run, works, &columns, &persons).await?;
                let persons = persons.len() as u64;
                let own = done.entry(spec.name.clone()).or_default();
                own.push(LocalSuppression { columns, found, persons });
            }
        }
    }
    Ok(done)
}

struct Hidden {
    /// How many would be found.
    found: u64,
    /// Whose cells to empty.
    persons: HashSet<String>,
}

/// Whom an adversary would find among too few records, and whose cells of `columns` have to go against it.
async fn hidden(
    run: &Run<'_>,
    works: &[Work<'_>],
    spec: &AdversarySpec,
    columns: &[&str],
) -> Result<Hidden, ProduceError> {
    let known = of_adversary(works, spec);
    let attributes: BTreeSet<Attribute> = known.attributes().cloned().collect();
    let emptied: Vec<String> = attributes
        .iter()
        .filter(|a| columns.contains(&a.full(works).as_str()))
        .map(|a| a.name.clone())
        .collect();
    let output = shown(run, works, &attributes).await?;
    let sides = Sides::read(works, &output, &run.keyed, attributes).await?;
    let effort = Effort { parts: PARTS, seed: SEED, ..Effort::default() };
    let adversary = adversary(spec, known);
    let hiding = hide(&sides.after()?, &adversary, &emptied, &effort, spec.min_candidates)?;
    let keys = sides.original.keys();
    let persons = hiding.hidden.into_iter().map(|person| keys[person as usize].to_owned());
    Ok(Hidden { found: hiding.found.len() as u64, persons: persons.collect() })
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

/// Empties columns for some persons, counts again, and tells which of them the output has.
async fn empty(
    run: &Run<'_>,
    works: &mut [Work<'_>],
    columns: &[&str],
    persons: &HashSet<String>,
) -> Result<Vec<String>, ProduceError> {
    let mut done = Vec::new();
    for work in works.iter_mut() {
        let named: Vec<&CheckedColumn> = work
            .columns
            .iter()
            .copied()
            .filter(|c| {
                let full = format!("{}.{}", work.table.name, c.name);
                !c.in_model && columns.contains(&full.as_str())
            })
            .collect();
        if named.is_empty() {
            continue;
        }
        for column in named {
            done.push(format!("{}.{}", work.table.name, column.name));
            let known = work.emptied.entry(column.name.clone()).or_default();
            Arc::make_mut(known).extend(persons.iter().cloned());
        }
        let rest: Vec<&CheckedColumn> =
            work.columns.iter().copied().filter(|c| !c.in_model).collect();
        let rows = without(work)?;
        measure::facts(run.checked, &work.frame, &rows, &rest, &mut work.facts).await?;
    }
    done.sort_unstable();
    Ok(done)
}

/// The rows of a table without the emptied cells.
fn without(work: &Work<'_>) -> Result<DataFrame, ProduceError> {
    let mut rows = work.rows.clone();
    for (column, persons) in &work.emptied {
        rows = rows.with_column(column, emptied(ident(column), column, persons))?;
    }
    Ok(rows)
}
