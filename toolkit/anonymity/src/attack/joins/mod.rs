//! Do two releases of overlapping people join?
//!
//! Enters: two released [`Holdings`] (pseudonyms of unrelated domains), the pairs of records that are of one person
//! (known to the producer only), a [`JoinPlan`]. Leaves: a [`JoinReport`]: values shared by identifying columns (there
//! must be none), and per way of joining the share of the overlapping persons that are linked rightly, against the
//! same links judged by shuffled pairs.
//!
//! Ways: every attribute that both have, as a whole (dates also as the sequence of gaps, which a shift keeps; numbers as
//! a bag), every pair of these, and all together: a link is a combination that one record shows on each side. And the
//! most alike record: weighted overlap of values, days, gaps and neighbouring gaps, the rare ones weighing most.
//!
//! Costs: O(a^2 n) for a attributes; the alike records O(features of a person x 256) per attack.

mod alike;
mod signature;

use super::Plan;
use crate::adversary::Cases;
use crate::holdings::{Holdings, HoldingsError, NOBODY};
use crate::rate::{Chance, Gain, Rate};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use serde::Serialize;
use signature::{Signature, signatures};

/// What is tried.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinPlan {
    /// Identifying columns (pseudonyms) of the left and of the right release; each is compared with each.
    pub ids: (Vec<String>, Vec<String>),
    /// Persons for whom the most alike record is looked for.
    pub attacks: usize,
    /// Chance.
    pub seed: u64,
    /// Most that a way of joining may gain over its baseline.
    pub limit: f64,
}

impl JoinPlan {
    /// As many attacks as a [`Plan`], with its limit.
    pub fn new(left_ids: Vec<String>, right_ids: Vec<String>) -> Self {
        let Plan { attacks, seed, limit, .. } = Plan::new(Vec::new(), Vec::new(), Vec::new());
        Self { ids: (left_ids, right_ids), attacks, seed, limit }
    }
}

/// Values that two identifying columns share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedIds {
    /// Column of the left release.
    pub left: String,
    /// Column of the right release.
    pub right: String,
    /// Distinct values in both.
    pub values: u64,
    /// Overlapping persons whose own two records share one.
    pub persons: u64,
}

/// One way of joining.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JoinTrial {
    /// Which attributes.
    pub name: String,
    /// The same, for a page.
    pub label_ja: String,
    /// Links that were claimed.
    pub links: u64,
    /// Overlapping persons that were linked rightly.
    pub attack: Rate,
    /// The same links, judged by pairs shuffled.
    pub baseline: Rate,
    /// What is gained.
    pub gain: Gain,
    /// The interval reaches down to the baseline.
    pub includes_baseline: bool,
    /// More than the limit is gained, and not by chance.
    pub blocks: bool,
    /// Records of the left release that were linked rightly.
    pub cases: Cases,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JoinReport {
    /// Records of the left release.
    pub left: u64,
    /// Records of the right release.
    pub right: u64,
    /// Persons in both.
    pub overlap: u64,
    /// Most that may be gained.
    pub limit: f64,
    /// Shared values of identifying columns; empty if there are none.
    pub shared_ids: Vec<SharedIds>,
    /// Ways of joining, the most successful first.
    pub trials: Vec<JoinTrial>,
    /// The second release must not go out.
    pub blocks: bool,
}

impl JoinReport {
    /// The verdict, for a page.
    pub fn verdict_ja(&self) -> String {
        if let Some(shared) = self.shared_ids.first() {
            return format!(
                "二つのデータセットの識別子の列「{}」と「{}」に共通の値が{}個あるため、提供できません。",
                shared.left, shared.right, shared.values
            );
        }
        match self.trials.iter().find(|t| t.blocks) {
            Some(trial) => format!(
                "重複する{}人のうち{}人が「{}」で正しく結合されたため、提供できません。",
                trial.attack.trials, trial.attack.successes, trial.label_ja
            ),
            None => format!(
                "重複する{}人について{}通りの結合を試みましたが、上限以内でした。",
                self.overlap,
                self.trials.len()
            ),
        }
    }
}

/// Who is who: the right record of each left one, or nobody.
struct Truth {
    right_of: Vec<u32>,
    /// The same persons, each with the record of another.
    shuffled: Vec<u32>,
    overlap: Vec<u32>,
}

impl Truth {
    fn of(
        left: &Holdings,
        right: &Holdings,
        pairs: &[(u32, u32)],
        seed: u64,
    ) -> Result<Self, HoldingsError> {
        let mut right_of = vec![NOBODY; left.persons() as usize];
        let mut taken = vec![false; right.persons() as usize];
        for (position, (a, b)) in pairs.iter().enumerate() {
            let place = right_of.get_mut(*a as usize).filter(|p| **p == NOBODY);
            let free = taken.get_mut(*b as usize).filter(|t| !**t);
            let (Some(place), Some(free)) = (place, free) else {
                return Err(HoldingsError::Truth { position });
            };
            (*place, *free) = (*b, true);
        }
        let overlap: Vec<u32> =
            (0..left.persons()).filter(|a| right_of[*a as usize] != NOBODY).collect();
        let mut shuffled = right_of.clone();
        let order = Chance::new(seed, 13 << 40).draw(overlap.len(), overlap.len());
        for (a, from) in overlap.iter().zip(order) {
            shuffled[*a as usize] = right_of[overlap[from as usize] as usize];
        }
        Ok(Self { right_of, shuffled, overlap })
    }
}

/// Try to join two releases. `pairs`: numbers of a left and a right record that are of one person. The same report for
/// any number of threads.
///
/// # Errors
/// An identifying column that is not there, or a pair that cannot be. Never carries a value.
pub fn joins(
    left: &Holdings,
    right: &Holdings,
    pairs: &[(u32, u32)],
    plan: &JoinPlan,
) -> Result<JoinReport, HoldingsError> {
    let truth = Truth::of(left, right, pairs, plan.seed)?;
    let shared_ids = shared(left, right, &truth, plan)?;
    let ids: HashSet<&str> = plan.ids.0.iter().chain(&plan.ids.1).map(String::as_str).collect();
    let common: Vec<(usize, usize)> = left
        .columns
        .iter()
        .enumerate()
        .filter(|(_, c)| !ids.contains(c.name.as_str()))
        .filter_map(|(at, c)| Some((at, right.place(&c.name)?)))
        .collect();
    let single = signatures(left, right, &common);
    let mut tried: Vec<Signature> = Vec::new();
    for at in 0..single.len() {
        for other in at + 1..single.len() {
            tried.push(Signature::both(&single[at], &single[other]));
        }
    }
    if single.len() > 2 {
        let mut all = Signature::both(&single[0], &single[1]);
        for next in &single[2..] {
            all = Signature::both(&all, next);
        }
        "全項目の組".clone_into(&mut all.label_ja);
        tried.push(all);
    }
    let of_signature = |signature: &Signature| {
        let links = signature.links();
        let persons = truth.overlap.len();
        trial((&signature.name, &signature.label_ja), &links, persons, &truth, plan.limit)
    };
    let mut trials: Vec<JoinTrial> = single.par_iter().chain(&tried).map(of_signature).collect();
    let drawn = Chance::new(plan.seed, 14 << 40).draw(plan.attacks, truth.overlap.len());
    let asked: Vec<u32> = drawn.iter().map(|at| truth.overlap[*at as usize]).collect();
    let links = alike::links(left, right, &common, &asked);
    let name = ("alike", "最も似た行");
    trials.push(trial(name, &links, asked.len(), &truth, plan.limit));
    trials.sort_by(|a, b| {
        let by = b.blocks.cmp(&a.blocks).then(b.attack.rate.total_cmp(&a.attack.rate));
        by.then_with(|| a.name.cmp(&b.name))
    });
    Ok(JoinReport {
        left: u64::from(left.persons()),
        right: u64::from(right.persons()),
        overlap: truth.overlap.len() as u64,
        limit: plan.limit,
        blocks: !shared_ids.is_empty() || trials.iter().any(|t| t.blocks),
        shared_ids,
        trials,
    })
}

fn trial(
    (name, label_ja): (&str, &str),
    links: &[(u32, u32)],
    persons: usize,
    truth: &Truth,
    limit: f64,
) -> JoinTrial {
    let right = |of: &[u32]| -> Vec<u32> {
        links.iter().filter(|(a, b)| of[*a as usize] == *b).map(|(a, _)| *a).collect()
    };
    let (found, lucky) = (right(&truth.right_of), right(&truth.shuffled));
    let attack = Rate::of(found.len() as u64, persons as u64);
    let baseline = Rate::of(lucky.len() as u64, persons as u64);
    let gain = Gain::of(&attack, &baseline);
    JoinTrial {
        name: name.into(),
        label_ja: label_ja.into(),
        links: links.len() as u64,
        attack,
        baseline,
        gain,
        includes_baseline: attack.low <= baseline.high,
        blocks: gain.value > limit && gain.low > 0.0,
        cases: Cases::of(found),
    }
}

fn shared(
    left: &Holdings,
    right: &Holdings,
    truth: &Truth,
    plan: &JoinPlan,
) -> Result<Vec<SharedIds>, HoldingsError> {
    let place = |side: &Holdings, name: &String, of: &'static str| {
        side.place(name).ok_or_else(|| HoldingsError::Unknown { name: name.clone(), side: of })
    };
    let mut found = Vec::new();
    for a in &plan.ids.0 {
        let own = &left.columns[place(left, a, "in the left release")?];
        let numbers: HashMap<&str, i32> = own
            .dictionary
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.is_empty())
            .map(|(at, text)| (&**text, at as i32))
            .collect();
        for b in &plan.ids.1 {
            let other = &right.columns[place(right, b, "in the right release")?];
            let same: Vec<Option<i32>> =
                other.dictionary.iter().map(|t| numbers.get(&**t).copied()).collect();
            let values = same.iter().flatten().count() as u64;
            let persons = truth.overlap.iter().filter(|l| {
                let held = own.of(**l);
                let shown = other.of(truth.right_of[**l as usize]).iter();
                shown.filter_map(|c| same[*c as usize]).any(|c| held.binary_search(&c).is_ok())
            });
            let persons = persons.count() as u64;
            if values > 0 {
                found.push(SharedIds { left: a.clone(), right: b.clone(), values, persons });
            }
        }
    }
    Ok(found)
}
