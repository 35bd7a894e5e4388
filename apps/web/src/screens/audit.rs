//! S16: the verifier's result, and who saw whom.

use askama::Template;
use kiban_journeys::{Search, StoredEvent};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    event_names::event_ja,
    fault::Fault,
    japanese::{moment, number},
    names::Names,
};

#[derive(Serialize)]
struct EventView {
    index: u64,
    at: String,
    kind: String,
    /// Japanese name of the kind.
    ja: String,
    who: String,
    organization: String,
    subject: String,
    body: String,
}

fn event_view(e: &StoredEvent, names: &Names) -> EventView {
    EventView {
        index: e.index,
        at: moment(e.at),
        kind: e.kind.clone(),
        ja: event_ja(&e.kind).to_owned(),
        who: names.account_text(&e.actor),
        organization: names.organization_text(&e.organization),
        subject: e.subject.clone(),
        body: if e.body.as_object().is_some_and(|b| b.is_empty()) {
            String::new()
        } else {
            e.body.to_string()
        },
    }
}

#[derive(Serialize)]
struct HolderChoice {
    id: String,
    name: String,
}

#[derive(Template, Serialize)]
#[template(path = "audit.html")]
struct Page {
    size: String,
    checkpoint: String,
    /// The verifier was run.
    verified: bool,
    findings: Vec<String>,
    verified_events: String,
    verified_files: String,
    verified_packages: String,
    checkpoints: usize,
    /// A search was made.
    searched: bool,
    matched: String,
    most: usize,
    person: String,
    events: Vec<EventView>,
    holders: Vec<HolderChoice>,
    kind: String,
    actor: String,
    subject: String,
    openings: bool,
    #[serde(skip)]
    form: FormToken,
}

async fn page(ctx: &Ctx) -> Result<Page, Fault> {
    let names = ctx.names().await?;
    let size = ctx.on().log().size().await.map_err(kiban_journeys::Error::from)?;
    let checkpoint = ctx.on().log().checkpoint().await.map_err(kiban_journeys::Error::from)?;
    let holders = names
        .all()
        .filter(|o| o.kind == kiban_journeys::OrganizationKind::Holder)
        .map(|o| HolderChoice { id: o.id.to_string(), name: o.name.clone() })
        .collect();
    Ok(Page {
        size: number(size),
        checkpoint: checkpoint.unwrap_or_default(),
        verified: false,
        findings: Vec::new(),
        verified_events: String::new(),
        verified_files: String::new(),
        verified_packages: String::new(),
        checkpoints: 0,
        searched: false,
        matched: String::new(),
        most: kiban_journeys::MOST_EVENTS,
        person: String::new(),
        events: Vec::new(),
        holders,
        kind: ctx.input.text("kind").to_owned(),
        actor: ctx.input.text("actor").to_owned(),
        subject: ctx.input.text("subject").to_owned(),
        openings: ctx.input.tick("openings"),
        form: ctx.form.clone(),
    })
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let mut page = page(&ctx).await?;
    let names = ctx.names().await?;
    let found = kiban_journeys::search_events(ctx.on(), ctx.actor()?, &Search::default()).await?;
    page.events = found.events.iter().take(20).map(|e| event_view(e, &names)).collect();
    Answer::page(page)
}

pub(crate) async fn verify(ctx: Ctx) -> Result<Answer, Fault> {
    let verified = kiban_journeys::verify_deployment(&ctx.app.dir(), &[]).await?;
    let page = Page {
        verified: true,
        findings: verified.findings.clone(),
        verified_events: number(verified.events),
        verified_files: number(verified.files),
        verified_packages: number(verified.packages),
        checkpoints: verified.checkpoints,
        ..page(&ctx).await?
    };
    Ok(Answer::page(page)?.titled("監査と証跡（検証の結果）"))
}

pub(crate) async fn search(ctx: Ctx) -> Result<Answer, Fault> {
    let local = ctx.input.text("local_id");
    let person = if local.is_empty() {
        None
    } else {
        Some((ctx.chosen("holder", "医療機関・市町村")?, local.to_owned()))
    };
    let search = Search {
        kind: ctx.input.text("kind").to_owned(),
        actor: ctx.input.text("actor").to_owned(),
        subject: ctx.input.text("subject").to_owned(),
        openings: ctx.input.tick("openings"),
        person,
    };
    let names = ctx.names().await?;
    let found = kiban_journeys::search_events(ctx.on(), ctx.actor()?, &search).await?;
    let page = Page {
        searched: true,
        matched: number(found.matched),
        person: found.person.map(|p| p.to_string()).unwrap_or_default(),
        events: found.events.iter().map(|e| event_view(e, &names)).collect(),
        ..page(&ctx).await?
    };
    Ok(Answer::page(page)?.titled("監査と証跡（検索の結果）"))
}
