//! k^m-anonymity, as found (Terrovitis, Mamoulis and Kalnis 2008).

use super::mine::Miner;
use super::{ItemSets, MOST_KNOWN, SetError};

/// What was found for itemsets of one size.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KmSize {
    /// Items of a set.
    pub size: usize,
    /// Sets that occur in fewer than k persons, while each of their parts occurs in at least k.
    pub minimal_violators: u64,
    /// Persons who hold the rarest of them, 0 if there is none.
    pub rarest: u32,
}

/// Whether sets are k^m-anonymous.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KmReport {
    /// k.
    pub k: u32,
    /// m.
    pub m: usize,
    /// Persons.
    pub persons: u32,
    /// Pairs of person and item.
    pub pairs: usize,
    /// Items that occur.
    pub items: usize,
    /// True if every set of up to m items that occurs, occurs in at least k persons.
    pub holds: bool,
    /// Persons of whom some m items give a group below k.
    pub persons_at_risk: usize,
    /// Violations by size.
    pub sizes: Vec<KmSize>,
}

pub(super) fn limits(k: u32, m: usize) -> Result<(), SetError> {
    if k == 0 {
        return Err(SetError::Range { parameter: "k" });
    }
    if m == 0 || m > MOST_KNOWN {
        return Err(SetError::Range { parameter: "m" });
    }
    Ok(())
}

/// Count all sets of up to `m` items that occur in fewer than `k` persons. Exact.
///
/// # Errors
/// `k` is 0, or `m` is not in 1 to [`MOST_KNOWN`].
pub fn check_km(sets: &ItemSets, k: u32, m: usize) -> Result<KmReport, SetError> {
    limits(k, m)?;
    let (found, persons_at_risk) = Miner::new(sets, k).run(m, false);
    let sizes: Vec<KmSize> = found
        .iter()
        .map(|violators| KmSize {
            size: violators.size,
            minimal_violators: violators.supports.len() as u64,
            rarest: violators.supports.iter().min().copied().unwrap_or(0),
        })
        .collect();
    Ok(KmReport {
        k,
        m,
        persons: sets.persons(),
        pairs: sets.pairs(),
        items: sets.supports().iter().filter(|support| **support > 0).count(),
        holds: sizes.iter().all(|size| size.minimal_violators == 0),
        persons_at_risk,
        sizes,
    })
}
