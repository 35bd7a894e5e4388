//! An attacker, to be tried before a release.
//!
//! Enters: [`Facts`] (what is held inside, what would be released, who is who) and a [`Plan`]. Leaves: an
//! [`AttackReport`]: how often each attack succeeded, how often its baseline did, what is gained with a 95 % interval,
//! whom it hit, and whether the release must be blocked. Two releases are tried by [`joins`].
//!
//! # Attacks
//! The three criteria of the Article 29 Working Party (Opinion 05/2014) in the sense of Anonymeter (Giomi et al., PoPETs
//! 2023), and the adversaries that were declared:
//! - **singling out**: a predicate that one released record fulfils is fulfilled by one original person. Its trials
//!   are the predicates that are unique in the release. Baseline: the control.
//! - **linkability**: two parts of what is known of a person find the same record. Baseline: the control.
//! - **inference**: the nearest record (one drawn among equals) tells a value that is not known. Baseline: the control.
//! - **known facts**: what an adversary knows leaves one candidate, the right one. Baseline: a record picked at random.
//!
//! The *control* is the same attack on persons who are not in the release (`Plan::control`), or, without such persons,
//! without the target: on the release without the own record (for singling out: on the original without the own person).
//! What can still be found out then is not due to the target's data.
//!
//! A record that shares its class with c - 1 others still speaks for its person: inference gains 1/c. A limit under 1/k
//! asks for more than k-anonymity. What holds for all of a class (no diversity) is no gain, for it holds for others of
//! the class, too; `Trial::commonest` beside the attack's share shows it, and l-diversity or t-closeness prevent it.
//!
//! # Costs
//! Each attack of linkability and inference is a search for the nearest record in a trie of distinct combinations, with
//! bounds: mostly a few hundred nodes, at worst all combinations. Singling out costs the holders of the rarest label.

mod inference;
pub mod joins;
mod linking;
mod nearest;
mod report;
mod singling;

pub use report::{AttackReport, Criterion, Trial};

use crate::adversary::{Adversary, Effort, Exposure, exposure};
use crate::holdings::{Facts, HoldingsError};
use crate::rate::{Chance, Rate};

/// What is tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Attributes that predicates are made of, and that are known where a secret is to be inferred.
    pub attributes: Vec<String>,
    /// Attributes to be inferred; known to nobody.
    pub secrets: Vec<String>,
    /// Pairs of parts to be linked; none: the attributes, in turns.
    pub halves: Vec<(Vec<String>, Vec<String>)>,
    /// Adversaries with knowledge.
    pub adversaries: Vec<Adversary>,
    /// Attacks of each sort; fewer if there are fewer persons.
    pub attacks: usize,
    /// Chance.
    pub seed: u64,
    /// Most that an attack may gain over its baseline.
    pub limit: f64,
    /// Attributes of a predicate.
    pub columns: usize,
    /// Records that each half of a link may point to.
    pub neighbours: usize,
    /// Original persons without a released record who are like those with one (a held-out half). Persons left out for
    /// being rare are not.
    pub control: Vec<u32>,
}

impl Plan {
    /// 2,000 attacks, three attributes a predicate, one neighbour, limit 0.05.
    pub fn new(attributes: Vec<String>, secrets: Vec<String>, adversaries: Vec<Adversary>) -> Self {
        Self {
            attributes,
            secrets,
            halves: Vec::new(),
            adversaries,
            attacks: 2_000,
            seed: 1,
            limit: 0.05,
            columns: 3,
            neighbours: 1,
            control: Vec::new(),
        }
    }
}

/// Who is attacked, and who stands for those that are not in the release.
struct Targets {
    attacked: Vec<u32>,
    /// With the record that is taken away.
    control: Vec<(u32, Option<u32>)>,
    /// The control is the attacked themselves, each without the own record.
    own_removed: bool,
    control_ja: &'static str,
}

impl Targets {
    fn of(facts: &Facts, plan: &Plan) -> Self {
        let pick = |all: &[u32], stream: u64| -> Vec<u32> {
            let mut drawn = Chance::new(plan.seed, stream).draw(plan.attacks, all.len());
            drawn.sort_unstable();
            drawn.into_iter().map(|at| all[at as usize]).collect()
        };
        let attacked = pick(&facts.targets(), 10 << 40);
        if plan.control.is_empty() {
            let record = |p: &u32| (*p, Some(facts.record_of[*p as usize]));
            let control = attacked.iter().map(record).collect();
            let control_ja = "本人の行を除いた加工データに対する同じ攻撃";
            return Self { attacked, control, own_removed: true, control_ja };
        }
        let held_out: Vec<u32> =
            plan.control.iter().copied().filter(|p| *p < facts.persons()).collect();
        let control = pick(&held_out, 11 << 40).into_iter().map(|p| (p, None)).collect();
        let control_ja = "加工データに含まれない人に対する同じ攻撃";
        Self { attacked, control, own_removed: false, control_ja }
    }
}

/// Try everything of a plan. The same report for any number of threads.
///
/// # Errors
/// An attribute that is not compared, or of another kind than an adversary needs. Never carries a value.
pub fn attack(facts: &Facts, plan: &Plan) -> Result<AttackReport, HoldingsError> {
    let places: Vec<usize> =
        plan.attributes.iter().map(|n| facts.place(n)).collect::<Result<_, _>>()?;
    let targets = Targets::of(facts, plan);
    let mut trials = singling::attack(facts, &places, plan);
    let turns = |rest: usize| -> Vec<String> {
        plan.attributes.iter().skip(rest).step_by(2).cloned().collect()
    };
    let halves = match plan.halves.as_slice() {
        [] if plan.attributes.len() > 1 => vec![(turns(0), turns(1))],
        given => given.to_vec(),
    };
    for (left, right) in &halves {
        trials.push(linking::attack(facts, (left, right), &targets, plan)?);
    }
    for secret in &plan.secrets {
        let known: Vec<String> = plan.attributes.iter().filter(|a| *a != secret).cloned().collect();
        trials.push(inference::attack(facts, &known, secret, &targets, plan)?);
    }
    let effort = Effort { persons: plan.attacks.max(1), seed: plan.seed, ..Effort::default() };
    let mut exposures: Vec<Exposure> = Vec::new();
    for adversary in &plan.adversaries {
        let seen = exposure(facts, adversary, &effort)?;
        trials.push(known_facts(facts, &seen, plan));
        exposures.push(seen);
    }
    Ok(AttackReport::of(facts, plan, trials, exposures))
}

/// The adversary names a record only where there is one candidate.
fn known_facts(facts: &Facts, seen: &Exposure, plan: &Plan) -> Trial {
    let mut chance = Chance::new(plan.seed, 12 << 40);
    let records = facts.records().max(1) as usize;
    let lucky = (0..seen.persons).filter(|_| chance.below(records) == 0).count();
    Trial::of(
        (Criterion::KnownFacts, seen.adversary.clone(), seen.label_ja.clone()),
        (
            Rate::of(seen.singled_out.successes, seen.persons),
            Rate::of(lucky as u64, seen.persons),
            "加工データから無作為に選んだ行",
        ),
        seen.cases.clone(),
        plan.limit,
    )
}
