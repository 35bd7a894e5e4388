//! Validation: a delivery against something outside itself (Kahn et al. 2016: verification looks at the data and their
//! own constraints, validation at an external reference).
//!
//! Enters: who came, by sex and age, and a [`Reference`]: a table that the operator supplies, or what the holder
//! delivered before. Leaves: cells of the quality grid in the context [`Context::Validation`], each with how many of
//! how many persons deviate. Computed when somebody looks: another reference changes the cells, and nothing is
//! received again.

use std::{collections::BTreeMap, sync::LazyLock};

use kiban_kernel::{Date, Id, Timestamp, kinds};

use crate::quality::{Aspect, Context, GridCell};

/// Rule of the composition by sex and age; a class's own cell carries its name behind it.
pub const SEX_AGE: &str = "validation.sex-age";
/// Years of an age class; the last one is open.
const BAND: i16 = 10;
const LAST_BAND: i16 = 90;

/// The class of a person: `F.60-69`, `M.90+`; `?` for a sex or birth that is not known.
pub fn class_of(sex: Option<&str>, birth: Option<Date>, on: Date) -> &'static str {
    let sex = SEXES.iter().position(|s| sex == Some(s)).unwrap_or(SEXES.len());
    let age = birth.map(|b| {
        let had_birthday = (on.month(), on.day()) >= (b.month(), b.day());
        on.year() - b.year() - i16::from(!had_birthday)
    });
    let band = age.map_or(BANDS, |age| (age.max(0) / BAND).min(LAST_BAND / BAND) as usize);
    &CLASSES[sex * (BANDS + 1) + band]
}

const SEXES: [&str; 2] = ["M", "F"];
const BANDS: usize = (LAST_BAND / BAND) as usize + 1;
/// By sex, by age; behind the known ones the one that is not known.
static CLASSES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let bands: Vec<String> =
        (0..=LAST_BAND).step_by(BAND as usize).map(band).chain(["?".to_owned()]).collect();
    let of = |sex: &'static str| bands.iter().map(move |band| format!("{sex}.{band}"));
    SEXES.into_iter().chain(["?"]).flat_map(of).collect()
});

fn band(age: i16) -> String {
    let from = (age.max(0) / BAND * BAND).min(LAST_BAND);
    if from == LAST_BAND { format!("{from}+") } else { format!("{from}-{}", from + BAND - 1) }
}

/// Persons by class.
pub type Population = BTreeMap<String, u64>;

/// What a delivery is compared with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Persons by class; only the shares count.
    pub persons: Population,
    /// One holder; none: all that have no table of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Id<kinds::Organization>>,
    /// Where the numbers come from.
    pub source: String,
    /// Who answers for it.
    pub owner: String,
    /// Who set it.
    pub set_by: Id<kinds::Account>,
    /// When.
    pub set_at: Timestamp,
}

/// Why a reference cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the reference table cannot be read")]
pub struct ReferenceError {
    /// Line, from 1; 0: the table is empty, or nobody answers for it.
    pub line: u64,
}

impl ReferenceError {
    /// The sentence shown to staff.
    pub fn ja(self) -> String {
        match self.line {
            0 => "基準の表が空か、出典または責任者が書かれていません。".to_owned(),
            line => format!(
                "基準の表の{line}行目を読み取れません。sex,age_from,age_to,persons の形（性別は M か F、年齢は10歳階級、最後は age_to を空）で書いてください。"
            ),
        }
    }
}

/// Reads a reference table: CSV `sex,age_from,age_to,persons`, a line for each class: `F,60,69,1234`, `M,90,,55`.
///
/// # Errors
/// The first line that is of no such shape, names no class, or a class twice.
pub fn parse_reference(bytes: &[u8]) -> Result<Population, ReferenceError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = csv::ReaderBuilder::new().flexible(false).from_reader(bytes);
    let header = rows.headers().map_err(|_| ReferenceError { line: 1 })?;
    if header.iter().map(str::trim).ne(["sex", "age_from", "age_to", "persons"]) {
        return Err(ReferenceError { line: 1 });
    }
    let mut out = Population::new();
    for (row, line) in rows.records().zip(2..) {
        let bad = || ReferenceError { line };
        let row = row.map_err(|_| bad())?;
        let cell = |at: usize| row.get(at).unwrap_or_default().trim();
        let from: i16 = cell(1).parse().map_err(|_| bad())?;
        let class = class_name(cell(0), from, cell(2)).ok_or_else(bad)?;
        let persons = cell(3).parse().map_err(|_| bad())?;
        if out.insert(class, persons).is_some() {
            return Err(bad());
        }
    }
    if out.values().all(|n| *n == 0) {
        return Err(ReferenceError { line: 0 });
    }
    Ok(out)
}

fn class_name(sex: &str, from: i16, to: &str) -> Option<String> {
    let fits = (0..=LAST_BAND).contains(&from) && from % BAND == 0;
    let until = if from == LAST_BAND { String::new() } else { (from + BAND - 1).to_string() };
    (matches!(sex, "M" | "F") && fits && to == until).then(|| format!("{sex}.{}", band(from)))
}

/// The cells of a delivery against a reference; none if either is empty.
///
/// The first cell is the whole: of so many persons, how many would have to be of another class for the shares to be the
/// reference's (half the sum of the differences: the total variation distance times the persons). Behind it each class
/// with the persons it has too many or too few. Counts are rounded to the next whole person.
pub fn cells(population: &Population, reference: &Population) -> Vec<GridCell> {
    let (n, m): (u64, u64) = (population.values().sum(), reference.values().sum());
    if n == 0 || m == 0 {
        return Vec::new();
    }
    let cell = |check: String, failed: u64| GridCell {
        table: "person".to_owned(),
        check,
        aspect: Aspect::Plausibility,
        context: Context::Validation,
        checked: n,
        failed,
    };
    let classes: std::collections::BTreeSet<&String> =
        population.keys().chain(reference.keys()).collect();
    let mut out = Vec::with_capacity(classes.len() + 1);
    // In units of 1/m person, so that nothing is rounded before the end.
    let (mut excess, m) = (0_u128, u128::from(m));
    for class in classes {
        let of = |map: &Population| u128::from(map.get(class).copied().unwrap_or(0));
        let (seen, expected) = (of(population) * m, of(reference) * u128::from(n));
        excess += seen.saturating_sub(expected);
        out.push(cell(format!("{SEX_AGE}.{class}"), rounded(seen.abs_diff(expected), m)));
    }
    out.insert(0, cell(SEX_AGE.to_owned(), rounded(excess, m)));
    out
}

fn rounded(units: u128, per_person: u128) -> u64 {
    u64::try_from((2 * units + per_person) / (2 * per_person)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn population(of: &[(&str, u64)]) -> Population {
        of.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect()
    }

    #[test]
    fn classes_follow_the_birthday_and_unknowns_are_their_own() {
        let on = date(2026, 6, 1);
        let class = |birth| class_of(Some("F"), Some(birth), on);
        assert_eq!(class(date(1966, 6, 1)), "F.60-69");
        assert_eq!(class(date(1966, 6, 2)), "F.50-59");
        assert_eq!(class(date(1920, 1, 1)), "F.90+");
        assert_eq!(class_of(Some("9"), None, on), "?.?");
    }

    #[test]
    fn what_deviates_is_counted_of_how_many_by_hand() {
        let reference = population(&[("F.60-69", 30), ("M.60-69", 10)]);
        let found = cells(&population(&[("F.60-69", 50), ("M.60-69", 50)]), &reference);
        // 75 and 25 of 100 were to be expected.
        let counts: Vec<(&str, u64, u64)> =
            found.iter().map(|c| (c.check.as_str(), c.failed, c.checked)).collect();
        assert_eq!(
            counts,
            [
                ("validation.sex-age", 25, 100),
                ("validation.sex-age.F.60-69", 25, 100),
                ("validation.sex-age.M.60-69", 25, 100)
            ]
        );
        assert!(found.iter().all(|c| c.context == Context::Validation));
        assert!(cells(&population(&[]), &reference).is_empty());
    }

    #[test]
    fn a_table_reads_or_names_its_line() {
        let text = "sex,age_from,age_to,persons\nF,60,69,1234\nM,90,,55\n";
        let read = parse_reference(text.as_bytes()).unwrap();
        assert_eq!(read, population(&[("F.60-69", 1234), ("M.90+", 55)]));
        for (bad, line) in [
            ("F,60,70,1", 2),
            ("F,61,70,1", 2),
            ("X,60,69,1", 2),
            ("F,60,69,1\nF,60,69,2", 3),
            ("F,60,69,-1", 2),
            ("F,60,69,0", 0),
        ] {
            let text = format!("sex,age_from,age_to,persons\n{bad}\n");
            assert_eq!(parse_reference(text.as_bytes()), Err(ReferenceError { line }), "{bad}");
        }
    }

    proptest! {
        // A population against itself deviates nowhere; against any other by no more than all of it.
        #[test]
        fn a_distance_is_none_to_itself_and_never_more_than_all(
            a in proptest::collection::btree_map("[FM]\\.[0-9]", 1..1000_u64, 1..6),
            b in proptest::collection::btree_map("[FM]\\.[0-9]", 1..1000_u64, 1..6),
        ) {
            prop_assert!(cells(&a, &a).iter().all(|c| c.failed == 0));
            prop_assert!(cells(&a, &b).iter().all(|c| c.failed <= c.checked.max(b.values().sum())));
            prop_assert!(cells(&a, &b)[0].failed <= cells(&a, &b)[0].checked);
        }
    }
}
