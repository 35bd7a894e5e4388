//! A dataset is compared with what was approved before it.

use kiban_journeys::release::Manifest;

use crate::support::{
    acts::{self, WISHES},
    run,
    site::{self, specification},
};

/// Two anonymized datasets about the same persons: compared, nothing shared, both released; content may be limited.
#[test]
fn a_second_dataset_is_compared_with_the_first_one() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        acts::keys(&site).await;
        let wish = WISHES[0];
        let first = acts::granted(&site, wish, specification()).await;
        let first = acts::produce(&site, &first).await;
        assert!(first.joined.is_empty(), "there was none to compare with");

        // Made before the first one is approved: compared when it is to be approved itself.
        let second = acts::granted(&site, wish, specification()).await;
        let second = acts::produce(&site, &second).await;
        assert!(second.joined.is_empty());
        acts::approve(&site, &first, wish.route).await;
        acts::approve(&site, &second, wish.route).await;
        let on_record = kiban_journeys::joins_of(&site.on, second.dataset).await.unwrap();
        assert_eq!(on_record.iter().map(|j| j.other).collect::<Vec<_>>(), [first.dataset]);
        let figures = &on_record[0].figures;
        let persons = second.manifest.as_ref().map(|m: &Manifest| m.persons).unwrap();
        assert_eq!(figures.overlap, persons, "the same snapshot, the same persons");
        assert!(figures.shared.is_empty() && !figures.exceeded, "{}", figures.verdict_ja);
        assert!(figures.trials.iter().any(|t| t.of == persons));

        // Laboratory values of a person are the same in both, so that a limit on content stands against a third.
        let strict = specification().replace("\nlatest = 2\n", "\nlimit = 0.0\nlatest = 1\n");
        let third = acts::granted(&site, wish, &strict).await;
        let third = acts::produce(&site, &third).await;
        assert_eq!(third.joined.len(), 1, "the latest alone");
        assert_eq!(third.joined[0].other, second.dataset);
        assert!(third.joined[0].figures.exceeded && third.manifest.is_none());
        assert!(third.over_risk.iter().any(|r| r.contains("正しく結合")), "{:?}", third.over_risk);
        let approver = site.actor("approver_1");
        let answer =
            kiban_journeys::approve_release(&site.on, &approver, third.dataset, wish.route).await;
        assert!(answer.expect_err("approved over the limit").ja().contains("結合"));
        site.close().await;
    });
}
