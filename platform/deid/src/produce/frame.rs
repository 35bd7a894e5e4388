//! A table on its way through a specification: rows of cleared persons, with the person beside them.

use std::collections::HashSet;

use kiban_kernel::{Bases, Date};
use kiban_lake::{
    CodeMap, Lake, Session, Snapshot,
    functions::{as_day, newest_known},
    plan::{DataFrame, Expr, JoinType, MemTable, aggregates, ident, lit, when},
};

use crate::{
    error::ProduceError,
    report::{Removal, RemovalReason},
    spec::{Checked, CheckedTable, Window, custody_columns},
};

/// The person's column in every frame.
pub(crate) const PERSON: &str = "__person";

/// One table's rows, before any rule.
pub(crate) struct Frame {
    pub(crate) rows: DataFrame,
    /// The data's own columns, in order.
    pub(crate) columns: Vec<String>,
    pub(crate) rows_in: u64,
    pub(crate) removed: Vec<Removal>,
    /// Is each row another person?
    pub(crate) row_is_person: bool,
}

/// Rows that a frame keeps in memory between passes; more are read again.
const CACHED_ROWS: u64 = 4_000_000;

impl Frame {
    /// Rows before the rules.
    pub(crate) fn kept(&self) -> u64 {
        self.rows_in - self.removed.iter().map(|r| r.rows).sum::<u64>()
    }
}

/// Bitwise and, which the vocabulary has as an operator only.
fn bit_and(left: Expr, right: Expr) -> Expr {
    kiban_lake::plan::expr_fn::bitwise_and(left, right).not_eq(lit(0_u8))
}

/// Condition that a date lies in the window.
pub(crate) fn in_window(window: &Window, column: &str) -> Option<Expr> {
    let day = |date: Date| {
        lit(kiban_lake::plan::ScalarValue::Date32(Some(
            (date - Date::constant(1970, 1, 1)).get_days(),
        )))
    };
    let at = as_day(ident(column));
    let from = window.from.map(|d| at.clone().gt_eq(day(d)));
    let until = window.until.map(|d| at.lt(day(d)));
    match (from, until) {
        (Some(a), Some(b)) => Some(a.and(b)),
        (a, b) => a.or(b),
    }
}

/// What canonical tables are read from.
pub(crate) struct Source<'a> {
    pub(crate) lake: &'a Lake,
    pub(crate) at: Snapshot,
    pub(crate) regime: kiban_kernel::Regime,
    pub(crate) codes: &'a CodeMap,
}

/// Rows of one canonical table cleared for a regime, joined to persons; the table `person` has one row per person.
pub(crate) async fn of_lake(
    source: &Source<'_>,
    session: &Session,
    checked: &Checked,
    table: &CheckedTable,
) -> Result<Frame, ProduceError> {
    let &Source { lake, at, regime, codes } = source;
    let base = codes.widen(&table.name, lake.frame(session, &table.name, at).await?)?;
    let all: Vec<String> = base.schema().fields().iter().map(|f| f.name().clone()).collect();
    let custody: HashSet<&str> = custody_columns().collect();
    let columns: Vec<String> =
        all.iter().filter(|c| !custody.contains(c.as_str())).cloned().collect();
    if let Some(missing) = table.columns.keys().find(|c| !columns.contains(c)) {
        return Err(ProduceError::MissingColumn {
            table: table.name.clone(),
            column: missing.clone(),
        });
    }
    let links = lake.frame(session, "person_link", at).await?.select(vec![
        ident("person_source").alias("__source"),
        ident("person").alias(PERSON),
        ident("since").alias("__since"),
    ])?;
    let joined = base.join(links, JoinType::Left, &["person_source"], &["__source"], None)?;

    let cleared = bit_and(ident("bases"), lit(Bases::NONE.with(regime).bits()));
    let linked = cleared.clone().and(ident(PERSON).is_not_null());
    let window = checked.spec().document().window.as_ref();
    let inside = window.zip(table.window_column.as_deref()).and_then(|(w, c)| in_window(w, c));
    let kept = inside.map_or(linked.clone(), |w| linked.clone().and(w));
    let count = |condition: Expr| -> Result<Expr, ProduceError> {
        Ok(aggregates::count(when(condition, lit(1)).end()?))
    };
    let counted = joined.clone().aggregate(
        Vec::new(),
        vec![
            aggregates::count(lit(1)).alias("all"),
            count(cleared)?.alias("cleared"),
            count(linked)?.alias("linked"),
            count(kept.clone())?.alias("kept"),
        ],
    )?;
    let [rows_in, cleared, linked, inside] = super::counts(counted).await?;
    let mut removed = Vec::new();
    let mut note = |reason, rows| {
        if rows > 0 {
            removed.push(Removal { reason, rows });
        }
    };
    note(RemovalReason::NotCleared, rows_in - cleared);
    note(RemovalReason::NotLinked, cleared - linked);
    note(RemovalReason::OutsideWindow, linked - inside);
    let mut rows = joined.filter(kept)?;
    let person_table = table.name == "person";
    if person_table {
        rows = person_view(rows, table)?;
    } else {
        let mut selected: Vec<Expr> = vec![ident(PERSON)];
        selected.extend(needed(&columns, table).map(ident));
        rows = rows.select(selected)?;
    }
    if inside <= CACHED_ROWS {
        rows = rows.cache().await?;
    }
    if person_table {
        let persons = rows.clone().count().await? as u64;
        note(RemovalReason::MergedIntoPerson, inside - persons);
    }
    Ok(Frame { rows, columns, rows_in, removed, row_is_person: person_table })
}

/// Columns the rules look at: those that reach the output, and the holder, which keeps local numbers apart.
fn needed<'a>(columns: &'a [String], table: &'a CheckedTable) -> impl Iterator<Item = &'a str> {
    columns
        .iter()
        .filter(|c| c.as_str() == "holder" || table.columns.contains_key(c.as_str()))
        .map(String::as_str)
}

/// One row per person: of every column the newest known value. The lake's rows carry no time of their own, so newest
/// means: of the person source that was linked last; then, so that the choice is the same in every run, by delivery,
/// file, segment and position.
fn person_view(rows: DataFrame, table: &CheckedTable) -> Result<DataFrame, ProduceError> {
    let order = || {
        ["__since", "delivery", "source_file", "segment", "position"]
            .map(|c| ident(c).sort(false, false))
            .to_vec()
    };
    let columns: Vec<String> = rows
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .filter(|c| table.columns.contains_key(c))
        .collect();
    let newest = columns
        .iter()
        .map(|c| Ok(newest_known(ident(c), order())?.alias(c)))
        .collect::<Result<Vec<_>, ProduceError>>()?;
    Ok(rows.aggregate(vec![ident(PERSON)], newest)?)
}

/// Rows of a plain table that were read with [`PERSON`] as first column.
pub(crate) async fn of_table(
    session: &Session,
    batches: Vec<arrow::array::RecordBatch>,
    checked: &Checked,
    table: &CheckedTable,
    row_is_person: bool,
) -> Result<Frame, ProduceError> {
    let rows_in = batches.iter().map(|b| b.num_rows() as u64).sum();
    let Some(schema) = batches.first().map(arrow::array::RecordBatch::schema) else {
        return Err(ProduceError::MissingColumn {
            table: table.name.clone(),
            column: PERSON.to_owned(),
        });
    };
    let columns: Vec<String> = schema.fields().iter().skip(1).map(|f| f.name().clone()).collect();
    if let Some(missing) = table.columns.keys().find(|c| !columns.contains(c)) {
        return Err(ProduceError::MissingColumn {
            table: table.name.clone(),
            column: missing.clone(),
        });
    }
    let source = MemTable::try_new(schema, vec![batches])?;
    let mut rows = session.context().read_table(std::sync::Arc::new(source))?;
    let mut removed = Vec::new();
    let window = checked.spec().document().window.as_ref();
    if let Some(inside) =
        window.zip(table.window_column.as_deref()).and_then(|(w, c)| in_window(w, c))
    {
        rows = rows.filter(inside)?.cache().await?;
        let outside = rows_in - rows.clone().count().await? as u64;
        if outside > 0 {
            removed.push(Removal { reason: RemovalReason::OutsideWindow, rows: outside });
        }
    }
    Ok(Frame { rows, columns, rows_in, removed, row_is_person })
}
