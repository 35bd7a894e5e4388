//! From a contract to a package: two persons, the certified user, and those who are refused.

use super::cases::{submitted, votes};
use crate::support::{
    acts, run, site,
    web::{Visitor, Web},
};

pub(super) const ALL: [&str; 7] =
    ["member_1", "member_2", "member_3", "member_4", "member_6", "member_7", "member_8"];

/// An application up to the contract in force.
pub(super) async fn contracted(
    web: &Web,
    researcher: &mut Visitor,
    product: &str,
    title: &str,
) -> String {
    let path = submitted(researcher, product, title).await;
    let mut secretary = web.signed_in("secretary").await;
    secretary.get(&path).await;
    secretary.post(&format!("{path}/screen"), &[]).await.is(303);
    votes(web, &path, &ALL).await;
    let mut chair = web.signed_in("member_1").await;
    chair.get(&path).await;
    chair.post(&format!("{path}/close"), &[]).await.is(303);
    secretary.post(&format!("{path}/minutes"), &[]).await.is(303);
    let mut manager = web.signed_in("manager").await;
    manager.get(&path).await;
    let decide = [("accept", "yes"), ("reason", "意見を踏まえ提供する。")];
    manager.post(&format!("{path}/decide"), &decide).await.is(303);
    let contract = [
        ("from", "2025-05-12"),
        ("until", "2026-05-12"),
        ("text", "試験の利用契約（架空）"),
        ("specification", site::specification()),
    ];
    // A specification that keeps a name is refused before anybody signs.
    let broken = include_str!("../../../../../spec/broken/name_kept.toml");
    let mut bad = contract;
    bad[3].1 = broken;
    manager.post(&format!("{path}/contract"), &bad).await.is(409);
    manager.post(&format!("{path}/contract"), &contract).await.is(303);
    let page = researcher.get(&path).await;
    let accept = action(&page.body, "/accept");
    let mut rival = web.signed_in("researcher_pharma_2").await;
    rival.get("/home").await;
    rival.post(&accept, &[]).await.is(404);
    manager.post(&accept.replace("/accept", "/sign"), &[]).await.is(409);
    researcher.post(&accept, &[]).await.is(303);
    manager.post(&accept.replace("/accept", "/sign"), &[]).await.is(303);
    path
}

/// Where a form of the page goes.
pub(super) fn action(body: &str, end: &str) -> String {
    let found =
        body.split("action=\"").filter_map(|p| p.split('"').next()).find(|a| a.ends_with(end));
    found.unwrap_or_else(|| panic!("no form to {end}: {body}")).to_owned()
}

/// Runs the specification, decides every finding, runs again; gives the dataset's address.
pub(super) async fn produced(web: &Web, path: &str) -> String {
    let mut processor = web.signed_in("processor").await;
    processor.get(path).await.shows("加工を実行する");
    let reply = processor.post(&format!("{path}/produce"), &[]).await;
    reply.is(303);
    let dataset = reply.location().to_owned();
    let mut examiner = web.signed_in("examiner").await;
    let mut page = examiner.get(&dataset).await;
    while page.body.contains("/findings/") {
        let finding = page.body.split("action=\"").find(|p| p.contains("/findings/")).unwrap();
        let finding = finding.split('"').next().unwrap().to_owned();
        let decide = [("decision", "coarsen"), ("reason", "本人が分かるおそれがあるため。")];
        examiner.post(&finding, &decide).await.is(303);
        page = examiner.get(&dataset).await;
    }
    if page.body.contains("判断を反映して加工し直す") || page.body.contains("再加工待ち")
    {
        processor.post(&format!("{dataset}/produce"), &[]).await.is(303);
    }
    dataset
}

pub(super) fn approval<'a>(dataset: &'a str, route: &'a str) -> [(&'static str, &'a str); 2] {
    [("route", route), ("confirm", &dataset[dataset.len() - 4..])]
}

#[test]
fn two_persons_approve_the_certified_user_fetches_and_the_uncertified_is_refused() {
    run(|| async {
        let site = site::linked().copy().await;
        acts::keys(&site).await;
        let web = Web::of(site);
        let mut researcher = web.signed_in("researcher_pharma_1").await;
        let path = contracted(&web, &mut researcher, "pseudonymized", "高血圧の研究").await;
        let dataset = produced(&web, &path).await;

        // The user does not see a dataset before it is handed over.
        researcher.get(&dataset).await.is(404);
        let mut one = web.signed_in("approver_1").await;
        one.get(&dataset).await.is(200).shows("再識別のリスク").shows("攻撃者").shows("空席");
        let approve = format!("{dataset}/approve");
        let wrong = [("route", "sealed_transfer"), ("confirm", "xxxx")];
        one.post(&approve, &wrong).await.is(422);
        one.post(&approve, &approval(&dataset, "sealed_transfer")).await.is(303);
        one.get(&dataset).await.shows("あなた").hides("name=\"confirm\"");
        one.post(&approve, &approval(&dataset, "sealed_transfer"))
            .await
            .is(409)
            .shows("同じアカウント");
        let mut outsider = web.signed_in("trustee_operator").await;
        outsider.get("/home").await;
        outsider.post(&approve, &approval(&dataset, "sealed_transfer")).await.is(403);
        let mut delivery = web.signed_in("delivery").await;
        delivery.get(&dataset).await.is(200);
        let route = [("route", "sealed_transfer")];
        delivery.post(&format!("{dataset}/deliver"), &route).await.is(409);
        let mut two = web.signed_in("approver_2").await;
        two.get(&dataset).await.shows("もう一人");
        two.post(&approve, &approval(&dataset, "sealed_transfer")).await.is(303);
        delivery.post(&format!("{dataset}/deliver"), &route).await.is(303);

        // The certified user fetches; another user does not even know it.
        researcher.get(&dataset).await.is(200).shows("提供済み");
        let package = researcher.get(&format!("{dataset}/package")).await;
        package.is(200);
        assert!(package.body.starts_with("age-encryption.org/v1"));
        let mut rival = web.signed_in("researcher_university").await;
        rival.get(&dataset).await.is(404);
        rival.get(&format!("{dataset}/package")).await.is(404);
        rival.call("GET", &format!("{dataset}/package"), &serde_json::json!({})).await.is(404);
        let delivered = dataset;

        // An uncertified user: every step but the release.
        let mut university = web.signed_in("researcher_university").await;
        let path = contracted(&web, &mut university, "pseudonymized", "認定のない利用").await;
        let dataset = produced(&web, &path).await;
        let approve = format!("{dataset}/approve");
        one.get(&dataset).await;
        one.post(&approve, &approval(&dataset, "sealed_transfer")).await.is(409).shows("認定");
        let body = serde_json::json!({ "route": "sealed_transfer", "confirm": &dataset[dataset.len() - 4..] });
        one.call("POST", &approve, &body).await.is(409).shows("認定");
        super::parts::end_of_use(&web, &delivered).await;
    });
}

#[test]
fn the_pages_of_a_deployment_in_use_are_filled() {
    run(|| async {
        let site = site::linked().copy().await;
        let web = Web::of(site);
        let mut anybody = web.visitor();
        anybody
            .get("/catalogue")
            .await
            .is(200)
            .shows("本人（提供元ごと）")
            .shows("<svg")
            .shows("10未満");
        anybody
            .get("/catalogue/tables/condition")
            .await
            .is(200)
            .shows("condition.icd10")
            .hides("condition.person_source");
        anybody
            .get("/catalogue/tables/person")
            .await
            .is(200)
            .hides("name_kanji")
            .hides("insured_number");
        anybody.get("/catalogue/tables/nothing").await.is(404);
        anybody.get("/catalogue/prefectures.csv").await.is(200).shows("東京都");
        let mut desk = web.signed_in("hospital_a_desk").await;
        let list = desk.get("/deliveries").await;
        list.is(200).shows("架空総合病院").hides("架空大学附属病院");
        let own = list.body.split("href=\"").find(|p| p.starts_with("/deliveries/dlv_")).unwrap();
        let own = own.split('"').next().unwrap().to_owned();
        desk.get(&own).await.is(200).shows("受け入れた行").shows("品質の表");
        let mut other = web.signed_in("hospital_b_desk").await;
        other.get(&own).await.is(404);
        let mut intake = web.signed_in("intake").await;
        intake.get(&own).await.is(200);
        for key in web.parties.account.keys() {
            web.signed_in(key).await.get("/home").await.is(200).shows("いま：");
        }
    });
}

#[test]
fn the_books_count_events_and_nobody_else_reads_them() {
    run(|| async {
        let web = Web::of(site::linked().copy().await);
        let mut auditor = web.signed_in("auditor").await;
        let books = auditor.get("/books?year=2025").await;
        books.is(200).shows("医療情報の受領").shows("2025年度");
        let api = auditor.call("GET", "/books?year=2025", &serde_json::json!({})).await.json();
        let line = |kind: &str| {
            let lines = api["lines"].as_array().unwrap();
            lines.iter().find(|l| l["kind"] == kind).unwrap()["count"].clone()
        };
        assert_eq!(line("delivery.received"), "3");
        assert_eq!(line("stop.received"), line("stop.closed"));
        auditor
            .get("/books.csv?year=2024")
            .await
            .is(200)
            .shows("2024,医療情報の受領,delivery.received,0");
        web.signed_in("processor").await.get("/books").await.is(403);
    });
}
