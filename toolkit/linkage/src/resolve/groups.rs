//! Groups of one component.

use rayon::prelude::*;

use crate::{
    compare::tied,
    resolve::{Scorer, Union},
};

/// A component larger than this is taken apart by raising the threshold before its pairs are all scored.
const LARGE: usize = 96;
/// Evidence of one pair counts at most so many bits for or against.
const MOST_BITS: f64 = 14.0;

/// A scored pair: positions and log2 odds.
pub(crate) type Scored = (u32, u32, f32);

/// For each row the first row of its person. `pairs` have scores of at least `look`.
pub(crate) fn persons(scorer: &Scorer<'_>, pairs: &[Scored], join: f64) -> Vec<u32> {
    let n = scorer.typed.rows.len();
    let mut union = Union::new(n);
    for (a, b, _) in pairs {
        union.join(*a, *b);
    }
    let mut by_root: Vec<(u32, Scored)> = pairs.iter().map(|p| (union.root(p.0), *p)).collect();
    by_root.par_sort_unstable_by_key(|(root, p)| (*root, p.0, p.1));
    let components: Vec<&[(u32, Scored)]> = by_root.chunk_by(|a, b| a.0 == b.0).collect();
    let joined: Vec<(u32, u32)> = components
        .par_chunks(256)
        .flat_map_iter(|chunk| {
            let mut out = Vec::new();
            for component in chunk {
                let pairs: Vec<Scored> = component.iter().map(|(_, p)| *p).collect();
                component_groups(scorer, &pairs, join, &mut out);
            }
            out
        })
        .collect();
    let mut union = Union::new(n);
    for (a, b) in joined {
        union.join(a, b);
    }
    (0..n as u32).map(|i| union.root(i)).collect()
}

fn component_groups(scorer: &Scorer<'_>, pairs: &[Scored], join: f64, out: &mut Vec<(u32, u32)>) {
    if let [(a, b, score)] = *pairs {
        if f64::from(score) >= join {
            out.push((a, b));
        }
        return;
    }
    let mut members: Vec<u32> = pairs.iter().flat_map(|p| [p.0, p.1]).collect();
    members.sort_unstable();
    members.dedup();
    if members.len() > LARGE {
        return large(scorer, pairs, &members, join, out);
    }
    let rows = &scorer.typed.rows;
    let m = members.len();
    let mut scores = vec![0.0; m * m];
    // pairs with nothing in common, for each two groups; infinitely few where anything is
    let mut apart = vec![0.0; m * m];
    for i in 0..m {
        for j in i + 1..m {
            let (pattern, score) =
                scorer.score(&rows[members[i] as usize], &rows[members[j] as usize]);
            let score = score.clamp(-MOST_BITS, MOST_BITS);
            scores[i * m + j] = score;
            scores[j * m + i] = score;
            apart[i * m + j] = match tied(pattern) {
                Some(true) => f64::NEG_INFINITY,
                Some(false) => 1.0,
                None => 0.0,
            };
            apart[j * m + i] = apart[i * m + j];
        }
    }
    let on: Vec<u32> = members.iter().map(|i| rows[*i as usize].on).collect();
    agglomerate(&mut scores, &mut apart, &on, join, |i, j| out.push((members[i], members[j])));
}

/// Two groups that share no place, telephone or coverage and alternate in time are hardly one person who moved: each
/// change of side after the first speaks against it with so many bits.
const ALTERNATING: f64 = 3.0;

/// How often the sides change when both groups are put in order of time, beyond the once of one who moved.
fn alternations(one: &[usize], other: &[usize], on: &[u32]) -> usize {
    let mut all: Vec<(u32, bool)> = one
        .iter()
        .map(|i| (on[*i], false))
        .chain(other.iter().map(|i| (on[*i], true)))
        .filter(|(on, _)| *on != 0)
        .collect();
    all.sort_unstable();
    all.windows(2).filter(|w| w[0].1 != w[1].1).count().saturating_sub(1)
}

/// Joins the two groups with the highest average score while it is at least `join`; at a tie the lowest positions.
fn agglomerate(
    sums: &mut [f64],
    apart: &mut [f64],
    on: &[u32],
    join: f64,
    mut joined: impl FnMut(usize, usize),
) {
    let m = on.len();
    let mut groups: Vec<Vec<usize>> = (0..m).map(|i| vec![i]).collect();
    let mut alive: Vec<usize> = (0..m).collect();
    loop {
        let mut best = (f64::NEG_INFINITY, 0, 0);
        for (x, i) in alive.iter().enumerate() {
            for j in &alive[x + 1..] {
                let pairs = groups[*i].len() * groups[*j].len();
                let mut average = sums[i * m + j] / pairs as f64;
                if average >= join && average > best.0 && apart[i * m + j] > 0.0 {
                    let share = apart[i * m + j] / pairs as f64;
                    average -=
                        share * ALTERNATING * alternations(&groups[*i], &groups[*j], on) as f64;
                }
                if average > best.0 + 1e-9 {
                    best = (average, *i, *j);
                }
            }
        }
        let (average, i, j) = best;
        if average < join {
            return;
        }
        joined(i, j);
        for k in &alive {
            if *k != i && *k != j {
                sums[i * m + k] += sums[j * m + k];
                sums[k * m + i] = sums[i * m + k];
                apart[i * m + k] += apart[j * m + k];
                apart[k * m + i] = apart[i * m + k];
            }
        }
        let moved = std::mem::take(&mut groups[j]);
        groups[i].extend(moved);
        alive.retain(|k| *k != j);
        if alive.len() < 2 {
            return;
        }
    }
}

/// A component of too many records: the weakest edges go until the pieces are small; what hangs together by the
/// strongest edges alone (copies of one record) is one person.
fn large(
    scorer: &Scorer<'_>,
    pairs: &[Scored],
    members: &[u32],
    join: f64,
    out: &mut Vec<(u32, u32)>,
) {
    let mut scores: Vec<f32> = pairs.iter().map(|p| p.2).collect();
    scores.sort_unstable_by(f32::total_cmp);
    let lowest = scores[0];
    // at least an eighth of the edges, and all that are as weak as the weakest
    let cut = scores[scores.len() / 8].max(lowest);
    let kept: Vec<Scored> =
        pairs.iter().filter(|p| p.2 > cut.max(join as f32 - 1.0)).copied().collect();
    if kept.is_empty() {
        if f64::from(lowest) >= join {
            out.extend(pairs.iter().map(|p| (p.0, p.1)));
        }
        return;
    }
    let place = |i: u32| members.partition_point(|m| *m < i) as u32;
    let mut union = Union::new(members.len());
    for (a, b, _) in &kept {
        union.join(place(*a), place(*b));
    }
    let mut by_root: Vec<(u32, Scored)> =
        kept.iter().map(|p| (union.root(place(p.0)), *p)).collect();
    by_root.sort_by_key(|(root, p)| (*root, p.0, p.1));
    for piece in by_root.chunk_by(|a, b| a.0 == b.0) {
        let pairs: Vec<Scored> = piece.iter().map(|(_, p)| *p).collect();
        component_groups(scorer, &pairs, join, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_between_two_persons_does_not_chain_them() {
        // 0,1 one person; 3,4 another; 2 is near both
        let scores = [
            [0.0, 9.0, 6.0, -9.0, -9.0],
            [9.0, 0.0, 3.0, -9.0, -9.0],
            [6.0, 3.0, 0.0, 4.0, 2.0],
            [-9.0, -9.0, 4.0, 0.0, 9.0],
            [-9.0, -9.0, 2.0, 9.0, 0.0],
        ];
        let mut sums: Vec<f64> = scores.concat();
        let mut joined = Vec::new();
        agglomerate(&mut sums, &mut [0.0; 25], &[0; 5], 0.0, |i, j| joined.push((i, j)));
        assert_eq!(joined, [(0, 1), (3, 4), (0, 2)]);
    }
}
