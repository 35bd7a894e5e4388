//! One specification becomes an anonymized or a pseudonymized product.
//!
//! Enters: a [`spec::Spec`], and records [`Cleared`](kiban_vault::Cleared) under one regime or a plain table.
//! Leaves: [`Anonymized`] or [`Pseudonymized`], minted here alone, with change report, risk summary, findings and a
//! payload that is the same bytes in every run. Refuses: a specification that breaks the table of house rule 4,
//! naming column and law key; rows not cleared under the product's regime; columns nobody declared.
//!
//! The way through: [`spec::Spec::parse`] → [`spec::Spec::check`] → [`anonymize`] or [`pseudonymize`] →
//! [`Produced::payload`]. A plain table takes [`tool::deid`].
//!
//! # Guarantee
//! - `deid.table`: a specification that breaks a cell of the table of house rule 4 is refused, with column, class,
//!   law key and remedy; a class weaker than the canonical schema's is refused.
//! - `deid.undeclared`: a column that nobody declared is in no output and is named in the change report.
//! - `deid.regimes`: a row reaches a product only if its bases hold the product's regime.
//! - `deid.rows`: rows out equal rows in minus counted removals, in every table.
//! - `deid.explained`: every output value follows from its column's rule.
//! - `deid.k`: every person of the anonymized product shares the combination of all quasi-identifiers with at least
//!   k persons.
//! - `deid.search`: levels that a specification leaves open are those with the least loss at which every model holds;
//!   the answer written down as plain rules gives the same output.
//! - `deid.rare`: a code that stays is held by at least the named number of persons of the output; a listed one never
//!   stays, however many hold it. The residual of a column outside the model is held by nobody or by so many, too.
//! - `deid.shift`: all dates of a person move by one offset, never 0: intervals are unchanged.
//! - `deid.domains`: ids of two domains never meet; inside a domain they are stable over datasets and years.
//! - `deid.findings`: whom a value or combination could identify is a finding; it quotes no value, and its decision
//!   survives the next run.
//! - `deid.same-bytes`: equal input gives an equal payload, in whatever order its rows came.
//!
//! ```
//! use kiban_deid::spec::Spec;
//! use kiban_kernel::{Date, Product, Rules};
//!
//! let spec = Spec::parse(r#"
//!     specification = { name = "example" }
//!     [tables.person.columns.name_kanji]
//!     class = "direct_identifier"
//!     anonymized = "keep"
//! "#)?;
//! let refused = spec.check(Product::Anonymized, &Rules::built_in()?, Date::constant(2026, 4, 1)).unwrap_err();
//! assert!(refused.ja().contains("name_kanji") && refused.ja().contains("anonymized.identifiers"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod acts;
mod error;
pub mod finding;
pub mod joins;
pub mod payload;
mod produce;
pub mod product;
pub mod report;
pub mod spec;
pub mod tool;

pub use acts::{DatasetKey, ProjectKey, anonymize, pseudonymize};
pub use error::ProduceError;
pub use product::{AnonDataUser, Anonymized, Produced, Provenance, Pseudonymized, Releasable};
