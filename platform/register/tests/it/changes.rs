//! Changes that must be told beforehand, and letters that came back, as the gate sees them.

use kiban_kernel::{Date, Id, Regime, Rules};
use kiban_register::{
    AcquisitionCheck, Filing, Gate, NoticeVersion, OrganizationKind, PersonFacts, PersonNotice,
    StoreError, filing, notice, notice_change,
    notice_return::{self, ReturnKey},
    organization,
};
use kiban_testkit::{each_database, id};

use crate::tables::{day, items, keys, org};

// register.returned
#[tokio::test]
async fn a_notice_counts_for_nothing_while_its_change_is_untold_or_its_letter_is_back() {
    for db in each_database().await {
        let log = db.log().await;
        let mut tx = log.begin().await.unwrap();
        let now = tx.now();
        let conn = tx.conn();
        let holder = org(5, OrganizationKind::Holder);
        organization::add(conn, &holder, now).await.unwrap();
        let filed = Filing {
            id: Id::from_bytes([1; 16]),
            holder: holder.id,
            regime: Regime::Anon52,
            number: "届-1".into(),
            filed_on: day("2025-01-01"),
            effective_from: day("2025-01-01"),
            ended_on: None,
            wait_days: None,
            publication: None,
        };
        filing::add(conn, &filed).await.unwrap();
        let check = AcquisitionCheck {
            holder: holder.id,
            checked_on: day("2025-01-01"),
            method: "診療".into(),
            evidence: "確認書".into(),
            lawful: true,
        };
        filing::add_acquisition(conn, &check).await.unwrap();
        let version = |n: u8, from: &str| NoticeVersion {
            id: Id::from_bytes([n; 16]),
            holder: holder.id,
            regime: Regime::Anon52,
            version: format!("v{n}"),
            effective_from: day(from),
            items: items(),
            kinds: vec!["condition".into()],
        };
        let (one, mut two, mut three) =
            (version(1, "2025-01-01"), version(2, "2025-03-01"), version(3, "2025-06-01"));
        two.items.method = "別の方法".into();
        three.items.method = "別の方法".into();
        three.items.holder_address = "移転先".into();
        for v in [&one, &two, &three] {
            notice::add(conn, v).await.unwrap();
        }
        let all = notice::of(conn, holder.id).await.unwrap();
        assert_eq!(notice_change::before(&all, &three), Some(&two));
        notice_change::add(conn, &one, &two).await.unwrap();
        notice_change::add(conn, &two, &three).await.unwrap();

        let rules = Rules::built_in().unwrap();
        let code = async |conn: &mut sqlx::AnyConnection, version: &str, told: &str, on: &str| {
            let notices = [PersonNotice {
                regime: Regime::Anon52,
                version: version.into(),
                notified_on: day(told),
                channel: "post".into(),
                guardian: false,
            }];
            let facts = PersonFacts { local_id: "1", notices: &notices, ..PersonFacts::default() };
            let gate = Gate::load(conn, &keys(), id(5), day(on), &rules).await.unwrap();
            gate.decide(&facts, "condition").reason(Regime::Anon52).map(|r| r.code())
        };
        let on = "2025-09-01";
        assert_eq!(code(conn, "v1", "2025-07-01", on).await, None);
        assert_eq!(code(conn, "v2", "2025-07-01", on).await, Some("change_untold"));
        assert_eq!(code(conn, "v3", "2025-07-01", on).await, None, "without delay, not before");
        let tell = async |conn: &mut sqlx::AnyConnection, days: (Date, Date), reference: &str| {
            notice_change::tell(conn, holder.id, Regime::Anon52, "v2", days, reference).await
        };
        let days = (day("2025-08-20"), day("2025-08-25"));
        assert!(matches!(tell(conn, days, " ").await, Err(StoreError::Empty { .. })));
        tell(conn, days, "変-1").await.unwrap();
        assert_eq!(code(conn, "v2", "2025-07-01", "2025-08-25").await, Some("change_untold"));
        assert_eq!(code(conn, "v2", "2025-07-01", "2025-08-26").await, None, "both were told");

        // The letter of one notice comes back; another notice of the person still counts.
        let key = ReturnKey {
            person: keys().person_source(holder.id, "1"),
            regime: Regime::Anon52,
            version: "v1".into(),
            notified_on: day("2025-07-01"),
        };
        let back = day("2025-08-10");
        assert!(notice_return::add(conn, holder.id, &key, back, now).await.unwrap());
        assert!(!notice_return::add(conn, holder.id, &key, back, now).await.unwrap());
        assert_eq!(code(conn, "v1", "2025-07-01", "2025-08-09").await, None, "not back yet");
        assert_eq!(code(conn, "v1", "2025-07-01", on).await, Some("notice_returned"));
        assert_eq!(code(conn, "v1", "2025-07-02", on).await, None);
        assert_eq!(notice_return::counts(conn).await.unwrap()[&holder.id], 1);
        let persons = [key.person];
        let gone = notice_return::forget(conn, &persons, [Regime::Pseudo57].into_iter().collect());
        assert_eq!(gone.await.unwrap(), 0, "the other regime's stop leaves it");
        let both = [Regime::Anon52, Regime::Pseudo57].into_iter().collect();
        assert_eq!(notice_return::forget(conn, &[key.person], both).await.unwrap(), 1);
        assert_eq!(code(conn, "v1", "2025-07-01", on).await, None);
    }
}
