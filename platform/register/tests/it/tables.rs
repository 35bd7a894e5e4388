//! What is written is what is read, and what is incomplete is refused.

use kiban_govern::{
    Employer, HandlerNo, Role,
    certification::{Certification, CertificationKind, State, Step},
};
use kiban_kernel::{Date, Id, Regime, Rules};
use kiban_register::{
    Account, AcquisitionCheck, EntrustError, Entrustment, Filing, Gate, NoticeVersion,
    Organization, OrganizationKind, PersonFacts, PersonNotice, RegisterKeys, StatutoryItems,
    StoreError, account, certification, entrustment, filing, notice, organization,
};
use kiban_testkit::{each_database, id};

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn keys() -> RegisterKeys {
    RegisterKeys::from_secrets([&[1; 32], &[2; 32], &[3; 32]])
}

pub(crate) fn org(n: u64, kind: OrganizationKind) -> Organization {
    Organization {
        id: id(n),
        kind,
        name: "架空の組織".into(),
        address: "架空市1-1".into(),
        representative: "架空 代表".into(),
    }
}

pub(crate) fn items() -> StatutoryItems {
    let text = || "記載".to_owned();
    StatutoryItems {
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
        planned_start: Some(day("2025-02-01")),
    }
}

#[tokio::test]
async fn organizations_certifications_and_entrustments() {
    for db in each_database().await {
        let log = db.log().await;
        let mut tx = log.begin().await.unwrap();
        let now = tx.now();
        let conn = tx.conn();
        for (n, kind) in [
            (1, OrganizationKind::Producer),
            (2, OrganizationKind::Trustee),
            (3, OrganizationKind::Trustee),
        ] {
            organization::add(conn, &org(n, kind), now).await.unwrap();
        }
        assert_eq!(
            organization::find(conn, id(2)).await.unwrap(),
            org(2, OrganizationKind::Trustee)
        );
        assert_eq!(organization::all(conn).await.unwrap().len(), 3);
        let nameless = Organization { name: " ".into(), ..org(4, OrganizationKind::Holder) };
        assert!(matches!(
            organization::add(conn, &nameless, now).await,
            Err(StoreError::Empty { field: "名称" })
        ));
        assert!(matches!(organization::find(conn, id(99)).await, Err(StoreError::Missing { .. })));

        let steps = [
            Step { on: day("2024-01-01"), state: State::Applied },
            Step {
                on: day("2024-05-01"),
                state: State::Certified { number: "T-20-01".into(), expires: None },
            },
        ];
        let certified =
            Certification::from_history(id(2), CertificationKind::Trustee, steps).unwrap();
        certification::add(conn, id(1), &certified).await.unwrap();
        assert_eq!(certification::all(conn).await.unwrap(), [certified]);

        let edge = |entruster, trustee, on: &str, evidence: &str| Entrustment {
            producer: id(1),
            entruster: id(entruster),
            trustee: id(trustee),
            permitted_on: day(on),
            evidence: evidence.into(),
            ended_on: None,
        };
        let early = entrustment::add(conn, &edge(1, 2, "2024-04-30", "契約1")).await;
        assert!(matches!(early, Err(EntrustError::NotCertified(_))));
        entrustment::add(conn, &edge(1, 2, "2024-05-01", "契約1")).await.unwrap();
        let uncertified = entrustment::add(conn, &edge(2, 3, "2024-06-01", "許諾2")).await;
        assert!(matches!(uncertified, Err(EntrustError::NotCertified(_))));
        assert_eq!(entrustment::all(conn).await.unwrap(), [edge(1, 2, "2024-05-01", "契約1")]);

        let revoked = Step { on: day("2025-01-01"), state: State::Revoked };
        certification::step(conn, id(1), revoked.clone()).await.unwrap();
        assert!(certification::step(conn, id(1), revoked).await.is_err(), "an end is an end");
        assert!(certification::all(conn).await.unwrap()[0].effective(day("2025-01-01")).is_err());
    }
}

#[tokio::test]
async fn accounts_act_while_they_are_active() {
    for db in each_database().await {
        let log = db.log().await;
        let mut tx = log.begin().await.unwrap();
        let now = tx.now();
        let conn = tx.conn();
        organization::add(conn, &org(1, OrganizationKind::Producer), now).await.unwrap();
        let account = Account {
            id: id(7),
            organization: id(1),
            employer: Employer::Producer,
            handler: HandlerNo::new("H-1"),
            roles: vec![Role::Processor, Role::Examiner],
            active_from: day("2026-01-01"),
            ended_on: None,
        };
        account::add(conn, &account).await.unwrap();
        assert_eq!(account::all(conn).await.unwrap(), [account]);
        let actor = account::actor(conn, id(7), day("2026-01-01")).await.unwrap();
        assert!(actor.has(Role::Examiner) && actor.handler.is_some());
        assert!(account::actor(conn, id(7), day("2025-12-31")).await.is_err());
        account::close(conn, id(7), day("2026-03-01")).await.unwrap();
        assert!(account::actor(conn, id(7), day("2026-03-01")).await.is_err());
        assert!(account::actor(conn, id(8), day("2026-02-01")).await.is_err());
    }
}

// register.gate, from the stored facts
#[tokio::test]
async fn the_gate_decides_from_what_is_on_file() {
    for db in each_database().await {
        let log = db.log().await;
        let mut tx = log.begin().await.unwrap();
        let now = tx.now();
        let conn = tx.conn();
        let holder = org(5, OrganizationKind::Holder);
        organization::add(conn, &holder, now).await.unwrap();
        let rules = Rules::built_in().unwrap();
        let told = |regime| PersonNotice {
            regime,
            version: "v1".into(),
            notified_on: day("2026-04-01"),
            channel: "counter".into(),
            guardian: false,
        };
        let notices = [told(Regime::Anon52), told(Regime::Pseudo57)];
        let facts = PersonFacts { local_id: "1", notices: &notices, ..PersonFacts::default() };
        let code = async |conn: &mut sqlx::AnyConnection, regime, on: &str| {
            let gate = Gate::load(conn, &keys(), id(5), day(on), &rules).await.unwrap();
            gate.decide(&facts, "condition").reason(regime).map(|r| r.code())
        };
        let on = "2026-06-01";
        assert_eq!(code(conn, Regime::Anon52, on).await, Some("no_filing"));
        let filed = Filing {
            id: Id::from_bytes([1; 16]),
            holder: holder.id,
            regime: Regime::Anon52,
            number: "届-1".into(),
            filed_on: day("2025-01-01"),
            effective_from: day("2025-01-01"),
            ended_on: None,
            wait_days: Some(45),
            publication: None,
        };
        filing::add(conn, &filed).await.unwrap();
        assert_eq!(filing::of(conn, holder.id).await.unwrap(), std::slice::from_ref(&filed));
        assert_eq!(code(conn, Regime::Anon52, on).await, Some("notice_version_unknown"));
        let version = NoticeVersion {
            id: id(1),
            holder: holder.id,
            regime: Regime::Anon52,
            version: "v1".into(),
            effective_from: day("2026-01-01"),
            items: items(),
            kinds: vec!["condition".into()],
        };
        let lacking = NoticeVersion {
            items: StatutoryItems { request_desk: String::new(), ..items() },
            ..version.clone()
        };
        assert!(matches!(
            notice::add(conn, &lacking).await,
            Err(StoreError::Empty { field: "求めを受け付ける方法" })
        ));
        notice::add(conn, &version).await.unwrap();
        assert_eq!(notice::of(conn, holder.id).await.unwrap(), [version]);
        assert_eq!(code(conn, Regime::Anon52, on).await, Some("acquisition_unlawful"));
        let check = |on: &str, lawful| AcquisitionCheck {
            holder: holder.id,
            checked_on: day(on),
            method: "診療".into(),
            evidence: "確認書".into(),
            lawful,
        };
        filing::add_acquisition(conn, &check("2026-01-01", true)).await.unwrap();
        assert_eq!(code(conn, Regime::Anon52, on).await, None);
        assert_eq!(
            code(conn, Regime::Anon52, "2026-05-16").await,
            Some("wait_running"),
            "the holder promised 45 days"
        );
        assert_eq!(code(conn, Regime::Anon52, "2026-05-17").await, None);
        assert_eq!(
            code(conn, Regime::Pseudo57, on).await,
            Some("no_filing"),
            "the other regime is another matter"
        );
        filing::add_acquisition(conn, &check("2026-05-20", false)).await.unwrap();
        assert_eq!(code(conn, Regime::Anon52, on).await, Some("acquisition_unlawful"));
        filing::end(conn, filed.id, day("2026-05-20")).await.unwrap();
        assert_eq!(code(conn, Regime::Anon52, on).await, Some("filing_ended"));
    }
}
