//! Tables that many nodes are grouped from: the classes with the levels of the first attributes, each made when it is
//! first needed and shared by all threads.

use super::optimal::order;
use crate::check::Problem;
use crate::group::{Classes, Scratch};
use std::sync::OnceLock;

/// Combinations that all tables together may hold at most, if none merged any.
const MOST: usize = 20_000_000;

/// The tables of one problem.
#[derive(Debug)]
pub(crate) struct Starts<'a, const N: usize> {
    problem: &'a Problem<'a, N>,
    /// All attributes, the one that is raised first at the front.
    pub(crate) order: Vec<usize>,
    /// `tables[d]`: the first `d + 1` attributes raised, by their levels.
    tables: Vec<Vec<OnceLock<Classes<N>>>>,
}

impl<'a, const N: usize> Starts<'a, N> {
    /// None made yet. Raises up to two attributes, fewer if the tables would be too many for memory.
    pub(crate) fn new(problem: &'a Problem<'a, N>) -> Self {
        let order = order(problem);
        let mut tables = Vec::new();
        let mut count = 1;
        for at in order.iter().take(2) {
            count *= problem.attributes[*at].hierarchy.levels();
            if tables.is_empty() || count.saturating_mul(problem.base.keys.len()) <= MOST {
                tables.push((0..count).map(|_| OnceLock::new()).collect());
            }
        }
        Self { problem, order, tables }
    }

    /// Attributes that are raised in the tables.
    pub(crate) fn depth(&self) -> usize {
        self.tables.len()
    }

    /// The table with the first `depth` attributes at the levels of the node `to`, and its levels.
    pub(crate) fn at(&self, to: &[usize], depth: usize) -> (&Classes<N>, Vec<usize>) {
        let mut from = vec![0; to.len()];
        let mut table = self.problem.base;
        let mut place = 0;
        for (tables, at) in self.tables.iter().zip(&self.order).take(depth) {
            place = place * self.problem.attributes[*at].hierarchy.levels() + to[*at];
            if to[*at] == 0 {
                continue;
            }
            let before = from.clone();
            from[*at] = to[*at];
            table = tables[place].get_or_init(|| {
                let (mut start, mut scratch) = (Classes::default(), Scratch::default());
                self.problem.table(table, &before, &from, &mut start, &mut scratch);
                start
            });
        }
        (table, from)
    }
}
