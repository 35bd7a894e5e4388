//! Outputs: two blind checkers, the author never, four states, the log of turns; what is small is marked by itself.

use kiban_audit::sqlx;
use serde_json::json;

use crate::support::{
    acts, run, site,
    web::{Visitor, Web},
};

const SMALL: &str = "年齢階級,男,女\n40-49,31,9\n50-59,44,40\n";
const CLEAN: &str = "年齢階級,男,女\n40-49,31,10未満\n50-59,44,40\n";

async fn asked(
    by: &mut Visitor,
    dataset: &str,
    name: &str,
    bytes: &[u8],
    exception: &str,
) -> (u16, String) {
    let fields = [
        ("dataset", dataset),
        ("title", "年齢階級別の人数"),
        ("context", "対象者を人で数えた表"),
        ("exception", exception),
    ];
    let reply = by.post_file("/outputs", &fields, (name, bytes)).await;
    (reply.status.as_u16(), reply.location().to_owned())
}

fn vote(verdict: &'static str, reason: &'static str) -> [(&'static str, &'static str); 2] {
    [("verdict", verdict), ("reason", reason)]
}

async fn delivered() -> (Web, String, String) {
    let site = site::delivered().copy().await;
    let of = acts::delivered(&site);
    let (outside, inside) = (of[1].id.to_string(), of[2].id.to_string());
    (Web::of(site), outside, inside)
}

#[test]
fn two_checkers_who_do_not_see_each_other_decide() {
    run(|| async {
        let (web, outside, inside) = delivered().await;
        let mut author = web.signed_in("researcher_pharma_2").await;
        author.get("/outputs").await.is(200).shows(&inside).hides(&outside);
        // Only of a dataset that stays in the environment, and is one's own.
        assert_eq!(asked(&mut author, &outside, "a.csv", SMALL.as_bytes(), "").await.0, 422);
        let mut other = web.signed_in("researcher_pharma_1").await;
        other.get("/outputs").await.is(200);
        assert_eq!(asked(&mut other, &inside, "a.csv", SMALL.as_bytes(), "").await.0, 422);
        // Bounded and looked through as every upload is.
        for (name, bytes) in [
            ("a.xlsx", &b"PK\x03\x04"[..]),
            ("a.exe", b"MZ"),
            ("a.csv", b""),
            ("a.csv", br"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"),
        ] {
            assert_eq!(asked(&mut author, &inside, name, bytes, "").await.0, 422, "{name}");
        }
        let (status, path) = asked(&mut author, &inside, "表.csv", SMALL.as_bytes(), "").await;
        assert_eq!(status, 303);
        author.get(&path).await.is(200).shows("検査中").shows("1行目の「女」が1以上10未満です");
        author.get(&path).await.hides("name=\"verdict\"");
        let file = format!("{path}/file?version=1");
        author.get(&file).await.is(409).shows("認められていない");
        // To others it does not exist.
        other.get(&path).await.is(404);
        other.get(&file).await.is(404);
        other.get("/outputs").await.hides("年齢階級別");

        // The first checker votes; nobody else knows how.
        let check = format!("{path}/check");
        let mut first = web.signed_in("examiner").await;
        first.get("/home").await.shows("出力を検査する");
        first.get(&path).await.is(200).shows("name=\"verdict\"");
        assert_eq!(first.get(&file).await.is(200).bytes, SMALL.as_bytes());
        first.post(&check, &vote("maybe", "x")).await.is(422);
        first.post(&check, &vote("return", " ")).await.is(422);
        // What was marked is not let out unless its author asks for an exception.
        first.post(&check, &vote("release", "よい")).await.is(409).shows("例外");
        first.post(&check, &vote("return", "一人目の理由")).await.is(303);
        first.post(&check, &vote("release", "考え直した")).await.is(403);
        first.get(&path).await.shows("一人目の理由").hides("name=\"verdict\"");
        first.get("/home").await.hides("出力を検査する");
        let mut second = web.signed_in("examiner_2").await;
        for key in ["examiner_2", "auditor", "manager", "researcher_pharma_2"] {
            let mut reader = web.signed_in(key).await;
            reader.get(&path).await.is(200).hides("一人目の理由").hides("<strong>差し戻す");
            let shown = reader.call("GET", &path, &json!({})).await;
            assert_eq!(shown.json()["versions"][0]["votes"], json!([]), "{key}: {}", shown.body);
            assert_eq!(shown.json()["versions"][0]["given"], 1);
        }
        let mut auditor = web.signed_in("auditor").await;
        let log = auditor.call("POST", "/audit/search", &json!({ "kind": "output." })).await;
        log.is(200).shows("output.checked").hides("\"return\"").hides("一人目");
        for event in log.json()["events"].as_array().unwrap() {
            assert!(!event["ja"].as_str().unwrap().is_ascii(), "no Japanese name: {event}");
        }
        auditor.post(&check, &vote("return", "x")).await.is(403);
        auditor.get(&file).await.is(403);

        // The second disagrees in nothing: it goes back, and both reasons are seen.
        second.get(&path).await;
        second.post(&check, &vote("return", "二人目の理由")).await.is(303);
        author.get("/home").await.shows("差し戻された出力を直す");
        author.get(&path).await.shows("一人目の理由").shows("二人目の理由").shows("検査者1");
        first.post(&check, &vote("return", "x")).await.is(409);

        // Another version, voted on anew.
        let again = format!("{path}/again");
        let fields = [("context", "10未満をまとめた"), ("exception", "")];
        other.post_file(&again, &fields, ("表.csv", CLEAN.as_bytes())).await.is(404);
        author.post_file(&again, &fields, ("表.csv", CLEAN.as_bytes())).await.is(303);
        author.post_file(&again, &fields, ("表.csv", CLEAN.as_bytes())).await.is(409);
        first.get(&path).await.shows("第2版").shows("指摘はありません");
        first.post(&check, &vote("release", "よい")).await.is(303);
        author.get(&format!("{path}/file?version=2")).await.is(409);
        second.post(&check, &vote("release", "差も確かめた")).await.is(303);
        let page = author.get(&path).await;
        page.shows("持出し可").shows("持ち出す").shows("2人目が検査した（結果：持出し可）");
        let taken = author.get(&format!("{path}/file?version=2")).await;
        assert_eq!(taken.is(200).bytes, CLEAN.as_bytes());
        author.get(&file).await.is(409);
        // Each turn is one event.
        let log = web.app.on().log().about(path.strip_prefix("/outputs/").unwrap()).await.unwrap();
        let kinds: Vec<&str> = log.iter().map(|e| e.kind.as_str()).collect();
        let turns: Vec<&&str> = kinds.iter().filter(|k| **k != "output.viewed").collect();
        assert_eq!(
            turns,
            [
                &"output.asked",
                &"output.checked",
                &"output.checked",
                &"output.asked_again",
                &"output.checked",
                &"output.checked",
                &"output.taken"
            ]
        );
    });
}

#[test]
fn the_author_never_checks_and_votes_that_differ_send_back() {
    run(|| async {
        let (web, _, inside) = delivered().await;
        // Somebody of the producer's who may ask and may check.
        let account = web.account("processor");
        sqlx::query(
            "UPDATE register_account SET roles = '[\"processor\",\"examiner\"]' WHERE id = $1",
        )
        .bind(account)
        .execute(web.app.on().log().db().pool())
        .await
        .unwrap();
        let mut author = web.signed_in("processor").await;
        author.get("/outputs").await.shows("持出しを申請する");
        let (status, path) =
            asked(&mut author, &inside, "表.csv", SMALL.as_bytes(), "公益のために要る").await;
        assert_eq!(status, 303);
        let check = format!("{path}/check");
        let page = author.get(&path).await;
        page.is(200).hides("name=\"verdict\"").shows("申請した人は");
        author.get("/home").await.hides("出力を検査する");
        let body = json!({ "verdict": "release", "reason": "よい" });
        let refused = author.call("POST", &check, &body).await;
        assert_eq!(refused.is(403).json()["type"], "/problems/checker");
        author.get(&format!("{path}/file?version=1")).await.is(403);
        // The same person under another account, too.
        sqlx::query(
            "UPDATE register_account SET handler = (SELECT handler FROM register_account WHERE id = $1) WHERE id = $2",
        )
        .bind(web.account("processor"))
        .bind(web.account("examiner_2"))
        .execute(web.app.on().log().db().pool())
        .await
        .unwrap();
        let mut same = web.signed_in("examiner_2").await;
        same.get(&path).await.is(200).hides("name=\"verdict\"");
        assert_eq!(same.call("POST", &check, &body).await.status.as_u16(), 403);
        // One for, one against: it goes back. (The second checker is somebody new.)
        sqlx::query("UPDATE register_account SET handler = 'H-new' WHERE id = $1")
            .bind(web.account("examiner_2"))
            .execute(web.app.on().log().db().pool())
            .await
            .unwrap();
        let mut first = web.signed_in("examiner").await;
        first.get(&path).await;
        first.post(&check, &vote("release", "例外を認める")).await.is(303);
        let on = web.app.on();
        let second =
            kiban_journeys::actor_of(on, web.account("examiner_2").parse().unwrap()).await.unwrap();
        let id = path.strip_prefix("/outputs/").unwrap().parse().unwrap();
        let state = kiban_journeys::output_check::check_output(
            on,
            &second,
            id,
            kiban_journeys::blind::Verdict::Refuse,
            "認めない",
        )
        .await
        .unwrap();
        assert_eq!(state, kiban_journeys::blind::State::Returned);
    });
}
