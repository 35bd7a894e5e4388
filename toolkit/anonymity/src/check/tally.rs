//! What a node suppresses, counted block by block.

use super::{Problem, Verdict, Work};
use crate::group::{Classes, Scratch};
use crate::measure::Cells;
use crate::model::Class;
use core::ops::Range;

/// What is known of a node after some of its blocks.
#[derive(Debug)]
pub(super) struct Tally<'a> {
    /// Of each attribute at the node's level: what the labels cost.
    costs: Vec<&'a [u64]>,
    /// Rows that every node below suppresses, too, and the costs of their cells.
    pub(super) sure: u64,
    pub(super) sure_sums: Vec<u64>,
    /// All rows that are suppressed, and the costs of their cells.
    pub(super) suppressed: u64,
    pub(super) sums: Vec<u64>,
    /// Rows that every node below suppresses at least, whichever they are; 0 if those of `sure` are all that is known.
    pub(super) sure_rows: u64,
    /// Classes that are kept.
    pub(super) kept: u64,
}

impl<const N: usize> Problem<'_, N> {
    /// Nothing counted yet.
    pub(super) fn tally(&self, levels: &[usize]) -> Tally<'_> {
        let attributes = &self.shares_or_cells().attributes;
        let costs = attributes.iter().zip(levels).map(|(a, level)| a.cost[*level].as_slice());
        let zero = vec![0; levels.len()];
        Tally {
            costs: costs.collect(),
            sure: 0,
            sure_sums: zero.clone(),
            suppressed: 0,
            sums: zero,
            sure_rows: 0,
            kept: 0,
        }
    }

    /// Count the classes of a block that are too small. False if, with `hasty`, it was left because more rows are surely
    /// suppressed than may be.
    pub(super) fn count_small(
        &self,
        classes: &Classes<N>,
        block: Range<usize>,
        tally: &mut Tally<'_>,
        hasty: bool,
        failed: &mut Vec<bool>,
    ) -> bool {
        let k = self.compiled.k;
        if hasty {
            let counts = &classes.counts[block.clone()];
            let small: u64 = counts.iter().map(|n| u64::from(if *n < k { *n } else { 0 })).sum();
            if tally.sure + small > self.limit {
                tally.sure += small;
                return false;
            }
        }
        failed.resize(block.end, false);
        let Tally { costs, sure, sure_sums, suppressed, sums, kept, .. } = tally;
        for at in block {
            let count = classes.counts[at];
            if count < k {
                failed[at] = true;
                let (rows, key) = (u64::from(count), &classes.keys[at]);
                *sure += rows;
                *suppressed += rows;
                let both = sure_sums.iter_mut().zip(&mut *sums);
                for (((sure, sum), field), cost) in both.zip(self.fields).zip(&*costs) {
                    let cost = rows * cost[field.get(key)];
                    *sure += cost;
                    *sum += cost;
                }
            } else if count > 0 {
                *kept += 1;
            }
        }
        true
    }

    /// Count the classes that are large enough and fail a test; their distributions are those of `parent`, gathered, or
    /// their own. False if, with `best`, the node was left.
    pub(super) fn count_failing(
        &self,
        (classes, parent): (&Classes<N>, Option<&Classes<N>>),
        tally: &mut Tally<'_>,
        best: Option<f64>,
        work: &mut Work<N>,
    ) -> bool {
        let least = u64::from(self.compiled.k.max(1));
        for (at, count) in classes.counts.iter().enumerate() {
            let count = u64::from(*count);
            if count < least {
                continue;
            }
            // How many of its records fail in every node below, too.
            let Some(surely) = self.fails(classes, parent, at, count, &mut work.scratch) else {
                continue;
            };
            work.failed[at] = true;
            tally.kept -= 1;
            tally.sure += surely;
            tally.suppressed += count;
            if best.is_some() && tally.sure > self.limit {
                return false;
            }
            let both = tally.sure_sums.iter_mut().zip(&mut tally.sums);
            for (((sure, sum), field), cost) in both.zip(self.fields).zip(&tally.costs) {
                let cost = cost[field.get(&classes.keys[at])];
                *sure += surely * cost;
                *sum += count * cost;
            }
            if at % 256 == 255 && self.leave(tally, best, &mut work.penalties) {
                return false;
            }
        }
        true
    }

    /// Is it known that no node from here on down can score less than `best`?
    pub(super) fn leave(
        &self,
        tally: &Tally<'_>,
        best: Option<f64>,
        penalties: &mut Vec<f64>,
    ) -> bool {
        let (Some(best), Some(cells)) = (best, &self.cells) else { return false };
        if tally.sure == 0 {
            return false;
        }
        self.hand_down(tally, penalties);
        cells.hopeless(&self.lowest, penalties, best)
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
                let lost = (share * count as f64 - 1e-6).ceil().max(0.0) as u64;
                // Fewer than k make no class.
                let kept = count.saturating_sub(lost);
                return Some(if kept < u64::from(self.compiled.k) { count } else { lost });
            }
        }
        None
    }

    /// Suppress what the conditions on all kept classes ask for. What one suppresses may undo another: until all hold.
    /// False if, with `best`, the node was left.
    pub(super) fn suppress_whole(
        &self,
        classes: &Classes<N>,
        levels: &[usize],
        tally: &mut Tally<'_>,
        best: Option<f64>,
        failed: &mut [bool],
    ) -> bool {
        let alone = self.compiled.whole.len() == 1;
        let mut again = true;
        while again {
            again = false;
            for whole in &self.compiled.whole {
                let Some(cut) = whole.cut(&classes.counts, failed) else { continue };
                let rows = tally.suppressed + cut.rows;
                if alone && whole.monotone() && self.compiled.tests.is_empty() {
                    tally.sure_rows = rows;
                }
                if let Some(best) = best {
                    let least = |(at, level): (usize, &usize)| {
                        self.shares_or_cells().least_penalty(at, *level, rows)
                    };
                    let worse = |cells: &Cells| {
                        let penalties: Vec<f64> = levels.iter().enumerate().map(least).collect();
                        cells.hopeless(levels, &penalties, best)
                    };
                    if rows > self.limit || self.cells.as_ref().is_some_and(worse) {
                        return false;
                    }
                }
                tally.suppressed = rows;
                again |= !alone;
                for at in self.of_cut(cut, classes, failed, levels) {
                    let at = at as usize;
                    failed[at] = true;
                    let count = u64::from(classes.counts[at]);
                    tally.kept -= 1;
                    let costs = tally.sums.iter_mut().zip(self.fields).zip(&tally.costs);
                    for ((sum, field), cost) in costs {
                        *sum += count * cost[field.get(&classes.keys[at])];
                    }
                }
            }
        }
        true
    }

    /// Hand down what is sure so far.
    pub(super) fn hand_down(&self, tally: &Tally<'_>, penalties: &mut Vec<f64>) {
        let cells = self.shares_or_cells();
        penalties.clear();
        let sums = tally.sure_sums.iter().enumerate();
        penalties.extend(sums.map(|(at, sum)| cells.penalty(at, tally.sure, *sum)));
    }
}

impl Verdict {
    /// Of a node that was left before its end: neither it nor any node below is wanted.
    pub(super) fn left(tally: &Tally<'_>) -> Self {
        let (score, sure) = (f64::INFINITY, tally.sure.max(tally.sure_rows));
        Self { score, suppressed: sure, sure, anonymous: false, classes: 0, smallest: 0 }
    }
}
