//! What is held, what was released, and who is who.

use super::relation::Labels;
use super::{Column, Compare, Holdings, HoldingsError, Kind, Lists, Relation};
use hashbrown::HashMap;

/// No released record.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Holdings inside, holdings released, the relation of each attribute, and the truth that only the producer knows.
#[derive(Debug, Clone)]
pub struct Facts {
    pub(crate) original: Holdings,
    pub(crate) released: Holdings,
    /// Released record of each original person, or [`NOBODY`].
    pub(crate) record_of: Vec<u32>,
    pub(crate) attributes: Vec<Fact>,
}

/// One attribute on both sides.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) original: usize,
    pub(crate) released: usize,
    pub(crate) relation: Relation,
}

impl Facts {
    /// Bring two sides together. `truth`: pairs of an original person's number and a released record's number; who is
    /// in no pair was not released, or is a record of somebody else. `compare`: the attributes an adversary may use.
    ///
    /// # Errors
    /// An attribute that one side lacks, of a kind that does not fit its relation, or a pair that cannot be.
    pub fn new(
        original: Holdings,
        released: Holdings,
        truth: impl IntoIterator<Item = (u32, u32)>,
        compare: &[Compare],
    ) -> Result<Self, HoldingsError> {
        let mut record_of = vec![NOBODY; original.persons() as usize];
        let mut taken = vec![false; released.persons() as usize];
        for (position, (person, record)) in truth.into_iter().enumerate() {
            let place = record_of.get_mut(person as usize).filter(|p| **p == NOBODY);
            let free = taken.get_mut(record as usize).filter(|t| !**t);
            let (Some(place), Some(free)) = (place, free) else {
                return Err(HoldingsError::Truth { position });
            };
            (*place, *free) = (record, true);
        }
        let mut attributes: Vec<Fact> = Vec::with_capacity(compare.len());
        for compare in compare {
            let unknown = |side| HoldingsError::Unknown { name: compare.attribute.clone(), side };
            if attributes.iter().any(|f| f.name == compare.attribute) {
                return Err(HoldingsError::Twice { name: compare.attribute.clone() });
            }
            let inside = original.place(&compare.attribute).ok_or_else(|| unknown("inside"))?;
            let outside =
                released.place(&compare.attribute).ok_or_else(|| unknown("in the release"))?;
            let (held, shown) = (&original.columns[inside], &released.columns[outside]);
            attributes.push(Fact {
                name: compare.attribute.clone(),
                kind: held.kind,
                original: inside,
                released: outside,
                relation: Relation::between(held, shown, compare)?,
            });
        }
        Ok(Self { original, released, record_of, attributes })
    }

    /// Original persons.
    pub fn persons(&self) -> u32 {
        self.original.persons()
    }

    /// Released records of persons.
    pub fn records(&self) -> u32 {
        self.released.persons()
    }

    /// Original persons with a released record.
    pub fn overlap(&self) -> u64 {
        self.record_of.iter().filter(|r| **r != NOBODY).count() as u64
    }

    /// Names of the attributes that are compared, with the kind they have inside.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.attributes.iter().map(|f| (f.name.as_str(), f.kind))
    }

    /// Original persons with a released record, ascending.
    pub(crate) fn targets(&self) -> Vec<u32> {
        (0..self.persons()).filter(|p| self.record_of[*p as usize] != NOBODY).collect()
    }

    pub(crate) fn place(&self, name: &str) -> Result<usize, HoldingsError> {
        self.attributes
            .iter()
            .position(|f| f.name == name)
            .ok_or_else(|| HoldingsError::Unknown { name: name.into(), side: "to compare" })
    }

    pub(crate) fn held(&self, attribute: usize) -> &Column {
        &self.original.columns[self.attributes[attribute].original]
    }

    pub(crate) fn shown(&self, attribute: usize) -> &Column {
        &self.released.columns[self.attributes[attribute].released]
    }

    /// The labels of an attribute that must not be one of dates.
    pub(crate) fn labels(&self, attribute: usize) -> Result<&Labels, HoldingsError> {
        let fact = &self.attributes[attribute];
        fact.relation.labels().ok_or_else(|| HoldingsError::Kind { name: fact.name.clone() })
    }
}

impl Labels {
    /// May these labels be those of anybody?
    pub(crate) fn wild(&self, labels: &[i32]) -> bool {
        (labels.is_empty() && self.absent) || labels.iter().any(|l| self.residual[*l as usize])
    }

    /// May this value be behind one of these labels (which are not wild)?
    pub(crate) fn shows(&self, value: i32, labels: &[i32]) -> bool {
        let wanted = self.of_value.at(value as usize);
        wanted.iter().any(|l| labels.binary_search(&(*l as i32)).is_ok())
    }
}

/// May the days that are known be among those shown, all moved by one number of days?
pub(crate) fn days_fit(known: &[i32], shown: &[i32], max_days: i32, missing: bool) -> bool {
    let Some(first) = known.first() else { return true };
    if shown.is_empty() {
        return missing;
    }
    let from = shown.partition_point(|x| *x < first - max_days);
    let near = shown[from..].iter().take_while(|x| **x <= first + max_days);
    near.into_iter()
        .any(|x| known[1..].iter().all(|day| shown.binary_search(&(x + (day - first))).is_ok()))
}

/// The distinct combinations of cells that persons have in one column.
#[derive(Debug, Clone)]
pub(crate) struct States {
    pub(crate) of_person: Vec<u32>,
    pub(crate) cells: Vec<Vec<i32>>,
}

impl States {
    pub(crate) fn of(column: &Column, persons: u32) -> Self {
        let mut numbers: HashMap<&[i32], u32> = HashMap::new();
        let mut cells = Vec::new();
        let mut of_person = Vec::with_capacity(persons as usize);
        for person in 0..persons {
            let own = column.of(person);
            let next = cells.len() as u32;
            let number = *numbers.entry(own).or_insert(next);
            if number == next {
                cells.push(own.to_vec());
            }
            of_person.push(number);
        }
        Self { of_person, cells }
    }
}

/// Which states of the release fit which states inside, when all values are known.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) known: States,
    pub(crate) shown: States,
    /// Shown states that fit a known state, ascending, without the wild ones.
    pub(crate) specific: Lists,
    /// Shown states that fit anybody.
    pub(crate) wild: Vec<u32>,
    /// Known states of which nothing is known.
    pub(crate) blank: Vec<bool>,
}

impl Reach {
    pub(crate) fn of(
        labels: &Labels,
        (held, persons): (&Column, u32),
        (shown, records): (&Column, u32),
    ) -> Self {
        let known = States::of(held, persons);
        let shown = States::of(shown, records);
        let mut with_label: Vec<Vec<u32>> = vec![Vec::new(); labels.residual.len()];
        let mut wild = Vec::new();
        for (state, cells) in shown.cells.iter().enumerate() {
            if labels.wild(cells) {
                wild.push(state as u32);
                continue;
            }
            let mut last = None;
            for label in cells.iter().filter(|l| last.replace(**l) != Some(**l)) {
                with_label[*label as usize].push(state as u32);
            }
        }
        let mut specific = Lists::of([]);
        let mut blank = Vec::with_capacity(known.cells.len());
        for cells in &known.cells {
            let mut fitting: Option<Vec<u32>> = None;
            for value in cells.iter().filter(|v| !labels.unknown[**v as usize]) {
                let mut states: Vec<u32> = Vec::new();
                for label in labels.of_value.at(*value as usize) {
                    states.extend_from_slice(&with_label[*label as usize]);
                }
                states.sort_unstable();
                states.dedup();
                if let Some(before) = fitting {
                    states.retain(|s| before.binary_search(s).is_ok());
                }
                fitting = Some(states);
            }
            blank.push(fitting.is_none());
            specific.push(&fitting.unwrap_or_default());
        }
        Self { known, shown, specific, wild, blank }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_found_whatever_the_shift_but_within_the_most_days() {
        let shown = [110, 117, 140];
        assert!(days_fit(&[100, 107], &shown, 30, false));
        assert!(!days_fit(&[100, 108], &shown, 30, false));
        assert!(!days_fit(&[100, 107], &shown, 9, false));
        assert!(days_fit(&[110, 140], &shown, 0, false) && !days_fit(&[111], &shown, 0, false));
        assert!(days_fit(&[100, 107, 130], &shown, 10, false));
        assert!(days_fit(&[], &shown, 0, false) && days_fit(&[1], &[], 0, true));
        assert!(!days_fit(&[1], &[], 0, false));
    }
}
