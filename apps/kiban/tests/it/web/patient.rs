//! A patient stops, on the page: to the desk, to the register, to every store, and back to the patient.

use crate::support::{files, run, site, web::Web};

#[test]
fn a_patient_asks_the_desk_answers_every_store_acknowledges_and_the_auditor_sees_who_looked() {
    run(|| async {
        let site = site::linked().copy().await;
        let list = site.dir.join("country/holders/hospital_a/notices.csv");
        let local = files::csv_rows(&list)[0]["local_id"].clone();
        let holder = kiban_journeys::Parties::organization_id("hospital_a").to_string();
        let web = Web::of(site);

        // Four steps, without script.
        let mut patient = web.visitor();
        patient.get("/").await.is(200).shows("提供を止める");
        patient.get("/stop").await.is(200).shows("架空総合病院");
        let step = format!("/stop/person?holder={holder}&requester=guardian");
        patient.get(&step).await.is(200).shows("患者さんの氏名");
        let fields = [
            ("holder", holder.as_str()),
            ("requester", "guardian"),
            ("name", "架空 <b>花子</b>"),
            ("birth", "平成20年4月1日"),
            ("local_id", ""),
            ("contact", "架空市 000-0000-0000"),
            ("regimes", "both"),
            ("electronic", "on"),
        ];
        // What is missing is said beside the field, and nothing that was written is lost.
        let mut missing = fields;
        missing[2].1 = " ";
        patient
            .post("/stop/confirm", &missing)
            .await
            .is(422)
            .shows("平成20年4月1日")
            .shows("患者さんの氏名を記入してください。");
        patient
            .post("/stop/confirm", &fields)
            .await
            .is(200)
            .shows("架空 &#60;b&#62;花子&#60;/b&#62;");
        let done = patient.post("/stop", &fields).await;
        done.is(200).shows("窓口に送りました");
        let number = done.body.split("<strong><code>").nth(1).unwrap().split('<').next().unwrap();
        patient.post("/stop/status", &[("number", number)]).await.is(200).shows("まだです");
        patient.post("/stop/status", &[("number", "0000-0000-0000")]).await.is(404);

        // Nobody's name stands in the database in the clear.
        let rows: Vec<String> = sealed(&web).await;
        assert!(rows.iter().all(|sealed| !sealed.is_empty() && !sealed.contains("花子")));

        // Another holder's desk does not have it.
        let mut other = web.signed_in("hospital_b_desk").await;
        other.get("/desk").await.is(200).shows("求めは届いていません");
        let mut desk = web.signed_in("hospital_a_desk").await;
        let page = desk.get("/desk").await;
        let path = page.body.split("href=\"").find(|p| p.starts_with("/desk/requests/")).unwrap();
        let path = path.split('"').next().unwrap().to_owned();
        other.get(&path).await.is(404);
        other.post(&format!("{path}/open"), &[]).await.is(404);
        desk.get(&path).await.is(200).hides("花子");
        desk.post(&format!("{path}/open"), &[]).await.is(200).shows("花子").shows("顕名");
        let receipt = [
            ("local_id", local.as_str()),
            ("receipt_number", "停-試験-1"),
            ("evidence", "本人確認書類の写し"),
        ];
        let reply = desk.post(&format!("{path}/receipt"), &receipt).await;
        reply.is(303);
        let sheet = reply.location().to_owned();
        desk.get(&sheet).await.is(200).shows("受付書面").shows("停-試験-1");
        desk.post(&format!("{path}/receipt"), &receipt).await.is(409);
        let sheet = desk.get(&format!("{path}/receipt.pdf")).await;
        if let Some(text) = super::documents::text_of(&sheet) {
            let said = ["受付書面", "架空総合病院", "受付番号", "停-試験-1", "停止する提供"];
            super::documents::in_order(&text, &said.map(str::to_owned));
        }
        other.get(&format!("{path}/receipt.pdf")).await.is(404);
        desk.post(&format!("{path}/open"), &[]).await.is(409);
        assert!(sealed(&web).await.iter().all(String::is_empty), "what was written is gone");

        // The producer's matrix, and every store.
        let mut intake = web.signed_in("intake").await;
        let matrix = intake.get("/stops").await;
        matrix.is(200).shows("停-試験-1").shows("未確認");
        let apply = matrix.body.split("action=\"").find(|p| p.starts_with("/stops/")).unwrap();
        let apply = apply.split('"').next().unwrap().to_owned();
        let mut security = web.signed_in("security").await;
        security.get("/stops").await.is(200).shows("停-試験-1");
        security.post(&apply, &[]).await.is(403);
        intake.post(&apply, &[]).await.is(303);
        intake.get("/stops").await.shows("処理完了証").hides("未確認");
        patient
            .post("/stop/status", &[("number", number)])
            .await
            .is(200)
            .shows("すべて終わりました");

        // Who saw whom.
        let mut auditor = web.signed_in("auditor").await;
        auditor.get("/audit").await.is(200);
        let search =
            [("holder", holder.as_str()), ("local_id", local.as_str()), ("openings", "on")];
        let found = auditor.post("/audit/search", &search).await;
        found.is(200).shows("identified.opened").shows("架空総合病院").hides("花子");
        auditor.post("/audit/verify", &[]).await.is(200).shows("すべて一致しました");
    });
}

async fn sealed(web: &Web) -> Vec<String> {
    let pool = web.app.on().log().db().pool();
    kiban_audit::sqlx::query_scalar("SELECT sealed FROM journeys_stop_request")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[test]
fn a_stop_that_waits_too_long_is_overdue() {
    run(|| async {
        let site = site::linked().copy().await;
        let list = site.dir.join("country/holders/hospital_a/notices.csv");
        let local = files::csv_rows(&list)[0]["local_id"].clone();
        let day = site.on.today();
        let request = kiban_journeys::StopRequest {
            holder: kiban_journeys::Parties::organization_id("hospital_a"),
            local_id: local,
            regimes: kiban_journeys::kernel::Bases::BOTH,
            requested_on: day,
            receipt_number: "停-9".into(),
            requester: kiban_journeys::stop::Requester::Person,
            evidence: "本人確認".into(),
            scope: kiban_journeys::stop::Scope::Holder,
            identities: Vec::new(),
        };
        kiban_journeys::record_stop(&site.on, &site.actor("intake"), &request).await.unwrap();
        let web = Web::of(site);
        let mut intake = web.signed_in("intake").await;
        intake.get("/stops").await.hides("期限超過");
        web.clock.set_date(site::day_after(day, 8));
        let mut intake = web.signed_in("intake").await;
        intake.get("/stops").await.shows("期限超過");
        intake.get("/home").await.shows("期限超過");
    });
}
