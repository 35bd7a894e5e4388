//! The linkage screens: a pair is listed, opened on the record, answered blind, decided, undone; keys and history files.

use kiban_journeys::{LinkAnswer, Parties};
use serde_json::json;

use crate::{
    links::{planted, reader},
    stops::in_both,
    support::{run, site, web::Web},
};

async fn reads(web: &Web) -> usize {
    let log = web.app.on().log();
    let events = log.events(0, log.size().await.unwrap()).await.unwrap();
    events.iter().filter(|e| e.body.to_string().contains("link.case")).count()
}

/// What a page says, without its tags and the marks around what differs.
fn plain(body: &str) -> String {
    let mut parts = body.split('<');
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.filter_map(|p| p.split_once('>')).map(|(_, text)| text);
    text.fold(first, |all, text| all + text).replace(['【', '】'], "")
}

#[test]
fn a_pair_is_read_blind_decided_by_a_third_and_undone_on_the_pages() {
    run(|| async {
        let site = site::delivered().copy().await;
        let persons = in_both(&site, "hospital_b");
        let holder = Parties::organization_id("hospital_b");
        let ids = [persons[0].as_str(), persons[1].as_str()];
        let sources = kiban_journeys::person_sources(&site.on, holder, ids).await.unwrap();
        let case = planted(&site.on, &sources).await;
        let web = Web::of(site);
        let (path, read) = (format!("/links/cases/{case}"), format!("/links/cases/{case}/read"));
        let name = {
            let examiner = web.parties.actor("examiner").unwrap();
            let on = web.app.on();
            let reading = kiban_journeys::read_link_case(on, &examiner, case).await.unwrap();
            let kana = reading.fields.iter().find(|f| f.field == "カナ氏名").unwrap();
            kana.values[0].clone()
        };
        let before = reads(&web).await;

        // Listed with its weight; looking at the page names nobody and leaves no event.
        let mut first = web.signed_in("examiner").await;
        first.get("/home").await.shows("名寄せの組を確かめる");
        first.get("/links").await.is(200).shows(&case.to_string()).shows("99.00");
        let page = first.get(&path).await;
        page.is(200).shows("なぜこの得点か").shows("両方の記載を開く");
        assert!(!plain(&page.body).contains(&name));
        page.shows("<svg").shows("つながりの図").shows("表で見る").hides("</textarea>");
        assert_eq!(reads(&web).await, before);
        // The bars of the page sum to its score.
        let shown = first.call("GET", &path, &json!({})).await.json();
        let why = &shown["why"];
        let last = why["bars"].as_array().unwrap().last().unwrap();
        assert_eq!(last[2], why["score"], "{why}");

        // Opened on the record: both records, what differs marked; only then can it be answered.
        let page = first.post(&read, &[]).await;
        assert!(plain(&page.body).contains(&name), "{}", page.body);
        page.is(200).shows("band-named").shows("mark class=\"differs\"");
        page.shows("name=\"answer\"");
        assert_eq!(reads(&web).await, before + 1);
        let answer = format!("{path}/answer");
        first.post(&answer, &[("answer", "same"), ("reason", " ")]).await.is(422);
        first.post(&answer, &[("answer", "maybe"), ("reason", "x")]).await.is(422);
        let given = [("answer", "same"), ("reason", "一人目の理由")];
        first.post(&answer, &given).await.is(303);
        first.post(&answer, &given).await.is(409);
        first.get(&path).await.shows("一人目の理由").shows("あなたの回答");
        first.get("/links").await.hides("99.00");

        // The second sees nothing of the first, on the page or through the interface.
        let mut second = web.signed_in("enquiry").await;
        second.get(&path).await.is(200).hides("一人目の理由");
        // Unopened it is not answered, through the interface either.
        let body = json!({ "answer": "same", "reason": "推測" });
        second.call("POST", &answer, &body).await.is(409).shows("両方の記載を開いて");
        second.post(&read, &[]).await.is(200).hides("一人目の理由");
        let shown = second.call("GET", &path, &json!({})).await;
        assert_eq!(shown.json()["answers"], json!([]), "{}", shown.body);
        second.post(&answer, &[("answer", "different"), ("reason", "二人目")]).await.is(303);
        second.get(&path).await.shows("一人目の理由");

        // They disagree: a third decides.
        let third = reader(&web.parties.actor("examiner").unwrap(), 3);
        let on = web.app.on();
        let queue = kiban_journeys::link_queue(on, &third).await.unwrap();
        assert!(queue.iter().any(|c| c.id == case && c.third));
        let third_says =
            || kiban_journeys::answer_link_case(on, &third, case, LinkAnswer::Same, "三人目");
        assert!(third_says().await.is_err(), "the records were not opened");
        kiban_journeys::read_link_case(on, &third, case).await.unwrap();
        third_says().await.unwrap();
        let mut processor = web.signed_in("processor").await;
        processor.get("/links").await.is(200).shows("同じ人").hides("確認を待つ組");
        // Whoever may not read names neither opens nor answers.
        processor.post(&read, &[]).await.is(403);
        processor.get(&path).await.is(200).hides("両方の記載を開く").hides("三人目</p>");
        processor.post("/links/run", &[]).await.is(303);
        let page = processor.get("/links").await;
        page.is(200).shows("要再作成").shows("/datasets/dst_");
        processor.get("/links/log").await.is(200).shows("統合");

        // The manager takes it back, with the end of its number; the next run parts them again.
        let mut manager = web.signed_in("manager").await;
        let undo = format!("{path}/undo");
        let page = manager.get(&path).await;
        page.is(200).shows("判断の取消し").shows("この判断が及ぶデータセット");
        assert!(!plain(&page.body).contains(&name));
        let id = case.to_string();
        let tail = &id[id.len() - 6..];
        let undone = |confirm| [("reason", "別人と確認"), ("confirm", confirm)];
        manager.post(&undo, &undone("000000")).await.is(422);
        first.post(&undo, &undone(tail)).await.is(403);
        manager.post(&undo, &undone(tail)).await.is(303);
        manager.post(&undo, &undone(tail)).await.is(409);
        manager.get(&path).await.shows("取消し済み").shows("別人と確認");
        processor.post("/links/run", &[]).await.is(303);
        processor.get("/links/log").await.is(200).shows("分割");
        first.get("/links/cases/evt_00000000000000000000000001").await.is(404);
    });
}

#[test]
fn why_two_numbers_are_one_person_is_shown_without_a_name() {
    run(|| async {
        let web = Web::of(site::linked().copy().await);
        let holder = Parties::organization_id("hospital_b").to_string();
        let mut processor = web.signed_in("processor").await;
        processor.get("/links/explain").await.is(200).shows("一つ目");
        let two = |a: &'static str, b: &'static str| {
            [
                ("holder_1", holder.as_str()),
                ("local_1", a),
                ("holder_2", holder.as_str()),
                ("local_2", b),
            ]
        };
        processor.post("/links/explain", &two("nobody", "no one")).await.is(422);
        let bad = [("holder_1", "x"), ("local_1", "1"), ("holder_2", "y"), ("local_2", "2")];
        processor.post("/links/explain", &bad).await.is(422);
        let mut researcher = web.signed_in("researcher_university").await;
        researcher.get("/links").await.is(403);
    });
}

#[test]
fn keys_go_out_as_a_file_and_coverage_is_shown_with_small_numbers_masked() {
    run(|| async {
        let web = Web::of(site::linked().copy().await);
        let mut processor = web.signed_in("processor").await;
        let page = processor.get("/links/keys").await;
        page.is(200).shows("id4-like").shows("カナ氏名・生年月日・性別").shows("作って保存する");
        let recipient = Parties::organization_id("university").to_string();
        let fields = |provision: &'static str| {
            [
                ("profile", "id4-like"),
                ("regime", "anon52"),
                ("recipient", recipient.as_str()),
                ("provision", provision),
            ]
        };
        let made = processor.post("/links/keys", &fields("first")).await;
        made.is(200).shows("row,profile,version,key");
        let lines = made.body.lines().count() - 1;
        assert!(lines > 0, "{}", made.body);
        let again = processor.post("/links/keys", &fields("first")).await;
        let other = processor.post("/links/keys", &fields("second")).await;
        assert_eq!(made.body, again.body);
        let keys = |body: &str| -> std::collections::BTreeSet<String> {
            body.lines().skip(1).map(|l| l.rsplit(',').next().unwrap().to_owned()).collect()
        };
        assert!(keys(&made.body).is_disjoint(&keys(&other.body)), "another provision, other keys");
        processor.post("/links/keys", &fields("a b")).await.is(422);
        // Who only looks sees how far they reach, and makes none.
        let mut auditor = web.signed_in("auditor").await;
        auditor.get("/links/keys").await.is(200).shows("id4-like").hides("作って保存する");
        auditor.post("/links/keys", &fields("third")).await.is(403);
        auditor.get("/links/keys?regime=pseudo57").await.is(200);
    });
}

#[test]
fn the_history_is_asked_by_a_file_and_its_answer_taken_in() {
    run(|| async {
        let web = Web::of(site::linked().copy().await);
        let mut intake = web.signed_in("intake").await;
        intake.get("/links/history").await.is(200).shows("照会のファイルを保存する");
        let asked = intake.post("/links/history/request", &[("of", "everybody")]).await;
        asked.is(200).shows("query");
        assert!(asked.headers["content-disposition"].to_str().unwrap().contains("attachment"));
        let query = asked.body.lines().nth(2).unwrap().to_owned();
        let answer =
            format!("{}\n{query}\n", asked.body.lines().take(2).collect::<Vec<_>>().join("\n"));
        let taken =
            intake.post_file("/links/history/answer", &[], ("answer.csv", answer.as_bytes())).await;
        taken.is(303);
        intake.get("/links/history").await.shows("取り込みました");
        intake.post_file("/links/history/answer", &[], ("a.csv", b"\xff\xfe\x00")).await.is(422);
        let mut processor = web.signed_in("processor").await;
        processor.get("/links/history").await.is(403);
    });
}

#[test]
fn rates_of_stops_are_shown_to_officers_with_their_file() {
    run(|| async {
        let web = Web::of(site::linked().copy().await);
        let mut officer = web.signed_in("security").await;
        officer.get("/stops").await.is(200).shows("/stops/rates");
        officer
            .get("/stops/rates")
            .await
            .is(200)
            .shows("提供元ごと（全期間）")
            .shows("架空総合病院");
        officer.get("/stops/rates.csv").await.is(200).shows("提供元,月,求め（件）");
        let mut desk = web.signed_in("hospital_a_desk").await;
        // A holder's staff sees its own, and nothing of others.
        desk.get("/stops").await.is(200).shows("/stops/rates");
        desk.get("/stops/rates").await.is(200).shows("架空総合病院").hides("架空大学附属病院");
        let rates = desk.get("/stops/rates.csv").await;
        rates.is(200).shows("架空総合病院").hides("架空市,").hides("架空大学附属病院");
        web.signed_in("researcher_university").await.get("/stops/rates").await.is(403);
    });
}

#[test]
fn the_catalogue_is_searched_with_and_without_script() {
    run(|| async {
        let web = Web::of(site::linked().copy().await);
        let mut visitor = web.visitor();
        let page = visitor.get("/catalogue").await;
        page.is(200)
            .shows("data-hx-get=\"/catalogue\"")
            .shows("/assets/htmx.min.js")
            .shows("medication");
        let found = visitor.get("/catalogue?q=condition").await;
        found.is(200).shows("見つかった変数").shows("condition.").hides("<code>medication</code>");
        visitor.get("/catalogue?q=%EF%BC%A3%EF%BC%AFNDITION").await.is(200).shows("condition.");
        let none = visitor.get("/catalogue?q=%3Cscript%3Ealert(1)").await;
        none.is(200).shows("を含む表と変数はありません").hides("<script>");
        // A page without such parts does not fetch the script.
        visitor.get("/stop").await.is(200).hides("htmx.min.js");
        let script = visitor.get("/assets/htmx.min.js").await;
        script.is(200);
    });
}
