//! After delivery some persons ask to stop: every store erases, the old dataset cannot be rebuilt as it was, the
//! next one is clean.

use std::collections::BTreeSet;

use kiban_journeys::{Error, Parties, stop};

use super::{
    Demo, HOLDERS, day_after,
    products::{self, Delivered},
    truth,
};
use crate::say::{Failure, Outcome};

pub(crate) async fn after_delivery(demo: &mut Demo, delivered: &Delivered) -> Outcome {
    demo.stages.begin("提供後の停止の求め");
    let system = kiban_journeys::system_actor(&demo.on).await?;
    let first = delivered.datasets[0];
    let scratch = demo.dir.join("country/rebuilt");
    let same =
        kiban_journeys::rebuild_dataset(&demo.on, &system, first, &scratch.join("before"), false)
            .await?;
    if !same.identical {
        return Err(Failure::plain("作り直した内容が一致しません。", "rebuild differs"));
    }
    demo.clock.set_date(day_after(demo.calendar.product_date, 30));
    let intake = demo.actor("intake")?;
    let mut stopped = Vec::new();
    for holder in HOLDERS {
        let list = demo.dir.join("country/holders").join(holder).join("stops_after_product.csv");
        for request in truth::stops(&list, holder)? {
            let organization = Parties::organization_id(holder);
            let local = request.local_id.clone();
            stopped.extend(
                kiban_journeys::person_sources(&demo.on, organization, [local.as_str()]).await?,
            );
            let received = kiban_journeys::record_stop(&demo.on, &intake, &request).await?;
            let applied = kiban_journeys::apply_stop(&demo.on, &intake, received.stop.id).await?;
            tally(demo, &applied);
        }
    }
    demo.story.stop.present_after = kiban_journeys::rows_of(&demo.on, &stopped).await?;
    demo.story.stop.rebuild_refused = match kiban_journeys::rebuild_dataset(
        &demo.on,
        &system,
        first,
        &scratch.join("refused"),
        false,
    )
    .await
    {
        Err(e @ Error::StoppedSince { .. }) => e.ja(),
        Err(e) => return Err(e.into()),
        Ok(_) => "停止した人はこのデータセットに含まれていませんでした。".to_owned(),
    };
    let without = kiban_journeys::rebuild_dataset(
        &demo.on,
        &system,
        first,
        &scratch.join("without_stopped"),
        true,
    )
    .await?;
    demo.story.stop.rebuilt_without = without.persons;
    demo.stages.begin("次のデータセット");
    let groups = truth::groups(
        &demo.on,
        &demo.truth(),
        ["reaches_anon_after_stops", "reaches_pseudo_after_stops"],
    )
    .await?;
    let wrong: u64 = groups.iter().map(|g| g.wrong).sum();
    if wrong > 0 {
        return Err(Failure::plain(
            format!("停止の後に届くべき人と届いた人が {wrong} 件異なります。"),
            "the cleared persons differ from the truth after the stops",
        ));
    }
    for (i, one) in delivered.uses.iter().enumerate().take(2) {
        products::make_and_deliver(demo, one, &delivered.known, false).await?;
        let story = demo.story.datasets.last_mut();
        if let Some(story) = story {
            story.title.push_str("（停止後の次回提供）");
            if i == 0 {
                demo.story.stop.next_persons = story.persons_out;
            }
        }
    }
    demo.story.pseudonyms = pseudonyms(demo)?;
    Ok(())
}

fn tally(demo: &mut Demo, applied: &stop::Applied) {
    for (store, ack) in &applied.acknowledged {
        if !demo.story.stop.stores.contains(store) {
            demo.story.stop.stores.push(store.clone());
        }
        demo.story.stop.rows_erased += ack.counts.get("rows").copied().unwrap_or_default();
        demo.story.stop.segments_shredded += ack.counts.get("keys").copied().unwrap_or_default();
    }
}

/// Pseudonyms of the person tables: how many two deliveries of one line share, and two lines, and the products.
fn pseudonyms(demo: &Demo) -> Result<[u64; 3], Failure> {
    let mut sets = Vec::new();
    for story in &demo.story.datasets {
        let path = story.opened.join("data/person.csv");
        let failed = |e: csv::Error| Failure::new("開いた包みを読めません。", &e);
        let mut reader = csv::Reader::from_path(path).map_err(failed)?;
        let ids: Result<BTreeSet<String>, _> =
            reader.records().map(|r| r.map(|r| r[0].to_owned()).map_err(failed)).collect();
        sets.push(ids?);
    }
    let shared = |a: usize, b: usize| match (sets.get(a), sets.get(b)) {
        (Some(a), Some(b)) => a.intersection(b).count() as u64,
        _ => 0,
    };
    // 0 anonymized, 1 and 2 pseudonymized of two lines, 3 anonymized again, 4 pseudonymized of the first line again
    Ok([shared(1, 4), shared(1, 2) + shared(2, 4), shared(0, 1) + shared(0, 2) + shared(0, 3)])
}
