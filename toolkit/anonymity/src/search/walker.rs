//! Walks over nodes and keeps the classes of its way: a node is grouped from the classes of the node that
//! agrees with it in all but the last attribute.

use crate::check::{Problem, Verdict, Work};
use crate::group::Classes;

/// The classes on the way from the bottom to the present node, one attribute after the other.
#[derive(Debug)]
pub(crate) struct Walker<'a, const N: usize> {
    problem: &'a Problem<'a, N>,
    /// Attributes, the one that is raised first at the front.
    order: &'a [usize],
    /// Where the way starts, and the levels there.
    start: &'a Classes<N>,
    from: Vec<usize>,
    /// Attributes whose level the start already has.
    fixed: usize,
    /// `tables[j]`: the first `fixed + j + 1` attributes raised.
    tables: Vec<Classes<N>>,
    /// Which table stands for `tables[j]` (0 = the start, i + 1 = table i), since level 0 needs no grouping.
    real: Vec<usize>,
    /// Levels along the way, in the order of `order`; valid up to `valid`.
    way: Vec<usize>,
    valid: usize,
    /// Levels of the node before, in the same order.
    last: Vec<usize>,
    /// `spent[j]`: classes that were grouped for nodes which `tables[j]` would have served. It is made when that is as much
    /// as making it costs.
    spent: Vec<usize>,
    pub(crate) work: Work<N>,
    pub(crate) checked: u64,
}

impl<const N: usize> core::fmt::Debug for Problem<'_, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Problem").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<'a, const N: usize> Walker<'a, N> {
    pub(crate) fn new(
        problem: &'a Problem<'a, N>,
        order: &'a [usize],
        start: &'a Classes<N>,
        from: Vec<usize>,
        fixed: usize,
    ) -> Self {
        let middle = (order.len() - fixed).saturating_sub(1);
        Self {
            problem,
            order,
            start,
            from,
            fixed,
            tables: (0..middle).map(|_| Classes::default()).collect(),
            real: vec![0; middle],
            way: vec![usize::MAX; middle],
            valid: 0,
            last: vec![usize::MAX; middle],
            spent: vec![0; middle],
            work: Work::default(),
            checked: 0,
        }
    }

    /// Judge the node with these levels, or leave it when it is known to be no better than `best`; the levels of the
    /// fixed attributes must be the ones of the start.
    pub(crate) fn check(&mut self, levels: &[usize], best: f64) -> Verdict {
        self.checked += 1;
        let middle = self.way.len();
        let level_at = |at: usize| levels[self.order[self.fixed + at]];
        let again = (0..middle).find(|at| self.last[*at] != level_at(*at)).unwrap_or(middle);
        let same = (0..self.valid).find(|at| self.way[*at] != level_at(*at)).unwrap_or(self.valid);
        for at in 0..middle {
            self.last[at] = level_at(at);
        }
        self.spent[again..].fill(0);
        let mut at_levels = self.from.clone();
        for at in 0..same {
            let attribute = self.order[self.fixed + at];
            at_levels[attribute] = levels[attribute];
        }
        let mut reached = same.max(again);
        for at in same..again {
            let attribute = self.order[self.fixed + at];
            let before = if at == 0 { 0 } else { self.real[at - 1] };
            let level = levels[attribute];
            self.way[at] = level;
            if level == self.from[attribute] {
                self.real[at] = before;
                continue;
            }
            let (lower, upper) = self.tables.split_at_mut(at);
            let parent = if before == 0 { self.start } else { &lower[before - 1] };
            if self.spent[at] < parent.keys.len() {
                reached = at;
                break;
            }
            let mut to = at_levels.clone();
            to[attribute] = level;
            let scratch = &mut self.work.scratch;
            self.problem.table((parent, &parent.blocks), (&at_levels, &to), &mut upper[0], scratch);
            self.real[at] = at + 1;
            at_levels = to;
        }
        self.valid = reached;
        let last = if reached == 0 { 0 } else { self.real[reached - 1] };
        let parent = if last == 0 { self.start } else { &self.tables[last - 1] };
        let verdict = self.problem.check(parent, &at_levels, levels, Some(best), &mut self.work);
        for spent in &mut self.spent[reached..] {
            *spent += self.work.grouped;
        }
        verdict
    }
}
