//! What a search met on its way: the risk-utility curve over the nodes it checked.

use super::Best;
use crate::check::Verdict;
use core::cmp::Ordering;
use std::collections::BTreeMap;

/// A solution that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Level of each attribute.
    pub levels: Vec<usize>,
    /// Its score.
    pub score: f64,
    /// Rows suppressed.
    pub suppressed: u64,
    /// Smallest class that is kept; 0 if none is. Its inverse is the highest risk.
    pub smallest: u64,
    /// Classes kept; divided by the rows kept, the average risk.
    pub classes: u64,
}

/// The best solution for each hundredth of suppressed rows, and for each doubling of the smallest class. The same for
/// any number of threads, since the same nodes are checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Explored {
    by_suppression: BTreeMap<u64, Point>,
    by_class: BTreeMap<u32, Point>,
}

impl Point {
    fn before(&self, other: &Self) -> bool {
        let best = |point: &Self| Best { score: point.score, levels: point.levels.clone() };
        self.score < other.score
            || self.score <= other.score && best(self).order(&best(other)) == Ordering::Less
    }
}

fn offer<K: Ord>(known: &mut BTreeMap<K, Point>, key: K, point: &Point) {
    match known.get_mut(&key) {
        Some(held) if point.before(held) => held.clone_from(point),
        Some(_) => {}
        None => {
            known.insert(key, point.clone());
        }
    }
}

impl Explored {
    /// Note a node, if it is a solution.
    pub(crate) fn note(&mut self, rows: u64, levels: &[usize], verdict: &Verdict) {
        if !verdict.anonymous || rows == 0 {
            return;
        }
        let share = verdict.suppressed * 100 / rows;
        let doubling = verdict.smallest.checked_ilog2().map_or(0, |log| log + 1);
        let better = |held: Option<&Point>| held.is_none_or(|held| verdict.score <= held.score);
        if better(self.by_suppression.get(&share)) || better(self.by_class.get(&doubling)) {
            let point = Point {
                levels: levels.to_vec(),
                score: verdict.score,
                suppressed: verdict.suppressed,
                smallest: verdict.smallest,
                classes: verdict.classes,
            };
            offer(&mut self.by_suppression, share, &point);
            offer(&mut self.by_class, doubling, &point);
        }
    }

    /// Put two together.
    pub(crate) fn merge(&mut self, other: Self) {
        for (key, point) in other.by_suppression {
            offer(&mut self.by_suppression, key, &point);
        }
        for (key, point) in other.by_class {
            offer(&mut self.by_class, key, &point);
        }
    }

    /// All points, from few suppressed rows to many, then by score.
    pub(crate) fn points(self) -> Vec<Point> {
        let mut points: Vec<Point> =
            self.by_suppression.into_values().chain(self.by_class.into_values()).collect();
        points.sort_by(|a, b| {
            (a.suppressed, &a.levels)
                .cmp(&(b.suppressed, &b.levels))
                .then(a.score.total_cmp(&b.score))
        });
        points.dedup_by(|a, b| a.levels == b.levels);
        points
    }
}
