//! The tests of one class.

use super::{Test, Tree};

impl Test {
    /// True if a class that fails inside a more general class that fails, too: merging classes never lowers what
    /// the test looks at.
    pub(crate) fn monotone(&self) -> bool {
        matches!(self, Self::Distinct(_) | Self::MapAtLeast(_))
    }

    /// Does a class hold? `touched` are its values in ascending order, `counts` their counts (by value), `size`
    /// their sum; `table` has the counts of all values in the table, `rows` their sum.
    pub(crate) fn holds(
        &self,
        touched: &[u32],
        counts: &[u32],
        size: u64,
        table: &[u32],
        rows: u64,
    ) -> bool {
        let size_f = size as f64;
        let rows_f = rows as f64;
        let count = |value: &u32| f64::from(counts[*value as usize]);
        match self {
            Self::Distinct(l) => touched.len() >= *l as usize,
            Self::Entropy(l) => {
                let sum: f64 = touched.iter().map(count).map(|f| f * f.ln()).sum();
                size_f * (size_f.ln() - l.ln()) >= sum
            }
            Self::Recursive { c, l } => {
                if touched.len() < *l {
                    return false;
                }
                let mut sorted: Vec<u32> =
                    touched.iter().map(|value| counts[*value as usize]).collect();
                sorted.sort_unstable_by(|a, b| b.cmp(a));
                let tail: u64 = sorted[l - 1..].iter().map(|n| u64::from(*n)).sum();
                f64::from(sorted[0]) < c * tail as f64
            }
            Self::Equal(t) => {
                // Values that the class lacks add their whole share of the table.
                let mut sum = 0.0;
                let mut seen = 0_u64;
                for value in touched {
                    let in_table = table[*value as usize];
                    seen += u64::from(in_table);
                    sum += (count(value) / size_f - f64::from(in_table) / rows_f).abs();
                }
                (sum + (rows - seen) as f64 / rows_f) / 2.0 <= *t
            }
            Self::Hierarchical { t, tree } => tree.distance(counts, size, table, rows) <= *t,
            Self::Ordered { t, rank } => {
                let mut carried = 0.0_f64;
                let mut distance = 0.0;
                let limit = t * (rank.len() as f64 - 1.0);
                for value in rank.iter() {
                    let q = f64::from(table[*value as usize]) / rows_f;
                    let n = counts.get(*value as usize).copied().unwrap_or(0);
                    carried += f64::from(n) / size_f - q;
                    distance += carried.abs();
                    if distance > limit {
                        return false;
                    }
                }
                true
            }
            Self::Disclosure(delta) => touched.iter().all(|value| {
                let p = count(value) / size_f;
                let q = f64::from(table[*value as usize]) / rows_f;
                (p / q).log2().abs() < *delta
            }),
            Self::Beta { beta, enhanced } => touched.iter().all(|value| {
                let p = count(value) / size_f;
                let q = f64::from(table[*value as usize]) / rows_f;
                let limit = if *enhanced { beta.min(-q.ln()) } else { *beta };
                (p - q) / q <= limit
            }),
            Self::Presence { min, max } => {
                let inside = count(&0);
                let share = inside / size_f;
                (*min..=*max).contains(&share)
            }
            Self::MapAtLeast(k) => size >= u64::from(*k),
        }
    }
}

impl Tree {
    /// Earth mover's distance with the level of the lowest common ancestor as ground distance. All sums are whole
    /// numbers until the end.
    fn distance(&self, counts: &[u32], size: u64, table: &[u32], rows: u64) -> f64 {
        let height = self.up.len();
        let of = |leaf: usize| {
            let here = i128::from(counts.get(leaf).copied().unwrap_or(0)) * i128::from(rows);
            i128::from(table[leaf]) * i128::from(size) - here
        };
        let mut extra: Vec<i128> = (0..self.labels[0]).map(of).collect();
        let mut cost = 0.0;
        for (level, up) in self.up.iter().enumerate() {
            let labels = self.labels[level + 1];
            let mut surplus = vec![0_i128; labels];
            let mut lack = vec![0_i128; labels];
            for (extra, parent) in extra.iter().zip(up) {
                let side = if *extra > 0 { &mut surplus } else { &mut lack };
                side[*parent as usize] += extra.abs();
            }
            for (surplus, lack) in surplus.iter().zip(&lack) {
                cost += (level + 1) as f64 / height as f64 * (*surplus).min(*lack) as f64;
            }
            extra = surplus.iter().zip(&lack).map(|(surplus, lack)| surplus - lack).collect();
        }
        cost / (rows as f64 * size as f64)
    }
}
