//! From an application to an opened package.

use std::path::PathBuf;

use kiban_journeys::{
    Parties, ProduceRequest, Produced, Route, Sitting,
    committee::{Ballot, Outcome as Vote},
    deliver::recipient,
    kernel::{Digest, Id, Product, kinds},
    release::{
        application::{Content, Named},
        contract::Terms,
        finding::Decision,
    },
};

use super::{
    files,
    site::{Site, day_after, specification},
};

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) user: &'static str,
    pub(crate) product: Product,
    pub(crate) route: Route,
}

/// The three that are granted: anonymized; pseudonymized to type I; pseudonymized to type II.
pub(crate) const WISHES: [Wish; 3] = [
    Wish { user: "university", product: Product::Anonymized, route: Route::SealedTransfer },
    Wish { user: "pharma_1", product: Product::Pseudonymized, route: Route::SealedTransfer },
    Wish { user: "pharma_2", product: Product::Pseudonymized, route: Route::ProducerEnvironment },
];

/// An accepted application under contract.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) wish: Wish,
    pub(crate) application: Id<kinds::Application>,
    pub(crate) specification: String,
}

/// A delivered dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dataset {
    pub(crate) id: Id<kinds::Dataset>,
    pub(crate) application: Id<kinds::Application>,
}

fn content(site: &Site, user: &str) -> Content {
    let affiliation = site.parties.organization[user].name.clone();
    let named = |name: &str| Named { name: name.to_owned(), affiliation: affiliation.clone() };
    let text = |t: &str| t.to_owned();
    let day = site.calendar.product_date;
    Content {
        title: text("試験の研究"),
        responsible: named("架空 責任者"),
        handlers: vec![named("架空 取扱者")],
        purpose: text("医療分野の研究開発"),
        method: text("集計"),
        items: vec![text("condition.code")],
        population: text("記録のある者"),
        data_from: day_after(day, -700),
        data_until: day,
        minimality: text("必要な列に限る"),
        place: text("管理区域"),
        environment: text("分離した計算機"),
        security: text("多要素認証"),
        co_users: Vec::new(),
        trustees: Vec::new(),
        publication: text("学会"),
        funding: text("自己資金"),
        conflicts: text("なし"),
        interested: Vec::new(),
        use_from: day,
        use_until: day_after(day, 365),
    }
}

/// A session on a user's application, of the members for whom `present` says yes; all who may vote approve.
pub(crate) fn sitting(site: &Site, user: &str, present: impl Fn(&str) -> bool) -> Sitting {
    let mut sitting = Sitting::default();
    for (key, member) in site.parties.member.iter().filter(|(k, _)| present(k)) {
        let account = site.actor(key).account;
        sitting.attendance.push(account);
        if member.employers.iter().any(|e| e == user) {
            continue;
        }
        let ballot = Ballot {
            vote: Vote::Approve,
            reason: "適切である。".to_owned(),
            conditions: Vec::new(),
        };
        sitting.ballots.insert(account, ballot);
    }
    sitting
}

/// An application before the committee.
pub(crate) async fn apply(site: &Site, wish: Wish) -> Id<kinds::Application> {
    let researcher = site.actor(&format!("researcher_{}", wish.user));
    let project = kiban_journeys::new_project(&site.on).unwrap();
    let content = content(site, wish.user);
    let id = kiban_journeys::apply_for_use(&site.on, &researcher, project, wish.product, &content)
        .await
        .unwrap();
    kiban_journeys::screen(&site.on, &site.actor("secretary"), id).await.unwrap();
    id
}

/// Advice, decision and contract for an application.
pub(crate) async fn grant(
    site: &Site,
    wish: Wish,
    application: Id<kinds::Application>,
    specification: &str,
) -> Granted {
    let everybody = sitting(site, wish.user, |_| true);
    kiban_journeys::advise(&site.on, &site.actor("secretary"), application, &everybody)
        .await
        .unwrap();
    let manager = site.actor("manager");
    kiban_journeys::decide(&site.on, &manager, application, true, "意見を踏まえ提供する。", &[])
        .await
        .unwrap();
    let terms = Terms {
        application,
        recipient: Parties::organization_id(wish.user),
        specification: Digest::of(specification.as_bytes()),
        from: site.calendar.product_date,
        until: day_after(site.calendar.product_date, 365),
        text: "試験の利用契約（架空）".to_owned(),
    };
    let researcher = site.actor(&format!("researcher_{}", wish.user));
    kiban_journeys::conclude_contract(&site.on, &manager, &researcher, &terms).await.unwrap();
    Granted { wish, application, specification: specification.to_owned() }
}

/// Everything up to the contract.
pub(crate) async fn granted(site: &Site, wish: Wish, specification: &str) -> Granted {
    let application = apply(site, wish).await;
    grant(site, wish, application, specification).await
}

/// The recipients' keys, and that of the producer's environment.
pub(crate) async fn keys(site: &Site) {
    let registrar = site.actor("registrar");
    let producer_key = site.on.log().verify_key().clone();
    for user in ["university", "pharma_1", "pharma_2", "producer"] {
        let id = Parties::organization_id(user);
        let public = recipient::init(&key_folder(site, user), id, &producer_key).unwrap();
        kiban_journeys::register_recipient(&site.on, &registrar, id, &public).await.unwrap();
    }
}

fn key_folder(site: &Site, user: &str) -> PathBuf {
    if user == "producer" {
        site.dir.join("keys/environment")
    } else {
        site.dir.join("recipients").join(Parties::organization_id(user).to_string())
    }
}

/// A first run of the specification; findings may wait.
pub(crate) async fn produce(site: &Site, granted: &Granted) -> Produced {
    let request = ProduceRequest {
        application: granted.application,
        specification: granted.specification.clone(),
        dataset: None,
    };
    kiban_journeys::produce_dataset(&site.on, &site.actor("processor"), &request).await.unwrap()
}

/// Decides all findings of a run and runs again.
pub(crate) async fn decided(
    site: &Site,
    granted: &Granted,
    first: Produced,
    how: Decision,
) -> Produced {
    if first.undecided.is_empty() {
        return first;
    }
    for finding in &first.undecided {
        let reason = "本人が分かるおそれがあるため。";
        let examiner = site.actor("examiner");
        kiban_journeys::decide_finding(&site.on, &examiner, first.dataset, finding.id, how, reason)
            .await
            .unwrap();
    }
    let request = ProduceRequest {
        application: granted.application,
        specification: granted.specification.clone(),
        dataset: Some(first.dataset),
    };
    kiban_journeys::produce_dataset(&site.on, &site.actor("processor"), &request).await.unwrap()
}

/// Produces, decides, approves twice, delivers.
pub(crate) async fn make(site: &Site, granted: &Granted) -> Produced {
    let first = produce(site, granted).await;
    let produced = decided(site, granted, first, Decision::Coarsen).await;
    approve(site, &produced, granted.wish.route).await;
    let delivery = site.actor("delivery");
    kiban_journeys::deliver_dataset(&site.on, &delivery, produced.dataset, granted.wish.route)
        .await
        .unwrap();
    produced
}

/// Two persons approve.
pub(crate) async fn approve(site: &Site, produced: &Produced, route: Route) {
    for approver in ["approver_1", "approver_2"] {
        let approver = site.actor(approver);
        kiban_journeys::approve_release(&site.on, &approver, produced.dataset, route)
            .await
            .unwrap();
    }
}

/// Opens a package with the key of who may.
pub(crate) fn open(site: &Site, wish: Wish, dataset: Id<kinds::Dataset>) -> PathBuf {
    let package = site.dir.join("packages").join(dataset.to_string()).join("package.age");
    let keeper = if wish.route.leaves() { wish.user } else { "producer" };
    let out = site.dir.join("opened").join(dataset.to_string());
    kiban_journeys::open_package(&package, &key_folder(site, keeper).join("recipient.key"), &out)
        .unwrap();
    out
}

const NOTE: &str = "delivered.csv";

/// Delivers the three datasets of [`WISHES`] and remembers them in the folder.
pub(crate) async fn deliver_three(site: &Site) {
    keys(site).await;
    let mut note = String::from("dataset,application\n");
    for wish in WISHES {
        let granted = granted(site, wish, specification()).await;
        let produced = make(site, &granted).await;
        let line = [produced.dataset.to_string(), granted.application.to_string()].join(",");
        note.extend([line.as_str(), "\n"]);
    }
    std::fs::write(site.dir.join("country").join(NOTE), note).unwrap();
}

/// The datasets that [`deliver_three`] made, in the order of [`WISHES`].
pub(crate) fn delivered(site: &Site) -> Vec<Dataset> {
    files::csv_rows(&site.dir.join("country").join(NOTE))
        .iter()
        .map(|row| Dataset {
            id: row["dataset"].parse().unwrap(),
            application: row["application"].parse().unwrap(),
        })
        .collect()
}
