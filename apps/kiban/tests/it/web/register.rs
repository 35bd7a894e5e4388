//! The pages of the register: versions of notices and their clocks, one person looked up, who gave for what.

use kiban_journeys::Parties;
use serde_json::json;

use crate::{
    stops::in_both,
    support::{
        run,
        site::{self, day_after},
        web::Web,
    },
};

#[test]
fn versions_clocks_and_one_person_are_shown_to_whom_it_concerns() {
    run(|| async {
        let site = site::delivered().copy().await;
        let id = in_both(&site, "hospital_b")[0].clone();
        let holder = Parties::organization_id("hospital_b").to_string();
        let told = site.calendar.notice_date;
        let web = Web::of(site);
        let mut intake = web.signed_in("intake").await;
        intake.get("/home").await.shows("通知の版と時計").shows("一人の状況を調べる");
        let page = intake.get("/notices").await;
        page.is(200).shows("2025-1").shows("✓ この版").shows("返送された通知").shows("最初の版");
        intake.get("/notices?on=2000-01-01").await.is(200).hides("✓ この版");
        // A holder's staff see their own; who has nothing to do with notices is refused.
        let mut desk = web.signed_in("hospital_a_desk").await;
        let own = desk.call("GET", "/notices", &json!({})).await.json();
        assert_eq!(own["holders"].as_array().unwrap().len(), 1);
        web.signed_in("processor").await.get("/notices").await.is(403);
        web.signed_in("researcher_university").await.get("/persons").await.is(403);

        intake.get("/persons").await.is(200).shows("受付簿の番号");
        let (before, after) = (day_after(told, 30).to_string(), day_after(told, 31).to_string());
        let size = web.app.on().log().size().await.unwrap();
        let mut asked = [
            ("holder", holder.as_str()),
            ("local_id", id.as_str()),
            ("purpose", "call"),
            ("reference", "T-2026-1"),
            ("on", before.as_str()),
        ];
        let page = intake.post("/persons", &asked).await;
        page.is(200).shows("待機は").shows("✓ 可").shows("効力のある通知はありません");
        assert!(!page.body.contains(&format!("value=\"{id}\"")), "the number is not given back");
        asked[4].1 = after.as_str();
        intake.post("/persons", &asked).await.is(200).shows("版 2025-1（");
        let log = web.app.on().log();
        let events = log.events(size, log.size().await.unwrap()).await.unwrap();
        let looks: Vec<_> = events.iter().filter(|e| e.kind == "person.looked_up").collect();
        assert_eq!(looks.len(), 2);
        assert!(
            looks.iter().all(|e| e.body["reference"] == "T-2026-1" && e.body["purpose"] == "call")
        );
        asked[3].1 = "";
        intake.post("/persons", &asked).await.is(422);
        asked[3].1 = "T-2026-1";
        // At another holder's desk the person does not exist.
        let mut desk = web.signed_in("hospital_a_desk").await;
        desk.post("/persons", &asked).await.is(404);
    });
}

#[test]
fn anybody_reads_who_gave_for_what() {
    run(|| async {
        let web = Web::of(site::delivered().copy().await);
        let mut visitor = web.visitor();
        visitor.get("/").await.is(200).shows("/provided");
        let page = visitor.get("/provided").await;
        page.is(200).shows("何のために").shows("いつの記録").shows("架空総合病院");
        let csv = visitor.get("/provided.csv").await;
        csv.is(200).shows("課題名");
        let again = visitor.get("/provided").await;
        assert_eq!(page.body.len(), again.body.len(), "kept");
    });
}
