//! What the declared adversaries could know of each person, before and after the rules: the toolkit's holdings, filled
//! from the engine.
//!
//! Persons and values are brought in sorted, so that every run numbers them alike and the figures are the same.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use futures::TryStreamExt;
use kiban_anonymity::holdings::{Compare, Facts, Holdings, HoldingsBuilder, Kind, Matches};
use kiban_lake::{
    functions::{
        as_text,
        keyed::{self, Keyed},
    },
    plan::ident,
};

use super::{Work, frame::PERSON, persons_of};
use crate::{
    error::ProduceError,
    spec::{AdversarySpec, CheckedColumn, Rule},
};

/// One column as adversaries know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attribute {
    work: usize,
    column: String,
    kind: Kind,
    /// Name in the holdings.
    pub(super) name: String,
}

/// How a column is known.
#[derive(Debug, Clone, Copy)]
enum Known {
    Whole,
    Items,
    Dates,
}

/// The attribute for a column that reaches the output; none if it does not.
fn attribute(works: &[Work<'_>], full: &str, known: Known) -> Option<Attribute> {
    let (table, column) = full.split_once('.')?;
    let work = works.iter().position(|w| w.table.name == table)?;
    let checked = works[work].columns.iter().find(|c| c.name == column)?;
    let days = matches!(checked.rule, Rule::Keep | Rule::ShiftDate(_));
    let (kind, name) = match known {
        Known::Whole => (Kind::Single, full.to_owned()),
        // Days that were coarsened are labels like any others.
        Known::Dates if days => (Kind::Dates, format!("{full} (days)")),
        Known::Items | Known::Dates => (Kind::Set, format!("{full} (items)")),
    };
    Some(Attribute { work, column: column.to_owned(), kind, name })
}

impl Attribute {
    /// Days that may have been shifted?
    fn is_days(&self) -> bool {
        self.kind == Kind::Dates
    }

    /// `table.column`.
    pub(super) fn full(&self, works: &[Work<'_>]) -> String {
        format!("{}.{}", works[self.work].table.name, self.column)
    }

    /// Is it about this column of that table?
    pub(super) fn is_of(&self, work: usize, column: &str) -> bool {
        self.work == work && self.column == column
    }

    fn checked<'a>(&self, works: &'a [Work<'_>]) -> Option<&'a CheckedColumn> {
        works[self.work].columns.iter().find(|c| c.name == self.column).copied()
    }
}

/// Both sides, who is who, and how values became labels.
pub(super) struct Sides {
    pub(super) original: Holdings,
    released: Holdings,
    truth: Vec<(u32, u32)>,
    relations: Vec<(Attribute, Relation)>,
}

/// How the values of a column became labels.
enum Relation {
    Equal,
    Shifted { max_days: u16, complete: bool },
    Labels { of: Arc<HashMap<String, Vec<String>>>, complete: bool },
}

impl Sides {
    /// Reads what is known of `attributes` from the rows and from the output.
    pub(super) async fn read(
        works: &[Work<'_>],
        output: &[(String, Vec<RecordBatch>)],
        keyed: &Arc<Keyed>,
        attributes: BTreeSet<Attribute>,
    ) -> Result<Self, ProduceError> {
        let mut original = HoldingsBuilder::new();
        let persons = all_persons(works).await?;
        for person in &persons {
            original.person(person);
        }
        let mut released = HoldingsBuilder::new();
        for id in ids(output) {
            released.person(&id);
        }
        let mut relations = Vec::new();
        for attribute in attributes {
            let Some(column) = attribute.checked(works) else { continue };
            let work = &works[attribute.work];
            let at = original.attribute(&attribute.name, attribute.kind)?;
            known(&mut original, at, work, &attribute).await?;
            let at = released.attribute(&attribute.name, attribute.kind)?;
            shown(&mut released, at, output, &work.table.name, &attribute)?;
            let relation = relation(work, column, &attribute, keyed).await?;
            relations.push((attribute, relation));
        }
        let (original, released) = (original.finish()?, released.finish()?);
        let truth = persons
            .iter()
            .enumerate()
            .filter_map(|(number, person)| {
                let id = keyed.pseudonym_of(keyed::PERSON, person);
                Some((number as u32, released.number_of(&id)?))
            })
            .collect();
        Ok(Self { original, released, truth, relations })
    }

    /// What an adversary sees before any rule: the data themselves.
    pub(super) fn before(&self) -> Result<Facts, ProduceError> {
        let everybody = (0..self.original.persons()).map(|p| (p, p));
        let compare: Vec<Compare> = self
            .relations
            .iter()
            .map(|(a, _)| {
                let same =
                    if a.is_days() { Matches::Shifted { max_days: 0 } } else { Matches::Equal };
                bare(&a.name, same)
            })
            .collect();
        Ok(Facts::new(self.original.clone(), self.original.clone(), everybody, &compare)?)
    }

    /// What an adversary sees in the product.
    pub(super) fn after(&self) -> Result<Facts, ProduceError> {
        let compare: Vec<Compare> = self
            .relations
            .iter()
            .map(|(a, relation)| match relation {
                Relation::Equal => bare(&a.name, Matches::Equal),
                Relation::Shifted { max_days, complete } => {
                    let mut compare = bare(&a.name, Matches::Shifted { max_days: *max_days });
                    compare.missing = !complete;
                    compare
                }
                Relation::Labels { of, complete } => {
                    let of = Arc::clone(of);
                    let labels = move |v: &str| of.get(v).cloned().unwrap_or_default();
                    let mut compare = bare(&a.name, Matches::Labels(Box::new(labels)));
                    compare.missing = !complete;
                    // Cells are emptied, rows stay: who has no row of a table had none.
                    compare.absent = !complete && a.kind == Kind::Single;
                    compare
                }
            })
            .collect();
        Ok(Facts::new(
            self.original.clone(),
            self.released.clone(),
            self.truth.iter().copied(),
            &compare,
        )?)
    }
}

/// Labels are exactly what the rule made of the value: no residual beside them.
fn bare(name: &str, matches: Matches) -> Compare {
    let mut compare = Compare::new(name, matches).complete();
    compare.residuals = Vec::new();
    compare
}

pub(crate) async fn all_persons(works: &[Work<'_>]) -> Result<BTreeSet<String>, ProduceError> {
    let mut persons = BTreeSet::new();
    for work in works {
        let held = work.frame.rows.clone().select(vec![ident(PERSON)])?.distinct()?;
        let mut stream = held.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            persons.extend(persons_of(&batch)?.iter().flatten().map(str::to_owned));
        }
    }
    Ok(persons)
}

/// The codes of everybody in the output, sorted.
fn ids(output: &[(String, Vec<RecordBatch>)]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for batch in output.iter().flat_map(|(_, batches)| batches) {
        let column = batch.column(0).as_string::<i32>();
        let mut last = None;
        for id in column.iter().flatten().filter(|id| last.replace(*id) != Some(*id)) {
            if !ids.contains(id) {
                ids.insert(id.to_owned());
            }
        }
    }
    ids
}

/// What is known of a column before any rule: each person's distinct values.
async fn known(
    into: &mut HoldingsBuilder,
    at: usize,
    work: &Work<'_>,
    attribute: &Attribute,
) -> Result<(), ProduceError> {
    let own = ident(&attribute.column);
    let value = if attribute.is_days() { own } else { as_text(own) };
    let held = work.frame.rows.clone().select(vec![ident(PERSON), value.alias("v")])?.distinct()?;
    let sorted = held.sort(vec![ident(PERSON).sort(true, true), ident("v").sort(true, true)])?;
    let mut stream = sorted.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        into.add(at, &persons_of(&batch)?, batch.column(1))?;
    }
    Ok(())
}

/// What the output shows of it.
fn shown(
    into: &mut HoldingsBuilder,
    at: usize,
    output: &[(String, Vec<RecordBatch>)],
    table: &str,
    attribute: &Attribute,
) -> Result<(), ProduceError> {
    for batch in output.iter().filter(|(t, _)| t == table).flat_map(|(_, b)| b) {
        let Some(values): Option<&ArrayRef> = batch.column_by_name(&attribute.column) else {
            continue;
        };
        into.add(at, batch.column(0).as_string::<i32>(), values)?;
    }
    Ok(())
}

/// How the values of a column became labels, read from the rows that stay: the adversary knows the specification.
async fn relation(
    work: &Work<'_>,
    column: &CheckedColumn,
    attribute: &Attribute,
    keyed: &Arc<Keyed>,
) -> Result<Relation, ProduceError> {
    let complete = !work.touched(column);
    match &column.rule {
        Rule::ShiftDate(s) => {
            return Ok(Relation::Shifted { max_days: s.max_days, complete });
        }
        Rule::Keep if attribute.is_days() => {
            return Ok(Relation::Shifted { max_days: 0, complete });
        }
        Rule::Keep if complete => return Ok(Relation::Equal),
        _ => {}
    }
    let pairs = work
        .rows
        .clone()
        .select(vec![
            as_text(ident(&column.name)).alias("b"),
            as_text(work.value(column, keyed)).alias("a"),
        ])?
        .distinct()?;
    let mut of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut emptied = false;
    let mut stream = pairs.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let (before, after) =
            (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
        for (before, after) in before.iter().zip(after.iter()) {
            let Some(before) = before else { continue };
            let labels = of.entry(before.to_owned()).or_default();
            match after {
                Some(after) => drop(labels.insert(after.to_owned())),
                None => emptied = true,
            }
        }
    }
    let of = of.into_iter().map(|(v, labels)| (v, labels.into_iter().collect())).collect();
    Ok(Relation::Labels { of: Arc::new(of), complete: !emptied })
}

/// What an adversary's knowledge comes to in the output.
pub(super) struct Knowledge {
    pub(super) whole: Vec<Attribute>,
    pub(super) items: Vec<(Attribute, usize)>,
    pub(super) dates: Option<(Attribute, usize)>,
    /// Known columns that the output lacks.
    pub(super) lacking: Vec<String>,
}

impl Knowledge {
    /// Everything that is compared.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.whole.iter().chain(self.items.iter().chain(&self.dates).map(|(a, _)| a))
    }
}

/// The attributes that an adversary's knowledge comes to, and the columns that the output lacks.
pub(super) fn of_adversary(works: &[Work<'_>], adversary: &AdversarySpec) -> Knowledge {
    let mut lacking = Vec::new();
    let mut find = |column: &str, known| {
        let found = attribute(works, column, known);
        if found.is_none() {
            lacking.push(column.to_owned());
        }
        found
    };
    let whole = adversary.knows.iter().filter_map(|c| find(c, Known::Whole)).collect();
    let mut items: Vec<(Attribute, usize)> = adversary
        .items
        .iter()
        .filter_map(|p| Some((find(&p.column, Known::Items)?, p.count)))
        .collect();
    let mut dates = None;
    if let Some(part) = &adversary.dates
        && let Some(found) = find(&part.column, Known::Dates)
    {
        if found.is_days() {
            dates = Some((found, part.count));
        } else {
            items.push((found, part.count));
        }
    }
    Knowledge { whole, items, dates, lacking }
}
