//! Privacy models over persons: classes of persons that share all quasi-identifiers, and the risk they leave.
//!
//! Enters: per person, one or more combinations of quasi-identifiers, as Arrow columns. Leaves: class sizes,
//! who is in a class smaller than a target, risk figures. Refuses: columns of unequal length.
//!
//! Records are person-centred: a person with several rows has one combination, the *set* of the rows' values, so
//! a person never counts twice, and never helps to hide him- or herself.
//!
//! ```
//! use arrow::array::{ArrayRef, StringArray};
//! use kiban_anonymity::PersonClasses;
//! use std::sync::Arc;
//!
//! let persons = StringArray::from(vec!["a", "b", "c", "c"]);
//! let sex: ArrayRef = Arc::new(StringArray::from(vec!["F", "F", "M", "M"]));
//! let mut classes = PersonClasses::new();
//! classes.add(0, &persons, &[sex])?;
//! assert_eq!(classes.sizes(), [1, 2]);
//! assert_eq!(classes.smaller_than(2), ["c"]);
//! # Ok::<(), kiban_anonymity::ClassError>(())
//! ```

mod classes;

pub use classes::{ClassError, PersonClasses, Risk};
