//! The heuristic search, for lattices that cannot be visited as a whole.
//!
//! A lazy greedy descent from the most general node (the attribute that promised most last time is tried first),
//! then local search (one level up or down, or one up and one down) with random kicks from a fixed seed. Nodes
//! that a bound rules out cost no check: the generalisation alone, plus what an ancestor checked before surely
//! suppresses. The same for any number of threads; stops after so many checks or when told to.

use super::{Best, Control, Explored, Found, Seen, Starts, bound, improve};
use crate::check::{Problem, Work};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

/// Candidates checked at once; fixed, so that the result does not depend on the number of threads.
const BATCH: usize = 4;

/// A node's worth while searching: suppressed rows over the limit come first, then the score.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Worth {
    excess: u64,
    score: f64,
}

impl Worth {
    fn better_than(self, other: Self) -> bool {
        self.excess < other.excess || self.excess == other.excess && self.score < other.score
    }

    /// How much better than `other`, in one number.
    fn gain_over(self, other: Self) -> f64 {
        (other.excess as f64 - self.excess as f64) * 1e9 + other.score - self.score
    }
}

struct Search<'a, const N: usize> {
    problem: &'a Problem<'a, N>,
    starts: &'a Starts<'a, N>,
    control: &'a dyn Control,
    most: u64,
    known: HashMap<Vec<usize>, Worth>,
    /// Nodes checked that surely suppress rows: their levels and penalties.
    tops: Vec<bound::Top>,
    /// The first nodes checked.
    seen: Vec<Seen>,
    explored: Explored,
    best: Option<Best>,
    checked: u64,
    random: u64,
}

impl<const N: usize> Search<'_, N> {
    fn over(&self) -> bool {
        self.checked >= self.most || self.control.stop()
    }

    fn random(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }

    /// A lower bound of the score of a node, by what its ancestors surely suppress; none if the bound shows that the
    /// node cannot be better than the best one.
    fn hope(&self, levels: &[usize]) -> Option<f64> {
        let (Some(cells), Some(best)) = (&self.problem.cells, &self.best) else { return Some(0.0) };
        let mut most = vec![0.0; levels.len()];
        if cells.hopeless(levels, &most, best.score) {
            return None;
        }
        for (top, penalties) in &self.tops {
            if top.iter().zip(levels).all(|(top, level)| top >= level) {
                for (most, penalty) in most.iter_mut().zip(penalties) {
                    *most = most.max(*penalty);
                }
            }
        }
        if cells.hopeless(levels, &most, best.score) {
            return None;
        }
        let values: Vec<f64> =
            (0..levels.len()).map(|at| cells.value(at, levels[at], most[at])).collect();
        Some(cells.aggregate.of(&values, &cells.weights))
    }

    /// Check nodes that are not known, in parallel; no more than the limit allows.
    fn check(&mut self, nodes: &[Vec<usize>]) {
        let mut fresh: Vec<&Vec<usize>> = Vec::new();
        for node in nodes {
            if !self.known.contains_key(node) && !fresh.contains(&node) {
                fresh.push(node);
            }
        }
        fresh.truncate(usize::try_from(self.most - self.checked).unwrap_or(usize::MAX));
        let (problem, starts) = (self.problem, self.starts);
        let verdicts: Vec<_> = fresh
            .par_iter()
            .map_init(Work::default, |work, levels| {
                let (start, from) = starts.at(levels);
                let verdict = problem.check(start, &from, levels, None, work);
                (verdict, work.penalties.clone())
            })
            .collect();
        for (levels, (verdict, penalties)) in fresh.into_iter().zip(verdicts) {
            self.checked += 1;
            let excess = verdict.suppressed.saturating_sub(problem.limit);
            self.known.insert(levels.clone(), Worth { excess, score: verdict.score });
            if self.seen.len() < 1_000 {
                let (levels, penalties) = (levels.clone(), penalties.clone());
                self.seen.push(Seen { levels, sure: verdict.sure, penalties });
            }
            if verdict.sure > 0 && self.tops.len() < 2_000 {
                self.tops.push((levels.clone(), penalties));
            }
            self.explored.note(problem.rows, levels, &verdict);
            if verdict.anonymous {
                improve(&mut self.best, Best { score: verdict.score, levels: levels.clone() });
            }
        }
        let best = self.best.as_ref().map_or(f64::INFINITY, |best| best.score);
        self.control.progress(self.checked, best);
    }

    fn worth(&mut self, node: &Vec<usize>) -> Option<Worth> {
        if !self.known.contains_key(node) {
            self.check(core::slice::from_ref(node));
        }
        self.known.get(node).copied()
    }

    /// Lower one attribute after the other while it pays.
    fn descend(&mut self, node: &mut Vec<usize>) {
        let Some(mut here) = self.worth(node) else { return };
        let n = node.len();
        let mut hopes = vec![f64::INFINITY; n];
        while !self.over() {
            let mut fresh = vec![false; n];
            let mut chosen: Option<(usize, f64)> = None;
            loop {
                let mut next: Vec<usize> = (0..n)
                    .filter(|at| !fresh[*at] && node[*at] > self.problem.attributes[*at].lowest)
                    .collect();
                next.sort_by(|a, b| hopes[*b].total_cmp(&hopes[*a]).then(a.cmp(b)));
                next.truncate(BATCH);
                let promising =
                    next.first().is_some_and(|at| chosen.is_none_or(|(_, gain)| hopes[*at] > gain));
                if !promising || self.over() {
                    break;
                }
                let lower = |at: usize| {
                    let mut lower = node.clone();
                    lower[at] -= 1;
                    lower
                };
                let nodes: Vec<Vec<usize>> = next.iter().map(|at| lower(*at)).collect();
                self.check(&nodes);
                for (at, lower) in next.iter().zip(&nodes) {
                    fresh[*at] = true;
                    let Some(worth) = self.known.get(lower) else { continue };
                    let gain = worth.gain_over(here);
                    hopes[*at] = gain;
                    if gain > 0.0 && chosen.is_none_or(|(_, best)| gain > best) {
                        chosen = Some((*at, gain));
                    }
                }
            }
            let Some((at, _)) = chosen else { break };
            node[at] -= 1;
            here = self.known.get(node).copied().unwrap_or(here);
        }
    }

    /// All nodes one move away, in random order.
    fn moves(&mut self, node: &[usize], pairs: bool) -> Vec<Vec<usize>> {
        let attributes = self.problem.attributes;
        let down = |node: &[usize], at: usize| {
            (node[at] > attributes[at].lowest).then(|| {
                let mut node = node.to_vec();
                node[at] -= 1;
                node
            })
        };
        let up = |node: &[usize], at: usize| {
            (node[at] < attributes[at].highest).then(|| {
                let mut node = node.to_vec();
                node[at] += 1;
                node
            })
        };
        let n = node.len();
        let mut moves: Vec<Vec<usize>> =
            (0..n).flat_map(|at| [down(node, at), up(node, at)]).flatten().collect();
        if pairs {
            for lower in (0..n).filter_map(|at| Some((at, down(node, at)?))) {
                moves.extend((0..n).filter(|at| *at != lower.0).filter_map(|at| up(&lower.1, at)));
            }
        }
        for at in (1..moves.len()).rev() {
            let other = self.random(at + 1);
            moves.swap(at, other);
        }
        moves
    }

    /// Move to better neighbours until there is none.
    fn climb(&mut self, node: &mut Vec<usize>, pairs: bool) {
        let Some(mut here) = self.worth(node) else { return };
        let mut wide = false;
        let mut tried: HashSet<Vec<usize>> = HashSet::new();
        'again: while !self.over() {
            let mut moves: Vec<(f64, Vec<usize>)> = self
                .moves(node, wide)
                .into_iter()
                .filter(|to| !tried.contains(to))
                .filter_map(|to| Some((self.hope(&to)?, to)))
                .collect();
            // The most promising first; in random order where they promise the same.
            moves.sort_by(|a, b| a.0.total_cmp(&b.0));
            for batch in moves.chunks(BATCH) {
                let batch: Vec<Vec<usize>> = batch
                    .iter()
                    .map(|(_, to)| to)
                    .filter(|to| self.hope(to).is_some())
                    .cloned()
                    .collect();
                self.check(&batch);
                let mut better: Option<(Vec<usize>, Worth)> = None;
                for to in batch {
                    let Some(worth) = self.known.get(&to).copied() else { continue };
                    if worth.better_than(better.as_ref().map_or(here, |(_, worth)| *worth)) {
                        better = Some((to.clone(), worth));
                    }
                    tried.insert(to);
                }
                if let Some((to, worth)) = better {
                    *node = to;
                    here = worth;
                    wide = false;
                    tried.clear();
                    continue 'again;
                }
                if self.over() {
                    return;
                }
            }
            if wide || !pairs {
                return;
            }
            wide = true;
        }
    }
}

/// A good node for little, and the nodes checked for it: the start of the optimal search.
pub(crate) fn seed<const N: usize>(
    problem: &Problem<'_, N>,
    starts: &Starts<'_, N>,
    most: u64,
    control: &dyn Control,
) -> (Found, Vec<Seen>) {
    let mut search = Search::new(problem, starts, most, control);
    let mut node = problem.highest();
    search.descend(&mut node);
    search.climb(&mut node, false);
    let seen = core::mem::take(&mut search.seen);
    (search.found(None), seen)
}

/// Search with at most `most` checks.
pub(crate) fn search<const N: usize>(
    problem: &Problem<'_, N>,
    starts: &Starts<'_, N>,
    most: u64,
    control: &dyn Control,
) -> Found {
    let mut search = Search::new(problem, starts, most, control);
    let mut node = problem.highest();
    search.descend(&mut node);
    search.climb(&mut node, true);
    let mut idle = 0;
    while !search.over() && idle < 200 {
        let Some(best) = search.best.clone() else { break };
        let before = search.checked;
        let mut node = best.levels;
        for _ in 0..2 + search.random(3) {
            let moves = search.moves(&node, false);
            if let Some(to) = moves.into_iter().next() {
                node = to;
            }
        }
        search.climb(&mut node, search.most > 2_000);
        // A small lattice is soon known as a whole.
        idle = if search.checked == before { idle + 1 } else { 0 };
    }
    let score = search.best.as_ref().map_or(f64::INFINITY, |best| best.score);
    let bound = bound::lower(problem, &search.tops, score);
    search.found(bound)
}

impl<'a, const N: usize> Search<'a, N> {
    fn new(
        problem: &'a Problem<'a, N>,
        starts: &'a Starts<'a, N>,
        most: u64,
        control: &'a dyn Control,
    ) -> Self {
        Self {
            problem,
            starts,
            control,
            most,
            known: HashMap::new(),
            tops: Vec::new(),
            seen: Vec::new(),
            explored: Explored::default(),
            best: None,
            checked: 0,
            random: 1,
        }
    }

    fn found(self, bound: Option<f64>) -> Found {
        Found {
            best: self.best,
            checked: self.checked,
            optimal: false,
            bound,
            explored: self.explored,
        }
    }
}
