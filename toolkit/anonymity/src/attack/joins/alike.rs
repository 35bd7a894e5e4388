//! The most alike record of the other release: weighted Jaccard similarity of features.

use super::signature::{common_numbers, gaps};
use crate::holdings::{Holdings, Kind};
use core::cmp::Ordering;
use hashbrown::HashMap;
use rayon::prelude::*;

/// A feature that more records have is no way to candidates; it still counts for the similarity.
const MOST_HOLDERS: usize = 256;

/// Sort, attribute, and up to two numbers.
type Feature = (u8, u32, i32, i32);

fn features(side: &Holdings, columns: &[(usize, Option<Vec<i32>>)], record: u32) -> Vec<Feature> {
    let mut all = Vec::new();
    for (attribute, (at, to)) in columns.iter().enumerate() {
        let column = &side.columns[*at];
        let cells = column.of(record);
        let place = attribute as u32;
        if column.kind == Kind::Dates {
            let gaps = gaps(cells);
            all.extend(cells.iter().map(|d| (0, place, *d, 0)));
            all.extend(gaps.iter().map(|g| (1, place, *g, 0)));
            all.extend(gaps.windows(2).map(|w| (2, place, w[0], w[1])));
            continue;
        }
        let shown = cells.iter().filter(|c| !column.dictionary[**c as usize].is_empty());
        all.extend(shown.map(|c| (3, place, to.as_ref().map_or(*c, |to| to[*c as usize]), 0)));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Links of the records asked for to the one record most alike, where there is one.
pub(super) fn links(
    left: &Holdings,
    right: &Holdings,
    common: &[(usize, usize)],
    asked: &[u32],
) -> Vec<(u32, u32)> {
    let common: Vec<&(usize, usize)> = common
        .iter()
        .filter(|(a, b)| {
            let dates = |kind: Kind| kind == Kind::Dates;
            dates(left.columns[*a].kind) == dates(right.columns[*b].kind)
        })
        .collect();
    let own: Vec<(usize, Option<Vec<i32>>)> = common.iter().map(|(a, _)| (*a, None)).collect();
    let other: Vec<(usize, Option<Vec<i32>>)> = common
        .iter()
        .map(|(a, b)| (*b, Some(common_numbers(&left.columns[*a], &right.columns[*b]))))
        .collect();
    let mut numbers: HashMap<Feature, u32> = HashMap::new();
    let mut holders: Vec<u32> = Vec::new();
    // Features of each record, numbered, ascending.
    let mut of: Vec<Vec<u32>> = Vec::with_capacity(right.persons() as usize);
    for record in 0..right.persons() {
        let mut own = Vec::new();
        for feature in features(right, &other, record) {
            let next = holders.len() as u32;
            let number = *numbers.entry(feature).or_insert(next);
            if number == next {
                holders.push(0);
            }
            holders[number as usize] += 1;
            own.push(number);
        }
        own.sort_unstable();
        of.push(own);
    }
    let mut rare: HashMap<u32, Vec<u32>> = HashMap::new();
    for (record, own) in of.iter().enumerate() {
        for feature in own.iter().filter(|f| holders[**f as usize] as usize <= MOST_HOLDERS) {
            rare.entry(*feature).or_default().push(record as u32);
        }
    }
    let records = f64::from(right.persons().max(1));
    let weights: Vec<f64> = holders.iter().map(|n| (records / f64::from(*n)).ln()).collect();
    let total = |own: &[u32]| own.iter().map(|f| weights[*f as usize]).sum::<f64>();
    let link = |record: &u32| -> Option<(u32, u32)> {
        let (mut known, mut own_total) = (Vec::new(), 0.0);
        for feature in features(left, &own, *record) {
            match numbers.get(&feature) {
                Some(number) => known.push(*number),
                // What nobody on the other side has weighs as if one had it.
                None => own_total += records.ln(),
            }
        }
        known.sort_unstable();
        own_total += total(&known);
        let mut candidates: Vec<u32> =
            known.iter().filter_map(|f| rare.get(f)).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut best: Option<(f64, u32)> = None;
        let mut tied = false;
        for candidate in candidates {
            let theirs = &of[candidate as usize];
            let both: f64 = known
                .iter()
                .filter(|f| theirs.binary_search(f).is_ok())
                .map(|f| weights[*f as usize])
                .sum();
            let alike = both / (own_total + total(theirs) - both).max(f64::MIN_POSITIVE);
            let (most, _) = best.unwrap_or((f64::NEG_INFINITY, 0));
            match alike.total_cmp(&most) {
                Ordering::Less => {}
                Ordering::Equal => tied = true,
                Ordering::Greater => (best, tied) = (Some((alike, candidate)), false),
            }
        }
        best.filter(|_| !tied).map(|(_, candidate)| (*record, candidate))
    };
    asked.par_iter().filter_map(link).collect()
}
