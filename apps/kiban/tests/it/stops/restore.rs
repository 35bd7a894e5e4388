//! A backup that is older than a stop is brought up to it.

use std::{fs, sync::Arc};

use kiban_journeys::{Parties, kernel::NoSteps};

use super::{family::traces, in_both, request};
use crate::support::{
    Scratch, run,
    site::{self, Site, day_after},
};

#[test]
fn a_restored_backup_erases_again_what_was_stopped_since() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let (intake, security) = (site.actor("intake"), site.actor("security"));
        let today = site.on.today();
        let until = day_after(today, 30);
        assert!(
            kiban_journeys::record_backup(&site.on, &intake, "金庫", until).await.is_err(),
            "not theirs to keep"
        );
        let made =
            kiban_journeys::record_backup(&site.on, &security, "金庫A", until).await.unwrap();
        let dir = site.dir.clone();
        let scratch = site.close().await;
        let backup = Scratch::copy_of(&dir);
        let site = Site::open(&dir, today, Arc::new(NoSteps)).await;

        let who = in_both(&site, "hospital_a")[0].clone();
        let holder = Parties::organization_id("hospital_a");
        let sources =
            kiban_journeys::person_sources(&site.on, holder, [who.as_str()]).await.unwrap();
        let asked = request("hospital_a", &who, "紙-3", today);
        let received = kiban_journeys::record_stop(&site.on, &intake, &asked).await.unwrap();
        let applied =
            kiban_journeys::apply_stop(&site.on, &intake, received.stop.id).await.unwrap();
        assert!(applied.open.is_empty(), "{:?}", applied.open);
        let (_, ack) = applied.acknowledged.iter().find(|(s, _)| s == "backups").unwrap();
        assert_eq!(ack.counts["backups_that_end"], 1);
        // Past its day and not destroyed, nobody can say that it is gone: the next stop stays open.
        site.clock.set_date(day_after(until, 1));
        let next = in_both(&site, "hospital_a")[1].clone();
        let asked = request("hospital_a", &next, "紙-4", site.on.today());
        let second = kiban_journeys::record_stop(&site.on, &intake, &asked).await.unwrap();
        let late = kiban_journeys::apply_stop(&site.on, &intake, second.stop.id).await.unwrap();
        assert_eq!(late.open, [("backups".to_owned(), "bytes_remain")]);
        kiban_journeys::destroy_backup(&site.on, &security, made.id).await.unwrap();
        assert!(kiban_journeys::destroy_backup(&site.on, &security, made.id).await.is_err());
        let late = kiban_journeys::retry_stops(&site.on, &intake).await.unwrap();
        assert!(late[0].proof().is_some());
        let list = dir.join(kiban_journeys::ERASURES);
        let text = fs::read_to_string(&list).unwrap();
        assert!(!text.contains(&who), "it names nobody");
        site.close().await;

        // The backup is restored; the list was kept apart.
        let restored = Site::open(backup.path(), day_after(until, 2), Arc::new(NoSteps)).await;
        assert!(!traces(&restored, &sources).await.is_empty());
        let forged = backup.path().join("forged.note");
        fs::write(&forged, text.replacen("紙-3", "紙-5", 1)).unwrap();
        assert!(kiban_journeys::erase_again(&restored.on, &security, &forged).await.is_err());
        let applied = kiban_journeys::erase_again(&restored.on, &security, &list).await.unwrap();
        assert_eq!(applied.len(), 2);
        // The restored register knows of the copy, which is past its day: that store alone waits.
        for one in &applied {
            assert_eq!(one.open, [("backups".to_owned(), "bytes_remain")]);
        }
        assert_eq!(traces(&restored, &sources).await, Vec::<String>::new());
        kiban_journeys::destroy_backup(&restored.on, &security, made.id).await.unwrap();
        let done = kiban_journeys::erase_again(&restored.on, &security, &list).await.unwrap();
        assert!(done.iter().all(|one| one.proof().is_some()));
        assert!(
            kiban_journeys::erase_again(&restored.on, &security, &list).await.unwrap().is_empty(),
            "nothing is lacking any more"
        );
        restored.close().await;
        drop(scratch);
    });
}
