//! The mapping bench: a hospital's own laboratory codes, from the list of items to what a product says.

use std::{collections::BTreeSet, fs, process::Command};

use kiban_journeys::{
    Error, Parties, ProduceRequest, Route,
    holder::Gate,
    kernel::Product,
    map_codes::{
        self, CodeItem, MappedTable, MappingId, MappingRefused, NewMapping, NewMaster, UnitRule,
    },
    release::finding::Decision,
};

use crate::support::{
    acts::{self, Wish},
    files, lake, run,
    site::{self, HOLDERS, Site},
};

const HOLDER: &str = "hospital_b";
const AST: &str = "3B035000002327201";
const GLUCOSE: &str = "3D010000001926101";
/// A master as an operator may bring it; invented but for the codes, which the check-up's table has as well.
const MASTER: &str = "JLAC10コード,項目名,単位,材料\n\
    3B035000002327201,アスパラギン酸アミノトランスフェラーゼ(AST),U/L,血清\n\
    3B045000002327201,アラニンアミノトランスフェラーゼ(ALT),U/L,血清\n\
    3D010000001926101,グルコース,mg/dL,血清\n\
    3C015000002327101,クレアチニン,mg/dL,血清\n\
    3B0,短いコード,U/L,血清\n";
const SPECIFICATION: &str = r#"
specification = { name = "codes" }
[k]
target = 1
[tables.person.columns.sex]
class = "quasi_identifier"
anonymized = "drop"
pseudonymized = "keep"
[tables.measurement.columns.code]
class = "sensitive_value"
anonymized = "drop"
pseudonymized = "keep"
[tables.measurement.columns.standard_code]
class = "sensitive_value"
anonymized = "drop"
pseudonymized = "keep"
[tables.measurement.columns.value_num]
class = "sensitive_value"
anonymized = "drop"
pseudonymized = "keep"
[tables.measurement.columns.standard_value]
class = "sensitive_value"
anonymized = "drop"
pseudonymized = "keep"
[tables.measurement.columns.standard_unit]
class = "insensitive"
anonymized = "drop"
pseudonymized = "keep"
"#;

/// The hospital writes its own codes: AST is GOT, and glucose GLU, in mmol/L.
fn own_codes(site: &Site) {
    let path = files::find(&site.source(HOLDER), |p| p.ends_with("Observation.ndjson"));
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let mut resource: serde_json::Value = serde_json::from_str(line).unwrap();
            let code =
                resource["code"]["coding"][0]["code"].as_str().unwrap_or_default().to_owned();
            let own = match code.as_str() {
                "3B035" => ("GOT", "ＧＯＴ"),
                "3D010" => ("GLU", "グルコース"),
                _ => return line.to_owned(),
            };
            resource["code"] = serde_json::json!({
                "coding": [{ "system": "urn:x-local:lab", "code": own.0, "display": own.1 }],
                "text": own.1,
            });
            if own.0 == "GLU" {
                let mg = resource["valueQuantity"]["value"].as_f64().unwrap();
                let mmol = (mg / 18.0156 * 100.0).round() / 100.0;
                resource["valueQuantity"] = serde_json::json!({ "value": mmol, "unit": "mmol/L" });
            }
            resource.to_string()
        })
        .collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
}

/// Everybody sent, with the hospital's own codes; linked.
async fn received(site: &Site) {
    own_codes(site);
    for holder in HOLDERS {
        let sealed = site.seal(holder, site.calendar.delivery_date, Gate::On).unwrap();
        site.receive(holder, &sealed.path).await;
    }
    site.clock.set_date(site.calendar.product_date);
    kiban_journeys::link_persons(&site.on, &site.actor("processor")).await.unwrap();
}

fn new(local: &str, code: &str, unit: Option<(&str, &str)>) -> NewMapping {
    NewMapping {
        system: "jlac10".into(),
        holder: Parties::organization_id(HOLDER).to_string(),
        local: local.into(),
        code: code.into(),
        unit: unit.map(|(from, to)| UnitRule {
            from: from.into(),
            to: to.into(),
            analyte: None,
            target_analyte: None,
        }),
        from: "2000-01-01".parse().unwrap(),
        until: None,
        replaces: None,
    }
}

async fn import(site: &Site) {
    let master = NewMaster {
        bytes: MASTER.as_bytes(),
        layout: "jlac10",
        edition: "2026-04",
        source: "試験用（架空）",
    };
    let imported =
        map_codes::import_master(&site.on, &site.actor("intake"), &master).await.unwrap();
    assert_eq!((imported.row.entries, imported.row.dropped, imported.known), (4, 1, false));
    let again = map_codes::import_master(&site.on, &site.actor("intake"), &master).await.unwrap();
    assert!(again.known && again.row.id == imported.row.id);
}

async fn item(site: &Site, local: &str) -> (CodeItem, Vec<CodeItem>) {
    let actor = site.actor("intake");
    let all = map_codes::code_items(&site.on, &actor, MappedTable::of("measurement"), None)
        .await
        .unwrap()
        .items;
    let holder = Parties::organization_id(HOLDER);
    let own = all.iter().find(|i| i.local == local && i.holder == holder).unwrap().clone();
    (own, all)
}

/// Rows and linked persons of a local code, counted from the lake's rows.
async fn recount(site: &Site, code: &str) -> (u64, u64) {
    let links = kiban_journeys::links(&site.on).await.unwrap();
    let rows = lake::rows(&site.on, "measurement").await;
    let own: Vec<_> = rows.iter().filter(|r| r.get("code").is_some_and(|c| c == code)).collect();
    let persons: BTreeSet<_> =
        own.iter().map(|r| links[&r["person_source"].parse().unwrap()]).collect();
    (own.len() as u64, persons.len() as u64)
}

/// `code`, `standard_code`, `standard_value`, `standard_unit`, `value_num` of an opened product's measurements.
fn measurements(
    site: &Site,
    wish: Wish,
    dataset: kiban_journeys::kernel::Id<kiban_journeys::kernel::kinds::Dataset>,
) -> Vec<[String; 5]> {
    let opened = acts::open(site, wish, dataset);
    files::csv_rows(&opened.join("data/measurement.csv"))
        .into_iter()
        .map(|r| {
            ["code", "standard_code", "standard_value", "standard_unit", "value_num"]
                .map(|c| r[c].clone())
        })
        .collect()
}

#[test]
fn a_signed_mapping_reaches_the_products_made_after_it_and_an_unsigned_one_none() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        received(&site).await;
        import(&site).await;
        let (intake, processor) = (site.actor("intake"), site.actor("processor"));

        // The item, counted as a recount counts it, and its best candidate.
        let (got, all) = item(&site, "urn:x-local:lab|GOT").await;
        let (rows, persons) = recount(&site, "GOT").await;
        assert!(rows > 20 && persons > 3, "{rows} {persons}");
        assert_eq!((got.rows, got.persons, got.standard), (rows, persons, 0));
        assert!(got.item.names.iter().any(|n| n == "ＧＯＴ"));
        let ranked =
            map_codes::candidates(&site.on, &intake, "jlac10", std::slice::from_ref(&got), &all, 3)
                .await
                .unwrap();
        assert_eq!(ranked[0][0].code, AST);

        // Proposed by one person: a code that no master has is refused, and so is the proposer's own signature.
        let unknown = vec![new("urn:x-local:lab|GOT", "3B035000002327299", None)];
        let refused = map_codes::propose_mappings(&site.on, &intake, unknown).await;
        assert!(matches!(refused, Err(Error::Mapping(MappingRefused::UnknownCode))));
        let proposals = vec![new("urn:x-local:lab|GOT", AST, None)];
        let id = map_codes::propose_mappings(&site.on, &intake, proposals).await.unwrap()[0];
        assert_eq!(id, MappingId(1));
        let own = map_codes::sign_mappings(&site.on, &intake, &[id]).await;
        assert!(matches!(own, Err(Error::Mapping(MappingRefused::Act(_)))));
        let researcher = site.actor("researcher_university");
        assert!(matches!(
            map_codes::sign_mappings(&site.on, &researcher, &[id]).await,
            Err(Error::Refusal(_))
        ));

        // A product made now does not know it.
        acts::keys(&site).await;
        let wish = Wish {
            user: "pharma_1",
            product: Product::Pseudonymized,
            route: Route::SealedTransfer,
        };
        let granted = acts::granted(&site, wish, SPECIFICATION).await;
        let before = acts::make(&site, &granted).await;
        let of = |all: &[[String; 5]], code: &str| -> Vec<[String; 5]> {
            all.iter().filter(|r| r[0] == code).cloned().collect()
        };
        let cells = of(&measurements(&site, wish, before.dataset), "GOT");
        assert!(!cells.is_empty() && cells.iter().all(|r| r[1].is_empty()));

        // The preview says what signing changes, by one event for each act.
        let effect = map_codes::preview_mapping(&site.on, &intake, id).await.unwrap();
        let preview = &effect.preview;
        assert_eq!((preview.rows, preview.mapped), (rows, rows));
        assert_eq!((preview.persons_least, preview.persons_most), (persons, persons));
        map_codes::sign_mappings(&site.on, &processor, &[id]).await.unwrap();
        assert_eq!(item(&site, "urn:x-local:lab|GOT").await.0.standard, rows);

        // Made anew it has the standard code, beside the hospital's own; the earlier one is rebuilt as it was.
        let request = ProduceRequest {
            application: granted.application,
            specification: granted.specification.clone(),
            dataset: None,
        };
        let first = kiban_journeys::produce_dataset(&site.on, &processor, &request).await.unwrap();
        let after = acts::decided(&site, &granted, first, Decision::Coarsen).await;
        let version =
            |p: &kiban_journeys::Produced| p.content.produced().provenance().mapping_version;
        assert_eq!((version(&before), version(&after)), (1, 2));
        acts::approve(&site, &after, wish.route).await;
        let delivery = site.actor("delivery");
        kiban_journeys::deliver_dataset(&site.on, &delivery, after.dataset, wish.route)
            .await
            .unwrap();
        let now = of(&measurements(&site, wish, after.dataset), "GOT");
        assert_eq!(now.len(), cells.len());
        assert!(now.iter().all(|r| r[1] == AST && r[2] == r[4]));
        let out = site.dir.join("rebuilt");
        let rebuilt =
            kiban_journeys::rebuild_dataset(&site.on, &processor, before.dataset, &out, false)
                .await
                .unwrap();
        assert!(rebuilt.identical);

        // Taken back, nothing standard is left of it; every act left one event.
        map_codes::withdraw_mapping(&site.on, &intake, id, "誤り").await.unwrap();
        assert_eq!(item(&site, "urn:x-local:lab|GOT").await.0.standard, 0);
        let events = kiban_journeys::search_events(
            &site.on,
            &site.actor("auditor"),
            &kiban_journeys::Search { kind: "mapping".into(), ..Default::default() },
        )
        .await
        .unwrap();
        assert_eq!(events.events.len(), 3);
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

#[test]
fn what_a_master_says_of_another_system_is_proposed_for_everybody_and_signed_at_once() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        let (intake, processor) = (site.actor("intake"), site.actor("processor"));
        // Columns by their headings; the last disease has no ICD-10.
        let bytes = "コード,傷病名基本名称,ICD10-1\n\
            2500013,２型糖尿病,E119\n\
            4019014,高血圧症,I10\n\
            9999001,架空病,\n";
        let bytes = bytes.replace("コード,", "傷病名コード,");
        let new = NewMaster {
            bytes: bytes.as_bytes(),
            layout: "disease",
            edition: "2026-06",
            source: "試験用（架空）",
        };
        map_codes::import_master(&site.on, &intake, &new).await.unwrap();
        let from = "2000-01-01".parse().unwrap();
        let of = map_codes::links_of_master(&site.on, &intake, "disease", "icd10", from).await;
        let proposals = of.unwrap();
        assert_eq!(proposals.len(), 2);
        let ids = map_codes::propose_mappings(&site.on, &intake, proposals).await.unwrap();
        map_codes::sign_mappings(&site.on, &processor, &ids).await.unwrap();
        let set = map_codes::mappings(&site.on, &intake).await.unwrap();
        let key = map_codes::Key {
            system: "icd10".into(),
            holder: map_codes::EVERY_HOLDER.into(),
            local: "receipt-disease|2500013".into(),
        };
        let found = set.in_effect(&key, site.calendar.product_date).unwrap();
        assert_eq!(found.meaning.code, "E119");
        // All or none: one that is in effect already stops the whole list, by its place.
        let again = map_codes::links_of_master(&site.on, &intake, "disease", "icd10", from).await;
        let ids = map_codes::propose_mappings(&site.on, &intake, again.unwrap()).await.unwrap();
        let refused = map_codes::sign_mappings(&site.on, &processor, &ids).await;
        assert!(matches!(refused, Err(Error::Mapping(MappingRefused::List { line: 1, .. }))));
        site.close().await;
    });
}

#[test]
fn glucose_of_two_holders_lies_on_one_another_after_conversion() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        received(&site).await;
        import(&site).await;
        let (intake, processor) = (site.actor("intake"), site.actor("processor"));
        let local = "urn:x-local:lab|GLU";
        let proposals = vec![new(local, GLUCOSE, Some(("mmol/L", "mg/dL")))];
        let ids = map_codes::propose_mappings(&site.on, &intake, proposals).await.unwrap();
        map_codes::sign_mappings(&site.on, &processor, &ids).await.unwrap();
        let effect = map_codes::preview_mapping(&site.on, &intake, ids[0]).await.unwrap();
        let own = &effect.own[0];
        let (raw, converted) = (own.raw.as_ref().unwrap(), own.converted.as_ref().unwrap());
        assert!((3.0..12.0).contains(&raw.median()), "{}", raw.median());
        // Of the check-up, in mg/dL by its own standard; it carries the code itself and no unit.
        let peer = effect.peers.iter().find_map(|p| p.converted.as_ref()).unwrap();
        assert!((60.0..200.0).contains(&peer.median()));
        assert!((60.0..200.0).contains(&converted.median()));
        let exact = raw.median() * 18.0156;
        assert!((converted.median() - exact).abs() < 1.0, "{exact}");

        // The page draws both and quotes no row; the raw value stays in the product.
        let (dir, id) = (site.dir.clone(), ids[0].0.to_string());
        let page = dir.join("effect.html");
        let scratch = site.close().await;
        let done = Command::new(env!("CARGO_BIN_EXE_kiban"))
            .args(["mapping", "preview", &id, "--html"])
            .arg(&page)
            .arg("--dir")
            .arg(&dir)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let html = fs::read_to_string(&page).unwrap();
        assert!(html.matches("<svg").count() == 2 && html.contains("mmol/L"));
        drop(scratch);
    });
}
