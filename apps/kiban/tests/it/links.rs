//! The review of links: two readers who do not see each other, a third, the undo, and the datasets to be made anew.

use kiban_audit::sqlx;
use kiban_journeys::{
    Actor, AfterAnswer, Deployment, Error, LinkAnswer, LinkChange, LinkRefused, Parties,
    kernel::{Id, kinds},
    replay,
};

use crate::{
    stops::{family::traces, in_both, request},
    support::{acts, run, site},
};

/// A pair on the list, as a run of linking puts it there.
pub(crate) async fn planted(
    on: &Deployment,
    sources: &[Id<kinds::PersonSource>],
) -> Id<kinds::Event> {
    let id: Id<kinds::Event> = Id::from_bytes([77; 16]);
    let (a, b) = (sources[0].min(sources[1]), sources[0].max(sources[1]));
    sqlx::query(
        "INSERT INTO journeys_link_case (id, a_source, b_source, score, information, effect, priority, opened_at) \
         VALUES ($1, $2, $3, 0.5, 0.97, 1, 99.0, '2026-01-01T00:00:00Z')",
    )
    .bind(id.to_string())
    .bind(a.to_string())
    .bind(b.to_string())
    .execute(on.log().db().pool())
    .await
    .unwrap();
    id
}

/// A second and a third reader: the same rights, other accounts.
pub(crate) fn reader(of: &Actor, n: u8) -> Actor {
    Actor { account: Id::from_bytes([n; 16]), ..of.clone() }
}

#[test]
fn two_who_disagree_ask_a_third_and_an_undo_reaches_the_datasets() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let on = &site.on;
        let holder = Parties::organization_id("hospital_b");
        let persons = in_both(&site, "hospital_b");
        let ids = [persons[0].as_str(), persons[1].as_str()];
        let sources = kiban_journeys::person_sources(on, holder, ids).await.unwrap();
        let case = planted(on, &sources).await;
        let first = site.actor("examiner");
        let (second, third, fourth) = (reader(&first, 2), reader(&first, 3), reader(&first, 4));
        let processor = site.actor("processor");
        assert!(kiban_journeys::link_queue(on, &processor).await.is_err(), "no names for them");
        let on_list = async |who: &Actor| {
            let queue = kiban_journeys::link_queue(on, who).await.unwrap();
            queue.iter().find(|c| c.id == case).map(|c| c.third)
        };
        assert_eq!(on_list(&first).await, Some(false));
        let reading = kiban_journeys::read_link_case(on, &first, case).await.unwrap();
        assert!(reading.fields.iter().any(|f| f.field == "カナ氏名" && !f.values[0].is_empty()));
        assert!(reading.fields.iter().any(|f| !f.same), "two persons of the country");

        // Whoever has not opened the records does not answer.
        let unread = reader(&first, 2);
        let unread =
            kiban_journeys::answer_link_case(on, &unread, case, LinkAnswer::Same, "推測").await;
        assert!(matches!(unread, Err(Error::LinkReview(LinkRefused::NotRead))));
        let answer = async |who: &Actor, answer| {
            kiban_journeys::read_link_case(on, who, case).await?;
            kiban_journeys::answer_link_case(on, who, case, answer, "記載を照合した。").await
        };
        let no_reason =
            kiban_journeys::answer_link_case(on, &first, case, LinkAnswer::Same, " ").await;
        assert!(matches!(no_reason, Err(Error::LinkReview(LinkRefused::NoReason))));
        assert_eq!(answer(&first, LinkAnswer::Same).await.unwrap(), AfterAnswer::Waits);
        assert!(answer(&first, LinkAnswer::Same).await.is_err(), "once each");
        // The second knows nothing of the first before the own answer.
        let seen = async |who: &Actor| {
            kiban_journeys::answers_of_link_case(on, who, case).await.unwrap().len()
        };
        assert_eq!((seen(&first).await, seen(&second).await), (1, 0));
        assert_eq!(on_list(&second).await, Some(false));
        assert_eq!(answer(&second, LinkAnswer::Different).await.unwrap(), AfterAnswer::Waits);
        assert_eq!((seen(&second).await, seen(&third).await), (2, 0));
        assert_eq!(on_list(&first).await, None);
        assert_eq!(on_list(&third).await, Some(true));
        let decided = answer(&third, LinkAnswer::Same).await.unwrap();
        assert_eq!(decided, AfterAnswer::Decided(LinkAnswer::Same));
        assert!(answer(&fourth, LinkAnswer::Same).await.is_err());
        assert_eq!(seen(&fourth).await, 3, "decided: everybody who may read sees it");

        // The next run joins them, and the datasets that hold them are to be made anew.
        assert!(kiban_journeys::datasets_to_remake(on, &processor).await.unwrap().is_empty());
        kiban_journeys::link_persons(on, &processor).await.unwrap();
        let links = kiban_journeys::links(on).await.unwrap();
        assert_eq!(links[&sources[0]], links[&sources[1]]);
        let log = kiban_journeys::link_log(on, &processor, 0).await.unwrap();
        assert_eq!(log.last().unwrap().event.change, LinkChange::Merged);
        assert_eq!(replay(&log), links);
        let made = acts::delivered(&site).len();
        assert_eq!(kiban_journeys::datasets_to_remake(on, &processor).await.unwrap().len(), made);

        // Undone, they are two again, under the older id and a new one; marked once more.
        let manager = site.actor("manager");
        assert!(kiban_journeys::undo_link_case(on, &first, case, "誤り").await.is_err());
        kiban_journeys::undo_link_case(on, &manager, case, "別人と確認").await.unwrap();
        assert!(kiban_journeys::undo_link_case(on, &manager, case, "別人と確認").await.is_err());
        kiban_journeys::link_persons(on, &processor).await.unwrap();
        let links = kiban_journeys::links(on).await.unwrap();
        assert_ne!(links[&sources[0]], links[&sources[1]]);
        let log = kiban_journeys::link_log(on, &processor, 0).await.unwrap();
        assert_eq!(log.last().unwrap().event.change, LinkChange::Split);
        assert_eq!(replay(&log), links);
        let remakes = kiban_journeys::datasets_to_remake(on, &processor).await.unwrap();
        assert_eq!(remakes.len(), 2 * made);

        // Why: the bars sum to the score.
        let two = [sources[0], sources[1]];
        let why = kiban_journeys::explain_link(on, &processor, two).await.unwrap();
        let sum: f64 = why.bars.iter().map(|(_, bits)| bits).sum();
        assert!((sum - why.score).abs() < 1e-9 && !why.bars.is_empty());

        // A stop of one of them takes pair, answers, log entries and what the linker holds.
        let asked = request("hospital_b", ids[0], "紙-名寄せ", site.on.today());
        let intake = site.actor("intake");
        let received = kiban_journeys::record_stop(on, &intake, &asked).await.unwrap();
        let applied = kiban_journeys::apply_stop(on, &intake, received.stop.id).await.unwrap();
        assert!(applied.open.is_empty(), "{:?}", applied.open);
        let (_, ack) = applied.acknowledged.iter().find(|(s, _)| s == "review").unwrap();
        assert_eq!(ack.counts["pairs"], 4, "the pair and three answers");
        assert!(ack.counts["log_entries"] > 0);
        assert_eq!(traces(&site, &received.stop.persons).await, Vec::<String>::new());
        assert!(kiban_journeys::explain_link(on, &processor, two).await.is_err());
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}
