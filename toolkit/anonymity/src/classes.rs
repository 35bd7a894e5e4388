//! Classes of persons with the same combination.

use std::collections::BTreeMap;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    compute::cast,
    datatypes::DataType,
};
use hashbrown::HashMap;

/// Why persons could not be counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassError {
    /// A column is shorter or longer than the persons' column.
    #[error("column {column} has another length than the persons' column")]
    Length {
        /// Which column of the call.
        column: usize,
    },
    /// A column cannot be compared as text.
    #[error("column {column} cannot be compared")]
    Type {
        /// Which column of the call.
        column: usize,
        /// Why.
        #[source]
        source: arrow::error::ArrowError,
    },
}

/// Persons by their combination of quasi-identifiers.
///
/// Combinations are numbered as they are met; a person holds numbers, never values twice.
#[derive(Debug, Default, Clone)]
pub struct PersonClasses {
    numbers: HashMap<Box<[u8]>, u32>,
    persons: HashMap<Box<str>, Vec<u32>>,
}

impl PersonClasses {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds persons of whom no quasi-identifier is known (here): they count with an empty combination.
    pub fn add_persons(&mut self, persons: &StringArray) {
        for person in persons.iter().flatten() {
            self.persons.entry_ref(person).or_default();
        }
    }

    /// Adds rows of one table; `table` keeps the values of different tables apart. Rows without a person are skipped.
    ///
    /// # Errors
    /// A column has another length or a type that has no text form.
    pub fn add(
        &mut self,
        table: u32,
        persons: &StringArray,
        columns: &[ArrayRef],
    ) -> Result<(), ClassError> {
        let mut texts = Vec::with_capacity(columns.len());
        for (column, array) in columns.iter().enumerate() {
            if array.len() != persons.len() {
                return Err(ClassError::Length { column });
            }
            texts.push(
                cast(array, &DataType::Utf8)
                    .map_err(|source| ClassError::Type { column, source })?,
            );
        }
        let texts: Vec<&StringArray> = texts.iter().map(|t| t.as_string::<i32>()).collect();
        let mut key = Vec::new();
        for row in 0..persons.len() {
            if persons.is_null(row) {
                continue;
            }
            key.clear();
            key.extend_from_slice(&table.to_le_bytes());
            for text in &texts {
                // Length first, so that no two combinations write the same bytes; no length: no value.
                if text.is_null(row) {
                    key.extend_from_slice(&u32::MAX.to_le_bytes());
                } else {
                    let value = text.value(row).as_bytes();
                    key.extend_from_slice(&(value.len() as u32).to_le_bytes());
                    key.extend_from_slice(value);
                }
            }
            let next = self.numbers.len() as u32;
            let number = match self.numbers.get(key.as_slice()) {
                Some(number) => *number,
                None => *self.numbers.entry(key.clone().into_boxed_slice()).or_insert(next),
            };
            let held = self.persons.entry_ref(persons.value(row)).or_default();
            if let Err(at) = held.binary_search(&number) {
                held.insert(at, number);
            }
        }
        Ok(())
    }

    /// Takes persons away.
    pub fn remove<'a>(&mut self, persons: impl IntoIterator<Item = &'a str>) {
        for person in persons {
            self.persons.remove(person);
        }
    }

    /// Number of persons.
    pub fn persons(&self) -> u64 {
        self.persons.len() as u64
    }

    /// Class sizes, ascending.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.counts().into_values().collect();
        sizes.sort_unstable();
        sizes
    }

    /// Persons in classes of fewer than `k` persons, in alphabetical order.
    pub fn smaller_than(&self, k: u64) -> Vec<&str> {
        let counts = self.counts();
        let mut out: Vec<&str> = self
            .persons
            .iter()
            .filter(|(_, held)| counts.get(held.as_slice()).is_none_or(|n| *n < k))
            .map(|(person, _)| &**person)
            .collect();
        out.sort_unstable();
        out
    }

    /// Risk of the classes, and of those that stay once classes under `k` are gone.
    pub fn risk(&self, k: u64) -> (Risk, Risk) {
        let sizes = self.sizes();
        let kept: Vec<u64> = sizes.iter().copied().filter(|s| *s >= k).collect();
        (Risk::of(&sizes), Risk::of(&kept))
    }

    fn counts(&self) -> HashMap<&[u32], u64> {
        let mut counts: HashMap<&[u32], u64> = HashMap::new();
        for held in self.persons.values() {
            *counts.entry(held.as_slice()).or_default() += 1;
        }
        counts
    }
}

/// Risk of re-identification by the quasi-identifiers (prosecutor: the victim is known to be in the data).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Risk {
    /// Persons.
    pub persons: u64,
    /// Classes.
    pub classes: u64,
    /// Persons in the smallest class; 0 if there is none.
    pub smallest: u64,
    /// Persons alone in their class.
    pub unique: u64,
    /// Chance for the person most at risk: 1 / smallest class; 0 if nobody is there.
    pub prosecutor_highest: f64,
    /// Expected share of persons found when all are sought: classes / persons; 0 if nobody is there.
    pub marketer: f64,
    /// How many classes have a size, ascending.
    pub histogram: Vec<(u64, u64)>,
}

impl Risk {
    /// The risk of classes of these sizes.
    pub fn of(sizes: &[u64]) -> Self {
        let mut by_size: BTreeMap<u64, u64> = BTreeMap::new();
        for size in sizes.iter().filter(|s| **s > 0) {
            *by_size.entry(*size).or_default() += 1;
        }
        let persons: u64 = by_size.iter().map(|(size, classes)| size * classes).sum();
        let classes: u64 = by_size.values().sum();
        let smallest = by_size.keys().next().copied().unwrap_or(0);
        let share = |a: u64, b: u64| if b == 0 { 0.0 } else { a as f64 / b as f64 };
        Self {
            persons,
            classes,
            smallest,
            unique: by_size.get(&1).copied().unwrap_or(0),
            prosecutor_highest: share(1, smallest),
            marketer: share(classes, persons),
            histogram: by_size.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn column(values: &[Option<u8>]) -> ArrayRef {
        Arc::new(values.iter().map(|v| v.map(|v| v.to_string())).collect::<StringArray>())
    }

    #[test]
    fn no_value_and_an_empty_value_differ_and_neighbours_do_not_run_together() {
        let persons = StringArray::from(vec!["a", "b", "c", "d"]);
        let x: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), Some("12"), Some(""), None]));
        let y: ArrayRef = Arc::new(StringArray::from(vec![Some("23"), Some("3"), None, Some("")]));
        let mut classes = PersonClasses::new();
        classes.add(0, &persons, &[x, y]).unwrap();
        assert_eq!(classes.sizes(), [1, 1, 1, 1]);
    }

    #[test]
    fn risk_figures_follow_from_sizes() {
        let risk = Risk::of(&[1, 2, 2, 5]);
        assert_eq!((risk.persons, risk.classes, risk.smallest, risk.unique), (10, 4, 1, 1));
        assert!(
            (risk.marketer - 0.4).abs() < 1e-12 && (risk.prosecutor_highest - 1.0).abs() < 1e-12
        );
        assert_eq!(risk.histogram, [(1, 1), (2, 2), (5, 1)]);
        assert_eq!(Risk::of(&[]), Risk::default());
    }

    proptest! {
        #[test]
        fn classes_equal_a_naive_count(rows in prop::collection::vec((0_u8..20, prop::option::of(0_u8..3), 0_u8..2), 0..80), k in 1_u64..6) {
            let persons = StringArray::from_iter_values(rows.iter().map(|r| format!("p{:02}", r.0)));
            let x = column(&rows.iter().map(|r| r.1).collect::<Vec<_>>());
            let y = column(&rows.iter().map(|r| Some(r.2)).collect::<Vec<_>>());
            let mut classes = PersonClasses::new();
            classes.add(0, &persons, &[x, y]).unwrap();

            let mut sets: BTreeMap<u8, std::collections::BTreeSet<(Option<u8>, u8)>> = BTreeMap::new();
            for r in &rows {
                sets.entry(r.0).or_default().insert((r.1, r.2));
            }
            let size = |p: &u8| sets.values().filter(|s| **s == sets[p]).count() as u64;
            let small: Vec<String> = sets.keys().filter(|p| size(p) < k).map(|p| format!("p{p:02}")).collect();
            prop_assert_eq!(classes.smaller_than(k), small);
            prop_assert_eq!(classes.sizes().iter().sum::<u64>(), sets.len() as u64);
            let (_, kept) = classes.risk(k);
            prop_assert!(kept.smallest == 0 || kept.smallest >= k);
        }
    }
}
