//! One node of the lattice: its classes, which of them are suppressed, and its score.

use crate::group::{Classes, Scratch, Step, group, group_all};
use crate::key::Field;
use crate::measure::{Aggregate, Cells, Measure};
use crate::model::Compiled;
use crate::table::Attribute;
use tally::Tally;

mod score;
mod tally;
mod whole;

/// A question made ready: bottom classes, tables of labels, costs, models.
pub(crate) struct Problem<'a, const N: usize> {
    pub(crate) base: &'a Classes<N>,
    pub(crate) fields: &'a [Field],
    pub(crate) attributes: &'a [Attribute],
    /// Lowest level of each attribute.
    pub(crate) lowest: Vec<usize>,
    /// Labels of level `to` for labels of level `from`: `[attribute][from][to - from]`.
    maps: Vec<Vec<Vec<Vec<u32>>>>,
    pub(crate) cells: Option<Cells>,
    pub(crate) shares: Cells,
    pub(crate) measure: Measure,
    pub(crate) compiled: &'a Compiled,
    /// Rows that may be suppressed.
    pub(crate) limit: u64,
    pub(crate) rows: u64,
}

/// What a node is worth.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) score: f64,
    pub(crate) suppressed: u64,
    /// Every node below suppresses as many rows at least.
    pub(crate) sure: u64,
    pub(crate) anonymous: bool,
    pub(crate) classes: u64,
    /// Smallest class that is kept; 0 if none is, or if the node is no solution.
    pub(crate) smallest: u64,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(crate) struct Work<const N: usize> {
    pub(crate) scratch: Scratch,
    pub(crate) child: Classes<N>,
    /// Per class: true if it is suppressed.
    pub(crate) failed: Vec<bool>,
    /// Classes that were grouped for the last node.
    pub(crate) grouped: usize,
    /// Penalties per attribute of the rows that every node below suppresses, too.
    pub(crate) penalties: Vec<f64>,
    /// Values of the attributes at the last node.
    pub(crate) values: Vec<f64>,
}

impl<'a, const N: usize> Problem<'a, N> {
    #[expect(clippy::too_many_arguments, reason = "called once, all of it is the question")]
    pub(crate) fn new(
        base: &'a Classes<N>,
        fields: &'a [Field],
        attributes: &'a [Attribute],
        compiled: &'a Compiled,
        measure: Measure,
        aggregate: Aggregate,
        gs_factor: f64,
        suppression: f64,
    ) -> Self {
        let leaves = column_counts(base, fields, attributes);
        let rows: u64 = base.counts.iter().map(|n| u64::from(*n)).sum();
        let maps = attributes
            .iter()
            .map(|attribute| {
                let levels = attribute.hierarchy.levels();
                (0..levels)
                    .map(|from| {
                        (from..levels).map(|to| attribute.hierarchy.step(from, to)).collect()
                    })
                    .collect()
            })
            .collect();
        let cells = |measure| Cells::new(measure, aggregate, gs_factor, attributes, &leaves);
        let shares = cells(Measure::Loss);
        let cells = measure.costs_cells().then(|| cells(measure));
        let limit = (suppression * rows as f64).floor() as u64;
        let lowest = attributes.iter().map(|a| a.lowest).collect();
        Self {
            base,
            fields,
            attributes,
            lowest,
            maps,
            cells,
            shares,
            measure,
            compiled,
            limit,
            rows,
        }
    }

    pub(crate) fn map(&self, attribute: usize, from: usize, to: usize) -> &[u32] {
        &self.maps[attribute][from][to - from]
    }

    pub(crate) fn step(&self, attribute: usize, from: usize, to: usize) -> Step<'_> {
        let root = self.attributes[attribute].hierarchy.labels(to) == 1;
        (self.fields[attribute], if root { &[] } else { self.map(attribute, from, to) })
    }

    /// At most so many classes can a node have.
    pub(crate) fn most_classes(&self, levels: impl Iterator<Item = usize>) -> u128 {
        levels
            .zip(self.attributes)
            .map(|(level, a)| a.hierarchy.labels(level) as u128)
            .fold(1, u128::saturating_mul)
    }

    pub(crate) fn highest(&self) -> Vec<usize> {
        self.attributes.iter().map(|a| a.highest).collect()
    }

    /// Group from `parent`, in the blocks that `cuts` makes of it, to the node at `to`, with distributions, for use as a
    /// parent. `from` has the levels of the parent.
    pub(crate) fn table(
        &self,
        (parent, cuts): (&Classes<N>, &[u32]),
        (from, to): (&[usize], &[usize]),
        child: &mut Classes<N>,
        scratch: &mut Scratch,
    ) {
        let steps = self.steps(from, to);
        let most = self.most_classes(to.iter().copied());
        group_all(parent, cuts, &steps, most, child, scratch, &self.compiled.values);
    }

    fn steps(&self, from: &[usize], to: &[usize]) -> Vec<Step<'_>> {
        (0..from.len())
            .filter(|at| from[*at] != to[*at])
            .map(|at| self.step(at, from[at], to[at]))
            .collect()
    }

    /// Judge the node at `to`, grouping from `parent` at `from`. With `best`, it is left as soon as it is known that
    /// neither it nor any node below can be a solution that scores less: then its figures are not for use, but for what
    /// it surely suppresses.
    pub(crate) fn check(
        &self,
        parent: &Classes<N>,
        from: &[usize],
        to: &[usize],
        best: Option<f64>,
        work: &mut Work<N>,
    ) -> Verdict {
        let steps = self.steps(from, to);
        if steps.is_empty() {
            return self.judge(parent, to, best, work);
        }
        self.judge_grouped(parent, &steps, to, (best, false), work)
    }

    /// Judge the node at `to` from the bottom classes: `work.child` holds its classes, and `work.scratch.child_of` the
    /// class that each bottom class went into.
    pub(crate) fn trace(&self, to: &[usize], work: &mut Work<N>) -> Verdict {
        let steps = self.steps(&vec![0; to.len()], to);
        if steps.is_empty() {
            work.child.keys.clone_from(&self.base.keys);
            work.child.counts.clone_from(&self.base.counts);
            work.scratch.child_of.clear();
            work.scratch.child_of.extend(0..self.base.keys.len() as u32);
            return self.judge(self.base, to, None, work);
        }
        self.judge_grouped(self.base, &steps, to, (None, true), work)
    }

    fn judge_grouped(
        &self,
        parent: &Classes<N>,
        steps: &[Step<'_>],
        to: &[usize],
        (best, trace): (Option<f64>, bool),
        work: &mut Work<N>,
    ) -> Verdict {
        let mut child = core::mem::take(&mut work.child);
        child.clear();
        work.failed.clear();
        let tests = !self.compiled.tests.is_empty();
        let most = self.most_classes(to.iter().copied());
        let relabel = work.scratch.prepare(steps, parent.keys.len());
        let mut tally = self.tally(to);
        let mut left = false;
        work.grouped = 0;
        for part in parent.parts(&parent.blocks) {
            let first = child.keys.len();
            work.grouped = part.end;
            group(parent, part, &relabel, most, &mut child, &mut work.scratch, tests || trace);
            let found = first..child.keys.len();
            let hasty = best.is_some();
            left = !self.count_small(&child, found, &mut tally, hasty, &mut work.failed)
                || self.leave(&tally, best, &mut work.penalties);
            if left {
                break;
            }
        }
        work.scratch.done(relabel);
        if tests && !left {
            work.scratch.sort_members(0..parent.keys.len(), 0..child.keys.len());
            left = !self.count_failing((&child, Some(parent)), &mut tally, best, work);
        }
        let verdict = self.verdict(&child, to, (best, left), tally, work);
        work.child = child;
        verdict
    }

    /// Judge the node of these classes.
    fn judge(
        &self,
        classes: &Classes<N>,
        levels: &[usize],
        best: Option<f64>,
        work: &mut Work<N>,
    ) -> Verdict {
        work.failed.clear();
        work.grouped = 0;
        let mut tally = self.tally(levels);
        let all = 0..classes.keys.len();
        let hasty = best.is_some();
        let mut left = !self.count_small(classes, all, &mut tally, hasty, &mut work.failed)
            || self.leave(&tally, best, &mut work.penalties);
        if !left && !self.compiled.tests.is_empty() {
            left = !self.count_failing((classes, None), &mut tally, best, work);
        }
        self.verdict(classes, levels, (best, left), tally, work)
    }

    fn verdict(
        &self,
        classes: &Classes<N>,
        levels: &[usize],
        (best, left): (Option<f64>, bool),
        mut tally: Tally<'_>,
        work: &mut Work<N>,
    ) -> Verdict {
        let Work { failed, penalties, values, .. } = work;
        self.hand_down(&tally, penalties);
        values.clear();
        if left || !self.suppress_whole(classes, levels, &mut tally, best, failed) {
            return Verdict::left(&tally);
        }
        let suppressed = tally.suppressed;
        let cells = self.shares_or_cells();
        for (at, level) in levels.iter().enumerate() {
            let penalty = cells.penalty(at, suppressed, tally.sums[at]);
            values.push(cells.value(at, *level, penalty));
        }
        let score = match &self.cells {
            Some(cells) => cells.aggregate.of(values, &cells.weights),
            None => self.class_score(classes, failed, levels, suppressed, tally.kept),
        };
        let anonymous = suppressed <= self.limit;
        let sizes = classes.counts.iter().zip(&*failed).filter(|(n, failed)| **n > 0 && !**failed);
        let smallest = if anonymous { sizes.map(|(n, _)| *n).min().unwrap_or(0) } else { 0 };
        let (sure, classes) = (tally.sure.max(tally.sure_rows), tally.kept);
        Verdict { score, suppressed, sure, anonymous, classes, smallest: smallest.into() }
    }

    pub(crate) fn shares_or_cells(&self) -> &Cells {
        self.cells.as_ref().unwrap_or(&self.shares)
    }
}

/// Rows per original value of each attribute.
fn column_counts<const N: usize>(
    base: &Classes<N>,
    fields: &[Field],
    attributes: &[Attribute],
) -> Vec<Vec<u64>> {
    let mut counts: Vec<Vec<u64>> =
        attributes.iter().map(|a| vec![0; a.hierarchy.labels(0)]).collect();
    for (key, count) in base.keys.iter().zip(&base.counts) {
        for (field, counts) in fields.iter().zip(&mut counts) {
            counts[field.get(key)] += u64::from(*count);
        }
    }
    counts
}
