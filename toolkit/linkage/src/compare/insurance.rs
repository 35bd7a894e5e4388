//! Insurer, symbol, number and branch together: a household shares all but the branch.

use crate::{
    compare::{Kind, edit::within_one},
    typed::{Row, Typed},
};

/// What the coverage of two records says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Coverage {
    /// Same insurer, symbol and number.
    Same,
    /// Same insurer, number or symbol one edit away.
    NearNumber,
    /// Same insurer, another number.
    OtherNumber,
    /// Same symbol and number, the insurer one edit away or not known.
    NearInsurer,
    /// Other.
    Other,
}

/// Same coverage and same branch: one person, as far as an insurer can say.
const PERSON: usize = 1;
/// Same coverage and another branch.
pub(super) const OTHER_BRANCH: usize = 2;
/// Same coverage, a branch not known.
const HOUSEHOLD: usize = 7;

/// Ids of the levels.
pub(crate) const IDS: [&str; 12] = [
    "missing",
    "same_branch",
    "other_branch",
    "near_number",
    "other_number",
    "near_insurer",
    "other",
    "same_coverage.branch_missing",
    "near_number.branch_missing",
    "other_number.branch_missing",
    "near_insurer.branch_missing",
    "other.branch_missing",
];

pub(crate) fn level(level: usize) -> Option<(u8, Kind)> {
    Some(match level {
        0 => (0, Kind::Missing),
        PERSON => (1, Kind::Same),
        OTHER_BRANCH => (1, Kind::Part),
        3 | 5 => (1, Kind::Near),
        4 => (1, Kind::Part),
        6 => (1, Kind::Other),
        // from here a branch is not known
        HOUSEHOLD => (2, Kind::Same),
        8 | 10 => (2, Kind::Near),
        9 => (2, Kind::Part),
        11 => (2, Kind::Other),
        _ => return None,
    })
}

pub(crate) fn compare(t: &Typed, a: &Row, b: &Row) -> usize {
    if a.card == 0 || b.card == 0 {
        return 0;
    }
    let coverage = if a.card == b.card {
        match (a.insurer, b.insurer) {
            (0, _) | (_, 0) => Coverage::NearInsurer,
            (x, y) if x == y => Coverage::Same,
            (x, y) if within_one(t.insurer.chars.at(x), t.insurer.chars.at(y)) => {
                Coverage::NearInsurer
            }
            _ => Coverage::Other,
        }
    } else if a.insurer == b.insurer && a.insurer != 0 {
        if within_one(t.card.chars.at(a.card), t.card.chars.at(b.card)) {
            Coverage::NearNumber
        } else {
            Coverage::OtherNumber
        }
    } else {
        Coverage::Other
    };
    if a.branch == 0 || b.branch == 0 {
        return HOUSEHOLD + coverage as usize;
    }
    match coverage {
        Coverage::Same if a.branch == b.branch => PERSON,
        Coverage::Same => OTHER_BRANCH,
        other => OTHER_BRANCH + other as usize,
    }
}
