//! A stop is open until every store has answered, and proved when it is closed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use async_trait::async_trait;
use kiban_audit::{Event, Log, Tx, note};
use kiban_kernel::{Bases, NoSteps, OsEntropy, Regime, Rules};
use kiban_lake::{KeyRing, Lake};
use kiban_register::{
    Ack, Anon52, ClearError, Cleared, EraseError, Erases, ErasureOrder, Gate, OrganizationKind,
    PersonFacts, Pseudo57, StopError, StopRequest, organization,
    stop::{self, Requester, Scope},
};
use kiban_testkit::{TestDb, actor, each_database, id};

use crate::tables::{day, keys, org};

/// A store that can be down, and that remembers how often it erased.
struct Store {
    name: &'static str,
    up: AtomicBool,
    swept: AtomicBool,
    erased: AtomicU32,
}

impl Store {
    fn new(name: &'static str) -> Self {
        Self { name, up: true.into(), swept: true.into(), erased: 0.into() }
    }
}

#[async_trait]
impl Erases for Store {
    fn name(&self) -> &'static str {
        self.name
    }
    async fn erase(&self, order: &ErasureOrder, _: &mut Tx) -> Result<Ack, EraseError> {
        if !self.up.load(Ordering::SeqCst) {
            return Err(EraseError::Unavailable);
        }
        let first = self.erased.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(if first {
            Ack::default().with("rows", order.persons.len() as u64)
        } else {
            Ack::default()
        })
    }
    async fn sweep(&self) -> Result<(), EraseError> {
        if self.swept.load(Ordering::SeqCst) { Ok(()) } else { Err(EraseError::BytesRemain) }
    }
}

fn request(regimes: Bases) -> StopRequest {
    StopRequest {
        holder: id(5),
        local_id: "0001".into(),
        regimes,
        requested_on: day("2026-03-31"),
        receipt_number: "受-1".into(),
        requester: Requester::BereavedFamily,
        evidence: "戸籍 1".into(),
        scope: Scope::Holder,
        identities: vec![],
    }
}

async fn world(db: &TestDb) -> (Log, Lake, Rules) {
    let log = db.log().await;
    let ring = Arc::new(KeyRing::create(&db.path().join("keys"), &OsEntropy).unwrap());
    let lake =
        Lake::open(db.path().join("lake"), ring, db.db().clone(), Arc::new(NoSteps)).await.unwrap();
    let mut tx = log.begin().await.unwrap();
    let now = tx.now();
    organization::add(tx.conn(), &org(5, OrganizationKind::Holder), now).await.unwrap();
    commit(tx).await;
    (log, lake, Rules::built_in().unwrap())
}

async fn commit(tx: Tx) {
    let actor = actor(1);
    let event = Event {
        kind: "test.done",
        actor: &actor,
        subject: "test".into(),
        law: None,
        body: serde_json::Value::Null,
    };
    let _ = tx.commit(event).await.unwrap();
}

// register.open
#[tokio::test]
async fn a_store_that_does_not_answer_keeps_the_stop_open() {
    for db in each_database().await {
        let (log, lake, rules) = world(&db).await;
        let mut tx = log.begin().await.unwrap();
        let stores = ["vault", "packages"];
        let got = stop::receive(
            &mut tx,
            &lake,
            &keys(),
            &request(Bases::NONE),
            &stores,
            &rules,
            &OsEntropy,
        )
        .await
        .unwrap();
        commit(tx).await;
        assert!(got.new && got.stop.regimes == Bases::BOTH && got.stop.no == 1);

        let (vault, packages) = (Store::new("vault"), Store::new("packages"));
        vault.up.store(false, Ordering::SeqCst);
        let key = db.signer();
        let who = actor(1);
        let first = stop::apply(&log, &who, got.stop.id, &[&vault], key.key()).await.unwrap();
        let codes: Vec<&str> = first.open.iter().map(|(_, code)| *code).collect();
        assert_eq!((codes, first.proof()), (vec!["unavailable", "unavailable"], None));
        let mut conn = db.db().pool().acquire().await.unwrap();
        assert_eq!(stop::unapplied(&mut conn, Regime::Anon52).await.unwrap(), 1);

        vault.up.store(true, Ordering::SeqCst);
        vault.swept.store(false, Ordering::SeqCst);
        let second =
            stop::apply(&log, &who, got.stop.id, &[&vault, &packages], key.key()).await.unwrap();
        assert_eq!(second.open, [("vault".to_owned(), "bytes_remain")]);
        assert_eq!(second.acknowledged[0].0, "packages");
        assert_eq!(stop::open(&mut conn).await.unwrap().len(), 1);

        vault.swept.store(true, Ordering::SeqCst);
        let third =
            stop::apply(&log, &who, got.stop.id, &[&vault, &packages], key.key()).await.unwrap();
        assert!(third.open.is_empty());
        assert_eq!(packages.erased.load(Ordering::SeqCst), 1, "who answered is not asked again");
        let sheet = note::verify(third.proof().unwrap(), &[key.verify_key().clone()]).unwrap();
        assert!(sheet.contains("遺族") && sheet.contains("- vault: rows 1 ("), "{sheet}");
        assert!(
            note::verify(
                &third.proof().unwrap().replace("rows 1", "rows 2"),
                &[key.verify_key().clone()]
            )
            .is_err()
        );
        assert!(stop::open(&mut conn).await.unwrap().is_empty());
        assert_eq!(stop::find(&mut conn, got.stop.id).await.unwrap(), third.stop);
    }
}

#[tokio::test]
async fn a_request_is_taken_in_once_and_complete() {
    for db in each_database().await {
        let (log, lake, rules) = world(&db).await;
        let receive = async |request: &StopRequest, stores: &[&str]| {
            let mut tx = log.begin().await.unwrap();
            let got =
                stop::receive(&mut tx, &lake, &keys(), request, stores, &rules, &OsEntropy).await;
            if got.is_ok() {
                commit(tx).await;
            }
            got
        };
        let good = request(Bases::NONE.with(Regime::Anon52));
        let no_receipt = StopRequest { receipt_number: " ".into(), ..good.clone() };
        assert!(matches!(receive(&no_receipt, &["vault"]).await, Err(StopError::NoReceipt)));
        let no_evidence = StopRequest { evidence: String::new(), ..good.clone() };
        assert!(matches!(receive(&no_evidence, &["vault"]).await, Err(StopError::NoEvidence)));
        assert!(matches!(receive(&good, &["packages"]).await, Err(StopError::NoStores)));
        let first = receive(&good, &["vault"]).await.unwrap();
        let again = receive(&good, &["vault"]).await.unwrap();
        assert!(first.new && !again.new && first.stop == again.stop);
        let other = StopRequest { local_id: "0002".into(), ..good.clone() };
        assert!(matches!(receive(&other, &["vault"]).await, Err(StopError::OtherRequest)));

        // register.regimes: the stop under 52 alone refuses there and holds back there
        let mut conn = db.db().pool().acquire().await.unwrap();
        let gate = Gate::load(&mut conn, &keys(), id(5), day("2026-06-01"), &rules).await.unwrap();
        let person = gate.person(&PersonFacts { local_id: "0001", ..PersonFacts::default() });
        assert_eq!(person.reason(Regime::Anon52).map(|r| r.code()), Some("stopped"));
        assert_eq!(person.reason(Regime::Pseudo57).map(|r| r.code()), Some("no_filing"));
        assert_eq!(stop::unapplied(&mut conn, Regime::Anon52).await.unwrap(), 1);
        assert_eq!(stop::unapplied(&mut conn, Regime::Pseudo57).await.unwrap(), 0);
        assert!(matches!(Cleared::<Anon52>::mint(&mut conn, &lake).await, Err(ClearError::Empty)));
        assert!(matches!(
            Cleared::<Pseudo57>::mint(&mut conn, &lake).await,
            Err(ClearError::Empty)
        ));
    }
}

// register.no-values
#[tokio::test]
async fn the_register_keeps_neither_number_nor_name_of_the_person() {
    let db = TestDb::sqlite().await;
    let (log, lake, rules) = world(&db).await;
    let mut tx = log.begin().await.unwrap();
    let request = StopRequest { local_id: "CHART-778899".into(), ..request(Bases::NONE) };
    stop::receive(&mut tx, &lake, &keys(), &request, &["vault"], &rules, &OsEntropy).await.unwrap();
    commit(tx).await;
    for entry in std::fs::read_dir(db.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(12).any(|w| w == b"CHART-778899"), "{}", path.display());
        }
    }
}

// Many at once: one transaction of each store, and who has to be asked alone is.
#[tokio::test]
async fn stops_applied_together_keep_their_own_answers() {
    for db in each_database().await {
        let (log, lake, rules) = world(&db).await;
        let mut ids = Vec::new();
        for n in 0..7 {
            let mut tx = log.begin().await.unwrap();
            let asked = StopRequest {
                local_id: format!("{n:04}"),
                receipt_number: format!("受-{n}"),
                ..request(Bases::NONE)
            };
            let stores = ["vault", "packages"];
            let got = stop::receive(&mut tx, &lake, &keys(), &asked, &stores, &rules, &OsEntropy)
                .await
                .unwrap();
            commit(tx).await;
            ids.push(got.stop.id);
        }
        let (vault, packages) = (Store::new("vault"), Store::new("packages"));
        packages.up.store(false, Ordering::SeqCst);
        let (key, who) = (db.signer(), actor(1));
        let size = log.size().await.unwrap();
        let ports: [&dyn Erases; 2] = [&vault, &packages];
        let first = stop::apply_all(&log, &who, &ids, &ports, key.key()).await.unwrap();
        assert!(first.iter().all(|a| a.open == [("packages".to_owned(), "unavailable")]));
        // Erased (and acknowledged with it), acknowledged after the sweep, unanswered.
        assert_eq!(log.size().await.unwrap(), size + 3);
        packages.up.store(true, Ordering::SeqCst);
        packages.swept.store(false, Ordering::SeqCst);
        let second = stop::apply_all(&log, &who, &ids, &ports, key.key()).await.unwrap();
        // Six had nothing there and need no sweep; the first one's bytes remain.
        let open: Vec<bool> = second.iter().map(|a| a.open.is_empty()).collect();
        assert_eq!(open, [false, true, true, true, true, true, true]);
        assert_eq!(vault.erased.load(Ordering::SeqCst), 7, "who answered is not asked again");
        packages.swept.store(true, Ordering::SeqCst);
        let third = stop::apply_all(&log, &who, &ids, &ports, key.key()).await.unwrap();
        for (n, one) in third.iter().enumerate() {
            let sheet =
                stop::proof::verify(one.proof().unwrap(), &[key.verify_key().clone()]).unwrap();
            let stop::proof::Sheet::Case { receipt_number, stores, .. } = sheet else { panic!() };
            assert_eq!(receipt_number, format!("受-{n}"));
            let rows = stores.iter().find(|s| s.store == "vault").unwrap().counts.get("rows");
            assert_eq!(rows.copied(), (n == 0).then_some(1));
        }
    }
}
