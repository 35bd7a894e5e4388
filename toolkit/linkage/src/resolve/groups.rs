//! Groups of one component.

use rayon::prelude::*;

use crate::resolve::{Scorer, Union};

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
    let mut by_root: Vec<(u32, Scored)> =
        pairs.iter().map(|p| (union.root(p.0), *p)).collect();
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
    for i in 0..m {
        for j in i + 1..m {
            let (_, score) =
                scorer.score(&rows[members[i] as usize], &rows[members[j] as usize]);
            let score = score.clamp(-MOST_BITS, MOST_BITS);
            scores[i * m + j] = score;
            scores[j * m + i] = score;
        }
    }
    agglomerate(&mut scores, m, join, |i, j| out.push((members[i], members[j])));
}

/// Joins the two groups with the highest average score while it is at least `join`; at a tie the lowest positions.
fn agglomerate(sums: &mut [f64], m: usize, join: f64, mut joined: impl FnMut(usize, usize)) {
    let mut size = vec![1.0; m];
    let mut alive: Vec<usize> = (0..m).collect();
    loop {
        let mut best = (f64::NEG_INFINITY, 0, 0);
        for (x, i) in alive.iter().enumerate() {
            for j in &alive[x + 1..] {
                let average = sums[i * m + j] / (size[*i] * size[*j]);
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
                let sum = sums[i * m + k] + sums[j * m + k];
                sums[i * m + k] = sum;
                sums[k * m + i] = sum;
            }
        }
        size[i] += size[j];
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
        let scores = [[0.0, 9.0, 6.0, -9.0, -9.0], [9.0, 0.0, 3.0, -9.0, -9.0], [6.0, 3.0, 0.0, 4.0, 2.0],
            [-9.0, -9.0, 4.0, 0.0, 9.0], [-9.0, -9.0, 2.0, 9.0, 0.0]];
        let mut sums: Vec<f64> = scores.concat();
        let mut joined = Vec::new();
        agglomerate(&mut sums, 5, 0.0, |i, j| joined.push((i, j)));
        assert_eq!(joined, [(0, 1), (3, 4), (0, 2)]);
    }
}
