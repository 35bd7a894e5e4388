//! S9: applications: list, case page, form, and the steps of applicant and secretariat.

use askama::Template;
use kiban_govern::{Act, Actor};
use kiban_journeys::{
    Case, CaseHead,
    release::{
        application::{Content, State, Step},
        contract,
    },
};
use kiban_kernel::{Id, jst_date, kinds};
use serde::Serialize;

use super::{
    application_form::{Shown, read_out, shown},
    case_parts::{FileView, PriceView, file_view, price_view},
    tracks::{ConditionView, TrackView, condition_view, track_view},
};
use crate::{
    answer::{Answer, Band},
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, day_count, moment},
    names::Names,
    paging::{Paging, paged},
};

type ApplicationId = Id<kinds::Application>;

pub(crate) fn state_ja(state: &State) -> &'static str {
    match state {
        State::Draft { .. } => "下書き",
        State::Submitted { .. } => "提出済み",
        State::UnderReview { .. } => "審査中",
        State::Advised { .. } => "審査済み",
        State::Accepted { .. } => "提供決定",
        State::Refused { .. } => "提供しない決定",
        State::Withdrawn { .. } => "取下げ",
    }
}

#[derive(Serialize)]
struct RowView {
    id: String,
    title: String,
    product: &'static str,
    applicant: String,
    state: &'static str,
    since: String,
    days: String,
}

#[derive(Template, Serialize)]
#[template(path = "applications.html")]
struct List {
    rows: Vec<RowView>,
    paging: Paging,
    may_apply: bool,
}

fn titled(content: &Content) -> String {
    if content.title.is_empty() { "（題名なし）".to_owned() } else { content.title.clone() }
}

fn row_view(ctx: &Ctx, case: &CaseHead, names: &Names) -> RowView {
    let last = case.steps.last().map(|s| s.at);
    RowView {
        id: case.application.id.to_string(),
        title: titled(&case.content),
        product: case.application.product.label_ja(),
        applicant: names.organization(case.application.applicant),
        state: state_ja(&case.application.state),
        since: last.map(|at| day(jst_date(at))).unwrap_or_default(),
        days: last.map(|at| day_count(at, ctx.on().today())).unwrap_or_default(),
    }
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let names = ctx.names().await?;
    let mut cases = kiban_journeys::cases(ctx.on(), actor).await?;
    cases.reverse();
    let (cases, paging) = paged(&ctx, cases)?;
    Answer::page(List {
        rows: cases.iter().map(|case| row_view(&ctx, case, &names)).collect(),
        paging,
        may_apply: kiban_govern::permit(actor, Act::SubmitApplication).is_ok(),
    })
}

#[derive(Serialize)]
struct LogLine {
    at: String,
    who: String,
    what: String,
}

#[derive(Serialize)]
struct MessageLine {
    at: String,
    who: String,
    text: String,
    own: bool,
}

#[derive(Serialize)]
struct ContractView {
    id: String,
    state: &'static str,
    from: String,
    until: String,
    specification: String,
    text: String,
    may_accept: bool,
    may_sign: bool,
}

/// What the visitor may do here now.
#[derive(Serialize, Default)]
struct May {
    edit: bool,
    submit: bool,
    withdraw: bool,
    write: bool,
    screen: bool,
    track: bool,
    close_conditions: bool,
    decide: bool,
    draw: bool,
    produce: bool,
    review: bool,
    follow: bool,
}

#[derive(Template, Serialize)]
#[template(path = "application.html")]
struct Show {
    id: String,
    product: &'static str,
    applicant: String,
    project: String,
    state: &'static str,
    phases: Vec<Phase>,
    next: String,
    days: String,
    version: i64,
    returned: String,
    fields: Vec<Shown>,
    conditions: Vec<ConditionView>,
    track: TrackView,
    /// The articles with which a new contract begins.
    #[serde(skip)]
    contract_draft: String,
    contracts: Vec<ContractView>,
    messages: Vec<MessageLine>,
    log: Vec<LogLine>,
    datasets: Vec<(String, String)>,
    files: Vec<FileView>,
    price: PriceView,
    specification: String,
    contract_from: String,
    contract_until: String,
    may: May,
    #[serde(skip)]
    form: FormToken,
}

#[derive(Serialize)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) class: &'static str,
}

const PHASES: [&str; 6] = ["下書き", "受付", "審査", "決定", "契約", "加工・提供"];

pub(crate) fn phases(names: &[&'static str], here: usize) -> Vec<Phase> {
    names
        .iter()
        .enumerate()
        .map(|(i, name)| Phase {
            name,
            class: match i.cmp(&here) {
                std::cmp::Ordering::Less => "past",
                std::cmp::Ordering::Equal => "here",
                std::cmp::Ordering::Greater => "",
            },
        })
        .collect()
}

/// Which phase, and whose turn it is.
fn standing(case: &Case) -> (usize, &'static str) {
    let signed = |c: &contract::Contract| matches!(c.state, contract::State::Signed { .. });
    match &case.head.application.state {
        State::Draft { .. } => (0, "申請者が書き上げて提出します。"),
        State::Submitted { .. } => (1, "審査委員会事務局が内容を確かめ、付議するか差し戻します。"),
        State::UnderReview { .. } => (2, "審査委員が利益相反を申告し、評決します。"),
        State::Advised { outcome, .. } if outcome.is_favourable() => {
            (3, "統括管理責任者が、審査委員会の意見を踏まえて提供の可否を決定します。")
        }
        State::Advised { .. } => (
            3,
            "審査委員会の意見は承認ではありません。申請者が書き直すか、統括管理責任者が提供しない決定をします。",
        ),
        State::Accepted { .. } if case.contracts.iter().any(signed) => {
            (5, "加工担当者が契約の加工仕様書に従って加工します。")
        }
        State::Accepted { .. } => (4, "統括管理責任者と申請者が契約を結びます。"),
        State::Refused { .. } => (6, "提供しないことに決まりました。この申請は終わりです。"),
        State::Withdrawn { .. } => (6, "申請者が取り下げました。この申請は終わりです。"),
    }
}

fn log_line(step: &Step) -> String {
    match step {
        Step::Draft { version } => format!("下書きを保存しました（第{version}版）。"),
        Step::Submit { .. } => "提出しました。".to_owned(),
        Step::Screen => "審査委員会に付議しました。".to_owned(),
        Step::Return { reason, .. } => format!("差し戻しました。理由：{reason}"),
        Step::Advise { outcome, .. } => {
            format!("審査委員会が意見をまとめました：{}", outcome.label_ja())
        }
        Step::Accept { reason, .. } => format!("提供を決定しました。理由：{reason}"),
        Step::Refuse { reason } => format!("提供しないことを決定しました。理由：{reason}"),
        Step::Withdraw => "取り下げました。".to_owned(),
    }
}

fn may(ctx: &Ctx, actor: &Actor, case: &Case) -> May {
    let can = |act| kiban_govern::permit(actor, act).is_ok();
    let state = &case.head.application.state;
    let own = actor.organization == case.head.application.applicant && can(Act::SubmitApplication);
    let signed = case.contracts.iter().any(|c| c.in_force(ctx.on().today()));
    let revise = matches!(state, State::Advised { outcome, .. } if !outcome.is_favourable());
    let begun = case.head.steps.iter().any(|s| matches!(s.step, Step::Screen));
    May {
        edit: own && (matches!(state, State::Draft { .. } | State::Accepted { .. }) || revise),
        submit: own && matches!(state, State::Draft { .. }),
        withdraw: own && !matches!(state, State::Refused { .. } | State::Withdrawn { .. }),
        write: can(Act::WriteMessage),
        screen: matches!(state, State::Submitted { .. }) && can(Act::ScreenApplication),
        track: matches!(state, State::Submitted { .. } | State::UnderReview { .. })
            && can(Act::ScreenApplication),
        close_conditions: matches!(state, State::Accepted { .. }) && can(Act::ScreenApplication),
        decide: matches!(state, State::Advised { .. }) && can(Act::DecideApplication),
        draw: matches!(state, State::Accepted { .. }) && !signed && can(Act::SignContract),
        produce: signed && can(Act::ProduceDataset),
        follow: own
            && matches!(state, State::Accepted { .. })
            && case.head.application.product == kiban_kernel::Product::Pseudonymized,
        review: begun && crate::screens::review::may_look(actor),
    }
}

fn contract_state_ja(state: &contract::State) -> &'static str {
    match state {
        contract::State::Drawn => "契約案（利用者の同意待ち）",
        contract::State::AcceptedByUser { .. } => "利用者が同意（締結待ち）",
        contract::State::Signed { .. } => "締結済み",
        contract::State::Ended { .. } => "終了",
    }
}

fn contract_view(actor: &Actor, c: &contract::Contract) -> ContractView {
    let can = |act| kiban_govern::permit(actor, act).is_ok();
    ContractView {
        id: c.id.to_string(),
        state: contract_state_ja(&c.state),
        from: day(c.terms.from),
        until: day(c.terms.until),
        specification: c.terms.specification.to_string(),
        text: c.terms.text.clone(),
        may_accept: matches!(c.state, contract::State::Drawn)
            && actor.organization == c.terms.recipient
            && can(Act::AcceptContract),
        may_sign: matches!(c.state, contract::State::AcceptedByUser { .. })
            && can(Act::SignContract),
    }
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let id: ApplicationId = ctx.id("id")?;
    let case = kiban_journeys::case(ctx.on(), actor, id).await?;
    let names = ctx.names().await?;
    let messages = kiban_journeys::messages(ctx.on(), actor, id).await?;
    let files = kiban_journeys::attachments(ctx.on(), actor, id).await?;
    let pricing = kiban_journeys::pricing(ctx.on(), actor, id).await?;
    let progress = kiban_journeys::review_track::progress(ctx.on(), actor, id).await?;
    let conditions = kiban_journeys::conditions::conditions(ctx.on(), actor, id).await?;
    let (phase, next) = standing(&case);
    let may = may(&ctx, actor, &case);
    let head = &case.head;
    let datasets = kiban_journeys::datasets(ctx.on(), actor).await?;
    let specification = if may.draw {
        kiban_journeys::specifications(ctx.on()).await?.into_iter().next().map(|s| s.1)
    } else {
        None
    };
    let returned = head.steps.iter().rev().find_map(|s| match &s.step {
        Step::Return { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    let draft = matches!(head.application.state, State::Draft { .. });
    let page = Show {
        id: id.to_string(),
        product: head.application.product.label_ja(),
        applicant: names.organization(head.application.applicant),
        project: head.application.project.to_string(),
        state: state_ja(&head.application.state),
        phases: phases(&PHASES, phase),
        next: next.to_owned(),
        days: head.steps.last().map(|s| day_count(s.at, ctx.on().today())).unwrap_or_default(),
        version: head.version,
        returned: returned.filter(|_| draft).unwrap_or_default(),
        fields: {
            let mut fields = shown(&head.content, case.earlier.as_ref());
            read_out(&mut fields, &names);
            fields
        },
        conditions: conditions.iter().map(|c| condition_view(c, &names)).collect(),
        track: track_view(&progress),
        contract_draft: kiban_journeys::contract_draft(
            &head.content.title,
            head.application.product,
        ),
        contracts: case.contracts.iter().map(|c| contract_view(actor, c)).collect(),
        messages: messages
            .into_iter()
            .map(|m| MessageLine {
                at: moment(m.at),
                who: format!(
                    "{}・{}",
                    names.account(m.account),
                    names.organization(m.organization)
                ),
                own: m.account == actor.account,
                text: m.text,
            })
            .collect(),
        log: head
            .steps
            .iter()
            .map(|s| LogLine { at: moment(s.at), who: names.actor(&s.by), what: log_line(&s.step) })
            .collect(),
        datasets: datasets
            .iter()
            .filter(|d| d.application.application.id == id)
            .map(|d| (d.id.to_string(), d.standing.label_ja()))
            .collect(),
        files: files.iter().map(file_view).collect(),
        price: price_view(actor, &pricing, &names),
        specification: specification.unwrap_or_default(),
        contract_from: ctx.on().today().to_string(),
        contract_until: head.content.use_until.to_string(),
        may,
        form: ctx.form.clone(),
    };
    let title = titled(&head.content);
    Ok(Answer::page(page)?.titled(title).banded(Band::of(head.application.product)))
}
