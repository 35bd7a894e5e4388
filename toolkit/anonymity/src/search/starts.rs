//! Tables that many nodes are grouped from: the classes with the levels of the first attributes, each made when it is
//! first needed and shared by all threads.

use super::optimal::order;
use crate::check::Problem;
use crate::group::{Classes, Scratch};
use crate::measure::{Measure, histogram};
use std::sync::OnceLock;

/// Combinations that all tables together may hold at most, if none merged any.
const MOST: usize = 20_000_000;

/// Units that are enough for many threads, and few enough that a unit's start is soon worth its while.
const UNITS: usize = 60;

/// Fewer blocks are too few to leave a node early.
const FEW_BLOCKS: usize = 8;

/// The tables of one problem. Unless conditions look at all classes in the order of their first rows, they are in blocks
/// of classes with the same labels of the attributes that are raised in them.
#[derive(Debug)]
pub(crate) struct Starts<'a, const N: usize> {
    problem: &'a Problem<'a, N>,
    /// All attributes, the one that is raised first at the front.
    pub(crate) order: Vec<usize>,
    /// So many of the first attributes make up the units of the optimal search.
    pub(crate) prefix: usize,
    /// So many of the first attributes are raised in the tables.
    pub(crate) depth: usize,
    /// Keep the order of the first rows.
    plain: bool,
    /// Of these attributes, per level: the ranks of the labels, so that those of one label of a higher level stay
    /// together, rare ones first.
    ranks: Vec<Vec<Vec<u32>>>,
    /// The bottom classes by these ranks.
    bottom: OnceLock<Classes<N>>,
    /// With the first attribute raised, by its level.
    halves: Vec<OnceLock<Classes<N>>>,
    /// With both, by their levels.
    tables: Vec<OnceLock<Classes<N>>>,
}

impl<'a, const N: usize> Starts<'a, N> {
    /// None made yet. Raises up to two attributes, fewer if the tables would be too many for memory.
    pub(crate) fn new(problem: &'a Problem<'a, N>) -> Self {
        let order = order(problem);
        let levels = |at: usize| problem.attributes[at].hierarchy.levels();
        let range = |at: usize| problem.attributes[at].highest - problem.lowest[at] + 1;
        let (mut prefix, mut units) = (0, 1);
        while prefix + 1 < order.len() && units < UNITS {
            units *= range(order[prefix]);
            prefix += 1;
        }
        let (mut depth, mut count) = (0, 1);
        for at in order.iter().take(prefix.min(2)) {
            let more = count * levels(*at);
            if depth == 0 || more.saturating_mul(problem.base.keys.len()) <= MOST {
                (depth, count) = (depth + 1, more);
            }
        }
        // Conditions on all classes, and a sum over all classes that is not exact.
        let plain = !problem.compiled.whole.is_empty() || problem.measure == Measure::Ambiguity;
        let none = |count| (0..count).map(|_| OnceLock::new()).collect();
        Self {
            ranks: order[..depth].iter().map(|at| ranks(problem, *at)).collect(),
            bottom: OnceLock::new(),
            halves: none(if depth > 0 { levels(order[0]) } else { 0 }),
            tables: none(if depth > 1 { count } else { 0 }),
            problem,
            order,
            prefix,
            depth,
            plain,
        }
    }

    /// The table with the first `depth` attributes at the levels of the node `to`, and its levels.
    pub(crate) fn at(&self, to: &[usize]) -> (&Classes<N>, Vec<usize>) {
        let mut from = vec![0; to.len()];
        for at in &self.order[..self.depth] {
            from[*at] = to[*at];
        }
        let table = match self.order[..self.depth] {
            [] => self.problem.base,
            [_] => self.half(&from),
            _ => self.whole(&from),
        };
        (table, from)
    }

    /// Where neighbours differ in the labels of some of the first attributes at these levels.
    fn cuts(&self, table: &Classes<N>, attributes: &[usize], maps: &[&[u32]]) -> Vec<u32> {
        table.cuts(|a, b| {
            attributes.iter().zip(maps).any(|(at, map)| {
                let field = self.problem.fields[*at];
                map[field.get(a)] != map[field.get(b)]
            })
        })
    }

    /// Sorted by the labels of the first attributes at the levels `to`, and cut there.
    fn sorted(&self, table: &Classes<N>, to: &[usize]) -> Classes<N> {
        let attributes = &self.order[..self.depth];
        let ranks: Vec<&[u32]> = attributes
            .iter()
            .zip(&self.ranks)
            .map(|(at, ranks)| ranks[to[*at]].as_slice())
            .collect();
        let by: Vec<_> = attributes
            .iter()
            .zip(&ranks)
            .map(|(at, ranks)| (self.problem.fields[*at], *ranks))
            .collect();
        let mut sorted = table.sorted(&by);
        sorted.blocks = self.cuts(&sorted, attributes, &ranks);
        sorted
    }

    /// The bottom classes, sorted unless their order is wanted.
    fn bottom(&self) -> &Classes<N> {
        if self.plain {
            return self.problem.base;
        }
        let levels = vec![0; self.problem.attributes.len()];
        self.bottom.get_or_init(|| self.sorted(self.problem.base, &levels))
    }

    /// With the first attribute at its level in `to`.
    fn half(&self, to: &[usize]) -> &Classes<N> {
        let first = self.order[0];
        if to[first] == 0 {
            return self.bottom();
        }
        self.halves[to[first]].get_or_init(|| {
            let bottom = self.bottom();
            let mut levels = vec![0; to.len()];
            levels[first] = to[first];
            let cuts = if self.plain {
                Vec::new()
            } else {
                self.cuts(bottom, &[first], &[self.problem.map(first, 0, to[first])])
            };
            self.group(bottom, &cuts, &vec![0; to.len()], &levels)
        })
    }

    /// With the first two attributes at their levels in `to`.
    fn whole(&self, to: &[usize]) -> &Classes<N> {
        let (first, second) = (self.order[0], self.order[1]);
        let half = self.half(to);
        let enough = |table: &Classes<N>| self.plain || table.blocks.len() >= FEW_BLOCKS;
        if to[second] == 0 && enough(half) {
            return half;
        }
        let place = to[first] * self.problem.attributes[second].hierarchy.levels() + to[second];
        self.tables[place].get_or_init(|| {
            if to[second] == 0 {
                return self.sorted(half, to);
            }
            let mut levels = vec![0; to.len()];
            levels[first] = to[first];
            // The blocks of the bottom classes are by both attributes.
            let cuts = if to[first] == 0 && !self.plain {
                self.cuts(half, &[first], &[self.problem.map(first, 0, 0)])
            } else {
                half.blocks.clone()
            };
            let table = self.group(half, &cuts, &levels, to);
            if enough(&table) { table } else { self.sorted(&table, to) }
        })
    }

    fn group(&self, start: &Classes<N>, cuts: &[u32], from: &[usize], to: &[usize]) -> Classes<N> {
        let (mut table, mut scratch) = (Classes::default(), Scratch::default());
        self.problem.table((start, cuts), (from, to), &mut table, &mut scratch);
        table
    }
}

/// The ranks of the labels of an attribute, per level: by the rank of the label above, then by rows.
fn ranks<const N: usize>(problem: &Problem<'_, N>, at: usize) -> Vec<Vec<u32>> {
    let attribute = &problem.attributes[at];
    let mut leaves = vec![0; attribute.hierarchy.labels(0)];
    for (key, count) in problem.base.keys.iter().zip(&problem.base.counts) {
        leaves[problem.fields[at].get(key)] += u64::from(*count);
    }
    let rows = histogram(attribute, &leaves);
    let mut ranks: Vec<Vec<u32>> = rows.iter().map(|rows| vec![0; rows.len()]).collect();
    for level in (0..rows.len()).rev() {
        let above = |label: u32| match ranks.get(level + 1) {
            Some(ranks) => ranks[problem.map(at, level, level + 1)[label as usize] as usize],
            None => 0,
        };
        let mut labels: Vec<(u32, u64, u32)> = (0..rows[level].len() as u32)
            .map(|label| (above(label), rows[level][label as usize], label))
            .collect();
        labels.sort_unstable();
        for (rank, (_, _, label)) in labels.into_iter().enumerate() {
            ranks[level][label as usize] = rank as u32;
        }
    }
    ranks
}
