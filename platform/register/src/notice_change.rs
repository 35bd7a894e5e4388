//! Changes of a notice: what a version changes against the one before, what that asks for, and whether it was done.
//!
//! Enters: a version beside the one in use before it. Leaves: the changed statutory items with their classes, and the days
//! on which persons and ministers were told. A change that must be told beforehand bars the version until both were told
//! ([`untold`]); one that must be told without delay is due from the first day of the version.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized` (items (3)(4)(5)(7)(8) beforehand; (1) without delay; (2)(6) a new notice)

use std::collections::BTreeSet;

use kiban_kernel::{Date, Id, Regime, kinds};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    notice::{ChangeClass, ItemChange, NoticeVersion},
    store::{StoreError, filled, maybe, maybe_parsed, parsed, text},
};

const TABLE: &str = "register_notice_change";

/// A change on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeChange {
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// Under which regime.
    pub regime: Regime,
    /// The version in use before.
    pub from_version: String,
    /// The version that changes it.
    pub to_version: String,
    /// First day of the new version.
    pub effective_from: Date,
    /// The heaviest class of its items.
    pub class: ChangeClass,
    /// Numbers of the changed items.
    pub items: Vec<u8>,
    /// Day on which persons were told.
    pub persons_told_on: Option<Date>,
    /// Day on which the ministers were told.
    pub ministers_told_on: Option<Date>,
    /// Reference of the filing of the change.
    pub reference: Option<String>,
}

impl NoticeChange {
    /// What is still to be done on a day, as a Japanese sentence; `None`: nothing.
    pub fn open_ja(&self, on: Date) -> Option<&'static str> {
        let told = |day: Option<Date>| day.is_some_and(|d| d <= on);
        let done = told(self.persons_told_on) && told(self.ministers_told_on);
        match self.class {
            ChangeClass::None => None,
            ChangeClass::Beforehand if !done => Some(
                "この版はまだ使えません。本人への通知と主務大臣への届出を済ませ、済んだ日を記録してください。",
            ),
            ChangeClass::WithoutDelay if !done && self.effective_from <= on => Some(
                "変更後です。遅滞なく本人に通知し、主務大臣に届け出て、済んだ日を記録してください。",
            ),
            ChangeClass::NewNotice => Some(
                "変更ではなく新たな通知です。この版は、本人ごとの通知と待機期間を経た人にだけ効力を持ちます。",
            ),
            _ => None,
        }
    }
}

/// The items that `new` changes against `old`.
pub fn between(old: &NoticeVersion, new: &NoticeVersion) -> Vec<ItemChange> {
    let sorted = |v: &NoticeVersion| {
        let mut kinds = v.kinds.clone();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    };
    new.items.changes_from(&old.items, sorted(old) != sorted(new))
}

/// The version of the same holder and regime in use just before `new`.
pub fn before<'a>(all: &'a [NoticeVersion], new: &NoticeVersion) -> Option<&'a NoticeVersion> {
    all.iter()
        .filter(|v| v.holder == new.holder && v.regime == new.regime && v.id != new.id)
        .filter(|v| v.effective_from <= new.effective_from && v.version != new.version)
        .max_by_key(|v| (v.effective_from, v.id))
}

/// Puts a change on record. A version without changes leaves none.
///
/// # Errors
/// The change is on record already, or the database failed.
pub async fn add(
    conn: &mut AnyConnection,
    old: &NoticeVersion,
    new: &NoticeVersion,
) -> Result<Vec<ItemChange>, StoreError> {
    let changes = between(old, new);
    let Some(class) = changes.iter().map(|c| c.class).max() else { return Ok(changes) };
    let mut items: Vec<u8> = changes.iter().map(|c| c.item).collect();
    items.dedup();
    let items: Vec<String> = items.iter().map(u8::to_string).collect();
    sqlx::query(
        "INSERT INTO register_notice_change (holder, regime, from_version, to_version, effective_from, class, items) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new.holder.to_string())
    .bind(new.regime.as_str())
    .bind(old.version.as_str())
    .bind(new.version.as_str())
    .bind(new.effective_from.to_string())
    .bind(class.as_str())
    .bind(items.join(","))
    .execute(conn)
    .await?;
    Ok(changes)
}

/// Puts on record that persons and ministers were told of a change.
///
/// # Errors
/// There is no such change, the reference is empty, or the database failed.
pub async fn tell(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    regime: Regime,
    to_version: &str,
    told: (Date, Date),
    reference: &str,
) -> Result<(), StoreError> {
    filled(reference, "変更の届出の番号")?;
    let done = sqlx::query(
        "UPDATE register_notice_change SET persons_told_on = $4, ministers_told_on = $5, reference = $6 \
         WHERE holder = $1 AND regime = $2 AND to_version = $3",
    )
    .bind(holder.to_string())
    .bind(regime.as_str())
    .bind(to_version)
    .bind(told.0.to_string())
    .bind(told.1.to_string())
    .bind(reference.trim())
    .execute(conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Missing { what: "通知文書の変更" });
    }
    Ok(())
}

/// All changes of all holders, by holder and first day.
///
/// # Errors
/// The database failed.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<NoticeChange>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM register_notice_change ORDER BY holder, effective_from, to_version, regime",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(read).collect()
}

/// Versions of a holder that may not count on a day: they change what must be told beforehand, and it was not told before
/// that day.
///
/// # Errors
/// The database failed.
pub async fn untold(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    on: Date,
) -> Result<BTreeSet<(Regime, String)>, StoreError> {
    let rows = sqlx::query("SELECT * FROM register_notice_change WHERE holder = $1")
        .bind(holder.to_string())
        .fetch_all(conn)
        .await?;
    let mut out = BTreeSet::new();
    for row in &rows {
        let change = read(row)?;
        let told = |day: Option<Date>| day.is_some_and(|d| d < on);
        let done = told(change.persons_told_on) && told(change.ministers_told_on);
        if change.class == ChangeClass::Beforehand && !done {
            out.insert((change.regime, change.to_version));
        }
    }
    Ok(out)
}

fn read(row: &AnyRow) -> Result<NoticeChange, StoreError> {
    let class = text(row, TABLE, "class")?;
    let items = text(row, TABLE, "items")?;
    let malformed = |column| StoreError::Malformed { table: TABLE, column };
    let classes = [
        ChangeClass::None,
        ChangeClass::WithoutDelay,
        ChangeClass::Beforehand,
        ChangeClass::NewNotice,
    ];
    let items: Result<Vec<u8>, _> =
        items.split(',').filter(|i| !i.is_empty()).map(str::parse).collect();
    Ok(NoticeChange {
        holder: parsed(row, TABLE, "holder")?,
        regime: parsed(row, TABLE, "regime")?,
        from_version: text(row, TABLE, "from_version")?,
        to_version: text(row, TABLE, "to_version")?,
        effective_from: parsed(row, TABLE, "effective_from")?,
        class: classes
            .into_iter()
            .find(|c| c.as_str() == class)
            .ok_or_else(|| malformed("class"))?,
        items: items.map_err(|_| malformed("items"))?,
        persons_told_on: maybe_parsed(row, TABLE, "persons_told_on")?,
        ministers_told_on: maybe_parsed(row, TABLE, "ministers_told_on")?,
        reference: maybe(row, TABLE, "reference")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::StatutoryItems;

    #[test]
    fn a_diff_names_each_item_and_the_heaviest_class_counts() {
        let version = |n: u8, from: &str| NoticeVersion {
            id: Id::from_bytes([n; 16]),
            holder: Id::from_bytes([1; 16]),
            regime: Regime::Anon52,
            version: format!("v{n}"),
            effective_from: from.parse().unwrap(),
            items: StatutoryItems { method: "郵送".into(), ..StatutoryItems::default() },
            kinds: vec!["condition".into(), "measurement".into()],
        };
        let (one, mut two) = (version(1, "2025-01-01"), version(2, "2025-06-01"));
        two.kinds.reverse();
        assert!(between(&one, &two).is_empty(), "the order of kinds is no change");
        two.items.holder_representative = "別人".into();
        two.items.method = "専用線".into();
        two.kinds.push("note".into());
        let found: Vec<(u8, ChangeClass)> =
            between(&one, &two).iter().map(|c| (c.item, c.class)).collect();
        assert_eq!(
            found,
            [
                (1, ChangeClass::WithoutDelay),
                (3, ChangeClass::Beforehand),
                (5, ChangeClass::Beforehand)
            ]
        );
        let three = version(3, "2026-01-01");
        let all = [one, two.clone(), three.clone()];
        assert_eq!(before(&all, &three).map(|v| v.id), Some(two.id));
        assert_eq!(before(&all, &all[0]), None);
    }
}
