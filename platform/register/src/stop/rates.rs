//! How often people ask to stop, by holder and month, and which of the rates are out of line.
//!
//! A holder at which far more people stop than elsewhere may have told them badly or have had an incident; one at which
//! nobody ever does may not be passing requests on. Each rate is judged by the exact tail of the binomial distribution
//! against the rate of all *other* holders in the same kind of cell, so that an outlier does not vouch for itself. The
//! level is a dated rule and is divided by the number of cells judged (Bonferroni), so that looking at many cells does
//! not raise false alarms.

use std::collections::BTreeSet;

/// Requests of one holder in one cell (a month, or all months).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Persons who asked.
    pub stops: u64,
    /// Persons who could have.
    pub persons: u64,
}

impl Count {
    /// Share of those who asked; 0 where nobody could.
    pub fn rate(self) -> f64 {
        if self.persons == 0 { 0.0 } else { self.stops as f64 / self.persons as f64 }
    }
}

/// Which way a rate is out of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlier {
    /// Far more than elsewhere.
    Many,
    /// Far fewer than elsewhere.
    Few,
}

impl Outlier {
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Many => "他の提供元より著しく多い",
            Self::Few => "他の提供元より著しく少ない",
        }
    }
}

/// A judged cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The rate it was held against.
    pub expected: f64,
    /// Chance of a count at least as extreme, if that rate held.
    pub chance: f64,
    /// Out of line at the level?
    pub outlier: Option<Outlier>,
}

/// Judges cells that are alike (all months' cells, or all totals), given with a number for the holder. `usual`: the rate
/// to hold against where the others say less, a share of persons in a cell of this kind; `level`: chance of any false
/// alarm among all cells.
pub fn judge(cells: &[(u32, Count)], usual: f64, level: f64) -> Vec<Judged> {
    // Both tails of every cell are looked at.
    let each = level / (2.0 * cells.len().max(1) as f64);
    let without = |apart: &dyn Fn(u32) -> bool| {
        let mut sum = Count { stops: 0, persons: 0 };
        for (_, count) in cells.iter().filter(|(holder, _)| !apart(*holder)) {
            sum.stops += count.stops;
            sum.persons += count.persons;
        }
        sum.rate()
    };
    let mut judged: Vec<Judged> = cells
        .iter()
        .map(|(holder, count)| {
            let expected = without(&|h| h == *holder).max(usual);
            let chance = tails(*count, expected).0;
            let outlier = (chance < each).then_some(Outlier::Many);
            Judged { expected, chance, outlier }
        })
        .collect();
    // Whoever has far too many must not make the others look quiet.
    let loud: BTreeSet<u32> = cells
        .iter()
        .zip(&judged)
        .filter(|(_, j)| j.outlier.is_some())
        .map(|((holder, _), _)| *holder)
        .collect();
    for ((holder, count), judged) in cells.iter().zip(&mut judged) {
        let others = without(&|h| h == *holder || loud.contains(&h));
        let few = tails(*count, others).1;
        if judged.outlier.is_none() && few < each {
            *judged = Judged { expected: others, chance: few, outlier: Some(Outlier::Few) };
        }
    }
    judged
}

/// P(X ≥ k) and P(X ≤ k) for X binomial with n trials of chance p, exactly up to rounding.
fn tails(count: Count, p: f64) -> (f64, f64) {
    let (k, n) = (count.stops.min(count.persons), count.persons);
    if p <= 0.0 {
        return (if k == 0 { 1.0 } else { 0.0 }, 1.0);
    }
    if p >= 1.0 {
        return (1.0, if k == n { 1.0 } else { 0.0 });
    }
    let (nf, kf) = (n as f64, k as f64);
    let ln_choose: f64 = (1..=k).map(|i| ((nf - kf + i as f64) / i as f64).ln()).sum();
    let at_k = (ln_choose + kf * p.ln() + (nf - kf) * (-p).ln_1p()).exp();
    let odds = p / (1.0 - p);
    // From k outwards; terms fall geometrically once past the mode, and before it they are all needed.
    let (mut up, mut term, mut i) = (at_k, at_k, k);
    while i < n {
        term *= (n - i) as f64 / (i + 1) as f64 * odds;
        up += term;
        i += 1;
        if i as f64 > nf * p && term < up * 1e-17 {
            break;
        }
    }
    let (mut down, mut term, mut i) = (at_k, at_k, k);
    while i > 0 {
        term *= i as f64 / (n - i + 1) as f64 / odds;
        down += term;
        i -= 1;
        if (i as f64) < nf * p && term < down * 1e-17 {
            break;
        }
    }
    // Far on one side of the mode the term at k underflows; that tail then holds everything.
    let mean = nf * p;
    if at_k == 0.0 {
        return if kf > mean { (0.0, 1.0) } else { (1.0, 0.0) };
    }
    (up.min(1.0), down.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_binomial_distribution() {
        // Ten fair coins: P(X >= 8) = 56/1024, P(X <= 8) = 1013/1024.
        let (up, down) = tails(Count { stops: 8, persons: 10 }, 0.5);
        assert!((up - 56.0 / 1024.0).abs() < 1e-12 && (down - 1013.0 / 1024.0).abs() < 1e-12);
        for (k, n, p) in [(0, 5, 0.1), (5, 5, 0.1), (3, 1000, 0.001), (0, 0, 0.5), (40, 90, 0.9)] {
            let (up, down) = tails(Count { stops: k, persons: n }, p);
            let (next, _) = tails(Count { stops: k + 1, persons: n }, p);
            let next = if k == n { 0.0 } else { next };
            assert!((down + next - 1.0).abs() < 1e-9, "{k} {n} {p}: {up} {down}");
        }
        let (up, down) = tails(Count { stops: 50_000, persons: 1_000_000 }, 0.001);
        assert!(up < 1e-300 && down > 0.999);
    }

    #[test]
    fn five_percent_among_a_thousandth_is_flagged_and_nobody_else() {
        let cell = |stops, persons| Count { stops, persons };
        let cells: Vec<(u32, Count)> =
            [(9, 10_000), (12, 9_000), (50, 1_000), (3, 4_000), (1, 800), (0, 600)]
                .iter()
                .zip(0..)
                .map(|((k, n), holder)| (holder, cell(*k, *n)))
                .collect();
        let found = judge(&cells, 0.001, 0.001);
        let flagged: Vec<usize> =
            (0..cells.len()).filter(|i| found[*i].outlier.is_some()).collect();
        assert_eq!(flagged, [2]);
        assert_eq!(found[2].outlier, Some(Outlier::Many));
        // Nobody at all of fifty thousand, where one in a thousand asks elsewhere.
        let silent: Vec<(u32, Count)> = [(0, 50_000), (11, 10_000), (9, 10_000)]
            .iter()
            .zip(0..)
            .map(|((k, n), h)| (h, cell(*k, *n)))
            .collect();
        let found = judge(&silent, 0.001, 0.001);
        assert_eq!(found[0].outlier, Some(Outlier::Few));
        assert!(found[1].outlier.is_none() && found[2].outlier.is_none());
        // The only holder is judged by what is usual, and is not called too quiet.
        let alone = judge(&[(0, cell(0, 900))], 0.001, 0.001);
        assert_eq!(alone[0].outlier, None);
        assert_eq!(judge(&[(0, cell(45, 900))], 0.001, 0.001)[0].outlier, Some(Outlier::Many));
    }
}
