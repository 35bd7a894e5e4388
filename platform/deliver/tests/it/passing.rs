//! To whom a dataset goes, and that nothing else goes.

use std::{fs, sync::Arc};

use kiban_deliver::{DeliverError, OpenError, PayloadError, open};
use kiban_govern::{
    Act, Role,
    certification::{CertificationKind, UserType},
    delivery::Route,
};
use kiban_kernel::{NoSteps, Product};
use kiban_release::{Anonymized, Context, Pseudonymized};

use crate::{
    house::{House, certified, may, staff, user},
    scene::{Scene, dataset, payload},
};

fn quiet() -> Arc<NoSteps> {
    Arc::new(NoSteps)
}

/// deliver.approved, deliver.open
#[tokio::test]
async fn what_is_opened_is_what_was_approved() {
    for db in kiban_testkit::each_database().await {
        let house = House::open(db).await;
        let root = house.folder();
        let s = Scene::prepare(house, root, Product::Anonymized).await;
        let done = s.deliver_as::<Anonymized>(quiet(), Route::SealedTransfer).await.unwrap();
        assert_eq!(done.row.payload, s.payload.digest());
        assert!(done.committed.checkpoint.contains('\n'));
        let out = s.root.join("opened");
        let opened = open(&s.package(), &s.user_key(), &out, None).unwrap();
        assert_eq!(opened.files as usize, s.payload.files().len() + 1);
        for file in s.payload.files() {
            assert_eq!(fs::read(out.join(&file.path)).unwrap(), file.bytes, "{}", file.path);
        }
        let notice = fs::read_to_string(s.packages(quiet()).notice(&done.row)).unwrap();
        assert!(notice.contains("kiban package open"));
        let checkpoint = s.packages(quiet()).notice(&done.row).with_extension("checkpoint");
        assert_eq!(fs::read_to_string(checkpoint).unwrap(), done.committed.checkpoint);
        // no plain byte of the payload is in the package
        let sealed = fs::read(s.package()).unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"id,sex"));
        // a second delivery of the same dataset
        let again = s.deliver_as::<Anonymized>(quiet(), Route::SealedTransfer).await;
        assert!(matches!(again, Err(DeliverError::Already)));
        assert!(s.package().exists());
    }
}

/// deliver.approved
#[tokio::test]
async fn another_payload_or_a_changed_mind_does_not_leave() {
    let s = Scene::sqlite(Product::Anonymized).await;
    let approved = s.approved::<Anonymized>(dataset(), Route::SealedTransfer).await;
    let context = s.context(Route::SealedTransfer);
    let other = payload(Product::Anonymized, "A,男\n");
    let e = s.hand_over(quiet(), &approved, &context, &other).await.unwrap_err();
    assert!(
        matches!(&e, DeliverError::Payload(PayloadError::NotApproved { path }) if path == "data/person.csv")
    );
    // a stop came between approval and hand-over
    let stopped = Context { stops_since: 2, ..context };
    let e = s.hand_over(quiet(), &approved, &stopped, &s.payload).await.unwrap_err();
    assert!(e.ja().contains("提供停止の求めが2件"), "{}", e.ja());
    // the contract was ended
    let mut conn = s.house.db.pool().acquire().await.unwrap();
    let a = kiban_release::application_of(&mut conn, dataset()).await.unwrap();
    let c = kiban_release::contracts(&mut conn, a).await.unwrap()[0].id;
    drop(conn);
    let sign = may(&staff(11, Role::GeneralManager), Act::SignContract);
    let _ = kiban_release::end_contract(&s.house.log, &sign, c).await.unwrap();
    let e = s.hand_over(quiet(), &approved, &context, &s.payload).await.unwrap_err();
    assert!(e.ja().contains("利用契約") && e.law().is_some());
    // each time the folder is as it was
    assert_eq!(fs::read_dir(s.root.join("packages")).unwrap().count(), 0);
}

/// deliver.certified
#[tokio::test]
async fn a_type_two_users_data_stay_and_only_a_notice_leaves() {
    let house = House::open(kiban_testkit::TestDb::sqlite().await).await;
    let root = house.folder();
    let mut s = Scene::prepare(house, root, Product::Pseudonymized).await;
    s.house.certifications.retain(|c| c.organization() != user());
    s.house.certifications.push(certified(user(), CertificationKind::PseudoUser(UserType::II)));
    // the door is closed before sealing: no approval by a route that leaves
    let mut conn = s.house.db.pool().acquire().await.unwrap();
    let at = "2026-04-01T01:00:00Z".parse().unwrap();
    let e = kiban_release::approved::<Pseudonymized>(
        &mut conn,
        dataset(),
        &s.context(Route::SealedTransfer),
        at,
    )
    .await
    .unwrap_err();
    assert!(e.ja().contains("持ち出せません"), "{}", e.ja());
    drop(conn);
    let done = s.deliver_as::<Pseudonymized>(quiet(), Route::ProducerEnvironment).await.unwrap();
    let out = s.root.join("opened");
    let e = open(&s.package(), &s.user_key(), &out, None).unwrap_err();
    assert!(matches!(e, OpenError::WrongKey), "{e}");
    assert!(!out.exists());
    assert!(open(&s.package(), &s.environment_key(), &out, None).is_ok());
    let notice = fs::read_to_string(s.packages(quiet()).notice(&done.row)).unwrap();
    assert!(notice.contains("データの送付はありません"));
    // in the user's folder, only the key, the notice and the checkpoint
    assert_eq!(fs::read_dir(s.user_dir()).unwrap().count(), 3);
}

/// deliver.certified
#[tokio::test]
async fn a_certification_revoked_after_approval_stops_the_hand_over() {
    let mut s = Scene::sqlite(Product::Pseudonymized).await;
    let approved = s.approved::<Pseudonymized>(dataset(), Route::SealedTransfer).await;
    s.house.certifications.retain(|c| c.organization() != user());
    let context = s.context(Route::SealedTransfer);
    let e = s.hand_over(quiet(), &approved, &context, &s.payload).await.unwrap_err();
    assert!(e.ja().contains("認定仮名加工医療情報利用事業者以外に提供できません"), "{}", e.ja());
    assert_eq!(fs::read_dir(s.root.join("packages")).unwrap().count(), 0);
}

#[tokio::test]
async fn without_a_registered_key_nothing_is_sealed() {
    let s = Scene::sqlite(Product::Anonymized).await;
    kiban_audit::sqlx::query("DELETE FROM deliver_key").execute(s.house.db.pool()).await.unwrap();
    let e = s.deliver_as::<Anonymized>(quiet(), Route::SealedTransfer).await.unwrap_err();
    assert!(matches!(e, DeliverError::NoKey { whose: "recipient" }));
    let permit = may(&staff(13, Role::Registrar), Act::RegisterOrganization);
    let bad = s.packages(quiet()).register_key(&s.house.log, &permit, user(), "age1nonsense").await;
    assert!(matches!(bad, Err(DeliverError::BadKey)));
}

/// deliver.payload: the same dataset packed twice differs in its seal alone.
#[tokio::test]
async fn seals_differ_and_payloads_do_not() {
    let one = Scene::sqlite(Product::Anonymized).await;
    let two = Scene::sqlite(Product::Anonymized).await;
    let mut seen = Vec::new();
    for s in [&one, &two] {
        let done = s.deliver_as::<Anonymized>(quiet(), Route::SealedTransfer).await.unwrap();
        seen.push((done.row.package, done.row.payload));
    }
    assert_ne!(seen[0].0, seen[1].0);
    assert_eq!(seen[0].1, seen[1].1);
}

/// A disk that refuses leaves no record and no remains, and the next attempt goes through.
#[tokio::test]
async fn a_failing_disk_leaves_everything_as_it_was() {
    let s = Scene::sqlite(Product::Anonymized).await;
    let approved = s.approved::<Anonymized>(dataset(), Route::SealedTransfer).await;
    let context = s.context(Route::SealedTransfer);
    let before = s.house.log.events(0, 1000).await.unwrap().len();
    let mut officer = staff(15, Role::DeliveryOfficer);
    officer.employer = kiban_govern::Employer::Trustee;
    let permit = may(&officer, Act::DeliverDataset);
    let packages = s.packages(quiet());
    // where the folder should be, the disk has something else
    fs::remove_dir(s.root.join("packages")).unwrap();
    fs::write(s.root.join("packages"), "full").unwrap();
    let what = kiban_deliver::Delivery {
        approved: &approved,
        context: &context,
        payload: &s.payload,
        key: &s.house.key,
    };
    let e = packages.deliver(&s.house.log, &permit, &what).await.unwrap_err();
    assert!(matches!(e, DeliverError::Io(_)) && e.ja().contains("提供は記録されていません"));
    assert_eq!(s.house.log.events(0, 1000).await.unwrap().len(), before);
    fs::remove_file(s.root.join("packages")).unwrap();
    fs::create_dir(s.root.join("packages")).unwrap();
    assert!(packages.deliver(&s.house.log, &permit, &what).await.unwrap().noticed);
}
