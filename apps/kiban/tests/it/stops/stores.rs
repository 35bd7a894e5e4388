//! A store that is off, a register that is silent, a dataset on its way, and rates out of line.

use kiban_audit::sqlx;
use kiban_journeys::{
    Error, Fate, Parties, ProduceRequest, STORES,
    release::finding::Decision,
    stop::{
        proof::{self, Sheet},
        rates::Outlier,
    },
};

use super::{in_both, request};
use crate::support::{
    acts::{self, WISHES},
    run,
    site::{self, day_after, specification},
    web::Web,
};

#[test]
fn a_store_that_is_off_keeps_the_case_open_and_its_clock_runs() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let (intake, security) = (site.actor("intake"), site.actor("security"));
        let start = site.on.today();
        assert!(kiban_journeys::switch_store(&site.on, &intake, "source", "保守").await.is_err());
        assert!(kiban_journeys::switch_store(&site.on, &security, "cellar", "保守").await.is_err());
        kiban_journeys::switch_store(&site.on, &security, "source", "保守のため").await.unwrap();
        let who = in_both(&site, "hospital_a")[0].clone();
        let asked = request("hospital_a", &who, "紙-1", start);
        let received = kiban_journeys::record_stop(&site.on, &intake, &asked).await.unwrap();
        let id = received.stop.id;
        let first = kiban_journeys::apply_stop(&site.on, &intake, id).await.unwrap();
        assert_eq!(first.open, [("source".to_owned(), "unavailable")]);
        assert_eq!(first.acknowledged.len(), STORES.len() - 1);
        assert!(first.proof().is_none());

        // Seven days are given; on the eighth it is late, and every look says so.
        let key = [site.on.log().verify_key().clone()];
        for (days, late) in [(7, false), (8, true)] {
            let day = day_after(start, days);
            site.clock.set_date(day);
            let rows = kiban_journeys::stops(&site.on, &intake).await.unwrap();
            let row = rows.iter().find(|r| r.stop.id == id).unwrap();
            assert_eq!((row.days, row.overdue), (days, late));
            let sheet = kiban_journeys::stop_day_sheet(&site.on, &intake, day).await.unwrap();
            match proof::verify(&sheet, &key).unwrap() {
                Sheet::Day { day: of, open, overdue, .. } => {
                    assert_eq!((of, open, overdue), (day, 1, u64::from(late)));
                }
                other => panic!("{other:?}"),
            }
        }
        let again = kiban_journeys::retry_stops(&site.on, &intake).await.unwrap();
        assert_eq!((again.len(), again[0].open.len()), (1, 1), "still off");
        let future = day_after(site.on.today(), 1);
        assert!(kiban_journeys::stop_day_sheet(&site.on, &intake, future).await.is_err());

        kiban_journeys::switch_store(&site.on, &security, "source", "").await.unwrap();
        assert_eq!(kiban_journeys::stores_off(&site.on).await.unwrap(), []);
        let done = kiban_journeys::retry_stops(&site.on, &intake).await.unwrap();
        let Sheet::Case { stores, .. } = proof::verify(done[0].proof().unwrap(), &key).unwrap()
        else {
            panic!("of a case")
        };
        let late = stores.iter().find(|s| s.store == "source").unwrap();
        assert!(late.counts["rows"] > 0 && late.counts["keys"] > 0);
        assert!(stores.iter().all(|s| s.store == "source" || s.at < late.at));
        // The sheet of a day in the past is as it was then.
        let day = day_after(start, 7);
        let sheet = kiban_journeys::stop_day_sheet(&site.on, &intake, day).await.unwrap();
        assert!(matches!(
            proof::verify(&sheet, &key).unwrap(),
            Sheet::Day { open: 1, closed: 0, overdue: 0, .. }
        ));
        site.close().await;
    });
}

// B7
#[test]
fn a_silent_register_stops_every_dataset() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        acts::keys(&site).await;
        let granted = acts::granted(&site, WISHES[0], specification()).await;
        let pool = site.on.log().db().pool().clone();
        let rename = async |from: &str, to: &str| {
            let query = format!("ALTER TABLE {from} RENAME TO {to}");
            sqlx::query(sqlx::AssertSqlSafe(query)).execute(&pool).await.unwrap();
        };
        rename("register_stop", "elsewhere").await;
        let asked = ProduceRequest {
            application: granted.application,
            specification: granted.specification.clone(),
            dataset: None,
        };
        let processor = site.actor("processor");
        let refused = kiban_journeys::produce_dataset(&site.on, &processor, &asked).await;
        let error = refused.err().expect("refused");
        assert!(matches!(error, Error::Clear(_)), "{error:?}");
        assert!(error.ja().contains("登録簿が応答しない"), "{}", error.ja());
        let made: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM release_dataset")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(made, 0);
        rename("elsewhere", "register_stop").await;
        kiban_journeys::produce_dataset(&site.on, &processor, &asked).await.unwrap();
        site.close().await;
    });
}

// B6: datasets that are not handed over yet
#[test]
fn an_approved_dataset_that_holds_the_person_is_not_handed_over() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        acts::keys(&site).await;
        let granted = acts::granted(&site, WISHES[1], specification()).await;
        let first = acts::produce(&site, &granted).await;
        let produced = acts::decided(&site, &granted, first, Decision::Coarsen).await;
        acts::approve(&site, &produced, granted.wish.route).await;
        let who = in_both(&site, "municipality")[0].clone();
        let asked = request("municipality", &who, "紙-9", site.on.today());
        let intake = site.actor("intake");
        let received = kiban_journeys::record_stop(&site.on, &intake, &asked).await.unwrap();
        let fates = kiban_journeys::datasets_of_stop(&site.on, received.stop.id).await.unwrap();
        assert_eq!(fates, [(produced.dataset, Fate::Open)]);
        kiban_journeys::apply_stop(&site.on, &intake, received.stop.id).await.unwrap();
        let fates = kiban_journeys::datasets_of_stop(&site.on, received.stop.id).await.unwrap();
        assert_eq!(fates, [(produced.dataset, Fate::Withdrawn)]);
        let delivery = site.actor("delivery");
        let refused = kiban_journeys::deliver_dataset(
            &site.on,
            &delivery,
            produced.dataset,
            granted.wish.route,
        )
        .await;
        assert!(refused.is_err());
        // Made anew it can be.
        acts::make(&site, &granted).await;
        site.close().await;
    });
}

// B9
#[test]
fn five_in_a_hundred_at_one_holder_is_flagged() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let intake = site.actor("intake");
        let holder = Parties::organization_id("hospital_a");
        let rates = kiban_journeys::stop_rates(&site.on, &intake).await.unwrap();
        let persons = rates.iter().find(|r| r.holder == holder && r.month.is_none()).unwrap();
        let who = in_both(&site, "hospital_a");
        let planted = usize::try_from(persons.count.persons.div_ceil(20)).unwrap().max(4);
        for (n, local_id) in who.iter().take(planted).enumerate() {
            let asked = request("hospital_a", local_id, &format!("植-{n}"), site.on.today());
            kiban_journeys::record_stop(&site.on, &intake, &asked).await.unwrap();
        }
        let rates = kiban_journeys::stop_rates(&site.on, &intake).await.unwrap();
        let flagged: Vec<_> = rates
            .iter()
            .filter(|r| r.judged.outlier == Some(Outlier::Many))
            .map(|r| r.holder)
            .collect();
        assert!(flagged.contains(&holder), "{rates:#?}");
        assert!(kiban_journeys::stop_rates(&site.on, &site.actor("processor")).await.is_err());
        // Its own staff sees its own, and is warned on its page; another's is not.
        let own =
            kiban_journeys::stop_rates(&site.on, &site.actor("hospital_a_desk")).await.unwrap();
        assert!(
            own.iter().all(|r| r.holder == holder)
                && own.iter().any(|r| r.judged.outlier.is_some())
        );
        let web = Web::of(site);
        web.signed_in("hospital_a_desk").await.get("/stops").await.shows("著しく違います");
        web.signed_in("hospital_b_desk").await.get("/stops").await.hides("著しく違います");
    });
}
