//! The mapping bench: local items, candidates with reasons, proposals, a second person's signature, and what it changes.

use std::collections::BTreeMap;

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::map_codes::{
    self, Candidate, CodeItem, Distribution, EVERY_HOLDER, Effect, MappedTable, Mapping, MappingId,
    NewMapping, Overlay, Standing, UnitRule, caution_ja, effect_ja, standing_ja,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    curves::{Curve, curves},
    fault::Fault,
    japanese::{day, moment, number},
    paging::{Paging, paged},
};

#[derive(Serialize)]
struct MappingView {
    id: u64,
    holder: String,
    local: String,
    system: String,
    code: String,
    unit: String,
    from: String,
    until: String,
    standing: String,
    proposed: bool,
    signed: bool,
}

async fn organizations(ctx: &Ctx) -> Result<BTreeMap<String, String>, Fault> {
    let all = kiban_journeys::organizations(ctx.on()).await?;
    let mut names: BTreeMap<String, String> =
        all.into_iter().map(|o| (o.id.to_string(), o.name)).collect();
    names.insert(EVERY_HOLDER.to_owned(), "すべての提供元".to_owned());
    Ok(names)
}

fn view(m: &Mapping, names: &BTreeMap<String, String>) -> MappingView {
    let unit = m.meaning.unit.as_ref();
    MappingView {
        id: m.id.0,
        holder: names.get(&m.key.holder).unwrap_or(&m.key.holder).clone(),
        local: m.key.local.clone(),
        system: m.key.system.clone(),
        code: m.meaning.code.clone(),
        unit: unit.map(|u| format!("{} → {}", u.from, u.to)).unwrap_or_default(),
        from: day(m.from),
        until: m.until.map(day).unwrap_or_default(),
        standing: standing_ja(m),
        proposed: matches!(m.standing, Standing::Proposed { .. }),
        signed: m.is_signed(),
    }
}

#[derive(Serialize)]
struct MasterView {
    layout: String,
    edition: String,
    entries: String,
    dropped: String,
    imported: String,
    source: String,
}

#[derive(Template, Serialize)]
#[template(path = "mappings.html")]
struct List {
    waiting: Vec<MappingView>,
    rows: Vec<MappingView>,
    paging: Paging,
    masters: Vec<MasterView>,
}

pub(crate) async fn list(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let set = map_codes::mappings(ctx.on(), actor).await?;
    let names = organizations(&ctx).await?;
    let (waiting, mut rows): (Vec<_>, Vec<_>) =
        set.mappings().iter().map(|m| view(m, &names)).partition(|m| m.proposed);
    rows.reverse();
    let (rows, paging) = paged(&ctx, rows)?;
    let masters = map_codes::masters(ctx.on(), actor).await?;
    let master = |m: &map_codes::MasterRow| MasterView {
        layout: m.layout.clone(),
        edition: m.edition.clone(),
        entries: number(m.entries),
        dropped: number(m.dropped),
        imported: moment(m.imported_at),
        source: m.source.clone(),
    };
    let masters = masters.iter().rev().map(master).collect();
    Answer::page(List { waiting, rows, paging, masters })
}

#[derive(Serialize)]
struct ItemView {
    table: &'static str,
    table_ja: &'static str,
    holder: String,
    holder_name: String,
    local: String,
    names: String,
    unit: String,
    rows: String,
    persons: String,
    standard: &'static str,
    systems: &'static [&'static str],
}

fn table_ja(name: &str) -> &'static str {
    match name {
        "measurement" => "検査",
        "checkup" => "健診",
        "medication" => "薬剤",
        _ => "傷病",
    }
}

fn item_view(i: &CodeItem, names: &BTreeMap<String, String>) -> ItemView {
    let holder = i.holder.to_string();
    ItemView {
        table: i.table,
        table_ja: table_ja(i.table),
        holder_name: names.get(&holder).unwrap_or(&holder).clone(),
        holder,
        local: i.local.clone(),
        names: i.item.names.join("／"),
        unit: i.item.unit.clone().unwrap_or_default(),
        rows: number(i.rows),
        persons: number(i.persons),
        standard: match i.standard {
            0 => "なし",
            n if n == i.rows => "あり",
            _ => "一部",
        },
        systems: MappedTable::of(i.table).map_or(&[], |t| t.targets),
    }
}

#[derive(Template, Serialize)]
#[template(path = "mapping_items.html")]
struct Items {
    rows: Vec<ItemView>,
    paging: Paging,
    hidden: String,
    tables: Vec<(&'static str, &'static str)>,
    table: String,
    unmapped: bool,
}

pub(crate) async fn items(ctx: Ctx) -> Result<Answer, Fault> {
    let all = ctx.app.code_items(ctx.actor()?).await?;
    let names = organizations(&ctx).await?;
    let (table, unmapped) = (ctx.input.text("table").to_owned(), ctx.input.tick("unmapped"));
    let wanted = all
        .items
        .iter()
        .filter(|i| table.is_empty() || i.table == table)
        .filter(|i| !unmapped || i.standard < i.rows)
        .collect();
    let (rows, paging) = paged(&ctx, wanted)?;
    Answer::page(Items {
        rows: rows.into_iter().map(|i| item_view(i, &names)).collect(),
        paging,
        hidden: if all.hidden_rows == 0 { String::new() } else { number(all.hidden_rows) },
        tables: map_codes::MAPPED.iter().map(|t| (t.name, table_ja(t.name))).collect(),
        table,
        unmapped,
    })
}

#[derive(Serialize)]
struct CandidateView {
    code: String,
    name: String,
    score: i32,
    reasons: Vec<String>,
    caution: String,
}

fn candidate_view(c: &Candidate) -> CandidateView {
    let reason = |f: &map_codes::Feature| format!("{:+}　{}", f.points, f.note);
    CandidateView {
        code: c.code.clone(),
        name: c.name.clone(),
        score: c.score,
        reasons: c.features.iter().map(reason).collect(),
        caution: caution_ja(c).unwrap_or_default(),
    }
}

#[derive(Template, Serialize)]
#[template(path = "mapping_new.html")]
struct New {
    item: ItemView,
    system: String,
    values: bool,
    candidates: Vec<CandidateView>,
    /// Why there are none.
    none: String,
    earlier: Vec<MappingView>,
    from: String,
    may_propose: bool,
    #[serde(skip)]
    form: FormToken,
}

/// Most candidates of a page.
const MOST: usize = 8;

pub(crate) async fn new(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let all = ctx.app.code_items(actor).await?;
    let (system, local) = (ctx.input.text("system"), ctx.input.text("local"));
    let holder = ctx.input.text("holder");
    let found = all.items.iter().find(|i| {
        let takes = MappedTable::of(i.table).is_some_and(|t| t.targets.contains(&system));
        takes && i.local == local && i.holder.to_string() == holder
    });
    let item = found.ok_or_else(Fault::not_found)?;
    let ranked = map_codes::candidates(
        ctx.on(),
        actor,
        system,
        std::slice::from_ref(item),
        &all.items,
        MOST,
    )
    .await;
    // Without a master there is nothing to choose from: the page says what is to be done.
    let (candidates, none) = match ranked {
        Ok(ranked) => (ranked.into_iter().next().unwrap_or_default(), String::new()),
        Err(e @ kiban_journeys::Error::Mapping(map_codes::MappingRefused::NoMaster)) => {
            (Vec::new(), e.ja())
        }
        Err(e) => return Err(e.into()),
    };
    let names = organizations(&ctx).await?;
    let set = map_codes::mappings(ctx.on(), actor).await?;
    let key = map_codes::Key {
        system: system.to_owned(),
        holder: holder.to_owned(),
        local: local.to_owned(),
    };
    let page = New {
        earlier: set.of(&key).map(|m| view(m, &names)).collect(),
        item: item_view(item, &names),
        system: system.to_owned(),
        values: MappedTable::of(item.table).is_some_and(|t| t.values),
        candidates: candidates.iter().map(candidate_view).collect(),
        none,
        from: item.days.map(|(first, _)| first.to_string()).unwrap_or_default(),
        may_propose: kiban_govern::permit(actor, Act::ProposeMapping).is_ok(),
        form: ctx.form.clone(),
    };
    let title = format!("対応先の候補：{local}");
    Ok(Answer::page(page)?.titled(title))
}

pub(crate) async fn propose(ctx: Ctx) -> Result<Answer, Fault> {
    let text = |name: &str| ctx.input.text(name).trim().to_owned();
    let (from, to) = (text("unit_from"), text("unit_to"));
    if from.is_empty() != to.is_empty() {
        let ja = "単位は、元の単位と標準の単位の両方を書くか、両方を空にしてください。";
        return Err(Fault::fields(vec![("unit_to".to_owned(), ja.to_owned())]));
    }
    let unit =
        (!from.is_empty()).then_some(UnitRule { from, to, analyte: None, target_analyte: None });
    let new = NewMapping {
        system: text("system"),
        holder: text("holder"),
        local: ctx.input.text("local").to_owned(),
        code: text("code"),
        unit,
        from: ctx.day("from").ok_or_else(Fault::not_found)?,
        until: ctx.day("until"),
        replaces: text("replaces").parse().ok().map(MappingId),
    };
    let ids = map_codes::propose_mappings(ctx.on(), ctx.actor()?, vec![new]).await?;
    let id = ids.first().map_or(0, |id| id.0);
    Ok(Answer::Done {
        say: "提案しました。別の担当者が承認するまで効力はありません。".to_owned(),
        to: format!("/mappings/{id}"),
        data: json!({ "id": id }),
    })
}

#[derive(Serialize)]
struct SpreadView {
    name: String,
    which: &'static str,
    count: String,
    cells: Vec<String>,
}

#[derive(Template, Serialize)]
#[template(path = "mapping.html")]
struct Show {
    mapping: MappingView,
    history: Vec<(String, String)>,
    sentences: Vec<String>,
    spreads: Vec<SpreadView>,
    may_sign: bool,
    own: bool,
    may_withdraw: bool,
    #[serde(skip)]
    charts: Vec<(&'static str, String)>,
    #[serde(skip)]
    form: FormToken,
}

fn number_of(ctx: &Ctx) -> Result<MappingId, Fault> {
    let id = ctx.params.get("id").and_then(|t| t.parse().ok());
    id.map(MappingId).ok_or_else(Fault::not_found)
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let id = number_of(&ctx)?;
    if map_codes::mappings(ctx.on(), actor).await?.find(id).is_none() {
        return Err(Fault::not_found());
    }
    let effect = map_codes::preview_mapping(ctx.on(), actor, id).await?;
    let names = organizations(&ctx).await?;
    let accounts = ctx.names().await?;
    let who = |by: &map_codes::By| {
        let name = by.person.parse().map(|id| accounts.account(id)).unwrap_or_default();
        format!("{}・{name}", moment(by.at))
    };
    let history =
        steps(&effect.mapping).into_iter().map(|(step, by)| (step.to_owned(), who(by))).collect();
    let own = match &effect.mapping.standing {
        Standing::Proposed { proposed } => proposed.person == actor.account.to_string(),
        _ => false,
    };
    let may = |act| kiban_govern::permit(actor, act).is_ok();
    let mapping = view(&effect.mapping, &names);
    let title = format!("対応付け {}：{}", mapping.id, mapping.local);
    let page = Show {
        history,
        sentences: effect_ja(&effect, &names),
        spreads: spreads(&effect, &names),
        charts: charts(&effect, &names),
        may_sign: mapping.proposed && may(Act::SignMapping),
        own,
        may_withdraw: (mapping.proposed || mapping.signed) && may(Act::ProposeMapping),
        mapping,
        form: ctx.form.clone(),
    };
    Ok(Answer::page(page)?.titled(title))
}

fn steps(m: &Mapping) -> Vec<(&'static str, &map_codes::By)> {
    match &m.standing {
        Standing::Proposed { proposed } => vec![("提案", proposed)],
        Standing::Signed { proposed, signed } | Standing::Replaced { proposed, signed, .. } => {
            vec![("提案", proposed), ("承認", signed)]
        }
        Standing::Refused { proposed, refused } => vec![("提案", proposed), ("却下", refused)],
        Standing::Withdrawn { proposed, signed, withdrawn } => {
            let signed = signed.as_ref().map(|by| ("承認", by));
            let all = [Some(("提案", proposed)), signed, Some(("取下げ", withdrawn))];
            all.into_iter().flatten().collect()
        }
    }
}

type Spreads<'a> = Vec<(String, bool, [(&'static str, &'a Option<Distribution>); 2])>;

fn overlays<'a>(effect: &'a Effect, names: &BTreeMap<String, String>) -> Spreads<'a> {
    let one = |o: &'a Overlay, own: bool| {
        let id = o.holder.to_string();
        let name = names.get(&id).unwrap_or(&id);
        let name = if own { format!("{name}（この対応付け）") } else { name.clone() };
        (name, own, [("元の値", &o.raw), ("換算後", &o.converted)])
    };
    let own = effect.own.iter().map(|o| one(o, true));
    own.chain(effect.peers.iter().map(|o| one(o, false))).collect()
}

/// The levels that the table shows.
const SHOWN: [f64; 5] = [0.05, 0.3, 0.5, 0.7, 0.95];

fn spreads(effect: &Effect, names: &BTreeMap<String, String>) -> Vec<SpreadView> {
    let mut out = Vec::new();
    for (name, _, both) in overlays(effect, names) {
        for (which, values) in both {
            let Some(values) = values else { continue };
            let at = |level: f64| {
                let near = values.quantiles().iter().find(|q| q.0 >= level);
                near.map_or_else(String::new, |q| q.1.to_string())
            };
            out.push(SpreadView {
                name: name.clone(),
                which,
                count: number(values.count()),
                cells: SHOWN.map(at).to_vec(),
            });
        }
    }
    out
}

fn charts(effect: &Effect, names: &BTreeMap<String, String>) -> Vec<(&'static str, String)> {
    let unit = effect.mapping.meaning.unit.as_ref();
    let axis = |unit: Option<&str>| unit.map_or("値".to_owned(), |u| format!("値（{u}）"));
    let all = overlays(effect, names);
    let draw = |which: usize, title: &'static str, axis: &str| {
        let lines: Vec<Curve> = all
            .iter()
            .filter_map(|(name, own, both)| {
                let values = both[which].1.as_ref()?;
                let points = values.quantiles().iter().map(|(l, v)| (*v, *l)).collect();
                Some(Curve { name: name.clone(), points, own: *own })
            })
            .collect();
        (!lines.is_empty()).then(|| (title, curves(title, [axis, "割合"], &lines)))
    };
    let raw = draw(0, "元の値の累積分布", &axis(unit.map(|u| u.from.as_str())));
    let converted = draw(1, "換算後の値の累積分布", &axis(unit.map(|u| u.to.as_str())));
    [raw, converted].into_iter().flatten().collect()
}

pub(crate) async fn sign(ctx: Ctx) -> Result<Answer, Fault> {
    let id = number_of(&ctx)?;
    map_codes::sign_mappings(ctx.on(), ctx.actor()?, &[id]).await?;
    Ok(Answer::done("承認しました。今後の加工に反映されます。", format!("/mappings/{}", id.0)))
}

pub(crate) async fn refuse(ctx: Ctx) -> Result<Answer, Fault> {
    let id = number_of(&ctx)?;
    map_codes::refuse_mapping(ctx.on(), ctx.actor()?, id, ctx.input.text("reason")).await?;
    Ok(Answer::done("却下しました。", format!("/mappings/{}", id.0)))
}

pub(crate) async fn withdraw(ctx: Ctx) -> Result<Answer, Fault> {
    let id = number_of(&ctx)?;
    map_codes::withdraw_mapping(ctx.on(), ctx.actor()?, id, ctx.input.text("reason")).await?;
    Ok(Answer::done("取り下げました。今後の加工には用いません。", format!("/mappings/{}", id.0)))
}
