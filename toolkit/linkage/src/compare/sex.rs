//! Sex, given what the names say: who bears another family name is mostly a woman of the age at which people marry
//! (in Japan 95 of 100 couples take the husband's name: vital statistics of the Ministry of Health).

use crate::{
    compare::Kind,
    typed::{PartialDate, Row},
};

/// What the names of a pair say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Neither part is another.
    Alike,
    /// The given name is another.
    GivenOther,
    /// The given name is alike and the family name another.
    FamilyOther,
}

/// Ids of the levels.
pub(crate) const IDS: [&str; 9] = [
    "missing",
    "same",
    "other",
    "same_given_other",
    "other_given_other",
    "adult_woman_family_other",
    "woman_family_other",
    "man_family_other",
    "other_family_other",
];

pub(crate) fn level(level: usize) -> Option<(u8, Kind)> {
    Some(match level {
        0 => (0, Kind::Missing),
        1 => (1, Kind::Same),
        2 => (1, Kind::Other),
        3 => (2, Kind::Same),
        4 => (2, Kind::Other),
        5 => (3, Kind::Same),
        6 => (3, Kind::Near),
        7 => (3, Kind::Part),
        8 => (3, Kind::Other),
        _ => return None,
    })
}

/// Ages at the later record at which a changed name is likely to come of marriage or divorce.
const MARRIED: std::ops::Range<u32> = 18..50;

pub(crate) fn compare(a: &Row, b: &Row, names: Names) -> usize {
    let same = a.sex == b.sex;
    match names {
        _ if a.sex == 0 || b.sex == 0 => 0,
        Names::Alike => 1 + usize::from(!same),
        Names::GivenOther => 3 + usize::from(!same),
        Names::FamilyOther if !same => 8,
        Names::FamilyOther if a.sex == 1 => 7,
        Names::FamilyOther => {
            let born = match (a.birth.year(), b.birth.year()) {
                (0, year) | (year, 0) => year,
                (x, y) => x.min(y),
            };
            let age = PartialDate::year_of_days(a.on.max(b.on)).saturating_sub(born);
            if born != 0 && MARRIED.contains(&age) { 5 } else { 6 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_a_family_name() {
        let row = |sex, year, on: u32| Row {
            sex,
            birth: PartialDate::new(year, 1, 2),
            on: PartialDate::new(on, 3, 4).days(),
            ..Row::default()
        };
        let of = |a, b| IDS[compare(&a, &b, Names::FamilyOther)];
        assert_eq!(of(row(2, 1990, 2015), row(2, 1990, 2020)), "adult_woman_family_other");
        assert_eq!(of(row(2, 1930, 2015), row(2, 1930, 2020)), "woman_family_other");
        assert_eq!(of(row(2, 1990, 2000), row(2, 1990, 2001)), "woman_family_other");
        assert_eq!(of(row(1, 1990, 2015), row(1, 1990, 2020)), "man_family_other");
        assert_eq!(of(row(1, 1990, 2015), row(2, 1990, 2020)), "other_family_other");
        assert_eq!(compare(&row(0, 1990, 2015), &row(2, 1990, 2020), Names::FamilyOther), 0);
        assert_eq!(compare(&row(2, 1990, 2015), &row(2, 1990, 2020), Names::Alike), 1);
    }
}
