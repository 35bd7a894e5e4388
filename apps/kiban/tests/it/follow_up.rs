//! The same cohort a year later: the same ids, and who stopped is gone with a count.

use std::collections::BTreeSet;

use kiban_journeys::follow_up::{continuity, draft_follow_up, record_continuity};

use crate::support::{
    acts::{self, WISHES},
    run, site,
    site::day_after,
};

/// The ids of the persons that an opened package shows.
fn ids(folder: &std::path::Path) -> BTreeSet<String> {
    let mut reader = csv::Reader::from_path(folder.join("data/person.csv")).unwrap();
    reader.records().map(|r| r.unwrap()[0].to_owned()).collect()
}

#[test]
fn next_years_dataset_joins_by_id_and_counts_who_stopped() {
    run(|| async {
        let site = site::delivered().copy().await;
        let of = acts::delivered(&site);
        let wish = WISHES[1];
        let user = site.actor("researcher_pharma_1");
        let processor = site.actor("processor");
        // An anonymized line, another's application, and a line without a dataset before it are refused.
        let university = site.actor("researcher_university");
        assert!(draft_follow_up(&site.on, &university, of[0].application).await.is_err());
        assert!(draft_follow_up(&site.on, &university, of[1].application).await.is_err());
        assert!(record_continuity(&site.on, &processor, of[1].id).await.is_err());
        // A package that nobody fetched is erased for a stop: the user opens it before.
        let was = ids(&acts::open(&site, wish, of[1].id));
        let mut requests = Vec::new();
        for holder in site::HOLDERS {
            requests.extend(site.stops(holder, "stops_after_product.csv"));
        }
        assert!(!requests.is_empty());
        let today = site.on.today();
        site.clock.set_date(day_after(today, 40));
        site.apply(&requests).await;

        let next = draft_follow_up(&site.on, &user, of[1].application).await.unwrap();
        kiban_journeys::submit_application(&site.on, &user, next).await.unwrap();
        kiban_journeys::screen(&site.on, &site.actor("secretary"), next).await.unwrap();
        let granted = acts::grant(&site, wish, next, site::specification()).await;
        let produced = acts::make(&site, &granted).await;
        let found = record_continuity(&site.on, &processor, produced.dataset).await.unwrap();
        assert_eq!(found.earlier, of[1].id);
        assert_eq!(found.persons_before, found.stopped + found.continued + found.left);
        assert!(found.stopped > 0 && found.continued > 0, "{found:?}");
        let seen = continuity(&site.on, &user, produced.dataset).await.unwrap();
        assert_eq!(seen, Some(found.clone()));
        assert!(continuity(&site.on, &university, produced.dataset).await.is_err());

        // What the user can count in the two packages is the same.
        let is = ids(&acts::open(&site, wish, produced.dataset));
        assert_eq!(was.intersection(&is).count() as u64, found.continued);
        assert_eq!(was.difference(&is).count() as u64, found.stopped + found.left);
    });
}
