//! Files, what is still being written, prices, long lists, incidents, the end of a use.

use axum::http::header;
use serde_json::json;

use super::cases::{filled, pairs, submitted};
use crate::support::{
    run,
    site::{self, day_after},
    web::{Visitor, Web},
};

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n";

async fn drafted(visitor: &mut Visitor, title: &str) -> String {
    visitor.get("/applications/new").await.is(200);
    let reply = visitor.post("/applications", &pairs(&filled(title))).await;
    reply.is(303);
    let path = reply.location().to_owned();
    visitor.get(&path).await.is(200).shows("添付ファイルはありません");
    path
}

/// Where the first link of the page to an address of this kind goes.
fn link(body: &str, of: &str) -> String {
    let found = body.split("href=\"").filter_map(|p| p.split('"').next()).find(|h| h.contains(of));
    found.unwrap_or_else(|| panic!("no link to {of}: {body}")).to_owned()
}

#[test]
fn files_are_judged_sealed_and_given_to_be_saved_only() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let dir = web.app.on().dir().join("attachments");
        let mut researcher = web.signed_in("researcher_university").await;
        let path = drafted(&mut researcher, "添付のある申請").await;
        let to = format!("{path}/attachments");
        researcher.post_file(&to, &[], ("研究 計画.pdf", PDF)).await.is(303);
        let page = researcher.get(&path).await;
        page.is(200).shows("研究 計画.pdf").shows("PDF");
        let file = link(&page.body, "/attachments/evt_");
        let saved = researcher.get(&file).await;
        saved.is(200);
        assert_eq!(saved.body.as_bytes(), PDF);
        let disposition = saved.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
        assert!(disposition.starts_with("attachment; filename="), "{disposition}");
        assert!(disposition.contains("filename*=UTF-8''%E7%A0%94"), "{disposition}");
        assert_eq!(saved.headers[header::CONTENT_TYPE], "application/octet-stream");
        // Sealed on disk.
        let stored: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(stored.len(), 1);
        let bytes = std::fs::read(&stored[0]).unwrap();
        assert!(
            bytes.starts_with(b"age-encryption.org/v1")
                && !bytes.windows(7).any(|w| w == b"Catalog")
        );
        // What is refused, and leaves nothing.
        for (name, bytes) in [
            ("a.pdf", &b"%PDF-1.7\n/JavaScript\n%%EOF"[..]),
            ("a.png", PDF),
            ("a.exe", b"MZ\x90\x00"),
            ("../../a.pdf", PDF),
            ("a.txt", b""),
        ] {
            researcher.post_file(&to, &[], (name, bytes)).await.is(422);
        }
        let large = vec![b'x'; 5 * 1024 * 1024 + 1];
        researcher.post_file(&to, &[], ("a.txt", &large)).await.is(422).shows("5MB");
        let huge = vec![b'x'; 9 * 1024 * 1024];
        researcher.post_file(&to, &[], ("a.txt", &huge)).await.is(413);
        // A route without a file takes no such form.
        researcher
            .post_file(&format!("{path}/messages"), &[("text", "x")], ("a.pdf", PDF))
            .await
            .is(400);
        // The interface: base64; another organization knows neither case nor file.
        let body = json!({ "name": "表.csv", "file": "5YiXCjEK" });
        researcher.call("POST", &to, &body).await.is(200);
        researcher.call("POST", &to, &json!({ "name": "表.csv", "file": "***" })).await.is(422);
        let mut rival = web.signed_in("researcher_pharma_1").await;
        rival.get(&file).await.is(404);
        rival.post_file(&to, &[], ("a.pdf", PDF)).await.is(404);
        // Taken off: gone from disk. Submitted: nothing changes any more.
        researcher.get(&path).await;
        researcher.post(&format!("{file}/remove"), &[]).await.is(303);
        researcher.get(&file).await.is(404);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
        researcher.post(&format!("{path}/submit"), &[]).await.is(303);
        researcher.post_file(&to, &[], ("b.pdf", PDF)).await.is(409).shows("下書きの間だけ");
        let mut secretary = web.signed_in("secretary").await;
        let page = secretary.get(&path).await;
        let file = link(&page.shows("表.csv").body, "/attachments/evt_");
        secretary.get(&file).await.is(200).shows("列");
        // A stored file that was changed is not handed out.
        let stored = std::fs::read_dir(&dir).unwrap().next().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&stored).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&stored, bytes).unwrap();
        secretary.get(&file).await.is(500);
    });
}

#[test]
fn what_is_being_written_is_kept_and_is_no_version() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        let path = drafted(&mut researcher, "はじめの題名").await;
        researcher
            .get(&format!("{path}/edit"))
            .await
            .is(200)
            .shows("data-keep")
            .hides("自動保存した書きかけ");
        let mut fields: serde_json::Map<_, _> =
            filled("はじめの題名").into_iter().map(|(n, v)| (n.to_owned(), json!(v))).collect();
        fields["title"] = json!("途中の題名");
        let keep = format!("{path}/keep");
        let kept = researcher.call("POST", &keep, &json!(fields)).await;
        assert!(kept.is(200).json()["done"].as_str().unwrap().contains("自動保存しました"));
        // The form shows it, the case and its version do not.
        researcher
            .get(&format!("{path}/edit"))
            .await
            .shows("途中の題名")
            .shows("自動保存した書きかけ");
        researcher
            .get(&format!("{path}/edit?saved=on"))
            .await
            .shows("はじめの題名")
            .hides("途中の題名");
        researcher.get(&path).await.shows("はじめの題名").hides("途中の題名").shows("第1版");
        let mut rival = web.signed_in("researcher_pharma_1").await;
        rival.get("/home").await;
        rival.call("POST", &keep, &json!(fields)).await.is(404);
        // Saved, it is the version, and nothing is left over.
        researcher.get(&format!("{path}/edit")).await;
        let mut saved = filled("途中の題名");
        saved[12].1 = "大学の管理区域".to_owned();
        researcher.post(&format!("{path}/edit"), &pairs(&saved)).await.is(303);
        researcher.get(&path).await.shows("途中の題名").shows("第2版");
        researcher.get(&format!("{path}/edit")).await.hides("自動保存した書きかけ");
    });
}

#[test]
fn the_price_follows_the_tariff_and_the_quote_is_held_against_what_came() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        let path = submitted(&mut researcher, "anonymized", "見積りのある申請").await;
        // 2 tables, 2 columns, 3 years begun, a university.
        researcher
            .get(&path)
            .await
            .shows("1,215,000円")
            .shows("約69日")
            .shows("−1,215,000円")
            .hides("提示する");
        let mut secretary = web.signed_in("secretary").await;
        secretary.get(&path).await.shows("見積りを提示する");
        let to = format!("{path}/quote");
        researcher.post(&to, &[("yen", "1"), ("days", "1")]).await.is(403);
        secretary.post(&to, &[("yen", "1200000"), ("days", "0")]).await.is(422);
        secretary.post(&to, &[("yen", "-5"), ("days", "60")]).await.is(422);
        secretary.post(&to, &[("yen", "1200000"), ("days", "60")]).await.is(303);
        researcher
            .get(&path)
            .await
            .shows("1,200,000円")
            .shows("計算より15,000円安い")
            .shows("未提供（見込み60日）");
        let submitted_on = web.app.on().today();
        web.clock.set_date(day_after(submitted_on, 61));
        let mut researcher = web.signed_in("researcher_university").await;
        researcher.get(&path).await.shows("提出から61日、未提供（見込み60日を1日超過）");
        let api = researcher.call("GET", &path, &json!({})).await.json();
        assert_eq!(api["price"]["yen"], "1,215,000円");
    });
}

#[test]
fn a_long_list_comes_in_pages() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        researcher.get("/applications/new").await;
        for n in 1..=51 {
            let title = format!("申請その{n}");
            researcher.call("POST", "/applications", &json!({ "title": title })).await.is(200);
        }
        let first = researcher.get("/applications").await;
        first
            .is(200)
            .shows("51件のうち1〜50件目")
            .shows("?page=2")
            .shows("申請その51")
            .hides("申請その1<");
        researcher
            .get("/applications?page=2")
            .await
            .is(200)
            .shows("申請その1<")
            .shows("?page=1")
            .hides("?page=3");
        researcher.get("/applications?page=3").await.is(404);
        researcher.get("/applications?page=0").await.is(404);
        researcher.get("/applications?page=x").await.is(422);
        let api = researcher.call("GET", "/applications?page=2", &json!({})).await.json();
        assert_eq!(api["rows"].as_array().unwrap().len(), 1);
        assert_eq!(
            api["paging"],
            json!({ "page": 2, "pages": 2, "total": 51, "first": 51, "last": 51 })
        );
        let document = researcher.get("/api/v1/openapi.json").await.json();
        for list in [
            "applications",
            "datasets",
            "deliveries",
            "stops",
            "projects",
            "hospitals",
            "desk",
            "accounts",
            "uses",
            "incidents",
        ] {
            let of = &document["paths"][format!("/api/v1/{list}")]["get"]["parameters"];
            let named = of.as_array().unwrap().iter().any(|p| p["name"] == "page");
            assert!(named, "{list}");
        }
    });
}

#[test]
fn an_incident_runs_against_the_legal_clock() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let today = web.app.on().today();
        let mut processor = web.signed_in("processor").await;
        processor.get("/incidents").await.is(200).shows("記録されていません");
        let to_come = day_after(today, 1).to_string();
        let noticed = today.to_string();
        let fields = |day: &str| -> Vec<(&'static str, String)> {
            vec![
                ("kind", "leak".into()),
                ("noticed_on", day.to_owned()),
                ("summary", "端末の紛失".into()),
            ]
        };
        processor.post("/incidents", &pairs(&fields(&to_come))).await.is(422);
        let mut unknown = fields(&noticed);
        unknown.push(("dataset", "dst_00000000000000000000000000".into()));
        processor.post("/incidents", &pairs(&unknown)).await.is(422);
        let reply = processor.post("/incidents", &pairs(&fields(&noticed))).await;
        let path = reply.is(303).location().to_owned();
        processor.get(&path).await.is(200).shows("端末の紛失").hides("速報を記録する</button>");
        let report = format!("{path}/report");
        processor.post(&report, &[("stage", "prompt"), ("text", "x")]).await.is(403);
        web.signed_in("researcher_university").await.get(&path).await.is(403);
        let mut officer = web.signed_in("security").await;
        officer.get("/home").await.is(200).shows("漏えい等の速報を行う");
        officer.get("/incidents").await.shows("あと4日");
        officer.get(&path).await.shows("1 事態の種類：漏えい");
        officer.post(&report, &[("stage", "full"), ("text", "確報")]).await.is(409);
        officer.post(&report, &[("stage", "prompt"), ("text", "速報")]).await.is(303);
        officer.post(&report, &[("stage", "prompt"), ("text", "速報")]).await.is(409);
        // The full report is a day late, and says so.
        web.clock.set_date(day_after(today, 30));
        let mut officer = web.signed_in("security").await;
        officer.get("/incidents").await.shows("1日超過").shows("class=\"late\"");
        officer.get(&path).await;
        officer.post(&report, &[("stage", "full"), ("text", "確報")]).await.is(303);
        officer.get(&path).await.shows("期限後");
        officer
            .post(&report, &[("stage", "closed"), ("text", "再発防止を実施した。")])
            .await
            .is(303);
        officer.get(&path).await.shows("終結しています").hides("</button>\n</form>");
        let log = web.app.on().log();
        let events = log.events(0, log.size().await.unwrap()).await.unwrap();
        let of = |kind: &str| events.iter().filter(|e| e.kind == kind).count();
        assert_eq!((of("incident.recorded"), of("incident.reported")), (1, 3));
    });
}

/// From a delivered dataset to its proof of erasure; `dataset` is its address.
pub(super) async fn end_of_use(web: &Web, dataset: &str) {
    let id = dataset.strip_prefix("/datasets/").unwrap();
    let report = format!("/uses/{id}/report");
    let method = [("method", "媒体を上書きして消去した。")];
    let mut researcher = web.signed_in("researcher_pharma_1").await;
    researcher.get("/uses").await.is(200).shows("利用中").hides("まもなく");
    web.clock.set_date("2026-03-20".parse().unwrap());
    // The handlers were trained again in the meantime.
    retrained(web).await;
    let mut researcher = web.signed_in("researcher_pharma_1").await;
    researcher.get("/home").await.shows("利用がまもなく終わります");
    web.clock.set_date("2026-05-12".parse().unwrap());
    let mut researcher = web.signed_in("researcher_pharma_1").await;
    researcher.get("/uses").await.shows("消去の報告待ち");
    web.clock.set_date("2026-06-12".parse().unwrap());
    let mut researcher = web.signed_in("researcher_pharma_1").await;
    researcher.get("/uses").await.shows("期限超過").shows("class=\"late\"");
    researcher.get("/home").await.shows("提供データを消去して報告する");
    let mut delivery = web.signed_in("delivery").await;
    delivery.get("/uses").await.is(200).shows("期限超過").hides("enctype");
    delivery.post(&format!("/uses/{id}/check"), &[("accept", "yes")]).await.is(409);
    let mut rival = web.signed_in("researcher_university").await;
    rival.get("/uses").await.is(200).hides(id);
    rival.post_file(&report, &method, ("証明.pdf", PDF)).await.is(404);
    researcher.get("/uses").await;
    researcher.post_file(&report, &method, ("証明.exe", b"MZ\x90\x00")).await.is(422);
    researcher.post_file(&report, &method, ("証明.pdf", PDF)).await.is(303);
    delivery.get("/home").await.shows("消去の報告を確かめる");
    assert_eq!(delivery.get(&format!("/uses/{id}/proof")).await.is(200).body.as_bytes(), PDF);
    rival.get(&format!("/uses/{id}/proof")).await.is(404);
    let check = format!("/uses/{id}/check");
    delivery.get("/uses").await;
    delivery.post(&check, &[("accept", "no")]).await.is(422);
    delivery.post(&check, &[("accept", "no"), ("reason", "日付がない。")]).await.is(303);
    researcher.get("/uses").await.shows("差戻し").shows("日付がない。");
    researcher.post_file(&report, &method, ("証明2.pdf", PDF)).await.is(303);
    delivery.post(&check, &[("accept", "yes")]).await.is(303);
    delivery.get("/uses").await.shows("消去を確認済み").hides("期限超過");
    researcher.get("/uses").await;
    researcher.post_file(&report, &method, ("証明3.pdf", PDF)).await.is(409);
}

/// Every handler of the parties completes the training of today.
pub(super) async fn retrained(web: &Web) {
    let officer = web.parties.actor("security").unwrap();
    let (on, today) = (web.app.on(), web.app.on().today());
    for key in web.parties.account.keys() {
        let actor = web.parties.actor(key).unwrap();
        if actor.handler.is_some() {
            let of = actor.account;
            kiban_journeys::sign_in::record_training(on, &officer, of, today, "年次")
                .await
                .unwrap();
        }
    }
}
