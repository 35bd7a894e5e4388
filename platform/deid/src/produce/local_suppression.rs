//! Cells of persons whom a declared adversary would find are emptied: local suppression, group of columns after group,
//! until nobody is found or no group is left.
//!
//! What is emptied can be anything to whoever compares, so a person's candidates only grow, and so do those of everybody
//! else; but one emptied record alone would be known by that, so others that agree with it are emptied with it. What the
//! rules count (rare values, extremes) is counted again without the emptied cells.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use arrow::array::RecordBatch;
use kiban_anonymity::adversary::{Effort, Emptying, hide};
use kiban_lake::{
    functions::{
        as_text,
        counted::{cell_key, is_cell_in},
        keyed,
    },
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
    spec::{AdversarySpec, CheckedColumn, SuppressionGroup},
};

/// Most parts of an adversary's knowledge that are tried per person; four times what the measure after it looks at.
const PARTS: usize = 256;

/// Cells of a column that are emptied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cells {
    /// Of these persons all.
    persons: Arc<HashSet<String>>,
    /// By a column of the same table, the cells in rows with such a value of such a person ([`cell_key`]).
    rows: BTreeMap<String, Arc<HashSet<String>>>,
}

/// Cells that are emptied, by column.
pub(crate) type Emptied = BTreeMap<String, Cells>;

/// What was emptied because of each adversary, by name.
pub(super) type Suppressions = BTreeMap<String, Vec<LocalSuppression>>;

impl Cells {
    /// `value`, or nothing where these cells are.
    pub(super) fn emptied(&self, value: Expr, column: &str) -> Expr {
        let mut kept = measure::not_in(PERSON, &format!("emptied.{column}"), self.persons.clone());
        for (by, cells) in &self.rows {
            let name = format!("emptied.{column}.{by}");
            let gone = is_cell_in(ident(PERSON), as_text(ident(by)), &name, Arc::clone(cells));
            kept = kept.and(Expr::Not(Box::new(gone)));
        }
        // Without a last word a case is empty.
        when(kept, value).end().unwrap_or_else(|_| lit(ScalarValue::Utf8(None)))
    }

    /// The same cells are the same text.
    pub(super) fn describe(&self) -> String {
        let ordered = |set: &HashSet<String>| format!("{:?}", set.iter().collect::<BTreeSet<_>>());
        let rows = self.rows.iter().map(|(by, cells)| format!(" {by} {}", ordered(cells)));
        format!("{}{}", ordered(&self.persons), rows.collect::<String>())
    }
}

/// Suppresses cells until no adversary of the specification finds a person, or its groups of columns are used up.
pub(super) async fn run(
    run: &Run<'_>,
    works: &mut [Work<'_>],
) -> Result<Suppressions, ProduceError> {
    let mut done = Suppressions::new();
    for spec in &run.checked.spec().document().adversaries {
        // Whom the first group did not hide needs company without the cells of both.
        for last in 0..spec.local_suppression.len() {
            let groups = &spec.local_suppression[..=last];
            let hidden = hidden(run, works, spec, groups).await?;
            if hidden.found.is_empty() {
                break;
            }
            if !hidden.persons.is_empty() {
                let (columns, rows) = empty(run, works, groups, &hidden).await?;
                let (found, persons) = (hidden.found.len() as u64, hidden.persons.len() as u64);
                let own = done.entry(spec.name.clone()).or_default();
                own.push(LocalSuppression { columns, rows, found, persons });
            }
        }
    }
    Ok(done)
}

struct Hidden {
    /// Who would be found.
    found: HashSet<String>,
    /// Whose cells to empty.
    persons: HashSet<String>,
    /// In which rows, by the column that tells them: persons with values ([`cell_key`]).
    rows: BTreeMap<String, HashSet<String>>,
}

/// Whom an adversary would find among too few records, and whose cells of `groups` have to go against it.
async fn hidden(
    run: &Run<'_>,
    works: &[Work<'_>],
    spec: &AdversarySpec,
    groups: &[SuppressionGroup],
) -> Result<Hidden, ProduceError> {
    let known = of_adversary(works, spec);
    let attributes: BTreeSet<Attribute> = known.attributes().cloned().collect();
    let mut emptied = Vec::new();
    let mut told_by = BTreeMap::new();
    for attribute in &attributes {
        let full = attribute.full(works);
        let mut of = groups.iter().filter(|g| g.columns.contains(&full)).peekable();
        if of.peek().is_none() {
            continue;
        }
        if of.all(|g| g.rows_of.as_ref() == Some(&full)) {
            told_by.insert(attribute.name.clone(), full);
            emptied.push(Emptying::values(&attribute.name));
        } else {
            emptied.push(Emptying::whole(&attribute.name));
        }
    }
    let output = shown(run, works, &attributes).await?;
    let sides = Sides::read(works, &output, &run.keyed, attributes).await?;
    let effort = Effort { parts: PARTS, seed: SEED, ..Effort::default() };
    let adversary = adversary(spec, known);
    let hiding = hide(&sides.after()?, &adversary, &emptied, &effort, spec.min_candidates)?;
    let keys = sides.original.keys();
    let named = |of: &[u32]| of.iter().map(|p| keys[*p as usize].to_owned()).collect();
    let (found, persons) = (named(&hiding.found), named(&hiding.hidden));
    let mut rows: BTreeMap<String, HashSet<String>> = BTreeMap::new();
    for (attribute, persons) in hiding.values {
        let Some(column) = told_by.get(&attribute) else { continue };
        let cells = persons.iter().flat_map(|(person, values)| {
            values.iter().map(|value| cell_key(keys[*person as usize], value))
        });
        rows.entry(column.clone()).or_default().extend(cells);
    }
    Ok(Hidden { found, persons, rows })
}

/// Whom an adversary finds as things stand.
pub(super) async fn found(
    run: &Run<'_>,
    works: &[Work<'_>],
    spec: &AdversarySpec,
) -> Result<HashSet<String>, ProduceError> {
    Ok(hidden(run, works, spec, &[]).await?.found)
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

/// Empties columns for some persons, counts again, and tells which of them the output has: all, and those of which only
/// some rows are emptied.
async fn empty(
    run: &Run<'_>,
    works: &mut [Work<'_>],
    groups: &[SuppressionGroup],
    hidden: &Hidden,
) -> Result<(Vec<String>, Vec<String>), ProduceError> {
    let (mut columns, mut rows) = (BTreeSet::new(), BTreeSet::new());
    for work in works.iter_mut() {
        let mut some = false;
        for column in work.columns.iter().filter(|c| !c.in_model) {
            let full = format!("{}.{}", work.table.name, column.name);
            for group in groups.iter().filter(|g| g.columns.contains(&full)) {
                some = true;
                columns.insert(full.clone());
                let cells = work.emptied.entry(column.name.clone()).or_default();
                let by = group.rows_of.as_ref().and_then(|by| Some((by, by.split_once('.')?.1)));
                if let Some((full_by, by)) = by {
                    rows.insert(full.clone());
                    let gone = hidden.rows.get(full_by).into_iter().flatten().cloned();
                    let own = cells.rows.entry(by.to_owned()).or_default();
                    Arc::make_mut(own).extend(gone);
                } else {
                    Arc::make_mut(&mut cells.persons).extend(hidden.persons.iter().cloned());
                }
            }
        }
        if some {
            let rest: Vec<&CheckedColumn> =
                work.columns.iter().copied().filter(|c| !c.in_model).collect();
            let rows = without(work)?;
            measure::facts(run.checked, &work.frame, &rows, &rest, &mut work.facts).await?;
        }
    }
    Ok((columns.into_iter().collect(), rows.into_iter().collect()))
}

/// The rows of a table without the emptied cells; one step, for what tells a row may be emptied with it.
pub(super) fn without(work: &Work<'_>) -> Result<DataFrame, ProduceError> {
    let rows = work.rows.clone();
    let names: Vec<String> = rows.schema().fields().iter().map(|f| f.name().clone()).collect();
    let columns = names.iter().map(|name| match work.emptied.get(name) {
        Some(cells) => cells.emptied(ident(name), name).alias(name),
        None => ident(name),
    });
    Ok(rows.select(columns.collect::<Vec<Expr>>())?)
}
