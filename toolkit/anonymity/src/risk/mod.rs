//! Risks of a table, from the sizes of its classes.
//!
//! Enters: how many classes there are of each size. Leaves: risks of the sample, and estimates of how many records
//! are unique in the population. An estimate whose solver failed is [`Estimate::NotConverged`], never a number.

mod gamma;
mod population;
mod snb;

pub(crate) use population::estimate;
pub use population::{Dankar, Estimate, Estimator, Population, PopulationRisk, population_risk};

/// Risks that follow from class sizes alone (El Emam 2013). Without a population table the journalist's risk is the
/// prosecutor's.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SampleRisk {
    /// Records.
    pub records: u64,
    /// Classes.
    pub classes: u64,
    /// Smallest class, 0 if there is none.
    pub smallest: u32,
    /// Largest class, 0 if there is none.
    pub largest: u32,
    /// Average class size.
    pub average_class: f64,
    /// Prosecutor: 1 / smallest class.
    pub prosecutor: f64,
    /// Journalist: as the prosecutor.
    pub journalist: f64,
    /// Marketer: classes / records, the average risk.
    pub marketer: f64,
    /// 1 / largest class.
    pub lowest: f64,
    /// Records in classes of the smallest size.
    pub records_highest: u64,
    /// Records in classes of the largest size.
    pub records_lowest: u64,
    /// Records that are alone in their class.
    pub unique: u64,
    /// Their share.
    pub unique_share: f64,
    /// The threshold of `at_risk`.
    pub threshold: f64,
    /// Share of records whose risk 1/size is over the threshold.
    pub at_risk: f64,
}

/// The risks of a table with these class sizes: (size, number of classes).
pub fn sample_risk(histogram: &[(u32, u64)], threshold: f64) -> SampleRisk {
    let mut sorted: Vec<(u32, u64)> =
        histogram.iter().filter(|(size, n)| *size > 0 && *n > 0).copied().collect();
    sorted.sort_unstable();
    let of = |pick: &dyn Fn(u32) -> bool| -> u64 {
        sorted.iter().filter(|(size, _)| pick(*size)).map(|(size, n)| u64::from(*size) * n).sum()
    };
    let records = of(&|_| true);
    let classes: u64 = sorted.iter().map(|(_, n)| n).sum();
    let smallest = sorted.first().map_or(0, |(size, _)| *size);
    let largest = sorted.last().map_or(0, |(size, _)| *size);
    let share = |part: u64| if records == 0 { 0.0 } else { part as f64 / records as f64 };
    let risk = |size: u32| if size == 0 { 0.0 } else { 1.0 / f64::from(size) };
    SampleRisk {
        records,
        classes,
        smallest,
        largest,
        average_class: if classes == 0 { 0.0 } else { records as f64 / classes as f64 },
        prosecutor: risk(smallest),
        journalist: risk(smallest),
        marketer: share(classes),
        lowest: risk(largest),
        records_highest: of(&|size| size == smallest),
        records_lowest: of(&|size| size == largest),
        unique: of(&|size| size == 1),
        unique_share: share(of(&|size| size == 1)),
        threshold,
        at_risk: share(of(&|size| risk(size) > threshold)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risks_of_three_classes() {
        let risk = sample_risk(&[(5, 1), (1, 2)], 0.5);
        assert_eq!((risk.records, risk.classes, risk.smallest, risk.largest), (7, 3, 1, 5));
        assert!((risk.marketer - 3.0 / 7.0).abs() < 1e-12);
        assert!((risk.at_risk - 2.0 / 7.0).abs() < 1e-12);
        assert_eq!((risk.records_highest, risk.records_lowest), (2, 5));
        assert_eq!(sample_risk(&[], 0.2).records, 0);
    }
}
