//! A holder's filings with the ministers, and what the producer verified of its acquisition.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `receipt_record`

use kiban_govern::gate::FilingFact;
use kiban_kernel::{Date, Id, Regime, kinds};
use sqlx::{AnyConnection, any::AnyRow};

use crate::store::{StoreError, filled, int, maybe, maybe_parsed, parsed, text};

const TABLE: &str = "register_filing";
const ACQUISITION: &str = "register_acquisition";

/// A filing (届出) of a holder under one regime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// Its id.
    pub id: Id<kinds::Filing>,
    /// Who filed.
    pub holder: Id<kinds::Organization>,
    /// Under which regime.
    pub regime: Regime,
    /// Number of the filing.
    pub number: String,
    /// Day of the filing.
    pub filed_on: Date,
    /// First day in effect.
    pub effective_from: Date,
    /// First day no longer in effect.
    pub ended_on: Option<Date>,
    /// The wait that the holder's notice promises, if longer than the rule's.
    pub wait_days: Option<i64>,
    /// Where the ministers published it.
    pub publication: Option<String>,
}

impl Filing {
    /// What the gate needs to know.
    pub fn fact(&self) -> FilingFact {
        FilingFact {
            effective_from: self.effective_from,
            ended: self.ended_on,
            wait_days: self.wait_days,
        }
    }
}

/// What the producer verified, at an intake, of how the holder acquired its data (Art. 55).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcquisitionCheck {
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// Day of the check.
    pub checked_on: Date,
    /// How the holder says it acquired the data.
    pub method: String,
    /// What was seen.
    pub evidence: String,
    /// Found lawful?
    pub lawful: bool,
}

/// Register a filing.
///
/// # Errors
/// The number is empty, or the database failed.
pub async fn add(conn: &mut AnyConnection, filing: &Filing) -> Result<(), StoreError> {
    filled(&filing.number, "届出番号")?;
    sqlx::query(
        "INSERT INTO register_filing (id, holder, regime, filing_number, filed_on, effective_from, ended_on, \
         wait_days, publication) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(filing.id.to_string())
    .bind(filing.holder.to_string())
    .bind(filing.regime.as_str())
    .bind(filing.number.as_str())
    .bind(filing.filed_on.to_string())
    .bind(filing.effective_from.to_string())
    .bind(filing.ended_on.map(|d| d.to_string()))
    .bind(filing.wait_days)
    .bind(filing.publication.as_deref())
    .execute(conn)
    .await?;
    Ok(())
}

/// End a filing: from `on` it is no longer in effect.
///
/// # Errors
/// There is no such filing, or the database failed.
pub async fn end(
    conn: &mut AnyConnection,
    id: Id<kinds::Filing>,
    on: Date,
) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE register_filing SET ended_on = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(on.to_string())
        .execute(conn)
        .await?;
    if done.rows_affected() == 0 { Err(StoreError::Missing { what: "届出" }) } else { Ok(()) }
}

/// A holder's filings, by first day in effect.
///
/// # Errors
/// The database failed.
pub async fn of(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
) -> Result<Vec<Filing>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM register_filing WHERE holder = $1 ORDER BY effective_from, id")
            .bind(holder.to_string())
            .fetch_all(conn)
            .await?;
    rows.iter().map(read).collect()
}

/// The filing that decides on a day: the one in effect, else the next, else the last one that ended.
pub fn deciding(filings: &[Filing], regime: Regime, on: Date) -> Option<&Filing> {
    let mine = || filings.iter().filter(|f| f.regime == regime);
    mine()
        .rfind(|f| f.effective_from <= on && f.ended_on.is_none_or(|e| on < e))
        .or_else(|| mine().find(|f| f.effective_from > on))
        .or_else(|| mine().next_back())
}

fn read(row: &AnyRow) -> Result<Filing, StoreError> {
    let wait = sqlx::Row::try_get::<Option<i64>, _>(row, "wait_days")
        .map_err(|_| StoreError::Malformed { table: TABLE, column: "wait_days" })?;
    Ok(Filing {
        id: parsed(row, TABLE, "id")?,
        holder: parsed(row, TABLE, "holder")?,
        regime: parsed(row, TABLE, "regime")?,
        number: text(row, TABLE, "filing_number")?,
        filed_on: parsed(row, TABLE, "filed_on")?,
        effective_from: parsed(row, TABLE, "effective_from")?,
        ended_on: maybe_parsed(row, TABLE, "ended_on")?,
        wait_days: wait,
        publication: maybe(row, TABLE, "publication")?,
    })
}

/// Record what was verified of a holder's acquisition.
///
/// # Errors
/// A field is empty, or the database failed.
pub async fn add_acquisition(
    conn: &mut AnyConnection,
    check: &AcquisitionCheck,
) -> Result<(), StoreError> {
    filled(&check.method, "取得の経緯")?;
    filled(&check.evidence, "確認資料")?;
    let next = "SELECT COALESCE(MAX(check_no), 0) + 1 AS check_no FROM register_acquisition WHERE holder = $1";
    let row = sqlx::query(next).bind(check.holder.to_string()).fetch_one(&mut *conn).await?;
    sqlx::query(
        "INSERT INTO register_acquisition (holder, check_no, checked_on, method, evidence, lawful) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(check.holder.to_string())
    .bind(int(&row, ACQUISITION, "check_no")?)
    .bind(check.checked_on.to_string())
    .bind(check.method.as_str())
    .bind(check.evidence.as_str())
    .bind(i64::from(check.lawful))
    .execute(conn)
    .await?;
    Ok(())
}

/// Everything that was verified of a holder's acquisition, the oldest first.
///
/// # Errors
/// The database failed.
pub async fn acquisition_checks(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
) -> Result<Vec<AcquisitionCheck>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM register_acquisition WHERE holder = $1 ORDER BY checked_on, check_no",
    )
    .bind(holder.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(AcquisitionCheck {
                holder: parsed(row, ACQUISITION, "holder")?,
                checked_on: parsed(row, ACQUISITION, "checked_on")?,
                method: text(row, ACQUISITION, "method")?,
                evidence: text(row, ACQUISITION, "evidence")?,
                lawful: int(row, ACQUISITION, "lawful")? == 1,
            })
        })
        .collect()
}

/// Is the holder's acquisition on record as lawful on a day? The last check up to it decides; none is no.
///
/// # Errors
/// The database failed.
pub async fn acquisition_lawful(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    on: Date,
) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT lawful FROM register_acquisition WHERE holder = $1 AND checked_on <= $2 \
         ORDER BY checked_on DESC, check_no DESC LIMIT 1",
    )
    .bind(holder.to_string())
    .bind(on.to_string())
    .fetch_optional(conn)
    .await?;
    row.map_or(Ok(false), |r| Ok(int(&r, ACQUISITION, "lawful")? == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn the_filing_in_effect_decides_and_only_of_its_regime() {
        let filing = |n: u8, regime, from: &str, ended: Option<&str>| Filing {
            id: Id::from_bytes([n; 16]),
            holder: Id::from_bytes([9; 16]),
            regime,
            number: "届出".into(),
            filed_on: day("2024-01-01"),
            effective_from: day(from),
            ended_on: ended.map(day),
            wait_days: None,
            publication: None,
        };
        let list = [
            filing(1, Regime::Anon52, "2024-01-01", Some("2025-01-01")),
            filing(2, Regime::Anon52, "2025-06-01", None),
            filing(3, Regime::Pseudo57, "2024-01-01", None),
        ];
        let pick = |on: &str, r| deciding(&list, r, day(on)).map(|f| f.id.to_bytes()[0]);
        assert_eq!(pick("2024-12-31", Regime::Anon52), Some(1));
        assert_eq!(pick("2025-01-01", Regime::Anon52), Some(2), "the next one: not yet in effect");
        assert_eq!(pick("2025-06-01", Regime::Anon52), Some(2));
        assert_eq!(pick("2023-01-01", Regime::Pseudo57), Some(3));
        assert_eq!(deciding(&list[..1], Regime::Pseudo57, day("2024-05-01")), None);
        assert_eq!(
            deciding(&list[..1], Regime::Anon52, day("2026-05-01")).map(|f| f.ended_on.is_some()),
            Some(true)
        );
    }
}
