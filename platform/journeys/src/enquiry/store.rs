//! SQL of submissions and enquiries.

use std::collections::BTreeMap;

use kiban_kernel::{Id, kinds};
use kiban_release::Manifest;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{AnswerGiven, Enquiry, RowAsked, Submission};
use crate::{Deployment, Error};

fn damaged() -> Error {
    Error::Unknown { what: "enquiry" }
}

fn text(row: &AnyRow, i: usize) -> Result<String, Error> {
    Ok(row.try_get(i)?)
}

fn parsed<T: std::str::FromStr>(row: &AnyRow, i: usize) -> Result<T, Error> {
    text(row, i)?.parse().map_err(|_| damaged())
}

fn number(row: &AnyRow, i: usize) -> Result<u64, Error> {
    u64::try_from(row.try_get::<i64, _>(i)?).map_err(|_| damaged())
}

/// All submissions, the newest first.
pub(super) async fn submissions(on: &Deployment) -> Result<Vec<Submission>, Error> {
    let mut conn = on.reader().await?;
    let rows = sqlx::query(
        "SELECT id, dataset, regulator, at, account, purpose, payload, package, bytes, erased_at FROM journeys_submission \
         ORDER BY at DESC, id",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in &rows {
        let dataset: Id<kinds::Dataset> = parsed(row, 1)?;
        let delivery = kiban_deliver::delivery(&mut conn, dataset).await?.ok_or_else(damaged)?;
        let (_, content) = kiban_release::content(&mut conn, delivery.application).await?;
        let note = kiban_release::manifest_note(&mut conn, dataset).await?;
        out.push(Submission {
            id: parsed(row, 0)?,
            dataset,
            title: content.title,
            user: delivery.recipient,
            regulator: parsed(row, 2)?,
            at: parsed(row, 3)?,
            account: parsed(row, 4)?,
            purpose: text(row, 5)?,
            payload: parsed(row, 6)?,
            delivered: delivery.payload,
            package: parsed(row, 7)?,
            bytes: number(row, 8)?,
            erased: row.try_get::<Option<String>, _>(9)?.is_some(),
            tables: Manifest::open(&note, &[on.signer.verify_key().clone()])?.tables,
        });
    }
    Ok(out)
}

/// All enquiries, the newest first.
pub(super) async fn enquiries(on: &Deployment) -> Result<Vec<Enquiry>, Error> {
    let of: BTreeMap<_, _> = submissions(on).await?.into_iter().map(|s| (s.id, s)).collect();
    let today = on.today();
    let mut conn = on.reader().await?;
    let rows = sqlx::query(
        "SELECT id, submission, at, account, question FROM journeys_enquiry ORDER BY at DESC, id",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: Id<kinds::Event> = parsed(row, 0)?;
        let submission: Id<kinds::Event> = parsed(row, 1)?;
        out.push(Enquiry {
            id,
            submission: of.get(&submission).cloned().ok_or_else(damaged)?,
            at: parsed(row, 2)?,
            account: parsed(row, 3)?,
            question: text(row, 4)?,
            rows: rows_of(&mut conn, id).await?,
            seats: seats_of(&mut conn, id).await?,
            answer: answer_of(&mut conn, id, today).await?,
        });
    }
    Ok(out)
}

async fn rows_of(conn: &mut AnyConnection, id: Id<kinds::Event>) -> Result<Vec<RowAsked>, Error> {
    let rows = sqlx::query(
        "SELECT dataset_table, dataset_row FROM journeys_enquiry_row WHERE enquiry = $1 ORDER BY no",
    )
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|r| Ok(RowAsked { table: text(r, 0)?, row: number(r, 1)? })).collect()
}

/// Who agreed to open an enquiry, in order.
pub(super) async fn seats_of(
    conn: &mut AnyConnection,
    id: Id<kinds::Event>,
) -> Result<Vec<(Id<kinds::Account>, kiban_kernel::Timestamp)>, Error> {
    let rows = sqlx::query(
        "SELECT account, at FROM journeys_enquiry_seat WHERE enquiry = $1 ORDER BY seat",
    )
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|r| Ok((parsed(r, 0)?, parsed(r, 1)?))).collect()
}

async fn answer_of(
    conn: &mut AnyConnection,
    id: Id<kinds::Event>,
    today: kiban_kernel::Date,
) -> Result<Option<AnswerGiven>, Error> {
    let row = sqlx::query(
        "SELECT at, account, last_day, erased_at FROM journeys_enquiry_answer WHERE enquiry = $1",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let holders = sqlx::query(
        "SELECT holder FROM journeys_enquiry_holder WHERE enquiry = $1 ORDER BY holder",
    )
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    let last_day = parsed(&row, 2)?;
    Ok(Some(AnswerGiven {
        at: parsed(&row, 0)?,
        account: parsed(&row, 1)?,
        last_day,
        expired: today > last_day,
        erased: row.try_get::<Option<String>, _>(3)?.is_some(),
        holders: holders.iter().map(|r| parsed(r, 0)).collect::<Result<_, _>>()?,
    }))
}

/// The digest of an answer's pack.
pub(super) async fn pack_digest(
    conn: &mut AnyConnection,
    id: Id<kinds::Event>,
) -> Result<kiban_kernel::Digest, Error> {
    let row = sqlx::query("SELECT digest FROM journeys_enquiry_answer WHERE enquiry = $1")
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?
        .ok_or(super::EnquiryRefused::NoAnswer)?;
    parsed(&row, 0)
}

/// Enquiries whose answer can still be read on a day.
pub(super) async fn readable(
    conn: &mut AnyConnection,
    on: kiban_kernel::Date,
) -> Result<std::collections::BTreeSet<String>, Error> {
    let rows = sqlx::query_scalar(
        "SELECT enquiry FROM journeys_enquiry_answer WHERE last_day >= $1 AND erased_at IS NULL",
    )
    .bind(on.to_string())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}
