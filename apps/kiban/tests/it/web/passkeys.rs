//! Signing in outside a demo: invitations, passkeys of an authenticator in software, and cheats.

use kiban_journeys::sign_in;
use kiban_testkit::{Authenticator, Got};
use kiban_web::Settings;
use serde_json::{Value, json};

use crate::support::{
    run,
    site::{self, day_after},
    web::{Reply, Visitor, Web},
};

const ORIGIN: &str = "http://localhost:8080";

async fn deployed() -> Web {
    let settings = Settings { origin: Some(ORIGIN.to_owned()), ..Settings::default() };
    Web::with(site::registered().copy().await, settings)
}

fn b64(bytes: &[u8]) -> String {
    sign_in::encode(bytes)
}

fn answer(of: &Authenticator, got: &Got) -> Value {
    json!({
        "credential": b64(&of.id),
        "user": b64(&of.user),
        "client_data": b64(&got.client_data),
        "authenticator_data": b64(&got.authenticator_data),
        "signature": b64(&got.signature),
    })
}

/// The code of an invitation that the security officer made.
async fn code(web: &Web, key: &str) -> String {
    let (officer, account) =
        (web.parties.actor("security").unwrap(), web.parties.actor(key).unwrap());
    sign_in::invite(web.app.on(), &officer, account.account).await.unwrap().code
}

async fn begun(visitor: &mut Visitor, path: &str, body: &Value) -> Value {
    let reply = visitor.call("POST", path, body).await;
    reply.is(200);
    reply.json()
}

fn challenge(asked: &Value) -> String {
    asked["challenge"].as_str().unwrap().to_owned()
}

/// Enrols an authenticator with a code.
async fn enrol(web: &Web, of: &mut Authenticator, code: &str) -> Reply {
    let mut visitor = web.visitor();
    visitor.get("/enrol").await.is(200);
    let asked = begun(&mut visitor, "/enrol/begin", &json!({ "code": code })).await;
    assert_eq!((&asked["party"], &asked["algorithms"][0]), (&json!("localhost"), &json!(-7)));
    let user = sign_in::decode(asked["user"].as_str().unwrap()).unwrap();
    let made = of.create(&challenge(&asked), &user);
    // Making the key counted, too.
    of.count += 1;
    let body = json!({ "client_data": b64(&made.client_data), "object": b64(&made.object) });
    visitor.call("POST", "/enrol/finish", &body).await
}

/// A visitor who was asked to sign in, and the challenge.
async fn asked(web: &Web) -> (Visitor, String) {
    let mut visitor = web.visitor();
    visitor.get("/sign-in").await.is(200).shows("パスキーでサインイン");
    let asked = begun(&mut visitor, "/sign-in/begin", &json!({})).await;
    (visitor, challenge(&asked))
}

/// Signs in; the visitor and what came back.
async fn sign_in(web: &Web, of: &mut Authenticator) -> (Visitor, Reply) {
    let (mut visitor, challenge) = asked(web).await;
    let reply = visitor.call("POST", "/sign-in/finish", &answered(of, &challenge)).await;
    if reply.status == 200 {
        reply.json()["csrf"].as_str().unwrap().clone_into(&mut visitor.csrf);
    }
    (visitor, reply)
}

pub(super) async fn enrolled(web: &Web, key: &str) -> Authenticator {
    let mut of = Authenticator::p256(ORIGIN);
    let code = code(web, key).await;
    enrol(web, &mut of, &code).await.is(200);
    of
}

async fn events(web: &Web, kind: &str) -> usize {
    let log = web.app.on().log();
    let events = log.events(0, log.size().await.unwrap()).await.unwrap();
    events.iter().filter(|e| e.kind == kind).count()
}

#[test]
fn an_invited_person_enrols_once_and_signs_in_with_two_factors() {
    run(|| async {
        let web = deployed().await;
        let first = code(&web, "processor").await;
        let second = code(&web, "processor").await;
        let mut visitor = web.visitor();
        visitor.get("/enrol").await.is(200).shows("登録コード").shows("/assets/passkey.js");
        // A replaced code, and one that never was.
        for wrong in [first.as_str(), "AAAA-AAAA-AAAA-AAAA"] {
            let reply = visitor.call("POST", "/enrol/begin", &json!({ "code": wrong })).await;
            reply.is(403);
            assert_eq!(reply.json()["type"], "/problems/sign_in_refused");
        }
        let mut of = Authenticator::ed25519(ORIGIN);
        enrol(&web, &mut of, &second.to_lowercase().replace('-', " ")).await.is(200);
        let used = visitor.call("POST", "/enrol/begin", &json!({ "code": second })).await;
        used.is(403);
        for _ in 0..2 {
            let (mut visitor, reply) = sign_in(&web, &mut of).await;
            reply.is(200);
            visitor.get("/home").await.is(200).shows("加工担当者").hides("デモ：");
        }
        assert_eq!(events(&web, "account.enrolled").await, 1);
        assert_eq!(events(&web, "account.signed_in").await, 2);
        // The same authenticator is not taken for a second account.
        let other = code(&web, "examiner").await;
        enrol(&web, &mut of, &other).await.is(409);
        // A demo has no passkeys, a deployment no picker.
        let demo = Web::of(site::registered().copy().await);
        let mut visitor = demo.visitor();
        visitor.get("/enrol").await.is(200).shows("使いません").hides("<script");
        // Its pages of passkeys hold no token; with one of another page there is still nothing to enrol.
        visitor.call("POST", "/enrol/begin", &json!({ "code": second })).await.is(403);
        visitor.get("/sign-in").await.is(200);
        visitor.call("POST", "/enrol/begin", &json!({ "code": second })).await.is(404);
    });
}

#[test]
fn cheats_do_not_sign_in() {
    run(|| async {
        let web = deployed().await;
        let mut of = enrolled(&web, "processor").await;
        let refused = async |change: &dyn Fn(&mut Authenticator), of: &mut Authenticator| {
            let (origin, party, flags) = (of.origin.clone(), of.party.clone(), of.flags);
            change(of);
            let (mut visitor, reply) = sign_in(&web, of).await;
            reply.is(403);
            assert_eq!(visitor.get("/home").await.location(), "/sign-in");
            (of.origin, of.party, of.flags) = (origin, party, flags);
        };
        refused(&|a| a.origin = "https://localhost.evil.example".to_owned(), &mut of).await;
        refused(&|a| a.party = "evil.example".to_owned(), &mut of).await;
        refused(&|a| a.flags = 0x01, &mut of).await;
        refused(&|a| a.user = vec![9; 16], &mut of).await;
        of.user = web.parties.actor("processor").unwrap().account.to_bytes().to_vec();
        // Another key under the id of a known one.
        let mut forged = Authenticator::p256(ORIGIN);
        forged.id.clone_from(&of.id);
        let (_, reply) = sign_in(&web, &mut forged).await;
        let (_, unknown) = sign_in(&web, &mut Authenticator::p256(ORIGIN)).await;
        assert_eq!(reply.json()["detail"], unknown.is(403).json()["detail"], "nothing is learnt");
        // An answer sent twice, and one that another visitor was asked for.
        let (mut visitor, challenge) = asked(&web).await;
        let sent = answered(&mut of, &challenge);
        let (mut thief, _) = asked(&web).await;
        thief.call("POST", "/sign-in/finish", &sent).await.is(403);
        visitor.call("POST", "/sign-in/finish", &sent).await.is(200);
        visitor.get("/sign-in").await;
        visitor.call("POST", "/sign-in/finish", &sent).await.is(403);
        // Too late by a second.
        let (mut visitor, challenge) = asked(&web).await;
        let sent = answered(&mut of, &challenge);
        web.clock.pass(301);
        visitor.call("POST", "/sign-in/finish", &sent).await.is(403);
    });
}

/// A visitor signed in with an authenticator.
pub(super) async fn signed_in(web: &Web, of: &mut Authenticator) -> Visitor {
    let (visitor, reply) = sign_in(web, of).await;
    reply.is(200);
    visitor
}

/// What an authenticator answers to a challenge.
pub(super) fn answered(of: &mut Authenticator, challenge: &str) -> Value {
    let got = of.get(challenge);
    answer(of, &got)
}

#[test]
fn a_copied_key_is_revoked_on_the_record() {
    run(|| async {
        let web = deployed().await;
        let mut of = enrolled(&web, "processor").await;
        let (_, reply) = sign_in(&web, &mut of).await;
        reply.is(200);
        of.count = 1;
        let (_, reply) = sign_in(&web, &mut of).await;
        reply.is(403);
        assert!(reply.json()["detail"].as_str().unwrap().contains("複製"), "{}", reply.body);
        assert_eq!(events(&web, "account.passkey_suspect").await, 1);
        // Neither the copy nor the original is good any more.
        of.count = 1_000;
        let (_, reply) = sign_in(&web, &mut of).await;
        reply.is(403);
        let mut again = enrolled(&web, "processor").await;
        let (_, reply) = sign_in(&web, &mut again).await;
        reply.is(200);
    });
}

#[test]
fn an_act_that_cannot_be_taken_back_asks_again_who_sits_there() {
    run(|| async {
        let web = deployed().await;
        let mut of = enrolled(&web, "security").await;
        let mut another = enrolled(&web, "processor").await;
        let (mut officer, reply) = sign_in(&web, &mut of).await;
        reply.is(200);
        let examiner = web.account("examiner");
        let path = format!("/accounts/{examiner}/invite");
        // Just signed in: that is enough.
        officer.get("/accounts").await.is(200).shows("data-confirm").shows("取扱-0005");
        officer.post(&path, &[]).await.is(200).shows("登録コード");
        let none = begun(&mut officer, "/confirm/begin", &json!({})).await;
        assert_eq!(none["needed"], false);
        web.clock.pass(301);
        officer.post(&path, &[]).await.is(403).shows("data-passkey=\"confirm\"");
        let refused = officer.call("POST", &path, &json!({})).await;
        assert_eq!(refused.is(403).json()["type"], "/problems/confirm");
        // Another account's passkey does not confirm this one.
        let asked = begun(&mut officer, "/confirm/begin", &json!({})).await;
        assert_eq!(asked["allowed"], json!([b64(&of.id)]));
        let wrong = answered(&mut another, &challenge(&asked));
        officer.call("POST", "/confirm/finish", &wrong).await.is(403);
        officer.call("POST", &path, &json!({})).await.is(403);
        let asked = begun(&mut officer, "/confirm/begin", &json!({})).await;
        // An answer for a confirmation is none for a sign-in.
        let right = answered(&mut of, &challenge(&asked));
        let (mut stranger, _) = self::asked(&web).await;
        stranger.call("POST", "/sign-in/finish", &right).await.is(403);
        officer.call("POST", "/confirm/finish", &right).await.is(200);
        officer.call("POST", &path, &json!({})).await.is(200);
        assert_eq!(events(&web, "account.confirmed").await, 1);
        // What is no such act is not asked about.
        web.clock.pass(301);
        officer.get("/accounts").await.is(200);
        // A lost device: the keys are revoked and the session ends.
        let (mut processor, reply) = sign_in(&web, &mut another).await;
        reply.is(200);
        let asked = begun(&mut officer, "/confirm/begin", &json!({})).await;
        let right = answered(&mut of, &challenge(&asked));
        officer.call("POST", "/confirm/finish", &right).await.is(200);
        let revoke = format!("/accounts/{}/revoke", web.account("processor"));
        officer.call("POST", &revoke, &json!({})).await.is(200);
        assert_eq!(processor.get("/home").await.location(), "/sign-in");
        let (_, reply) = sign_in(&web, &mut another).await;
        reply.is(403);
    });
}

#[test]
fn training_out_of_date_closes_the_door_and_ends_the_session() {
    run(|| async {
        let web = deployed().await;
        let mut of = enrolled(&web, "processor").await;
        let mut researcher = enrolled(&web, "researcher_university").await;
        // The last day on which the training of the parties' description is in date.
        let last = "2026-01-06".parse().unwrap();
        web.clock.set_date(last);
        // 23:50 of that day: the session outlives it, the right does not.
        web.clock.pass(14 * 3600 + 50 * 60);
        let (mut processor, reply) = sign_in(&web, &mut of).await;
        reply.is(200);
        processor.get("/home").await.is(200);
        web.clock.pass(15 * 60);
        assert_eq!(web.app.on().today(), day_after(last, 1));
        assert_eq!(processor.get("/home").await.location(), "/sign-in");
        let (_, reply) = sign_in(&web, &mut of).await;
        assert_eq!(reply.is(403).json()["type"], "/problems/barred");
        reply.shows("2026-01-06").shows("教育");
        // Who need not be on the list signs in.
        let (_, reply) = sign_in(&web, &mut researcher).await;
        reply.is(200);
        // No invitation helps; a training does.
        let (officer, account) = (
            web.parties.actor("security").unwrap(),
            web.parties.actor("processor").unwrap().account,
        );
        assert!(sign_in::invite(web.app.on(), &officer, account).await.is_err());
        let to_come = day_after(last, 9);
        let on = web.app.on();
        assert!(sign_in::record_training(on, &officer, account, to_come, "年次").await.is_err());
        let today = day_after(last, 1);
        sign_in::record_training(on, &officer, account, today, "年次").await.unwrap();
        let (_, reply) = sign_in(&web, &mut of).await;
        reply.is(200);
    });
}
