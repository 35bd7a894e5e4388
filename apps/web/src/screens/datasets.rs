//! S11, S12: datasets: risk of the run, findings, two approvals, hand-over, the package for its user.

use askama::Template;
use kiban_govern::{Act, Actor};
use kiban_journeys::{
    DatasetCase, Route, Standing, deid::finding::FindingKind, follow_up::Continuity,
};
use kiban_kernel::{Id, kinds};
use serde::Serialize;
use serde_json::json;

use super::{
    applications::{Phase, phases},
    dataset_acts::last_letters,
};
use crate::{
    answer::{Answer, Band},
    ctx::{Ctx, FormToken},
    fault::Fault,
    fields::ROUTES_OUT,
    japanese::{day, day_count, moment, number, persons},
    names::Names,
    paging::{Paging, paged},
};

type DatasetId = Id<kinds::Dataset>;

#[derive(Serialize)]
struct RowView {
    id: String,
    title: String,
    product: &'static str,
    user: String,
    standing: String,
    since: String,
    persons: String,
}

#[derive(Template, Serialize)]
#[template(path = "datasets.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let names = ctx.names().await?;
    let datasets = kiban_journeys::datasets(ctx.on(), ctx.actor()?).await?;
    let (datasets, paging) = paged(&ctx, datasets)?;
    let rows = datasets
        .iter()
        .map(|d| RowView {
            id: d.id.to_string(),
            title: d.application.content.title.clone(),
            product: d.application.application.product.label_ja(),
            user: names.organization(d.application.application.applicant),
            standing: d.standing.label_ja(),
            since: day(kiban_kernel::jst_date(d.at)),
            persons: number(d.risk.persons_out),
        })
        .collect();
    Answer::page(List { rows, paging })
}

#[derive(Serialize)]
struct FindingView {
    id: String,
    kind: String,
    columns: String,
    persons: u64,
    decision: String,
    reason: String,
    who: String,
}

#[derive(Serialize)]
struct Adversary {
    label: String,
    singled_before: String,
    singled_after: String,
    risk_before: String,
    risk_after: String,
    smallest: u64,
    exceeded: bool,
}

#[derive(Serialize)]
struct Change {
    column: String,
    class: &'static str,
    rule: String,
    law: String,
    changed: String,
}

#[derive(Serialize)]
struct FileView {
    path: String,
    size: String,
    sha256: String,
}

#[derive(Serialize)]
struct Seat {
    label: &'static str,
    who: String,
}

#[derive(Template, Serialize)]
#[template(path = "dataset.html")]
struct Show {
    id: String,
    application: String,
    user: String,
    product: &'static str,
    standing: String,
    phases: Vec<Phase>,
    next: String,
    days: String,
    over_risk: Vec<String>,
    persons_in: String,
    persons_out: String,
    suppressed: String,
    target_k: u32,
    smallest_class: u64,
    adversaries: Vec<Adversary>,
    attacks: Vec<(String, String, String)>,
    changes: Vec<Change>,
    findings: Vec<FindingView>,
    files: Vec<FileView>,
    manifest: String,
    specification: String,
    snapshot: String,
    seats: Vec<Seat>,
    delivered: String,
    route: &'static str,
    routes: Vec<(&'static str, &'static str)>,
    may_decide: bool,
    may_again: bool,
    may_approve: bool,
    may_deliver: bool,
    may_fetch: bool,
    may_recall: bool,
    may_follow: bool,
    /// How it goes on from the dataset before it; empty if it was not compared.
    continuity: Vec<(&'static str, String)>,
    earlier: String,
    /// The recall that took it back; empty if there is none.
    recall: String,
    /// The last letters of the id, to be typed before an approval.
    confirm: String,
    staff: bool,
    #[serde(skip)]
    form: FormToken,
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn kind_ja(rule: &str) -> String {
    serde_json::from_value::<FindingKind>(json!(rule))
        .map_or_else(|_| rule.to_owned(), |kind| kind.label_ja().to_owned())
}

fn finding_views(d: &DatasetCase, names: &Names) -> Vec<FindingView> {
    d.findings
        .iter()
        .map(|row| FindingView {
            id: row.finding.id.to_string(),
            kind: kind_ja(&row.finding.rule),
            columns: row.finding.columns.join("、"),
            persons: row.finding.persons,
            decision: row
                .decided
                .as_ref()
                .map(|x| x.decision.label_ja().to_owned())
                .unwrap_or_default(),
            reason: row.decided.as_ref().map(|x| x.reason.clone()).unwrap_or_default(),
            who: row.decided.as_ref().map(|x| names.account(x.by.account)).unwrap_or_default(),
        })
        .collect()
}

fn adversaries(d: &DatasetCase) -> Vec<Adversary> {
    d.risk
        .adversaries
        .iter()
        .map(|a| Adversary {
            label: a.label_ja.clone(),
            singled_before: number(a.before.singled_out),
            singled_after: number(a.after.singled_out),
            risk_before: percent(a.before.prosecutor),
            risk_after: percent(a.after.prosecutor),
            smallest: a.after.smallest,
            exceeded: !a.exceeded.is_empty(),
        })
        .collect()
}

const PHASES: [&str; 5] = ["加工", "所見の判断", "承認（2人）", "提供", "利用"];

fn standing(s: Standing) -> (usize, &'static str) {
    match s {
        Standing::Findings { .. } => (1, "確認担当者が、組合せの所見を一つずつ判断します。"),
        Standing::Decided => (1, "加工担当者が、判断を反映して加工し直します。"),
        Standing::OverRisk => {
            (0, "リスクが上限を超えるため提供できません。一般化を強めた仕様書で契約し直します。")
        }
        Standing::Produced { approvals: 0 | 1 } => (2, "提供承認者が、別々に2人で承認します。"),
        Standing::Produced { .. } => (3, "提供担当者が封緘して提供します。"),
        Standing::Delivered => (4, "利用者が受け取り、利用期間の終わりに消去を報告します。"),
        Standing::Erased => (5, "提供データは消去されています。"),
    }
}

fn seats(d: &DatasetCase, actor: &Actor, names: &Names) -> Vec<Seat> {
    let mut out: Vec<Seat> = d
        .approvals
        .iter()
        .map(|a| Seat {
            label: if a.account == actor.account { "あなた" } else { "もう一人" },
            who: format!("✓ {}", names.actor(a)),
        })
        .collect();
    while out.len() < 2 {
        out.push(Seat { label: "空席", who: "… まだ承認していません".to_owned() });
    }
    out
}

fn routes() -> Vec<(&'static str, &'static str)> {
    ROUTES_OUT
        .iter()
        .filter_map(|code| code.parse::<Route>().ok().map(|route| (*code, route.label_ja())))
        .collect()
}

/// Counts of persons; below ten they are exact for staff alone.
fn continued(c: &Continuity, staff: bool) -> Vec<(&'static str, String)> {
    let said = |n: u64| {
        let few = n > 0 && n < kiban_journeys::SMALLEST_SHOWN && !staff;
        if few { persons(None) } else { number(n) }
    };
    vec![
        ("前回提供した人", said(c.persons_before)),
        ("同じ識別子で続く人", said(c.continued)),
        ("提供停止により除かれた人", said(c.stopped)),
        ("対象でなくなった人", said(c.left)),
        ("新しく加わった人", said(c.added)),
    ]
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let id: DatasetId = ctx.id("id")?;
    let d = kiban_journeys::dataset(ctx.on(), actor, id).await?;
    let names = ctx.names().await?;
    let can = |act| kiban_govern::permit(actor, act).is_ok();
    let (phase, next) = standing(d.standing);
    let done = d.approvals.iter().any(|a| a.account == actor.account);
    let staff = actor.employer == kiban_govern::Employer::Producer;
    let continuity = kiban_journeys::follow_up::continuity(ctx.on(), actor, id).await?;
    let recalls = kiban_journeys::recall::recalls(ctx.on(), actor).await?;
    let recall = recalls.iter().find(|r| r.dataset == id);
    let approvals = match d.standing {
        Standing::Produced { approvals } => Some(approvals),
        _ => None,
    };
    let changes = d.changes.columns.iter().filter(|_| staff).map(|c| Change {
        column: format!("{}.{}", c.table, c.column),
        class: c.class.label_ja(),
        rule: c.rule.clone(),
        law: c.law.to_string(),
        changed: format!("{}／{}", number(c.changed), number(c.cells)),
    });
    let page = Show {
        id: id.to_string(),
        application: d.application.application.id.to_string(),
        user: names.organization(d.application.application.applicant),
        product: d.application.application.product.label_ja(),
        standing: d.standing.label_ja(),
        phases: phases(&PHASES, phase),
        next: next.to_owned(),
        days: day_count(d.at, ctx.on().today()),
        over_risk: d.over_risk.clone(),
        persons_in: number(d.risk.persons_in),
        persons_out: number(d.risk.persons_out),
        suppressed: number(d.risk.persons_suppressed),
        target_k: d.risk.target_k,
        smallest_class: d.risk.smallest_class,
        adversaries: if staff { adversaries(&d) } else { Vec::new() },
        attacks: d
            .risk
            .attack
            .iter()
            .filter(|_| staff)
            .flat_map(|a| &a.trials)
            .map(|t| {
                (
                    format!("{}：{}", t.criterion, t.label_ja),
                    percent(t.attack[0]),
                    percent(t.baseline[0]),
                )
            })
            .collect(),
        changes: changes.collect(),
        findings: if staff { finding_views(&d, &names) } else { Vec::new() },
        files: d
            .manifest
            .iter()
            .flat_map(|m| &m.files)
            .map(|f| FileView {
                path: f.path.clone(),
                size: number(f.size),
                sha256: f.sha256.to_string(),
            })
            .collect(),
        manifest: d.manifest.as_ref().map(|m| m.digest().to_string()).unwrap_or_default(),
        specification: d.specification.clone(),
        snapshot: d.manifest.as_ref().map(|m| m.snapshot.to_string()).unwrap_or_default(),
        seats: seats(&d, actor, &names),
        delivered: d.delivery.as_ref().map(|x| moment(x.at)).unwrap_or_default(),
        route: d.delivery.as_ref().map(|x| x.route.label_ja()).unwrap_or_default(),
        routes: routes(),
        may_decide: matches!(d.standing, Standing::Findings { .. }) && can(Act::DecideFinding),
        may_again: matches!(d.standing, Standing::Decided) && can(Act::ProduceDataset),
        may_approve: approvals.is_some_and(|n| n < 2) && !done && can(Act::ApproveRelease),
        may_deliver: approvals.is_some_and(|n| n >= 2) && can(Act::DeliverDataset),
        may_fetch: d.delivery.is_some() && recall.is_none() && can(Act::OpenPackage),
        may_recall: d.delivery.is_some() && recall.is_none() && can(Act::RecallDataset),
        may_follow: staff
            && d.manifest.is_some()
            && d.application.application.product == kiban_kernel::Product::Pseudonymized
            && can(Act::ProduceDataset),
        earlier: continuity.as_ref().map(|c| c.earlier.to_string()).unwrap_or_default(),
        continuity: continuity.as_ref().map(|c| continued(c, staff)).unwrap_or_default(),
        recall: recall.map(|r| r.id.to_string()).unwrap_or_default(),
        confirm: last_letters(id),
        staff,
        form: ctx.form.clone(),
    };
    let title = d.application.content.title.clone();
    Ok(Answer::page(page)?.titled(title).banded(Band::of(d.application.application.product)))
}
