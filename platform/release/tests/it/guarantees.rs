//! One test per guarantee: everything right releases; each thing missing refuses and says so.

use kiban_govern::{
    Act, Employer, HandlerNo, Role, certification::CertificationKind, committee::Outcome, permit,
};
use kiban_kernel::{Digest, Product, Timestamp};
use kiban_release::{
    ActError, Anonymized, ApprovalError, Approved, Pseudonymized, Releasable,
    finding::{Decision, Finding},
    manifest::FindingFact,
};
use kiban_testkit::{each_database, id};

use crate::house::*;

fn now() -> Timestamp {
    "2026-04-02T00:00:00Z".parse().unwrap()
}

async fn mint<D: Releasable>(h: &House) -> Result<Approved<D>, ActError> {
    let mut conn = h.db.pool().acquire().await.unwrap();
    kiban_release::approved(&mut conn, id(9), &h.context(), now()).await
}

fn approval(e: ActError) -> ApprovalError {
    match e {
        ActError::Approval(e) => {
            assert!(!e.ja().is_empty() && e.law().is_some(), "{e}");
            e
        }
        e => panic!("{e}"),
    }
}

#[tokio::test]
async fn everything_right_is_released_and_only_as_what_it_is() {
    for db in each_database().await {
        let h = House::open(db).await;
        let dataset = h.ready(Product::Pseudonymized).await;
        for account in [31, 32] {
            let _ = kiban_release::approve(&h.log, &approver(account), dataset, &h.context())
                .await
                .unwrap();
        }
        let approved = mint::<Pseudonymized>(&h).await.unwrap();
        assert_eq!(approved.to().organization(), user());
        assert_eq!(approved.approvers().actors().len(), 2);
        assert_eq!(approved.manifest().dataset, dataset);
        // what was minted once is minted again after a restart, from what is stored
        assert_eq!(mint::<Pseudonymized>(&h).await.unwrap().note(), approved.note());
        let e = approval(mint::<Anonymized>(&h).await.unwrap_err());
        assert!(matches!(e, ApprovalError::OtherProduct { .. }));
    }
}

/// release.approvers
#[tokio::test]
async fn one_person_does_not_approve_twice_and_a_trustees_account_not_at_all() {
    for db in each_database().await {
        let h = House::open(db).await;
        let dataset = h.ready(Product::Anonymized).await;
        let e = approval(mint::<Anonymized>(&h).await.unwrap_err());
        assert!(e.to_string().contains("0 of 2"));
        let _ = kiban_release::approve(&h.log, &approver(31), dataset, &h.context()).await.unwrap();
        let again = kiban_release::approve(&h.log, &approver(31), dataset, &h.context()).await;
        assert!(again.unwrap_err().ja().contains("同じアカウント"));
        let other_account =
            staff(39, Role::ReleaseApprover).with_handler(HandlerNo::new("H-31").unwrap());
        let same_person = may(&other_account, Act::ApproveRelease);
        let again = kiban_release::approve(&h.log, &same_person, dataset, &h.context()).await;
        assert!(again.unwrap_err().ja().contains("同一人物"));
        let mut trustee = staff(33, Role::ReleaseApprover);
        trustee.employer = Employer::Trustee;
        assert!(permit(&trustee, Act::ApproveRelease).is_err());
        // a permit for another act opens nothing
        let other = may(&staff(11, Role::GeneralManager), Act::SignContract);
        assert!(kiban_release::approve(&h.log, &other, dataset, &h.context()).await.is_err());
        assert!(mint::<Anonymized>(&h).await.is_err());
        let _ = kiban_release::approve(&h.log, &approver(32), dataset, &h.context()).await.unwrap();
        assert!(mint::<Anonymized>(&h).await.is_ok());
    }
}

/// release.committee
#[tokio::test]
async fn a_committee_that_cannot_advise_leaves_no_advice() {
    let h = House::open(kiban_testkit::TestDb::sqlite().await).await;
    assert!(h.folder().join("governance.sqlite").exists());
    let a = h.under_review(Product::Anonymized).await;
    let advise = may(&staff(10, Role::CommitteeSecretary), Act::RecordSession);
    let mut absent = minutes(Outcome::Approve);
    absent.attendance.pop();
    absent.ballots.remove(&id(108));
    let hear = |m| {
        let (h, advise) = (&h, &advise);
        async move { kiban_release::advise(&h.log, advise, &h.entropy, a, &m, &h.rules).await }
    };
    let e = hear(absent).await.unwrap_err();
    assert!(e.ja().contains("③"), "{}", e.ja());
    let mut conflicted = minutes(Outcome::Approve);
    conflicted.interested.insert(id(208));
    let e = hear(conflicted).await.unwrap_err();
    assert!(e.ja().contains("利益相反"), "{}", e.ja());
    for day in [31, 2] {
        let mut other_day = minutes(Outcome::Approve);
        other_day.held_on = kiban_kernel::Date::constant(2026, if day == 31 { 3 } else { 4 }, day);
        assert!(hear(other_day).await.unwrap_err().ja().contains("開催日"));
    }
    // nothing was recorded: the state is as before and the right session still goes through
    assert!(hear(minutes(Outcome::Approve)).await.is_ok());
    // advice is given once
    assert!(hear(minutes(Outcome::Approve)).await.unwrap_err().ja().contains("進めません"));
}

/// release.committee: the minutes are judged again at approval.
#[tokio::test]
async fn minutes_changed_in_the_database_no_longer_carry_the_release() {
    let h = House::open(kiban_testkit::TestDb::sqlite().await).await;
    let dataset = h.ready(Product::Anonymized).await;
    // the general member vanishes from the attendance
    let gone = id::<kiban_kernel::kinds::Account>(108).to_string();
    kiban_audit::sqlx::query("UPDATE release_session SET minutes = REPLACE(minutes, $1, $2)")
        .bind(&gone)
        .bind(id::<kiban_kernel::kinds::Account>(107).to_string())
        .execute(h.db.pool())
        .await
        .unwrap();
    let e = kiban_release::approve(&h.log, &approver(31), dataset, &h.context()).await.unwrap_err();
    assert!(matches!(approval(e), ApprovalError::Session(_)));
}

/// release.decision
#[tokio::test]
async fn the_producer_decides_and_not_against_the_advice() {
    let h = House::open(kiban_testkit::TestDb::sqlite().await).await;
    let a = h.under_review(Product::Anonymized).await;
    let decide = may(&staff(11, Role::GeneralManager), Act::DecideApplication);
    let accept = || kiban_release::decide(&h.log, &decide, a, true, "理由", &[]);
    assert!(accept().await.unwrap_err().to_string().contains("from under_review to accepted"));
    let advise = may(&staff(10, Role::CommitteeSecretary), Act::RecordSession);
    let no = minutes(Outcome::Reject);
    kiban_release::advise(&h.log, &advise, &h.entropy, a, &no, &h.rules).await.unwrap();
    let e = accept().await.unwrap_err();
    assert!(e.ja().contains("不承認") && e.law().is_some());
    // a dataset made without acceptance is not approved
    h.record(&h.manifest(a, id(9), Product::Anonymized, vec![]), &[]).await;
    let e = kiban_release::approve(&h.log, &approver(31), id(9), &h.context()).await.unwrap_err();
    assert_eq!(approval(e), ApprovalError::NotAccepted { state: "advised" });
}

/// release.contract
#[tokio::test]
async fn a_contract_is_bound_to_its_specification_and_to_its_time() {
    let h = House::open(kiban_testkit::TestDb::sqlite().await).await;
    let a = h.accepted(Product::Anonymized).await;
    h.record(&h.manifest(a, id(9), Product::Anonymized, vec![]), &[]).await;
    let approve = |n| {
        let h = &h;
        async move { kiban_release::approve(&h.log, &approver(n), id(9), &h.context()).await }
    };
    assert_eq!(approval(approve(31).await.unwrap_err()), ApprovalError::NoContract);
    h.contract(a, Digest::of(b"another specification")).await;
    assert_eq!(approval(approve(31).await.unwrap_err()), ApprovalError::NoContract);
    let c = h.contract(a, specification()).await;
    let _ = approve(31).await.unwrap();
    let _ = approve(32).await.unwrap();
    assert!(mint::<Anonymized>(&h).await.is_ok());
    let mut conn = h.db.pool().acquire().await.unwrap();
    let late: Timestamp = "2028-04-01T00:00:00Z".parse().unwrap();
    let e = kiban_release::approved::<Anonymized>(&mut conn, id(9), &h.context(), late).await;
    assert_eq!(approval(e.unwrap_err()), ApprovalError::NoContract);
    drop(conn);
    let sign = may(&staff(11, Role::GeneralManager), Act::SignContract);
    let _ = kiban_release::end_contract(&h.log, &sign, c).await.unwrap();
    assert_eq!(approval(mint::<Anonymized>(&h).await.unwrap_err()), ApprovalError::NoContract);
}

/// release.findings
#[tokio::test]
async fn undecided_and_unapplied_findings_block() {
    let h = House::open(kiban_testkit::TestDb::sqlite().await).await;
    let a = h.accepted(Product::Pseudonymized).await;
    h.contract(a, specification()).await;
    let mayor = Finding {
        id: id(50),
        rule: "occupation_in_municipality".into(),
        columns: vec!["person.occupation".into(), "person.municipality".into()],
        persons: 1,
    };
    let fact = |applied| vec![FindingFact { id: id(50), applied }];
    h.record(
        &h.manifest(a, id(9), Product::Pseudonymized, fact(None)),
        std::slice::from_ref(&mayor),
    )
    .await;
    h.record(
        &h.manifest(a, id(8), Product::Pseudonymized, fact(Some(Decision::Drop))),
        std::slice::from_ref(&mayor),
    )
    .await;
    let approve = |n| {
        let h = &h;
        async move { kiban_release::approve(&h.log, &approver(31), id(n), &h.context()).await }
    };
    let e = approval(approve(9).await.unwrap_err());
    assert_eq!(e, ApprovalError::Undecided { count: 1 });
    let decide = may(&staff(14, Role::Examiner), Act::DecideFinding);
    let decide = |n, reason| {
        kiban_release::decide_finding(&h.log, &decide, id(n), id(50), Decision::Drop, reason)
    };
    assert!(decide(9, " ").await.unwrap_err().ja().contains("理由"));
    let _ = decide(9, "市長と分かる").await.unwrap();
    assert!(decide(9, "別の判断").await.unwrap_err().ja().contains("既に判断"));
    let e = approval(approve(9).await.unwrap_err());
    assert_eq!(
        e,
        ApprovalError::NotApplied { count: 1 },
        "decided to drop, but still in the dataset"
    );
    let _ = decide(8, "市長と分かる").await.unwrap();
    assert!(approve(8).await.is_ok());
}

/// release.certified
#[tokio::test]
async fn nobody_uncertified_makes_or_receives() {
    let mut h = House::open(kiban_testkit::TestDb::sqlite().await).await;
    let dataset = h.ready(Product::Pseudonymized).await;
    let all = h.certifications.clone();
    for (kind, words) in [
        (CertificationKind::PseudoProducer, "認定仮名加工医療情報作成事業者"),
        (
            CertificationKind::PseudoUser(kiban_govern::certification::UserType::I),
            "以外に提供できません",
        ),
    ] {
        h.certifications = all.iter().filter(|c| c.kind() != kind).cloned().collect();
        let e =
            kiban_release::approve(&h.log, &approver(31), dataset, &h.context()).await.unwrap_err();
        assert!(e.ja().contains(words), "{}", e.ja());
    }
    h.certifications = all;
    let stopped = kiban_release::Context { stops_since: 1, ..h.context() };
    let e = kiban_release::approve(&h.log, &approver(31), dataset, &stopped).await.unwrap_err();
    assert_eq!(approval(e), ApprovalError::StopsSince { count: 1 });
}

#[tokio::test]
async fn an_application_names_what_is_missing_and_whose_it_is() {
    let h = House::open(kiban_testkit::TestDb::sqlite().await).await;
    let mine = may(&researcher(), Act::SubmitApplication);
    let mut poor = content();
    poor.purpose.clear();
    poor.handlers.clear();
    let a = kiban_release::apply(&h.log, &mine, &h.entropy, id(5), Product::Anonymized, &poor)
        .await
        .unwrap();
    let e = kiban_release::submit(&h.log, &mine, a.id).await.unwrap_err();
    assert!(e.ja().contains("利用目的、取扱者"), "{}", e.ja());
    let mut other = researcher();
    other.organization = id(77);
    let theirs = may(&other, Act::SubmitApplication);
    let e = kiban_release::withdraw(&h.log, &theirs, a.id).await.unwrap_err();
    assert!(e.ja().contains("申請者の所属ではありません"));
    let _ = kiban_release::amend(&h.log, &mine, a.id, &content()).await.unwrap();
    let _ = kiban_release::submit(&h.log, &mine, a.id).await.unwrap();
    let e = kiban_release::amend(&h.log, &mine, a.id, &content()).await.unwrap_err();
    assert!(e.to_string().contains("from submitted to draft"), "{e}");
    // no value of an application is in the log
    let events = h.log.events(0, 100).await.unwrap();
    assert_eq!(
        events.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(),
        ["application.drafted", "application.amended", "application.submitted",]
    );
}

#[tokio::test]
async fn an_accepted_application_that_is_changed_must_be_reviewed_again() {
    let h = House::open(kiban_testkit::TestDb::sqlite().await).await;
    let dataset = h.ready(Product::Anonymized).await;
    let mut conn = h.db.pool().acquire().await.unwrap();
    let application = kiban_release::application_of(&mut conn, dataset).await.unwrap();
    drop(conn);
    let mine = may(&researcher(), Act::SubmitApplication);
    let mut wider = content();
    wider.items.push("note.text".into());
    let _ = kiban_release::amend(&h.log, &mine, application, &wider).await.unwrap();
    let e = kiban_release::approve(&h.log, &approver(31), dataset, &h.context()).await.unwrap_err();
    assert_eq!(approval(e), ApprovalError::NotAccepted { state: "draft" });
}
