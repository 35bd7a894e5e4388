//! Rows of the register of notices, read a bucket of persons at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch, StringArray},
    datatypes::Date32Type,
};
use kiban_kernel::{Date, Id, PartialDate, kinds, parse_partial};
use kiban_lake::TableFile;
use kiban_register::{
    PersonNotice,
    notice_return::{self, ReturnKey},
    organization,
    person_notice::date_of,
};

use crate::{Deployment, Error};

const TABLE: &str = "person_notice";

/// One notice to one person.
#[derive(Clone)]
pub(crate) struct NoticeOf {
    pub(crate) person: Id<kinds::PersonSource>,
    pub(crate) holder: Id<kinds::Organization>,
    pub(crate) notice: PersonNotice,
    /// The delivery, or the import, that brought it.
    pub(crate) source: Id<kinds::Delivery>,
    pub(crate) died_on: Option<PartialDate>,
    pub(crate) of_age_on: Option<Date>,
}

fn bad() -> Error {
    Error::Unknown { what: TABLE }
}

/// The notices of some rows. A row without a full day of notice is none.
pub(crate) fn read(batch: &RecordBatch) -> Result<Vec<NoticeOf>, Error> {
    let text = |name: &str| -> Result<&StringArray, Error> {
        batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).ok_or_else(bad)
    };
    let day = |name: &str| {
        batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Date32Type>()).ok_or_else(bad)
    };
    let (persons, holders, regimes) = (text("person_source")?, text("holder")?, text("regime")?);
    let sources = text("delivery")?;
    let (versions, channels, died) =
        (text("notice_version")?, text("channel")?, text("died_on_text")?);
    let (notified, of_age) = (day("notified_on")?, day("of_age_on")?);
    let guardian =
        batch.column_by_name("guardian").and_then(|c| c.as_boolean_opt()).ok_or_else(bad)?;
    let mut out = Vec::with_capacity(batch.num_rows());
    let mut last: Option<(String, Id<kinds::Organization>)> = None;
    for row in 0..batch.num_rows() {
        let full = |days: &arrow::array::Date32Array| {
            (!days.is_null(row)).then(|| date_of(days.value(row))).flatten()
        };
        let Some(notified_on) = full(notified) else { continue };
        let holder = holders.value(row);
        let known = match last.as_ref().filter(|(text, _)| text == holder) {
            Some((_, id)) => *id,
            None => {
                let id = holder.parse().map_err(|_| bad())?;
                last = Some((holder.to_owned(), id));
                id
            }
        };
        out.push(NoticeOf {
            person: persons.value(row).parse().map_err(|_| bad())?,
            holder: known,
            source: sources.value(row).parse().map_err(|_| bad())?,
            notice: PersonNotice {
                regime: regimes.value(row).parse().map_err(|_| bad())?,
                version: versions.value(row).to_owned(),
                notified_on,
                channel: if channels.is_null(row) {
                    String::new()
                } else {
                    channels.value(row).to_owned()
                },
                guardian: guardian.value(row),
            },
            died_on: if died.is_null(row) { None } else { parse_partial(died.value(row)).ok() },
            of_age_on: full(of_age),
        });
    }
    Ok(out)
}

/// Calls `f` with all notices of a bucket of persons, bucket by bucket, at the newest snapshot.
pub(crate) async fn by_bucket(
    on: &Deployment,
    f: &mut (dyn FnMut(Vec<NoticeOf>) + Send),
) -> Result<(), Error> {
    let head = on.lake.head().await?;
    if head.0 == 0 {
        return Ok(());
    }
    let mut buckets: BTreeMap<(u32, u32), Vec<TableFile>> = BTreeMap::new();
    for file in on.lake.files(TABLE, head).await? {
        buckets.entry((file.buckets, file.bucket)).or_default().push(file);
    }
    for files in buckets.into_values() {
        let mut rows = Vec::new();
        for batch in on.lake.read_files(files).await? {
            rows.extend(read(&batch)?);
        }
        f(rows);
    }
    Ok(())
}

/// Calls `f` with the notices of one file after the other.
pub(crate) async fn by_file(
    on: &Deployment,
    f: &mut (dyn FnMut(&NoticeOf) + Send),
) -> Result<(), Error> {
    let head = on.lake.head().await?;
    if head.0 == 0 {
        return Ok(());
    }
    for file in on.lake.files(TABLE, head).await? {
        for batch in on.lake.read_files(vec![file]).await? {
            read(&batch)?.iter().for_each(&mut *f);
        }
    }
    Ok(())
}

/// The notices of some persons; a notice may be there twice.
pub(crate) async fn of_all(
    on: &Deployment,
    persons: &[Id<kinds::PersonSource>],
) -> Result<Vec<NoticeOf>, Error> {
    let mut out = Vec::new();
    let head = on.lake.head().await?;
    if head.0 > 0 && !persons.is_empty() {
        for batch in on.lake.scan_persons(TABLE, head, persons).await? {
            out.extend(read(&batch)?);
        }
    }
    Ok(out)
}

/// The notices of one person, the oldest first, none twice.
pub(crate) async fn of(
    on: &Deployment,
    person: Id<kinds::PersonSource>,
) -> Result<Vec<NoticeOf>, Error> {
    let mut out = of_all(on, &[person]).await?;
    let key = |n: &NoticeOf| (n.notice.notified_on, n.notice.regime, n.notice.version.clone());
    out.sort_by_key(key);
    out.dedup_by_key(|n| key(n));
    Ok(out)
}

/// Every letter that came back by today.
pub(crate) async fn returned(on: &Deployment) -> Result<HashMap<ReturnKey, Date>, Error> {
    let mut conn = on.reader().await?;
    let mut out = HashMap::new();
    for holder in organization::all(&mut conn).await? {
        out.extend(notice_return::of(&mut conn, holder.id, on.today()).await?);
    }
    Ok(out)
}

/// How many of these persons have rows that were taken in.
pub(crate) async fn taken_in(
    on: &Deployment,
    persons: &[Id<kinds::PersonSource>],
) -> Result<u64, Error> {
    let head = on.lake.head().await?;
    if persons.is_empty() || head.0 == 0 {
        return Ok(0);
    }
    let mut found = BTreeSet::new();
    for batch in on.lake.scan_persons("source_segment", head, persons).await? {
        let column = batch
            .column_by_name("person_source")
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or_else(bad)?;
        found.extend(column.iter().flatten().map(str::to_owned));
    }
    Ok(found.len() as u64)
}
