//! Tracks and clocks, amendments, conditions, reminders, joint use, revocation and recall.

use serde_json::json;

use super::{
    cases::{filled, pairs, submitted, votes},
    parts::retrained,
    release::ALL,
};
use crate::support::{
    acts, run,
    site::{self, day_after},
    web::{Visitor, Web},
};

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n";

/// From a submitted application to the producer's decision with conditions.
async fn accepted(web: &Web, path: &str, conditions: &str) {
    let mut secretary = web.signed_in("secretary").await;
    secretary.get(path).await;
    secretary.post(&format!("{path}/screen"), &[]).await.is(303);
    votes(web, path, &ALL).await;
    let mut chair = web.signed_in("member_1").await;
    chair.get(path).await;
    chair.post(&format!("{path}/close"), &[]).await.is(303);
    secretary.post(&format!("{path}/minutes"), &[]).await.is(303);
    let mut manager = web.signed_in("manager").await;
    manager.get(path).await;
    let decide = [("accept", "yes"), ("reason", "提供する。"), ("conditions", conditions)];
    manager.post(&format!("{path}/decide"), &decide).await.is(303);
}

#[test]
fn low_risk_is_expedited_with_a_clock_and_a_small_amendment_is_one_line() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        let mut pharma = web.signed_in("researcher_pharma_1").await;
        let heavy = submitted(&mut pharma, "pseudonymized", "重い申請").await;
        let path = submitted(&mut researcher, "anonymized", "軽い申請").await;
        let mut secretary = web.signed_in("secretary").await;
        let fast = [("track", "expedited")];
        secretary.get(&heavy).await.hides("value=\"expedited\"");
        secretary.post(&format!("{heavy}/track"), &fast).await.is(409).shows("仮名加工");
        secretary.get(&path).await.shows("value=\"expedited\"");
        researcher.post(&format!("{path}/track"), &fast).await.is(403);
        secretary.post(&format!("{path}/track"), &fast).await.is(303);
        secretary.get(&path).await;
        secretary.post(&format!("{path}/screen"), &[]).await.is(303);
        // The applicant sees clock and next person, day 0 to day 4; a day later it is late.
        let today = web.app.on().today();
        for (days, late) in [(0, false), (4, false), (5, true)] {
            web.clock.set_date(day_after(today, days));
            let mut researcher = web.signed_in("researcher_university").await;
            let page = researcher.get(&path).await;
            page.shows("迅速審査")
                .shows(&format!("{days}日目"))
                .shows("審査委員（7人のうち0人が評決済み）");
            assert_eq!(page.body.contains("期限超過"), late, "day {days}");
        }
        let mut researcher = web.signed_in("researcher_university").await;
        votes(&web, &path, &ALL).await;
        researcher.get(&path).await.shows("議長（評決の締切り）");
        let mut chair = web.signed_in("member_1").await;
        chair.get(&path).await;
        chair.post(&format!("{path}/close"), &[]).await.is(303);
        researcher.get(&path).await.shows("議事録の確定");
        let mut secretary = web.signed_in("secretary").await;
        secretary.get(&path).await;
        secretary.post(&format!("{path}/track"), &[("track", "meeting")]).await.is(409);
        secretary.post(&format!("{path}/minutes"), &[]).await.is(303);
        let mut manager = web.signed_in("manager").await;
        manager.get(&path).await;
        let decide = [("accept", "yes"), ("reason", "提供する。")];
        manager.post(&format!("{path}/decide"), &decide).await.is(303);

        // One variable more: the committee sees one line, and the fast way is offered.
        let mut changed = filled("軽い申請");
        let items = changed.iter().position(|(name, _)| *name == "items").unwrap();
        changed[items].1.push_str("\nperson.sex");
        researcher.get(&format!("{path}/edit")).await;
        researcher.post(&format!("{path}/edit"), &pairs(&changed)).await.is(303);
        researcher.post(&format!("{path}/submit"), &[]).await.is(303);
        secretary.get(&path).await.shows("承認された内容からの変更").shows("value=\"expedited\"");
        secretary.post(&format!("{path}/screen"), &[]).await.is(303);
        let mut member = web.signed_in("member_2").await;
        let review = member.get(&format!("{path}/review")).await;
        review.shows("<li>データ項目：＋person.sex</li>").shows("迅速審査にできます");
        assert_eq!(review.body.matches("<li>データ項目").count(), 1);
        // Another purpose is no small change.
        let api = member.call("GET", &format!("{path}/review"), &json!({})).await.json();
        assert_eq!(api["track"]["changes"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_condition_is_held_against_a_later_specification_and_others_are_tracked() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_pharma_1").await;
        let path = submitted(&mut researcher, "pseudonymized", "条件のある研究").await;
        accepted(&web, &path, "除外項目：市区町村\n結果を公表すること").await;
        let mut manager = web.signed_in("manager").await;
        manager.get(&path).await.shows("常に確かめています").shows("まだ満たされていません");
        let contract = |specification: &str| {
            vec![
                ("from", "2025-05-12".to_owned()),
                ("until", "2026-05-12".to_owned()),
                ("text", "契約".to_owned()),
                ("specification", specification.to_owned()),
            ]
        };
        let to = format!("{path}/contract");
        let with = contract(site::specification());
        manager.post(&to, &pairs(&with)).await.is(409).shows("person.address（市区町村）");
        let api = json!({ "from": "2025-05-12", "until": "2026-05-12", "text": "x", "specification": site::specification() });
        manager.call("POST", &to, &api).await.is(409).shows("person.address");
        let without = site::specification().replace(
            "pseudonymized = { region = { to = \"municipality\" } }",
            "pseudonymized = { region = { to = \"prefecture\" } }",
        );
        assert_ne!(without, site::specification());
        manager.post(&to, &pairs(&contract(&without))).await.is(303);
        // The other condition is open until the secretariat records that it is fulfilled; the held one is never closed.
        let mut secretary = web.signed_in("secretary").await;
        let page = secretary.get(&path).await;
        let keys: Vec<&str> = page.body.split("name=\"condition\" value=\"").skip(1).collect();
        assert_eq!(keys.len(), 1);
        let key = keys[0].split('"').next().unwrap().to_owned();
        let close = [("condition", key.as_str()), ("note", "論文を公表した。")];
        manager.post(&format!("{path}/conditions"), &close).await.is(403);
        secretary.post(&format!("{path}/conditions"), &close).await.is(303);
        secretary.post(&format!("{path}/conditions"), &close).await.is(404);
        researcher.get(&path).await.shows("論文を公表した。");
    });
}

#[test]
fn whoever_is_next_is_reminded_once_by_the_number_alone() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        let path = submitted(&mut researcher, "anonymized", "秘密の題名の研究").await;
        let id = path.strip_prefix("/applications/").unwrap();
        let today = web.app.on().today();
        let queue = async |days: i64| {
            web.clock.set_date(day_after(today, days));
            let mut secretary = web.signed_in("secretary").await;
            secretary.get("/outbox").await.is(200);
            let reply = secretary.call("POST", "/outbox", &json!({})).await;
            reply.is(200);
            reply.json()["queued"].as_u64().unwrap()
        };
        assert_eq!(queue(7).await, 0);
        assert_eq!(queue(8).await, 1);
        assert_eq!(queue(8).await, 0, "told once");
        let mut secretary = web.signed_in("secretary").await;
        let rows = secretary.call("GET", "/outbox", &json!({})).await.json();
        let rows = rows["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["account"], web.account("secretary"));
        let body = rows[0]["body"].as_str().unwrap();
        assert!(body.contains(id) && body.contains("8日"), "{body}");
        for word in ["秘密", "架空", "腎", "髙"] {
            assert!(!body.contains(word), "{body}");
        }
        // The served process does it by itself, once on each day by the deployment's clock.
        let on = web.app.on();
        assert_eq!(kiban_journeys::daily_work(on).await.unwrap(), Some(0), "told by hand before");
        assert_eq!(kiban_journeys::daily_work(on).await.unwrap(), None, "done today");
        let later =
            submitted(&mut web.signed_in("researcher_university").await, "anonymized", "後の研究")
                .await;
        let later = later.strip_prefix("/applications/").unwrap().to_owned();
        web.clock.set_date(day_after(today, 14));
        assert_eq!(kiban_journeys::daily_work(on).await.unwrap(), Some(0));
        web.clock.set_date(day_after(today, 17));
        assert_eq!(
            kiban_journeys::daily_work(on).await.unwrap(),
            Some(2),
            "one and the first's escalation"
        );
        let rows = web.signed_in("secretary").await.call("GET", "/outbox", &json!({})).await.json();
        assert!(rows["rows"].as_array().unwrap().iter().any(|r| r["about"] == later.as_str()));
        // The general manager heard of the first when a week more had passed.
        let mut secretary = web.signed_in("secretary").await;
        secretary.get("/outbox.csv").await.is(200).shows("上申").shows(&web.account("manager"));
        web.signed_in("researcher_university").await.get("/outbox").await.is(403);
    });
}

#[test]
fn joint_use_is_among_certified_users_and_a_partner_sees_its_scope() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_pharma_1").await;
        researcher.get("/applications/new").await;
        let organization = |key: &str| kiban_journeys::Parties::organization_id(key).to_string();
        let mut fields = filled("共同の研究");
        fields.push(("product", "pseudonymized".to_owned()));
        fields.push(("co_users", organization("university")));
        let reply = researcher.post("/applications", &pairs(&fields)).await;
        let path = reply.is(303).location().to_owned();
        researcher.get(&path).await;
        researcher.post(&format!("{path}/submit"), &[]).await.is(409).shows("認定");
        fields.last_mut().unwrap().1 = organization("pharma_2");
        researcher.get(&format!("{path}/edit")).await;
        let mut with = fields.clone();
        with.retain(|(name, _)| *name != "product");
        researcher.post(&format!("{path}/edit"), &pairs(&with)).await.is(303);
        researcher.post(&format!("{path}/submit"), &[]).await.is(303);
        let mut partner = web.signed_in("researcher_pharma_2").await;
        partner.get("/joint-uses").await.is(200).hides("共同の研究");
        accepted(&web, &path, "").await;
        partner.get("/joint-uses").await.shows("共同の研究").shows("measurement.value_num");
        web.signed_in("researcher_university").await.get("/joint-uses").await.hides("共同の研究");
    });
}

async fn revoke(web: &Web, key: &str) {
    let mut registrar = web.signed_in("registrar").await;
    registrar.get("/users").await.is(200);
    let name = &web.parties.organization[key].name;
    let rows = registrar.call("GET", "/users", &json!({})).await.json();
    let row =
        rows["rows"].as_array().unwrap().iter().find(|r| {
            r["organization"] == *name && r["kind"].as_str().unwrap().contains("利用事業者")
        });
    let id = row.unwrap()["id"].as_str().unwrap().to_owned();
    registrar.post(&format!("/users/{id}/step"), &[("state", "revoked")]).await.is(303);
    registrar.post(&format!("/users/{id}/step"), &[("state", "revoked")]).await.is(409);
}

async fn proved(by: &mut Visitor, path: &str, act: &str, holder: Option<&str>) -> u16 {
    by.get(path).await;
    let mut fields = vec![("method", "上書きして消去した。")];
    fields.extend(holder.map(|h| ("organization", h)));
    by.post_file(&format!("{path}/{act}"), &fields, ("証明.pdf", PDF)).await.status.as_u16()
}

#[test]
fn a_recalled_dataset_is_proved_erased_by_every_holder_and_a_revoked_user_is_out_at_once() {
    run(|| async {
        let site = site::delivered().copy().await;
        let dataset = acts::delivered(&site)[1].id;
        let second = acts::delivered(&site)[2].id;
        let web = Web::of(site);
        let address = format!("/datasets/{dataset}");
        let mut researcher = web.signed_in("researcher_pharma_1").await;
        researcher.get(&format!("{address}/package")).await.is(200);
        let note = researcher.get(&format!("{address}/delivery.pdf")).await;
        assert!(note.is(200).bytes.starts_with(b"%PDF-1.7"));
        let mut delivery = web.signed_in("delivery").await;
        delivery.get(&address).await.is(200).shows("提供したデータを回収する");
        let recall = format!("{address}/recall");
        delivery.post(&recall, &[("reason", " ")]).await.is(422);
        researcher.post(&recall, &[("reason", "x")]).await.is(403);
        let reply = delivery.post(&recall, &[("reason", "加工に誤りがあった。")]).await;
        let path = reply.is(303).location().to_owned();
        delivery.post(&recall, &[("reason", "もう一度")]).await.is(409);
        // Nobody receives it any more; the holder of the copy has a task, another user knows nothing.
        researcher.get(&format!("{address}/package")).await.is(409).shows("回収");
        researcher.get("/home").await.shows("写しを消去して証拠を提出する");
        researcher.get(&path).await.is(200).shows("消去の証拠を待っています");
        let mut rival = web.signed_in("researcher_pharma_2").await;
        rival.get(&path).await.is(404);
        rival.get("/recalls").await.is(200).hides(&dataset.to_string());
        assert_eq!(proved(&mut rival, &path, "prove", None).await, 404);
        // Overdue is red.
        let today = web.app.on().today();
        web.clock.set_date(day_after(today, 8));
        let mut delivery = web.signed_in("delivery").await;
        delivery.get(&path).await.shows("class=\"late\"").shows("期限超過");
        delivery.get("/recalls").await.shows("期限を過ぎた回収が1件");
        // Proof, sent back, proof again, accepted: closed.
        let holder = kiban_journeys::Parties::organization_id("pharma_1").to_string();
        let mut researcher = web.signed_in("researcher_pharma_1").await;
        assert_eq!(proved(&mut researcher, &path, "prove", None).await, 303);
        let proof = format!("{path}/proof?organization={holder}");
        assert_eq!(delivery.get(&proof).await.is(200).bytes, PDF);
        let mut rival = web.signed_in("researcher_pharma_2").await;
        rival.get(&proof).await.is(404);
        let check = |accept: &'static str| {
            [
                ("organization", holder.clone()),
                ("accept", accept.to_owned()),
                ("reason", "日付がない。".to_owned()),
            ]
        };
        delivery.get(&path).await;
        let to = format!("{path}/check");
        delivery.post(&to, &pairs(&check("no"))).await.is(303);
        delivery.post(&to, &pairs(&check("yes"))).await.is(409);
        researcher.get(&path).await.shows("日付がない。");
        // What came on paper is entered by staff, and not checked by whoever entered it.
        assert_eq!(proved(&mut delivery, &path, "prove-for", Some(&holder)).await, 303);
        delivery.post(&to, &pairs(&check("yes"))).await.is(409).shows("別の人");
        assert_eq!(proved(&mut researcher, &path, "prove", None).await, 303);
        delivery.get(&path).await;
        delivery.post(&to, &pairs(&check("yes"))).await.is(303);
        delivery.get(&path).await.shows("すべて消去を確認").hides("期限超過");
        assert_eq!(proved(&mut researcher, &path, "prove", None).await, 409);

        // Of a type II user the producer's environment holds a copy too.
        delivery.get(&format!("/datasets/{second}")).await;
        let reply =
            delivery.post(&format!("/datasets/{second}/recall"), &[("reason", "誤り")]).await;
        let of = reply.is(303).location().to_owned();
        delivery.get(&of).await.shows("作成事業者の解析環境").shows("架空");
        let tasks = delivery.call("GET", &of, &json!({})).await.json();
        assert_eq!(tasks["tasks"].as_array().unwrap().len(), 2);

        // Revoked: the session that was open is dead at once, the deletion task is open, the obligations are still there.
        let mut open = web.signed_in("researcher_pharma_2").await;
        open.get("/home").await.is(200);
        open.get("/uses").await.is(200).shows("利用中");
        revoke(&web, "pharma_2").await;
        open.call("GET", "/uses", &json!({})).await.is(401);
        assert_eq!(open.get("/home").await.status.as_u16(), 303);
        let mut again = web.signed_in("researcher_pharma_2").await;
        again.get("/uses").await.is(200).shows("消去の報告待ち");
        again.get("/home").await.is(200).shows("提供データを消去して報告する");
        // The register shows it, and the certified user's session goes on.
        researcher.get("/home").await.is(200);
        retrained(&web).await;
        web.signed_in("security").await.get("/users").await.is(200).shows("取消し");
    });
}
