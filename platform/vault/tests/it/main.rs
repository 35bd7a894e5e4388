//! A real sealed delivery, from the holder's client into the vault: the generated SS-MIX2 storage.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path, sync::Arc};

use kiban_audit::{Event, Log};
use kiban_intake::{
    Incoming, KnownHolder, Opened, ReceiveError,
    holder::{self, Init, ProfileFiling, SealRequest},
    manifest::Provider,
    open_seal, store,
};
use kiban_kernel::{
    Clock as _, Date, FixedClock, Id, NoSteps, OsEntropy, Regime, Rules, Timestamp, kinds,
};
use kiban_lake::{DataClass, KeyRing, Lake, schema};
use kiban_register::{
    AcquisitionCheck, Filing, Gate, NoticeVersion, Organization, OrganizationKind, RegisterKeys,
    StatutoryItems, filing, notice, organization,
};
use kiban_testkit::{SeededEntropy, TestDb, actor, id};
use kiban_vault::{StoreDeliveryError, Vault, prepare};
use xz2::read::XzDecoder;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn kinds() -> Vec<String> {
    schema::tables()
        .iter()
        .filter(|t| t.data_class == DataClass::Identified)
        .map(|t| t.name.clone())
        .collect()
}

/// The storage sealed without the holder's gate, with notices for the first `notified` patients.
fn sealed(home: &Path, notified: usize) -> (Opened, Vec<String>) {
    let storage = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/ssmix2/generated/storage_20patients.tar.xz");
    let input = home.join("in");
    tar::Archive::new(XzDecoder::new(fs::File::open(storage).unwrap())).unpack(&input).unwrap();
    let identity = age::x25519::Identity::generate();
    let filing = |regime| ProfileFiling {
        regime,
        effective_from: day("2024-04-01"),
        ended: None,
        wait_days: None,
    };
    let version = |regime| holder::NoticeVersion {
        version: "v1".into(),
        regime,
        effective_from: Some(day("2024-04-01")),
        items: kinds(),
        text: None,
    };
    let init = Init {
        holder: id(7),
        provider: Provider {
            name: "見本病院".into(),
            address: "見本市".into(),
            representative: "見本 太郎".into(),
            acquisition: "診療".into(),
        },
        producer_name: "見本作成事業者".into(),
        producer_address: "見本都".into(),
        producer_recipient: identity.to_public().to_string(),
        input_format: None,
        notices: "notices.csv".into(),
        stops: "stops.csv".into(),
        filing: Regime::ALL.map(filing).to_vec(),
        notice: Regime::ALL.map(version).to_vec(),
    };
    let setup = holder::init(home, init, &SeededEntropy::new(1)).unwrap();
    let found = holder::find_inputs(std::slice::from_ref(&input), &kiban_intake::Limits::default())
        .unwrap();
    let patients: BTreeSet<String> = found
        .iter()
        .map(|f| {
            f.disk.file_name().unwrap().to_string_lossy().split('_').next().unwrap().to_owned()
        })
        .collect();
    let patients: Vec<String> = patients.into_iter().collect();
    let mut notices =
        "local_id,regime,notice_version,notified_on,channel,guardian,died_on\n".to_owned();
    for patient in &patients[..notified] {
        for regime in Regime::ALL {
            writeln!(notices, "{patient},{regime},v1,2020-05-01,counter,1,").unwrap();
        }
    }
    fs::write(home.join("notices.csv"), notices).unwrap();
    fs::write(home.join("stops.csv"), "local_id,regimes,requested_on,receipt_no\n").unwrap();
    let request = SealRequest {
        gate: holder::Gate::Off,
        ..SealRequest::from_home(home.to_owned(), vec![input], day("2025-06-01")).unwrap()
    };
    let clock = FixedClock("2025-06-01T00:00:00Z".parse::<Timestamp>().unwrap());
    let rules = Rules::built_in().unwrap();
    let report =
        holder::seal(&request, &rules, &clock, &SeededEntropy::new(2), &NoSteps, &mut |_| {})
            .unwrap();
    let known = KnownHolder { id: setup.profile.holder, key: setup.verify_key };
    (open_seal(&report.path, &identity, &[known]).unwrap(), patients)
}

async fn register(log: &Log, vault: &Vault) -> RegisterKeys {
    let mut tx = log.begin().await.unwrap();
    let now = tx.now();
    let holder = Organization {
        id: id(7),
        kind: OrganizationKind::Holder,
        name: "見本病院".into(),
        address: "見本市".into(),
        representative: "見本 太郎".into(),
    };
    organization::add(tx.conn(), &holder, now).await.unwrap();
    for (n, regime) in Regime::ALL.into_iter().enumerate() {
        let text = || "記載".to_owned();
        let filed = Filing {
            id: id(n as u64),
            holder: id(7),
            regime,
            number: "届-1".into(),
            filed_on: day("2024-04-01"),
            effective_from: day("2024-04-01"),
            ended_on: None,
            wait_days: None,
            publication: None,
        };
        filing::add(tx.conn(), &filed).await.unwrap();
        let items = StatutoryItems {
            holder_name: text(),
            holder_address: text(),
            holder_representative: text(),
            purpose: text(),
            data_items: text(),
            acquisition: text(),
            method: text(),
            stop_on_request: text(),
            request_desk: text(),
            producer: text(),
            planned_start: None,
        };
        let version = NoticeVersion {
            id: id(n as u64),
            holder: id(7),
            regime,
            version: "v1".into(),
            effective_from: day("2020-01-01"),
            items,
            kinds: kinds(),
        };
        notice::add(tx.conn(), &version).await.unwrap();
    }
    let check = AcquisitionCheck {
        holder: id(7),
        checked_on: day("2024-04-01"),
        method: "診療".into(),
        evidence: "確認書".into(),
        lawful: true,
    };
    filing::add_acquisition(tx.conn(), &check).await.unwrap();
    let keys = RegisterKeys::load(tx.conn(), vault.lake().ring()).await.unwrap();
    vault.segment_ids(tx.conn()).await.unwrap();
    commit(tx, "test.registered").await;
    keys
}

async fn commit(tx: kiban_audit::Tx, kind: &'static str) {
    let actor = actor(1);
    let event = Event {
        kind,
        actor: &actor,
        subject: "test".into(),
        law: None,
        body: serde_json::Value::Null,
    };
    let _ = tx.commit(event).await.unwrap();
}

// intake's promise kept: vault.same-bytes, vault.refused-nothing, vault.twice-is-once
#[tokio::test]
async fn a_sealed_storage_is_stored_and_every_segment_traced() {
    let db = TestDb::sqlite().await;
    let log = db.log().await;
    let ring = Arc::new(KeyRing::create(&db.path().join("keys"), &OsEntropy).unwrap());
    let lake =
        Lake::open(db.path().join("lake"), ring, db.db().clone(), Arc::new(NoSteps)).await.unwrap();
    let vault = Vault::new(lake);
    let keys = register(&log, &vault).await;
    let home = tempfile::tempdir().unwrap();
    let (opened, patients) = sealed(home.path(), 17);
    assert_eq!(patients.len(), 20);

    let mut conn = db.db().pool().acquire().await.unwrap();
    let ids = vault.segment_ids(&mut conn).await.unwrap();
    let rules = Rules::built_in().unwrap();
    let today = FixedClock("2025-06-02T00:00:00Z".parse::<Timestamp>().unwrap()).today();
    let gate = Gate::load(&mut conn, &keys, id(7), today, &rules).await.unwrap();
    let (checked, prepared) =
        prepare(&vault, gate, ids.clone(), Incoming::Opened(opened), Vec::new()).await.unwrap();
    let mut tx = log.begin().await.unwrap();
    let stored = prepared.store(&mut tx, &checked).await.unwrap();
    commit(tx, "delivery.received").await;
    let counts = &stored.report.counts;
    assert!(counts.balances() && counts.segments == 702, "{counts:?}");
    assert_eq!(counts.refused_persons["not_notified"], 3);
    for table in ["person", "encounter", "condition", "medication", "measurement"] {
        assert!(counts.rows[table] > 0, "{table}");
    }
    let refused: Vec<Id<kinds::PersonSource>> =
        patients[17..].iter().map(|p| keys.person_source(id(7), p)).collect();
    assert!(vault.persons_present(&refused).await.unwrap().values().all(|n| *n == 0));

    let receipt = log.read(&actor(1), "test", "test").await.unwrap();
    let mut sent = Vec::new();
    checked
        .segments(|s| {
            if let Some(p) = s.person.filter(|p| patients[..17].iter().any(|q| q == p)) {
                sent.push((keys.person_source(id(7), p), s.bytes.to_vec()));
            }
            Ok::<(), ReceiveError>(())
        })
        .unwrap();
    let mut traced = 0;
    for (person, bytes) in sent.iter().step_by(7) {
        let segment = ids.id(*person, b"", bytes);
        match vault.trace(&mut conn, *person, segment, stored.snapshot, &receipt).await {
            Ok(found) => {
                assert_eq!(found.bytes, *bytes);
                traced += 1;
            }
            Err(kiban_vault::VaultError::NoSegment) => {}
            Err(e) => panic!("{e}"),
        }
    }
    assert!(traced as u64 >= counts.accepted_segments / 7, "{traced}");

    let gate = Gate::load(&mut conn, &keys, id(7), today, &rules).await.unwrap();
    let (checked, again) =
        prepare(&vault, gate, ids, Incoming::Checked(checked), Vec::new()).await.unwrap();
    assert!(again.is_empty(), "all segments are known");
    let mut tx = log.begin().await.unwrap();
    let twice = again.store(&mut tx, &checked).await;
    assert!(matches!(
        twice,
        Err(StoreDeliveryError::Record(store::StoreError::AlreadyReceived(_)))
    ));
    assert_eq!(vault.lake().head().await.unwrap(), stored.snapshot);
}
