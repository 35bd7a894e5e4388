//! A producer's deployment with one registered holder.

use std::{path::Path, sync::Arc};

use kiban_audit::{Db, Event, Log, LogSigner};
use kiban_govern::Actor;
use kiban_intake::SegmentIds;
use kiban_kernel::{Id, NoSteps, OsEntropy, Regime, Rules, ScriptedClock, kinds};
use kiban_lake::{DataClass, KeyRing, Lake, schema};
use kiban_register::{
    AcquisitionCheck, Filing, Gate, NoticeVersion, Organization, OrganizationKind, RegisterKeys,
    StatutoryItems, filing, notice, organization,
};
use kiban_testkit::{SeededEntropy, actor, id};
use kiban_vault::Vault;

use crate::holder::TODAY;

pub(crate) struct Deployment {
    db: Db,
    pub(crate) log: Log,
    pub(crate) vault: Vault,
    keys: RegisterKeys,
    pub(crate) ids: SegmentIds,
    actor: Actor,
}

impl Deployment {
    pub(crate) async fn new(path: &Path, holder: Id<kinds::Organization>) -> anyhow::Result<Self> {
        let db = Db::open_file(&path.join("governance.sqlite")).await?;
        db.migrate().await?;
        let signer = LogSigner::generate(&SeededEntropy::new(1), "benches.kiban.invalid/audit")?;
        let clock = Arc::new(ScriptedClock::starting("2026-03-01".parse()?));
        let steps = Arc::new(NoSteps);
        let log = Log::open(db.clone(), path.join("audit"), signer, clock, steps.clone()).await?;
        let ring = Arc::new(KeyRing::create(&path.join("keys"), &OsEntropy)?);
        let vault = Vault::new(Lake::open(path.join("lake"), ring, db.clone(), steps).await?);
        let mut conn = db.pool().acquire().await?;
        let keys = RegisterKeys::load(&mut conn, vault.lake().ring()).await?;
        let ids = vault.segment_ids(&mut conn).await?;
        drop(conn);
        let deployment = Self { db, log, vault, keys, ids, actor: actor(9) };
        deployment.register(holder).await?;
        Ok(deployment)
    }

    async fn register(&self, holder: Id<kinds::Organization>) -> anyhow::Result<()> {
        let mut tx = self.log.begin().await?;
        let now = tx.now();
        let kinds: Vec<String> = schema::tables()
            .iter()
            .filter(|t| t.data_class == DataClass::Identified)
            .map(|t| t.name.clone())
            .collect();
        let organization = Organization {
            id: holder,
            kind: OrganizationKind::Holder,
            name: "計測用の病院".into(),
            address: "架空市1-1".into(),
            representative: "架空 代表".into(),
        };
        organization::add(tx.conn(), &organization, now).await?;
        for (i, regime) in (1..).zip(Regime::ALL) {
            let filing = Filing {
                id: id(i),
                holder,
                regime,
                number: "届-1".into(),
                filed_on: "2025-01-01".parse()?,
                effective_from: "2025-01-01".parse()?,
                ended_on: None,
                wait_days: None,
                publication: None,
            };
            filing::add(tx.conn(), &filing).await?;
            let items = StatutoryItems {
                holder_name: "計測用の病院".into(),
                holder_address: "架空市1-1".into(),
                holder_representative: "架空 代表".into(),
                purpose: "研究開発".into(),
                data_items: "病名等".into(),
                acquisition: "診療".into(),
                method: "電磁的".into(),
                stop_on_request: "停止".into(),
                request_desk: "窓口".into(),
                producer: "計測用の作成事業者".into(),
                planned_start: None,
            };
            let version = NoticeVersion {
                id: id(i),
                holder,
                regime,
                version: "v1".into(),
                effective_from: "2025-01-01".parse()?,
                items,
                kinds: kinds.clone(),
            };
            notice::add(tx.conn(), &version).await?;
        }
        let check = AcquisitionCheck {
            holder,
            checked_on: "2025-01-01".parse()?,
            method: "診療".into(),
            evidence: "確認書".into(),
            lawful: true,
        };
        filing::add_acquisition(tx.conn(), &check).await?;
        tx.commit(self.event("bench.registered")).await?;
        Ok(())
    }

    pub(crate) async fn gate(&self, holder: Id<kinds::Organization>) -> anyhow::Result<Gate> {
        let mut conn = self.db.pool().acquire().await?;
        Ok(Gate::load(&mut conn, &self.keys, holder, TODAY.parse()?, &Rules::built_in()?).await?)
    }

    pub(crate) fn event(&self, kind: &'static str) -> Event<'_> {
        let body = serde_json::Value::Null;
        Event { kind, actor: &self.actor, subject: "bench".into(), law: None, body }
    }
}
