//! One node of the lattice: its classes, which of them are suppressed, and its score.

use crate::group::{Classes, Scratch, Step, group, group_all};
use crate::key::Field;
use crate::measure::{Aggregate, Cells, Measure};
use crate::model::{Class, Compiled};
use crate::table::Attribute;

mod score;
mod whole;

/// A question made ready: bottom classes, tables of labels, costs, models.
pub(crate) struct Problem<'a, const N: usize> {
    pub(crate) base: &'a Classes<N>,
    pub(crate) fields: &'a [Field],
    pub(crate) attributes: &'a [Attribute],
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
    /// Rows that every node below suppresses, too.
    pub(crate) sure: u64,
    pub(crate) anonymous: bool,
    pub(crate) classes: u64,
    /// Smallest class that is kept; 0 if none is, or if the node is no solution.
    pub(crate) smallest: u64,
}

impl Verdict {
    /// Of a node that surely suppresses more rows than it may.
    fn too_many(sure: u64) -> Self {
        let (score, suppressed) = (f64::INFINITY, sure);
        Self { score, suppressed, sure, anonymous: false, classes: 0, smallest: 0 }
    }
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(crate) struct Work<const N: usize> {
    pub(crate) scratch: Scratch,
    pub(crate) child: Classes<N>,
    /// Per class: true if it is suppressed.
    pub(crate) failed: Vec<bool>,
    kept_sums: Vec<u64>,
    sure_sums: Vec<u64>,
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
        Self { base, fields, attributes, maps, cells, shares, measure, compiled, limit, rows }
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

    /// Group from `parent` (at `from`) to the node at `to`, with distributions, for use as a parent.
    pub(crate) fn table(
        &self,
        parent: &Classes<N>,
        from: &[usize],
        to: &[usize],
        child: &mut Classes<N>,
        scratch: &mut Scratch,
    ) {
        let steps = self.steps(from, to);
        let most = self.most_classes(to.iter().copied());
        group_all(parent, &steps, most, child, scratch, &self.compiled.values);
    }

    fn steps(&self, from: &[usize], to: &[usize]) -> Vec<Step<'_>> {
        (0..from.len())
            .filter(|at| from[*at] != to[*at])
            .map(|at| self.step(at, from[at], to[at]))
            .collect()
    }

    /// Judge the node at `to`, grouping from `parent` at `from`. Unless `thorough`, a node that surely suppresses
    /// more than it may is left there: its other figures are not for use.
    pub(crate) fn check(
        &self,
        parent: &Classes<N>,
        from: &[usize],
        to: &[usize],
        thorough: bool,
        work: &mut Work<N>,
    ) -> Verdict {
        let steps = self.steps(from, to);
        if steps.is_empty() {
            return self.judge(parent, None, to, thorough, work);
        }
        self.check_group(parent, &steps, to, (thorough, false), work)
    }

    /// Judge the node at `to`, thoroughly, from the bottom classes: `work.child` holds its classes, and
    /// `work.scratch.child_of` the class that each bottom class went into.
    pub(crate) fn trace(&self, to: &[usize], work: &mut Work<N>) -> Verdict {
        let steps = self.steps(&vec![0; to.len()], to);
        if steps.is_empty() {
            work.child.keys.clone_from(&self.base.keys);
            work.child.counts.clone_from(&self.base.counts);
            work.scratch.child_of.clear();
            work.scratch.child_of.extend(0..self.base.keys.len() as u32);
            return self.judge(self.base, None, to, true, work);
        }
        self.check_group(self.base, &steps, to, (true, true), work)
    }

    fn check_group(
        &self,
        parent: &Classes<N>,
        steps: &[Step<'_>],
        to: &[usize],
        (thorough, trace): (bool, bool),
        work: &mut Work<N>,
    ) -> Verdict {
        let mut child = core::mem::take(&mut work.child);
        let tests = !self.compiled.tests.is_empty();
        let most = self.most_classes(to.iter().copied());
        group(parent, steps, most, &mut child, &mut work.scratch, tests || trace);
        if tests {
            work.scratch.sort_members(child.keys.len());
        }
        let verdict = self.judge(&child, Some(parent), to, thorough, work);
        work.child = child;
        verdict
    }

    /// Judge classes whose distributions are those of `parent`, gathered, or their own.
    fn judge(
        &self,
        classes: &Classes<N>,
        parent: Option<&Classes<N>>,
        levels: &[usize],
        thorough: bool,
        work: &mut Work<N>,
    ) -> Verdict {
        let Work { scratch, failed, kept_sums, sure_sums, penalties, values, .. } = work;
        failed.clear();
        for sums in [&mut *kept_sums, &mut *sure_sums] {
            sums.clear();
            sums.resize(levels.len(), 0);
        }
        let costs: Vec<&[u64]> = (0..levels.len())
            .map(|at| self.shares_or_cells().attributes[at].cost[levels[at]].as_slice())
            .collect();
        let add = |sums: &mut [u64], key: &[u64; N], count: u64| {
            for ((sum, field), cost) in sums.iter_mut().zip(self.fields).zip(&costs) {
                *sum += count * cost[field.get(key)];
            }
        };
        let (mut suppressed, mut sure, mut kept) = (0_u64, 0_u64, 0_u64);
        let k = u64::from(self.compiled.k);
        let counts = || classes.counts.iter().map(|count| u64::from(*count)).enumerate();
        if !thorough {
            let sure = counts().map(|(_, count)| if count < k { count } else { 0 }).sum();
            if sure > self.limit {
                penalties.clear();
                return Verdict::too_many(sure);
            }
        }
        failed.resize(classes.keys.len(), false);
        for (at, count) in counts() {
            if count < k {
                failed[at] = true;
                sure += count;
                add(sure_sums, &classes.keys[at], count);
            } else if count > 0 {
                kept += 1;
            }
        }
        if !self.compiled.tests.is_empty() {
            for (at, count) in counts().filter(|(_, count)| *count >= k.max(1)) {
                // How many of its records fail in every node below, too.
                let Some(surely) = self.fails(classes, parent, at, count, scratch) else {
                    continue;
                };
                failed[at] = true;
                kept -= 1;
                sure += surely;
                if sure > self.limit && !thorough {
                    break;
                }
                if surely > 0 {
                    add(sure_sums, &classes.keys[at], surely);
                }
                if surely < count {
                    suppressed += count - surely;
                    add(kept_sums, &classes.keys[at], count - surely);
                }
            }
        }
        suppressed += sure;
        // What one condition suppresses may undo another: until all hold.
        let mut again = !self.compiled.whole.is_empty();
        while again {
            again = false;
            for whole in &self.compiled.whole {
                for at in self.enforce(*whole, classes, failed, levels) {
                    again = self.compiled.whole.len() > 1;
                    failed[at as usize] = true;
                    let count = u64::from(classes.counts[at as usize]);
                    suppressed += count;
                    kept -= 1;
                    add(kept_sums, &classes.keys[at as usize], count);
                }
            }
        }
        let cells = self.shares_or_cells();
        penalties.clear();
        values.clear();
        for at in 0..levels.len() {
            penalties.push(cells.penalty(at, sure, sure_sums[at]));
            let penalty = cells.penalty(at, suppressed, sure_sums[at] + kept_sums[at]);
            values.push(cells.value(at, levels[at], penalty));
        }
        let score = match &self.cells {
            Some(cells) => cells.aggregate.of(values, &cells.weights),
            None => self.class_score(classes, failed, levels, suppressed, kept),
        };
        let anonymous = suppressed <= self.limit;
        let sizes = || counts().filter(|(at, n)| *n > 0 && !failed[*at]).map(|(_, n)| n);
        let smallest = if anonymous { sizes().min().unwrap_or(0) } else { 0 };
        Verdict { score, suppressed, sure, anonymous, classes: kept, smallest }
    }

    pub(crate) fn shares_or_cells(&self) -> &Cells {
        self.cells.as_ref().unwrap_or(&self.shares)
    }

    /// Does a class fail a test, and if so, how many of its records at least fail however it is split?
    fn fails(
        &self,
        classes: &Classes<N>,
        parent: Option<&Classes<N>>,
        class: usize,
        count: u64,
        scratch: &mut Scratch,
    ) -> Option<u64> {
        let mut loaded = None;
        let mut size = count;
        for (distribution, test) in &self.compiled.tests {
            if loaded != Some(*distribution) {
                let values = self.compiled.values[*distribution];
                match parent {
                    Some(parent) => {
                        scratch.gather(&parent.distributions[*distribution], class, values);
                    }
                    None => scratch.load(classes.distributions[*distribution].of(class), values),
                }
                size = scratch.touched.iter().map(|v| u64::from(scratch.dense[*v as usize])).sum();
                loaded = Some(*distribution);
            }
            let (totals, rows) = &self.compiled.totals[*distribution];
            let Scratch { touched, dense, buffer, .. } = &mut *scratch;
            let class = Class { touched, counts: dense, size };
            if let Some(share) = test.fails(&class, totals, *rows, buffer) {
                return Some((share * count as f64 - 1e-6).ceil().max(0.0) as u64);
            }
        }
        None
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
