//! deliver.whole: the process ends at every step of a hand-over; the next start finds all of it or nothing.

use std::{path::PathBuf, sync::Arc};

use kiban_audit::{Db, Log, LogSigner};
use kiban_deliver::{DeliverError, verify_packages};
use kiban_govern::{Act, Role, delivery::Route};
use kiban_kernel::{NoSteps, Product, ScriptedClock, Steps};
use kiban_release::Anonymized;
use kiban_testkit::{AbortAt, Child, SeededEntropy};

use crate::{
    house::{House, ON, may, staff},
    scene::{Scene, dataset, payload},
};

async fn house(root: &std::path::Path, steps: Arc<dyn Steps>) -> House {
    let db = Db::open_file(&root.join("governance.sqlite")).await.unwrap();
    db.migrate().await.unwrap();
    let signer = LogSigner::generate(&SeededEntropy::new(1), "test.kiban.invalid/audit").unwrap();
    let clock = Arc::new(ScriptedClock::starting(ON));
    let log = Log::open(db.clone(), root.join("audit"), signer, clock, steps).await.unwrap();
    House::over(db, log)
}

async fn reopened(root: PathBuf, steps: Arc<dyn Steps>) -> Scene {
    let house = house(&root, steps).await;
    Scene { house, root, payload: payload(Product::Anonymized, "A,女\n") }
}

#[tokio::test]
#[ignore = "run as a child by the test below"]
async fn hands_over_and_may_be_ended() {
    let Some(root) = Child::argument("KIBAN_ROOT").map(PathBuf::from) else { return };
    let at: u64 = Child::argument("KIBAN_AT").unwrap().parse().unwrap();
    let prepared = house(&root, Arc::new(NoSteps)).await;
    Scene::prepare(prepared, root.clone(), Product::Anonymized).await;
    let steps: Arc<dyn Steps> = Arc::new(AbortAt::new(at));
    let s = reopened(root, steps.clone()).await;
    s.deliver_as::<Anonymized>(steps.clone(), Route::SealedTransfer).await.unwrap();
    let permit = may(&staff(15, Role::DeliveryOfficer), Act::EraseDataset);
    let packages = s.packages(steps);
    let _ = packages.erase(&s.house.log, &permit, dataset(), "period_ended").await.unwrap();
}

#[tokio::test]
async fn ended_at_every_step_a_delivery_is_whole_or_absent() {
    let (mut at, mut absent, mut whole) = (1, 0, 0);
    loop {
        let dir = tempfile::tempdir().unwrap();
        let child = Child::running("ended::hands_over_and_may_be_ended")
            .with("KIBAN_ROOT", dir.path())
            .with("KIBAN_AT", at.to_string());
        if child.finishes() {
            break;
        }
        let s = reopened(dir.path().to_owned(), Arc::new(NoSteps)).await;
        let packages = s.packages(Arc::new(NoSteps));
        packages.collect(&s.house.log).await.unwrap();
        let verified = verify_packages(&s.house.db, &s.root).await.unwrap();
        assert_eq!(verified.findings, [], "ended at step {at}");
        assert_eq!(
            packages.collect(&s.house.log).await.unwrap(),
            kiban_deliver::Collected::default()
        );
        match s.deliver_as::<Anonymized>(Arc::new(NoSteps), Route::SealedTransfer).await {
            Ok(_) => {
                assert_eq!(verified.packages + verified.erased, 0, "ended at step {at}");
                absent += 1;
            }
            Err(DeliverError::Already) => {
                assert_eq!(verified.packages + verified.erased, 1, "ended at step {at}");
                whole += 1;
            }
            Err(e) => panic!("ended at step {at}: {e}"),
        }
        let verified = verify_packages(&s.house.db, &s.root).await.unwrap();
        assert_eq!(verified.findings, []);
        at += 1;
    }
    assert!(absent >= 3 && whole >= 3, "{absent} absent, {whole} whole");
}
