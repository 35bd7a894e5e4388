//! Every route × every account: the table decides, for pages and programs alike.

use kiban_journeys::Role;
use kiban_web::{
    Who,
    routes::{ROUTES, Row, Verb},
};
use serde_json::{Map, Value, json};

use crate::support::{run, site, web::Web};

/// An address with ids that exist nowhere.
fn path_of(row: &Row) -> String {
    row.path
        .replace("/applications/{id}", "/applications/app_00000000000000000000000000")
        .replace("/datasets/{id}", "/datasets/dst_00000000000000000000000000")
        .replace("/findings/{finding}", "/findings/fnd_00000000000000000000000000")
        .replace("/deliveries/{id}", "/deliveries/dlv_00000000000000000000000000")
        .replace("/contracts/{id}", "/contracts/ctr_00000000000000000000000000")
        .replace("/stops/{id}", "/stops/stp_00000000000000000000000000")
        .replace("{attachment}", "evt_00000000000000000000000001")
        .replace("/users/{id}", "/users/crt_00000000000000000000000001")
        .replace("/outputs/{id}", "/outputs/evt_00000000000000000000000001")
        .replace("/submissions/{id}", "/submissions/evt_00000000000000000000000001")
        .replace("/enquiries/{id}", "/enquiries/evt_00000000000000000000000001")
        .replace("/recalls/{id}", "/recalls/evt_00000000000000000000000001")
        .replace("/cases/{id}", "/cases/app_00000000000000000000000000")
        .replace("/uses/{id}", "/uses/dst_00000000000000000000000000")
        .replace("/mappings/{id}", "/mappings/9")
        .replace("/cases/{id}", "/cases/evt_00000000000000000000000001")
        .replace("{provider}", "nobody")
        .replace("/incidents/{id}", "/incidents/evt_00000000000000000000000001")
        .replace("/accounts/{id}", "/accounts/acc_00000000000000000000000001")
        .replace("/requests/{id}", "/requests/evt_00000000000000000000000000")
        .replace("{table}", "no_such_table")
}

/// A body that fits the fields.
fn body_of(row: &Row) -> Value {
    use kiban_web::routes::Kind;
    let mut out = Map::new();
    for field in row.fields.iter().filter(|f| f.required) {
        let value = match field.kind {
            Kind::Choice(of) => of[0].to_owned(),
            Kind::Day => "2026-04-01".to_owned(),
            Kind::Number => "1".to_owned(),
            Kind::Tick => "on".to_owned(),
            Kind::File(_) => "eA==".to_owned(),
            Kind::Line(_) | Kind::Text(_) | Kind::Lines(_) => "x".to_owned(),
        };
        out.insert(field.name.to_owned(), json!(value));
    }
    Value::Object(out)
}

#[test]
fn every_route_is_open_to_those_of_its_row_and_to_nobody_else() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut keys: Vec<Option<String>> = vec![None];
        keys.extend(web.parties.account.keys().map(|k| Some(k.clone())));
        let (mut opened, mut closed) = (0, 0);
        for key in keys {
            let actor = key.as_deref().map(|k| web.parties.actor(k).unwrap());
            let mut visitor = match &key {
                Some(key) => web.signed_in(key).await,
                None => web.visitor(),
            };
            if key.is_none() {
                visitor.get("/sign-in").await;
            }
            // Signing out comes last: it ends the visit.
            let mut rows: Vec<&Row> = ROUTES.iter().collect();
            rows.sort_by_key(|r| ["sign_in_as", "sign_out"].contains(&r.name));
            for row in rows.into_iter().filter(|r| r.name != "sign_in_as") {
                let reply = visitor.call(row.method.as_str(), &path_of(row), &body_of(row)).await;
                let status = reply.status.as_u16();
                let case = format!("{key:?} {} {}", row.method.as_str(), row.path);
                assert!(status < 500, "{case}: {status} {}", reply.body);
                let admitted = row.who.is_open_to(actor.as_ref());
                match (admitted, actor.is_some()) {
                    (true, _) => {
                        assert!(status != 401 && status != 403, "{case}: {status} {}", reply.body);
                        opened += 1;
                    }
                    (false, false) => {
                        assert_eq!(status, 401, "{case}");
                        closed += 1;
                    }
                    (false, true) => {
                        assert_eq!(status, 403, "{case}: {}", reply.body);
                        assert_eq!(reply.json()["type"], "/problems/role");
                        closed += 1;
                    }
                }
            }
        }
        assert!(opened > 400 && closed > 800, "{opened} open, {closed} closed");
    });
}

#[test]
fn an_act_is_open_exactly_to_whom_the_permission_table_permits_it() {
    for row in ROUTES {
        if let Who::Do(act) = row.who {
            for role in Role::ALL {
                for employer in kiban_journeys::Employer::ALL {
                    let zero = kiban_kernel::Id::from_bytes([0; 16]);
                    let org = kiban_kernel::Id::from_bytes([0; 16]);
                    let actor = kiban_journeys::Actor::new(zero, org, employer, [role]);
                    let by_table =
                        act.roles().contains(&role) && act.employers().contains(&employer);
                    assert_eq!(row.who.is_open_to(Some(&actor)), by_table, "{}", row.name);
                }
            }
        }
    }
}

#[test]
fn what_is_malformed_never_becomes_a_failure_of_ours() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        // Who may do most: a researcher, the secretariat, the manager, a desk, the auditor.
        for key in [
            "researcher_university",
            "secretary",
            "manager",
            "hospital_a_desk",
            "auditor",
            "intake",
        ] {
            let mut visitor = web.signed_in(key).await;
            for row in ROUTES.iter().filter(|r| !["sign_out", "sign_in_as"].contains(&r.name)) {
                let hostile = [
                    json!([1, 2]),
                    json!({ "unknown": "x" }),
                    json!({ row.fields.first().map_or("x", |f| f.name): "\u{0}'\"><script>alert(1)</script>" }),
                    json!({ row.fields.first().map_or("x", |f| f.name): "あ".repeat(70_000) }),
                    json!({ row.fields.first().map_or("x", |f| f.name): { "a": 1 } }),
                ];
                for body in hostile {
                    let path = row
                        .path
                        .replace("{id}", "%00..%2F'%22%3E")
                        .replace("{finding}", "x")
                        .replace("{table}", "..%2F..%2Fetc%2Fpasswd");
                    let reply = visitor.call(row.method.as_str(), &path, &body).await;
                    assert!(
                        reply.status.as_u16() < 500,
                        "{key} {} {path}: {} {}",
                        row.method.as_str(),
                        reply.status,
                        reply.body
                    );
                    if row.method == Verb::Post && row.fields.is_empty() {
                        break;
                    }
                }
            }
        }
    });
}
