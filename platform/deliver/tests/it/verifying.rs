//! deliver.verify: every change to packages and records is named.

use std::{fs, path::Path, sync::Arc};

use kiban_deliver::{Finding, PackagesVerified, verify_packages};
use kiban_govern::{Act, Role, delivery::Route};
use kiban_kernel::{NoSteps, Product};
use kiban_release::Anonymized;
use kiban_testkit::id;

use crate::{
    house::{may, staff},
    scene::{Scene, dataset},
};

async fn delivered() -> Scene {
    let s = Scene::sqlite(Product::Anonymized).await;
    let _ = s.deliver_as::<Anonymized>(Arc::new(NoSteps), Route::SealedTransfer).await.unwrap();
    s
}
async fn verify(s: &Scene) -> PackagesVerified {
    verify_packages(&s.house.db, &s.root).await.unwrap()
}
async fn one(s: &Scene) -> Finding {
    let findings = verify(s).await.findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(!findings[0].ja().is_empty() && !findings[0].to_string().is_empty());
    findings[0].clone()
}
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn every_file_is_watched() {
    let s = delivered().await;
    let clean = verify(&s).await;
    assert_eq!((clean.packages, clean.findings.len()), (1, 0));
    let folder = s.package().parent().unwrap().to_owned();
    let name = dataset().to_string();
    for file in ["package.age", "manifest.note"] {
        let (at, path) = (folder.join(file), format!("{name}/{file}"));
        flip(&at);
        assert_eq!(one(&s).await, Finding::Changed { path: path.clone() });
        flip(&at);
        let kept = fs::read(&at).unwrap();
        fs::write(&at, &kept[..kept.len() - 1]).unwrap();
        assert_eq!(one(&s).await, Finding::Changed { path: path.clone() });
        fs::remove_file(&at).unwrap();
        assert_eq!(one(&s).await, Finding::Missing { path });
        fs::write(&at, kept).unwrap();
    }
    for foreign in [format!("{name}/extra"), "dst_unknown".to_owned()] {
        fs::write(s.root.join("packages").join(&foreign), "x").unwrap();
        assert_eq!(one(&s).await, Finding::Foreign { path: foreign.clone() });
        fs::remove_file(s.root.join("packages").join(&foreign)).unwrap();
    }
    assert_eq!(verify(&s).await.findings, []);
}

#[tokio::test]
async fn swapped_packages_are_told_from_changed_ones() {
    let s = delivered().await;
    let mut conn = s.house.db.pool().acquire().await.unwrap();
    let a = kiban_release::application_of(&mut conn, dataset()).await.unwrap();
    drop(conn);
    s.record(a, id(8), Product::Anonymized).await;
    let approved = s.approved::<Anonymized>(id(8), Route::SealedTransfer).await;
    let context = s.context(Route::SealedTransfer);
    let second = s.hand_over(Arc::new(NoSteps), &approved, &context, &s.payload).await.unwrap();
    let other = s.packages(Arc::new(NoSteps)).folder(second.row.dataset).join("package.age");
    let (one, two) = (fs::read(s.package()).unwrap(), fs::read(&other).unwrap());
    fs::write(s.package(), two).unwrap();
    fs::write(other, one).unwrap();
    let findings = verify(&s).await.findings;
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|f| matches!(f, Finding::Swapped { .. })), "{findings:?}");
}

#[tokio::test]
async fn records_are_held_against_events() {
    let s = delivered().await;
    let run = |sql: &'static str| kiban_audit::sqlx::query(sql).execute(s.house.db.pool());
    run("UPDATE deliver_delivery SET package_bytes = package_bytes + 1").await.unwrap();
    assert!(matches!(one(&s).await, Finding::Record { .. }));
    run("DELETE FROM deliver_delivery").await.unwrap();
    assert!(matches!(one(&s).await, Finding::Record { .. }));
}

#[tokio::test]
async fn an_erased_package_is_gone_and_its_remains_are_named() {
    let s = delivered().await;
    let packages = s.packages(Arc::new(NoSteps));
    let kept = fs::read(s.package()).unwrap();
    let permit = may(&staff(15, Role::DeliveryOfficer), Act::EraseDataset);
    let _ = packages.erase(&s.house.log, &permit, dataset(), "period_ended").await.unwrap();
    assert!(!s.package().exists());
    let clean = verify(&s).await;
    assert_eq!((clean.erased, clean.findings.len()), (1, 0));
    assert!(packages.erase(&s.house.log, &permit, dataset(), "period_ended").await.is_err());
    fs::create_dir(s.package().parent().unwrap()).unwrap();
    fs::write(s.package(), kept).unwrap();
    assert_eq!(one(&s).await, Finding::NotRemoved { path: dataset().to_string() });
    assert_eq!(packages.collect(&s.house.log).await.unwrap().erased, 1);
    assert_eq!(verify(&s).await.findings, []);
}
