//! Applications, committee, decisions, contracts, processing, findings, approvals, delivery.

use std::{collections::BTreeSet, path::PathBuf};

use kiban_journeys::{
    Parties, ProduceRequest, Produced, Route, Sitting,
    committee::{Ballot, Outcome as Vote},
    deid::{self, spec::Spec},
    deliver::recipient,
    kernel::{Digest, Id, OsEntropy, Product, Regime, kinds},
    release::{
        application::{Content, Named},
        contract::Terms,
        finding::Decision,
    },
};

use super::{
    Demo, day_after,
    leaks::{Known, Scan},
    story::{DatasetStory, RuleStory, UtilityStory},
    truth,
};
use crate::{
    risk_page,
    say::{Failure, Outcome},
};

/// The worked specification.
pub(crate) const SPECIFICATION: &str = include_str!("../../../../spec/demo/spec.toml");
const BROKEN: &str = include_str!("../../../../spec/broken/name_kept.toml");
const EXAMPLE: [(&str, &str); 2] = [
    ("spec.toml", include_str!("../../../../spec/ministry_example/spec.toml")),
    ("input.csv", include_str!("../../../../spec/ministry_example/input.csv")),
];

type DatasetId = Id<kinds::Dataset>;

/// One use: who asks for what, in which project line, under which contract.
pub(crate) struct Use {
    pub(crate) user: &'static str,
    pub(crate) product: Product,
    pub(crate) route: Route,
    pub(crate) title: &'static str,
    pub(crate) application: Id<kinds::Application>,
    pub(crate) committee: String,
}

/// The datasets that were delivered.
pub(crate) struct Delivered {
    pub(crate) uses: Vec<Use>,
    pub(crate) datasets: Vec<DatasetId>,
    pub(crate) known: Known,
}

pub(crate) async fn all(demo: &mut Demo) -> Result<Delivered, Failure> {
    demo.stages.begin("申請・審査・契約");
    keys(demo).await?;
    refuse_specification(demo);
    let uses = vec![
        apply(
            demo,
            "university",
            "researcher_university",
            Product::Anonymized,
            Route::SealedTransfer,
            "糖尿病の経過に関する記述疫学研究",
        )
        .await?,
        apply(
            demo,
            "pharma_1",
            "researcher_pharma_1",
            Product::Pseudonymized,
            Route::SealedTransfer,
            "高血圧治療の有効性に関する研究",
        )
        .await?,
        apply(
            demo,
            "pharma_2",
            "researcher_pharma_2",
            Product::Pseudonymized,
            Route::ProducerEnvironment,
            "腎機能と処方に関する研究",
        )
        .await?,
        // Not certified: every step is possible but the release.
        apply(
            demo,
            "university",
            "researcher_university",
            Product::Pseudonymized,
            Route::SealedTransfer,
            "認定のない者による仮名加工の利用",
        )
        .await?,
    ];
    demo.stages.begin("加工・承認・提供");
    let known = Known::load(&demo.truth())?;
    let mut out = Delivered { uses: Vec::new(), datasets: Vec::new(), known };
    for (i, one) in uses.into_iter().enumerate() {
        if i == 3 {
            refuse_uncertified(demo, &one).await?;
        } else {
            let dataset = make_and_deliver(demo, &one, &out.known, out.datasets.is_empty()).await?;
            out.datasets.push(dataset);
            out.uses.push(one);
        }
    }
    Ok(out)
}

async fn keys(demo: &mut Demo) -> Outcome {
    let registrar = demo.actor("registrar")?;
    let producer_key = demo.on.log().verify_key().clone();
    let failed = |e: kiban_journeys::deliver::KeyError| Failure::new(e.ja(), &e);
    for user in ["university", "pharma_1", "pharma_2", "regulator"] {
        let organization = Parties::organization_id(user);
        let folder = demo.dir.join("recipients").join(organization.to_string());
        let public = recipient::init(&folder, organization, &producer_key).map_err(failed)?;
        kiban_journeys::register_recipient(&demo.on, &registrar, organization, &public).await?;
    }
    let producer = Parties::organization_id(&demo.parties.producer);
    let public = recipient::init(&environment(demo), producer, &producer_key).map_err(failed)?;
    kiban_journeys::register_recipient(&demo.on, &registrar, producer, &public).await?;
    Ok(())
}

/// Where the key of the producer's environment for type II users lies.
fn environment(demo: &Demo) -> PathBuf {
    demo.dir.join("keys/environment")
}

/// A specification that keeps a name is refused before anything runs.
fn refuse_specification(demo: &mut Demo) {
    let today = demo.on.today();
    let answer = match Spec::parse(BROKEN) {
        Ok(spec) => {
            spec.check(Product::Pseudonymized, demo.on.rules(), today).err().map(|e| e.ja())
        }
        Err(e) => Some(e.ja()),
    };
    refused(demo, "氏名を残す加工仕様書を検査する", answer);
}

fn refused(demo: &mut Demo, tried: &str, answer: Option<String>) {
    let answer = answer.unwrap_or_else(|| "【断られませんでした：デモの不具合】".to_owned());
    demo.story.refusals.push((tried.to_owned(), answer));
}

async fn apply(
    demo: &mut Demo,
    user: &'static str,
    researcher: &'static str,
    product: Product,
    route: Route,
    title: &'static str,
) -> Result<Use, Failure> {
    let on = &demo.on;
    let (secretary, manager) = (demo.actor("secretary")?, demo.actor("manager")?);
    let asking = demo.actor(researcher)?;
    let project = kiban_journeys::new_project(on)?;
    let content = content(demo, user, title);
    let application =
        kiban_journeys::apply_for_use(on, &asking, project, product, &content).await?;
    kiban_journeys::screen(on, &secretary, application).await?;
    let first = demo.story.refusals.len() == 1;
    let mut tried = Vec::new();
    if first {
        let without = sitting(demo, user, |key| key != "member_8")?;
        let answer = kiban_journeys::advise(&demo.on, &secretary, application, &without).await;
        tried.push(("③の委員を欠く審査委員会で審査する", answer.err().map(|e| e.ja())));
    }
    for (what, answer) in tried {
        refused(demo, what, answer);
    }
    let on = &demo.on;
    let everybody = sitting(demo, user, |_| true)?;
    let opinion = kiban_journeys::advise(on, &secretary, application, &everybody).await?;
    let tally = opinion.tally();
    kiban_journeys::decide(
        on,
        &manager,
        application,
        true,
        "審査委員会の意見を踏まえ、提供する。",
        &[],
    )
    .await?;
    let terms = Terms {
        application,
        recipient: Parties::organization_id(user),
        specification: Digest::of(SPECIFICATION.as_bytes()),
        from: demo.calendar.product_date,
        until: day_after(demo.calendar.product_date, 730),
        text: kiban_journeys::contract_draft(title, product),
    };
    kiban_journeys::conclude_contract(on, &manager, &asking, &terms).await?;
    let recused = everybody.attendance.len()
        - (tally.approve + tally.approve_with_conditions + tally.revise + tally.reject);
    let committee = format!(
        "審査委員会：{}（出席 {} 人、承認 {} 人、審議に加わらない委員 {} 人）。認定作成事業者が決定し、契約を締結。",
        opinion.outcome().label_ja(),
        everybody.attendance.len(),
        tally.approve,
        recused
    );
    Ok(Use { user, product, route, title, application, committee })
}

pub(crate) fn content(demo: &Demo, user: &str, title: &str) -> Content {
    let organization =
        demo.parties.organization.get(user).map_or(user, |o| o.name.as_str()).to_owned();
    let named = |name: &str| Named { name: name.to_owned(), affiliation: organization.clone() };
    let text = |t: &str| t.to_owned();
    Content {
        title: text(title),
        responsible: named("架空 研究責任者"),
        handlers: vec![named("架空 取扱者一"), named("架空 取扱者二")],
        purpose: text("医療分野の研究開発。診療と健診の記録から疾患の経過を明らかにする。"),
        method: text("提供された表の集計と回帰分析"),
        items: vec![
            text("person.birth_on"),
            text("condition.code"),
            text("measurement.value_num"),
            text("checkup.value_num"),
        ],
        population: text("対象期間に記録のある者"),
        data_from: day_after(demo.calendar.notice_date, -730),
        data_until: demo.calendar.product_date,
        minimality: text("目的に必要な表と列に限る"),
        place: text("申請者の管理区域"),
        environment: text("外部と分離した計算機"),
        security: text("入退室管理、多要素認証、ログの保存2年以上"),
        co_users: Vec::new(),
        trustees: Vec::new(),
        publication: text("査読誌と学会で公表"),
        funding: text("申請者の自己資金"),
        conflicts: text("申告すべきものはない"),
        interested: Vec::new(),
        use_from: demo.calendar.product_date,
        use_until: day_after(demo.calendar.product_date, 730),
    }
}

/// A session with the members for whom `present` says yes; all approve but those employed by the applicant, who
/// leave the base.
fn sitting(
    demo: &Demo,
    applicant: &str,
    present: impl Fn(&str) -> bool,
) -> Result<Sitting, Failure> {
    let mut sitting = Sitting::default();
    for (key, member) in demo.parties.member.iter().filter(|(k, _)| present(k)) {
        let actor = demo.actor(key)?;
        sitting.attendance.push(actor.account);
        if member.employers.iter().any(|e| e == applicant) {
            continue;
        }
        let ballot = Ballot {
            vote: Vote::Approve,
            reason: "目的と方法は適切である。".to_owned(),
            conditions: Vec::new(),
        };
        sitting.ballots.insert(actor.account, ballot);
    }
    Ok(sitting)
}

/// Produce, decide findings, approve, deliver, open, scan.
pub(crate) async fn make_and_deliver(
    demo: &mut Demo,
    one: &Use,
    known: &Known,
    show_refusals: bool,
) -> Result<DatasetId, Failure> {
    demo.stages.note(&format!("{}の作成", one.product.label_ja()));
    let (produced, findings) = produce(demo, one).await?;
    let dataset = produced.dataset;
    let (first, second) = (demo.actor("approver_1")?, demo.actor("approver_2")?);
    if one.route == Route::ProducerEnvironment {
        let answer =
            kiban_journeys::approve_release(&demo.on, &first, dataset, Route::SealedTransfer).await;
        refused(
            demo,
            "Ⅱ型認定の利用者に、作成事業者の環境の外へ送付する",
            answer.err().map(|e| e.ja()),
        );
    }
    kiban_journeys::approve_release(&demo.on, &first, dataset, one.route).await?;
    if show_refusals {
        for (actor, what) in [
            (first, "同じ人が二度承認する"),
            (demo.actor("trustee_operator")?, "受託事業者のアカウントで承認する"),
        ] {
            let answer =
                kiban_journeys::approve_release(&demo.on, &actor, dataset, one.route).await;
            refused(demo, what, answer.err().map(|e| e.ja()));
        }
    }
    kiban_journeys::approve_release(&demo.on, &second, dataset, one.route).await?;
    let regime = match one.product {
        Product::Anonymized => Regime::Anon52,
        Product::Pseudonymized => Regime::Pseudo57,
    };
    let singled_out = produced.content.produced().singled_out();
    let planted = truth::planted(&demo.on, &demo.truth(), regime, singled_out).await?;
    demo.stages.note("封緘と提供");
    kiban_journeys::deliver_dataset(&demo.on, &demo.actor("delivery")?, dataset, one.route).await?;
    let opened = open(demo, one, dataset).await?;
    let scan = known.scan(&opened)?;
    let mut story = story(demo, one, &produced, findings, opened, &scan).await?;
    story.planted = planted;
    page(demo, one, &produced)?;
    demo.story.datasets.push(story);
    Ok(dataset)
}

async fn produce(demo: &mut Demo, one: &Use) -> Result<(Produced, u64), Failure> {
    let processor = demo.actor("processor")?;
    let mut request = ProduceRequest {
        application: one.application,
        specification: SPECIFICATION.to_owned(),
        dataset: None,
    };
    let mut produced = kiban_journeys::produce_dataset(&demo.on, &processor, &request).await?;
    let findings = produced.undecided.len() as u64;
    if findings > 0 {
        let approver = demo.actor("approver_1")?;
        let answer =
            kiban_journeys::approve_release(&demo.on, &approver, produced.dataset, one.route).await;
        let asked = "組合せの所見を判断しないまま仮名加工医療情報を提供する";
        if demo.story.refusals.iter().all(|(a, _)| a != asked) {
            refused(demo, asked, answer.err().map(|e| e.ja()));
        }
        let examiner = demo.actor("examiner")?;
        for finding in &produced.undecided {
            let (decision, reason) = match finding.kind {
                deid::finding::FindingKind::Occupation
                | deid::finding::FindingKind::OccupationInMunicipality => {
                    (Decision::Drop, "職業から本人が分かるため消す。")
                }
                _ => (Decision::Coarsen, "組合せから本人が分かるおそれがあるため粗くする。"),
            };
            kiban_journeys::decide_finding(
                &demo.on,
                &examiner,
                produced.dataset,
                finding.id,
                decision,
                reason,
            )
            .await?;
        }
        request.dataset = Some(produced.dataset);
        produced = kiban_journeys::produce_dataset(&demo.on, &processor, &request).await?;
    }
    Ok((produced, findings))
}

/// Open as the recipient would; a type II user's package is opened inside the producer's environment.
async fn open(demo: &Demo, one: &Use, dataset: DatasetId) -> Result<PathBuf, Failure> {
    let mut file = demo.dir.join("packages").join(dataset.to_string()).join("package.age");
    let organization = Parties::organization_id(one.user).to_string();
    let (key, out) = if one.route.leaves() {
        // On record: a package that nobody fetched goes with a later stop.
        let researcher = demo.actor(&format!("researcher_{}", one.user))?;
        file = kiban_journeys::fetch_package(&demo.on, &researcher, dataset).await?;
        let folder = demo.dir.join("recipients").join(organization);
        (folder.join("recipient.key"), folder.join("opened").join(dataset.to_string()))
    } else {
        (
            environment(demo).join("recipient.key"),
            demo.dir.join("environment").join(organization).join(dataset.to_string()),
        )
    };
    kiban_journeys::open_package(&file, &key, &out).map_err(|e| Failure::new(e.ja(), &e))?;
    Ok(out)
}

async fn refuse_uncertified(demo: &mut Demo, one: &Use) -> Outcome {
    let (produced, _) = produce(demo, one).await?;
    let approver = demo.actor("approver_1")?;
    let answer =
        kiban_journeys::approve_release(&demo.on, &approver, produced.dataset, one.route).await;
    refused(demo, "認定のない利用者に仮名加工医療情報を提供する", answer.err().map(|e| e.ja()));
    Ok(())
}

/// The dataset's page and figures, for the producer's examiners and the committee.
fn page(demo: &Demo, one: &Use, produced: &Produced) -> Outcome {
    let folder = demo.dir.join("reports").join(produced.dataset.to_string());
    let io = || Failure::io("報告を書けません。");
    std::fs::create_dir_all(&folder).map_err(io())?;
    let content = produced.content.produced();
    let text = risk_page::render(one.title, content)
        .map_err(|e| Failure::new("報告を作れません。", &e))?;
    std::fs::write(folder.join("risk.html"), text).map_err(io())?;
    let figures = serde_json::to_vec_pretty(content.risk())
        .map_err(|e| Failure::new("報告を作れません。", &e))?;
    std::fs::write(folder.join("risk.json"), figures).map_err(io())
}

async fn story(
    demo: &Demo,
    one: &Use,
    produced: &Produced,
    findings: u64,
    opened: PathBuf,
    scan: &Scan,
) -> Result<DatasetStory, Failure> {
    let content = produced.content.produced();
    let (risk, changes) = (content.risk(), content.changes());
    let manifest = produced.manifest.as_ref();
    let (header, before, after) = example(demo, one.product).await?;
    Ok(DatasetStory {
        id: produced.dataset.to_string(),
        title: one.title.to_owned(),
        product_ja: one.product.label_ja(),
        recipient: format!(
            "{}（{}）",
            demo.parties.organization.get(one.user).map_or(one.user, |o| o.name.as_str()),
            one.route.label_ja()
        ),
        persons_cleared: risk.persons_in,
        persons_suppressed: risk.persons_suppressed,
        persons_out: risk.persons_out,
        rows: changes.tables.iter().map(|t| (t.table.clone(), t.rows_out)).collect(),
        k_target: (one.product == Product::Anonymized).then_some(u64::from(risk.target_k)),
        k_measured: risk.smallest_class,
        histogram: risk_page::buckets(&risk.histogram),
        prosecutor: risk.prosecutor_highest,
        marketer: risk.marketer,
        adversaries: risk.adversaries.clone(),
        planted: [0, 0],
        findings,
        rules: changes
            .columns
            .iter()
            .map(|c| RuleStory {
                column: format!("{}.{}", c.table, c.column),
                rule_ja: c.rule.clone(),
                article: c.law.article().to_owned(),
                changed: c.changed,
                removed: c.emptied,
            })
            .collect(),
        utility: changes
            .columns
            .iter()
            .filter_map(|c| {
                let u = c.utility.as_ref()?;
                let numbers = |n: &deid::report::Numbers| {
                    [n.mean, n.quantiles[1], n.quantiles[2], n.quantiles[3]]
                };
                Some(UtilityStory {
                    column: format!("{}.{}", c.table, c.column),
                    before: numbers(&u.before),
                    after: Some(numbers(&u.after)),
                    kept_percent: 100.0 * (c.cells - c.changed) as f64 / (c.cells.max(1)) as f64,
                })
            })
            .collect(),
        sample_header: header,
        sample_before: before,
        sample_after: after,
        committee: one.committee.clone(),
        package: format!("packages/{}/package.age", produced.dataset),
        payload_digest: manifest.map(|m| m.payload.to_string()).unwrap_or_default(),
        opened,
        cells_scanned: scan.cells,
        leaks: scan.leaks(),
    })
}

type Example = (Vec<String>, Vec<Vec<String>>, Vec<Vec<String>>);

/// The ministry's example row through the same engine: before and after.
async fn example(demo: &Demo, product: Product) -> Result<Example, Failure> {
    let dir = demo.dir.join("country/example");
    let io = || Failure::io("例のファイルを書けません。");
    std::fs::create_dir_all(&dir).map_err(io())?;
    for (name, text) in EXAMPLE {
        std::fs::write(dir.join(name), text).map_err(io())?;
    }
    let output = dir.join(format!("{}.csv", product.as_str()));
    let request = deid::tool::Request {
        spec: dir.join("spec.toml"),
        product,
        input: dir.join("input.csv"),
        output: output.clone(),
        report: None,
        key_file: None,
        fixed_id: None,
        fixed_offset: None,
        on: demo.on.today(),
    };
    deid::tool::deid(&request, demo.on.rules(), &OsEntropy)
        .await
        .map_err(|e| Failure::new(e.ja(), &e))?;
    let (header, before) = table(&dir.join("input.csv"))?;
    let (after_header, after) = table(&output)?;
    // The first column of the output is the pseudonym, which stands in the place of the name.
    let mut columns: BTreeSet<&String> = header.iter().collect();
    columns.retain(|c| !after_header.contains(*c));
    let header = header
        .iter()
        .map(|h| if columns.contains(h) { format!("{h} → ID") } else { h.clone() })
        .collect();
    Ok((header, before, after))
}

fn table(path: &std::path::Path) -> Result<(Vec<String>, Vec<Vec<String>>), Failure> {
    let failed = |e: csv::Error| Failure::new("例の表を読めません。", &e);
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let header = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|r| r.map(|r| r.iter().map(str::to_owned).collect()).map_err(failed))
        .collect::<Result<_, _>>()?;
    Ok((header, rows))
}
