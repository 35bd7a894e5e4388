//! S2: a patient asks to stop, in four steps on a phone, and looks up how far it is.

use askama::Template;
use kiban_journeys::{Asking, Written, stop::Requester};
use kiban_kernel::{Bases, Regime};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::moment,
};

#[derive(Serialize)]
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

#[derive(Template, Serialize)]
#[template(path = "stop_who.html")]
struct WhoPage {
    holders: Vec<Choice>,
    requesters: Vec<Choice>,
}

async fn holders(ctx: &Ctx) -> Result<Vec<Choice>, Fault> {
    let chosen = ctx.input.text("holder");
    let holders = kiban_journeys::holders(ctx.on()).await?;
    Ok(holders
        .into_iter()
        .map(|h| {
            let value = h.organization.id.to_string();
            Choice { chosen: value == chosen, label: h.organization.name, value }
        })
        .collect())
}

fn requesters(ctx: &Ctx) -> Vec<Choice> {
    let chosen = match ctx.input.text("requester") {
        "" => "person",
        other => other,
    };
    let words = |r| match r {
        Requester::Person => "患者さん本人",
        Requester::Guardian => "保護者・代理の人",
        Requester::BereavedFamily => "亡くなった患者さんの家族",
        Requester::Producer => Requester::Producer.label_ja(),
    };
    Requester::ALL
        .into_iter()
        .map(|r| Choice {
            value: r.as_str().to_owned(),
            label: words(r).to_owned(),
            chosen: r.as_str() == chosen,
        })
        .collect()
}

/// Step 1: at which holder, and who asks.
pub(crate) async fn who(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(WhoPage { holders: holders(&ctx).await?, requesters: requesters(&ctx) })
}

#[derive(Template, Serialize)]
#[template(path = "stop_person.html")]
struct PersonPage {
    holder: String,
    holder_name: String,
    requester: String,
    name: String,
    birth: String,
    local_id: String,
    contact: String,
    regimes: String,
    electronic: bool,
    wrong: Vec<(String, String)>,
    #[serde(skip)]
    form: FormToken,
}

impl PersonPage {
    fn wrong(&self, field: &str) -> &str {
        self.wrong.iter().find(|(name, _)| name == field).map_or("", |(_, ja)| ja)
    }
}

async fn person_page(ctx: &Ctx, wrong: Vec<(String, String)>) -> Result<PersonPage, Fault> {
    let text = |name: &str| ctx.input.text(name).to_owned();
    let found = holders(ctx).await?.into_iter().find(|h| h.chosen);
    let holder_name = found.map(|h| h.label).ok_or_else(|| {
        let ja = "医療機関・市町村を選んでください。".to_owned();
        Fault::fields(vec![("holder".to_owned(), ja)])
    })?;
    let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
    Ok(PersonPage {
        holder: text("holder"),
        holder_name,
        requester: or(text("requester"), "person"),
        name: text("name"),
        birth: text("birth"),
        local_id: text("local_id"),
        contact: text("contact"),
        regimes: or(text("regimes"), "both"),
        electronic: ctx.input.tick("electronic"),
        wrong,
        form: ctx.form.clone(),
    })
}

/// Step 2: about whom.
pub(crate) async fn person(ctx: Ctx) -> Result<Answer, Fault> {
    match person_page(&ctx, Vec::new()).await {
        Ok(page) => Answer::page(page),
        // The first step again, with what is missing.
        Err(fault) => {
            let page = WhoPage { holders: holders(&ctx).await?, requesters: requesters(&ctx) };
            Ok(Answer::page(page)?.titled("提供を止める").faulty(fault))
        }
    }
}

#[derive(Template, Serialize)]
#[template(path = "stop_confirm.html")]
struct ConfirmPage {
    page: PersonPage,
    requester_ja: String,
    regimes_ja: &'static str,
}

fn regimes_ja(value: &str) -> &'static str {
    match value {
        "anon52" => "匿名加工だけ",
        "pseudo57" => "仮名加工だけ",
        _ => "すべて",
    }
}

/// Step 3: everything once more.
pub(crate) async fn confirm(ctx: Ctx) -> Result<Answer, Fault> {
    if let Err(fault) = ctx.input.check(ctx.row.fields) {
        let page = person_page(&ctx, fault.fields.clone()).await?;
        return Ok(Answer::page(page)?.titled("提供を止める（患者さんについて）").faulty(fault));
    }
    let page = person_page(&ctx, Vec::new()).await?;
    let chosen = requesters(&ctx).into_iter().find(|r| r.chosen);
    Answer::page(ConfirmPage {
        requester_ja: chosen.map(|r| r.label).unwrap_or_default(),
        regimes_ja: regimes_ja(&page.regimes),
        page,
    })
}

#[derive(Template, Serialize)]
#[template(path = "stop_done.html")]
struct DonePage {
    number: String,
    holder_name: String,
}

/// Step 4: passed on; the number to look it up by.
pub(crate) async fn ask(ctx: Ctx) -> Result<Answer, Fault> {
    if let Err(fault) = ctx.input.check(ctx.row.fields) {
        let page = person_page(&ctx, fault.fields.clone()).await?;
        return Ok(Answer::page(page)?.titled("提供を止める（患者さんについて）").faulty(fault));
    }
    let page = person_page(&ctx, Vec::new()).await?;
    let requester = Requester::ALL.into_iter().find(|r| r.as_str() == page.requester);
    let regimes = match page.regimes.as_str() {
        "anon52" => Bases::NONE.with(Regime::Anon52),
        "pseudo57" => Bases::NONE.with(Regime::Pseudo57),
        _ => Bases::BOTH,
    };
    let asking = Asking {
        holder: ctx.chosen("holder", "医療機関・市町村")?,
        requester: requester.unwrap_or(Requester::Person),
        regimes,
        electronic: page.electronic,
        written: Written {
            name: page.name.clone(),
            birth: page.birth.clone(),
            local_id: page.local_id.clone(),
            contact: page.contact.clone(),
        },
    };
    match kiban_journeys::ask_stop(ctx.on(), &asking).await.map_err(Fault::from) {
        Ok(number) => Ok(Answer::page(DonePage { number, holder_name: page.holder_name })?
            .titled("申し出を窓口に送りました")),
        Err(fault) if !fault.fields.is_empty() => {
            let page = person_page(&ctx, fault.fields.clone()).await?;
            Ok(Answer::page(page)?.titled("提供を止める（患者さんについて）").faulty(fault))
        }
        Err(fault) => Err(fault),
    }
}

#[derive(Serialize)]
struct Tick {
    label: String,
    at: String,
    done: bool,
}

#[derive(Template, Serialize)]
#[template(path = "stop_status.html")]
struct StatusPage {
    holder: String,
    declined: String,
    receipt_number: String,
    ticks: Vec<Tick>,
    finished: bool,
    looked: bool,
    #[serde(skip)]
    form: FormToken,
}

fn blank(ctx: &Ctx) -> StatusPage {
    StatusPage {
        holder: String::new(),
        declined: String::new(),
        receipt_number: String::new(),
        ticks: Vec::new(),
        finished: false,
        looked: false,
        form: ctx.form.clone(),
    }
}

pub(crate) async fn status(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(blank(&ctx))
}

/// The number comes in the body of the request, so that it stands in no address and no log.
pub(crate) async fn status_of(ctx: Ctx) -> Result<Answer, Fault> {
    if let Err(fault) = ctx.input.check(ctx.row.fields) {
        return Ok(Answer::page(blank(&ctx))?.faulty(fault));
    }
    let number = ctx.input.text("number");
    let progress = match kiban_journeys::stop_progress(ctx.on(), number).await {
        Ok(progress) => progress,
        Err(e) => return Ok(Answer::page(blank(&ctx))?.faulty(e.into())),
    };
    let request = &progress.request;
    let tick = |label: String, at: Option<kiban_kernel::Timestamp>| Tick {
        label,
        done: at.is_some(),
        at: at.map(moment).unwrap_or_default(),
    };
    let mut ticks = vec![tick("窓口に送られました".to_owned(), Some(request.asked_at))];
    if request.declined.is_none() {
        ticks.push(tick(format!("{}が受け付けました", progress.holder_name), request.answered_at));
        for store in &progress.stores {
            let name = kiban_journeys::store_ja(&store.store);
            ticks.push(tick(format!("{name}で停止しました"), store.acknowledged_at));
        }
        ticks.push(tick("すべて完了しました".to_owned(), progress.closed_at));
    }
    Answer::page(StatusPage {
        holder: progress.holder_name.clone(),
        declined: request.declined.clone().unwrap_or_default(),
        receipt_number: progress.receipt_number.clone().unwrap_or_default(),
        finished: progress.closed_at.is_some(),
        ticks,
        looked: true,
        form: ctx.form.clone(),
    })
    .map(|page| page.titled("提供停止の状況"))
}
