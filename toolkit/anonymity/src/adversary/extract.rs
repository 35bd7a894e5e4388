//! The holder of an extract of a population: k-map against a real file.

use super::exposure::{Bin, Cases, Mean, histogram};
use super::trie::{Trie, Want, total};
use crate::holdings::{Compare, Holdings, HoldingsError, Lists, Reach, Relation};
use crate::rate::Rate;
use rayon::prelude::*;
use serde::Serialize;

/// How many persons of an extract each released record may belong to (k-map: Sweeney 2002; journalist: El Emam 2013).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mapping {
    /// Persons of the extract.
    pub extract: u64,
    /// Released records.
    pub records: u64,
    /// Records that nobody in the extract fits: this extract says nothing of them.
    pub absent: u64,
    /// Fewest persons that a record fits; 0 if none fits any.
    pub smallest: u64,
    /// Journalist: 1 / `smallest`, 0 if none fits.
    pub journalist: f64,
    /// Expected share of records whose person is named, if all of them are in the extract.
    pub marketer: Mean,
    /// Records that one person of the extract fits.
    pub singled_out: Rate,
    /// Records by number of persons.
    pub histogram: Vec<Bin>,
    /// Records (numbers of the released holdings) that one person fits.
    pub cases: Cases,
}

/// Match a release with an extract, over some attributes of sorts other than dates. Exact.
///
/// # Errors
/// An attribute that one side lacks, or one of dates.
pub fn mapping(
    extract: &Holdings,
    released: &Holdings,
    compare: &[Compare],
) -> Result<Mapping, HoldingsError> {
    let mut reaches: Vec<(Reach, Lists)> = Vec::new();
    for compare in compare {
        let unknown = |side| HoldingsError::Unknown { name: compare.attribute.clone(), side };
        let held = extract.place(&compare.attribute).ok_or_else(|| unknown("in the extract"))?;
        let shown = released.place(&compare.attribute).ok_or_else(|| unknown("in the release"))?;
        let (held, shown) = (&extract.columns[held], &released.columns[shown]);
        let relation = Relation::between(held, shown, compare)?;
        let kind = || HoldingsError::Kind { name: compare.attribute.clone() };
        let labels = relation.labels().ok_or_else(kind)?;
        let reach = Reach::of(labels, (held, extract.persons()), (shown, released.persons()));
        let turned = reach.specific.turned(reach.shown.cells.len());
        reaches.push((reach, turned));
    }
    reaches.sort_by_key(|(r, _)| r.known.cells.len());
    let blank: Vec<Vec<u32>> = reaches
        .iter()
        .map(|(r, _)| (0..r.blank.len() as u32).filter(|s| r.blank[*s as usize]).collect())
        .collect();
    let columns: Vec<&[u32]> = reaches.iter().map(|(r, _)| r.known.of_person.as_slice()).collect();
    let trie = Trie::of(&columns, extract.persons());
    let shown: Vec<&[u32]> = reaches.iter().map(|(r, _)| r.shown.of_person.as_slice()).collect();
    // One question per distinct combination of the release.
    let release = Trie::of(&shown, released.persons());
    let same = |a: &u32, b: &u32| shown.iter().all(|c| c[*a as usize] == c[*b as usize]);
    let classes: Vec<&[u32]> = release.record_at.chunk_by(same).collect();
    let sizes: Vec<u64> = classes
        .par_iter()
        .map(|class| {
            let wants: Vec<Want<'_>> = reaches
                .iter()
                .zip(&blank)
                .map(|((reach, turned), blank)| {
                    let state = reach.shown.of_person[class[0] as usize];
                    match reach.wild.binary_search(&state) {
                        Ok(_) => Want::All,
                        Err(_) => Want::Of(turned.at(state as usize), blank),
                    }
                })
                .collect();
            total(&trie.find(&wants))
        })
        .collect();
    let each =
        || classes.iter().zip(&sizes).flat_map(|(class, size)| class.iter().map(move |_| *size));
    let smallest = sizes.iter().copied().filter(|s| *s > 0).min().unwrap_or(0);
    let single: Vec<u32> = classes
        .iter()
        .zip(&sizes)
        .filter(|(_, size)| **size == 1)
        .flat_map(|(class, _)| class.iter().copied())
        .collect();
    let chance = |size: u64| if size == 0 { 0.0 } else { 1.0 / size as f64 };
    let records = u64::from(released.persons());
    Ok(Mapping {
        extract: u64::from(extract.persons()),
        records,
        absent: each().filter(|s| *s == 0).count() as u64,
        smallest,
        journalist: chance(smallest),
        marketer: Mean::of(each().map(chance), released.persons() as usize),
        singled_out: Rate::exact(single.len() as u64, records),
        histogram: histogram(each()),
        cases: Cases::of(single),
    })
}
