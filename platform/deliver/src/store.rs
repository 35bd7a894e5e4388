//! Every SQL statement of this crate.

use std::collections::BTreeMap;

use kiban_audit::sqlx::{self, AnyConnection, Row as _, any::AnyRow};
use kiban_govern::{Actor, delivery::Route};
use kiban_kernel::{Digest, Id, Product, Timestamp, kinds};

use crate::DeliverError;

type Conn<'a> = &'a mut AnyConnection;
type Result<T> = std::result::Result<T, DeliverError>;

const TABLE: &str = "deliver_delivery";
const COLUMNS: &str = "SELECT d.dataset, d.application, d.contract, d.recipient, d.product, d.route, d.at, d.public_key, \
     d.package_sha256, d.package_bytes, d.manifest_sha256, d.payload, d.notice, e.at \
     FROM deliver_delivery d LEFT JOIN deliver_erasure e ON e.dataset = d.dataset";

/// A delivery record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// What.
    pub dataset: Id<kinds::Dataset>,
    /// For which application.
    pub application: Id<kinds::Application>,
    /// Under which contract.
    pub contract: Id<kinds::Contract>,
    /// To whom.
    pub recipient: Id<kinds::Organization>,
    /// Which product.
    pub product: Product,
    /// How.
    pub route: Route,
    /// When.
    pub at: Timestamp,
    /// The age recipient it is sealed to.
    pub public_key: String,
    /// Digest of `package.age`.
    pub package: Digest,
    /// Its bytes.
    pub package_bytes: u64,
    /// Digest of `manifest.note`.
    pub manifest: Digest,
    /// Digest of the plain payload.
    pub payload: Digest,
    /// The notice for the recipient, a signed note.
    pub notice: String,
    /// When the package was erased, if it was.
    pub erased_at: Option<Timestamp>,
}

fn parse<T: std::str::FromStr>(row: &AnyRow, column: usize) -> Result<T> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| DeliverError::Damaged { table: TABLE })
}

fn read(row: &AnyRow) -> Result<DeliveryRow> {
    let damaged = || DeliverError::Damaged { table: TABLE };
    let product: String = row.try_get(4)?;
    let erased: Option<String> = row.try_get(13)?;
    Ok(DeliveryRow {
        dataset: parse(row, 0)?,
        application: parse(row, 1)?,
        contract: parse(row, 2)?,
        recipient: parse(row, 3)?,
        product: [Product::Anonymized, Product::Pseudonymized]
            .into_iter()
            .find(|p| p.as_str() == product)
            .ok_or_else(damaged)?,
        route: parse(row, 5)?,
        at: parse(row, 6)?,
        public_key: row.try_get(7)?,
        package: parse(row, 8)?,
        package_bytes: u64::try_from(row.try_get::<i64, _>(9)?).map_err(|_| damaged())?,
        manifest: parse(row, 10)?,
        payload: parse(row, 11)?,
        notice: row.try_get(12)?,
        erased_at: erased.map(|at| at.parse().map_err(|_| damaged())).transpose()?,
    })
}

/// A delivery record.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn delivery(conn: Conn<'_>, dataset: Id<kinds::Dataset>) -> Result<Option<DeliveryRow>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE d.dataset = $1")))
        .bind(dataset.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

/// All delivery records, oldest first.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn deliveries(conn: Conn<'_>) -> Result<Vec<DeliveryRow>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY d.at, d.dataset")))
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn by_dataset(
    conn: Conn<'_>,
) -> Result<BTreeMap<Id<kinds::Dataset>, DeliveryRow>> {
    Ok(deliveries(conn).await?.into_iter().map(|d| (d.dataset, d)).collect())
}

pub(crate) async fn add_delivery(conn: Conn<'_>, d: &DeliveryRow, actor: &Actor) -> Result<()> {
    sqlx::query(
        "INSERT INTO deliver_delivery (dataset, application, contract, recipient, product, route, at, actor, \
         public_key, package_sha256, package_bytes, manifest_sha256, payload, notice) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(d.dataset.to_string())
    .bind(d.application.to_string())
    .bind(d.contract.to_string())
    .bind(d.recipient.to_string())
    .bind(d.product.as_str())
    .bind(d.route.as_str())
    .bind(d.at.to_string())
    .bind(actor.account.to_string())
    .bind(&d.public_key)
    .bind(d.package.to_string())
    .bind(i64::try_from(d.package_bytes).unwrap_or(i64::MAX))
    .bind(d.manifest.to_string())
    .bind(d.payload.to_string())
    .bind(&d.notice)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn add_erasure(
    conn: Conn<'_>,
    dataset: Id<kinds::Dataset>,
    at: Timestamp,
    actor: &Actor,
    reason: &str,
) -> Result<()> {
    sqlx::query("INSERT INTO deliver_erasure (dataset, at, actor, reason) VALUES ($1, $2, $3, $4)")
        .bind(dataset.to_string())
        .bind(at.to_string())
        .bind(actor.account.to_string())
        .bind(reason)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn add_key(
    conn: Conn<'_>,
    organization: Id<kinds::Organization>,
    at: Timestamp,
    public: &str,
) -> Result<()> {
    let seq: i64 = sqlx::query_scalar(
        "SELECT COALESCE(MAX(seq), 0) + 1 FROM deliver_key WHERE organization = $1",
    )
    .bind(organization.to_string())
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO deliver_key (organization, seq, at, public_key) VALUES ($1, $2, $3, $4)",
    )
    .bind(organization.to_string())
    .bind(seq)
    .bind(at.to_string())
    .bind(public)
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest age recipient registered for an organization; for the producer, its environment's.
///
/// # Errors
/// The database fails.
pub async fn public_key(
    conn: Conn<'_>,
    organization: Id<kinds::Organization>,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT public_key FROM deliver_key WHERE organization = $1 ORDER BY seq DESC LIMIT 1",
    )
    .bind(organization.to_string())
    .fetch_optional(conn)
    .await?)
}
