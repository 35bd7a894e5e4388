//! Linkability: two parts of what is known of a person meet in one released record.

use super::nearest::Nearest;
use super::{Criterion, Plan, Targets, Trial};
use crate::adversary::Cases;
use crate::holdings::{Facts, HoldingsError};
use crate::rate::{Chance, Rate};
use rayon::prelude::*;

/// Records that the two parts point to.
type Pair = (Vec<u32>, Vec<u32>);

pub(super) fn attack(
    facts: &Facts,
    halves: (&[String], &[String]),
    targets: &Targets,
    plan: &Plan,
) -> Result<Trial, HoldingsError> {
    let left = Nearest::of_names(facts, halves.0)?;
    let right = Nearest::of_names(facts, halves.1)?;
    let draw = |person: u32, without: Option<u32>| -> Pair {
        let stream = u64::from(person) | if without.is_some() { 6 << 40 } else { 7 << 40 };
        let mut chance = Chance::new(plan.seed, stream);
        let mut some = |nearest: &Nearest<'_>| {
            let found = nearest.find(person, without, plan.seed);
            found.some(plan.neighbours, &nearest.trie, &mut chance)
        };
        (some(&left), some(&right))
    };
    let meet = |(a, b): &Pair| a.iter().any(|record| b.contains(record));
    let drawn: Vec<Pair> = targets.attacked.par_iter().map(|p| draw(*p, None)).collect();
    let hits: Vec<bool> = drawn.iter().map(meet).collect();
    let base: Vec<bool> = if targets.own_removed {
        // Without the own record the same are drawn, unless it was among them.
        let again = |((person, own), drawn): (&(u32, Option<u32>), &Pair)| {
            let used = drawn.0.iter().chain(&drawn.1).any(|record| Some(*record) == *own);
            if used { meet(&draw(*person, *own)) } else { meet(drawn) }
        };
        targets.control.par_iter().zip(&drawn).map(again).collect()
    } else {
        targets.control.par_iter().map(|(p, _)| meet(&draw(*p, None))).collect()
    };
    let rate =
        |hits: &[bool]| Rate::of(hits.iter().filter(|h| **h).count() as u64, hits.len() as u64);
    let cases = targets.attacked.iter().zip(&hits).filter(|(_, hit)| **hit).map(|(p, _)| *p);
    Ok(Trial::of(
        (
            Criterion::Linkability,
            format!("{} | {}", halves.0.join(","), halves.1.join(",")),
            format!("「{}」と「{}」の連結", halves.0.join("・"), halves.1.join("・")),
        ),
        (rate(&hits), rate(&base), targets.control_ja),
        Cases::of(cases.collect()),
        plan.limit,
    ))
}
