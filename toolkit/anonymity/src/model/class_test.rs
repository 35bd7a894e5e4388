//! The tests of one class.

use super::{Test, Tree};
use std::sync::Arc;

/// One class as a test sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Class<'a> {
    /// Its values, ascending.
    pub(crate) touched: &'a [u32],
    /// Counts by value.
    pub(crate) counts: &'a [u32],
    /// Their sum.
    pub(crate) size: u64,
}

impl Test {
    /// Does a class fail, and if so, which share of its records at least fails however the class is split? `table`
    /// has the counts of all values in the table, `rows` their sum.
    ///
    /// All tests but δ-presence are closed under union: classes that hold make up a set of records that holds (distances
    /// and shares are convex, entropy is concave, f1 and the tail of (c,l) add up the right way). So what the parts of a
    /// class can keep is at most the largest subset of its records that holds, see [`most`].
    pub(crate) fn fails(
        &self,
        class: &Class<'_>,
        table: &[u32],
        rows: u64,
        buffer: &mut Buffer,
    ) -> Option<f64> {
        let Class { touched, counts, size } = *class;
        let size_f = size as f64;
        let rows_f = rows as f64;
        let count = |value: &u32| f64::from(counts[*value as usize]);
        let share = |value: &u32| f64::from(table[*value as usize]) / rows_f;
        let lost = |kept: f64| ((size_f - kept) / size_f).clamp(0.0, 1.0);
        match self {
            Self::Distinct(l) => (touched.len() < *l as usize).then_some(1.0),
            Self::Entropy { l, products } => {
                let product = |n: u32| products.of(n);
                let sum: f64 = touched.iter().map(|v| product(counts[*v as usize])).sum();
                let holds = size_f * (size_f.ln() - l.ln()) >= sum;
                (!holds).then(|| {
                    let sorted = buffer.sorted(touched, counts);
                    lost(most_by_entropy(sorted, *l, product))
                })
            }
            Self::Recursive { c, l } => {
                if touched.len() < *l {
                    return Some(1.0);
                }
                let sorted = buffer.sorted(touched, counts);
                let tail: u64 = sorted[l - 1..].iter().map(|n| u64::from(*n)).sum();
                let holds = f64::from(sorted[0]) < c * tail as f64;
                (!holds).then(|| lost(most_by_tail(sorted, *c, *l)))
            }
            Self::Equal(t) => (variation(class, table, rows) > *t).then(|| {
                buffer.fill(touched.iter().map(|v| (count(v), share(v))));
                lost(most(&buffer.nodes, &buffer.most_of, size_f, 1.0 - t))
            }),
            Self::Hierarchical { t, tree } => {
                (tree.distance(class, rows, *t, buffer) > *t).then(|| {
                    let need = tree.height as f64 * (1.0 - t);
                    lost(most(&buffer.nodes, &tree.shares, size_f, need))
                })
            }
            Self::Ordered { t, rank } => {
                let mut carried = 0.0_f64;
                let mut distance = 0.0;
                for value in rank.iter() {
                    let n = counts.get(*value as usize).copied().unwrap_or(0);
                    carried += f64::from(n) / size_f - share(value);
                    distance += carried.abs();
                }
                let limit = t * (rank.len() as f64 - 1.0).max(1.0);
                (distance > limit).then(|| lost(most_in_order(rank, class, (table, rows_f), limit)))
            }
            Self::Disclosure(delta) => {
                let fails = |value: &u32| {
                    let ratio = count(value) / size_f / share(value);
                    ratio.log2().abs() >= *delta
                };
                touched.iter().any(fails).then(|| {
                    let most_of = |v| share(v) * delta.exp2();
                    buffer.fill(touched.iter().map(|v| (count(v), most_of(v))));
                    lost(most(&buffer.nodes, &buffer.most_of, size_f, 1.0))
                })
            }
            Self::Beta { beta, enhanced } => {
                let limit = |q: f64| if *enhanced { beta.min(-q.ln()) } else { *beta };
                let fails = |value: &u32| {
                    let q = share(value);
                    (count(value) / size_f - q) / q > limit(q)
                };
                touched.iter().any(fails).then(|| {
                    let most_of = |v| share(v) * (1.0 + limit(share(v)));
                    buffer.fill(touched.iter().map(|v| (count(v), most_of(v))));
                    lost(most(&buffer.nodes, &buffer.most_of, size_f, 1.0))
                })
            }
            Self::Presence { min, max } => {
                let inside = f64::from(counts.first().copied().unwrap_or(0)) / size_f;
                (!(*min..=*max).contains(&inside)).then_some(0.0)
            }
            Self::MapAtLeast(k) => (size < u64::from(*k)).then_some(1.0),
        }
    }
}

/// Space that a thread uses again for every class.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Counts of values or nodes.
    nodes: Vec<f64>,
    /// How large the share of each may be.
    most_of: Vec<f64>,
    sorted: Vec<u32>,
}

impl Buffer {
    fn fill(&mut self, pairs: impl Iterator<Item = (f64, f64)>) {
        self.nodes.clear();
        self.most_of.clear();
        for (count, share) in pairs {
            self.nodes.push(count);
            self.most_of.push(share);
        }
    }

    /// Counts of the values, falling.
    fn sorted(&mut self, touched: &[u32], counts: &[u32]) -> &[u32] {
        self.sorted.clear();
        self.sorted.extend(touched.iter().map(|value| counts[*value as usize]));
        self.sorted.sort_unstable_by(|a, b| b.cmp(a));
        &self.sorted
    }
}

/// n ln n of small whole numbers.
#[derive(Debug, Clone)]
pub(crate) struct Products(Arc<Vec<f64>>);

impl Products {
    pub(crate) fn new() -> Self {
        Self(Arc::new((0..4_096_u32).map(Self::fresh).collect()))
    }

    fn fresh(n: u32) -> f64 {
        if n == 0 { 0.0 } else { f64::from(n) * f64::from(n).ln() }
    }

    #[inline]
    fn of(&self, n: u32) -> f64 {
        self.0.get(n as usize).copied().unwrap_or_else(|| Self::fresh(n))
    }
}

/// An upper bound of the largest m with Σ min(n, m q) >= m `need`, over the counts n and the q of `most_of`: so many records can be kept
/// if a part of the value's records may be chosen, none more often than q allows. The left side is concave in m, so
/// Newton's method from the right comes from above and may stop at any step.
fn most(counts: &[f64], most_of: &[f64], size: f64, need: f64) -> f64 {
    // However few are kept, no more than these shares are reached: most small classes have no subset that holds.
    let (reach, _) = sum_pairs(counts, most_of, |n, q| (if n > 0.0 { q } else { 0.0 }, 0.0));
    if reach < need * (1.0 - 1e-12) {
        return 0.0;
    }
    let mut m = size;
    for _ in 0..16 {
        let (whole, slope) =
            sum_pairs(counts, most_of, |n, q| if n <= m * q { (n, 0.0) } else { (0.0, q) });
        let rest = need - slope;
        if rest <= 0.0 || whole >= m * rest * (1.0 - 1e-12) {
            return m;
        }
        m = whole / rest;
        if m < 1.0 - 1e-9 {
            return 0.0;
        }
    }
    m
}

/// Sums over pairs, in four lanes that need not wait for one another.
#[inline]
fn sum_pairs(a: &[f64], b: &[f64], of: impl Fn(f64, f64) -> (f64, f64)) -> (f64, f64) {
    let (mut first, mut second) = ([0.0; 4], [0.0; 4]);
    let (a_blocks, b_blocks) = (a.chunks_exact(4), b.chunks_exact(4));
    for (a, b) in a_blocks.remainder().iter().zip(b_blocks.remainder()) {
        let (x, y) = of(*a, *b);
        first[0] += x;
        second[0] += y;
    }
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..4 {
            let (x, y) = of(a[lane], b[lane]);
            first[lane] += x;
            second[lane] += y;
        }
    }
    (first.iter().sum(), second.iter().sum())
}

/// As [`most`], for distances over ranks: up to each rank, and beyond it, there are only so many records to choose.
fn most_in_order(rank: &[u32], class: &Class<'_>, (table, rows): (&[u32], f64), limit: f64) -> f64 {
    let size = class.size as f64;
    let mut m = size;
    for _ in 0..16 {
        let (mut slope, mut whole) = (0.0, 0.0);
        let (mut up_to, mut share) = (0.0, 0.0);
        for value in rank {
            up_to += f64::from(class.counts.get(*value as usize).copied().unwrap_or(0));
            share += f64::from(table[*value as usize]) / rows;
            if m * share > up_to {
                slope += share;
                whole += up_to;
            } else if m * (1.0 - share) > size - up_to {
                slope += 1.0 - share;
                whole += size - up_to;
            }
        }
        let rest = slope - limit;
        if rest <= 0.0 || whole >= m * rest * (1.0 - 1e-12) {
            return m;
        }
        m = whole / rest;
        if m < 1.0 - 1e-9 {
            return 0.0;
        }
    }
    m
}

/// As [`most`], for the entropy: among subsets of one size that with the commonest values cut to one count has the
/// most. `sorted` falls.
fn most_by_entropy(sorted: &[u32], l: f64, product: impl Fn(u32) -> f64) -> f64 {
    if (sorted.len() as f64) < l * (1.0 - 1e-12) {
        return 0.0;
    }
    let (mut rest, mut sum) = (0_u64, 0.0);
    for n in sorted {
        rest += u64::from(*n);
        sum += product(*n);
    }
    let mut upper = sorted[0];
    for (at, n) in sorted.iter().enumerate() {
        rest -= u64::from(*n);
        sum -= product(*n);
        let lower = sorted.get(at + 1).copied().unwrap_or(0);
        let cut = (at + 1) as u64;
        let size = |count: u32| cut * u64::from(count) + rest;
        let holds = |count: u32| {
            let size = size(count) as f64;
            size * (size / l).ln() >= (cut as f64 * product(count) + sum) * (1.0 - 1e-12) - 1e-9
        };
        if lower == 0 || holds(lower) {
            // It holds at `low` and fails at `high`.
            let (mut low, mut high) = (lower, upper);
            while high - low > 1 {
                let middle = low.midpoint(high);
                if holds(middle) { low = middle } else { high = middle }
            }
            return size(high) as f64;
        }
        upper = lower;
    }
    0.0
}

/// As [`most`], for (c,l): the commonest values cut to one count, the most for which it stays under c times the tail.
fn most_by_tail(sorted: &[u32], c: f64, l: usize) -> f64 {
    let size = |count: u32| sorted.iter().map(|n| f64::from(*n.min(&count))).sum::<f64>();
    let holds = |count: u32| {
        let tail: f64 = sorted[l - 1..].iter().map(|n| f64::from(*n.min(&count))).sum();
        f64::from(count) < c * tail * (1.0 + 1e-12)
    };
    // The tail is concave in the cut: once it fails, it fails for all higher ones.
    let (mut low, mut high) = (0, sorted[0]);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if holds(middle) { low = middle } else { high = middle }
    }
    size(low)
}

/// Half the sum of the differences between the shares in the class and in the table.
fn variation(class: &Class<'_>, table: &[u32], rows: u64) -> f64 {
    let (size, rows_f) = (class.size as f64, rows as f64);
    let mut sum = 0.0;
    let mut seen = 0_u64;
    for value in class.touched {
        let in_table = table[*value as usize];
        seen += u64::from(in_table);
        sum +=
            (f64::from(class.counts[*value as usize]) / size - f64::from(in_table) / rows_f).abs();
    }
    // Values that the class lacks add their whole share of the table.
    0.5 * (sum + (rows - seen) as f64 / rows_f)
}

impl Tree {
    /// From the label of each leaf at each level but the root, and the rows of the table with each leaf.
    pub(crate) fn new<'a>(levels: impl Iterator<Item = &'a [u32]>, rows: &[u32]) -> Self {
        let mut totals: Vec<f64> = Vec::new();
        let mut nodes: Vec<Vec<u32>> = Vec::new();
        let mut leaves = 0;
        for level in levels {
            let start = totals.len();
            let labels = level.iter().max().map_or(0, |label| *label as usize + 1);
            totals.resize(start + labels, 0.0);
            nodes.push(level.iter().map(|label| start as u32 + label).collect());
            for (label, n) in level.iter().zip(rows) {
                totals[start + *label as usize] += f64::from(*n);
            }
            if nodes.len() == 1 {
                leaves = labels;
            }
        }
        let path = (0..rows.len()).flat_map(|leaf| nodes.iter().map(move |n| n[leaf])).collect();
        let all: f64 = rows.iter().map(|n| f64::from(*n)).sum();
        let shares = totals.iter().map(|n| n / all.max(1.0)).collect();
        Self { height: nodes.len(), leaves, path, totals, shares }
    }

    /// Earth mover's distance with the level of the lowest common ancestor, divided by the height, as ground distance:
    /// the mean, over the levels below the root, of the variational distances between the shares at that level. The
    /// sums are whole numbers, exact up to 2^53. Leaves the counts of all nodes in the buffer. No level is further apart
    /// than the one below it: where that of the leaves is within `t`, it is the answer.
    fn distance(&self, class: &Class<'_>, rows: u64, t: f64, buffer: &mut Buffer) -> f64 {
        let (rows, size) = (rows as f64, class.size as f64);
        if self.height == 0 {
            return 0.0;
        }
        buffer.nodes.clear();
        buffer.nodes.resize(self.totals.len(), 0.0);
        for leaf in class.touched {
            let n = f64::from(class.counts[*leaf as usize]);
            let start = *leaf as usize * self.height;
            for node in &self.path[start..start + self.height] {
                buffer.nodes[*node as usize] += n;
            }
        }
        let over = |counts: &[f64], totals: &[f64]| {
            sum_pairs(counts, totals, |n, total| ((n * rows - total * size).max(0.0), 0.0)).0
        };
        let (low, high) = buffer.nodes.split_at(self.leaves);
        let (low_totals, high_totals) = self.totals.split_at(self.leaves);
        let sum = over(low, low_totals);
        if sum / (rows * size) <= t {
            return sum / (rows * size);
        }
        (sum + over(high, high_totals)) / (self.height as f64 * rows * size)
    }
}

#[cfg(test)]
mod tests;
