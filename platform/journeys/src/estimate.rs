//! What a dataset will cost and when it will be there: computed from what is applied for by the dated tariff, quoted by the
//! secretariat, and held against what became of it.

use std::collections::BTreeSet;

use jiff::Span;
use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Date, Id, LawKey, Product, RuleError, Rules, Timestamp, jst_date, kinds};
use kiban_release::application::{Content, Step};
use serde_json::json;
use sqlx::Row as _;

use crate::{Deployment, Error};

/// A line of an estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EstimateLine {
    /// What for (Japanese).
    pub what: &'static str,
    /// How many.
    pub count: i64,
    /// Yen for all of them; a reduction is negative.
    pub yen: i64,
}

/// Price and lead time by the tariff of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// The lines.
    pub lines: Vec<EstimateLine>,
    /// Yen before tax: the lines' sum.
    pub yen: i64,
    /// Civil days from the application to the delivery.
    pub days: i64,
    /// The tariff's day.
    pub on: Date,
}

/// The estimate of a content, by the tariff of a day. `academia`: the applicant pays the share of universities.
///
/// # Errors
/// No tariff is in force on the day.
pub fn estimate(
    content: &Content,
    product: Product,
    academia: bool,
    rules: &Rules,
    on: Date,
) -> Result<Estimate, RuleError> {
    let tariff = |name: &str| rules.int(name, on);
    let items: BTreeSet<&str> = content.items.iter().map(|i| i.trim()).collect();
    let tables: BTreeSet<&str> =
        items.iter().map(|i| i.split_once('.').map_or(*i, |(table, _)| table)).collect();
    let (columns, tables) = (items.len() as i64, tables.len() as i64);
    let years = years_begun(content.data_from, content.data_until);
    let mut lines = vec![
        EstimateLine {
            what: "基本料金（審査・契約・加工1回）",
            count: 1,
            yen: tariff("tariff.base_yen")?,
        },
        EstimateLine { what: "表", count: tables, yen: tables * tariff("tariff.table_yen")? },
        EstimateLine {
            what: "項目（列）",
            count: columns,
            yen: columns * tariff("tariff.column_yen")?,
        },
        EstimateLine {
            what: "データの期間（年、端数切上げ）",
            count: years,
            yen: years * tariff("tariff.data_year_yen")?,
        },
    ];
    let sum = |lines: &[EstimateLine]| lines.iter().map(|l| l.yen).sum::<i64>();
    if product == Product::Pseudonymized {
        let yen = share(sum(&lines), tariff("tariff.pseudonymized_percent")? - 100);
        lines.push(EstimateLine { what: "仮名加工医療情報の加算", count: 1, yen });
    }
    if academia {
        let yen = share(sum(&lines), tariff("tariff.academia_percent")? - 100);
        lines.push(EstimateLine { what: "大学・公的機関の減額", count: 1, yen });
    }
    let days = tariff("tariff.review_days")?
        + tariff("tariff.contract_days")?
        + tariff("tariff.production_days")?
        + tables * tariff("tariff.table_days")?;
    Ok(Estimate { yen: sum(&lines), lines, days, on })
}

/// A share of yen in percent, cut to whole yen towards zero.
fn share(yen: i64, percent: i64) -> i64 {
    yen * percent / 100
}

/// Years of a period of whole days, a begun year counted; 0 of a period that is none.
fn years_begun(from: Date, until: Date) -> i64 {
    if until < from {
        return 0;
    }
    let mut years = i64::from(until.year()) - i64::from(from.year());
    // The day that many years after the first is still within: one more has begun.
    let after = |n: i64| Span::new().try_years(n).map_or(from, |span| from.saturating_add(span));
    while after(years) <= until {
        years += 1;
    }
    years
}

/// A quote of the secretariat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
    /// Yen before tax.
    pub yen: i64,
    /// Civil days from the submission.
    pub days: i64,
}

/// Estimate, quote and what became of it.
#[derive(Debug, Clone)]
pub struct Pricing {
    /// By the tariff of the day of submission, or of today while it is a draft.
    pub estimate: Estimate,
    /// The newest quote.
    pub quote: Option<Quote>,
    /// Civil days from the submission to the first delivery.
    pub delivered_after: Option<i64>,
    /// Civil days since the submission, if nothing was delivered yet.
    pub running: Option<i64>,
}

impl Deployment {
    async fn is_academia(&self, id: Id<kinds::Organization>) -> Result<bool, Error> {
        let row = sqlx::query("SELECT class FROM journeys_user_class WHERE organization = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let class: Option<String> = row.map(|r| r.try_get(0)).transpose()?;
        Ok(class.as_deref() == Some("academia"))
    }

    /// When the first dataset of an application was delivered.
    async fn first_delivery(&self, id: Id<kinds::Application>) -> Result<Option<Date>, Error> {
        let row = sqlx::query("SELECT MIN(at) FROM deliver_delivery WHERE application = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let at: Option<String> = row.map(|r| r.try_get(0)).transpose()?.flatten();
        let at = at.map(|t| t.parse::<Timestamp>()).transpose();
        Ok(at.map_err(|_| Error::Unknown { what: "package" })?.map(jst_date))
    }
}

/// Estimate and quote of an application that the actor may see.
///
/// # Errors
/// There is no such application, no tariff is in force, or the database failed.
pub async fn pricing(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Pricing, Error> {
    let head = on.seen(actor, id).await?;
    let submitted = head.steps.iter().find(|s| matches!(s.step, Step::Submit { .. }));
    let submitted = submitted.map(|s| jst_date(s.at));
    let today = on.today();
    let academia = on.is_academia(head.application.applicant).await?;
    let product = head.application.product;
    let day = submitted.unwrap_or(today);
    let row = sqlx::query(
        "SELECT at, account, yen, days FROM journeys_quote WHERE application = $1 ORDER BY seq DESC LIMIT 1",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *on.reader().await?)
    .await?;
    let damaged = || Error::Unknown { what: "quote" };
    let quote = match row {
        Some(row) => Some(Quote {
            at: row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?,
            account: row.try_get::<String, _>(1)?.parse().map_err(|_| damaged())?,
            yen: row.try_get(2)?,
            days: row.try_get(3)?,
        }),
        None => None,
    };
    let delivered = on.first_delivery(id).await?;
    let since = |day: Date| {
        submitted.and_then(|from| from.until(day).ok()).map(|span| i64::from(span.get_days()))
    };
    Ok(Pricing {
        estimate: estimate(&head.content, product, academia, &on.rules, day)?,
        quote,
        delivered_after: delivered.and_then(since),
        running: if delivered.is_none() { since(today) } else { None },
    })
}

/// Name a price and a lead time for a submitted application. A later quote replaces an earlier one and leaves it on the
/// record.
///
/// # Errors
/// The actor may not, it was never submitted, a figure is out of range, or the log failed.
/// # Law
/// `contract`
pub async fn quote(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    yen: i64,
    days: i64,
) -> Result<(), Error> {
    let permit = permit(actor, Act::QuoteApplication)?;
    on.seen(actor, id).await?;
    if !(0..=10_000_000_000).contains(&yen) {
        return Err(Error::Field {
            field: "yen",
            ja: "金額は0円から100億円までで書いてください。",
        });
    }
    if !(1..=3_650).contains(&days) {
        return Err(Error::Field {
            field: "days",
            ja: "日数は1日から3,650日までで書いてください。",
        });
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let seq: i64 = sqlx::query_scalar(
        "SELECT COALESCE(MAX(seq), 0) + 1 FROM journeys_quote WHERE application = $1",
    )
    .bind(id.to_string())
    .fetch_one(tx.conn())
    .await?;
    sqlx::query(
        "INSERT INTO journeys_quote (application, seq, at, account, yen, days) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(seq)
    .bind(at)
    .bind(actor.account.to_string())
    .bind(yen)
    .bind(days)
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "application.quoted",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("contract").ok(),
        body: json!({ "seq": seq, "yen": yen, "days": days }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_begun_year_is_a_year() {
        for (from, until, years) in [
            ("2020-04-01", "2021-03-31", 1),
            ("2020-04-01", "2021-04-01", 2),
            ("2020-04-01", "2020-04-01", 1),
            ("2020-04-02", "2020-04-01", 0),
            ("2020-02-29", "2021-02-27", 1),
            ("2020-02-29", "2024-02-29", 5),
            ("2019-12-31", "2020-01-01", 1),
        ] {
            assert_eq!(years_begun(day(from), day(until)), years, "{from} {until}");
        }
    }
}
