//! The table as the engine sees it: distinct combinations of quasi-identifiers with their counts.
//!
//! Enters: rows, one at a time. Leaves: the *bottom classes* (one packed key and one count per distinct
//! combination), how often each sensitive value occurs in each of them, and the bottom class of every row.
//! Refuses: values that a hierarchy lacks, by row number and attribute, without the value.

use crate::group::{Classes, Distribution};
use crate::hierarchy::Hierarchy;
use crate::key::{self, Field};
use hashbrown::HashMap;
use std::sync::Arc;

/// A quasi-identifier.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Name of the column.
    pub name: String,
    /// Its hierarchy; shared, since they can be large.
    pub hierarchy: Arc<Hierarchy>,
    /// Weight in the measure of utility (1 = as all others).
    pub weight: f64,
    /// Lowest level the search may use.
    pub lowest: usize,
    /// Highest level the search may use.
    pub highest: usize,
}

impl Attribute {
    /// An attribute with weight 1 that may take every level.
    pub fn new(name: impl Into<String>, hierarchy: Hierarchy) -> Self {
        let highest = hierarchy.levels() - 1;
        Self { name: name.into(), hierarchy: Arc::new(hierarchy), weight: 1.0, lowest: 0, highest }
    }
}

/// A sensitive attribute: what a model protects inside classes. Never generalised.
#[derive(Debug, Clone)]
pub struct Sensitive {
    /// Name of the column.
    pub name: String,
    /// Needed by hierarchical t-closeness only.
    pub hierarchy: Option<Arc<Hierarchy>>,
    pub(crate) values: Vec<Box<str>>,
    pub(crate) numbers: HashMap<Box<str>, u32>,
    /// Occurrences of each value in the whole table.
    pub(crate) totals: Vec<u32>,
}

impl Sensitive {
    /// A sensitive attribute, with its hierarchy if a model needs it.
    pub fn new(name: impl Into<String>, hierarchy: Option<Hierarchy>) -> Self {
        let mut sensitive = Self {
            name: name.into(),
            hierarchy: hierarchy.map(Arc::new),
            values: Vec::new(),
            numbers: HashMap::new(),
            totals: Vec::new(),
        };
        if let Some(hierarchy) = &sensitive.hierarchy {
            // Leaves keep their numbers, so that the tree can be walked by them.
            sensitive.values.clone_from(&hierarchy.levels[0].labels);
            sensitive.numbers.clone_from(&hierarchy.values);
            sensitive.totals = vec![0; sensitive.values.len()];
        }
        sensitive
    }
}

/// Sums of products of two counts stay below 2^63.
const MOST_ROWS: u64 = 3_000_000_000;

/// Why a table was refused. Row numbers and names of attributes only, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The hierarchy of an attribute lacks the value of a row.
    #[error("row {row}: the value of attribute {attribute:?} is not in its hierarchy")]
    ValueMissing {
        /// Row of the data, from 1, without the header.
        row: u64,
        /// Name of the attribute.
        attribute: String,
    },
    /// A row has another number of values than there are attributes.
    #[error("row {row} has {found} values, expected {expected}")]
    Width {
        /// Row of the data, from 1.
        row: u64,
        /// Values of the row.
        found: usize,
        /// Attributes of the table.
        expected: usize,
    },
    /// No quasi-identifier was named.
    #[error("no quasi-identifier was named")]
    NoAttribute,
    /// The levels an attribute may take are not levels of its hierarchy.
    #[error(
        "attribute {attribute:?}: its levels {lowest} to {highest} are not levels of its hierarchy"
    )]
    Levels {
        /// Name of the attribute.
        attribute: String,
        /// Lowest level asked for.
        lowest: usize,
        /// Highest level asked for.
        highest: usize,
    },
    /// All leaves of all hierarchies do not fit into a key of 1,024 bits.
    #[error("the quasi-identifiers need {words} words of 64 bits, at most 16 are possible")]
    TooWide {
        /// Words that a key would need.
        words: usize,
    },
    /// More rows than can be counted.
    #[error("the table has more than 3,000,000,000 rows")]
    TooLong,
}

impl TableError {
    /// The Japanese sentence for the person who gave the table.
    pub fn ja(&self) -> String {
        match self {
            Self::ValueMissing { row, attribute } => format!(
                "{row}行目の「{attribute}」の値が階層ファイルにありません。階層ファイルに追加してください。"
            ),
            Self::Width { row, found, expected } => {
                format!("{row}行目の値は{found}個ですが、{expected}個必要です。")
            }
            Self::NoAttribute => {
                "準識別子が指定されていません。--qi で列を指定してください。".into()
            }
            Self::Levels { attribute, lowest, highest } => {
                format!("「{attribute}」に指定された段階{lowest}〜{highest}は階層にありません。")
            }
            Self::TooWide { .. } => {
                "準識別子の値の種類が多すぎて処理できません。列を減らしてください。".into()
            }
            Self::TooLong => "行数が多すぎます(上限3,000,000,000行)。".into(),
        }
    }
}

/// Bottom classes, whatever the width of their keys.
#[derive(Debug)]
pub(crate) enum Store {
    W1(Bottom<1>),
    W2(Bottom<2>),
    W4(Bottom<4>),
    W8(Bottom<8>),
    W16(Bottom<16>),
}

/// Run `$body` with `$bottom` bound to the bottom classes, whatever their width.
macro_rules! with_bottom {
    ($store:expr, $bottom:ident => $body:expr) => {
        match $store {
            $crate::table::Store::W1($bottom) => $body,
            $crate::table::Store::W2($bottom) => $body,
            $crate::table::Store::W4($bottom) => $body,
            $crate::table::Store::W8($bottom) => $body,
            $crate::table::Store::W16($bottom) => $body,
        }
    };
}
pub(crate) use with_bottom;

#[derive(Debug, Default)]
pub(crate) struct Bottom<const N: usize> {
    pub(crate) classes: Classes<N>,
    numbers: HashMap<[u64; N], u32>,
}

impl<const N: usize> Bottom<N> {
    fn class(&mut self, fields: &[Field], leaves: &[u32]) -> u32 {
        let mut key = [0; N];
        for (field, leaf) in fields.iter().zip(leaves) {
            key[field.word] |= u64::from(*leaf) << field.shift;
        }
        let next = self.classes.keys.len() as u32;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.classes.keys.push(key);
            self.classes.counts.push(0);
        }
        number
    }
}

/// Fills a [`Table`] row by row.
#[derive(Debug)]
pub struct TableBuilder {
    table: Table,
    leaves: Vec<u32>,
    pairs: Vec<HashMap<u64, u32>>,
    outside: Option<HashMap<u32, u32>>,
    pushed: u64,
}

/// Rows as counted distinct combinations.
#[derive(Debug)]
pub struct Table {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) sensitive: Vec<Sensitive>,
    pub(crate) fields: Vec<Field>,
    pub(crate) store: Store,
    pub(crate) rows: u64,
    /// Bottom class of each row, in the order of the rows.
    pub(crate) class_of_row: Vec<u32>,
    /// Position of the distribution of members and others, if a population was given.
    pub(crate) population: Option<usize>,
}

impl TableBuilder {
    /// An empty table over these attributes.
    pub fn new(attributes: Vec<Attribute>, sensitive: Vec<Sensitive>) -> Result<Self, TableError> {
        if attributes.is_empty() {
            return Err(TableError::NoAttribute);
        }
        for attribute in &attributes {
            if attribute.lowest > attribute.highest
                || attribute.highest >= attribute.hierarchy.levels()
            {
                return Err(TableError::Levels {
                    attribute: attribute.name.clone(),
                    lowest: attribute.lowest,
                    highest: attribute.highest,
                });
            }
        }
        let (fields, words) = key::layout(attributes.iter().map(|a| a.hierarchy.as_ref()));
        let store = match words {
            1 => Store::W1(Bottom::default()),
            2 => Store::W2(Bottom::default()),
            3..=4 => Store::W4(Bottom::default()),
            5..=8 => Store::W8(Bottom::default()),
            9..=16 => Store::W16(Bottom::default()),
            _ => return Err(TableError::TooWide { words }),
        };
        let pairs = vec![HashMap::new(); sensitive.len()];
        Ok(Self {
            leaves: Vec::with_capacity(attributes.len()),
            table: Table {
                attributes,
                sensitive,
                fields,
                store,
                rows: 0,
                class_of_row: Vec::new(),
                population: None,
            },
            pairs,
            outside: None,
            pushed: 0,
        })
    }

    fn class(&mut self, quasi: &[&str]) -> Result<u32, TableError> {
        self.pushed += 1;
        let row = self.pushed;
        if quasi.len() != self.table.attributes.len() {
            let expected = self.table.attributes.len();
            return Err(TableError::Width { row, found: quasi.len(), expected });
        }
        self.leaves.clear();
        for (attribute, value) in self.table.attributes.iter().zip(quasi) {
            let leaf = attribute.hierarchy.values.get(*value);
            let Some(leaf) = leaf else {
                return Err(TableError::ValueMissing { row, attribute: attribute.name.clone() });
            };
            self.leaves.push(*leaf);
        }
        let (fields, leaves) = (&self.table.fields, &self.leaves);
        Ok(with_bottom!(&mut self.table.store, bottom => bottom.class(fields, leaves)))
    }

    /// Add a row: its quasi-identifiers and its sensitive values, in the order of the attributes.
    pub fn push(&mut self, quasi: &[&str], sensitive: &[&str]) -> Result<(), TableError> {
        let class = self.class(quasi)?;
        if self.table.rows >= MOST_ROWS {
            return Err(TableError::TooLong);
        }
        if sensitive.len() != self.table.sensitive.len() {
            let expected = self.table.sensitive.len();
            return Err(TableError::Width { row: self.pushed, found: sensitive.len(), expected });
        }
        for (at, value) in sensitive.iter().enumerate() {
            let attribute = &mut self.table.sensitive[at];
            let number = match attribute.numbers.get(*value) {
                Some(number) => *number,
                None if attribute.hierarchy.is_some() => {
                    let (row, attribute) = (self.pushed, attribute.name.clone());
                    return Err(TableError::ValueMissing { row, attribute });
                }
                None => {
                    let number = attribute.values.len() as u32;
                    attribute.values.push((*value).into());
                    attribute.numbers.insert((*value).into(), number);
                    attribute.totals.push(0);
                    number
                }
            };
            attribute.totals[number as usize] += 1;
            *self.pairs[at].entry(u64::from(class) << 32 | u64::from(number)).or_insert(0) += 1;
        }
        with_bottom!(&mut self.table.store, bottom => bottom.classes.counts[class as usize] += 1);
        self.table.class_of_row.push(class);
        self.table.rows += 1;
        Ok(())
    }

    /// From here on there is a population, even if nobody but the rows of the table is in it.
    pub fn begin_population(&mut self) {
        self.outside.get_or_insert_with(HashMap::new);
        self.pushed = 0;
    }

    /// Add a row of the population that is not in the table: counted by k-map and δ-presence only.
    pub fn push_population(&mut self, quasi: &[&str]) -> Result<(), TableError> {
        let class = self.class(quasi)?;
        *self.outside.get_or_insert_with(HashMap::new).entry(class).or_insert(0) += 1;
        Ok(())
    }

    /// Number of a sensitive value that was pushed before.
    pub(crate) fn sensitive_number(&self, attribute: usize, value: &str) -> u32 {
        self.table.sensitive[attribute].numbers.get(value).copied().unwrap_or(0)
    }

    /// The finished table.
    pub fn finish(mut self) -> Table {
        let mut pairs: Vec<Vec<(u32, u32, u32)>> = self
            .pairs
            .into_iter()
            .map(|map| map.into_iter().map(|(at, n)| ((at >> 32) as u32, at as u32, n)).collect())
            .collect();
        if let Some(outside) = self.outside {
            let mut membership: Vec<(u32, u32, u32)> =
                outside.into_iter().map(|(class, n)| (class, 1, n)).collect();
            with_bottom!(&self.table.store, bottom => {
                for (class, count) in bottom.classes.counts.iter().enumerate() {
                    membership.push((class as u32, 0, *count));
                }
            });
            self.table.population = Some(pairs.len());
            pairs.push(membership);
        }
        with_bottom!(&mut self.table.store, bottom => {
            bottom.numbers = HashMap::new();
            let len = bottom.classes.keys.len();
            bottom.classes.distributions =
                pairs.into_iter().map(|pairs| Distribution::new(len, pairs)).collect();
        });
        self.table
    }
}

impl Table {
    /// Rows that were pushed.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Distinct combinations of quasi-identifiers.
    pub fn combinations(&self) -> usize {
        with_bottom!(&self.store, bottom => bottom.classes.keys.len())
    }

    /// The quasi-identifiers.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Nodes of the lattice of levels.
    pub fn nodes(&self) -> u128 {
        self.attributes
            .iter()
            .map(|a| (a.highest - a.lowest + 1) as u128)
            .fold(1, u128::saturating_mul)
    }
}
