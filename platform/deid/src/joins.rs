//! Do two products about overlapping persons join?
//!
//! Enters: two [`Produced`] of unrelated domains, with who is who inside. Leaves: [`JoinFigures`]: values that
//! identifying columns share (there must be none), and how many of the persons in both are linked rightly by what the
//! two show of them. Refuses: products of a plain table, which do not know their persons.
//!
//! A shared identifier always stands against the release. How far content may join is the specification's to say
//! (`[joins]`): whoever gets two tables with the same laboratory values can tell that they are of one person.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    datatypes::DataType,
};
use kiban_anonymity::{
    attack::joins::{JoinPlan, joins},
    holdings::{Holdings, HoldingsBuilder, Kind},
};
use kiban_lake::functions::keyed::{self, Keyed};

use crate::{
    error::ProduceError,
    produce::all_persons,
    product::Produced,
    report::{JoinFigures, JoinTrial},
    spec::JoinsSpec,
};

/// Chance of the samples; the same in every run, so that a report is the same.
const SEED: u64 = 1;

/// Name of the id column among the attributes; no `table.column` is called so.
const ID: &str = "人の仮ID";

/// Who is who in an output: the id inside, the id shown.
pub(crate) type Persons = BTreeMap<String, String>;

/// The persons of an output, with the id each is shown under.
pub(crate) async fn persons(
    works: &[crate::produce::Work<'_>],
    output: &[(String, Vec<RecordBatch>)],
    keyed: &Arc<Keyed>,
) -> Result<Persons, ProduceError> {
    let shown: BTreeSet<&str> = output
        .iter()
        .flat_map(|(_, batches)| batches)
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten())
        .collect();
    let mut persons = Persons::new();
    for person in all_persons(works).await? {
        let id = keyed.pseudonym_of(keyed::PERSON, &person);
        if shown.contains(id.as_str()) {
            persons.insert(person, id);
        }
    }
    Ok(persons)
}

/// Tries to join `left`, about to be released, with `right`, released before.
///
/// Costs: see [`kiban_anonymity::attack::joins`]; both outputs are held once more as numbers.
///
/// # Errors
/// A column cannot be read as text or day.
pub fn compare(
    left: &Produced,
    right: &Produced,
    rule: &JoinsSpec,
) -> Result<JoinFigures, ProduceError> {
    let (one, left_ids) = holdings(left)?;
    let (two, right_ids) = holdings(right)?;
    let pairs: Vec<(u32, u32)> = left
        .persons
        .iter()
        .filter_map(|(person, id)| {
            Some((one.number_of(id)?, two.number_of(right.persons.get(person)?)?))
        })
        .collect();
    let mut plan = JoinPlan::new(left_ids, right_ids);
    (plan.attacks, plan.seed) = (rule.attempts, SEED);
    plan.limit = rule.limit.unwrap_or(1.0);
    let report = joins(&one, &two, &pairs, &plan)?;
    let shared: Vec<(String, String, u64)> =
        report.shared_ids.iter().map(|s| (s.left.clone(), s.right.clone(), s.values)).collect();
    Ok(JoinFigures {
        persons: [report.left, report.right],
        overlap: report.overlap,
        limit: rule.limit,
        verdict_ja: report.verdict_ja(),
        exceeded: !shared.is_empty() || rule.limit.is_some() && report.blocks,
        shared,
        trials: report
            .trials
            .iter()
            .map(|t| JoinTrial {
                name: t.name.clone(),
                label_ja: t.label_ja.clone(),
                linked: t.attack.successes,
                of: t.attack.trials,
                attack: [t.attack.rate, t.attack.low, t.attack.high],
                baseline: [t.baseline.rate, t.baseline.low, t.baseline.high],
                exceeded: rule.limit.is_some() && t.blocks,
            })
            .collect(),
    })
}

/// An output as an attacker holds it, and the names of its identifying columns.
fn holdings(product: &Produced) -> Result<(Holdings, Vec<String>), ProduceError> {
    let mut held = HoldingsBuilder::new();
    for id in product.persons.values().collect::<BTreeSet<_>>() {
        held.person(id);
    }
    let mut ids = vec![ID.to_owned()];
    let own = held.attribute(ID, Kind::Set)?;
    for (table, batches) in &product.tables {
        let Some(first) = batches.first() else { continue };
        let mut places = Vec::new();
        for (at, field) in first.schema().fields().iter().enumerate().skip(1) {
            let name = format!("{table}.{}", field.name());
            let kind = match field.data_type() {
                DataType::Date32 => Kind::Dates,
                kind if kind.is_numeric() => Kind::Bag,
                _ => Kind::Set,
            };
            places.push((at, held.attribute(&name, kind)?));
            if product.is_pseudonym(table, field.name()) {
                ids.push(name);
            }
        }
        for batch in batches {
            let persons = batch.column(0).as_string::<i32>();
            held.add(own, persons, batch.column(0))?;
            for (at, place) in &places {
                if batch.column(*at).null_count() < batch.num_rows() {
                    held.add(*place, persons, batch.column(*at))?;
                }
            }
        }
    }
    Ok((held.finish()?, ids))
}
