//! Attribute inference: a value that is not known, from the nearest released record (one drawn among equals).

use super::nearest::Nearest;
use super::{Criterion, Plan, Targets, Trial};
use crate::adversary::Cases;
use crate::holdings::{Facts, HoldingsError, Labels};
use crate::rate::{Chance, Rate};
use core::cmp::Reverse;
use rayon::prelude::*;

pub(super) fn attack(
    facts: &Facts,
    known: &[String],
    secret: &str,
    targets: &Targets,
    plan: &Plan,
) -> Result<Trial, HoldingsError> {
    let at = facts.place(secret)?;
    let labels = facts.labels(at)?;
    let shown = facts.shown(at);
    let nearest = Nearest::of_names(facts, known)?;
    let mut everywhere = vec![0_u64; labels.residual.len()];
    for record in 0..facts.records() {
        each_label(labels, shown.of(record), |label| everywhere[label as usize] += 1);
    }
    let right = |person: u32, label: u32| {
        let held = facts.held(at).of(person);
        held.iter().any(|v| labels.of_value.at(*v as usize).binary_search(&label).is_ok())
    };
    let draw = |person: u32, without: Option<u32>| -> Option<u32> {
        let found = nearest.find(person, without, plan.seed);
        let stream = u64::from(person) | if without.is_some() { 8 << 40 } else { 9 << 40 };
        let mut chance = Chance::new(plan.seed, stream);
        found.some(1, &nearest.trie, &mut chance).first().copied()
    };
    // Of several labels of a record the rarest: it tells most of the person.
    let tells = |record: u32, person: u32| {
        let mut rarest: Option<u32> = None;
        each_label(labels, shown.of(record), |label| {
            let rarer = |best: u32| everywhere[label as usize] < everywhere[best as usize];
            if rarest.is_none_or(rarer) {
                rarest = Some(label);
            }
        });
        rarest.is_some_and(|label| right(person, label))
    };
    let drawn: Vec<Option<u32>> = targets.attacked.par_iter().map(|p| draw(*p, None)).collect();
    let hit = |(record, person): (&Option<u32>, &u32)| record.is_some_and(|r| tells(r, *person));
    let hits: Vec<bool> = drawn.iter().zip(&targets.attacked).map(hit).collect();
    let base: Vec<bool> = if targets.own_removed {
        // Without the own record the same is drawn, unless it was that one.
        let again = |((person, own), record): (&(u32, Option<u32>), &Option<u32>)| {
            let record = if record == own { draw(*person, *own) } else { *record };
            record.is_some_and(|r| tells(r, *person))
        };
        targets.control.par_iter().zip(&drawn).map(again).collect()
    } else {
        let other = |(p, _): &(u32, Option<u32>)| draw(*p, None).is_some_and(|r| tells(r, *p));
        targets.control.par_iter().map(other).collect()
    };
    let rate = |n: usize, of: usize| Rate::of(n as u64, of as u64);
    let count = |hits: &[bool]| hits.iter().filter(|h| **h).count();
    let cases: Vec<u32> = if targets.own_removed {
        // Only what the person's own record gave away.
        let both = targets.attacked.iter().zip(&hits).zip(&base);
        both.filter(|((_, hit), base)| **hit && !**base).map(|((p, _), _)| *p).collect()
    } else {
        targets.attacked.iter().zip(&hits).filter(|(_, hit)| **hit).map(|(p, _)| *p).collect()
    };
    let commonest = (0..everywhere.len() as u32)
        .max_by_key(|l| (everywhere[*l as usize], Reverse(*l)))
        .filter(|l| everywhere[*l as usize] > 0);
    let by_margin =
        targets.attacked.iter().filter(|p| commonest.is_some_and(|l| right(**p, l))).count();
    let mut trial = Trial::of(
        (Criterion::Inference, secret.to_owned(), format!("「{secret}」の推定")),
        (rate(count(&hits), hits.len()), rate(count(&base), base.len()), targets.control_ja),
        Cases::of(cases),
        plan.limit,
    );
    trial.commonest = Some(rate(by_margin, targets.attacked.len()));
    Ok(trial)
}

fn each_label(labels: &Labels, shown: &[i32], mut each: impl FnMut(u32)) {
    let mut last = None;
    for label in shown.iter().filter(|l| last.replace(**l) != Some(**l)) {
        if !labels.residual[*label as usize] {
            each(*label as u32);
        }
    }
}
