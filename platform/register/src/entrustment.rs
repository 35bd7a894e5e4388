//! Who handles data on behalf of whom: a graph whose every edge rests on the producer's permission.
//!
//! # Law
//! `entrustment`, `entrustment.supervision`

use std::collections::BTreeSet;

use kiban_govern::certification::{self as rules, CertificationKind, NotEffective};
use kiban_kernel::{Date, Id, kinds};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    certification::{self, CertificationError},
    store::{StoreError, maybe_parsed, parsed, text},
};

const TABLE: &str = "register_entrustment";
type Org = Id<kinds::Organization>;

/// One edge: `entruster` lets `trustee` handle data of `producer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrustment {
    /// Whose data.
    pub producer: Org,
    /// Who entrusts: the producer itself, or one of its trustees.
    pub entruster: Org,
    /// Who is entrusted.
    pub trustee: Org,
    /// Day of the producer's permission.
    pub permitted_on: Date,
    /// Reference of the contract or permission.
    pub evidence: String,
    /// First day on which it is over.
    pub ended_on: Option<Date>,
}

impl Entrustment {
    /// Does it hold on a day?
    pub fn holds(&self, on: Date) -> bool {
        self.permitted_on <= on && self.ended_on.is_none_or(|e| on < e)
    }
}

/// Why an entrustment is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntrustError {
    /// The trustee is not certified.
    #[error(transparent)]
    NotCertified(NotEffective),
    /// The entruster holds nothing of this producer.
    #[error("the entruster is neither the producer nor its trustee on this day")]
    NotEntrusted,
    /// There is no permission of the producer on file.
    #[error("there is no evidence of the producer's permission")]
    NoPermission,
    /// The edge would lead back.
    #[error("the entrustment leads back to an organization it comes from")]
    Circle,
    /// The certifications could not be read.
    #[error(transparent)]
    Certification(#[from] CertificationError),
    /// The register could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EntrustError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::NotCertified(e) => e.ja(),
            Self::NotEntrusted => {
                "委託元が、この作成事業者本人でも、その日に有効な受託事業者でもありません。".to_owned()
            }
            Self::NoPermission => {
                "作成事業者の許諾を示す資料がありません。契約書または許諾書の番号を入力してください（法24条）。".to_owned()
            }
            Self::Circle => "委託が元の事業者に戻ってしまいます。委託先を確かめてください。".to_owned(),
            Self::Certification(e) => e.ja(),
            Self::Store(e) => e.ja(),
        }
    }
}

/// Register an edge of the graph.
///
/// # Errors
/// The trustee is not certified on that day, the entruster holds nothing of the producer, permission is
/// missing, the edge leads back, or the database failed.
pub async fn add(conn: &mut AnyConnection, edge: &Entrustment) -> Result<(), EntrustError> {
    let existing = all(conn).await?;
    let certifications = certification::all(conn).await?;
    rules::require(edge.trustee, CertificationKind::Trustee, &certifications, edge.permitted_on)
        .map_err(EntrustError::NotCertified)?;
    check(edge, &existing)?;
    sqlx::query(
        "INSERT INTO register_entrustment (producer, entruster, trustee, permitted_on, evidence, ended_on) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(edge.producer.to_string())
    .bind(edge.entruster.to_string())
    .bind(edge.trustee.to_string())
    .bind(edge.permitted_on.to_string())
    .bind(edge.evidence.as_str())
    .bind(edge.ended_on.map(|d| d.to_string()))
    .execute(conn)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

fn check(edge: &Entrustment, existing: &[Entrustment]) -> Result<(), EntrustError> {
    if edge.evidence.trim().is_empty() {
        return Err(EntrustError::NoPermission);
    }
    let on = edge.permitted_on;
    if edge.entruster != edge.producer
        && !reached(edge.producer, existing, on).contains(&edge.entruster)
    {
        return Err(EntrustError::NotEntrusted);
    }
    let mut with: Vec<Entrustment> =
        existing.iter().filter(|e| e.producer == edge.producer).cloned().collect();
    with.push(edge.clone());
    let below = reached_from(edge.trustee, &with, on);
    if edge.trustee == edge.entruster
        || edge.trustee == edge.producer
        || below.contains(&edge.entruster)
    {
        return Err(EntrustError::Circle);
    }
    Ok(())
}

/// All edges on file.
///
/// # Errors
/// The database failed.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<Entrustment>, StoreError> {
    let rows = sqlx::query("SELECT * FROM register_entrustment ORDER BY permitted_on, trustee")
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

/// The producer's trustees on a day, and theirs: whose people are not outsiders to its committee.
pub fn reached(producer: Org, edges: &[Entrustment], on: Date) -> BTreeSet<Org> {
    let own: Vec<Entrustment> = edges.iter().filter(|e| e.producer == producer).cloned().collect();
    reached_from(producer, &own, on)
}

fn reached_from(start: Org, edges: &[Entrustment], on: Date) -> BTreeSet<Org> {
    let mut out = BTreeSet::new();
    let mut open = vec![start];
    while let Some(from) = open.pop() {
        for edge in edges.iter().filter(|e| e.entruster == from && e.holds(on)) {
            if out.insert(edge.trustee) {
                open.push(edge.trustee);
            }
        }
    }
    out
}

fn read(row: &AnyRow) -> Result<Entrustment, StoreError> {
    Ok(Entrustment {
        producer: parsed(row, TABLE, "producer")?,
        entruster: parsed(row, TABLE, "entruster")?,
        trustee: parsed(row, TABLE, "trustee")?,
        permitted_on: parsed(row, TABLE, "permitted_on")?,
        evidence: text(row, TABLE, "evidence")?,
        ended_on: maybe_parsed(row, TABLE, "ended_on")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(n: u8) -> Org {
        Id::from_bytes([n; 16])
    }
    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }
    fn edge(entruster: u8, trustee: u8) -> Entrustment {
        Entrustment {
            producer: org(1),
            entruster: org(entruster),
            trustee: org(trustee),
            permitted_on: day("2025-04-01"),
            evidence: "契約2025-1".into(),
            ended_on: None,
        }
    }

    #[test]
    fn sub_entrustment_needs_a_chain_from_the_producer_and_its_permission() {
        let first = edge(1, 2);
        assert!(check(&first, &[]).is_ok());
        assert!(matches!(check(&edge(2, 3), &[]), Err(EntrustError::NotEntrusted)));
        assert!(check(&edge(2, 3), std::slice::from_ref(&first)).is_ok());
        let silent = Entrustment { evidence: " ".into(), ..edge(2, 3) };
        assert!(matches!(
            check(&silent, std::slice::from_ref(&first)),
            Err(EntrustError::NoPermission)
        ));
        let ended = Entrustment { ended_on: Some(day("2025-04-01")), ..first.clone() };
        assert!(matches!(check(&edge(2, 3), &[ended]), Err(EntrustError::NotEntrusted)));
        let chain = [first, edge(2, 3)];
        assert!(matches!(check(&edge(3, 2), &chain), Err(EntrustError::Circle)));
        assert_eq!(reached(org(1), &chain, day("2025-05-01")), [org(2), org(3)].into());
        assert!(reached(org(9), &chain, day("2025-05-01")).is_empty());
    }
}
