//! The mapping bench on its pages: seen, proposed, signed by another, and found again in the catalogue.

use kiban_journeys::{
    Parties,
    map_codes::{NewMaster, import_master},
};
use serde_json::json;

use crate::support::{run, site, web::Web};

const LOCAL: &str = "urn:oid:1.2.392.200119.4.1005|3B035";
const AST: &str = "3B035000002327201";
const MASTER: &str = "JLAC10コード,項目名,単位,材料\n\
    3B035000002327201,アスパラギン酸アミノトランスフェラーゼ(AST),U/L,血清\n\
    3B045000002327201,アラニンアミノトランスフェラーゼ(ALT),U/L,血清\n";

#[test]
fn a_mapping_is_seen_proposed_and_signed_by_another_on_the_pages() {
    run(|| async {
        let web = Web::of(site::linked().copy().await);
        let holder = Parties::organization_id("hospital_b").to_string();
        let local = LOCAL.replace(':', "%3A").replace('|', "%7C");
        let new = format!("/mappings/new?system=jlac10&holder={holder}&local={local}");
        let mut intake = web.signed_in("intake").await;
        intake.get("/mappings").await.is(200).shows("取り込んだマスターはありません");
        intake.get("/mappings/items?table=measurement&unmapped=on").await.is(200).shows(LOCAL);
        // Without a master the page says what is to be done, and offers no form.
        intake.get(&new).await.is(200).shows("import-master").hides("name=\"code\"");
        let master = NewMaster {
            bytes: MASTER.as_bytes(),
            layout: "jlac10",
            edition: "2026-04",
            source: "試験用（架空）",
        };
        let actor = web.parties.actor("intake").unwrap();
        import_master(web.app.on(), &actor, &master).await.unwrap();
        intake.get(&new).await.is(200).shows(AST).shows("名称の類似度");
        intake.get("/mappings/new?system=jlac10&holder=x&local=y").await.is(404);

        let fields = |code: &'static str, unit_to: &'static str| {
            [
                ("system", "jlac10"),
                ("holder", holder.as_str()),
                ("local", LOCAL),
                ("code", code),
                ("unit_to", unit_to),
                ("from", "2000-01-01"),
            ]
            .map(|(name, value)| (name, value.to_owned()))
        };
        let pairs =
            |of: &[(&'static str, String); 6]| -> Vec<(&'static str, String)> { of.to_vec() };
        for (code, unit) in [("3B035000002327299", ""), (AST, "U/L")] {
            let of = pairs(&fields(code, unit));
            let of: Vec<(&str, &str)> = of.iter().map(|(n, v)| (*n, v.as_str())).collect();
            intake.post("/mappings", &of).await.is(422);
        }
        let of = pairs(&fields(AST, ""));
        let of: Vec<(&str, &str)> = of.iter().map(|(n, v)| (*n, v.as_str())).collect();
        intake.post("/mappings", &of).await.is(303);
        intake
            .get("/mappings/1")
            .await
            .is(200)
            .shows("自分の提案は承認できません")
            .hides("/mappings/1/sign");
        intake.post("/mappings/1/sign", &[]).await.is(409);

        // Another person signs; who only looks cannot, and a researcher sees nothing of it.
        let mut auditor = web.signed_in("auditor").await;
        auditor.get("/mappings/1").await.is(200).hides("</textarea>");
        auditor.post("/mappings/1/sign", &[]).await.is(403);
        let mut researcher = web.signed_in("researcher_university").await;
        researcher.get("/mappings").await.is(403);
        researcher
            .get("/catalogue/tables/measurement")
            .await
            .is(200)
            .shows("署名済みの対応付け</dt><dd>0件");
        let mut processor = web.signed_in("processor").await;
        processor.get("/mappings/1").await.is(200).shows("承認すると").shows("<svg");
        processor.post("/mappings/1/sign", &[]).await.is(303);
        processor.post("/mappings/1/sign", &[]).await.is(409);
        processor.get("/mappings/2").await.is(404);
        processor.get("/mappings").await.is(200).shows("承認済み");
        researcher
            .get("/catalogue/tables/measurement")
            .await
            .is(200)
            .shows("署名済みの対応付け</dt><dd>1件")
            .shows("measurement.standard_value");

        // The interface says the same, and takes a withdrawal with its reason only.
        let shown = processor.call("GET", "/mappings/1", &json!({})).await.json();
        assert_eq!((&shown["mapping"]["signed"], &shown["own"]), (&json!(true), &json!(false)));
        processor.call("POST", "/mappings/1/withdraw", &json!({})).await.is(422);
        processor.call("POST", "/mappings/1/withdraw", &json!({ "reason": "誤り" })).await.is(200);
        processor.get("/mappings").await.shows("取下げ");
    });
}
