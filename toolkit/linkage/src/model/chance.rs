//! How often all pairs of the list show each level: exact where values are equal, sampled elsewhere.
//!
//! Each variable has strata: pairs that share a first value, pairs that share a second and not the first ..., and the
//! rest. How many pairs a stratum has follows from the frequencies; what levels they show is sampled inside it. So a
//! level that one pair in a million shows is known as well as one that every second pair shows.

use rayon::prelude::*;

use crate::{
    candidate::sort_hashed,
    compare::{Kind, LEVELS, VARIABLES, Variable, compare, compare_names, compare_one},
    list::{Interner, mix},
    model::Table,
    typed::{Row, Typed, house},
};

/// Pairs expected at each level, by variable and level, among all pairs of the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chance {
    pub(crate) pairs: Table,
    pub(crate) all: f64,
    /// For kinds of given names: how much commoner they are among pairs born in one year.
    pub(crate) cohort: [f64; 5],
    /// Pairs that share a family name and a house, telephone or coverage, and have other given names and birth dates: a list without
    /// households has no twins either.
    pub(crate) households: f64,
}

/// So many pairs a record look as if of a household for errors alone.
const ERRORS: f64 = 0.01;
const SAMPLE_REST: u64 = 250_000;
const SAMPLE_STRATUM: u64 = 25_000;

/// The values of a variable by which strata are made; 0 is none.
fn keys(t: &Typed, v: Variable, r: &Row) -> [u64; 3] {
    // hashes, not numbers: numbers depend on the order of the file
    let of = |values: &Interner, id: u32| if id == 0 { 0 } else { values.hash(id) };
    match v {
        Variable::Family => [of(&t.kana.values, r.family), of(&t.kanji.values, r.family_kanji), 0],
        Variable::Given | Variable::Sex => {
            [of(&t.kana.values, r.given), of(&t.kanji.values, r.given_kanji), 0]
        }
        Variable::Birth => {
            [u64::from(r.birth.packed()), u64::from(r.birth.year()), u64::from(r.birth.month_day())]
        }
        Variable::Place => [house(&t.places, r), of(&t.postal.values, r.postal), 0],
        Variable::Town => [of(&t.town.values, r.town), 0, 0],
        Variable::Phone => [of(&t.phone.values, r.phone), 0, 0],
        Variable::Insurance => {
            let (insurer, card) = (of(&t.insurer.values, r.insurer), of(&t.card.values, r.card));
            let coverage = if insurer == 0 || card == 0 { 0 } else { mix(insurer, card).max(1) };
            [coverage, insurer, card]
        }
        Variable::PersonNo => [of(&t.person_no.values, r.person_no), 0, 0],
        Variable::Source => [u64::from(r.source), 0, 0],
    }
}

/// How many values of a variable make strata; none if no row has one.
fn strata(t: &Typed, v: Variable) -> usize {
    let column = |values: &Interner| usize::from(values.len() > 1);
    match v {
        Variable::Family | Variable::Given | Variable::Sex | Variable::Place => 2,
        Variable::Birth | Variable::Insurance => 3,
        Variable::Town => column(&t.town.values),
        Variable::Phone => column(&t.phone.values),
        Variable::PersonNo => column(&t.person_no.values),
        Variable::Source => 1,
    }
}

/// A number from a seed and a counter.
fn draw(seed: u64, i: u64, below: u64) -> u64 {
    let x = mix(mix(seed, i.wrapping_add(0x1234_5678_9ABC)), 0xA5A5_5A5A_0F0F_F0F0);
    ((u128::from(x) * u128::from(below)) >> 64) as u64
}

/// Counts levels over all pairs of some rows. The same for the same list and seed.
pub(crate) fn chance(t: &Typed, rows: &[Row], seed: u64) -> Chance {
    let n = rows.len() as u64;
    let all = n as f64 * (n as f64 - 1.0) / 2.0;
    let mut pairs = [[0.0; LEVELS]; VARIABLES];
    if n < 2 {
        return Chance { pairs, all, cohort: [1.0; 5], households: 0.0 };
    }
    let mut households: f64 = 0.0;
    let shares = |v: Variable, upto: usize, a: &Row, b: &Row| {
        let (x, y) = (keys(t, v, a), keys(t, v, b));
        (0..upto).any(|s| x[s] != 0 && x[s] == y[s])
    };
    for v in Variable::ALL {
        // the strata of sex are those of given names
        if v == Variable::Sex {
            continue;
        }
        for s in 0..strata(t, v) {
            let keyed = sort_hashed(rows.len(), |i| match keys(t, v, &rows[i])[s] {
                0 => None,
                key => Some(mix(key, 5)),
            });
            // groups with their first place and the pairs before them
            let mut groups: Vec<(u64, usize, usize)> = Vec::new();
            let (mut before, mut at) = (0, 0);
            for group in keyed.groups() {
                if group.len() > 1 {
                    groups.push((before, at, group.len()));
                    before += group.len() as u64 * (group.len() as u64 - 1) / 2;
                }
                at += group.len();
            }
            if before == 0 {
                continue;
            }
            let sample = SAMPLE_STRATUM.min(before * 4);
            let lives =
                s == 0 && matches!(v, Variable::Place | Variable::Phone | Variable::Insurance);
            let each = before as f64 / sample as f64;
            let seed = mix(seed, (v as u64) << 8 | s as u64);
            let seen = (0..sample)
                .into_par_iter()
                .fold(
                    || [0u64; 2 * LEVELS + 1],
                    |mut seen, i| {
                        let pick = draw(seed, 3 * i, before);
                        let g = groups.partition_point(|g| g.0 <= pick) - 1;
                        let (_, start, len) = groups[g];
                        let x = draw(seed, 3 * i + 1, len as u64);
                        let y = draw(seed, 3 * i + 2, len as u64 - 1);
                        let y = if y >= x { y + 1 } else { y };
                        let (a, b) = (
                            &rows[keyed.at(start + x as usize) as usize],
                            &rows[keyed.at(start + y as usize) as usize],
                        );
                        if !shares(v, s, a, b) {
                            if v == Variable::Given {
                                let names = compare_names(t, a, b);
                                seen[names.level(v)] += 1;
                                seen[LEVELS + names.level(Variable::Sex)] += 1;
                            } else {
                                seen[compare_one(t, v, a, b)] += 1;
                            }
                            if lives {
                                seen[2 * LEVELS] += u64::from(of_household(t, a, b));
                            }
                        }
                        seen
                    },
                )
                .reduce(|| [0; 2 * LEVELS + 1], sum);
            for (total, seen) in pairs[v as usize].iter_mut().zip(&seen[..LEVELS]) {
                *total += *seen as f64 * each;
            }
            if v == Variable::Given {
                for (total, seen) in pairs[Variable::Sex as usize].iter_mut().zip(&seen[LEVELS..]) {
                    *total += *seen as f64 * each;
                }
            }
            if lives {
                households = households.max(seen[2 * LEVELS] as f64 * each);
            }
        }
    }
    let sample = SAMPLE_REST.min(n * (n - 1) * 2);
    let seen = (0..sample)
        .into_par_iter()
        .fold(
            || vec![[0u64; LEVELS]; VARIABLES],
            |mut seen, i| {
                let x = draw(seed, 2 * i, n);
                let y = draw(seed, 2 * i + 1, n - 1);
                let y = if y >= x { y + 1 } else { y };
                let (a, b) = (&rows[x as usize], &rows[y as usize]);
                let pattern = compare(t, a, b);
                for v in Variable::ALL {
                    if !shares(v, 3, a, b) {
                        seen[v as usize][pattern.level(v)] += 1;
                    }
                }
                seen
            },
        )
        .reduce(
            || vec![[0; LEVELS]; VARIABLES],
            |a, b| a.into_iter().zip(b).map(|(a, b)| sum(a, b)).collect(),
        );
    for (total, seen) in pairs.iter_mut().zip(seen) {
        for (total, seen) in total.iter_mut().zip(seen) {
            *total += seen as f64 * all / sample as f64;
        }
    }
    // errors make a few such pairs of one person
    households = (households - ERRORS * n as f64).max(0.0);
    let cohort = cohort(t, rows, &pairs[Variable::Given as usize], mix(seed, 99));
    Chance { pairs, all, cohort, households }
}

/// Given names go with years: how much likelier each kind of level is for pairs born in one year. Counted where month
/// and day differ, so that hardly one person is among them.
fn cohort(t: &Typed, rows: &[Row], given: &[f64; LEVELS], seed: u64) -> [f64; 5] {
    let mut keyed: Vec<(u32, u32)> = rows
        .iter()
        .enumerate()
        .filter(|(_, r)| r.birth.is_full())
        .map(|(i, r)| (r.birth.year(), i as u32))
        .collect();
    keyed.par_sort_unstable();
    let mut starts = Vec::new();
    let (mut before, mut at) = (0u64, 0);
    for group in keyed.chunk_by(|a, b| a.0 == b.0) {
        if group.len() > 1 {
            starts.push((before, at, group.len()));
            before += group.len() as u64 * (group.len() as u64 - 1) / 2;
        }
        at += group.len();
    }
    let mut out = [1.0; 5];
    if before < 10_000 {
        return out;
    }
    let seen = (0..SAMPLE_REST)
        .into_par_iter()
        .fold(
            || [0u64; 5],
            |mut seen, i| {
                let pick = draw(seed, 3 * i, before);
                let (_, start, len) = starts[starts.partition_point(|g| g.0 <= pick) - 1];
                let x = draw(seed, 3 * i + 1, len as u64);
                let y = draw(seed, 3 * i + 2, len as u64 - 1);
                let y = if y >= x { y + 1 } else { y };
                let a = &rows[keyed[start + x as usize].1 as usize];
                let b = &rows[keyed[start + y as usize].1 as usize];
                if a.birth.month() != b.birth.month() && a.birth.day() != b.birth.day() {
                    let level = compare_names(t, a, b).level(Variable::Given);
                    if let Some((_, kind)) = Variable::Given.level(level) {
                        seen[kind as usize] += 1;
                    }
                }
                seen
            },
        )
        .reduce(|| [0; 5], |a, b| std::array::from_fn(|i| a[i] + b[i]));
    let mut all = [0.0; 5];
    for (level, n) in given.iter().enumerate() {
        if let Some((_, kind)) = Variable::Given.level(level) {
            all[kind as usize] += n;
        }
    }
    let (known, known_all): (u64, f64) = (seen[1..].iter().sum(), all[1..].iter().sum());
    for kind in 1..5 {
        if known > 0 && known_all > 0.0 {
            let (here, there) = (seen[kind] as f64 / known as f64, all[kind] / known_all);
            // few pairs say little
            out[kind] =
                ((here * known as f64 + 50.0 * there) / (known as f64 + 50.0) / there.max(1e-12))
                    .clamp(0.2, 20.0);
        }
    }
    out
}

/// The same family name, other given names and birth dates.
fn of_household(t: &Typed, a: &Row, b: &Row) -> bool {
    let kind = |v: Variable, level| v.level(level).map(|(_, kind)| kind);
    let birth = kind(Variable::Birth, compare_one(t, Variable::Birth, a, b));
    if !matches!(birth, Some(Kind::Part | Kind::Other)) {
        return false;
    }
    let names = compare_names(t, a, b);
    kind(Variable::Given, names.level(Variable::Given)) == Some(Kind::Other)
        && kind(Variable::Family, names.level(Variable::Family)) == Some(Kind::Same)
}

fn sum<const N: usize>(mut a: [u64; N], b: [u64; N]) -> [u64; N] {
    for (a, b) in a.iter_mut().zip(b) {
        *a += b;
    }
    a
}
