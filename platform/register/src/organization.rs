//! Organizations: the producer, its trustees, data holders, users.

use std::str::FromStr;

use kiban_govern::Employer;
use kiban_kernel::{Id, Timestamp, kinds};
use sqlx::{AnyConnection, any::AnyRow};

use crate::store::{StoreError, filled, parsed, text};

const TABLE: &str = "register_organization";

/// What an organization is to the producer that runs this deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrganizationKind {
    /// The producer itself, or another certified one.
    Producer,
    /// A certified trustee.
    Trustee,
    /// A data holder.
    Holder,
    /// An organization that uses products.
    User,
    /// Anybody else, such as a committee member's employer.
    Other,
}

impl OrganizationKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Producer, Self::Trustee, Self::Holder, Self::User, Self::Other];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        self.employer().as_str()
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        self.employer().label_ja()
    }
    /// What its staff are.
    pub fn employer(self) -> Employer {
        match self {
            Self::Producer => Employer::Producer,
            Self::Trustee => Employer::Trustee,
            Self::Holder => Employer::Holder,
            Self::User => Employer::User,
            Self::Other => Employer::Other,
        }
    }
}

/// A text that names no kind of organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such kind of organization")]
pub struct UnknownKind;

impl FromStr for OrganizationKind {
    type Err = UnknownKind;
    fn from_str(s: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or(UnknownKind)
    }
}

/// An organization on the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: Id<kinds::Organization>,
    /// What it is.
    pub kind: OrganizationKind,
    /// Corporate name.
    pub name: String,
    /// Address of its main office.
    pub address: String,
    /// Name of its representative.
    pub representative: String,
}

/// Add an organization.
///
/// # Errors
/// A field is empty, it exists, or the database failed.
pub async fn add(
    conn: &mut AnyConnection,
    organization: &Organization,
    at: Timestamp,
) -> Result<(), StoreError> {
    filled(&organization.name, "名称")?;
    filled(&organization.address, "所在地")?;
    filled(&organization.representative, "代表者")?;
    sqlx::query(
        "INSERT INTO register_organization (id, kind, name, address, representative, added_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(organization.id.to_string())
    .bind(organization.kind.as_str())
    .bind(organization.name.as_str())
    .bind(organization.address.as_str())
    .bind(organization.representative.as_str())
    .bind(at.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// One organization.
///
/// # Errors
/// There is none, or the database failed.
pub async fn find(
    conn: &mut AnyConnection,
    id: Id<kinds::Organization>,
) -> Result<Organization, StoreError> {
    let row = sqlx::query("SELECT * FROM register_organization WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?
        .ok_or(StoreError::Missing { what: "事業者" })?;
    read(&row)
}

/// All organizations, by id.
///
/// # Errors
/// The database failed.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<Organization>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM register_organization ORDER BY id").fetch_all(conn).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: parsed(row, TABLE, "id")?,
        kind: parsed(row, TABLE, "kind")?,
        name: text(row, TABLE, "name")?,
        address: text(row, TABLE, "address")?,
        representative: text(row, TABLE, "representative")?,
    })
}
