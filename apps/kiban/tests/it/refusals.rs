//! What must be refused, with the words that say why (acceptance 7).

use std::{collections::BTreeSet, fs};

use kiban_country::{Country, NoProgress, Params, Specialist};
use kiban_journeys::{
    Error, Parties, Route, Sitting,
    deid::{finding::FindingKind, spec::Spec},
    holder::Gate,
    kernel::Product,
    release::finding::Decision,
};

use crate::support::{
    Scratch,
    acts::{self, WISHES, Wish},
    files::{self, csv_rows},
    lake, run,
    site::{self, PARTIES, Site, specification},
};

fn without_column(table: &str, column: &str) -> String {
    let head = format!("[tables.{table}.columns.{column}]");
    let (before, rest) = specification().split_once(&head).expect("the column is declared");
    let rest = rest.find("\n[tables.").map_or("", |i| &rest[i..]);
    format!("{before}{rest}")
}

#[test]
fn a_forgotten_column_is_withheld_and_named() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        acts::keys(&site).await;
        let specification = without_column("person", "sex");
        for wish in WISHES {
            let granted = acts::granted(&site, wish, &specification).await;
            let produced = acts::make(&site, &granted).await;
            let withheld = &produced.content.produced().changes().withheld;
            let named = withheld.iter().find(|w| w.table == "person" && w.column == "sex");
            assert!(named.is_some_and(|w| !w.reason.ja().is_empty()), "{:?}", wish.product);
            let opened = acts::open(&site, wish, produced.dataset);
            let header = fs::read_to_string(opened.join("data/person.csv")).unwrap();
            let header = header.lines().next().unwrap();
            assert!(
                !header.split(',').any(|c| c == "sex") && header.contains("birth_on"),
                "{header}"
            );
        }
        site.close().await;
    });
}

#[test]
fn a_specification_that_breaks_the_standard_is_refused_with_column_and_law() {
    let linked = site::linked();
    let broken = [
        (
            include_str!("../../../../spec/broken/name_kept.toml"),
            ["name_kanji", "insured_number", "phone"].as_slice(),
        ),
        (
            include_str!("../../../../spec/broken/singular_kept.toml"),
            &["icd10", "recorded_at", "value_num", "text"],
        ),
        (
            include_str!("../../../../spec/broken/weaker_class.toml"),
            &["name_kana", "code", "shoe_size", "horoscope"],
        ),
    ];
    run(|| async {
        let site = linked.copy().await;
        let day = site.calendar.product_date;
        for (text, columns) in broken {
            let spec = Spec::parse(text).unwrap();
            let error = spec.check(Product::Anonymized, site.on.rules(), day).expect_err("refused");
            let sentence = error.ja();
            for column in columns {
                assert!(sentence.contains(column), "{column} is not named:\n{sentence}");
            }
            assert!(
                sentence.contains("加工基準") && sentence.contains("（anonymized."),
                "no provision:\n{sentence}"
            );
        }
        // In a deployment too, before anything runs.
        let granted = acts::granted(&site, WISHES[0], broken[0].0).await;
        let request = kiban_journeys::ProduceRequest {
            application: granted.application,
            specification: granted.specification.clone(),
            dataset: None,
        };
        let processor = site.actor("processor");
        let error =
            kiban_journeys::produce_dataset(&site.on, &processor, &request).await.err().unwrap();
        assert!(matches!(error, Error::Check(_)) && error.ja().contains("name_kanji"), "{error:?}");
        // Nor any other text than the contract's.
        let request =
            kiban_journeys::ProduceRequest { specification: specification().to_owned(), ..request };
        let error =
            kiban_journeys::produce_dataset(&site.on, &processor, &request).await.err().unwrap();
        assert!(matches!(error, Error::SpecificationDiffers), "{error:?}");
        site.close().await;
    });
}

#[test]
fn a_committee_that_is_none_cannot_advise() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let application = acts::apply(&site, WISHES[0]).await;
        let secretary = site.actor("secretary");
        let advise = async |sitting: &Sitting| {
            let error = kiban_journeys::advise(&site.on, &secretary, application, sitting).await;
            error.expect_err("cannot advise").ja()
        };
        // The general member (category 3) is absent.
        let said = advise(&acts::sitting(&site, WISHES[0].user, |key| key != "member_8")).await;
        assert!(said.contains("③") || said.contains("一般"), "{said}");
        // Or is there and recused: what remains is no committee.
        let mut sitting = acts::sitting(&site, WISHES[0].user, |_| true);
        sitting.recused.insert(site.actor("member_8").account);
        let said = advise(&sitting).await;
        assert!(said.contains("利益相反"), "{said}");
        // Both members of humanities have an interest by their employers.
        let mut sitting = acts::sitting(&site, WISHES[0].user, |_| true);
        sitting.interested.insert(Parties::organization_id("law_school"));
        sitting.recused.insert(site.actor("member_6").account);
        let said = advise(&sitting).await;
        assert!(said.contains("利益相反"), "{said}");
        // Too few.
        let said = advise(&acts::sitting(&site, WISHES[0].user, |key| {
            key == "member_1" || key == "member_8"
        }))
        .await;
        assert!(said.contains("出席") || said.contains("定足数"), "{said}");
        // Without advice no decision and no contract.
        let manager = site.actor("manager");
        let error =
            kiban_journeys::decide(&site.on, &manager, application, true, "先に決める。", &[])
                .await;
        assert!(error.err().unwrap().ja().contains("進めません"));
        acts::grant(&site, WISHES[0], application, specification()).await;
        site.close().await;
    });
}

#[test]
fn a_planted_mayor_blocks_the_release_until_decided_and_then_is_not_in_it() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        acts::keys(&site).await;
        let wish = WISHES[1];
        let granted = acts::granted(&site, wish, specification()).await;
        let produced = acts::produce(&site, &granted).await;
        let occupations = produced.undecided.iter().filter(|f| {
            matches!(f.kind, FindingKind::Occupation | FindingKind::OccupationInMunicipality)
        });
        assert!(occupations.count() > 0, "no finding for the mayor");
        assert!(produced.manifest.is_none());
        let approver = site.actor("approver_1");
        let error =
            kiban_journeys::approve_release(&site.on, &approver, produced.dataset, wish.route)
                .await;
        let error = error.expect_err("findings wait");
        assert!(
            matches!(error, Error::Undecided { .. }) && error.ja().contains("未判断"),
            "{}",
            error.ja()
        );
        // A decision needs a reason, and an examiner.
        let finding = produced.undecided[0].id;
        let examiner = site.actor("examiner");
        for (actor, reason) in [(&examiner, " "), (&site.actor("processor"), "理由")] {
            let dataset = produced.dataset;
            let refused = kiban_journeys::decide_finding(
                &site.on,
                actor,
                dataset,
                finding,
                Decision::Drop,
                reason,
            )
            .await;
            assert!(refused.is_err());
        }
        let produced = acts::decided(&site, &granted, produced, Decision::Drop).await;
        assert!(produced.undecided.is_empty());
        acts::approve(&site, &produced, wish.route).await;
        let delivery = site.actor("delivery");
        kiban_journeys::deliver_dataset(&site.on, &delivery, produced.dataset, wish.route)
            .await
            .unwrap();
        let opened = acts::open(&site, wish, produced.dataset);
        let persons = fs::read_to_string(opened.join("data/person.csv")).unwrap();
        assert!(
            !persons.contains("市長") && !persons.contains("町長"),
            "the mayor is in the product"
        );
        site.close().await;
    });
}

#[test]
fn a_dataset_over_a_limit_of_risk_gets_no_manifest_and_no_approval() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        acts::keys(&site).await;
        let strict = specification()
            .replace("\nname = \"neighbour\"\n", "\nname = \"neighbour\"\nmax_risk = 0.0\n");
        let wish = WISHES[0];
        let granted = acts::granted(&site, wish, &strict).await;
        let produced = acts::produce(&site, &granted).await;
        assert!(produced.manifest.is_none());
        assert!(produced.over_risk.len() == 1 && produced.over_risk[0].contains("近所の人"));
        let approver = site.actor("approver_1");
        let answer =
            kiban_journeys::approve_release(&site.on, &approver, produced.dataset, wish.route)
                .await;
        let said = answer.expect_err("approved over the limit").ja();
        assert!(said.contains("近所の人") && said.contains("max_risk"), "{said}");
        let dir = site.dir.clone();
        let _kept = site.close().await;
        let verified = kiban_journeys::verify_deployment(&dir, &[]).await.unwrap();
        assert_eq!(verified.findings, Vec::<String>::new());
    });
}

#[test]
fn approvals_and_recipients_that_do_not_count() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        acts::keys(&site).await;
        let (first, second) = (site.actor("approver_1"), site.actor("approver_2"));
        let trustee = site.actor("trustee_operator");

        // The same person twice; a trustee's account; somebody without the role.
        let wish = WISHES[0];
        let granted = acts::granted(&site, wish, specification()).await;
        let produced = acts::produce(&site, &granted).await;
        let dataset = produced.dataset;
        kiban_journeys::approve_release(&site.on, &first, dataset, wish.route).await.unwrap();
        let delivery = site.actor("delivery");
        let early = kiban_journeys::deliver_dataset(&site.on, &delivery, dataset, wish.route).await;
        assert!(early.is_err(), "delivered with one approval");
        let twice = kiban_journeys::approve_release(&site.on, &first, dataset, wish.route).await;
        let said = twice.expect_err("twice").ja();
        assert!(said.contains("同じ") || said.contains("別の"), "{said}");
        let by_trustee =
            kiban_journeys::approve_release(&site.on, &trustee, dataset, wish.route).await;
        assert!(by_trustee.expect_err("a trustee").ja().contains("受託"));
        let processor = site.actor("processor");
        assert!(
            kiban_journeys::approve_release(&site.on, &processor, dataset, wish.route)
                .await
                .is_err()
        );
        kiban_journeys::approve_release(&site.on, &second, dataset, wish.route).await.unwrap();
        kiban_journeys::deliver_dataset(&site.on, &delivery, dataset, wish.route).await.unwrap();

        // Pseudonymized data to somebody uncertified; a type II user's data out of the environment.
        let uncertified = Wish {
            user: "university",
            product: Product::Pseudonymized,
            route: Route::SealedTransfer,
        };
        let outside = Wish { route: Route::SealedTransfer, ..WISHES[2] };
        for (wish, words) in [(uncertified, "認定"), (outside, "環境")] {
            let granted = acts::granted(&site, wish, specification()).await;
            let first_run = acts::produce(&site, &granted).await;
            let produced = acts::decided(&site, &granted, first_run, Decision::Coarsen).await;
            for approver in [&first, &second] {
                let refused = kiban_journeys::approve_release(
                    &site.on,
                    approver,
                    produced.dataset,
                    wish.route,
                )
                .await;
                let said = refused.expect_err("refused").ja();
                assert!(said.contains(words), "{said}");
            }
            let delivered =
                kiban_journeys::deliver_dataset(&site.on, &delivery, produced.dataset, wish.route)
                    .await;
            assert!(delivered.is_err());
            assert!(!site.dir.join("packages").join(produced.dataset.to_string()).exists());
        }
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

/// The parties, with a specialist hospital that files and notifies like hospital B.
fn with_specialist() -> String {
    let mut text = PARTIES.to_owned();
    let entry =
        PARTIES.split_once("[organization.hospital_b]").unwrap().1.split("\n\n").next().unwrap();
    text.push_str(
        &format!("\n[organization.specialist]{entry}\n")
            .replace("架空大学附属病院", "架空専門病院"),
    );
    for block in PARTIES.split("\n\n").filter(|b| b.contains("holder = \"hospital_b\"")) {
        let block = block.replace("hospital_b", "specialist").replace("-25-92", "-25-99");
        text.extend(["\n", &block, "\n"]);
    }
    text
}

#[test]
fn at_a_specialist_hospital_the_disease_of_all_is_still_residual() {
    let scratch = Scratch::new("specialist");
    run(|| async {
        let dir = scratch.path().join("deployment");
        let parties = Parties::parse(&with_specialist()).unwrap();
        let site = Site::create_with(&dir, parties, &["specialist"]).await;
        let disease = Specialist::default();
        let code = disease.icd10.clone();
        let params = Params { persons: 20, specialist: Some(disease), ..site::params() };
        Country::generate(&params).unwrap().write(&dir.join("country"), &mut NoProgress).unwrap();
        site.lists("specialist");
        let sealed = site.seal("specialist", site.calendar.delivery_date, Gate::On).unwrap();
        assert!(sealed.kept_persons > 250);
        site.receive("specialist", &sealed.path).await;
        site.clock.set_date(site.calendar.product_date);
        kiban_journeys::link_persons(&site.on, &site.actor("processor")).await.unwrap();
        let stored = lake::rows(&site.on, "condition").await;
        let bare = code.replace('.', "");
        let with_code =
            stored.iter().filter(|r| r.get("icd10").is_some_and(|c| c.replace('.', "") == bare));
        assert!(with_code.count() == stored.len() && stored.len() > 250, "{:?}", stored.first());

        acts::keys(&site).await;
        let granted = acts::granted(&site, WISHES[0], specification()).await;
        let produced = acts::make(&site, &granted).await;
        let opened = acts::open(&site, WISHES[0], produced.dataset);
        let conditions = csv_rows(&opened.join("data/condition.csv"));
        assert!(conditions.len() > 200, "{}", conditions.len());
        let codes: BTreeSet<&str> = conditions.iter().map(|r| r["icd10"].as_str()).collect();
        assert_eq!(codes, BTreeSet::from(["その他"]));
        for path in files::walk(&opened.join("data")) {
            let bytes = fs::read(&path).unwrap();
            let disease =
                aho_corasick::AhoCorasick::new([code.as_str(), bare.as_str(), "脂肪萎縮症"])
                    .unwrap();
            assert!(!files::holds(&bytes, &disease), "{} names the disease", path.display());
        }
        site.close().await;
    });
}
