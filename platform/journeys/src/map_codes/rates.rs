//! Mapping rates: how much of the data has a standard code; for the catalogue, without a local code.

use kiban_kernel::ColumnClass;
use kiban_lake::{
    Session,
    plan::{aggregates, ident},
    schema,
};

use super::{
    MAPPED,
    items::{Counted, numbers, rows_counted},
};
use crate::{Deployment, Error};

/// How many rows of a table have a standard code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingRate {
    /// The table.
    pub table: &'static str,
    /// Rows.
    pub rows: u64,
    /// Rows with a standard code: by a signed mapping, or as they came.
    pub standard: u64,
    /// Holders with rows.
    pub holders: u64,
    /// Local codes that signed mappings cover.
    pub signed: u64,
    /// The newest signature.
    pub last_signed: Option<kiban_kernel::Timestamp>,
}

impl MappingRate {
    /// The columns that products can have beside those that came: name, Japanese description, class.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &'static str, ColumnClass)> {
        let derived = schema::table(self.table).map_or(&[][..], |t| &t.derived);
        derived.iter().map(|c| (c.name.as_str(), c.ja.as_str(), c.class))
    }
}

/// The mapping rates of all tables that are mapped and have rows: part of the catalogue, without a local code.
///
/// # Errors
/// The lake failed.
pub async fn mapping_rates(on: &Deployment) -> Result<Vec<MappingRate>, Error> {
    let (set, at) = (super::set(on, None).await?, on.lake.head().await?);
    let mut out = Vec::new();
    for table in &MAPPED {
        let session = Session::new(&on.lake)?;
        let counted = Counted::of(on, &session, table, at, None).await?;
        let counts = vec![
            rows_counted(),
            aggregates::count(ident("standard_code")).alias("standard"),
            aggregates::count_distinct(ident("holder")).alias("holders"),
        ];
        let batches = counted.by(&[], counts).await?;
        let Some(batch) = batches.iter().find(|b| b.num_rows() > 0) else { continue };
        let of = |at: usize| Ok::<u64, Error>(numbers(batch, at)?.first().copied().unwrap_or(0));
        let signed: Vec<_> = set
            .mappings()
            .iter()
            .filter(|m| m.is_signed() && table.targets.contains(&m.key.system.as_str()))
            .collect();
        let last = signed.iter().filter_map(|m| match &m.standing {
            super::Standing::Signed { signed, .. } => Some(signed.at),
            _ => None,
        });
        let rate = MappingRate {
            table: table.name,
            rows: of(0)?,
            standard: of(1)?,
            holders: of(2)?,
            signed: signed.len() as u64,
            last_signed: last.max(),
        };
        if rate.rows > 0 {
            out.push(rate);
        }
    }
    Ok(out)
}
