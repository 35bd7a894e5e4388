//! A real sealed delivery, from the holder's client into the vault: the generated SS-MIX2 storage.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use kiban_audit::{Event, Log};
use kiban_intake::{
    Incoming, KnownHolder, Opened, ReceiveError,
    holder::{self, Init, ProfileFiling, SealRequest},
    manifest::Provider,
    open_seal,
    report::Counts,
    store,
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
    let found = holder::find_inputs(std::slice::from_ref(&input), &kiban_intake::Limits::default())
        .unwrap();
    let patients: BTreeSet<String> = found
        .iter()
        .map(|f| {
            f.disk.file_name().unwrap().to_string_lossy().split('_').next().unwrap().to_owned()
        })
        .collect();
    let patients: Vec<String> = patients.into_iter().collect();
    let told: Vec<(&str, bool)> = patients[..notified].iter().map(|p| (&**p, true)).collect();
    (seal(home, input, &told), patients)
}

/// Data sealed without the holder's gate; `told`: who was given notice, and whether a guardian was.
fn seal(home: &Path, input: PathBuf, told: &[(&str, bool)]) -> Opened {
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
    let mut notices =
        "local_id,regime,notice_version,notified_on,channel,guardian,died_on\n".to_owned();
    for (person, guardian) in told {
        for regime in Regime::ALL {
            let guardian = u8::from(*guardian);
            writeln!(notices, "{person},{regime},v1,2020-05-01,counter,{guardian},").unwrap();
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
    open_seal(&report.path, &identity, &[known]).unwrap()
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

async fn vault(db: &TestDb) -> Vault {
    let ring = Arc::new(KeyRing::create(&db.path().join("keys"), &OsEntropy).unwrap());
    let lake = Lake::open(db.path().join("lake"), ring, db.db().clone(), Arc::new(NoSteps)).await;
    Vault::new(lake.unwrap())
}

/// Number of sealed files in a folder, and in those below.
fn files(folder: &Path) -> i64 {
    let count = |path: PathBuf| {
        if path.is_dir() { files(&path) } else { i64::from(path.extension().is_some()) }
    };
    fs::read_dir(folder).unwrap().map(|entry| count(entry.unwrap().path())).sum()
}

// intake's promise kept: vault.same-bytes, vault.refused-nothing, vault.twice-is-once
#[tokio::test]
async fn a_sealed_storage_is_stored_and_every_segment_traced() {
    let db = TestDb::sqlite().await;
    let log = db.log().await;
    let vault = vault(&db).await;
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

/// What becomes of claims, each a person and a day of birth; of the persons all were told, no guardian was. No file is
/// on disk that no snapshot names.
async fn claims(of: &[(&str, &str)]) -> Counts {
    let db = TestDb::sqlite().await;
    let log = db.log().await;
    let vault = vault(&db).await;
    let keys = register(&log, &vault).await;
    let home = tempfile::tempdir().unwrap();
    let input = home.path().join("in");
    fs::create_dir(&input).unwrap();
    let mut text = "IR,1,13,1,1234567,,MIHON,50605,00,\r\n".to_owned();
    for (no, (person, birth)) in (1..).zip(of) {
        let commas = ",".repeat(23);
        write!(
            text,
            "RE,{no},1112,50604,,1,{birth},,,,,,,{person}{commas}\r\n\
             HO,06132013,12,34,1,300,,,,,,,,,\r\nSI,11,1,111000110,,288,1,,,,,,,\r\n"
        )
        .unwrap();
    }
    fs::write(input.join("RECEIPTC.UKE"), text).unwrap();
    let persons: BTreeSet<&str> = of.iter().map(|(person, _)| *person).collect();
    let told: Vec<(&str, bool)> = persons.into_iter().map(|person| (person, false)).collect();
    let opened = seal(home.path(), input, &told);
    assert!(opened.segments_tell_of_their_persons());

    let mut conn = db.db().pool().acquire().await.unwrap();
    let ids = vault.segment_ids(&mut conn).await.unwrap();
    let rules = Rules::built_in().unwrap();
    let gate = Gate::load(&mut conn, &keys, id(7), day("2025-06-02"), &rules).await.unwrap();
    let (checked, prepared) =
        prepare(&vault, gate, ids, Incoming::Opened(opened), Vec::new()).await.unwrap();
    let mut tx = log.begin().await.unwrap();
    let stored = prepared.store(&mut tx, &checked).await.unwrap();
    commit(tx, "delivery.received").await;
    let named = "SELECT (SELECT COUNT(*) FROM lake_file) + (SELECT COUNT(*) FROM lake_container)";
    let named: i64 = sqlx::query_scalar(named).fetch_one(&mut *conn).await.unwrap();
    assert_eq!(files(&db.path().join("lake")), named);
    stored.report.counts
}

#[tokio::test]
async fn everybody_is_judged_by_what_all_claims_say() {
    // Of one of them a later claim says that it is a child, whose guardian was not told.
    let (old, older, child) = ("3400101", "3390101", "4240401");
    let told = [("K1", old), ("K2", old), ("K3", old), ("K1", older), ("K2", child)];
    let mut turned = told;
    turned.reverse();
    let counts = claims(&told).await;
    assert!(counts.balances(), "{counts:?}");
    assert_eq!((counts.segments, counts.accepted_segments, counts.accepted_persons), (5, 3, 2));
    assert_eq!(counts.refused_persons.values().sum::<u64>(), 1);
    assert_eq!(claims(&turned).await, counts, "whichever claim comes first");
    let without = claims(&[("K1", old), ("K3", old), ("K1", older)]).await;
    assert_eq!(without.rows, counts.rows, "of what was begun nothing stays");
}
