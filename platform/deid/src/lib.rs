//! One specification becomes an anonymized or a pseudonymized product.
//!
//! Enters: a [`spec::Spec`] and records cleared for one regime. Leaves: [`Anonymized`] or [`Pseudonymized`],
//! with change report, risk summary, findings and a payload that is the same bytes in every run. Refuses: a
//! specification that breaks the table of house rule 4, naming column and law key; columns nobody declared.

mod acts;
mod error;
pub mod finding;
pub mod payload;
mod produce;
pub mod product;
pub mod report;
pub mod spec;
pub mod tool;

pub use acts::{DatasetKey, ProjectKey, anonymize, pseudonymize};
pub use error::ProduceError;
pub use product::{AnonDataUser, Anonymized, Produced, Provenance, Pseudonymized, Releasable};
