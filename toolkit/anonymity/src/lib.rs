//! Anonymization of tables: privacy models, an optimal search over generalisations, risks.
//!
//! Enters: rows of text with a hierarchy per quasi-identifier ([`TableBuilder`]), or Arrow columns of persons
//! ([`PersonClasses`]). Leaves: levels per attribute, who is suppressed, scores, risk figures. Refuses: values
//! without a place in their hierarchy, broken hierarchies, models the data cannot answer; by position, never by value.
//!
//! Records are person-centred in [`PersonClasses`]: a person with several rows has one combination, the *set* of
//! the rows' values, so a person never counts twice, and never helps to hide him- or herself.
//!
//! # Guarantee
//! - `anonymity.models-hold`: the kept rows of an answer fulfil every model that was asked for.
//! - `anonymity.optimal`: an optimal search returns the smallest score of all nodes that fulfil the models.
//! - `anonymity.deterministic`: the same question has the same answer for any number of threads.
//! - `anonymity.not-converged`: an estimate whose solver failed is reported as such, never as a number.
//!
//! ```
//! use kiban_anonymity::{Attribute, Hierarchy, Model, Settings, TableBuilder, ToTheEnd, anonymize};
//!
//! let ages = Hierarchy::parse("34;30-39;*\n36;30-39;*\n51;50-59;*\n", ';')?;
//! let mut table = TableBuilder::new(vec![Attribute::new("age", ages)], vec![])?;
//! for age in ["34", "36", "34", "51"] {
//!     table.push(&[age], &[])?;
//! }
//! let table = table.finish();
//! let settings = Settings::new(vec![Model::KAnonymity { k: 2 }], 0.25);
//! let answer = anonymize(&table, &settings, &ToTheEnd)?;
//! assert_eq!(answer.passes[0].levels, [1]);
//! assert_eq!(answer.labels(&table, 0), Some(vec!["30-39"]));
//! assert_eq!(answer.labels(&table, 3), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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

pub mod adversary;
pub mod attack;
mod chance;
mod check;
mod classes;
pub mod dp;
mod engine;
mod group;
mod hierarchy;
pub mod holdings;
mod key;
mod linear;
mod measure;
mod model;
pub mod perturb;
mod rate;
mod recode;
mod risk;
mod search;
pub mod setvalued;
pub mod sheet;
mod table;
pub mod tool;
pub mod utility;

pub use chance::{Chance, Keys, Stream};
pub use classes::{ClassError, PersonClasses, Risk};
pub use engine::{
    AnonymizeError, Anonymized, DEFAULT_CHECKS, Node, OPTIMAL_NODES, Pass, Recoding, SearchKind,
    Settings, anonymize, judge,
};
pub use hierarchy::{Hierarchy, HierarchyError};
pub use measure::{Aggregate, Measure};
pub use model::{Distance, Model, ModelError, Rule, estimated_map};
pub use rate::{Gain, Rate};
pub use risk::{
    Dankar, Estimate, Estimator, Population, PopulationRisk, SampleRisk, population_risk,
    sample_risk,
};
pub use search::{Control, Point, ToTheEnd};
pub use table::{Attribute, Sensitive, Table, TableBuilder, TableError};
