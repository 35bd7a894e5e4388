//! The tests of one class.

use super::{Test, Tree};

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
    /// Splitting keeps the mixture of the parts. Where the tested quantity is convex (distances, shares) or concave
    /// (entropy), parts that hold cannot make up more than a certain share of a class that fails.
    pub(crate) fn fails(
        &self,
        class: &Class<'_>,
        table: &[u32],
        rows: u64,
        sums: &mut Vec<i64>,
    ) -> Option<f64> {
        let Class { touched, counts, size } = *class;
        let size_f = size as f64;
        let rows_f = rows as f64;
        let count = |value: &u32| f64::from(counts[*value as usize]);
        let share = |value: &u32| f64::from(table[*value as usize]) / rows_f;
        match self {
            Self::Distinct(l) => (touched.len() < *l as usize).then_some(1.0),
            Self::Entropy(l) => {
                let sum: f64 = touched.iter().map(count).map(|f| f * f.ln()).sum();
                let holds = size_f * (size_f.ln() - l.ln()) >= sum;
                let entropy = size_f.ln() - sum / size_f;
                (!holds).then(|| 1.0 - entropy / l.ln())
            }
            Self::Recursive { c, l } => {
                if touched.len() < *l {
                    return Some(1.0);
                }
                let mut sorted: Vec<u32> =
                    touched.iter().map(|value| counts[*value as usize]).collect();
                sorted.sort_unstable_by(|a, b| b.cmp(a));
                let tail: u64 = sorted[l - 1..].iter().map(|n| u64::from(*n)).sum();
                let holds = f64::from(sorted[0]) < c * tail as f64;
                (!holds).then_some(0.0)
            }
            Self::Equal(t) => beyond(variation(class, table, rows), *t),
            Self::Hierarchical { t, tree } => {
                // No value is further than 1 from another: the variational distance is an upper bound.
                if variation(class, table, rows) <= *t {
                    return None;
                }
                beyond(tree.distance(class, table, rows, sums), *t)
            }
            Self::Ordered { t, rank } => {
                let mut carried = 0.0_f64;
                let mut distance = 0.0;
                for value in rank.iter() {
                    let n = counts.get(*value as usize).copied().unwrap_or(0);
                    carried += f64::from(n) / size_f - share(value);
                    distance += carried.abs();
                }
                let steps = (rank.len() as f64 - 1.0).max(1.0);
                if distance <= t * steps {
                    None
                } else {
                    beyond(distance / steps, *t).or(Some(0.0))
                }
            }
            Self::Disclosure(delta) => {
                let fails = |value: &u32| {
                    let ratio = count(value) / size_f / share(value);
                    ratio.log2().abs() >= *delta
                };
                touched.iter().any(fails).then(|| {
                    let most = |value| share(value) * delta.exp2();
                    worst(touched.iter().map(|v| beyond(count(v) / size_f, most(v))))
                })
            }
            Self::Beta { beta, enhanced } => {
                let limit = |q: f64| if *enhanced { beta.min(-q.ln()) } else { *beta };
                let fails = |value: &u32| {
                    let q = share(value);
                    (count(value) / size_f - q) / q > limit(q)
                };
                touched.iter().any(fails).then(|| {
                    let most = |value| share(value) * (1.0 + limit(share(value)));
                    worst(touched.iter().map(|v| beyond(count(v) / size_f, most(v))))
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

/// A mixture has `value`; parts that hold have at most `limit`, the others at most 1: the least share of the others.
fn beyond(value: f64, limit: f64) -> Option<f64> {
    (value > limit).then(|| ((value - limit) / (1.0 - limit)).clamp(0.0, 1.0))
}

fn worst(shares: impl Iterator<Item = Option<f64>>) -> f64 {
    shares.flatten().fold(0.0, f64::max)
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
    /// Earth mover's distance with the level of the lowest common ancestor as ground distance. All sums are whole
    /// numbers (below 2^63 for 3·10^9 rows) until the end.
    fn distance(&self, class: &Class<'_>, table: &[u32], rows: u64, sums: &mut Vec<i64>) -> f64 {
        let height = self.up.len() as f64;
        let (rows_i, size_i) = (rows as i64, class.size as i64);
        sums.clear();
        sums.extend(table.iter().enumerate().map(|(leaf, in_table)| {
            let here = class.counts.get(leaf).map_or(0, |count| i64::from(*count));
            i64::from(*in_table) * size_i - here * rows_i
        }));
        let mut cost = 0.0;
        let mut start = 0;
        for (level, up) in self.up.iter().enumerate() {
            // What cannot be balanced below a node is carried up; what is balanced there costs its level.
            let (labels, next) = (self.labels[level + 1], start + up.len());
            sums.resize(next + 2 * labels, 0);
            let (below, above) = sums.split_at_mut(next);
            let (carried, moved) = above.split_at_mut(labels);
            for (extra, parent) in below[start..].iter().zip(up) {
                carried[*parent as usize] += extra;
                moved[*parent as usize] += extra.abs();
            }
            let balanced: i64 = moved
                .iter()
                .zip(&*carried)
                .map(|(moved, carried)| (moved - carried.abs()) / 2)
                .sum();
            cost += (level + 1) as f64 / height * balanced as f64;
            sums.truncate(next + labels);
            start = next;
        }
        cost / (rows as f64 * class.size as f64)
    }
}
