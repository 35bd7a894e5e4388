//! Looks at a deployment that need no named value: who is linked, who is cleared, what cells a file holds.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{array::AsArray as _, compute::cast, datatypes::DataType};
use kiban_govern::Actor;
use kiban_kernel::{Bases, Id, Regime, kinds};
use kiban_register::link;
use sqlx::Row as _;

use crate::{Deployment, Error};

/// The producer that runs the deployment, acting by itself: scheduled work, rebuilds.
///
/// # Errors
/// No parties are registered yet, or the database failed.
pub async fn system_actor(on: &Deployment) -> Result<Actor, Error> {
    Ok(Actor::system(producer(&mut *on.reader().await?).await?))
}

/// The producer that runs the deployment.
pub(crate) async fn producer(
    conn: &mut sqlx::AnyConnection,
) -> Result<Id<kinds::Organization>, Error> {
    let row = sqlx::query("SELECT organization FROM journeys_producer")
        .fetch_optional(conn)
        .await?
        .ok_or(Error::Unknown { what: "producer" })?;
    row.try_get::<String, _>(0)?.parse().map_err(|_| Error::Unknown { what: "producer" })
}

/// The opaque ids of persons as a holder knows them.
///
/// # Errors
/// The register's keys cannot be read.
pub async fn person_sources(
    on: &Deployment,
    holder: Id<kinds::Organization>,
    local_ids: impl IntoIterator<Item = &str>,
) -> Result<Vec<Id<kinds::PersonSource>>, Error> {
    let keys = on.register_keys().await?;
    Ok(local_ids.into_iter().map(|local| keys.person_source(holder, local)).collect())
}

/// Which person each person source belongs to, at the newest snapshot.
///
/// # Errors
/// The lake failed.
pub async fn links(
    on: &Deployment,
) -> Result<BTreeMap<Id<kinds::PersonSource>, Id<kinds::Person>>, Error> {
    Ok(link::at(&on.lake, on.lake.head().await?).await?)
}

/// Person sources with a row in the `person` table that is cleared under a regime, at the newest snapshot.
///
/// # Errors
/// The lake failed.
pub async fn cleared_sources(on: &Deployment, regime: Regime) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    for batch in on.lake.scan("person", on.lake.head().await?).await? {
        let column = |name: &str, to: &DataType| -> Result<_, Error> {
            let column = batch.column_by_name(name).ok_or(Error::Unknown { what: "column" })?;
            cast(column, to).map_err(|_| Error::Unknown { what: "column of that type" })
        };
        let source = column("person_source", &DataType::Utf8)?;
        let bases = column("bases", &DataType::UInt8)?;
        let source = source.as_string::<i32>();
        let bases = bases.as_primitive::<arrow::datatypes::UInt8Type>();
        for row in 0..batch.num_rows() {
            if Bases::from_bits(bases.value(row)).contains(regime) {
                found.insert(source.value(row).to_owned());
            }
        }
    }
    Ok(found)
}

/// A column's cells as texts.
pub(crate) fn texts(
    batch: &arrow::array::RecordBatch,
    name: &str,
) -> Result<Vec<Option<String>>, Error> {
    let column = batch.column_by_name(name).ok_or(Error::Unknown { what: "column" })?;
    let column = cast(column, &DataType::Utf8)
        .map_err(|_| Error::Unknown { what: "column of that type" })?;
    Ok(column.as_string::<i32>().iter().map(|cell| cell.map(str::to_owned)).collect())
}

/// Calls `f` with the text of every cell of a Parquet file, and of its column names.
///
/// # Errors
/// It is no Parquet file.
pub fn parquet_cells(bytes: Vec<u8>, f: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let batches =
        kiban_lake::table_file::read(bytes.into()).map_err(kiban_lake::LakeError::from)?;
    if let Some(batch) = batches.first() {
        batch.schema().fields().iter().for_each(|field| f(field.name()));
    }
    for batch in &batches {
        for column in batch.columns() {
            let text = cast(column, &DataType::Utf8)
                .map_err(|_| Error::Unknown { what: "column of that type" })?;
            text.as_string::<i32>().iter().flatten().for_each(&mut *f);
        }
    }
    Ok(())
}

/// How many rows of these persons all tables hold, over all snapshots; zero after a stop.
///
/// # Errors
/// The lake failed.
pub async fn rows_of(on: &Deployment, persons: &[Id<kinds::PersonSource>]) -> Result<u64, Error> {
    let vault = kiban_vault::Vault::new(on.lake.clone());
    Ok(vault.persons_present(persons).await?.values().sum())
}
