//! What goes to a regulator, what it asks, who opens, what it is told.

use std::{collections::BTreeMap, path::Path};

use kiban_journeys::{
    Parties,
    deliver::recipient,
    stop::proof::{self, Sheet},
};
use serde_json::json;

use crate::{
    stops::{in_both, request},
    support::{
        acts, run, site,
        site::{Site, day_after},
        web::{Visitor, Web},
    },
};

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                out.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    out
}

/// A deployment whose type I user's dataset is submitted; the address of the submission.
async fn submitted() -> (Web, [String; 3], String) {
    submitted_at(site::delivered().copy().await).await
}

async fn submitted_at(site: Site) -> (Web, [String; 3], String) {
    let of = acts::delivered(&site);
    let regulator = Parties::organization_id("regulator");
    let folder = site.dir.join("recipients").join(regulator.to_string());
    let public = recipient::init(&folder, regulator, site.on.log().verify_key()).unwrap();
    let registrar = site.actor("registrar");
    // Without a key nothing is handed over.
    let user = site.actor("researcher_pharma_1");
    let early =
        kiban_journeys::enquiry::submit_to_regulator(&site.on, &user, of[1].id, regulator, "目的");
    assert!(early.await.is_err());
    kiban_journeys::register_recipient(&site.on, &registrar, regulator, &public).await.unwrap();
    let datasets = [of[0].id.to_string(), of[1].id.to_string(), of[2].id.to_string()];
    let web = Web::of(site);
    let mut user = web.signed_in("researcher_pharma_1").await;
    user.get("/submissions").await.is(200).shows("承認審査機関等に提出する");
    let to = regulator.to_string();
    let fields =
        |dataset| [("dataset", dataset), ("regulator", to.as_str()), ("purpose", "申請の根拠")];
    // Neither another's nor an anonymized one, nor to somebody who is no regulator.
    user.post("/submissions", &fields(&datasets[2])).await.is(404);
    let mut university = web.signed_in("researcher_university").await;
    university.get("/submissions").await;
    university.post("/submissions", &fields(&datasets[0])).await.is(409).shows("仮名加工");
    let other = Parties::organization_id("patients").to_string();
    let wrong = [("dataset", datasets[1].as_str()), ("regulator", &other), ("purpose", "x")];
    user.post("/submissions", &wrong).await.is(422);
    let reply = user.post("/submissions", &fields(&datasets[1])).await;
    let path = reply.is(303).location().to_owned();
    user.post("/submissions", &fields(&datasets[1])).await.is(409).shows("既に");
    user.get(&path).await.is(200).shows("一致しています").hides("照会する</button>");
    (web, datasets, path)
}

async fn asked(officer: &mut Visitor, submission: &str) -> String {
    let ask = format!("{submission}/enquiries");
    officer.get(submission).await.is(200);
    for rows in ["", "nowhere 1", "condition 0", "condition 99999999", "condition x"] {
        officer.post(&ask, &[("question", "確認されたい"), ("rows", rows)]).await.is(422);
    }
    let given = [("question", "一致を確認されたい"), ("rows", "condition 1\ncondition 3\n")];
    officer.post(&ask, &given).await.is(303).location().to_owned()
}

#[test]
fn a_regulator_sees_what_was_submitted_to_it_alone_and_it_is_what_was_delivered() {
    run(|| async {
        let (web, datasets, path) = submitted().await;
        let mut officer = web.signed_in("regulator").await;
        officer.get("/submissions").await.is(200).shows(&datasets[1]).hides(&datasets[2]);
        officer.get(&path).await.is(200).shows("一致しています");
        for closed in ["/datasets", "/applications", "/deliveries", "/audit"] {
            officer.get(closed).await.is(403);
        }
        officer.get(&format!("/datasets/{}", datasets[1])).await.is(403);
        let mut rival = web.signed_in("researcher_pharma_2").await;
        rival.get(&path).await.is(404);
        rival.get(&format!("{path}/package")).await.is(403);
        let sealed = officer.get(&format!("{path}/package")).await.is(200).bytes.clone();
        // Opened with the regulator's key it is the very files that the user opens.
        let dir = web.app.on().dir().to_owned();
        let file = dir.join("submitted.age");
        std::fs::write(&file, sealed).unwrap();
        let open = |file: &Path, of: &str, out: &str| {
            let organization = Parties::organization_id(of).to_string();
            let key = dir.join("recipients").join(organization).join("recipient.key");
            kiban_journeys::open_package(file, &key, &dir.join(out)).unwrap().out
        };
        let package = dir.join("packages").join(&datasets[1]).join("package.age");
        let (theirs, ours) = (open(&package, "pharma_1", "a"), open(&file, "regulator", "b"));
        assert_eq!(files(&theirs), files(&ours));
        let log =
            web.app.on().log().about(path.strip_prefix("/submissions/").unwrap()).await.unwrap();
        let kinds: Vec<&str> = log.iter().map(|e| e.kind.as_str()).collect();
        assert_eq!(kinds, ["submission.made", "submission.fetched"]);
    });
}

#[test]
fn two_different_people_open_the_rows_asked_for_and_the_answer_expires() {
    run(|| async {
        let (web, _, submission) = submitted().await;
        let mut officer = web.signed_in("regulator").await;
        let path = asked(&mut officer, &submission).await;
        let (unlock, open, answer) =
            (format!("{path}/unlock"), format!("{path}/open"), format!("{path}/answer"));
        officer.get(&answer).await.is(409);
        officer.post(&unlock, &[]).await.is(403);
        let mut user = web.signed_in("researcher_pharma_1").await;
        user.get(&path).await.is(403);

        // One alone opens nothing, twice is still one.
        let mut one = web.signed_in("enquiry").await;
        one.get("/home").await.shows("開封に同意する");
        one.get(&path).await.is(200).shows("空席").hides("照会された行を開く");
        one.post(&open, &[]).await.is(403).shows("0人");
        one.post(&unlock, &[]).await.is(303);
        one.post(&open, &[]).await.is(403).shows("1人");
        one.post(&unlock, &[]).await.is(403);
        one.get(&path).await.shows("別の人が同意するまで");
        let text = [("text", "一致していました。"), ("charts", "on")];
        one.post(&answer, &text).await.is(403);
        let mut manager = web.signed_in("manager").await;
        manager.get(&path).await.is(200);
        manager.post(&unlock, &[]).await.is(403);

        // Two different people can; the rows asked for, no third.
        let mut two = web.signed_in("enquiry_2").await;
        two.get(&path).await.shows("開封に同意する");
        two.post(&unlock, &[]).await.is(303);
        manager.post(&open, &[]).await.is(403);
        let page = one.post(&open, &[]).await;
        page.is(200).shows("band-named").shows("の1行目</h3>").shows("の3行目</h3>");
        page.hides("の2行目</h3>");
        let opened = two.call("POST", &open, &json!({})).await.is(200).json();
        let rows = opened["opened"].as_array().unwrap();
        assert_eq!(rows.len(), 2);
        for row in rows {
            let source = &row["sources"][0];
            assert_eq!(source["sha256"].as_str().unwrap().len(), 64, "{row}");
            assert!(!source["place"].as_str().unwrap().is_empty());
        }
        // Decisions on findings may have changed a cell of one; nothing else does.
        assert!(rows.iter().any(|row| row["agrees"] == true), "{rows:?}");
        // Looking at the case opens nothing.
        let case = one.call("GET", &path, &json!({})).await.json();
        assert_eq!(case["opened"], json!([]));

        // The answer: minimum, until its last day, each view on record.
        one.get(&path).await;
        one.post(&answer, &[("text", " ")]).await.is(422);
        one.post(&answer, &text).await.is(303);
        one.post(&answer, &text).await.is(409);
        let shown = officer.get(&answer).await;
        shown.is(200).shows("一致していました。").shows("の1行目").hides("の2行目</h3>");
        let place = rows[0]["sources"][0]["place"].as_str().unwrap();
        shown.hides(place.split(' ').next().unwrap());
        officer.get(&answer).await.is(200);
        two.get(&answer).await.is(403);
        let id = path.strip_prefix("/enquiries/").unwrap();
        let viewed = || async {
            let log = web.app.on().log().about(id).await.unwrap();
            log.iter().filter(|e| e.kind == "enquiry.answer_viewed").count()
        };
        assert_eq!(viewed().await, 2);
        // The holder is told, by the number alone, and finds its own record.
        let sources: std::collections::BTreeSet<String> = rows
            .iter()
            .flat_map(|r| r["sources"].as_array().unwrap())
            .map(|s| s["holder"].as_str().unwrap().to_owned())
            .collect();
        let mut told = 0;
        for (key, desk) in [
            ("hospital_a", "hospital_a_desk"),
            ("hospital_b", "hospital_b_desk"),
            ("municipality", "municipality_desk"),
        ] {
            let name = &web.parties.organization[key].name;
            let mut desk = web.signed_in(desk).await;
            let charts = format!("{path}/charts");
            if sources.contains(name) {
                desk.get("/home").await.shows("照会のために診療録を確かめる");
                desk.get(&charts).await.is(200).shows("band-named");
                told += 1;
            } else {
                desk.get("/home").await.hides("照会のために診療録を確かめる");
                desk.get(&charts).await.is(404);
            }
        }
        assert_eq!(told, sources.len());
        let mut secretary = web.signed_in("secretary").await;
        let mails = secretary.call("GET", "/outbox", &json!({})).await.json();
        let mails = mails["rows"].as_array().unwrap();
        assert!(mails.iter().any(|m| m["body"].as_str().unwrap().contains(id)));
        assert!(mails.iter().all(|m| !m["body"].as_str().unwrap().contains("架空")));

        // Its last day, and the day after.
        let pack = web.app.on().dir().join("enquiries").join(format!("{id}.age"));
        assert!(pack.exists());
        let today = web.app.on().today();
        web.clock.set_date(day_after(today, 14));
        let mut officer = web.signed_in("regulator").await;
        officer.get(&answer).await.is(200);
        web.clock.set_date(day_after(today, 15));
        let mut officer = web.signed_in("regulator").await;
        officer.get(&answer).await.is(410).shows("期限");
        officer.get(&path).await.is(200).hides("回答を閲覧する（");
        assert_eq!(viewed().await, 3);
        assert!(!pack.exists(), "what has expired is gone");
    });
}

#[test]
fn a_stop_takes_away_what_lies_here_for_the_regulator() {
    run(|| async {
        let site = site::delivered().copy().await;
        let who = in_both(&site, "hospital_a")[0].clone();
        let (web, _, submission) = submitted_at(site).await;
        let mut officer = web.signed_in("regulator").await;
        let path = asked(&mut officer, &submission).await;
        for key in ["enquiry", "enquiry_2"] {
            let mut seat = web.signed_in(key).await;
            seat.get(&path).await.is(200);
            seat.post(&format!("{path}/unlock"), &[]).await.is(303);
        }
        let (answer, package) = (format!("{path}/answer"), format!("{submission}/package"));
        let mut one = web.signed_in("enquiry").await;
        one.get(&path).await;
        one.post(&answer, &[("text", "一致していました。")]).await.is(303);
        officer.get(&answer).await.is(200);
        officer.get(&package).await.is(200);
        let dir = web.app.on().dir().to_owned();
        let file = |path: &str, of: &str| {
            dir.join(of).join(format!("{}.age", path.rsplit('/').next().unwrap()))
        };
        let lying = [file(&path, "enquiries"), file(&submission, "submissions")];
        assert!(lying.iter().all(|f| f.exists()));

        let (on, intake) = (web.app.on(), web.parties.actor("intake").unwrap());
        let asked = request("hospital_a", &who, "紙-9", on.today());
        let stop = kiban_journeys::record_stop(on, &intake, &asked).await.unwrap().stop.id;
        let done = kiban_journeys::apply_stop(on, &intake, stop).await.unwrap();
        assert_eq!(done.open, []);
        assert!(lying.iter().all(|f| !f.exists()), "gone with the stop");
        officer.get(&answer).await.is(410).shows("提供停止");
        officer.get(&package).await.is(410);
        officer.get(&path).await.is(200).hides("回答を閲覧する（");
        let key = [on.log().verify_key().clone()];
        let Sheet::Case { stores, .. } = proof::verify(done.proof().unwrap(), &key).unwrap() else {
            panic!("of a case")
        };
        let counts = &stores.iter().find(|s| s.store == "packages").unwrap().counts;
        assert_eq!((counts["answers"], counts["submissions"]), (1, 1));
    });
}
