//! From frames to a product: count, suppress, run the plan, sort, report.
//!
//! The order matters. Quasi-identifiers are generalised first and classes smaller than k are suppressed; what is
//! rare or extreme is counted among the persons that stay, so that the counts hold in the output.

mod changes;
mod classes;
mod compile;
mod exposure;
pub(crate) mod frame;
mod holdings;
mod leave_out;
mod local_suppression;
mod measure;
mod output;
mod prevalence;
mod scan;
mod search;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use arrow::{
    array::{AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::DataType,
};
use futures::TryStreamExt;
use kiban_kernel::{Digest, Product};
use kiban_lake::{
    Session,
    functions::{
        as_text,
        counted::{self, Overrides},
        keyed::{self, Keyed},
    },
    plan::{DataFrame, Expr, ident},
};

pub(crate) use self::holdings::all_persons;
use self::{
    changes::Changes,
    classes::{classes, risk_summary},
    compile::Facts,
    frame::{Frame, PERSON},
    leave_out::LeftOut,
};
use crate::{
    error::ProduceError,
    finding::{Decision, Finding},
    product::{Produced, Provenance},
    report::{ChangeReport, Removal, RemovalReason, TableCount},
    spec::{Checked, CheckedColumn, CheckedTable, DEFAULT_ID_COLUMN, Withheld, WithheldReason},
};

/// What a run needs besides the rows.
pub(crate) struct Run<'a> {
    pub(crate) session: &'a Session,
    pub(crate) checked: &'a Checked,
    pub(crate) keyed: Arc<Keyed>,
    pub(crate) decisions: &'a [Decision],
    pub(crate) provenance: Provenance,
    pub(crate) fixed: bool,
}

/// A table with everything that was found out about it.
pub(crate) struct Work<'a> {
    table: &'a CheckedTable,
    frame: Frame,
    /// Output columns in the data's order.
    columns: Vec<&'a CheckedColumn>,
    rows: DataFrame,
    facts: Facts,
    overrides: BTreeMap<String, Arc<Overrides>>,
    /// Cells that an adversary would have used.
    emptied: local_suppression::Emptied,
}

impl Work<'_> {
    /// Is a column changed by more than its rule?
    fn touched(&self, column: &CheckedColumn) -> bool {
        self.overrides.contains_key(&column.name) || self.emptied.contains_key(&column.name)
    }

    /// A column's expression, decisions and local suppression applied.
    fn value(&self, column: &CheckedColumn, keyed: &Arc<Keyed>) -> Expr {
        let value = compile::value(column, &self.columns, &self.frame, &self.facts, keyed);
        let value = match self.overrides.get(&column.name) {
            Some(overrides) => counted::decided(ident(PERSON), value, Arc::clone(overrides)),
            None => value,
        };
        match self.emptied.get(&column.name) {
            Some(cells) => cells.emptied(value, &column.name),
            None => value,
        }
    }
}

/// Runs a checked specification over its frames.
pub(crate) async fn make(
    run: Run<'_>,
    frames: Vec<(&CheckedTable, Frame)>,
) -> Result<Produced, ProduceError> {
    let searched = search::choose(run.checked, &frames, &run.keyed).await?;
    let checked = searched.as_ref().map_or(run.checked, |s| &s.checked);
    let run = Run { checked, ..run };
    let mut withheld = Vec::new();
    let mut works = Vec::new();
    for (table, frame) in frames {
        let table = checked.tables().iter().find(|t| t.name == table.name).unwrap_or(table);
        let output: BTreeMap<&str, &CheckedColumn> =
            table.output().map(|c| (c.name.as_str(), c)).collect();
        withheld.extend(withheld_columns(table, &frame.columns));
        let columns =
            frame.columns.iter().filter_map(|c| output.get(c.as_str()).copied()).collect();
        let rows = frame.rows.clone();
        works.push(Work {
            table,
            frame,
            columns,
            rows,
            facts: Facts::default(),
            overrides: BTreeMap::new(),
            emptied: BTreeMap::new(),
        });
    }
    // A table of which no column reaches the output would say only who has rows in it.
    works.retain(|w| !w.columns.is_empty());
    withheld.sort();

    for work in &mut works {
        let model: Vec<&CheckedColumn> =
            work.columns.iter().copied().filter(|c| c.in_model).collect();
        measure::facts(checked, &work.frame, &work.rows, &model, &mut work.facts).await?;
    }
    let mut classes = classes(&works, &run.keyed).await?;
    if run.fixed && classes.persons() > 1 && run.keyed.fixes_pseudonym() {
        return Err(ProduceError::FixedIdForMany { persons: classes.persons() });
    }
    let before = classes.risk(1).0;
    let mut small: HashSet<String> = HashSet::new();
    let mut summary = None;
    if let Some(searched) = &searched {
        classes.remove(searched.suppressed.iter().map(String::as_str));
        small.clone_from(&searched.suppressed);
        summary = Some(searched.summary.clone());
    }
    // Counted again over whole combinations, whatever a search promised.
    small.extend(classes.smaller_than(u64::from(checked.k())).into_iter().map(str::to_owned));
    let small = Arc::new(small);
    for work in &mut works {
        if !small.is_empty() {
            work.rows = work.rows.clone().filter(measure::not_in(
                PERSON,
                "small_class",
                Arc::clone(&small),
            ))?;
        }
        let rest: Vec<&CheckedColumn> =
            work.columns.iter().copied().filter(|c| !c.in_model).collect();
        measure::facts(checked, &work.frame, &work.rows, &rest, &mut work.facts).await?;
    }

    let (mut findings, mut suppressions) = (Vec::new(), local_suppression::Suppressions::new());
    let mut left_out = LeftOut::default();
    match checked.product() {
        Product::Anonymized => {
            suppressions = local_suppression::run(&run, &mut works).await?;
            left_out = leave_out::run(&run, &mut works, &mut classes).await?;
        }
        Product::Pseudonymized => findings = scan_and_decide(&run, &mut works).await?,
    }
    let mut risk = risk_summary(checked, &works, before, &classes);
    risk.search = summary;
    drop(classes);

    let mut changes = ChangeReport { withheld, fixed: run.fixed, ..ChangeReport::default() };
    let mut dictionary = Vec::new();
    let mut tables = Vec::new();
    let mut plan = String::new();
    for work in &works {
        plan.push_str(&output::describe(work, &run.keyed));
        let (batches, mut counted) = execute(&run, work).await?;
        let rows_out: u64 = batches.iter().map(|b| b.num_rows() as u64).sum();
        let mut removed = work.frame.removed.clone();
        let suppressed = work.frame.kept().checked_sub(rows_out);
        let found = removed_rows(work, &left_out.found).await?;
        match suppressed.and_then(|rows| rows.checked_sub(found)) {
            Some(0) => {}
            Some(rows) if !small.is_empty() || !left_out.found.is_empty() => {
                removed.push(Removal { reason: RemovalReason::SmallClass, rows });
            }
            _ => return Err(ProduceError::RowsDoNotAddUp { table: work.table.name.clone() }),
        }
        if found > 0 {
            removed.push(Removal { reason: RemovalReason::Found, rows: found });
        }
        changes.tables.push(TableCount {
            table: work.table.name.clone(),
            rows_in: work.frame.rows_in,
            rows_out,
            persons_out: output::distinct_runs(&batches),
            removed,
        });
        changes.columns.append(&mut counted);
        let document = checked.spec().document();
        let told = searched.is_some() || !document.adversaries.is_empty();
        if told && checked.is_measured() {
            let persons = [risk.persons_in, risk.persons_out];
            changes.prevalence.append(&mut prevalence::of_table(&run, work, persons).await?);
        }
        dictionary.extend(output::entries(checked, work, &batches));
        tables.push((work.table.name.clone(), batches));
    }
    let mut singled_out = Vec::new();
    let measured = if checked.is_measured() {
        exposure::measure(checked, &works, &tables, &run.keyed).await?
    } else {
        None
    };
    if let Some(measured) = measured {
        risk.adversaries = measured.risks;
        for adversary in &mut risk.adversaries {
            adversary.local_suppression = suppressions.remove(&adversary.name).unwrap_or_default();
            adversary.left_out = left_out.by_adversary.remove(&adversary.name).unwrap_or_default();
        }
        risk.attack = Some(measured.attack);
        singled_out = measured.singled_out;
    }
    // A plain table is released once; who is in it is nobody's but its owner's to say.
    let persons = match run.provenance.snapshot {
        Some(_) => crate::joins::persons(&works, &tables, &run.keyed).await?,
        None => crate::joins::Persons::new(),
    };
    let mut provenance = run.provenance;
    provenance.plan_digest = Digest::of(plan.as_bytes());
    provenance.decisions = findings.iter().filter_map(|f| f.decision.clone()).collect();
    let measured = checked.is_measured();
    Ok(Produced {
        tables,
        provenance,
        dictionary,
        changes,
        risk,
        findings,
        singled_out,
        persons,
        measured,
    })
}

async fn scan_and_decide(
    run: &Run<'_>,
    works: &mut [Work<'_>],
) -> Result<Vec<Finding>, ProduceError> {
    let cases = scan::scan(run.checked, works, &run.keyed).await?;
    let (findings, overrides) = scan::decide(run.checked, cases, run.decisions, &run.keyed);
    for ((table, column), map) in overrides {
        if let Some(work) = works.iter_mut().find(|w| w.table.name == table) {
            work.overrides.insert(column, Arc::new(map));
        }
    }
    Ok(findings)
}

/// Rows of a table about these persons.
async fn removed_rows(work: &Work<'_>, persons: &HashSet<String>) -> Result<u64, ProduceError> {
    if persons.is_empty() {
        return Ok(0);
    }
    let own = work.frame.rows.clone().select(vec![ident(PERSON)])?;
    let mut stream = own.execute_stream().await?;
    let mut rows = 0;
    while let Some(batch) = stream.try_next().await? {
        let theirs = |p: &&str| persons.contains(*p);
        rows += persons_of(&batch)?.iter().flatten().filter(theirs).count() as u64;
    }
    Ok(rows)
}

/// Columns that the data have and the output has not.
fn withheld_columns(table: &CheckedTable, present: &[String]) -> Vec<Withheld> {
    present
        .iter()
        .filter_map(|column| match table.columns.get(column) {
            None => Some(Withheld {
                table: table.name.clone(),
                column: column.clone(),
                reason: WithheldReason::Undeclared,
                law: None,
            }),
            Some(crate::spec::Use::Withheld(w)) => Some(w.clone()),
            Some(crate::spec::Use::Output(_)) => None,
        })
        .collect()
}

fn persons_of(batch: &RecordBatch) -> Result<StringArray, ProduceError> {
    Ok(cast(batch.column(0), &DataType::Utf8)?.as_string::<i32>().clone())
}

/// Name of the id column: the specification's own, or the usual one.
fn id_column(checked: &Checked) -> String {
    checked
        .spec()
        .document()
        .person
        .as_ref()
        .map_or_else(|| DEFAULT_ID_COLUMN.to_owned(), |p| p.id_column.clone())
}

/// Runs one table's plan: rows out, sorted, and what changed.
async fn execute(
    run: &Run<'_>,
    work: &Work<'_>,
) -> Result<(Vec<RecordBatch>, Vec<crate::report::ColumnChange>), ProduceError> {
    let mut selected =
        vec![run.keyed.pseudonym(keyed::PERSON, ident(PERSON)).alias(id_column(run.checked))];
    for column in &work.columns {
        selected.push(work.value(column, &run.keyed).alias(&column.name));
    }
    let width = selected.len();
    let mut changes = Changes::new(&work.table.name, &work.columns, |c| work.touched(c));
    for (i, column) in changes.compared() {
        selected.push(as_text(ident(&column.name)).alias(format!("__before{i}")));
    }
    let mut kept = Vec::new();
    let mut stream = work.rows.clone().select(selected)?.execute_stream().await?;
    let output: Vec<usize> = (0..width).collect();
    let schema = Arc::new(stream.schema().project(&output)?);
    while let Some(batch) = stream.try_next().await? {
        changes.add(&batch, width)?;
        let rows = batch.project(&output)?;
        kept.push(RecordBatch::try_new(Arc::clone(&schema), rows.columns().to_vec())?);
    }
    let batches = output::sorted(run.session, schema, kept).await?;
    Ok((batches, changes.finish()))
}

/// One row of counts.
pub(crate) async fn counts<const N: usize>(counted: DataFrame) -> Result<[u64; N], ProduceError> {
    let mut out = [0; N];
    for batch in counted.collect().await? {
        for (i, slot) in out.iter_mut().enumerate() {
            let column = measure::int64(&batch, i);
            *slot += column.iter().flatten().map(i64::unsigned_abs).sum::<u64>();
        }
    }
    Ok(out)
}
