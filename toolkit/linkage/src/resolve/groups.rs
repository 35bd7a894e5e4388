//! Groups of one component.

use rayon::prelude::*;

use crate::{
    constraint::Held,
    resolve::{Scorer, Union, evidence::Evidence},
};

/// A component larger than this is taken apart by raising the threshold before its pairs are all scored.
const LARGE: usize = 96;

/// A scored pair: positions and log2 odds.
pub(crate) type Scored = (u32, u32, f32);

/// A score so near to a threshold that a change in the last digit would decide otherwise.
pub(crate) const NEAR: f64 = 1e-6;

/// What [`persons`] works with.
pub(crate) struct Rules<'a> {
    pub(crate) scorer: &'a Scorer<'a>,
    /// Log2 odds from which groups are joined.
    pub(crate) join: f64,
    pub(crate) held: &'a Held,
}

/// What came of components: joins, and averages at the threshold.
#[derive(Default)]
struct Found {
    joined: Vec<(u32, u32)>,
    ties: Vec<(u32, u32, f64)>,
}

/// For each row the first row of its person, and the joins of groups that were at the threshold. `pairs` have scores
/// of at least `look`; constraints hold.
pub(crate) fn persons(rules: &Rules<'_>, pairs: &[Scored]) -> (Vec<u32>, Vec<(u32, u32, f64)>) {
    let n = rules.scorer.typed.rows.len();
    let mut union = Union::new(n);
    for (a, b, _) in pairs {
        union.join(*a, *b);
    }
    for (a, b) in &rules.held.must {
        union.join(*a, *b);
    }
    // a pair that must be of one person scores above all others
    let must = rules.held.must.iter().map(|(a, b)| (*a, *b, f32::INFINITY));
    let mut by_root: Vec<(u32, Scored)> =
        pairs.iter().copied().chain(must).map(|p| (union.root(p.0), p)).collect();
    by_root.par_sort_unstable_by(|(r, p), (s, q)| {
        (r, p.0, p.1).cmp(&(s, q.0, q.1)).then_with(|| q.2.total_cmp(&p.2))
    });
    by_root.dedup_by_key(|(_, p)| (p.0, p.1));
    let components: Vec<&[(u32, Scored)]> = by_root.chunk_by(|a, b| a.0 == b.0).collect();
    let found: Vec<Found> = components
        .par_chunks(256)
        .map(|chunk| {
            let mut out = Found::default();
            for component in chunk {
                let pairs: Vec<Scored> = component.iter().map(|(_, p)| *p).collect();
                component_groups(rules, &pairs, &mut out);
            }
            out
        })
        .collect();
    let mut union = Union::new(n);
    let mut ties = Vec::new();
    for part in found {
        for (a, b) in part.joined {
            union.join(a, b);
        }
        ties.extend(part.ties);
    }
    ((0..n as u32).map(|i| union.root(i)).collect(), ties)
}

fn component_groups(rules: &Rules<'_>, pairs: &[Scored], out: &mut Found) {
    if let [(a, b, score)] = *pairs {
        let score = f64::from(score);
        let rows = &rules.scorer.typed.rows;
        // only what would be joined or listed is looked at again; what must be together is
        let asked = score >= rules.join - NEAR && score != f64::INFINITY;
        let twins = asked && rules.scorer.two_by_branch(&rows[a as usize], &rows[b as usize]);
        if !twins && !rules.held.is_apart(a, b) {
            if (score - rules.join).abs() <= NEAR {
                out.ties.push((a, b, score));
            }
            if score >= rules.join {
                out.joined.push((a, b));
            }
        }
        return;
    }
    let mut members: Vec<u32> = pairs.iter().flat_map(|p| [p.0, p.1]).collect();
    members.sort_unstable();
    members.dedup();
    if members.len() > LARGE {
        return large(rules, pairs, &members, out);
    }
    let Evidence { mut scores, mut apart } = Evidence::of(rules.scorer, rules.held, &members);
    let rows = &rules.scorer.typed.rows;
    let on: Vec<u32> = members.iter().map(|i| rows[*i as usize].on).collect();
    let place = |i: u32| members.partition_point(|m| *m < i);
    let must: Vec<(usize, usize)> =
        pairs.iter().filter(|p| p.2 == f32::INFINITY).map(|p| (place(p.0), place(p.1))).collect();
    let mut groups = Groups::new(&mut scores, &mut apart, &on);
    groups.together(&must, |i, j| out.joined.push((members[i], members[j])));
    let Found { joined, ties } = out;
    groups.agglomerate(
        rules.join,
        |i, j| joined.push((members[i], members[j])),
        |i, j, average| ties.push((members[i], members[j], average)),
    );
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

/// Groups of the records of one component.
struct Groups<'a> {
    /// Sums of scores between groups, by their first records.
    sums: &'a mut [f64],
    /// Pairs between groups that share nothing.
    apart: &'a mut [f64],
    on: &'a [u32],
    /// Of each first record, the group's records.
    members: Vec<Vec<usize>>,
    alive: Vec<usize>,
}

impl<'a> Groups<'a> {
    fn new(sums: &'a mut [f64], apart: &'a mut [f64], on: &'a [u32]) -> Self {
        let m = on.len();
        let members = (0..m).map(|i| vec![i]).collect();
        Self { sums, apart, on, members, alive: (0..m).collect() }
    }

    /// Puts the second group into the first.
    fn unite(&mut self, i: usize, j: usize) {
        let m = self.on.len();
        for k in &self.alive {
            if *k != i && *k != j {
                self.sums[i * m + k] += self.sums[j * m + k];
                self.sums[k * m + i] = self.sums[i * m + k];
                self.apart[i * m + k] += self.apart[j * m + k];
                self.apart[k * m + i] = self.apart[i * m + k];
            }
        }
        let moved = std::mem::take(&mut self.members[j]);
        self.members[i].extend(moved);
        self.alive.retain(|k| *k != j);
    }

    /// Unites what must be together.
    fn together(&mut self, must: &[(usize, usize)], mut joined: impl FnMut(usize, usize)) {
        for (a, b) in must {
            let of = |x: usize| self.alive.iter().copied().find(|g| self.members[*g].contains(&x));
            let (Some(a), Some(b)) = (of(*a), of(*b)) else { continue };
            if a != b {
                joined(a, b);
                self.unite(a.min(b), a.max(b));
            }
        }
    }

    /// Joins the two groups with the highest average score while it is at least `join`; at a tie the lowest positions.
    fn agglomerate(
        &mut self,
        join: f64,
        mut joined: impl FnMut(usize, usize),
        mut tie: impl FnMut(usize, usize, f64),
    ) {
        let m = self.on.len();
        while self.alive.len() > 1 {
            let mut best = (f64::NEG_INFINITY, 0, 0);
            for (x, i) in self.alive.iter().enumerate() {
                for j in &self.alive[x + 1..] {
                    let pairs = self.members[*i].len() * self.members[*j].len();
                    let mut average = self.sums[i * m + j] / pairs as f64;
                    if average >= join && average > best.0 && self.apart[i * m + j] > 0.0 {
                        let share = self.apart[i * m + j] / pairs as f64;
                        let (one, other) = (&self.members[*i], &self.members[*j]);
                        average -= share * ALTERNATING * alternations(one, other, self.on) as f64;
                    }
                    if average > best.0 + 1e-9 {
                        best = (average, *i, *j);
                    }
                }
            }
            let (average, i, j) = best;
            if (average - join).abs() <= NEAR {
                tie(i, j, average);
            }
            if average < join {
                return;
            }
            joined(i, j);
            self.unite(i, j);
        }
    }
}

/// A component of too many records: the weakest edges go until the pieces are small; what hangs together by the
/// strongest edges alone (copies of one record) is one person.
fn large(rules: &Rules<'_>, pairs: &[Scored], members: &[u32], out: &mut Found) {
    let mut scores: Vec<f32> = pairs.iter().map(|p| p.2).collect();
    scores.sort_unstable_by(f32::total_cmp);
    let lowest = scores[0];
    // at least an eighth of the edges, and all that are as weak as the weakest
    let cut = scores[scores.len() / 8].max(lowest);
    let least = cut.max(rules.join as f32 - 1.0);
    let kept: Vec<Scored> =
        pairs.iter().filter(|p| p.2 > least || p.2 == f32::INFINITY).copied().collect();
    if kept.is_empty() || kept.len() == pairs.len() {
        if f64::from(lowest) >= rules.join {
            alike(rules, pairs, members, out);
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
        component_groups(rules, &pairs, out);
    }
}

/// Joins along edges that are all alike, but not what must stay apart.
fn alike(rules: &Rules<'_>, pairs: &[Scored], members: &[u32], out: &mut Found) {
    let place = |i: u32| members.partition_point(|m| *m < i) as u32;
    let inside = |i: &u32| members.binary_search(i).is_ok();
    let apart: Vec<(u32, u32)> = {
        let mut all: Vec<_> =
            rules.held.cannot.iter().filter(|c| inside(&c.0) && inside(&c.1)).copied().collect();
        all.sort_unstable();
        all.into_iter().map(|(a, b)| (place(a), place(b))).collect()
    };
    let mut union = Union::new(members.len());
    for (a, b, _) in pairs {
        let (x, y) = (union.root(place(*a)), union.root(place(*b)));
        let mut between = apart.iter().filter(|c| {
            let ends = (union.root(c.0), union.root(c.1));
            ends == (x, y) || ends == (y, x)
        });
        if between.next().is_none() {
            union.join(x, y);
            out.joined.push((*a, *b));
        }
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
        let mut apart = [0.0; 25];
        let mut groups = Groups::new(&mut sums, &mut apart, &[0; 5]);
        groups.agglomerate(0.0, |i, j| joined.push((i, j)), |_, _, _| {});
        assert_eq!(joined, [(0, 1), (3, 4), (0, 2)]);
    }
}
