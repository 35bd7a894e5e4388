//! Every store that a stop must reach, each asked for itself; and the switch of a store that is off for maintenance.
//!
//! Five stores are the vault's (rows, source bytes, history of records, notices, links). The others are here: the review
//! of links with what the linker learnt, datasets that wait for their release, packages that nobody has fetched, backups. Intake keeps nothing of a person after the
//! reading, so it is no store.

use async_trait::async_trait;
use kiban_audit::{Event, Tx};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{LawKey, Timestamp};
use kiban_register::{Ack, EraseError, Erases, ErasureOrder};
use kiban_vault::{Vault, VaultStore};
use serde_json::json;
use sqlx::{AnyConnection, Row as _};

use crate::{
    Deployment, Error,
    backups::Backups,
    link_memory::Review,
    notice_store::Notices,
    stop_datasets::{Datasets, UnfetchedPackages},
};

/// Names of the stores that must acknowledge, in the order in which they are asked.
pub const STORES: [&str; 9] = {
    let [rows, source, history, notices, links] = kiban_vault::STORES;
    [rows, source, history, notices, links, "review", "datasets", "packages", "backups"]
};

/// Japanese name of a store on pages and lists.
pub fn store_ja(store: &str) -> &'static str {
    match store {
        "vault" => "保管庫",
        "source" => "原本",
        "history" => "版の履歴",
        "notices" => "通知の記録",
        "links" => "名寄せ",
        "review" => "名寄せの確認と学習内容",
        "datasets" => "提供前のデータセット",
        "packages" => "未受取の包み",
        "backups" => "複製",
        _ => "その他の保管先",
    }
}

/// A store that is off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOff {
    /// Which.
    pub store: String,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: String,
}

/// All ports of a deployment.
pub(crate) struct StopStores {
    vault: [VaultStore; 4],
    notices: Notices,
    review: Review,
    datasets: Datasets,
    packages: UnfetchedPackages,
    backups: Backups,
    off: Vec<Off>,
}

/// A port that does not answer.
struct Off(&'static str);

#[async_trait]
impl Erases for Off {
    fn name(&self) -> &'static str {
        self.0
    }
    async fn erase(&self, _: &ErasureOrder, _: &mut Tx) -> Result<Ack, EraseError> {
        Err(EraseError::Unavailable)
    }
}

impl StopStores {
    pub(crate) async fn open(on: &Deployment) -> Result<Self, Error> {
        let off = stores_off(on).await?;
        let off = |name: &&'static str| off.iter().any(|o| o.store == *name);
        let [rows, source, history, notices, links] = Vault::new(on.lake.clone()).stores();
        Ok(Self {
            vault: [rows, source, history, links],
            notices: Notices(notices),
            review: Review::new(on),
            datasets: Datasets,
            packages: UnfetchedPackages::new(on).await?,
            backups: Backups::new(on),
            off: STORES.into_iter().filter(off).map(Off).collect(),
        })
    }

    pub(crate) fn ports(&self) -> Vec<&dyn Erases> {
        let mut all: Vec<&dyn Erases> = self.vault.iter().map(|s| s as &dyn Erases).collect();
        all.insert(3, &self.notices);
        all.extend([&self.review as &dyn Erases, &self.datasets, &self.packages, &self.backups]);
        for off in &self.off {
            for port in &mut all {
                if port.name() == off.0 {
                    *port = off;
                }
            }
        }
        all
    }
}

/// The stores that are off now.
///
/// # Errors
/// The database failed.
pub async fn stores_off(on: &Deployment) -> Result<Vec<StoreOff>, Error> {
    read(&mut *on.reader().await?).await
}

async fn read(conn: &mut AnyConnection) -> Result<Vec<StoreOff>, Error> {
    let rows = sqlx::query("SELECT store, since, reason FROM journeys_store_off ORDER BY store")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let since: String = row.try_get(1)?;
            Ok(StoreOff {
                store: row.try_get(0)?,
                since: since.parse().map_err(|_| Error::Unknown { what: "store" })?,
                reason: row.try_get(2)?,
            })
        })
        .collect()
}

/// Switch a store off: stops wait for it from now on, and are shown as open. With `reason` empty it is switched on.
///
/// # Errors
/// The actor may not, there is no such store, or the log failed.
/// # Law
/// `stop`
pub async fn switch_store(
    on: &Deployment,
    actor: &Actor,
    store: &str,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::SwitchStore)?;
    if !STORES.contains(&store) {
        return Err(Error::Field {
            field: "store",
            ja: "保管先の名が違います。一覧で確かめてください。",
        });
    }
    let reason = reason.trim();
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query("DELETE FROM journeys_store_off WHERE store = $1")
        .bind(store.to_owned())
        .execute(tx.conn())
        .await?;
    if !reason.is_empty() {
        sqlx::query(
            "INSERT INTO journeys_store_off (store, since, account, reason) VALUES ($1, $2, $3, $4)",
        )
        .bind(store.to_owned())
        .bind(at)
        .bind(actor.account.to_string())
        .bind(reason.to_owned())
        .execute(tx.conn())
        .await?;
    }
    let event = Event {
        kind: if reason.is_empty() { "store.on" } else { "store.off" },
        actor: permit.actor(),
        subject: store.to_owned(),
        law: LawKey::new("stop").ok(),
        body: json!({}),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}
