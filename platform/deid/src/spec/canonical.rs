//! What the canonical schema says of a column, and which columns no specification may name.

use std::collections::BTreeMap;

use kiban_kernel::ColumnClass;
use kiban_lake::{DataClass, schema::TableSchema};

use super::Role;

/// Columns of a canonical table that the platform adds for its own custody: never part of an output.
const CUSTODY: [&str; 7] =
    ["person_source", "bases", "delivery", "segment", "source_file", "position", "parser"];

/// Canonical columns and their classes; `None`: no such table, or one that holds no records.
pub(crate) fn columns(table: &str) -> Option<BTreeMap<&'static str, ColumnClass>> {
    let table = record_tables().find(|t| t.name == table)?;
    Some(
        table
            .columns
            .iter()
            .chain(&table.derived)
            .filter(|c| !CUSTODY.contains(&c.name.as_str()))
            .map(|c| (c.name.as_str(), c.class))
            .collect(),
    )
}

/// The tables a specification may name, in the order of the output: those that hold records, not custody.
pub(crate) fn record_tables() -> impl Iterator<Item = &'static TableSchema> {
    kiban_lake::schema::tables().iter().filter(|t| t.data_class == DataClass::Identified)
}

/// Columns that hold an address: the region rule is their only way out.
pub(crate) fn is_address(column: &str) -> bool {
    matches!(column, "address" | "postal_code")
}

/// Is the declared class at least as strict as the canonical one?
pub(crate) fn at_least_as_strict(declared: ColumnClass, canonical: ColumnClass) -> bool {
    use ColumnClass as C;
    declared == canonical
        || match canonical {
            C::Insensitive => true,
            // These leave no value in the output, or a coarser one inside the model.
            C::Date => matches!(
                declared,
                C::QuasiIdentifier
                    | C::DirectIdentifier
                    | C::IndividualIdCode
                    | C::FinancialDamage
                    | C::FreeText
            ),
            C::QuasiIdentifier | C::SensitiveValue | C::LinkingCode => matches!(
                declared,
                C::DirectIdentifier | C::IndividualIdCode | C::FinancialDamage | C::FreeText
            ),
            C::FreeText => {
                matches!(declared, C::DirectIdentifier | C::IndividualIdCode | C::FinancialDamage)
            }
            C::DirectIdentifier => matches!(declared, C::IndividualIdCode | C::FinancialDamage),
            C::IndividualIdCode | C::FinancialDamage => {
                matches!(declared, C::IndividualIdCode | C::FinancialDamage)
            }
        }
}

/// Columns that the platform adds for its own custody: never declared, never part of an output.
pub(crate) fn custody_columns() -> impl Iterator<Item = &'static str> {
    CUSTODY.into_iter()
}

/// What the combination scan takes a canonical column for.
pub(crate) fn role(table: &str, column: &str) -> Option<Role> {
    match (table, column) {
        ("person", "birth_on") => Some(Role::Birth),
        ("person", "occupation") => Some(Role::Occupation),
        ("person", "address" | "postal_code") => Some(Role::Region),
        ("condition", "icd10" | "standard_code")
        | ("procedure", "code")
        | ("death", "cause_code") => Some(Role::Event),
        (_, "holder") | ("checkup", "institution") | ("death", "place") => Some(Role::Facility),
        _ => None,
    }
}
