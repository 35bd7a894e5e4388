//! Forms of other sites, fixed sessions, scripts in texts, headers, brute force, bodies without end.

use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
};
use kiban_web::Settings;
use serde_json::json;

use crate::support::{run, site, web::Web};

fn graded(headers: &HeaderMap) {
    let of = |name: &str| headers.get(name).map_or("", |v| v.to_str().unwrap());
    let policy = of("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"));
    assert_eq!(of("x-content-type-options"), "nosniff");
    assert_eq!(of("x-frame-options"), "DENY");
    assert_eq!(of("referrer-policy"), "same-origin");
    assert_eq!(of("cross-origin-opener-policy"), "same-origin");
    assert!(of("permissions-policy").contains("camera=()"));
}

#[test]
fn every_answer_carries_the_headers_and_nothing_stands_in_line() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut visitor = web.visitor();
        for path in [
            "/",
            "/projects",
            "/stop",
            "/sign-in",
            "/catalogue",
            "/nowhere",
            "/api/v1/nowhere",
            "/api/v1/projects",
            "/assets/site.css",
        ] {
            let reply = visitor.get(path).await;
            graded(&reply.headers);
            let page = !path.starts_with("/assets");
            assert_eq!(page, reply.headers[header::CACHE_CONTROL] == "no-store", "{path}");
            for in_line in ["<script>", " style=", "<style", " onclick=", "javascript:"] {
                assert!(!page || !reply.body.contains(in_line), "{path} has {in_line}");
            }
            // Scripts are files of ours, or there are none.
            for tag in reply.body.split("<script").skip(1).filter(|_| page) {
                assert!(tag.starts_with(" src=\"/assets/"), "{path}: {tag}");
            }
        }
        assert_eq!(visitor.get("/nowhere").await.status, 404);
        assert_eq!(visitor.get("/api/v1/nowhere").await.json()["status"], 404);
        // Over TLS the cookie is tied to the host, and the browser is told to stay with TLS.
        let site = site::registered().copy().await;
        let secure = Web::with(site, Settings { demo: true, secure: true, ..Settings::default() });
        let mut visitor = secure.visitor();
        let reply = visitor.get("/sign-in").await;
        let cookie = reply.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
        assert!(reply.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    });
}

#[test]
fn a_form_of_another_site_is_refused_and_a_session_cannot_be_fixed() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let account = web.account("secretary");
        let mut visitor = web.visitor();
        let first = visitor.get("/sign-in").await;
        let set = first.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
        let planted = visitor.cookie.clone();
        // Without the token, with another visitor's token, with a token and no cookie: refused.
        let token = std::mem::take(&mut visitor.csrf);
        visitor.post("/sign-in", &[("account", &account)]).await.is(403);
        let mut other = web.visitor();
        other.get("/sign-in").await;
        visitor.csrf.clone_from(&other.csrf);
        visitor.post("/sign-in", &[("account", &account)]).await.is(403);
        visitor.csrf = token;
        let cookie = visitor.cookie.take();
        visitor.post("/sign-in", &[("account", &account)]).await.is(403);
        visitor.cookie = cookie;
        // From another site, whatever it knows.
        let request = Request::post("/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "cross-site")
            .body(Body::from(format!("csrf={}&account={account}", visitor.csrf)))
            .unwrap();
        visitor.send(request).await.is(403);
        // Signing in changes the cookie; the planted one stands for nobody.
        visitor.get("/sign-in").await;
        visitor.post("/sign-in", &[("account", &account)]).await.is(303);
        assert_ne!(visitor.cookie, planted);
        visitor.get("/home").await.is(200).shows("審査委員会事務局");
        let mut thief = web.visitor();
        thief.cookie = planted;
        assert_eq!(thief.get("/home").await.location(), "/sign-in");
        // Signed out, the old cookie stands for nobody.
        let mut kept = visitor.clone();
        visitor.post("/sign-out", &[]).await.is(303);
        assert_eq!(kept.get("/home").await.location(), "/sign-in");
    });
}

#[test]
fn without_demo_there_is_no_picker() {
    run(|| async {
        let site = site::registered().copy().await;
        let web = Web::with(site, Settings::default());
        let mut visitor = web.visitor();
        let account = web.account("secretary");
        visitor.get("/sign-in").await.is(200).hides(&account).shows("設定されていません");
        visitor.get("/stop").await;
        visitor.csrf =
            visitor.get("/api/v1/sign-in").await.json()["csrf"].as_str().unwrap().to_owned();
        visitor.post("/sign-in", &[("account", &account)]).await.is(404);
        visitor.get("/").await.is(200).hides("デモ：");
    });
}

#[test]
fn trying_often_is_slowed_and_bodies_are_bounded() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut visitor = web.visitor();
        visitor.get("/stop/status").await;
        let mut answers = Vec::new();
        for n in 0..20 {
            let number = format!("0000-0000-{n:04}");
            answers
                .push(visitor.post("/stop/status", &[("number", &number)]).await.status.as_u16());
        }
        assert!(
            answers[..12].iter().all(|s| *s == 404) && answers[12..].iter().all(|s| *s == 429),
            "{answers:?}"
        );
        // Others are not held up.
        let mut other = web.visitor();
        other.get("/stop/status").await;
        other.post("/stop/status", &[("number", "0000-0000-0000")]).await.is(404);
        let mut researcher = web.signed_in("researcher_university").await;
        researcher.get("/applications/new").await;
        let long = "x".repeat(600 * 1024);
        researcher.post("/applications", &[("purpose", &long)]).await.is(413);
    });
}

#[test]
fn what_people_write_is_shown_and_never_run() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        researcher.get("/applications/new").await.is(200);
        let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
        let reply = researcher.post("/applications", &[("title", evil), ("purpose", evil)]).await;
        let page = reply.location().to_owned();
        for path in [
            page.clone(),
            "/applications".into(),
            "/home".into(),
            format!("{page}/edit"),
            format!("{page}/print"),
        ] {
            researcher.get(&path).await.is(200).hides("<script>alert").hides("<img src=x");
        }
        // What is sent back with a fault is text as well.
        let reply = researcher.post("/applications", &[("title", evil), ("data_from", evil)]).await;
        reply.is(422).hides("<script>alert").hides("<img src=x");
        // An address that does not exist shows nothing of itself.
        let reply = researcher.get("/%3Cscript%3Ealert(1)%3C/script%3E").await;
        reply.is(404).hides("<script>alert");
    });
}

#[test]
fn programs_need_the_token_too_and_get_problem_documents() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut program = web.visitor();
        let csrf = program.get("/api/v1/sign-in").await.json()["csrf"].as_str().unwrap().to_owned();
        let body = json!({ "account": web.account("researcher_university") });
        program.csrf = "00".repeat(32);
        let refused = program.call("POST", "/sign-in", &body).await;
        refused.is(403);
        assert_eq!(refused.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(refused.json()["type"], "/problems/token");
        program.csrf = csrf;
        let reply = program.call("POST", "/sign-in", &body).await;
        program.csrf = reply.json()["csrf"].as_str().unwrap().to_owned();
        let reply = program
            .call("POST", "/applications", &json!({ "title": "x", "data_from": "yesterday" }))
            .await;
        reply.is(422);
        assert_eq!(reply.json()["errors"][0]["field"], "data_from");
        let reply = program.call("POST", "/applications", &json!({ "title": "題名" })).await;
        reply.is(200);
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let case = program.call("GET", &format!("/applications/{id}"), &json!({})).await;
        assert_eq!(case.json()["id"], id.as_str());
        assert!(case.json().get("form").is_none(), "a form's token is not part of the data");
        // A form's content type is not taken for JSON.
        let request = Request::post("/api/v1/applications")
            .header(header::CONTENT_TYPE, "text/plain")
            .header("x-csrf-token", program.csrf.clone())
            .body(Body::from("{}"))
            .unwrap();
        program.send(request).await.is(400);
        let document = program.get("/api/v1/openapi.json").await.json();
        assert!(
            document["paths"]["/api/v1/applications/{id}/vote"]["post"]["x-act"]
                == "committee.vote"
        );
    });
}

#[test]
fn an_act_sent_twice_under_one_key_is_done_once() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut program = web.signed_in("researcher_university").await;
        program.get("/applications/new").await;
        let mut send = async |title: &str| {
            let request = Request::post("/api/v1/applications")
                .header(header::CONTENT_TYPE, "application/json")
                .header("x-csrf-token", program.csrf.clone())
                .header("idempotency-key", "k-1")
                .body(Body::from(json!({ "title": title }).to_string()))
                .unwrap();
            program.send(request).await
        };
        let (first, second) = (send("一つの申請").await, send("一つの申請").await);
        assert_eq!((first.status, &first.body), (second.status, &second.body));
        send("別の申請").await.is(409);
        let list = program.call("GET", "/applications", &json!({})).await;
        assert_eq!(list.json()["rows"].as_array().unwrap().len(), 1);
    });
}
