//! What is held of each person: attribute by attribute, from many tables.
//!
//! Enters: rows of any table with a column of person keys ([`HoldingsBuilder::add`], Arrow) or single cells
//! ([`HoldingsBuilder::push`]). Leaves: [`Holdings`], persons numbered as they were met, of each the distinct values
//! per attribute. Two holdings and the [`Compare`] of each attribute make [`Facts`]: what is held inside, what was
//! released, and when a value may have become a label.
//!
//! A person is one unit whatever the number of rows. Values are kept as numbers of a dictionary, dates as days.

mod error;
mod facts;
mod matches;
pub(crate) mod range;
mod relation;

pub use error::HoldingsError;
pub use facts::Facts;
pub(crate) use facts::{NOBODY, Reach, States, days_fit};
pub use matches::{Compare, LabelRule, Matches};
pub(crate) use relation::{Labels, Lists, Relation};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use hashbrown::HashMap;
use rayon::slice::ParallelSliceMut;

/// How many values of an attribute a person has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One, as a rule (sex, birth month, region). Several are known together.
    Single,
    /// A set (diagnoses, visit months). An adversary may know some of it.
    Set,
    /// Values with repetition (laboratory values). An adversary may know some of it.
    Bag,
    /// Days (visits), each once. An adversary may know some of them.
    Dates,
}

/// The values of one attribute: of person p the cells `offsets[p]..offsets[p + 1]`, ascending.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Texts by number; empty for dates. An empty text is a missing value.
    pub(crate) dictionary: Vec<Box<str>>,
    pub(crate) offsets: Vec<u32>,
    /// Numbers of the dictionary, or days.
    pub(crate) cells: Vec<i32>,
}

impl Column {
    pub(crate) fn of(&self, person: u32) -> &[i32] {
        &self.cells
            [self.offsets[person as usize] as usize..self.offsets[person as usize + 1] as usize]
    }
}

/// What is held of some persons.
#[derive(Debug, Clone)]
pub struct Holdings {
    pub(crate) columns: Vec<Column>,
    numbers: HashMap<Box<str>, u32>,
}

impl Holdings {
    /// Persons.
    pub fn persons(&self) -> u32 {
        self.numbers.len() as u32
    }

    /// The number of a person; persons are numbered from 0 as they were met.
    pub fn number_of(&self, key: &str) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// The keys of all persons, by number. To stay inside, like the holdings.
    pub fn keys(&self) -> Vec<&str> {
        let mut keys = vec![""; self.numbers.len()];
        for (key, number) in &self.numbers {
            keys[*number as usize] = key;
        }
        keys
    }

    /// Names and kinds of the attributes.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.columns.iter().map(|c| (c.name.as_str(), c.kind))
    }

    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

#[derive(Debug)]
struct Growing {
    name: String,
    kind: Kind,
    dictionary: Vec<Box<str>>,
    numbers: HashMap<Box<str>, i32>,
    cells: Vec<(u32, i32)>,
}

/// Puts holdings together from rows.
#[derive(Debug, Default)]
pub struct HoldingsBuilder {
    numbers: HashMap<Box<str>, u32>,
    columns: Vec<Growing>,
    unread: u64,
}

impl HoldingsBuilder {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declare an attribute. Returns its place, for the other calls.
    ///
    /// # Errors
    /// The name was declared before.
    pub fn attribute(&mut self, name: &str, kind: Kind) -> Result<usize, HoldingsError> {
        if self.columns.iter().any(|c| c.name == name) {
            return Err(HoldingsError::Twice { name: name.into() });
        }
        self.columns.push(Growing {
            name: name.into(),
            kind,
            dictionary: Vec::new(),
            numbers: HashMap::new(),
            cells: Vec::new(),
        });
        Ok(self.columns.len() - 1)
    }

    /// The number of a person, who exists from now on even without a value.
    pub fn person(&mut self, key: &str) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry_ref(key).or_insert(next)
    }

    /// Add one value of a person; an empty text is a missing value. A date is read as in [`Self::add`].
    pub fn push(&mut self, attribute: usize, person: u32, value: &str) {
        let column = &mut self.columns[attribute];
        if column.kind == Kind::Dates {
            match range::day(value) {
                Some(day) => column.cells.push((person, day)),
                None => self.unread += 1,
            }
            return;
        }
        let next = column.dictionary.len() as i32;
        let number = match column.numbers.get(value) {
            Some(number) => *number,
            None => {
                column.dictionary.push(value.into());
                column.numbers.insert(value.into(), next);
                next
            }
        };
        column.cells.push((person, number));
    }

    /// Add one day of a person, counted from 1970-01-01, to an attribute of dates.
    pub fn push_day(&mut self, attribute: usize, person: u32, day: i32) {
        self.columns[attribute].cells.push((person, day));
    }

    /// Add a column of one batch of a table. Rows without a person are left out; a null is a missing value (for
    /// dates: no date). Dates are `Date32`, `Int32` (days), timestamps, or text written to the day (`2003-07-14`,
    /// `2003/7/14`, `20030714`); texts that are none are counted by [`Self::unread`].
    ///
    /// # Errors
    /// The column has another length, or a type without text form.
    pub fn add(
        &mut self,
        attribute: usize,
        persons: &StringArray,
        values: &ArrayRef,
    ) -> Result<(), HoldingsError> {
        let name = || self.columns[attribute].name.clone();
        if persons.len() != values.len() {
            return Err(HoldingsError::Length { name: name() });
        }
        let dates = self.columns[attribute].kind == Kind::Dates;
        let wanted = match values.data_type() {
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) if dates => {
                DataType::Date32
            }
            kind if dates && kind.is_integer() => DataType::Int32,
            _ => DataType::Utf8,
        };
        let cells =
            cast(values, &wanted).map_err(|source| HoldingsError::Type { name: name(), source })?;
        for row in 0..persons.len() {
            if persons.is_null(row) {
                continue;
            }
            let person = self.person(persons.value(row));
            match (cells.is_null(row), &wanted) {
                (true, _) if dates => {}
                (true, _) => self.push(attribute, person, ""),
                (false, DataType::Date32) => {
                    self.push_day(attribute, person, cells.as_primitive::<Date32Type>().value(row));
                }
                (false, DataType::Int32) => {
                    self.push_day(attribute, person, cells.as_primitive::<Int32Type>().value(row));
                }
                (false, _) => self.push(attribute, person, cells.as_string::<i32>().value(row)),
            }
        }
        Ok(())
    }

    /// Texts that were given as dates and are none.
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// The finished holdings.
    ///
    /// # Errors
    /// More cells or persons than 32 bits can count.
    pub fn finish(self) -> Result<Holdings, HoldingsError> {
        let persons = self.numbers.len();
        let columns = self.columns.into_iter().map(|c| grown(c, persons));
        Ok(Holdings { columns: columns.collect::<Result<_, _>>()?, numbers: self.numbers })
    }
}

fn grown(mut column: Growing, persons: usize) -> Result<Column, HoldingsError> {
    if column.cells.len() > i32::MAX as usize || persons > i32::MAX as usize {
        return Err(HoldingsError::TooMany);
    }
    column.cells.par_sort_unstable();
    if column.kind != Kind::Bag {
        column.cells.dedup();
    }
    let mut offsets = vec![0_u32; persons + 1];
    for (person, _) in &column.cells {
        offsets[*person as usize + 1] += 1;
    }
    for at in 0..persons {
        offsets[at + 1] += offsets[at];
    }
    Ok(Column {
        name: column.name,
        kind: column.kind,
        dictionary: column.dictionary,
        offsets,
        cells: column.cells.into_iter().map(|(_, cell)| cell).collect(),
    })
}
