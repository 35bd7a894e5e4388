//! Versions of a holder's notice: the statutory items as fields, the kinds of data they list.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`

use kiban_kernel::{Date, Id, Regime, kinds};
use sqlx::{AnyConnection, any::AnyRow};

use crate::store::{StoreError, filled, json, parsed, text, to_json};

const TABLE: &str = "register_notice_version";

/// The statutory items of a notice (法52条1項・57条1項), each as the notice words it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatutoryItems {
    /// (1) Name of the holder.
    pub holder_name: String,
    /// (1) Its address.
    pub holder_address: String,
    /// (1) Its representative.
    pub holder_representative: String,
    /// (2) That data go to a certified producer for medical research and development.
    pub purpose: String,
    /// (3) Items of data provided, in words; the table kinds stand in [`NoticeVersion::kinds`].
    pub data_items: String,
    /// (4) How the holder acquired them.
    pub acquisition: String,
    /// (5) Method of provision.
    pub method: String,
    /// (6) That provision stops on request of the person or the bereaved family.
    pub stop_on_request: String,
    /// (7) How requests are received.
    pub request_desk: String,
    /// (8) The certified producer's identity.
    pub producer: String,
    /// (8) The planned start of provision.
    pub planned_start: Option<Date>,
}

impl StatutoryItems {
    pub(crate) fn items(&self) -> [(u8, &'static str, &str); 10] {
        [
            (1, "提供者の名称", &self.holder_name),
            (1, "提供者の住所", &self.holder_address),
            (1, "提供者の代表者", &self.holder_representative),
            (2, "提供する旨と目的", &self.purpose),
            (3, "提供する医療情報の項目", &self.data_items),
            (4, "取得の方法", &self.acquisition),
            (5, "提供の方法", &self.method),
            (6, "求めに応じて停止する旨", &self.stop_on_request),
            (7, "求めを受け付ける方法", &self.request_desk),
            (8, "認定事業者の名称", &self.producer),
        ]
    }

    /// What a change from `old` to this asks of the holder. `kinds_changed`: the listed kinds differ.
    ///
    /// # Law
    /// Items (2) and (6) cannot be changed, (3)(4)(5)(7)(8) only after notice beforehand, (1) without delay.
    pub fn change_from(&self, old: &Self, kinds_changed: bool) -> ChangeClass {
        self.changes_from(old, kinds_changed)
            .into_iter()
            .map(|c| c.class)
            .max()
            .unwrap_or(ChangeClass::None)
    }

    /// Every statutory item that differs from `old`, in the order of the items.
    pub fn changes_from(&self, old: &Self, kinds_changed: bool) -> Vec<ItemChange> {
        let mut out = Vec::new();
        let mut changed = |item: u8, name: &'static str| {
            let class = match item {
                2 | 6 => ChangeClass::NewNotice,
                1 => ChangeClass::WithoutDelay,
                _ => ChangeClass::Beforehand,
            };
            out.push(ItemChange { item, name, class });
        };
        for ((item, name, now), (_, _, before)) in self.items().into_iter().zip(old.items()) {
            if now != before {
                changed(item, name);
            }
        }
        if kinds_changed {
            changed(3, "提供する医療情報の種類");
        }
        if self.planned_start != old.planned_start {
            changed(8, "提供を始める予定の日");
        }
        out.sort_by_key(|c| c.item);
        out
    }
}

/// A statutory item that a version of a notice changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ItemChange {
    /// Number of the item in 法52条1項・57条1項.
    pub item: u8,
    /// Its Japanese name.
    pub name: &'static str,
    /// What changing it asks for.
    pub class: ChangeClass,
}

/// What a change of a notice asks for, the heaviest last.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ChangeClass {
    /// Nothing changed.
    None,
    /// Notify persons and ministers without delay.
    WithoutDelay,
    /// Notify persons and ministers beforehand.
    Beforehand,
    /// No change but a new notice, with its own wait.
    NewNotice,
}

impl ChangeClass {
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::WithoutDelay => "without_delay",
            Self::Beforehand => "beforehand",
            Self::NewNotice => "new_notice",
        }
    }

    /// Japanese sentence.
    pub fn ja(self) -> &'static str {
        match self {
            Self::None => "変更はありません。",
            Self::WithoutDelay => "変更後、遅滞なく本人に通知し、主務大臣に届け出てください。",
            Self::Beforehand => "あらかじめ本人に通知し、主務大臣に届け出てから変更してください。",
            Self::NewNotice => "変更ではなく新たな通知が必要です。待機期間も改めて必要です。",
        }
    }
}

/// A version of a holder's notice under one regime. One sheet of paper may carry two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeVersion {
    /// Its id.
    pub id: Id<kinds::Notice>,
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// Under which regime.
    pub regime: Regime,
    /// Version, as deliveries name it.
    pub version: String,
    /// First day on which it was given.
    pub effective_from: Date,
    /// The statutory items.
    pub items: StatutoryItems,
    /// Canonical table kinds it lists: `condition`, `measurement` …
    pub kinds: Vec<String>,
}

/// Register a version.
///
/// # Errors
/// A statutory item or the list of kinds is empty, the version exists, or the database failed.
pub async fn add(conn: &mut AnyConnection, notice: &NoticeVersion) -> Result<(), StoreError> {
    filled(&notice.version, "版")?;
    for (_, name, value) in notice.items.items() {
        filled(value, name)?;
    }
    if notice.kinds.is_empty() {
        return Err(StoreError::Empty { field: "提供する医療情報の種類" });
    }
    sqlx::query(
        "INSERT INTO register_notice_version (id, holder, regime, version, effective_from, items, kinds) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(notice.id.to_string())
    .bind(notice.holder.to_string())
    .bind(notice.regime.as_str())
    .bind(notice.version.as_str())
    .bind(notice.effective_from.to_string())
    .bind(to_json(&notice.items, TABLE, "items")?)
    .bind(to_json(&notice.kinds, TABLE, "kinds")?)
    .execute(conn)
    .await?;
    Ok(())
}

/// A holder's versions, oldest first.
///
/// # Errors
/// The database failed.
pub async fn of(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
) -> Result<Vec<NoticeVersion>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM register_notice_version WHERE holder = $1 ORDER BY effective_from, id",
    )
    .bind(holder.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<NoticeVersion, StoreError> {
    Ok(NoticeVersion {
        id: parsed(row, TABLE, "id")?,
        holder: parsed(row, TABLE, "holder")?,
        regime: parsed(row, TABLE, "regime")?,
        version: text(row, TABLE, "version")?,
        effective_from: parsed(row, TABLE, "effective_from")?,
        items: json(row, TABLE, "items")?,
        kinds: json(row, TABLE, "kinds")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_a_change_follows_the_item() {
        let old = StatutoryItems::default();
        let with = |f: fn(&mut StatutoryItems)| {
            let mut new = old.clone();
            f(&mut new);
            new.change_from(&old, false)
        };
        assert_eq!(old.change_from(&old, false), ChangeClass::None);
        assert_eq!(old.change_from(&old, true), ChangeClass::Beforehand);
        assert_eq!(with(|i| i.holder_representative = "x".into()), ChangeClass::WithoutDelay);
        assert_eq!(with(|i| i.method = "x".into()), ChangeClass::Beforehand);
        assert_eq!(with(|i| i.planned_start = Some(Date::MAX)), ChangeClass::Beforehand);
        assert_eq!(with(|i| i.stop_on_request = "x".into()), ChangeClass::NewNotice);
    }
}
