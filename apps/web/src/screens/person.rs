//! One person's state for a complaint, a call or the stop desk: notices with their clocks, stops, bases. It is asked for
//! with a purpose and a reference, which stand in the log; no name and no clinical value is shown.

use askama::Template;
use kiban_govern::Employer;
use kiban_journeys::{Described, LookUpPurpose, NoticeState, PersonState, StopState};
use kiban_kernel::{Date, Regime};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{day, moment, number},
    names::Names,
};

#[derive(Serialize)]
struct NoticeView {
    regime: &'static str,
    notified_on: String,
    version: String,
    channel: String,
    clock: String,
    /// Empty unless a day was asked for.
    covers: &'static str,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct StopView {
    id: String,
    what: &'static str,
    receipt: String,
    requested_on: String,
    requester: &'static str,
    regimes: String,
    state: String,
    /// Where it was asked, if it was passed on.
    passed_on: String,
    datasets: Vec<String>,
}

#[derive(Serialize)]
struct BasisView {
    regime: &'static str,
    passes: bool,
    why: String,
    records: String,
    datasets: String,
}

#[derive(Serialize)]
struct Found {
    known: bool,
    notices: Vec<NoticeView>,
    stops: Vec<StopView>,
    bases: Vec<BasisView>,
    deliveries: String,
    on: String,
    /// Regimes with the version that was in effect on the day.
    covered: Vec<(&'static str, String)>,
}

#[derive(Template, Serialize)]
#[template(path = "person.html")]
struct Page {
    holders: Vec<(String, String)>,
    purposes: Vec<(&'static str, &'static str)>,
    found: Option<Found>,
    #[serde(skip)]
    form: FormToken,
}

fn notice_view(n: &NoticeState, all: &[NoticeState], today: Date, on: Option<Date>) -> NoticeView {
    let mut remarks = Vec::new();
    if n.guardian {
        remarks.push("保護者等にも通知".to_owned());
    }
    if n.taken_over {
        remarks.push("前の登録簿から引継ぎ".to_owned());
    }
    if let Some(back) = n.returned_on {
        remarks.push(format!("{}に返送（この通知は効力を持ちません）", day(back)));
    }
    remarks.extend(n.age_ja(all, today));
    NoticeView {
        regime: n.regime.label_ja(),
        notified_on: day(n.notified_on),
        version: n.version.clone(),
        channel: n.channel.clone(),
        clock: if today <= n.wait_until {
            let left = n.wait_until.since(today).map_or(0, |s| s.get_days());
            format!("待機中：{}まで（あと{left}日。翌日から受け入れられます）", day(n.wait_until))
        } else {
            format!("待機は{}に終了", day(n.wait_until))
        },
        covers: match on {
            Some(on) if n.covers(on) => "この日に効力あり",
            Some(_) => "この日には効力なし",
            None => "",
        },
        remarks,
    }
}

fn stop_view(s: &StopState, names: &Names) -> StopView {
    let end = match (s.closed_at, s.open_stores) {
        (Some(at), _) => format!("完了（{}）", moment(at)),
        (None, n) => format!("未完了（応答のない保管先 {n}）"),
    };
    let back = s.withdrawn_on.map(|d| format!("、{}に撤回", day(d))).unwrap_or_default();
    let regimes: Vec<&str> =
        Regime::ALL.into_iter().filter(|r| s.regimes.contains(*r)).map(Regime::label_ja).collect();
    StopView {
        id: s.id.to_string(),
        what: if s.requester.is_request() {
            "停止の求め"
        } else {
            "有効な通知を欠く情報の消去"
        },
        receipt: s.receipt_number.clone(),
        requested_on: day(s.requested_on),
        requester: s.requester.label_ja(),
        regimes: regimes.join("・"),
        state: format!("{end}{back}"),
        passed_on: if s.passed_on { names.organization(s.holder) } else { String::new() },
        datasets: s.datasets.iter().map(|(fate, n)| format!("{fate} {n}件")).collect(),
    }
}

fn found(state: &PersonState, names: &Names, today: Date, on: Option<Date>) -> Found {
    let covered = |regime: Regime, on: Date| {
        let of = state.notices.iter().filter(|n| n.regime == regime && n.covers(on));
        of.max_by_key(|n| n.notified_on).map_or_else(
            || "効力のある通知はありません".to_owned(),
            |n| format!("版 {}（{}の通知）", n.version, day(n.notified_on)),
        )
    };
    Found {
        known: state.known,
        notices: state.notices.iter().map(|n| notice_view(n, &state.notices, today, on)).collect(),
        stops: state.stops.iter().map(|s| stop_view(s, names)).collect(),
        bases: state
            .bases
            .iter()
            .map(|b| BasisView {
                regime: b.regime.label_ja(),
                passes: b.passes,
                why: b.reason.map_or_else(|| "受け入れられます。".to_owned(), |r| r.ja()),
                records: number(b.records),
                datasets: number(b.datasets),
            })
            .collect(),
        deliveries: number(state.deliveries),
        on: on.map(day).unwrap_or_default(),
        covered: on
            .map(|on| Regime::ALL.map(|r| (r.label_ja(), covered(r, on))).to_vec())
            .unwrap_or_default(),
    }
}

async fn page(ctx: &Ctx, found: Option<Found>) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let holders = kiban_journeys::holders(ctx.on()).await?;
    let holders = holders
        .into_iter()
        .filter(|h| actor.employer != Employer::Holder || h.organization.id == actor.organization)
        .map(|h| (h.organization.id.to_string(), h.organization.name));
    Answer::page(Page {
        holders: holders.collect(),
        purposes: LookUpPurpose::ALL.map(|p| (p.as_str(), p.label_ja())).to_vec(),
        found,
        form: ctx.form.clone(),
    })
}

pub(crate) async fn ask(ctx: Ctx) -> Result<Answer, Fault> {
    page(&ctx, None).await
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let holder = ctx.chosen("holder", "医療機関・市町村")?;
    let text = |name| ctx.input.text(name);
    let purpose = LookUpPurpose::ALL
        .into_iter()
        .find(|p| p.as_str() == text("purpose"))
        .unwrap_or(LookUpPurpose::Complaint);
    let described = match (text("kana"), ctx.day("birth"), text("sex")) {
        ("", ..) => None,
        (kana, Some(birth_on), sex) if !sex.is_empty() => {
            Some(Described { name_kana: kana.to_owned(), birth_on, sex: sex.to_owned() })
        }
        _ => {
            let ja = "カナ氏名で調べるときは、生年月日と性別も入れてください。";
            return Err(Fault::fields(vec![("kana".to_owned(), ja.to_owned())]));
        }
    };
    let state = kiban_journeys::look_up_described(
        ctx.on(),
        ctx.actor()?,
        holder,
        text("local_id"),
        described.as_ref(),
        (purpose, text("reference")),
    )
    .await?;
    let names = ctx.names().await?;
    let found = found(&state, &names, ctx.on().today(), ctx.day("on"));
    page(&ctx, Some(found)).await
}
