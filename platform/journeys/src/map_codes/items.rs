//! The local items of the lake's rows: each code of each holder with its names, units, specimens and the spread of its values.
//!
//! Counted by the engine at the newest snapshot; no row leaves it. A name is shown if enough persons have it: what hardly
//! anybody has may be somebody's own words.

use std::collections::BTreeMap;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType, Date32Type, Float64Type, Int64Type},
};
use kiban_codes::candidate::{Distribution, LocalItem};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Date, Id, kinds};
use kiban_lake::{
    LakeError, Session, Snapshot,
    functions::{UNCODED, local_code},
    plan::{DataFrame, Expr, JoinType, aggregates, functions::coalesce, ident, lit, when},
};

use super::{MAPPED, MappedTable};
use crate::{Deployment, Error};

/// A name is shown from this many persons on.
pub const LEAST_PERSONS_OF_NAME: u64 = 3;
/// Most names of an item.
const MOST_NAMES: usize = 5;
/// Levels of the quantiles.
const LEVELS: [f64; 13] = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

/// A local code of a holder in the rows of one table.
#[derive(Debug, Clone)]
pub struct CodeItem {
    /// The table.
    pub table: &'static str,
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// The code as mappings name it: `system|code`, `||name`.
    pub local: String,
    /// Names, unit, specimen, range and values, as the bench compares them.
    pub item: LocalItem,
    /// Rows.
    pub rows: u64,
    /// Persons, linked over holders.
    pub persons: u64,
    /// First and last day.
    pub days: Option<(Date, Date)>,
    /// Rows that have a standard code, and how many of the rows came with it.
    pub standard: u64,
}

/// Local items, commonest first.
#[derive(Debug, Clone, Default)]
pub struct CodeItems {
    /// The items.
    pub items: Vec<CodeItem>,
    /// Rows without a code whose names too few persons have to be shown.
    pub hidden_rows: u64,
}

/// A table's rows on their way to be counted.
pub(super) struct Counted {
    pub(super) rows: DataFrame,
    pub(super) table: &'static MappedTable,
}

/// Columns by which rows are one item.
const KEY: [&str; 4] = ["holder", "__system", "__code", "__name"];

type Key = [Option<String>; 4];

impl Counted {
    /// The rows of a table, each with its person, and its standard code by the signed mappings.
    pub(super) async fn of(
        on: &Deployment,
        session: &Session,
        table: &'static MappedTable,
        at: Snapshot,
        holder: Option<Id<kinds::Organization>>,
    ) -> Result<Self, Error> {
        let codes = super::code_map(on, None).await?;
        let base = on.lake.frame(session, table.name, at).await?;
        let base = match holder {
            Some(holder) => {
                base.filter(ident("holder").eq(lit(holder.to_string()))).map_err(engine)?
            }
            None => base,
        };
        let base = codes.widen(table.name, base).map_err(engine)?;
        let links = on.lake.frame(session, "person_link", at).await?;
        let links = links
            .select(vec![ident("person_source").alias("__source"), ident("person")])
            .map_err(engine)?;
        let joined = base
            .join(links, JoinType::Left, &["person_source"], &["__source"], None)
            .map_err(engine)?;
        let empty = || lit("");
        let said = || coalesce(vec![ident(table.code), empty()]);
        // A code that says that there is none leaves the name to speak.
        let none = UNCODED.iter().fold(lit(false), |any, code| any.or(said().eq(lit(*code))));
        let code = || {
            let named = ident("text").is_not_null();
            when(none.clone().and(named), empty()).otherwise(said()).map_err(engine)
        };
        let absent = || lit(kiban_lake::plan::ScalarValue::Utf8(None));
        let some = |has: bool, name: &str| if has { ident(name) } else { absent() };
        let name = when(code()?.eq(empty()), coalesce(vec![ident("text"), empty()]))
            .otherwise(empty())
            .map_err(engine)?;
        let (measured, values) = (table.name == "measurement", table.values);
        let number = |name: &str| {
            if values { ident(name) } else { lit(kiban_lake::plan::ScalarValue::Float64(None)) }
        };
        let days = table.days.iter().map(|d| kiban_lake::plan::cast(ident(*d), DataType::Date32));
        let rows = joined
            .select(vec![
                ident("holder"),
                coalesce(vec![ident("code_system"), empty()]).alias("__system"),
                code()?.alias("__code"),
                name.alias("__name"),
                coalesce(vec![ident("person"), ident("person_source")]).alias("person"),
                ident("text"),
                some(values, "unit").alias("unit"),
                some(measured, "specimen").alias("specimen"),
                some(table.name == "checkup", "method").alias("method"),
                some(values, "reference_range").alias("range"),
                coalesce(days.collect()).alias("day"),
                number("value_num").alias("value"),
                some(values, "value_text").alias("value_text"),
                ident("standard_code"),
                ident("standard_system"),
                number("standard_value").alias("converted"),
            ])
            .map_err(engine)?;
        Ok(Self { rows, table })
    }

    pub(super) async fn by(
        &self,
        group: &[&str],
        counts: Vec<Expr>,
    ) -> Result<Vec<RecordBatch>, Error> {
        let group = group.iter().map(|name| ident(*name)).collect();
        let counted = self.rows.clone().aggregate(group, counts).map_err(engine)?;
        counted.collect().await.map_err(engine)
    }

    /// Per item the texts of a column, those of most rows first: text, rows, persons.
    async fn texts(&self, column: &str) -> Result<BTreeMap<Key, Vec<(String, u64, u64)>>, Error> {
        let group = [&KEY[..], &[column]].concat();
        let mut out: BTreeMap<Key, Vec<(String, u64, u64)>> = BTreeMap::new();
        for batch in self.by(&group, vec![rows_counted(), persons_counted()]).await? {
            let (keys, texts) = (keys(&batch)?, text(&batch, 4)?);
            let (rows, persons) = (numbers(&batch, 5)?, numbers(&batch, 6)?);
            for (at, key) in keys.into_iter().enumerate() {
                let Some(text) = &texts[at] else { continue };
                out.entry(key).or_default().push((text.clone(), rows[at], persons[at]));
            }
        }
        for of in out.values_mut() {
            of.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        }
        Ok(out)
    }

    /// Per item its numbers with how often each occurs.
    async fn values(&self) -> Result<BTreeMap<Key, Vec<(f64, u64)>>, Error> {
        let group = [&KEY[..], &["value"]].concat();
        let mut out: BTreeMap<Key, Vec<(f64, u64)>> = BTreeMap::new();
        for batch in self.by(&group, vec![rows_counted()]).await? {
            let (keys, values) = (keys(&batch)?, floats(&batch, 4)?);
            let rows = numbers(&batch, 5)?;
            for (at, key) in keys.into_iter().enumerate() {
                let Some(value) = values[at] else { continue };
                out.entry(key).or_default().push((value, rows[at]));
            }
        }
        Ok(out)
    }
}

/// The error of the engine as one of ours.
pub(super) fn engine(error: kiban_lake::plan::DataFusionError) -> Error {
    LakeError::from(error).into()
}

pub(super) fn rows_counted() -> Expr {
    aggregates::count(lit(1)).alias("rows")
}

pub(super) fn persons_counted() -> Expr {
    aggregates::count_distinct(ident("person")).alias("persons")
}

fn column(batch: &RecordBatch, at: usize, to: &DataType) -> Result<ArrayRef, Error> {
    cast(batch.column(at), to).map_err(|_| Error::Unknown { what: "column of that type" })
}

pub(super) fn text(batch: &RecordBatch, at: usize) -> Result<Vec<Option<String>>, Error> {
    let column = column(batch, at, &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|t| t.map(str::to_owned)).collect())
}

pub(super) fn numbers(batch: &RecordBatch, at: usize) -> Result<Vec<u64>, Error> {
    let column = column(batch, at, &DataType::Int64)?;
    let column = column.as_primitive::<Int64Type>();
    Ok(column.iter().map(|n| n.unwrap_or(0).unsigned_abs()).collect())
}

pub(super) fn floats(batch: &RecordBatch, at: usize) -> Result<Vec<Option<f64>>, Error> {
    let column = column(batch, at, &DataType::Float64)?;
    Ok(column.as_primitive::<Float64Type>().iter().collect())
}

pub(super) fn days(batch: &RecordBatch, at: usize) -> Result<Vec<Option<Date>>, Error> {
    let column = column(batch, at, &DataType::Date32)?;
    let column = column.as_primitive::<Date32Type>();
    let day = |n: i32| Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(n)).ok();
    Ok((0..column.len())
        .map(|at| column.is_valid(at).then(|| column.value(at)).and_then(day))
        .collect())
}

fn keys(batch: &RecordBatch) -> Result<Vec<Key>, Error> {
    let columns = (0..4).map(|at| text(batch, at)).collect::<Result<Vec<_>, _>>()?;
    Ok((0..batch.num_rows())
        .map(|row| std::array::from_fn(|at| columns[at][row].clone()))
        .collect())
}

/// Quantiles of numbers with how often each occurs.
pub(super) fn spread(values: &[(f64, u64)], persons: u64, texts: u64) -> Option<Distribution> {
    let mut sorted: Vec<(f64, u64)> = values.iter().copied().filter(|v| v.0.is_finite()).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: u64 = sorted.iter().map(|v| v.1).sum();
    let last = total.checked_sub(1)?;
    let mut quantiles = Vec::with_capacity(LEVELS.len());
    let (mut at, mut below) = (0, 0);
    for level in LEVELS {
        let place = (level * last as f64).round() as u64;
        while below + sorted[at].1 <= place {
            below += sorted[at].1;
            at += 1;
        }
        quantiles.push((level, sorted[at].0));
    }
    Distribution::of_quantiles(total, persons, texts, &quantiles)
}

/// The local items of a table, or of all tables that are mapped; of one holder if given. Reads each table some six times.
///
/// # Errors
/// The actor may not, or the lake failed.
pub async fn code_items(
    on: &Deployment,
    actor: &Actor,
    table: Option<&'static MappedTable>,
    holder: Option<Id<kinds::Organization>>,
) -> Result<CodeItems, Error> {
    permit(actor, Act::SeeMappings)?;
    let mut out = CodeItems::default();
    let at = on.lake.head().await?;
    for table in MAPPED.iter().filter(|t| table.is_none_or(|only| only.name == t.name)) {
        let session = Session::new(&on.lake)?;
        let counted = Counted::of(on, &session, table, at, holder).await?;
        collect(&counted, &mut out).await?;
    }
    out.items.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.local.cmp(&b.local)));
    Ok(out)
}

async fn collect(counted: &Counted, out: &mut CodeItems) -> Result<(), Error> {
    let texts_counted =
        when(ident("value").is_null().and(ident("value_text").is_not_null()), lit(1))
            .end()
            .map_err(engine)?;
    let all = counted
        .by(
            &KEY,
            vec![
                rows_counted(),
                persons_counted(),
                aggregates::min(ident("day")).alias("first"),
                aggregates::max(ident("day")).alias("last"),
                aggregates::count(ident("standard_code")).alias("standard"),
                aggregates::count(texts_counted).alias("texts"),
            ],
        )
        .await?;
    let names = counted.texts("text").await?;
    let facet = async |column, has: bool| {
        if has { counted.texts(column).await } else { Ok(BTreeMap::new()) }
    };
    let measured = counted.table.name == "measurement";
    let units = facet("unit", counted.table.values).await?;
    let specimens = facet("specimen", measured).await?;
    let methods = facet("method", counted.table.name == "checkup").await?;
    let ranges = facet("range", counted.table.values).await?;
    let values = if counted.table.values { counted.values().await? } else { BTreeMap::new() };
    for batch in &all {
        let (rows, persons) = (numbers(batch, 4)?, numbers(batch, 5)?);
        let (first, last) = (days(batch, 6)?, days(batch, 7)?);
        let (standard, texts) = (numbers(batch, 8)?, numbers(batch, 9)?);
        for (at, key) in keys(batch)?.into_iter().enumerate() {
            let [holder, system, code, name] = &key;
            let Some(holder) = holder.as_deref().and_then(|h| h.parse().ok()) else { continue };
            let local = local_code(system.as_deref(), code.as_deref(), name.as_deref());
            let uncoded = code.as_deref().is_none_or(str::is_empty);
            let Some(local) = local.filter(|_| !uncoded || persons[at] >= LEAST_PERSONS_OF_NAME)
            else {
                out.hidden_rows += rows[at];
                continue;
            };
            let first_of = |of: &BTreeMap<Key, Vec<(String, u64, u64)>>| {
                of.get(&key).and_then(|of| of.first()).map(|(text, ..)| text.clone())
            };
            let known = names.get(&key).into_iter().flatten();
            let mut shown: Vec<String> = known
                .filter(|(.., persons)| *persons >= LEAST_PERSONS_OF_NAME)
                .take(MOST_NAMES)
                .map(|(text, ..)| text.clone())
                .collect();
            // A code that speaks (GOT) is a name as well.
            let code = code.clone().unwrap_or_default();
            if code.chars().any(char::is_alphabetic) && !shown.contains(&code) {
                shown.push(code.clone());
            }
            let numbers = values.get(&key).map_or(&[][..], Vec::as_slice);
            out.items.push(CodeItem {
                table: counted.table.name,
                holder,
                local,
                item: LocalItem {
                    code,
                    names: shown,
                    unit: first_of(&units),
                    specimen: first_of(&specimens),
                    method: first_of(&methods),
                    range: first_of(&ranges),
                    values: spread(numbers, persons[at], texts[at]),
                },
                rows: rows[at],
                persons: persons[at],
                days: first[at].zip(last[at]),
                standard: standard[at],
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_counted_numbers_are_those_of_the_numbers() {
        let counted = [(3.0, 2), (1.0, 5), (2.0, 93)];
        let mut plain = vec![1.0; 5];
        plain.extend(vec![2.0; 93]);
        plain.extend([3.0; 2]);
        let (a, b) =
            (spread(&counted, 9, 1).unwrap(), Distribution::of_values(9, 1, &plain).unwrap());
        assert_eq!(a.quantiles(), b.quantiles());
        assert_eq!((a.count(), a.persons()), (100, 9));
        assert!(spread(&[], 0, 0).is_none() && spread(&[(f64::NAN, 3)], 1, 0).is_none());
    }
}
