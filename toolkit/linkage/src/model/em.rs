//! Estimation by expectation and maximisation over pattern counts.

use crate::{
    compare::{BOTH_SAME, Kind, LEVELS, Pattern, VARIABLES, Variable, both_differ},
    model::{CLASSES, Chance, Class, Model, Table, normalise},
};

/// A fitted model with what is known of the fit.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    pub(crate) model: Model,
    pub(crate) rounds: usize,
    /// Expected pairs of each class among the candidates.
    pub(crate) expected: [f64; CLASSES],
}

const MOST_ROUNDS: usize = 30;
/// Pseudo-pairs with which the starting point stays in the estimate.
const HOLD: f64 = 30.0;
/// Strangers keep at least this part of the pairs that all show at a level.
const LEAST_STRANGERS: f64 = 0.03;

/// Where estimation starts: what a class makes of a kind of level.
fn start(class: Class, v: Variable, kind: Kind) -> f64 {
    use Variable::{Birth, Family, Given, Insurance, PersonNo, Phone, Place, Sex, Source, Town};
    let [same, near, part, other] = match (class, v) {
        (_, Source) => [0.0, 0.0, 0.3, 0.7],
        (Class::Same, Family | Given) => [0.95, 0.035, 0.01, 0.005],
        (Class::Same, Birth) => [0.96, 0.03, 0.005, 0.005],
        (Class::SameAlias, Family | Given) => [0.01, 0.02, 0.05, 0.92],
        (Class::SameAlias, Birth) => [0.985, 0.01, 0.003, 0.002],
        // near and part: other women, and men, whose family name is another
        (Class::Same | Class::SameChanged | Class::SameAlias, Sex) => [0.995, 0.2, 0.2, 0.005],
        (Class::Same | Class::SameAlias, PersonNo) => [0.95, 0.04, 0.0, 0.01],
        (Class::Same | Class::SameAlias, _) => [0.92, 0.05, 0.02, 0.01],
        (Class::SameChanged, Family) => [0.85, 0.05, 0.02, 0.08],
        (Class::SameChanged, Given) => [0.95, 0.035, 0.01, 0.005],
        (Class::SameChanged, Birth) => [0.96, 0.03, 0.005, 0.005],
        (Class::SameChanged, PersonNo) => [0.9, 0.05, 0.0, 0.05],
        (Class::SameChanged, Phone) => [0.5, 0.03, 0.0, 0.47],
        (Class::SameChanged, _) => [0.2, 0.05, 0.15, 0.6],
        (Class::Twins | Class::Household, Family) => [0.93, 0.04, 0.01, 0.02],
        (Class::Twins | Class::Household, Given) => [0.003, 0.047, 0.15, 0.8],
        (Class::Twins, Birth) => [0.97, 0.025, 0.004, 0.001],
        (Class::Household, Birth) => [0.001, 0.009, 0.09, 0.9],
        (Class::Twins | Class::Household, Sex) => [0.5, 0.5, 0.5, 0.5],
        (Class::Twins | Class::Household, PersonNo) => [0.001, 0.009, 0.0, 0.99],
        // another branch is a part in common
        (Class::Twins | Class::Household, Insurance) => [0.1, 0.03, 0.8, 0.07],
        (Class::Twins | Class::Household, Place | Town | Phone) => [0.9, 0.04, 0.03, 0.03],
        (Class::Region, Family | Given) => [0.01, 0.01, 0.03, 0.95],
        (Class::Region, Birth) => [0.5, 0.02, 0.08, 0.4],
        (Class::Region, Place | Insurance | Town) => [0.002, 0.018, 0.48, 0.5],
        (Class::Namesakes, Family | Given) => [0.9, 0.06, 0.02, 0.02],
        (Class::Namesakes, Birth) => [0.01, 0.04, 0.15, 0.8],
        (Class::Region | Class::Namesakes, Sex) => [0.8, 0.8, 0.8, 0.2],
        (Class::Region | Class::Namesakes, _) => [0.001, 0.003, 0.026, 0.97],
        (Class::Strangers, _) => [0.0; 4],
    };
    match kind {
        Kind::Missing => 1.0,
        Kind::Same => same,
        Kind::Near => near,
        Kind::Part => part,
        Kind::Other => other,
    }
}

/// The starting table of a class: what a kind has is divided among its levels in a group by how often they occur.
fn starting(class: Class, chance: &Chance) -> Table {
    let mut out = [[0.0; LEVELS]; VARIABLES];
    for v in Variable::ALL {
        for (level, p) in out[v as usize].iter_mut().enumerate() {
            let Some((group, kind)) = v.level(level) else { continue };
            let alike: Vec<usize> =
                (0..LEVELS).filter(|l| v.level(*l) == Some((group, kind))).collect();
            let weight = |l: usize| (chance.pairs[v as usize][l] + 1.0).sqrt();
            let all: f64 = alike.iter().map(|l| weight(*l)).sum();
            *p = start(class, v, kind) * weight(level) / all;
        }
    }
    normalise(&mut out);
    out
}

/// What strangers make of levels: all pairs less those that are of one person or household.
fn strangers(chance: &Chance, others: &Table) -> Table {
    let mut out = chance.pairs;
    for (row, taken) in out.iter_mut().zip(others) {
        for (p, taken) in row.iter_mut().zip(taken) {
            *p = (*p - taken).max(*p * LEAST_STRANGERS).max(chance.all * 1e-8).max(1e-3);
        }
    }
    normalise(&mut out);
    out
}

/// Twins are at most so many of the pairs of a household.
const TWINS: f64 = 0.1;

/// What a class may at most make of a kind of level, inside a group. Strangers are not quite independent (names go
/// with years, insurers with places), and an estimate without bounds would call what is left over one person.
const CAPS: &[(Class, Variable, Kind, f64)] = &[
    (Class::Same, Variable::Given, Kind::Other, 0.005),
    (Class::Same, Variable::Given, Kind::Part, 0.02),
    (Class::Same, Variable::Family, Kind::Other, 0.01),
    (Class::Same, Variable::Family, Kind::Part, 0.02),
    (Class::Same, Variable::Birth, Kind::Other, 0.003),
    (Class::Same, Variable::Birth, Kind::Part, 0.01),
    (Class::Same, Variable::Sex, Kind::Other, 0.02),
    (Class::SameChanged, Variable::Given, Kind::Other, 0.005),
    (Class::SameChanged, Variable::Given, Kind::Part, 0.02),
    (Class::SameChanged, Variable::Family, Kind::Other, 0.25),
    (Class::SameChanged, Variable::Family, Kind::Part, 0.05),
    (Class::SameChanged, Variable::Birth, Kind::Other, 0.003),
    (Class::SameChanged, Variable::Birth, Kind::Part, 0.01),
    (Class::SameChanged, Variable::Sex, Kind::Other, 0.02),
    (Class::SameAlias, Variable::Given, Kind::Same, 0.02),
    (Class::SameAlias, Variable::Given, Kind::Near, 0.03),
    (Class::SameAlias, Variable::Given, Kind::Part, 0.06),
    (Class::SameAlias, Variable::Family, Kind::Same, 0.02),
    (Class::SameAlias, Variable::Family, Kind::Near, 0.03),
    (Class::SameAlias, Variable::Family, Kind::Part, 0.06),
    (Class::SameAlias, Variable::Birth, Kind::Other, 0.001),
    (Class::SameAlias, Variable::Birth, Kind::Part, 0.003),
    (Class::SameAlias, Variable::Birth, Kind::Near, 0.02),
    (Class::SameAlias, Variable::Sex, Kind::Other, 0.01),
    (Class::SameAlias, Variable::Place, Kind::Other, 0.1),
    (Class::SameAlias, Variable::Phone, Kind::Other, 0.15),
    (Class::SameAlias, Variable::Insurance, Kind::Part, 0.02),
    (Class::SameAlias, Variable::Insurance, Kind::Other, 0.15),
    (Class::Twins, Variable::Given, Kind::Same, 0.02),
    (Class::Twins, Variable::PersonNo, Kind::Same, 0.001),
    (Class::Twins, Variable::PersonNo, Kind::Near, 0.01),
    (Class::Twins, Variable::Family, Kind::Other, 0.05),
    (Class::Household, Variable::PersonNo, Kind::Same, 0.001),
    (Class::Household, Variable::Birth, Kind::Same, 0.02),
    (Class::Household, Variable::Given, Kind::Same, 0.6),
    (Class::Region, Variable::PersonNo, Kind::Same, 0.0001),
    (Class::Namesakes, Variable::PersonNo, Kind::Same, 0.0001),
    (Class::Region, Variable::Given, Kind::Same, 0.01),
    (Class::Region, Variable::Family, Kind::Same, 0.015),
    (Class::Region, Variable::Insurance, Kind::Same, 0.002),
    (Class::Region, Variable::Phone, Kind::Same, 0.002),
    (Class::Region, Variable::Place, Kind::Same, 0.002),
    (Class::Namesakes, Variable::Birth, Kind::Same, 0.03),
    (Class::Namesakes, Variable::Insurance, Kind::Same, 0.002),
    (Class::Namesakes, Variable::Phone, Kind::Same, 0.002),
    (Class::Namesakes, Variable::Place, Kind::Same, 0.002),
];

/// Brings the levels of a kind under its cap, in each group; the rest grows in proportion.
fn cap(class: Class, table: &mut Table) {
    for (_, v, kind, most) in CAPS.iter().filter(|c| c.0 == class) {
        let row = &mut table[*v as usize];
        for group in 1..4 {
            let capped = |level: usize| v.level(level) == Some((group, *kind));
            let inside = |level: usize| matches!(v.level(level), Some((g, _)) if g == group);
            let sum: f64 = (0..LEVELS).filter(|l| capped(*l)).map(|l| row[l]).sum();
            let rest: f64 = (0..LEVELS).filter(|l| inside(*l) && !capped(*l)).map(|l| row[l]).sum();
            if sum > *most && rest > 0.0 {
                for (level, p) in row.iter_mut().enumerate() {
                    if capped(level) {
                        *p *= most / sum;
                    } else if inside(level) {
                        *p *= (1.0 - most) / rest;
                    }
                }
            }
        }
    }
}

/// Kana and kanji of one person's given name are wrong together at most so much more often than two errors that know
/// nothing of each other would be.
const TOGETHER: f64 = 2.0;

/// Given names of one person of which both scripts differ are two errors; those of twins differ in both as a rule. An
/// estimate that is free takes the twins of a list with few of them for persons written badly.
fn two_errors(class: Class, table: &mut Table) {
    if !matches!(class, Class::Same | Class::SameChanged) {
        return;
    }
    let row = &mut table[Variable::Given as usize];
    for (both, [kana, kanji]) in both_differ() {
        let most = TOGETHER * row[kana] * row[kanji] / row[BOTH_SAME].max(1e-9);
        if row[both] > most {
            row[BOTH_SAME] += row[both] - most;
            row[both] = most;
        }
    }
}

/// Fits a model to the counts of patterns among the candidates. `patterns` are sorted, so that sums are the same in
/// every run.
pub(crate) fn fit(patterns: &[(Pattern, u64)], chance: &Chance, records: usize) -> Fit {
    let start: Vec<Table> = Class::ALL.iter().map(|c| starting(*c, chance)).collect();
    let mut tables = start.clone();
    let all = chance.all.max(1.0);
    tables[Class::Strangers as usize] = strangers(chance, &[[0.0; LEVELS]; VARIABLES]);
    let guess = records as f64 / all;
    let mut share = [0.6, 0.3, 0.003, 0.02, 0.2, 0.1, 0.1, 1.0 / guess].map(|s| s * guess);
    let mut model = Model { share, tables, cohort: chance.cohort, all_pairs: chance.all };
    let mut expected = [0.0; CLASSES];
    let mut rounds = 0;
    while rounds < MOST_ROUNDS {
        rounds += 1;
        let mut counts: Vec<Table> = vec![[[0.0; LEVELS]; VARIABLES]; CLASSES];
        let mut totals = [0.0; CLASSES];
        for (pattern, n) in patterns {
            let joint = model.joint(*pattern);
            let sum: f64 = joint.iter().sum();
            if sum <= 0.0 {
                continue;
            }
            for c in 0..CLASSES {
                let part = *n as f64 * joint[c] / sum;
                totals[c] += part;
                if c != Class::Strangers as usize {
                    for v in Variable::ALL {
                        counts[c][v as usize][pattern.level(v)] += part;
                    }
                }
            }
        }
        let mut others = [[0.0; LEVELS]; VARIABLES];
        for c in 0..CLASSES - 1 {
            // strangers of one region or name are strangers in the frequencies
            let one = c < Class::Region as usize;
            for v in 0..VARIABLES {
                for level in 0..LEVELS {
                    others[v][level] += if one { counts[c][v][level] } else { 0.0 };
                    counts[c][v][level] += HOLD * start[c][v][level];
                }
            }
            normalise(&mut counts[c]);
            cap(Class::ALL[c], &mut counts[c]);
            two_errors(Class::ALL[c], &mut counts[c]);
            model.tables[c] = counts[c];
            share[c] = (totals[c] / all).max(1e-15);
        }
        model.tables[Class::Strangers as usize] = strangers(chance, &others);
        let twins = &mut share[Class::Twins as usize];
        *twins = twins.min((TWINS * chance.households / all).max(1e-15));
        let members = &mut share[Class::Household as usize];
        *members = members.min((chance.households / all).max(1e-15));
        share[CLASSES - 1] = (1.0 - share[..CLASSES - 1].iter().sum::<f64>()).max(0.01);
        let moved: f64 = totals
            .iter()
            .zip(&expected)
            .map(|(a, b): (&f64, &f64)| (a - b).abs() / (1.0 + a.max(*b)))
            .fold(0.0, f64::max);
        model.share = share;
        expected = totals;
        if moved < 1e-3 {
            break;
        }
    }
    Fit { model, rounds, expected }
}
