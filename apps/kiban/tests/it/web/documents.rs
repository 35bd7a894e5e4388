//! The documents: each made from the data of its page, in a form whose text can be read again.

use std::{io::Write as _, process::Command};

use axum::http::header;
use serde_json::json;

use super::{
    cases::{submitted, votes},
    release::ALL,
};
use crate::support::{
    run, site,
    web::{Reply, Web},
};

/// The text of a document as a reader of the file gets it; `None` (said aloud) without poppler's `pdftotext`.
pub(super) fn text_of(reply: &Reply) -> Option<String> {
    reply.is(200);
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/pdf");
    let disposition = reply.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(disposition.starts_with("attachment; filename="), "{disposition}");
    assert!(reply.bytes.starts_with(b"%PDF-1.7"), "{} bytes", reply.bytes.len());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("of.pdf");
    std::fs::File::create(&file).unwrap().write_all(&reply.bytes).unwrap();
    match Command::new("pdftotext").arg("-raw").arg(&file).arg("-").output() {
        Ok(out) => {
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            Some(solid(&String::from_utf8(out.stdout).unwrap()))
        }
        Err(_) => {
            kiban_testkit::missing("the text of documents: pdftotext (poppler-utils) is missing");
            None
        }
    }
}

/// Without what breaking lines adds or takes away.
fn solid(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// These stand in the text, in this order.
pub(super) fn in_order(text: &str, parts: &[String]) {
    let mut at = 0;
    for part in parts {
        let part = solid(part);
        let found = text[at..].find(&part);
        at +=
            found.unwrap_or_else(|| panic!("{part} is not after byte {at} of {text}")) + part.len();
    }
}

#[test]
fn the_application_form_has_all_fields_in_order_and_nobody_elses() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        let path = submitted(&mut researcher, "anonymized", "髙齢者の腎臓病の研究").await;
        let address = format!("{path}/application.pdf");
        let one = researcher.get(&address).await;
        let fields = researcher.call("GET", &format!("{path}/print"), &json!({})).await.json();
        let mut parts = vec!["利用申請書".to_owned(), "御中".to_owned()];
        for field in fields["fields"].as_array().unwrap() {
            parts.push(field["label"].as_str().unwrap().to_owned());
            let text = field["text"].as_str().unwrap();
            parts.push(if text.is_empty() {
                "（記入なし）".to_owned()
            } else {
                text.to_owned()
            });
        }
        assert!(parts.len() > 40, "{} parts", parts.len());
        if let Some(text) = text_of(&one) {
            in_order(&text, &parts);
            assert!(text.contains("髙齢者"), "a name's letter is there: {text}");
        }
        // The same for whoever may see the case, through the interface too; for others there is none.
        let mut secretary = web.signed_in("secretary").await;
        assert_eq!(secretary.get(&address).await.bytes, one.bytes);
        let api = secretary.get(&format!("/api/v1{address}")).await;
        assert_eq!(api.bytes, one.bytes);
        web.signed_in("researcher_pharma_1").await.get(&address).await.is(404);
        assert_eq!(web.visitor().get(&address).await.status.as_u16(), 303);
    });
}

#[test]
fn minutes_contract_report_books_and_evidence_say_what_is_on_record() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        let path = submitted(&mut researcher, "anonymized", "腎臓病の研究").await;
        let mut secretary = web.signed_in("secretary").await;
        secretary.get(&path).await;
        secretary.post(&format!("{path}/screen"), &[]).await.is(303);
        let voters: Vec<&str> = ALL.into_iter().filter(|m| *m != "member_5").collect();
        votes(&web, &path, &voters).await;
        let mut chair = web.signed_in("member_1").await;
        chair.get(&path).await;
        chair.get(&format!("{path}/minutes.pdf")).await.is(404);
        chair.post(&format!("{path}/close"), &[]).await.is(303);
        secretary.post(&format!("{path}/minutes"), &[]).await.is(303);
        let minutes = secretary.get(&format!("{path}/minutes.pdf")).await;
        if let Some(text) = text_of(&minutes) {
            let said = [
                "審査委員会議事録",
                "腎臓病の研究",
                "出席した委員",
                "適切である。",
                "欠席した委員",
                "承認7票",
                "印",
            ];
            in_order(&text, &said.map(str::to_owned));
            assert!(text.contains("利益相反により"), "{text}");
        }
        web.signed_in("member_5").await.get(&format!("{path}/minutes.pdf")).await.is(409);

        let mut manager = web.signed_in("manager").await;
        manager.get(&path).await;
        let decide = [("accept", "yes"), ("reason", "提供する。"), ("conditions", "年1回の報告")];
        manager.post(&format!("{path}/decide"), &decide).await.is(303);
        let contract = [
            ("from", "2025-05-12"),
            ("until", "2026-05-12"),
            ("text", "第1条　甲は乙に提供する。"),
            ("specification", site::specification()),
        ];
        manager.post(&format!("{path}/contract"), &contract).await.is(303);
        let page = researcher.get(&path).await;
        let of = page.body.split("href=\"").find(|p| p.contains("/contract.pdf")).unwrap();
        let of = of.split('"').next().unwrap().to_owned();
        if let Some(text) = text_of(&researcher.get(&of).await) {
            let said = [
                "利用契約書",
                "契約の状態",
                "契約案",
                "第1条　甲は乙に提供する。",
                "年1回の報告",
                "提供する項目",
                "person.sex",
                "（未署名）",
                "加工仕様書",
            ];
            in_order(&text, &said.map(str::to_owned));
        }
        researcher.get(of.trim_end_matches("/contract.pdf")).await.is(200).shows("person.sex");
        web.signed_in("researcher_pharma_1").await.get(&of).await.is(404);
        web.signed_in("member_1").await.get(&of).await.is(404);

        let mut officer = web.signed_in("security").await;
        officer.get("/incidents").await;
        let today = web.app.on().today().to_string();
        let new = [("kind", "leak"), ("noticed_on", today.as_str()), ("summary", "端末の紛失")];
        let incident = officer.post("/incidents", &new).await.location().to_owned();
        if let Some(text) = text_of(&officer.get(&format!("{incident}/report.pdf")).await) {
            let said = [
                "報告書（案・速報）",
                "主務大臣",
                "漏えい",
                "端末の紛失",
                "確認中",
                "再発防止の措置",
            ];
            in_order(&text, &said.map(str::to_owned));
        }
        let mut auditor = web.signed_in("auditor").await;
        if let Some(text) = text_of(&auditor.get("/books.pdf?year=2025").await) {
            in_order(
                &text,
                &["帳簿及び年度の実績（2025年度）", "利用申請の受付", "帳簿（明細）"]
                    .map(str::to_owned),
            );
        }
        let id = path.strip_prefix("/applications/").unwrap();
        if let Some(text) = text_of(&auditor.get(&format!("/audit/cases/{id}/evidence.pdf")).await)
        {
            let said = [
                "監査証跡",
                "application.submitted",
                "application.screened",
                "application.decided",
                "contract.drawn",
                "署名つきの検査点",
            ];
            in_order(&text, &said.map(str::to_owned));
        }
        // A sample is what its seed says, and holders' staff, who may verify the log, see no case of another's.
        let sample = auditor.call("GET", "/audit/sample?seed=7&count=3", &json!({})).await.json();
        let again = auditor.call("GET", "/audit/sample?seed=7&count=3", &json!({})).await.json();
        assert_eq!((&sample, sample["rows"].as_array().unwrap().len()), (&again, 1));
        let mut desk = web.signed_in("hospital_a_desk").await;
        desk.get(&format!("/audit/cases/{id}")).await.is(404);
        desk.get("/audit/sample").await.is(200).hides("腎臓病");
    });
}
