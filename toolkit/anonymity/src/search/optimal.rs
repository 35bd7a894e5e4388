//! The optimal search.
//!
//! Nodes are visited from the general to the special ones, in an order in which every node comes after all that
//! generalise it. What a node surely suppresses (classes that fail a monotone test such as k-anonymity), every
//! node below suppresses as well; so each node inherits, per attribute, the penalty of those rows. The inherited
//! penalty plus the cost of the node's own generalisation is a lower bound of its score, which rules out most of
//! the lattice for any suppression limit. Where that is not enough, the number of those rows is set against the dearest
//! labels of the node's own level. What the start of the search checked hands down, too, and is not checked again. A node
//! is left in the middle of its classes as soon as what they surely suppress rules out it and all nodes below: what was
//! counted up to there is handed down. Models without a monotone part are bounded by k and by the generalisation alone.
//!
//! Work is cut into units (the levels of the first attributes) that are processed in waves of units which do not
//! generalise one another: the result, and the number of nodes checked, is the same for any number of threads.

use super::walker::Walker;
use super::{Best, Control, Explored, Found, Seen, Starts, bound, improve};
use crate::check::Problem;
use rayon::prelude::*;

/// What the nodes of one unit hand down.
#[derive(Debug)]
struct Unit {
    /// Rows surely suppressed, per node.
    sure: Vec<u32>,
    /// Penalties, per node and attribute.
    penalties: Vec<f64>,
    best: Option<Best>,
    checked: u64,
    explored: Explored,
}

/// The attributes in the order in which they are raised: those that merge most come first.
pub(crate) fn order<const N: usize>(problem: &Problem<'_, N>) -> Vec<usize> {
    let mut seen: Vec<Vec<bool>> =
        problem.attributes.iter().map(|a| vec![false; a.hierarchy.labels(0)]).collect();
    for key in &problem.base.keys {
        for (field, seen) in problem.fields.iter().zip(&mut seen) {
            seen[field.get(key)] = true;
        }
    }
    let distinct: Vec<usize> =
        seen.iter().map(|seen| seen.iter().filter(|seen| **seen).count()).collect();
    let mut order: Vec<usize> = (0..distinct.len()).collect();
    order.sort_by_key(|at| (core::cmp::Reverse(distinct[*at]), *at));
    order
}

struct Lattice<'a, const N: usize> {
    problem: &'a Problem<'a, N>,
    starts: &'a Starts<'a, N>,
    order: &'a [usize],
    lowest: Vec<usize>,
    /// Levels per attribute, in the order of `order`.
    sizes: Vec<usize>,
    /// Attributes that make up a unit.
    prefix: usize,
    /// Nodes of one unit.
    inner: usize,
    /// Per unit, the nodes that were checked before, the last one first.
    seen: Vec<Vec<(usize, &'a Seen)>>,
}

impl<const N: usize> Lattice<'_, N> {
    fn digits(mut at: usize, sizes: &[usize]) -> Vec<usize> {
        let mut digits = vec![0; sizes.len()];
        for (digit, size) in digits.iter_mut().zip(sizes).rev() {
            *digit = at % size;
            at /= size;
        }
        digits
    }

    /// The unit of a node, and its place there.
    fn place(&self, levels: &[usize]) -> (usize, usize) {
        let at = self.order.iter().zip(&self.sizes).fold(0, |place, (attribute, size)| {
            place * size + levels[*attribute] - self.lowest[*attribute]
        });
        (at / self.inner, at % self.inner)
    }

    /// Levels of all attributes, from the digits.
    fn levels(&self, digits: impl Iterator<Item = usize>, levels: &mut [usize]) {
        for (attribute, digit) in self.order.iter().zip(digits) {
            levels[*attribute] = self.lowest[*attribute] + digit;
        }
    }

    fn unit(
        &self,
        unit: usize,
        units: &[Option<Unit>],
        seed: Option<&Best>,
        control: &dyn Control,
    ) -> Unit {
        let n = self.order.len();
        let outer = Self::digits(unit, &self.sizes[..self.prefix]);
        let mut strides = vec![1; self.prefix];
        for at in (0..self.prefix.saturating_sub(1)).rev() {
            strides[at] = strides[at + 1] * self.sizes[at + 1];
        }
        let above: Vec<Option<&Unit>> = (0..self.prefix)
            .map(|at| {
                let up = outer[at] + 1 < self.sizes[at];
                if up { units[unit + strides[at]].as_ref() } else { None }
            })
            .collect();
        let inner_sizes = &self.sizes[self.prefix..];
        let mut inner_strides = vec![1; inner_sizes.len()];
        for at in (0..inner_sizes.len().saturating_sub(1)).rev() {
            inner_strides[at] = inner_strides[at + 1] * inner_sizes[at + 1];
        }
        let cells = self.problem.shares_or_cells();
        let bounded = self.problem.cells.is_some();
        let mut levels = vec![0; n];
        let mut walker: Option<Walker<'_, N>> = None;
        let mut state = Unit {
            sure: vec![0; self.inner],
            penalties: vec![0.0; self.inner * n],
            best: None,
            checked: 0,
            explored: Explored::default(),
        };
        let mut best = seed.cloned();
        let mut seen = self.seen[unit].iter().peekable();
        let mut digits: Vec<usize> = inner_sizes.iter().map(|size| size - 1).collect();
        for node in (0..self.inner).rev() {
            self.levels(outer.iter().chain(&digits).copied(), &mut levels);
            let (own, done) = state.penalties.split_at_mut((node + 1) * n);
            let own = &mut own[node * n..];
            let mut sure = 0;
            let mut inherit = |more: u32, penalties: &[f64]| {
                sure = sure.max(more);
                for (own, more) in own.iter_mut().zip(penalties) {
                    *own = own.max(*more);
                }
            };
            for unit in above.iter().flatten() {
                inherit(unit.sure[node], &unit.penalties[node * n..(node + 1) * n]);
            }
            for (at, digit) in digits.iter().enumerate() {
                if digit + 1 < inner_sizes[at] {
                    let up = node + inner_strides[at];
                    let place = (up - node - 1) * n;
                    inherit(state.sure[up], &done[place..place + n]);
                }
            }
            let known = seen.next_if(|(at, _)| *at == node);
            if let Some((_, known)) = known {
                inherit(known.sure as u32, &known.penalties);
            }
            let rules_out = |own: &[f64]| {
                bounded && best.as_ref().is_some_and(|b| cells.hopeless(&levels, own, b.score))
            };
            let mut hopeless =
                known.is_some() || u64::from(sure) > self.problem.limit || rules_out(own);
            if !hopeless && bounded && sure > 0 {
                for (at, own) in own.iter_mut().enumerate() {
                    *own = own.max(cells.least_penalty(at, levels[at], sure.into()));
                }
                hopeless = rules_out(own);
            }
            if !hopeless && !control.stop() {
                let walker = walker.get_or_insert_with(|| self.walker(&levels));
                let score = best.as_ref().map_or(f64::INFINITY, |best| best.score);
                let verdict = walker.check(&levels, score);
                sure = sure.max(verdict.sure as u32);
                for (own, more) in own.iter_mut().zip(&walker.work.penalties) {
                    *own = own.max(*more);
                }
                state.explored.note(self.problem.rows, &levels, &verdict);
                if verdict.anonymous {
                    improve(&mut best, Best { score: verdict.score, levels: levels.clone() });
                }
            }
            state.sure[node] = sure;
            for (digit, size) in digits.iter_mut().zip(inner_sizes).rev() {
                if *digit > 0 {
                    *digit -= 1;
                    break;
                }
                *digit = size - 1;
            }
        }
        state.best = best;
        state.checked = walker.map_or(0, |walker| walker.checked);
        state
    }
}

/// Search all nodes.
pub(crate) fn search<const N: usize>(
    problem: &Problem<'_, N>,
    starts: &Starts<'_, N>,
    seed: Found,
    seen: &[Seen],
    control: &dyn Control,
) -> Found {
    let order = starts.order.as_slice();
    let lowest = problem.lowest.clone();
    let sizes: Vec<usize> = order
        .iter()
        .map(|at| problem.attributes[*at].highest - problem.attributes[*at].lowest + 1)
        .collect();
    let prefix = starts.prefix;
    let count = sizes[..prefix].iter().product();
    let inner = sizes[prefix..].iter().product();
    let by_unit = vec![Vec::new(); count];
    let mut lattice =
        Lattice { problem, starts, order, lowest, sizes, prefix, inner, seen: by_unit };
    for node in seen {
        let (unit, place) = lattice.place(&node.levels);
        lattice.seen[unit].push((place, node));
    }
    for nodes in &mut lattice.seen {
        nodes.sort_by_key(|(place, _)| core::cmp::Reverse(*place));
    }
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for unit in 0..count {
        let height: usize = Lattice::<N>::digits(unit, &lattice.sizes[..prefix]).iter().sum();
        waves.resize_with(waves.len().max(height + 1), Vec::new);
        waves[height].push(unit);
    }
    let mut units: Vec<Option<Unit>> = (0..count).map(|_| None).collect();
    let Found { mut best, mut checked, mut explored, .. } = seed;
    for wave in waves.iter().rev() {
        let done: Vec<Unit> = wave
            .par_iter()
            .map(|unit| lattice.unit(*unit, &units, best.as_ref(), control))
            .collect();
        for (at, mut unit) in wave.iter().zip(done) {
            checked += unit.checked;
            explored.merge(core::mem::take(&mut unit.explored));
            if let Some(found) = unit.best.take() {
                improve(&mut best, found);
            }
            units[*at] = Some(unit);
        }
        control.progress(checked, best.as_ref().map_or(f64::INFINITY, |b| b.score));
    }
    let optimal = !control.stop();
    let score = best.as_ref().map(|best| best.score);
    let bound =
        if optimal { score } else { bound::lower(problem, &[], score.unwrap_or(f64::INFINITY)) };
    Found { best, checked, optimal, bound, explored }
}

impl<const N: usize> Lattice<'_, N> {
    /// A walker that starts where the first attributes have their levels; that table is shared by all units.
    fn walker(&self, levels: &[usize]) -> Walker<'_, N> {
        let (start, from) = self.starts.at(levels);
        Walker::new(self.problem, self.order, start, from, self.starts.depth)
    }
}
