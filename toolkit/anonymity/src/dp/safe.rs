//! Records under differential privacy: random sampling, then k-anonymity (SafePub: Bild, Kuhn and Prasser 2018).

use super::{DpError, exact::bernoulli_exp, safe_delta, safe_k, share_open};
use crate::check::Problem;
use crate::engine::{Settings, problem};
use crate::group::{Classes, Scratch};
use crate::model::Compiled;
use crate::table::{Table, with_bottom};
use crate::{Chance, Keys};
use rayon::prelude::*;

/// Most generalisations to choose from.
const MOST_NODES: u128 = 100_000;

/// Where the levels come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// Fixed without looking at the data.
    Levels(Vec<usize>),
    /// Drawn from all levels the attributes allow, better ones more likely: permute-and-flip (McKenna and Sheldon 2020)
    /// on what the records that stay would still tell.
    Private {
        /// Part of ε that the choice costs.
        epsilon: f64,
    },
}

/// The question.
#[derive(Debug, Clone, PartialEq)]
pub struct SafeSettings {
    /// ε in all, that of the choice included.
    pub epsilon: f64,
    /// δ.
    pub delta: f64,
    /// Probability of a record to be drawn; none: the largest possible, 1 - e^-ε.
    pub beta: Option<f64>,
    /// Where the levels come from.
    pub choice: Choice,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct SafeAnswer {
    /// Levels of the attributes.
    pub levels: Vec<usize>,
    /// Smallest group.
    pub k: u32,
    /// Probability of a record to be drawn.
    pub beta: f64,
    /// ε in all.
    pub epsilon: f64,
    /// δ that is really spent, at most that asked for.
    pub delta: f64,
    /// True for each row that is released.
    pub kept: Vec<bool>,
}

impl SafeAnswer {
    /// The labels of a row in the output; `None` if it is not released. `row` counts from 0.
    pub fn labels<'a>(&self, table: &'a Table, row: usize) -> Option<Vec<&'a str>> {
        if !self.kept[row] {
            return None;
        }
        let class = table.class_of_row[row] as usize;
        let label = |(at, attribute): (usize, &'a crate::table::Attribute)| -> &'a str {
            let leaf =
                with_bottom!(&table.store, b => table.fields[at].get(&b.classes.keys[class]));
            let level = &attribute.hierarchy.levels[self.levels[at]];
            &level.labels[level.of_leaf[leaf] as usize]
        };
        Some(table.attributes.iter().enumerate().map(label).collect())
    }
}

/// Release some records of a table, one row per person, (ε, δ)-privately: choose levels, keep each row with
/// probability β, generalise, drop groups below k. β and k follow from ε and δ by [`safe_delta`].
///
/// Choice and sampling use chance of their own, so that their costs add up. Hierarchies must not be made from the
/// data. Rows that are not released must not be shown in any way: not counted, not starred.
///
/// # Guarantee
/// (ε, δ)-differential privacy for the quasi-identifiers, which must be all columns that are released; every group
/// has at least k rows. The answer depends on the keys, not on the order of the rows.
/// # Errors
/// [`DpError`]: limits, levels or keys out of range, or too many generalisations.
pub fn safe_anonymize(
    table: &Table,
    settings: &SafeSettings,
    keys: Keys<'_>,
    chance: &Chance,
) -> Result<SafeAnswer, DpError> {
    share_open(settings.delta, "delta")?;
    let rows = table.class_of_row.len();
    if let Keys::Of(keys) = keys
        && keys.len() != rows
    {
        return Err(DpError::Keys { found: keys.len(), expected: rows });
    }
    let spent = match settings.choice {
        Choice::Levels(_) => 0.0,
        Choice::Private { epsilon } if epsilon > 0.0 => epsilon,
        Choice::Private { .. } => return Err(DpError::Range { parameter: "choice" }),
    };
    let left = settings.epsilon - spent;
    let usable = left > 0.0 && left.is_finite();
    let beta = match settings.beta {
        Some(beta) => beta,
        None if usable => -(-left).exp_m1(),
        None => return Err(DpError::Range { parameter: "epsilon" }),
    };
    let k = safe_k(left, beta, settings.delta)?;
    let sampling = chance.apart("sample");
    // Rounded down: never more likely than β.
    let bound = (beta * 18_446_744_073_709_551_616.0) as u64;
    let drawn: Vec<bool> = (0..rows).map(|row| sampling.record(keys, row).word() < bound).collect();
    let (levels, kept) = with_bottom!(&table.store, bottom => {
        let compiled = Compiled { k: 1, ..Compiled::default() };
        let question = Settings::new(Vec::new(), 0.0);
        let plain = Classes {
            keys: bottom.classes.keys.clone(),
            counts: bottom.classes.counts.clone(),
            distributions: Vec::new(),
            blocks: Vec::new(),
        };
        let problem = problem(table, &plain, &compiled, &question, question.gs_factor);
        let levels = match &settings.choice {
            Choice::Levels(levels) => {
                let fits = levels.len() == table.attributes.len()
                    && levels.iter().zip(&table.attributes).all(|(l, a)| *l < a.hierarchy.levels());
                if !fits {
                    return Err(DpError::Range { parameter: "levels" });
                }
                levels.clone()
            }
            Choice::Private { epsilon } => {
                let threshold = (f64::from(k) / beta).ceil() as u64;
                choose(&problem, threshold, *epsilon, &chance.apart("choice"))?
            }
        };
        let kept = keep(table, &problem, &levels, &drawn, k);
        (levels, kept)
    });
    let delta = safe_delta(left, beta, k)?;
    Ok(SafeAnswer { levels, k, beta, epsilon: settings.epsilon, delta, kept })
}

/// Rows that were drawn and whose group among those drawn has at least k.
fn keep<const N: usize>(
    table: &Table,
    problem: &Problem<'_, N>,
    levels: &[usize],
    drawn: &[bool],
    k: u32,
) -> Vec<bool> {
    let mut counts = vec![0_u32; problem.base.keys.len()];
    for (class, drawn) in table.class_of_row.iter().zip(drawn) {
        counts[*class as usize] += u32::from(*drawn);
    }
    let mut group_of: hashbrown::HashMap<[u64; N], u32> = hashbrown::HashMap::new();
    let general: Vec<[u64; N]> = problem
        .base
        .keys
        .iter()
        .map(|key| {
            let mut key = *key;
            for (at, level) in levels.iter().enumerate() {
                let field = problem.fields[at];
                let label = problem.map(at, 0, *level)[field.get(&key)];
                field.set(&mut key, label);
            }
            key
        })
        .collect();
    for (key, count) in general.iter().zip(&counts) {
        *group_of.entry(*key).or_insert(0) += count;
    }
    let large: Vec<bool> = general.iter().map(|key| group_of[key] >= k).collect();
    let rows = table.class_of_row.iter().zip(drawn);
    rows.map(|(class, drawn)| *drawn && large[*class as usize]).collect()
}

/// Units that a cell can be worth.
const WORTH: u64 = 1_000;

/// Permute-and-flip over all nodes. A node is worth, for each group of n rows, f(n) times what its labels tell
/// (share of leaves excluded, summed over attributes); f(n) = n from the threshold on and falls to 0 at half of it
/// with slope 2. One person changes n of one group by 1, hence the sum by at most 2 x what a row can be worth.
fn choose<const N: usize>(
    problem: &Problem<'_, N>,
    threshold: u64,
    epsilon: f64,
    chance: &Chance,
) -> Result<Vec<usize>, DpError> {
    let attributes = problem.attributes;
    let count = |a: &crate::Attribute| (a.highest - a.lowest + 1) as u128;
    let nodes = attributes.iter().map(count).fold(1, u128::saturating_mul);
    if nodes > MOST_NODES {
        return Err(DpError::TooManyNodes { nodes, most: MOST_NODES });
    }
    let levels_of = |node: usize| -> Vec<usize> {
        let mut rest = node as u128;
        attributes
            .iter()
            .map(|a| {
                let level = a.lowest + (rest % count(a)) as usize;
                rest /= count(a);
                level
            })
            .collect()
    };
    let worth: Vec<Vec<Vec<u64>>> = attributes
        .iter()
        .map(|a| {
            let lines = a.hierarchy.leaves() as u64;
            let of = |n: &u32| WORTH - (WORTH * u64::from(*n)).div_ceil(lines);
            a.hierarchy.levels.iter().map(|level| level.leaves.iter().map(of).collect()).collect()
        })
        .collect();
    let zero = vec![0; attributes.len()];
    let score = |(scratch, classes): &mut (Scratch, Classes<N>), node: usize| -> u64 {
        let levels = levels_of(node);
        problem.table((problem.base, &[]), (&zero, &levels), classes, scratch);
        let groups = classes.keys.iter().zip(&classes.counts);
        groups
            .map(|(key, n)| {
                let n = u64::from(*n);
                let f = if n >= threshold { n } else { (2 * n).saturating_sub(threshold) };
                if f == 0 {
                    return 0;
                }
                let labels = levels.iter().enumerate();
                f * labels.map(|(at, l)| worth[at][*l][problem.fields[at].get(key)]).sum::<u64>()
            })
            .sum()
    };
    let scores: Vec<u64> =
        (0..nodes as usize).into_par_iter().map_init(Default::default, score).collect();
    let best = scores.iter().max().copied().unwrap_or(0);
    let unit = f64::from(1 << 24);
    let parts = (epsilon * unit).floor();
    if !(1.0..=1e10).contains(&parts) {
        return Err(DpError::Range { parameter: "choice" });
    }
    // exp(-ε (best - score) / (2 Δ)), Δ = 2 x WORTH x attributes.
    let den = 4 * u128::from(WORTH) * attributes.len() as u128 * (1 << 24);
    let mut order: Vec<usize> = (0..nodes as usize).collect();
    let mut stream = chance.stream();
    stream.shuffle(&mut order);
    let found = order.iter().find(|node| {
        bernoulli_exp(parts as u128 * u128::from(best - scores[**node]), den, &mut stream)
    });
    // The best one always passes.
    Ok(levels_of(found.copied().unwrap_or(0)))
}
