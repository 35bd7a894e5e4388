//! The history of source records: what became of each version, and, to whom it is permitted, what each said.

use kiban_govern::{Act, Actor, permit};
use kiban_intake::{Format, source};
use kiban_kernel::{Id, kinds};
use kiban_vault::{RecordValue, RecordVersion, Vault};

use crate::{Deployment, Error};

/// Which records.
#[derive(Clone, Copy)]
pub enum RecordsOf<'a> {
    /// One record, by its id (`rec_…`).
    Record(Id<kinds::Record>),
    /// One record, by the source's own name (an SS-MIX2 file name, `Type/id` of FHIR, a claim's name).
    Named(Format, &'a str),
    /// All records of a person, by the holder's number.
    Person(&'a str),
}

/// A version with what it said.
#[derive(Debug, Clone)]
pub struct VersionRead {
    /// The version.
    pub version: RecordVersion,
    /// Path of its file in the delivery, and its values; none if the source bytes are not kept.
    pub content: Option<(String, Vec<RecordValue>)>,
}

/// The histories of records of a holder, by record, oldest first. Without values: what the producer's intake and
/// enquiry staff may see at any time.
///
/// # Errors
/// The actor may not, the name is none of the format, or the lake failed.
pub async fn record_history(
    on: &Deployment,
    actor: &Actor,
    holder: Id<kinds::Organization>,
    of: RecordsOf<'_>,
) -> Result<Vec<RecordVersion>, Error> {
    permit(actor, Act::TraceRecord)?;
    let vault = Vault::new(on.lake.clone());
    match of {
        RecordsOf::Record(record) => Ok(vault.versions_of_record(holder, record).await?),
        RecordsOf::Named(format, name) => {
            let name = source::name_of(format, name).ok_or(Error::Field {
                field: "record",
                ja: "記録の名前が形式に合いません。SS-MIX2はファイル名、FHIRは「種類/id」、レセプトは一覧に表示される名前を指定してください。",
            })?;
            let ids = vault.segment_ids(&mut *on.reader().await?).await?;
            Ok(vault.versions_of_record(holder, ids.record(holder, &name)).await?)
        }
        RecordsOf::Person(local_id) => {
            let person = on.register_keys().await?.person_source(holder, local_id);
            Ok(vault.versions_of_person(person).await?)
        }
    }
}

/// What the versions of one record said. The opening stands in the log under the record's keyed id.
///
/// # Errors
/// The actor may not, there is no such record of the holder, or lake or log failed.
/// # Law
/// `receipt_record`
pub async fn record_values(
    on: &Deployment,
    actor: &Actor,
    holder: Id<kinds::Organization>,
    record: Id<kinds::Record>,
) -> Result<Vec<VersionRead>, Error> {
    permit(actor, Act::ReadRecordHistory)?;
    let vault = Vault::new(on.lake.clone());
    let versions = vault.versions_of_record(holder, record).await?;
    if versions.is_empty() {
        return Err(Error::Unknown { what: "原本の記録" });
    }
    let receipt = on.log.read(actor, "record.history", &record.to_string()).await?;
    let mut conn = on.reader().await?;
    let mut out = Vec::with_capacity(versions.len());
    for version in versions {
        let content = vault.values_of(&mut conn, &version, &receipt).await?;
        out.push(VersionRead { version, content });
    }
    Ok(out)
}
