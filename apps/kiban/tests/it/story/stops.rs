//! Stops after delivery: erasure, rebuilds, the next datasets, pseudonyms.

use super::*;

fn stop(holder: &str, local_id: &str, receipt: &str, site: &Site) -> StopRequest {
    StopRequest {
        holder: Parties::organization_id(holder),
        local_id: local_id.to_owned(),
        regimes: Regime::ALL.into_iter().collect::<Bases>(),
        requested_on: site.on.today(),
        receipt_number: receipt.to_owned(),
        requester: Requester::Person,
        evidence: "本人確認記録".to_owned(),
        scope: Scope::Holder,
        identities: Vec::new(),
    }
}

#[test]
fn stops_after_delivery_change_what_comes_and_what_is_rebuilt() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let system = kiban_journeys::system_actor(&site.on).await.unwrap();
        let datasets = acts::delivered(&site);
        let scratch = Scratch::new("rebuilt");
        let before: Vec<BTreeSet<String>> = WISHES
            .iter()
            .zip(&datasets)
            .map(|(w, d)| pseudonyms(&acts::open(&site, *w, d.id)))
            .collect();
        // Rebuilt, each is the same, byte for byte.
        for (wish, dataset) in WISHES.iter().zip(&datasets) {
            let out = scratch.join(&dataset.id.to_string());
            let again = kiban_journeys::rebuild_dataset(&site.on, &system, dataset.id, &out, false)
                .await
                .unwrap();
            assert!(again.identical && again.stops == 0 && again.persons > 0);
            let opened = site.dir.join("opened").join(dataset.id.to_string());
            let (a, b) = (files::digests(&out.join("data")), files::digests(&opened.join("data")));
            assert!(a == b && !a.is_empty(), "{:?}", wish.product);
        }
        // Two lines share no pseudonym, nor do the products.
        assert!(before.iter().all(|p| !p.is_empty()));
        assert!(before[0].is_disjoint(&before[1]) && before[0].is_disjoint(&before[2]));
        assert!(before[1].is_disjoint(&before[2]));

        // Somebody in the pseudonymized product stops, besides those of the country's list.
        site.clock.set_date(day_after(site.calendar.product_date, 30));
        let mut stopped = Vec::new();
        for holder in HOLDERS {
            let requests = site.stops(holder, "stops_after_product.csv");
            for request in &requests {
                let id = [request.local_id.as_str()];
                stopped.extend(
                    kiban_journeys::person_sources(&site.on, request.holder, id).await.unwrap(),
                );
            }
            site.apply(&requests).await;
        }
        assert_cleared(&site, ["reaches_anon_after_stops", "reaches_pseudo_after_stops"]).await;
        let extra = regimes(&site)
            .await
            .into_iter()
            .find(|(_, r)| {
                r["holder"] == "municipality" && r["group"] == "both" && r["stop_phase"].is_empty()
            })
            .map(|(_, r)| r["local_id"].clone())
            .unwrap();
        site.apply(&[stop("municipality", &extra, "受付-試験-1", &site)]).await;
        let id = Parties::organization_id("municipality");
        stopped
            .extend(kiban_journeys::person_sources(&site.on, id, [extra.as_str()]).await.unwrap());
        assert_eq!(kiban_journeys::rows_of(&site.on, &stopped).await.unwrap(), 0);

        // The old dataset is not rebuilt as it was; the reason is given; without the stopped it is.
        let refused = scratch.join("refused");
        let answer =
            kiban_journeys::rebuild_dataset(&site.on, &system, datasets[1].id, &refused, false)
                .await;
        let error = answer.expect_err("refused");
        assert!(matches!(error, Error::StoppedSince { .. }), "{error:?}");
        assert!(
            error.ja().contains("提供停止") && error.ja().contains("--without-stopped"),
            "{}",
            error.ja()
        );
        assert!(!refused.exists());
        let without = scratch.join("without");
        let rebuilt =
            kiban_journeys::rebuild_dataset(&site.on, &system, datasets[1].id, &without, true)
                .await
                .unwrap();
        assert!(
            !rebuilt.identical && rebuilt.stops > 0 && rebuilt.persons < rebuilt.persons_before
        );
        let left = pseudonyms(&without);
        assert!(left.is_subset(&before[1]) && left.len() as u64 == rebuilt.persons);

        // The next datasets of the same lines: clean; same pseudonyms within a line.
        for (i, wish) in WISHES.iter().enumerate().take(2) {
            let granted = acts::Granted {
                wish: *wish,
                application: datasets[i].application,
                specification: specification().to_owned(),
            };
            let produced = acts::make(&site, &granted).await;
            let next = pseudonyms(&acts::open(&site, *wish, produced.dataset));
            if i == 0 {
                assert!(next.is_disjoint(&before[0]), "two anonymized datasets share no id");
            } else {
                assert_eq!(next, left, "the same persons under the same pseudonyms");
            }
        }
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

fn pseudonyms(opened: &std::path::Path) -> BTreeSet<String> {
    let path = opened.join("data/person.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.records().map(|r| r.unwrap()[0].to_owned()).collect()
}
