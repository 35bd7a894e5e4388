//! A producer, its committee, a user, an application: everything right, so that a test breaks one thing.

use std::collections::{BTreeMap, BTreeSet};

use kiban_audit::{Db, Event, Log, note::SigningKey};
use kiban_govern::{
    Act, Actor, Employer, HandlerNo, Permit, Role,
    certification::{Certification, CertificationKind, State, Step, UserType},
    committee::{Ballot, Category, Member, Office, Outcome, Sex},
    delivery::{RecipientKind, Route},
    permit,
};
use kiban_kernel::{Date, Digest, Id, Product, Rules, kinds};
use kiban_release::{
    Context, Manifest,
    application::{Content, Named},
    contract::Terms,
    finding::Finding,
    manifest::{FileFact, FindingFact, payload_digest},
    session::Minutes,
};
use kiban_testkit::{SeededEntropy, TestDb, id};

pub(crate) const ON: Date = Date::constant(2026, 4, 1);

pub(crate) struct House {
    pub(crate) db: Db,
    /// Removed with the house.
    place: Option<TestDb>,
    pub(crate) log: Log,
    pub(crate) entropy: SeededEntropy,
    pub(crate) key: SigningKey,
    pub(crate) rules: Rules,
    pub(crate) certifications: Vec<Certification>,
    pub(crate) keys: Vec<kiban_audit::note::VerifyKey>,
}

pub(crate) fn producer() -> Id<kinds::Organization> {
    id(1)
}
pub(crate) fn user() -> Id<kinds::Organization> {
    id(2)
}
pub(crate) fn staff(account: u64, role: Role) -> Actor {
    Actor::new(id(account), producer(), Employer::Producer, [role])
        .with_handler(HandlerNo::new(&format!("H-{account}")).unwrap())
}
pub(crate) fn researcher() -> Actor {
    Actor::new(id(20), user(), Employer::User, [Role::Researcher])
}
pub(crate) fn may(actor: &Actor, act: Act) -> Permit {
    permit(actor, act).unwrap()
}
pub(crate) fn approver(account: u64) -> Permit {
    may(&staff(account, Role::ReleaseApprover), Act::ApproveRelease)
}

pub(crate) fn certified(
    organization: Id<kinds::Organization>,
    kind: CertificationKind,
) -> Certification {
    let on = Date::constant(2024, 4, 1);
    let state = State::Certified { number: "T-24-01".into(), expires: None };
    Certification::from_history(
        organization,
        kind,
        [Step { on, state: State::Applied }, Step { on, state }],
    )
    .unwrap()
}

pub(crate) fn content() -> Content {
    let named = || Named { name: "研究 太郎".into(), affiliation: "架空大学".into() };
    Content {
        title: "架空の課題".into(),
        responsible: named(),
        handlers: vec![named()],
        purpose: "医療分野の研究開発".into(),
        method: "後ろ向き研究".into(),
        items: vec!["condition.icd10".into()],
        population: "糖尿病".into(),
        data_from: Date::constant(2020, 1, 1),
        data_until: Date::constant(2025, 12, 31),
        minimality: "必要な項目のみ".into(),
        place: "研究室".into(),
        environment: "専用環境".into(),
        security: "入退室管理".into(),
        co_users: vec![],
        trustees: vec![],
        publication: "論文".into(),
        funding: "公的資金".into(),
        conflicts: "なし".into(),
        interested: vec![],
        use_from: ON,
        use_until: Date::constant(2028, 3, 31),
    }
}

/// The seed's pattern: five ①④, one ② of the producer, one ②④, one ③④.
pub(crate) fn roster() -> Vec<Member> {
    (1..=8_u64)
        .map(|n| Member {
            account: id(100 + n),
            categories: BTreeSet::from([match n {
                6 | 7 => Category::Humanities,
                8 => Category::General,
                _ => Category::NaturalScience,
            }]),
            sex: if n % 2 == 0 { Sex::Female } else { Sex::Male },
            employers: BTreeSet::from([if n == 6 { producer() } else { id(200 + n) }]),
            officer_of: BTreeSet::new(),
            office: match n {
                1 => Office::Chair,
                2 => Office::ViceChair,
                _ => Office::Member,
            },
            from: Date::constant(2025, 4, 1),
            until: None,
        })
        .collect()
}

pub(crate) fn minutes(outcome: Outcome) -> Minutes {
    let ballot =
        Ballot { vote: outcome, reason: "妥当".into(), conditions: vec!["報告".into()] };
    Minutes {
        content: Digest::of(b""),
        roster: 0,
        held_on: ON,
        producer: producer(),
        trustees: BTreeSet::from([id(3)]),
        attendance: (101..=108).map(id).collect(),
        interested: BTreeSet::new(),
        recused: BTreeSet::new(),
        ballots: (101..=108).map(|n| (id(n), ballot.clone())).collect::<BTreeMap<_, _>>(),
    }
}

pub(crate) fn specification() -> Digest {
    Digest::of(b"specification")
}

impl House {
    pub(crate) async fn open(place: TestDb) -> Self {
        let (db, log) = (place.db().clone(), place.log().await);
        Self { place: Some(place), ..Self::over(db, log) }
    }

    /// The folder of a database of the house's own.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.place.as_ref().map(|p| p.path().to_owned()).unwrap()
    }

    /// Over a database that is somebody else's to remove.
    pub(crate) fn over(db: Db, log: Log) -> Self {
        let entropy = SeededEntropy::new(7);
        let key = SigningKey::generate(&entropy, "producer.invalid/release").unwrap();
        let keys = vec![key.verify_key().clone()];
        let certifications = vec![
            certified(producer(), CertificationKind::AnonProducer),
            certified(producer(), CertificationKind::PseudoProducer),
            certified(user(), CertificationKind::PseudoUser(UserType::I)),
        ];
        let rules = Rules::built_in().unwrap();
        Self { db, place: None, log, entropy, key, rules, certifications, keys }
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            keys: &self.keys,
            rules: &self.rules,
            certifications: &self.certifications,
            recipient: RecipientKind::User,
            route: Route::SealedTransfer,
            stops_since: 0,
        }
    }

    /// An application that the committee reads.
    pub(crate) async fn under_review(&self, product: Product) -> Id<kinds::Application> {
        let mine = may(&researcher(), Act::SubmitApplication);
        let a = kiban_release::apply(&self.log, &mine, &self.entropy, id(5), product, &content())
            .await
            .unwrap();
        let _ = kiban_release::submit(&self.log, &mine, a.id).await.unwrap();
        let secretary = staff(10, Role::CommitteeSecretary);
        let screen = may(&secretary, Act::ScreenApplication);
        let _ = kiban_release::screen(&self.log, &screen, a.id).await.unwrap();
        let keep = may(&secretary, Act::KeepRoster);
        kiban_release::keep_roster(&self.log, &keep, &roster()).await.unwrap();
        a.id
    }

    /// An application that the producer accepted.
    pub(crate) async fn accepted(&self, product: Product) -> Id<kinds::Application> {
        let a = self.under_review(product).await;
        let advise = may(&staff(10, Role::CommitteeSecretary), Act::RecordSession);
        let heard = minutes(Outcome::Approve);
        kiban_release::advise(&self.log, &advise, &self.entropy, a, &heard, &self.rules)
            .await
            .unwrap();
        let decide = may(&staff(11, Role::GeneralManager), Act::DecideApplication);
        let _ =
            kiban_release::decide(&self.log, &decide, a, true, "意見のとおり", &[]).await.unwrap();
        a
    }

    pub(crate) async fn contract(
        &self,
        a: Id<kinds::Application>,
        spec: Digest,
    ) -> Id<kinds::Contract> {
        let sign = may(&staff(11, Role::GeneralManager), Act::SignContract);
        let terms = Terms {
            application: a,
            recipient: user(),
            specification: spec,
            from: ON,
            until: Date::constant(2028, 4, 1),
            text: "契約".into(),
        };
        let c =
            kiban_release::draw_contract(&self.log, &sign, &self.entropy, &terms).await.unwrap();
        let accept = may(&researcher(), Act::AcceptContract);
        let _ = kiban_release::accept_contract(&self.log, &accept, c).await.unwrap();
        let _ = kiban_release::sign_contract(&self.log, &sign, c).await.unwrap();
        c
    }

    pub(crate) fn manifest(
        &self,
        application: Id<kinds::Application>,
        dataset: Id<kinds::Dataset>,
        product: Product,
        findings: Vec<FindingFact>,
    ) -> Manifest {
        let files = vec![FileFact { path: "data/a.csv".into(), size: 1, sha256: Digest::of(b"a") }];
        Manifest {
            dataset,
            project: id(5),
            application,
            product,
            producer: producer(),
            recipient: user(),
            created_at: "2026-04-01T00:00:00Z".parse().unwrap(),
            snapshot: 3,
            stop_watermark: 0,
            specification: specification(),
            rules: self.rules.digest(),
            code_maps: BTreeMap::new(),
            key_versions: BTreeMap::new(),
            software: "0.1.0".into(),
            provenance: serde_json::Value::Null,
            persons: 2,
            tables: vec![],
            findings,
            payload: payload_digest(&files),
            files,
        }
    }

    /// Record a dataset and its findings, as producing does.
    pub(crate) async fn record(&self, manifest: &Manifest, findings: &[Finding]) {
        let processor = staff(12, Role::Processor);
        let produce = may(&processor, Act::ProduceDataset);
        let note = manifest.sign(&self.key).unwrap();
        let mut tx = self.log.begin().await.unwrap();
        kiban_release::record_findings(&mut tx, &produce, manifest.dataset, findings)
            .await
            .unwrap();
        kiban_release::record_dataset(&mut tx, &produce, &note, &self.keys).await.unwrap();
        let subject = manifest.dataset.to_string();
        let event = Event {
            kind: "dataset.produced",
            actor: &processor,
            subject,
            law: None,
            body: serde_json::Value::Null,
        };
        let _ = tx.commit(event).await.unwrap();
    }

    /// Everything done up to the approvals.
    pub(crate) async fn ready(&self, product: Product) -> Id<kinds::Dataset> {
        let a = self.accepted(product).await;
        self.contract(a, specification()).await;
        self.record(&self.manifest(a, id(9), product, vec![]), &[]).await;
        id(9)
    }
}
